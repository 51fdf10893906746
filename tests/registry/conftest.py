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
    import deployment.store
    from registry import control_plane, promotion, rollback

    store = shutil.copytree(published_store, tmp_path / "store")
    (store / "current.json").unlink()
    registered = FakeControlPlane()
    mlflow = FakeMlflow()
    for number in ("1", "2"):
        registered.create_version({"name": MODEL}, {}, None)
        mlflow.versions.append(SimpleNamespace(version=number, tags={"zenml_version": number}))
    registered.versions[0].set_stage("archived", force=True)
    registered.versions[1].set_stage("staging", force=True)
    monkeypatch.setattr(control_plane, "ControlPlane", lambda: registered)
    for module in (promotion, rollback, deployment.store):
        monkeypatch.setattr(module, "mlflow_client", lambda: mlflow)
    # The bundles are there already, and what they are made of is not the subject.
    monkeypatch.setattr(promotion, "write_version_bundle", lambda _, folder: folder)
    return FourPlaces(store, f"sqlite:///{tmp_path / 'ledger.db'}", registered, mlflow)
