"""A quickly trained blend in a store of its own, and real customers as clients send them."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest


@dataclass(frozen=True)
class Shop:
    """A store with version 7 in production and 8 beside it, and what the trainer's model says.

    Attributes:
        store: the bundle store.
        rows: 240 real customers in raw values, some with a blank total.
        expected: version -> their probabilities from the `TrainedModel`, float64[240].
        codes: the same customers as the model sees them, feature -> numbers and codes.
    """

    store: Path
    rows: list[dict[str, Any]]
    expected: dict[str, np.ndarray]
    codes: dict[str, np.ndarray]


@pytest.fixture(scope="session")
def shop(root, contract, telco_columns, telco_target, tmp_path_factory) -> Shop:
    from churn.features.encoding import take
    from churn.models.recalibrated import LogitMap, RecalibratedCandidate
    from churn.models.recipe_catalog import build_candidates
    from churn.models.recipe_settings import (
        BlendSettings,
        GbmSettings,
        SplineLogisticSettings,
        default_recipes,
    )
    from churn.models.trained import TrainedModel
    from churn.scoring.bundle import Threshold, bundle_folder, publish, write_bundle

    store = tmp_path_factory.mktemp("shop") / "store"
    blank = np.flatnonzero(telco_columns["tenure"] == 0)
    some = np.unique(np.concatenate([blank, np.arange(0, 7043, 31)]))[:240]
    expected = {}
    for version, trees, line in (
        ("7", 60, LogitMap()),
        ("8", 40, LogitMap(slope=0.9, intercept=-0.2)),
    ):
        recipes = default_recipes() | {
            "spline": SplineLogisticSettings(),
            "few_trees": GbmSettings(trees=trees),
            "quick": BlendSettings(members=("spline", "few_trees")),
        }
        trained = TrainedModel.train(
            RecalibratedCandidate(build_candidates(["quick"], recipes, contract)["quick"], line),
            telco_columns,
            telco_target,
            contract=contract,
            data_sha256="ab" * 32,
            settings=recipes["quick"],
        )
        write_bundle(
            bundle_folder(store, version),
            trained,
            telco_columns,
            name="churn",
            version=version,
            threshold=Threshold(value=0.31, basis="for the test"),
            metrics={},
        )
        expected[version] = trained.probability(telco_columns)[some]
    publish(store, "7")
    with (root / "data" / "raw" / "telco.csv").open(newline="", encoding="utf-8") as file:
        table = list(csv.DictReader(file))
    rows = [_as_json(table[place]) for place in some]
    return Shop(store, rows, expected, dict(take(telco_columns, some)))


def _as_json(row: dict[str, str]) -> dict[str, Any]:
    """A customer as a JSON client sends it: numbers as numbers, a blank as null, no answer."""
    total = row["TotalCharges"].strip()
    return {name: row[name] for name in row if name not in {"Churn", "customerID"}} | {
        "SeniorCitizen": int(row["SeniorCitizen"]),
        "tenure": int(row["tenure"]),
        "MonthlyCharges": float(row["MonthlyCharges"]),
        "TotalCharges": float(total) if total else None,
    }
