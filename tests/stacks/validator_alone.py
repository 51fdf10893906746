"""A small pipeline on a stack with a validator and an alerter. Arguments: answer, folder, webhook."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any

from zenml import pipeline, step
from zenml.client import Client
from zenml.enums import ExecutionMode
from zenml.utils.source_utils import set_custom_source_root

from churn.contract import load_contract
from churn.data import Dataset, acquire
from churn.errors import InputError
from churn.root import ROOT
from materializers.dataset_materializer import DatasetMaterializer
from registry.artifacts import Artifact
from runner.read_outcome import save_report_pages
from stacks.apply import activate, apply_stack
from stacks.spec import OwnComponent, StackSpec, load_stack
from steps.alerting import send_alert
from steps.data.accept_validation import accept_validation
from steps.data.split_rows import split_rows
from steps.data.validate_with_stack import validate_with_stack
from steps.hooks import report_failure


@step(output_materializers=DatasetMaterializer)
def customers_of(folder: str) -> Annotated[Dataset, Artifact.CUSTOMERS]:
    contract = load_contract(ROOT / "data" / "contracts" / "telco.yaml")
    return acquire("bundled", contract, root=ROOT, cache=Path(folder))


@step(enable_cache=False)
def print_verdict(verdict: str) -> Annotated[str, "told"]:
    send_alert("Rows looked at", f"They are {verdict}.")
    return verdict


@pipeline
def validator_alone(folder: str, validator: str) -> None:
    customers = customers_of(folder)
    split = split_rows(customers, gate_fraction=0.2, seed=11)
    print_verdict(accept_validation(validate_with_stack(customers, split, validator)))


def stack(name: str, webhook: str, **limits: float) -> StackSpec:
    """The shipped stack with a validator, the library exchanged, and an alerter added.

    Under a name of its own, because ZenML's client reads a stack once a process.
    """
    shipped = load_stack("local-deepchecks")
    ours = {kind: part for kind, part in shipped.components.items() if kind != "experiment_tracker"}
    ours["data_validator"] = OwnComponent(
        name="churn-evidently", flavor="churn-evidently", configuration=limits
    )
    ours["alerter"] = OwnComponent(
        name="churn-webhook", flavor="churn-webhook", configuration={"url": webhook}
    )
    return shipped.model_copy(update={"name": name, "components": ours, "needs": ("evidently",)})


def run(name: str, folder: Path, spec: StackSpec) -> dict[str, Any]:
    """What ZenML keeps of one run, and which pages were kept."""
    applied = apply_stack(spec, {"state": str(folder)})
    activate(applied)
    set_custom_source_root(str(ROOT))
    refused = ""
    try:
        validator_alone.with_options(
            run_name=name, on_failure=report_failure, execution_mode=ExecutionMode.FAIL_FAST
        )(folder=str(folder), validator=applied.validator)
    except InputError as error:
        refused = str(error)
    found = Client().get_pipeline_run(name, hydrate=True)
    looked = found.steps["validate_with_stack"]
    (artifact,) = looked.outputs[Artifact.VALIDATOR_REPORT]
    return {
        "refused": refused,
        "changes": applied.changes,
        "statuses": {name: str(step.status) for name, step in found.steps.items()},
        "report": artifact.load().model_dump(mode="json"),
        "pictures": [str(each.type) for each in artifact.visualizations or []],
        "artifact": {key: artifact.run_metadata[key] for key in ("verdict", "validator", "failed")},
        "step": dict(looked.run_metadata),
        "pages": [page.name for page in save_report_pages(name, folder / "reports")],
    }


def main(answer: str, folder: str, webhook: str) -> None:
    place = Path(folder)
    runs = {
        "first": run("first", place, stack("loose", webhook)),
        "again": run("again", place, stack("loose", webhook)),
        "strict": run(
            "strict", place, stack("strict", webhook, psi_warning=0.0001, psi_critical=0.001)
        ),
    }
    Path(answer).write_text(json.dumps(runs, default=str), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
