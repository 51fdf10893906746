"""A point-in-time read never sees what came after the moment asked for."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from churn.data import Dataset
from churn.errors import InputError
from churn.feature_store.build import build_features
from churn.feature_store.history import historical_features

START = datetime(2026, 1, 1, tzinfo=UTC)
CUSTOMERS = 30


def table(few, number, generator):
    """A table of some of the customers, whose charges name the version and the customer."""
    here = np.flatnonzero(generator.random(CUSTOMERS) < 0.7)
    frame = few.frame.iloc[here].reset_index(drop=True)
    frame = frame.assign(MonthlyCharges=number + here / 100)
    return Dataset(frame, few.contract, replace(few.source, sha256=f"{number:064x}"))


@pytest.fixture(scope="module")
def versions(few, tmp_path_factory):
    """Twelve tables of irregular days, two of them of the same day, written out of order."""
    from churn.feature_store.build import BuildContext
    from churn.feature_store.offline_store import OfflineStore

    store = OfflineStore(tmp_path_factory.mktemp("history"))
    generator = np.random.default_rng(3)
    days = [0, 40, 3, 4, 9, 9, 17, 18, 22, 31, 35, 12]
    for number, day in enumerate(days):
        context = BuildContext(
            created=START + timedelta(days=60, minutes=number), observed=START + timedelta(days=day)
        )
        build_features(table(few, number, generator), store, context)
    return store, store.versions("telco")


@pytest.fixture(scope="module")
def rows(versions):
    """Every row there is: customer, time, order of building, charge."""
    store, known = versions
    return [
        (customer, time, made.created, charge)
        for made in known
        for customer, time, charge in zip(
            *(column.to_pylist() for column in store.read(
                made, ["customerID", "event_timestamp", "MonthlyCharges"]).columns),
            strict=True,
        )
    ]  # fmt: skip


def brute_force(rows, customer, moment, oldest=None):
    """The last row of the customer that was known at the moment, by looking at every one."""
    known = [
        (time, created, charge)
        for who, time, created, charge in rows
        if who == customer and time <= moment and (oldest is None or moment - time <= oldest)
    ]
    return max(known)[2] if known else None


@pytest.mark.parametrize("oldest", [None, timedelta(days=7)])
def test_ten_thousand_reads_equal_brute_force(few, versions, rows, oldest):
    generator = np.random.default_rng(11)
    ids = [*few.frame["customerID"][: CUSTOMERS + 2], "nobody"]
    count = 10_000
    seconds = generator.integers(-86_400, 45 * 86_400, count)
    # Half of them exactly at the beginning of a day, where rows are.
    seconds[::2] -= seconds[::2] % 86_400
    moments = pd.DataFrame(
        {
            "customerID": generator.choice(ids, count),
            "event_timestamp": START + pd.to_timedelta(seconds, unit="s"),
            "label": generator.integers(0, 2, count),
        },
        index=generator.permutation(count),
    )

    found = historical_features(*versions, moments, ["MonthlyCharges"], oldest=oldest)

    expected = [
        brute_force(rows, customer, moment, oldest)
        for customer, moment in zip(moments["customerID"], moments["event_timestamp"], strict=True)
    ]
    known = found["MonthlyCharges"].astype(object).where(found["MonthlyCharges"].notna(), None)
    assert known.tolist() == expected
    assert 1000 < sum(each is None for each in expected) < 9000
    pd.testing.assert_frame_equal(found[["customerID", "label"]], moments[["customerID", "label"]])


@given(st.integers(0, CUSTOMERS - 1), st.integers(-2 * 86_400, 45 * 86_400))
def test_no_value_is_from_after_the_moment(few, versions, rows, place, second):
    customer, moment = few.frame["customerID"][place], START + timedelta(seconds=second)
    moments = pd.DataFrame({"customerID": [customer], "event_timestamp": [moment]})

    (charge,) = historical_features(*versions, moments, ["MonthlyCharges"])["MonthlyCharges"]

    later = {each for who, time, _, each in rows if who == customer and time > moment}
    assert charge not in later


def test_a_value_planted_in_the_future_is_never_served(few, store, context):
    """The later table holds the answer; a read of the moment before must not have it."""
    left = few.frame["Churn"] == "Yes"
    build_features(few, store, context)
    leak = Dataset(
        few.frame.assign(MonthlyCharges=np.where(left, 118.0, 19.0)),
        few.contract,
        replace(few.source, sha256="e" * 64),
    )
    moment = context.created + timedelta(days=1)
    build_features(leak, store, replace(context, created=moment))
    versions = store.versions("telco")

    def charges(at):
        moments = pd.DataFrame({"customerID": few.frame["customerID"], "event_timestamp": at})
        return historical_features(store, versions, moments, ["MonthlyCharges"])["MonthlyCharges"]

    before = charges(moment - timedelta(microseconds=1))
    assert before.tolist() == few.frame["MonthlyCharges"].tolist()
    assert set(charges(moment)) == {118.0, 19.0}


def test_the_edges_of_a_window_are_inside_it(few, store, context):
    build_features(few, store, context)
    week = timedelta(days=7)
    tick = timedelta(microseconds=1)
    times = [context.created - tick, context.created, context.created + week,
               context.created + week + tick]  # fmt: skip
    moments = pd.DataFrame({"customerID": few.frame["customerID"][0], "event_timestamp": times})

    found = historical_features(
        store, store.versions("telco"), moments, ["tenure", "service_count"], oldest=week
    )

    assert found["tenure"].notna().tolist() == [False, True, True, False]
    assert found["service_count"].notna().tolist() == [False, True, True, False]


def test_what_cannot_be_asked_is_refused(few, store, context):
    moments = pd.DataFrame({"customerID": ["C1"], "event_timestamp": [context.created]})
    with pytest.raises(InputError, match="no version to read"):
        historical_features(store, [], moments, ["tenure"])
    build_features(few, store, context)
    versions = store.versions("telco")
    with pytest.raises(InputError, match="'tenur' is no feature of 'telco'; known: Contract,"):
        historical_features(store, versions, moments, ["tenur"])
    with pytest.raises(InputError, match="Column 'event_timestamp' is missing"):
        historical_features(store, versions, moments[["customerID"]], ["tenure"])
    naive = moments.assign(event_timestamp=pd.Timestamp("2026-11-20"))
    with pytest.raises(InputError, match="have no zone"):
        historical_features(store, versions, naive, ["tenure"])
    named = moments.assign(tenure=3, MonthlyCharges=1.0, label=1)
    with pytest.raises(InputError, match="named like features: tenure, MonthlyCharges"):
        historical_features(store, versions, named, ["tenure", "gender", "MonthlyCharges"])
    blank = pd.concat([moments, moments.assign(event_timestamp=pd.NaT)])
    blank["event_timestamp"] = pd.to_datetime(blank["event_timestamp"], utc=True)
    with pytest.raises(InputError, match="'event_timestamp' are blank in 1 of 2 rows"):
        historical_features(store, versions, blank, ["tenure"])
