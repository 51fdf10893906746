"""Snapshots: an accepted table is kept once, with its provenance, whole or not at all."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pandas as pd
import pytest

from churn.contract.reading import Reading
from churn.data import Dataset, acquire, take_snapshot
from churn.errors import InputError


@pytest.fixture
def mine(root, contract, tmp_path) -> Dataset:
    """The first 30 real customers, as a user's own table."""
    lines = (root / contract.snapshot.path).read_text(encoding="utf-8").splitlines()[:31]
    path = tmp_path / "mine.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return acquire(str(path), contract, root=root, cache=tmp_path / "downloads")


def test_the_shipped_table_is_its_own_snapshot(telco, contract, tmp_path):
    place = take_snapshot(telco, tmp_path / "snapshots")

    assert place == Path(contract.snapshot.path)
    assert list(tmp_path.iterdir()) == []


def test_another_table_is_kept_with_its_provenance(mine, contract, root, tmp_path):
    place = take_snapshot(mine, tmp_path / "snapshots")

    provenance = json.loads((place / "provenance.json").read_text(encoding="utf-8"))
    again = acquire(str(place / "customers.parquet"), contract, root=root, cache=tmp_path)
    assert place == tmp_path / "snapshots" / mine.source.sha256[:12]
    assert sorted(path.name for path in place.iterdir()) == ["customers.parquet", "provenance.json"]
    pd.testing.assert_frame_equal(again.frame, mine.frame)
    assert provenance["source"] == {
        "location": str(tmp_path / "mine.csv"),
        "sha256": mine.source.sha256,
        "size": mine.source.size,
        "format": "csv",
    }
    assert provenance["rows"] == 30
    assert provenance["contract"] == {"name": "telco", "version": 1, "digest": contract.digest()}
    assert provenance["libraries"]["pandas"] == pd.__version__
    assert datetime.fromisoformat(provenance["created"]).utcoffset().total_seconds() == 0


def test_a_kept_table_is_left_alone(mine, tmp_path):
    first = take_snapshot(mine, tmp_path / "snapshots")
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in first.iterdir()}

    second = take_snapshot(mine, tmp_path / "snapshots")

    assert second == first
    assert {p: (p.read_bytes(), p.stat().st_mtime_ns) for p in second.iterdir()} == before
    assert list((tmp_path / "snapshots").iterdir()) == [first]


def test_the_same_bytes_under_another_contract_are_kept_beside(mine, tmp_path):
    first = take_snapshot(mine, tmp_path / "snapshots")
    newer = replace(mine, contract=mine.contract.model_copy(update={"version": 2}))

    second = take_snapshot(newer, tmp_path / "snapshots")

    assert second != first
    assert second == take_snapshot(newer, tmp_path / "snapshots")
    assert json.loads((second / "provenance.json").read_text())["contract"]["version"] == 2


def test_the_same_bytes_read_otherwise_are_kept_beside(mine, tmp_path):
    first = take_snapshot(mine, tmp_path)
    reading = Reading(values={"Contract": {"Monthly": "Month-to-month"}})
    other = replace(mine, contract=mine.contract.model_copy(update={"reading": reading}))

    beside = take_snapshot(other, tmp_path)

    assert beside != first
    assert take_snapshot(other, tmp_path) == beside
    assert take_snapshot(mine, tmp_path) == first


def test_two_runs_that_keep_the_same_table_at_once_agree(mine, tmp_path, monkeypatch):
    write = pd.DataFrame.to_parquet

    def overtaken(self, path, **options) -> None:
        monkeypatch.setattr(pd.DataFrame, "to_parquet", write)
        take_snapshot(mine, tmp_path / "snapshots")  # the other run is done first
        write(self, path, **options)

    monkeypatch.setattr(pd.DataFrame, "to_parquet", overtaken)

    place = take_snapshot(mine, tmp_path / "snapshots")

    assert list((tmp_path / "snapshots").iterdir()) == [place]


def test_a_place_that_something_else_has_taken_is_left_alone(mine, tmp_path):
    folder = tmp_path / "snapshots"
    name = mine.source.sha256[:12]
    (folder / name).mkdir(parents=True)
    (folder / name / "notes.txt").write_text("mine")
    taken = folder / f"{name}-{mine.contract.digest()[:12]}"

    beside = take_snapshot(mine, folder)
    (beside / "provenance.json").write_text("{}")

    assert beside == taken
    with pytest.raises(InputError, match=r"is not a snapshot of this table\. Move it away\."):
        take_snapshot(mine, folder)
    assert (folder / name / "notes.txt").read_text() == "mine"


def test_an_unwritable_folder_is_named(mine, tmp_path):
    (tmp_path / "snapshots").write_text("a file where a folder must be")

    with pytest.raises(InputError) as caught:
        take_snapshot(mine, tmp_path / "snapshots")

    assert str(caught.value) == (
        f"The snapshot folder {tmp_path}/snapshots cannot be written to: a file stands where a "
        "folder must be. Make it a folder you may write to, or choose another with --set output.folder=PATH."
    )


@pytest.mark.parametrize(
    ("stop", "raised", "message"),
    [
        (KeyboardInterrupt, KeyboardInterrupt, "^$"),
        (
            OSError(28, "No space left on device"),
            InputError,
            "cannot be written to: No space left on device",
        ),
    ],
)
def test_an_interrupt_leaves_nothing_half_written(
    mine, tmp_path, monkeypatch, stop, raised, message
):
    def interrupted(self, path, **_) -> None:
        Path(path).write_bytes(b"half")
        raise stop

    monkeypatch.setattr(pd.DataFrame, "to_parquet", interrupted)

    with pytest.raises(raised, match=message):
        take_snapshot(mine, tmp_path / "snapshots")

    assert list((tmp_path / "snapshots").iterdir()) == []
