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
        "columns": model.metadata.signature.inputs.input_names(),
        "scores": model.predict(features(table))["probability"].tolist(),
        "code": churn.__file__,
    }
    answer.write_text(json.dumps(content), encoding="utf-8")


def files(client: mlflow.MlflowClient, run: str, folder: str | None = None) -> Iterator[str]:
    for each in client.list_artifacts(run, folder):
        yield from files(client, run, each.path) if each.is_dir else [each.path]


def features(table: str) -> pd.DataFrame:
    """The table as pandas reads it: texts, and numbers where the model says so."""
    customers = pd.read_csv(table, dtype=str, keep_default_na=False)
    for name in ("tenure", "MonthlyCharges", "TotalCharges"):
        customers[name] = customers[name].str.strip().replace("", "0").astype("float64")
    return customers.drop(columns=["customerID", "Churn"])


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
