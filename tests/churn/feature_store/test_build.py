"""A version is built once, recorded whole, and built again bit for bit, or not at all."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial

import pyarrow.parquet as pq
import pytest

from churn.contract import DataContract
from churn.contract.reading import Reading
from churn.data import Dataset, take_snapshot
from churn.errors import ChurnError, InputError
from churn.feature_store import build
from churn.feature_store.build import build_features, rebuild_features
from churn.feature_store.snapshots import keep_snapshot, read_snapshot


def test_every_customer_has_every_feature_and_the_table_says_where_it_came_from(
    telco, store, context
):
    built = build_features(telco, store, context)

    made = built.provenance
    assert (built.status, made.rows, len(made.features)) == ("built", 7043, 28)
    assert built.place.endswith(f"data/processed/2026-11-20/telco-{made.version}")
    folder = store.place / made.folder
    assert json.loads((folder / "provenance.json").read_text("utf-8")) == json.loads(
        made.model_dump_json()
    )
    rows = pq.read_table(folder / "rows")
    assert rows.num_rows == 7043
    assert rows["customerID"].to_pylist() == telco.frame["customerID"].tolist()
    assert "Churn" not in rows.column_names
    facts = (made.source.sha256, made.contract.digest, made.code, made.stack, made.run)
    assert facts == (
        telco.source.sha256,
        telco.contract.digest(),
        "c0ffee",
        "local",
        "features-1120",
    )
    tenure = next(each for each in made.statistics if each.name == "tenure")
    assert (tenure.lowest, tenure.highest, round(tenure.mean, 2)) == (0, 72, 32.37)
    terms = next(each for each in made.statistics if each.name == "Contract").counts
    assert terms == {"Month-to-month": 3875, "One year": 1473, "Two year": 1695}


def test_the_same_input_again_is_not_built_and_another_is_a_version_beside_it(few, store, context):
    first = build_features(few, store, context)
    later = replace(context, created=context.created + timedelta(days=3))

    again = build_features(few, store, later)
    changed = replace(few.source, sha256="b" * 64)
    other = build_features(Dataset(few.frame, few.contract, changed), store, later)

    assert (again.status, again.place) == ("unchanged", first.place)
    assert "built on 2026-11-20 09:30 UTC" in again.sentence
    assert (other.status, other.provenance.date) == ("built", "2026-11-23")
    assert len(store.versions("telco")) == 2


def test_the_same_table_of_another_stated_day_is_another_version(few, store, context):
    build_features(few, store, context)
    day = datetime(2026, 10, 1, tzinfo=UTC)

    earlier = build_features(few, store, replace(context, observed=day))

    assert (earlier.status, earlier.provenance.date) == ("built", "2026-10-01")
    assert build_features(few, store, replace(context, observed=day)).status == "unchanged"


def test_a_table_cannot_describe_tomorrow(few, dated, store, context):
    tomorrow = replace(context, observed=context.created + timedelta(days=1))
    with pytest.raises(InputError, match="2026-11-21, which is later than today"):
        build_features(few, store, tomorrow)

    early = replace(context, created=datetime(2026, 11, 10, tzinfo=UTC))
    with pytest.raises(InputError, match=r"'seen_on' row 11 and 17 more rows: .*later than today"):
        build_features(dated, store, early)
    assert store.versions("telco") == []


def test_a_row_with_a_day_is_of_the_beginning_of_that_day(dated, store, context):
    made = build_features(dated, store, context).provenance

    times = store.read(made, ["event_timestamp"])["event_timestamp"].to_pylist()
    assert times[:2] == [datetime(2026, 11, day, tzinfo=UTC) for day in (1, 2)]
    assert made.date == "2026-11-19"


def test_the_same_bytes_read_otherwise_are_another_version(few, store, context):
    first = build_features(few, store, context)
    reading = Reading(values={"Contract": {"Monthly": "Month-to-month"}})
    contract = few.contract.model_copy(update={"reading": reading})

    other = build_features(Dataset(few.frame, contract, few.source), store, context)

    assert (first.status, other.status) == ("built", "built")
    assert other.provenance.contract.digest == first.provenance.contract.digest
    assert DataContract.model_validate(other.provenance.contract.content).reading == reading


@pytest.fixture
def kept(few, store, context):
    """A version of a table that did not come with the contract, and how its table is read."""
    snapshot = take_snapshot(few, store.place / "snapshots")
    built = build_features(few, store, replace(context, snapshot=keep_snapshot(store, snapshot)))
    return built, partial(read_snapshot, store)


def files_of(folder):
    return {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("spoil", ["nothing", "a file", "everything"])
def test_an_old_version_is_built_again_bit_for_bit(kept, store, root, spoil):
    built, reader = kept
    folder = store.place / built.provenance.folder
    before = files_of(folder)
    if spoil == "a file":
        next(folder.rglob("*.parquet")).write_bytes(b"PAR1")
    if spoil == "everything":
        for path in [*folder.rglob("*")]:
            if path.is_file():
                path.unlink()

    again = rebuild_features("telco", "2026-11-25", store, partial(reader, root=root))

    assert again.status == ("rebuilt" if spoil == "nothing" else "restored")
    assert files_of(folder) == before
    assert again.provenance == built.provenance


def build_other(few, store, context, after):
    """Builds the features of another table, so much later."""
    other = Dataset(few.frame.head(5), few.contract, replace(few.source, sha256="c" * 64))
    snapshot = take_snapshot(other, store.place / "snapshots")
    later = replace(
        context, created=context.created + after, snapshot=keep_snapshot(store, snapshot)
    )
    return build_features(other, store, later)


def test_the_newest_version_of_the_day_or_before_is_meant(few, kept, store, root, context):
    _, reader = kept
    build_other(few, store, context, timedelta(days=9))

    def rows(as_of):
        return rebuild_features("telco", as_of, store, partial(reader, root=root)).provenance.rows

    assert (rows("2026-11-28"), rows("2026-11-29")) == (40, 5)
    with pytest.raises(
        InputError, match=r"from 2026-11-19 or before; it has: 2026-11-20, 2026-11-29"
    ):
        rows("2026-11-19")


def test_a_damaged_version_is_restored_though_a_newer_one_is_of_its_day(
    few, kept, store, root, context
):
    built, reader = kept
    newer = build_other(few, store, context, timedelta(hours=1))
    next((store.place / built.provenance.folder).rglob("*.parquet")).write_bytes(b"PAR1")

    def rebuilt():
        return rebuild_features("telco", "2026-11-20", store, partial(reader, root=root))

    first, second = rebuilt(), rebuilt()

    assert (first.status, first.provenance) == ("restored", built.provenance)
    assert (second.status, second.provenance) == ("rebuilt", newer.provenance)
    assert store.read(built.provenance).num_rows == 40


@pytest.mark.parametrize(
    ("code", "way_out"),
    [
        ("c0ffee", "Check out c0ffee to build them, or leave as_of out to build new ones."),
        (
            "c0ffee with changes",
            "They were built with changes that c0ffee has not. Leave as_of out to build new ones.",
        ),
        (None, "Leave as_of out to build new ones."),
    ],
)
def test_another_feature_set_refuses_and_names_the_commit(
    kept, store, root, monkeypatch, code, way_out
):
    built, reader = kept
    old = built.provenance.model_copy(update={"code": code})
    monkeypatch.setattr(build, "_newest_of", lambda *_: old)
    monkeypatch.setattr(build, "feature_set_version", lambda *_: "0" * 12)

    with pytest.raises(InputError, match="this code makes 000000000000, so they") as refused:
        rebuild_features("telco", "2026-11-20", store, partial(reader, root=root))

    assert str(refused.value).endswith(f"built again with it. {way_out}")


def test_a_snapshot_that_is_gone_or_changed_is_no_ground_to_build_on(kept, store, root, few):
    built, reader = kept
    table = store.place / built.provenance.snapshot / "customers.parquet"
    few.frame.assign(tenure=1).to_parquet(table, index=False)
    with pytest.raises(ChurnError, match=r"came out different in rows/part-00000\.parquet"):
        rebuild_features("telco", "2026-11-20", store, partial(reader, root=root))

    table.unlink()
    with pytest.raises(InputError, match="is missing below"):
        rebuild_features("telco", "2026-11-20", store, partial(reader, root=root))


def test_older_code_does_not_write_into_a_store_of_a_newer_feature_set(
    few, store, context, monkeypatch
):
    build_features(few, store, context)
    newer = Dataset(few.frame, few.contract, replace(few.source, sha256="d" * 64))
    with monkeypatch.context() as patch:
        patch.setattr(build, "feature_set_version", lambda *_: "f" * 12)
        build_features(newer, store, replace(context, created=context.created + timedelta(1)))

    with pytest.raises(InputError, match=r"feature set ffffffffffff, built on 2026-11-21; .*older"):
        build_features(few, store, replace(context, created=context.created + timedelta(2)))


def test_a_damaged_version_is_named_with_the_way_to_mend_it(few, store, context):
    built = build_features(few, store, context)
    next((store.place / built.provenance.folder).rglob("*.parquet")).write_bytes(b"")

    with pytest.raises(InputError, match=r"part-00000\.parquet is missing .* as_of=2026-11-20"):
        build_features(few, store, context)


def test_a_build_cut_off_before_it_was_recorded_is_taken_up(few, store, context):
    built = build_features(few, store, context)
    record = next((store.place / "feature_store").rglob("2026-11-20-*.json"))
    record.unlink()

    again = build_features(
        few, store, replace(context, created=context.created + timedelta(hours=1))
    )

    assert (again.status, again.provenance) == ("unchanged", built.provenance)
    assert record.exists()


def test_a_column_with_the_stores_own_name_is_refused(few, store, context):
    content = few.contract.model_dump()
    content["columns"][1]["name"] = "event_timestamp"
    contract = type(few.contract).model_validate(content)
    frame = few.frame.rename(columns={few.contract.names[1]: "event_timestamp"})

    with pytest.raises(InputError, match="column 'event_timestamp', which the feature store uses"):
        build_features(Dataset(frame, contract, few.source), store, context)
