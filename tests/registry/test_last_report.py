"""The report beside which a new one is shown."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from pydantic import BaseModel

from registry import last_report as module
from registry.artifacts import Artifact
from registry.last_report import last_report


class Report(BaseModel):
    rows: int


def stored(content, model="churn"):
    return SimpleNamespace(
        run_metadata={"model": model}, load=lambda: Report.model_validate(content)
    )


@pytest.fixture
def last(monkeypatch):
    """The last report of the model `churn` among some that are stored, the newest first."""

    def find(*reports, in_step=True):
        def listed(*, artifact, run_metadata, sort_by, size, hydrate):
            assert (artifact, sort_by, hydrate) == (
                Artifact.BATCH_REPORT.value,
                "desc:created",
                True,
            )
            (model,) = [each.removeprefix("model:") for each in run_metadata]
            return [each for each in reports if each.run_metadata["model"] == model][:size]

        client = SimpleNamespace(list_artifact_versions=listed)
        monkeypatch.setattr(module, "Client", lambda: client)
        monkeypatch.setattr(module, "in_step", lambda: in_step)
        return last_report(Artifact.BATCH_REPORT, "churn")

    return find


def test_the_newest_report_of_the_model_is_found(last):
    others = [stored({"rows": 1}, "other")] * 30
    reports = *others, stored({"rows": 2}), stored({"rows": 3})

    assert last(*reports) == Report(rows=2)


def test_a_report_of_another_release_is_none(last):
    assert last(stored({"lines": 2})) is None


def test_there_is_none_before_the_first_and_outside_of_runs(last):
    assert last() is None
    assert last(stored({"rows": 2}), in_step=False) is None
