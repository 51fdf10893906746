"""Writes down what MLflow keeps, as somebody without this project's code sees it.

Arguments: the answer's file, the folder with the tracking database, a customer table as CSV.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import mlflow
import pandas as pd


def main(answer: Path, state: str, table: str) -> None:
    mlflow.set_tracking_uri(f"sqlite:///{state}/mlflow.db")
    client = mlflow.MlflowClient()
    experiments = [each.experiment_id for each in client.search_experiments()]
    runs = client.search_runs(experiments)
    run = runs[0]
    model = mlflow.pyfunc.load_model(f"runs:/{run.info.run_id}/model")
    import churn  # the copy that the model brought along; there is no other here

    content = {
        "runs": len(runs),
        "status": run.info.status,
        "experiment": client.get_experiment(run.info.experiment_id).name,
        "parameters": run.data.params,
        "metrics": run.data.metrics,
        "tags": run.data.tags,
        "files": sorted(files(client, run.info.run_id)),
        "place": run.info.artifact_uri,
        "columns": [each["name"] for each in model.metadata.metadata["fields"]],
        "scores": model.predict(pd.read_csv(table))["probability"].tolist(),
        "code": churn.__file__,
    }
    answer.write_text(json.dumps(content), encoding="utf-8")


def files(client: mlflow.MlflowClient, run: str, folder: str | None = None) -> Iterator[str]:
    for each in client.list_artifacts(run, folder):
        yield from files(client, run, each.path) if each.is_dir else [each.path]


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
