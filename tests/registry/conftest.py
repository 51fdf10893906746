"""A model with two versions in all four places that name the one in production."""

from __future__ import annotations

import shutil
from types import SimpleNamespace

import pytest

from tests.registry.places import MODEL, FakeMlflow, FourPlaces
from tests.servers.published import published_store, trained
from tests.steps.fake_control_plane import FakeControlPlane

__all__ = ["published_store", "trained"]


@pytest.fixture
def places(published_store, tmp_path, monkeypatch):
    """Versions 1 and 2, bundled and staged; neither is in production."""
    store = shutil.copytree(published_store, tmp_path / "production" / MODEL)
    (store / "current.json").unlink()
    registered = FakeControlPlane()
    mlflow = FakeMlflow()
    for number in ("1", "2"):
        registered.create_version({"name": MODEL}, {}, None)
        mlflow.versions.append(SimpleNamespace(version=number, tags={"zenml_version": number}))
    registered.versions[0].set_stage("archived", force=True)
    registered.versions[1].set_stage("staging", force=True)
    made = FourPlaces(store, f"sqlite:///{tmp_path / 'ledger.db'}", registered, mlflow)
    made.install(monkeypatch)
    return made
