"""Fixtures of the monitoring steps: a published model, windows of customers, and a check of them."""

from __future__ import annotations

import csv

import pytest

from tests.servers.published import published_store, store, trained

__all__ = [
    "MODEL",
    "check",
    "folders",
    "frame",
    "keep",
    "published_store",
    "store",
    "table",
    "trained",
]

MODEL = "churn"


@pytest.fixture
def folders(store, tmp_path):
    return {
        "bundles": str(store),
        "ledger": f"sqlite:///{tmp_path / 'ledger.db'}",
        "metrics": str(tmp_path / "metrics"),
        "inputs": str(tmp_path / "inputs"),
    }


@pytest.fixture
def check(folders):
    from steps.monitoring.check_window import check_window

    def run(batch="", **settings):
        options = {"model": {"name": MODEL}, "batch": str(batch), "classifier": False} | settings
        return check_window.entrypoint(options, folders)

    return run


@pytest.fixture(scope="session")
def frame(telco):
    """The customers that version 1 was trained on, without the outcome."""
    contract = telco.contract
    names = [contract.id.name, *(column.name for column in contract.features)]
    return telco.frame[names].iloc[:1500].astype(str)


@pytest.fixture
def table(frame, tmp_path):
    """Writes a window as CSV."""

    def write(changed=frame, name="window.csv"):
        path = tmp_path / name
        changed.to_csv(path, index=False, quoting=csv.QUOTE_MINIMAL)
        return path

    return write


@pytest.fixture
def keep(folders, tmp_path, monkeypatch):
    """Scores a table as a batch that keeps its inputs, as if it were `days_ago`."""
    from datetime import UTC, datetime, timedelta

    from churn.batch import run_batch
    from churn.kept_inputs import pseudonym
    from steps.inference.score_batch import score_batch

    monkeypatch.setenv(pseudonym.VARIABLE, "k" * 24)

    def run(path, *, days_ago=1, **settings):
        class Clock(datetime):
            @classmethod
            def now(cls, tz=None):
                return datetime.now(tz or UTC) - timedelta(days_ago)

        with monkeypatch.context() as patch:
            patch.setattr(run_batch, "datetime", Clock)
            options = {
                "model": {"name": MODEL},
                "input": str(path),
                "output": str(tmp_path / f"scores-{path.stem}-{days_ago}"),
                "keep_inputs": True,
            }
            return score_batch.entrypoint(options | settings, folders)

    return run
