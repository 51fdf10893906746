"""A store that cannot be written to says so and keeps nothing half-written; a bucket is like a folder."""

from __future__ import annotations

import errno
from functools import partial
from pathlib import Path

import pytest

from churn.data import take_snapshot
from churn.errors import InputError
from churn.feature_store import offline_store
from churn.feature_store.build import build_features, rebuild_features
from churn.feature_store.offline_store import OfflineStore
from churn.feature_store.snapshots import keep_snapshot, read_snapshot


def left_over(folder: Path) -> list[str]:
    return [path.name for path in folder.rglob("*") if path.is_file()]


@pytest.mark.parametrize("last", ["part-00000.parquet", "provenance.json", "2026-11-20-"])
def test_a_full_disk_leaves_nothing_half_written(few, store, context, monkeypatch, last):
    write = offline_store.replace_file

    def fill(path, content):
        if path.name.startswith(last):
            raise OSError(errno.ENOSPC, "No space left on device")
        write(path, content)

    monkeypatch.setattr(offline_store, "replace_file", fill)

    with pytest.raises(
        InputError, match=r"cannot be written to \(No space left on device\)"
    ) as error:
        build_features(few, store, context)
    assert error.value.exit_code == 2
    assert left_over(store.place) == []


def test_a_place_that_is_a_file_is_refused(few, tmp_path, context):
    place = tmp_path / "taken"
    place.write_text("mine", encoding="utf-8")

    with pytest.raises(InputError, match="cannot be written to"):
        build_features(few, OfflineStore(place), context)
    assert place.read_text(encoding="utf-8") == "mine"


def test_a_damaged_record_is_named(few, store, context):
    build_features(few, store, context)
    record = next((store.place / "feature_store").rglob("2026-11-20-*.json"))
    record.write_text("{", encoding="utf-8")

    with pytest.raises(InputError, match=rf"record .*{record.name} .* is damaged"):
        store.versions("telco")


@pytest.mark.parametrize("lost", [False, True])
def test_a_damaged_or_lost_file_is_not_read_and_the_remedy_is_named(few, store, context, lost):
    made = build_features(few, store, context).provenance
    file = next((store.place / made.folder).rglob("*.parquet"))
    if lost:
        file.unlink()
    else:
        file.write_bytes(file.read_bytes()[:-1] + b"x")

    with pytest.raises(InputError, match=r"is not as it was written .* as_of=2026-11-20"):
        store.read(made)


def test_a_bucket_holds_versions_and_snapshots_like_a_folder(few, store, context, tmp_path, root):
    bucket = OfflineStore("memory://shop/features")
    snapshot = take_snapshot(few, tmp_path / "snapshots")
    kept = keep_snapshot(bucket, snapshot)
    there = partial(build_features, few, bucket)
    from dataclasses import replace

    built = there(replace(context, snapshot=kept))
    here = build_features(few, store, context)

    assert bucket.read(built.provenance).equals(store.read(here.provenance))
    assert built.place.startswith("memory://shop/features/data/processed/2026-11-20/")
    assert there(context).status == "unchanged"
    again = rebuild_features(
        "telco", "2026-11-20", bucket, partial(read_snapshot, bucket, root=root)
    )
    assert again.status == "rebuilt"
