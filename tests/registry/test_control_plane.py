"""Versions, their links and their metadata on a real Model Control Plane, this session's own."""

from __future__ import annotations

from uuid import uuid4

import pytest

from registry.control_plane import ControlPlane


@pytest.fixture(scope="module")
def plane(session_zenml) -> ControlPlane:
    return ControlPlane()


@pytest.fixture
def model() -> str:
    """A name that no other test uses."""
    return f"model-{uuid4().hex[:8]}"


def saved(name: str):
    from zenml import save_artifact

    return save_artifact({"of": name}, name)


def test_a_version_that_is_not_there_is_none(plane, model):
    assert plane.find_version(model, "1") is None


def test_a_created_version_is_found_by_number_and_by_stage_with_its_metadata(plane, model):
    created = plane.create_version({"name": model, "tags": ["a"]}, {"roc_auc": 0.85}, run=None)
    plane.log_metadata(created, {"threshold": 0.3})
    created.set_stage("production")

    version = plane.find_version(model, "1")

    assert (created.name, version.id) == ("1", created.id)
    assert plane.find_version(model, "production").id == created.id
    assert version.run_metadata == {"roc_auc": 0.85, "threshold": 0.3}
    assert [tag.name for tag in version.tags] == ["a"]
    assert plane.find_version(model, "2") is None


def test_the_newest_version_of_a_model_with_an_artifact_is_found(plane, model):
    artifact, other = saved(f"{model}-artifact"), saved(f"{model}-other")
    first, second, third = (plane.create_version({"name": model}, {}, run=None) for _ in range(3))
    elsewhere = plane.create_version({"name": f"{model}-elsewhere"}, {}, run=None)
    for version in (first, second, elsewhere):
        plane.link_artifact(version, artifact)

    assert plane.newest_version_with(artifact.id, model).id == second.id
    assert plane.newest_version_with(artifact.id, f"{model}-elsewhere").id == elsewhere.id
    assert plane.newest_version_with(artifact.id, f"{model}-nowhere") is None
    assert plane.newest_version_with(other.id, model) is None
    assert plane.find_version(model, third.name).get_artifact(artifact.name) is None


def test_a_model_is_no_other_whose_name_begins_with_its_own(plane, model):
    other = plane.create_version({"name": f"{model}-demo"}, {}, run=None)

    first = plane.create_version({"name": model, "description": "Ours."}, {}, run=None)

    assert (other.model.name, first.model.name) == (f"{model}-demo", model)
    assert (first.name, first.model.description) == ("1", "Ours.")
    assert plane.find_version(model, "1").id == first.id
    assert plane.find_version(f"{model}-demo", "2") is None
