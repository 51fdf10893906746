"""Models for servers in tests: two small ones of the shipped customers, bundled and published.

Fixtures; a folder's conftest imports those that its tests ask for.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

ROWS = {"1": slice(0, 1500), "2": slice(1500, 3000)}
"""Version -> the customers that it was trained on."""


@pytest.fixture(scope="session")
def trained(contract, telco_columns, telco_target):
    """Version -> model: the shipped blend with fewer trees, each from customers of its own.

    The second is served behind a recalibration.
    """
    from churn.models.recalibrated import LogitMap, RecalibratedCandidate
    from churn.models.recipe_catalog import build_candidates
    from churn.models.recipe_settings import GbmSettings, default_recipes
    from churn.models.trained import TrainedModel

    recipes = default_recipes() | {"gbm": GbmSettings(trees=30)}
    candidate = build_candidates(["blend"], recipes, contract)["blend"]
    maps = {"1": LogitMap(), "2": LogitMap(slope=0.9, intercept=-0.2)}
    return {
        version: TrainedModel.train(
            RecalibratedCandidate(candidate, maps[version]),
            {name: values[rows] for name, values in telco_columns.items()},
            telco_target[rows],
            contract=contract,
            data_sha256="ab" * 32,
            settings=recipes["blend"],
        )
        for version, rows in ROWS.items()
    }


@pytest.fixture(scope="session")
def published_store(trained, telco_columns, tmp_path_factory):
    """A store with both versions, the first in production; copy it before changing it."""
    from churn.scoring.bundle import Threshold, bundle_folder, publish, write_bundle

    store = tmp_path_factory.mktemp("published")
    for version, rows in ROWS.items():
        write_bundle(
            bundle_folder(store, version),
            trained[version],
            {name: values[rows] for name, values in telco_columns.items()},
            name="churn",
            version=version,
            threshold=Threshold(value=0.3, basis="chosen for the tests"),
            metrics={"roc_auc": {"value": 0.84, "interval": [0.82, 0.86]}},
            model_card="# A model for tests\n",
        )
    publish(store, "1")
    return store


@pytest.fixture
def store(published_store, tmp_path):
    """A store of the test's own."""
    return Path(shutil.copytree(published_store, tmp_path / "store"))


@pytest.fixture(scope="session")
def customers(telco):
    """The real customers in raw values, as JSON has them."""
    contract = telco.contract
    names = [contract.id.name, *(column.name for column in contract.features)]
    rows = telco.frame[names].astype(object).to_dict(orient="records")
    return [{name: _plain(value) for name, value in row.items()} for row in rows]


def _plain(value):
    return value.item() if hasattr(value, "item") else value
