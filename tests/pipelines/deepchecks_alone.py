"""A pipeline of four steps that ends at Deepchecks. Arguments: the answer's file, a folder."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

from zenml import pipeline, step
from zenml.client import Client
from zenml.utils.source_utils import set_custom_source_root

from churn.checks.deepchecks.deepchecks_report import ValidationReport
from churn.contract import load_contract
from churn.data import Dataset, acquire
from churn.data.split import Split
from churn.features.encoding import encode, encode_target, take
from churn.models.recipe_catalog import build_candidates
from churn.models.recipe_settings import default_recipes
from churn.models.trained import TrainedModel
from churn.root import ROOT
from materializers.dataset_materializer import DatasetMaterializer
from materializers.model_materializer import ModelMaterializer
from registry.artifacts import Artifact
from steps.data.split_rows import split_rows
from steps.modelling.run_deepchecks import run_deepchecks

RECIPE = "spline_logistic"


@step(output_materializers=DatasetMaterializer)
def customers_of(folder: str) -> Annotated[Dataset, Artifact.CUSTOMERS]:
    contract = load_contract(ROOT / "data" / "contracts" / "telco.yaml")
    return acquire("bundled", contract, root=ROOT, cache=Path(folder))


@step(output_materializers=ModelMaterializer)
def fit(customers: Dataset, split: Split) -> Annotated[TrainedModel, Artifact.MODEL]:
    recipes, contract = default_recipes(), customers.contract
    return TrainedModel.train(
        build_candidates((RECIPE,), recipes, contract)[RECIPE],
        take(encode(customers.frame, contract), split.development),
        encode_target(customers.frame, contract)[split.development],
        contract=contract,
        data_sha256=customers.source.sha256,
        settings=recipes[RECIPE],
    )


@pipeline(name="deepchecks_alone")
def deepchecks_alone(folder: str) -> None:
    customers = customers_of(folder)
    split = split_rows(customers, gate_fraction=0.2, seed=11)
    run_deepchecks(
        customers,
        split,
        fit(customers, split),
        {"maximum_rows": 600, "segment_features": 2},
    )


def main(answer: Path, folder: str) -> None:
    set_custom_source_root(str(ROOT))
    runs = [deepchecks_alone.with_options(enable_cache=True)(folder) for _ in range(2)]
    steps = [Client().get_pipeline_run(run.id).steps["run_deepchecks"] for run in runs]
    (artifact,) = steps[0].outputs[Artifact.VALIDATION]
    report: ValidationReport = artifact.load()
    content = {
        "statuses": [str(each.status) for each in steps],
        "step": dict(steps[0].run_metadata),
        "artifact": dict(artifact.run_metadata),
        "pictures": [str(each.type) for each in artifact.visualizations or ()],
        "report": report.model_dump(mode="json"),
    }
    answer.write_text(json.dumps(content, default=str), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
