"""Whether a snapshot is newer than those before it, by its days and by what was judged."""

from __future__ import annotations

from datetime import UTC, date, datetime
from types import SimpleNamespace

import pytest

from churn.contract import DataContract
from churn.data import Dataset
from churn.errors import InputError
from churn.retention.value_settings import ValueSettings
from churn.retraining.snapshot import (
    is_same,
    month_end,
    new_rows,
    require_closed,
    require_newer,
    stale_month,
)
from tests.churn.retraining.loops import snapshot

A, B, C = (snapshot(letter * 64) for letter in "abc")


@pytest.mark.parametrize("judged", [[], [A], [A, B]])
def test_a_snapshot_that_nobody_judged_is_new(judged):
    require_newer(C, judged)


def test_the_last_one_again_is_not_older():
    require_newer(B, [A, B])


def test_one_that_was_judged_before_the_last_is_older():
    with pytest.raises(InputError, match="an earlier loop has judged it already"):
        require_newer(A, [A, B])


@pytest.mark.parametrize(
    ("latest", "refused"),
    [("2026-10-31", True), ("2026-11-01", False), ("2026-11-02", False), ("", False)],
)
def test_days_are_compared_where_both_are_known(latest, refused):
    judged = [snapshot(latest="2026-11-01"), snapshot("b" * 64)]
    new = snapshot("c" * 64, latest=latest)

    if refused:
        with pytest.raises(InputError, match="older than the last one, of 2026-11-01"):
            require_newer(new, judged)
    else:
        require_newer(new, judged)


def test_the_same_bytes_read_by_another_contract_are_another_snapshot():
    assert is_same(A, A)
    assert not is_same(A, A.model_copy(update={"contract": "d" * 64}))


def test_rows_are_new_beyond_those_that_the_champion_has_seen(telco, root, tmp_path):
    shipped = telco.contract.snapshot.sha256

    assert new_rows(telco, shipped, snapshots=tmp_path, root=root) == 0
    assert new_rows(telco, "0" * 64, snapshots=tmp_path, root=root) == 0  # nobody knows

    kept = tmp_path / ("1" * 12)
    kept.mkdir()
    telco.frame.iloc[:7000].to_parquet(kept / "customers.parquet", index=False)
    assert new_rows(telco, "1" * 64, snapshots=tmp_path, root=root) == 43


@pytest.mark.parametrize(("today", "refused"), [(30, True), (31, False)])
def test_the_outcome_window_of_the_newest_row_must_be_closed(today, refused):
    new = snapshot(latest="2026-10-01")
    given = {"outcome_days": 30, "today": date(2026, 10, today)}

    if refused:
        with pytest.raises(InputError, match=r"^The newest row of .* known on 2026-10-31"):
            require_closed(new, **given)
    else:
        require_closed(new, **given)


def test_without_a_date_nobody_knows_the_window():
    require_closed(snapshot(), outcome_days=30, today=date(1970, 1, 1))


def with_days(contract):
    ids, *others = contract.model_dump()["columns"]
    day = {"name": "observed_on", "kind": "date", "meaning": "Day of the row"}
    columns = [ids | {"surrogate": False}, *others, day]
    return DataContract.model_validate(contract.model_dump() | {"columns": columns})


def test_a_stale_month_is_the_newest_of_a_dated_table(telco):
    champion = SimpleNamespace(
        score_many=lambda columns: SimpleNamespace(decision=columns["tenure"] < 12)
    )
    frame = telco.frame.iloc[:900].copy()
    frame["observed_on"] = ["2026-01-31"] * 300 + ["2026-02-01"] * 300 + ["2026-02-28"] * 300

    def lost(table, contract):
        until = datetime(2026, 3, 1, tzinfo=UTC)
        return stale_month(
            Dataset(table, contract, telco.source), champion, ValueSettings(), until=until
        )

    newest = frame.iloc[300:].drop(columns="observed_on")
    assert lost(frame, with_days(telco.contract)) == lost(newest, telco.contract)
    assert lost(newest.iloc[:60], telco.contract) is None  # fewer than 20 of them left


def test_a_customer_on_another_day_is_a_new_row(telco, tmp_path, root):
    dated = with_days(telco.contract)
    kept = tmp_path / ("1" * 12)
    kept.mkdir()
    seen = telco.frame.iloc[:50].assign(observed_on="2026-01-31")
    seen.to_parquet(kept / "customers.parquet", index=False)
    today = seen.assign(observed_on=["2026-02-28"] * 40 + ["2026-01-31"] * 10)

    table = Dataset(today, dated, telco.source)
    assert new_rows(table, "1" * 64, snapshots=tmp_path, root=root) == 40

    # the champion's table had no days yet
    seen.drop(columns="observed_on").to_parquet(kept / "customers.parquet", index=False)
    assert new_rows(table, "1" * 64, snapshots=tmp_path, root=root) == 0


@pytest.mark.parametrize(
    ("latest", "end"),
    [
        ("2026-09-30", datetime(2026, 10, 31, tzinfo=UTC)),  # 30 days later, to the day's end
        ("2026-10-31", datetime(2026, 11, 30, 12, tzinfo=UTC)),  # not over yet: now
        ("", datetime(2026, 11, 30, 12, tzinfo=UTC)),
    ],
)
def test_a_month_ends_with_the_day_on_which_its_newest_outcome_is_known(latest, end):
    now = datetime(2026, 11, 30, 12, tzinfo=UTC)

    assert month_end(snapshot(latest=latest), outcome_days=30, now=now) == end
