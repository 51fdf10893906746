"""Writes down what MLflow's registry holds. Arguments: the answer's file, the output folder."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from mlflow import MlflowClient


def main(answer: Path, output: Path) -> None:
    client = MlflowClient(tracking_uri=f"sqlite:///{output}/mlflow.db")
    model = client.get_registered_model("telco-churn-demo")
    versions = client.search_model_versions("name='telco-churn-demo'")
    content = {
        "alias": {name: str(version) for name, version in model.aliases.items()},
        "zenml_versions": {str(each.version): each.tags["zenml_version"] for each in versions},
    }
    answer.write_text(json.dumps(content), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
