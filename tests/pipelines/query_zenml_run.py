"""Writes down what ZenML keeps of one run. Arguments: the answer's file, the run's id."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from zenml.client import Client

from churn.contract import load_contract
from churn.data import acquire
from churn.features.encoding import encode
from churn.root import ROOT


def main(answer: Path, run_id: str) -> None:
    client = Client()
    run = client.get_pipeline_run(run_id)
    outputs = {
        name: versions[0] for step in run.steps.values() for name, versions in step.outputs.items()
    }
    content = {
        "status": str(run.status),
        "stack": run.stack.name,
        "active_stack": client.active_stack_model.name,
        "tags": sorted(tag.name for tag in run.tags),
        "steps": {
            name: {"status": str(step.status), **dict(step.run_metadata)}
            for name, step in run.steps.items()
        },
        "artifacts": {name: described(each) for name, each in outputs.items()},
        "versions": [version(client, each) for each in client.list_model_versions(hydrate=True)],
        "scores": scores(outputs["churn_model"].load()),
    }
    answer.write_text(json.dumps(content, default=str), encoding="utf-8")


def described(artifact: Any) -> dict[str, Any]:
    return {
        "metadata": sorted(artifact.run_metadata),
        "pictures": sorted({str(each.type) for each in artifact.visualizations or ()}),
    }


def version(client: Client, each: Any) -> dict[str, Any]:
    links = client.list_model_version_artifact_links(model_version_id=each.id, size=100)
    return {
        "model": each.model.name,
        "number": each.number,
        "stage": each.stage,
        "artifacts": sorted(link.artifact_version.name for link in links),
        "metadata": sorted(each.run_metadata),
    }


def scores(model: Any) -> list[float]:
    contract = load_contract(ROOT / "data" / "contracts" / "telco.yaml")
    table = acquire("bundled", contract, root=ROOT, cache=Path("unused"))
    return model.probability(encode(table.frame, contract)).tolist()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
