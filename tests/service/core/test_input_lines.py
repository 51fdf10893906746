"""Inputs kept by a service: whole lines, under pseudonyms, within limits, and never an error."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from churn.errors import InputError
from churn.kept_inputs.pseudonym import pseudonym
from service.api.service_settings import read_settings
from service.core import input_lines as module
from service.core.input_lines import input_lines
from service.core.worker_metrics import RequestMetrics, read_metrics_files
from tests.servers.published import customers

__all__ = ["customers"]

NOW = datetime(2026, 11, 29, 23, 59, tzinfo=UTC)
SECRET = "k" * 24


@pytest.fixture
def settings(tmp_path):
    def make(**more):
        return read_settings(
            {"CHURN_HOME": str(tmp_path), "CHURN_KEEP_INPUTS": "true", "CHURN_INPUTS_KEY": SECRET}
            | {f"CHURN_{name.upper()}": str(value) for name, value in more.items()}
        )

    return make


@pytest.fixture
def keeping(settings, contract, tmp_path):
    metrics = RequestMetrics(tmp_path / "metrics")

    def make(**more):
        return input_lines(settings(**more), contract, "churn", metrics, source="service")

    return make


def lines(folder):
    return [
        json.loads(line)
        for file in sorted((folder / "inputs").rglob("*.jsonl"))
        for line in file.read_text().splitlines()
    ]


def counted(folder):
    (snapshot,) = read_metrics_files(folder / "metrics")
    numbers = dict(snapshot.named())
    return numbers["inputs_kept"], numbers["inputs_dropped"]


def test_the_contracts_fields_are_kept_by_day_and_the_id_is_a_pseudonym(
    keeping, customers, tmp_path
):
    keeping().write(
        [(NOW, customers[0] | {"note": "of no column"}), (NOW + timedelta(hours=1), {})]
    )

    (first, second) = sorted((tmp_path / "inputs" / "churn").iterdir())
    assert (first.name, second.name) == ("2026-11-29", "2026-11-30")
    (file,) = first.iterdir()
    assert file.name.startswith("service-")
    assert file.stat().st_mode & 0o777 == 0o600
    kept = json.loads(file.read_text())
    customer = customers[0]["customerID"]
    assert kept == customers[0] | {"customerID": pseudonym(customer, SECRET.encode())}
    assert customer not in file.read_text()
    assert counted(tmp_path) == (2, 0)


def test_a_process_keeps_no_more_a_day_than_it_may(keeping, customers, tmp_path):
    size = len(json.dumps(customers[0]))
    writer = keeping(keep_inputs_max_bytes=3 * size)

    for _ in range(5):
        writer.write([(NOW, customers[0])])
    writer.write([(NOW + timedelta(days=1), customers[0])])

    kept, dropped = counted(tmp_path)
    assert len(lines(tmp_path)) == kept
    assert kept + dropped == 6
    assert 2 <= kept - 1 <= 3  # and one of the next day


@pytest.mark.parametrize("took", [0, 10])
def test_a_full_disk_leaves_whole_lines_and_raises_nothing(
    keeping, customers, tmp_path, monkeypatch, took
):
    writer, write = keeping(), module.os.write
    writer.write([(NOW, customers[0])])

    def full(handle, content):
        if not took:
            raise OSError(28, "No space left on device")
        return write(handle, content[:took])

    with monkeypatch.context() as patch:
        patch.setattr(module.os, "write", full)
        writer.write([(NOW, customers[1])])
    writer.write([(NOW, customers[2])])

    assert len(lines(tmp_path)) == 2
    assert counted(tmp_path) == (2, 1)


def test_what_is_no_json_costs_its_rows_and_no_thread(keeping, customers, tmp_path):
    writer = keeping()

    writer.write([(NOW, customers[0] | {"tenure": object()})])
    writer.write([(NOW, customers[0])])

    assert len(lines(tmp_path)) == 1
    assert counted(tmp_path) == (1, 1)


def test_a_new_day_deletes_lines_that_are_too_old(keeping, customers, tmp_path):
    writer = keeping(keep_inputs_days=2)
    for days in (0, 1, 3):
        writer.write([(NOW + timedelta(days=days), customers[0])])

    found = sorted(file.parent.name for file in (tmp_path / "inputs").rglob("*.jsonl"))
    assert found == ["2026-11-30", "2026-12-02"]


def test_nothing_is_kept_unless_somebody_asks(contract, tmp_path):
    settings = read_settings({"CHURN_HOME": str(tmp_path)})

    assert input_lines(settings, contract, "churn", None, source="service") is None


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"CHURN_INPUTS_KEY": "short"}, "secret of 16 to 64 letters"),
        ({"CHURN_INPUTS": "s3://bucket/inputs"}, "folder of this machine"),
    ],
)
def test_settings_that_cannot_keep_inputs_are_refused(tmp_path, more, words):
    given = {"CHURN_HOME": str(tmp_path), "CHURN_KEEP_INPUTS": "true", "CHURN_INPUTS_KEY": SECRET}

    with pytest.raises(InputError, match=words) as refused:
        read_settings(given | more)

    assert SECRET not in str(refused.value)
