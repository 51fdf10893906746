"""Keeps what a release writes: run once, from its commit, as `python -m tests.releases.write_release 0.2.0`.

A store with two versions of a small model, and the ledger as SQL. No personal data, no pickle.
"""

from __future__ import annotations

import sqlite3
import sys
import tempfile
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from churn.contract import load_contract
from churn.data import acquire
from churn.deployment.deployment_record import Deployment
from churn.features.encoding import encode, encode_target
from churn.ledger.deployments import DeploymentLedger
from churn.ledger.predictions import Outcome, Prediction, PredictionLedger
from churn.ledger.records import Ledger
from churn.models.recipe_catalog import build_candidates
from churn.models.recipe_settings import GbmSettings, default_recipes
from churn.models.trained import TrainedModel
from churn.promotion.decision import Gate, decide
from churn.root import ROOT
from churn.scoring.bundle import Threshold, bundle_folder, publish, store_of_model, write_bundle

MODEL = "telco-churn"
AT = datetime(2026, 11, 28, 12, tzinfo=UTC)


def write_store(stores: Path) -> None:
    """Version 1 is a logistic regression, version 2 a blend with five trees, in production."""
    contract = load_contract(ROOT / "data" / "contracts" / "telco.yaml")
    with tempfile.TemporaryDirectory() as cache:
        table = acquire("bundled", contract, root=ROOT, cache=Path(cache))
    columns, target = encode(table.frame, contract), encode_target(table.frame, contract)
    recipes = default_recipes() | {"gbm": GbmSettings(trees=5)}
    store = store_of_model(stores, MODEL)
    for version, name, rows in (("1", "logistic", slice(600)), ("2", "blend", slice(600, 1200))):
        some = {column: values[rows] for column, values in columns.items()}
        candidate = build_candidates([name, "gbm"], recipes, contract)[name]
        trained = TrainedModel.train(
            candidate, some, target[rows], contract=contract, data_sha256="ab" * 32,
            settings=recipes[name],
        )  # fmt: skip
        write_bundle(
            bundle_folder(store, version), trained, some, name=MODEL, version=version,
            threshold=Threshold(value=0.3, basis="expected profit"),
            metrics={"gate_rows": {"roc_auc": 0.84}}, model_card=f"# {MODEL}\n",
        )  # fmt: skip
        publish(store, version, by="Ada" if version == "2" else None)


def write_ledger(folder: Path) -> None:
    """A row of every table, in the files of an SQLite ledger, each as SQL."""
    with tempfile.TemporaryDirectory() as made:
        url = f"sqlite:///{made}/ledger.db"
        gate = Gate(name="ranks well", figure=0.84, threshold=0.8, verdict="pass", sentence="Yes.")
        with Ledger(url) as ledger:
            decision = decide([gate], challenger="version 2")
            ledger.record_decision(MODEL, "2", decision, champion_version="1")
            ledger.record_approval(MODEL, "2", "Ada", "seen the card")
        with DeploymentLedger(url) as ledger:
            ledger.record(
                Deployment(
                    status="deployed", model=MODEL, version="2", target="local", at=AT, seconds=2.5,
                    place="http://127.0.0.1:8000", serving="2", actions=("Publish version 2.",),
                    sentence="Version 2 serves.",
                )
            )  # fmt: skip
        with PredictionLedger(url) as ledger:
            ledger.record(
                [Prediction(AT, "p-1", "C1", "2", "production", "api", 0.25, False, "ab")]
            )
            ledger.record_outcomes([Outcome(AT, churned=True, prediction_id="p-1")])
        for file in sorted(Path(made).glob("*.db")):
            (folder / f"{file.stem}.sql").write_text(_dump(file), encoding="utf-8")


def _dump(file: Path) -> str:
    pragmas = ("application_id", "user_version")
    with closing(sqlite3.connect(file)) as database:
        lines = list(database.iterdump())
        for name in pragmas:
            (value,) = database.execute(f"PRAGMA {name}").fetchone()
            lines.append(f"PRAGMA {name} = {value};")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    place = Path(__file__).parent / sys.argv[1]
    place.mkdir()
    write_store(place / "production")
    write_ledger(place)
