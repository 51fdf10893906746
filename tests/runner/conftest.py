"""A retraining loop on real ledger and store, and the tables that it starts from."""

from __future__ import annotations

import logging
import os
import shutil
from types import SimpleNamespace
from unittest import mock

import pytest

from tests.registry.places import MODEL, FakeMlflow, FourPlaces
from tests.runner.loop_places import LoopPlaces
from tests.servers.published import published_store, trained
from tests.steps.fake_control_plane import FakeControlPlane

__all__ = ["published_store", "trained"]


@pytest.fixture
def own_process():
    """What the command line sets for its process ends with the test."""
    levels = {name: logging.getLogger(name).level for name in ("", "mlflow", "great_expectations")}
    with mock.patch.dict(os.environ):
        yield
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)


@pytest.fixture(scope="session")
def tables(telco, tmp_path_factory):
    """Real customers with dearer bills; later ones; and such that the champion takes for others."""
    folder = tmp_path_factory.mktemp("tables")
    frame = telco.frame.iloc[:1200].copy()
    frame["MonthlyCharges"] = (frame["MonthlyCharges"] * 1.1).round(2)
    changed = {
        "risen": frame,
        "later": telco.frame.iloc[1200:2400],
        "unlabelled": frame.assign(Churn=None),
        "stayed": frame.assign(Churn="No"),
        "recoded": frame.assign(Contract="Two year"),
        "others": frame.assign(Churn=frame["Churn"].to_numpy()[::-1]),
    }
    for name, table in changed.items():
        table.to_csv(folder / f"{name}.csv", index=False)
    return folder


@pytest.fixture
def places(published_store, tmp_path, monkeypatch):
    """Version 1 in production, version 2 in the store."""
    store = tmp_path / "production" / MODEL
    shutil.copytree(published_store, store)
    (store / "current.json").unlink()
    registered, mlflow = FakeControlPlane(), FakeMlflow()
    for number in ("1", "2"):
        registered.create_version({"name": MODEL}, {}, None)
        mlflow.versions.append(SimpleNamespace(version=number, tags={"zenml_version": number}))
    made = FourPlaces(store, f"sqlite:///{tmp_path / 'ledger.db'}", registered, mlflow)
    made.install(monkeypatch)
    made.promote("1")
    return made


@pytest.fixture
def loop(places, tables, tmp_path, monkeypatch):
    made = LoopPlaces(places, tmp_path, tables / "risen.csv")
    made.install(monkeypatch)
    return made
