"""What is written is what is read; an older event never wins, a partial one removes nothing."""

from datetime import UTC, datetime, timedelta, timezone
from math import copysign

import pytest

from churn.errors import InputError
from churn.feature_store.online.online_store import BATCH, OnlineStoreError, WriteCounts
from churn.feature_store.online.stored_customer import CustomerUpdate, StoredField, microseconds

MONDAY = datetime(2026, 3, 2, 12, tzinfo=UTC)
TUESDAY = MONDAY + timedelta(days=1)


def update(at=MONDAY, customer="C1", **fields):
    return CustomerUpdate(customer, at, fields)


def test_a_customer_is_read_as_written(online):
    counts = online.write([update(tenure=3, MonthlyCharges=29.85, Contract="One year")])

    assert counts == WriteCounts(customers=1, fields_set=3, fields_kept=0)
    assert online.read("C1").row == {"tenure": 3, "MonthlyCharges": 29.85, "Contract": "One year"}
    assert online.read("C1").fields["tenure"] == StoredField(microseconds(MONDAY), 3)
    assert online.read("C2") is None


def test_a_late_write_never_wins(online):
    online.write([update(TUESDAY, tenure=4)])

    counts = online.write([update(MONDAY, tenure=3, Contract="One year")])

    assert counts == WriteCounts(customers=1, fields_set=1, fields_kept=1)
    assert online.read("C1").row == {"tenure": 4, "Contract": "One year"}


def test_a_partial_write_leaves_the_other_fields_and_their_times(online):
    online.write([update(MONDAY, tenure=3, Contract="One year")])
    online.write([update(TUESDAY, Contract="Two year")])

    assert online.read("C1").fields == {
        "tenure": StoredField(microseconds(MONDAY), 3),
        "Contract": StoredField(microseconds(TUESDAY), "Two year"),
    }


def test_an_explicit_null_replaces_a_value_and_is_not_absence(online):
    online.write([update(MONDAY, tenure=3, Contract="One year")])
    online.write([update(TUESDAY, tenure=None)])

    assert online.read("C1").row == {"tenure": None, "Contract": "One year"}


@pytest.mark.parametrize(
    ("one", "other", "kept"),
    [(3, 4, 4), ("DSL", "No", "DSL"), (3, None, 3), (-0.0, 0.0, -0.0), (True, 1, True)],
)
def test_equal_times_are_decided_alike_in_either_order(open_store, one, other, kept):
    for first, second in ((one, other), (other, one)):
        online = open_store()
        online.clear()
        online.write([update(tenure=first)])
        online.write([update(tenure=second)])
        online.write([update(tenure=first)])

        found = online.read("C1").row["tenure"]
        # A greater encoded form wins: of these texts the longer, of floats the one with its sign.
        assert (type(found), repr(found)) == (type(kept), repr(kept))


def test_of_two_rows_of_one_time_the_one_recorded_later_is_right(open_store):
    wrong = CustomerUpdate("C1", MONDAY, {"tenure": 9}, recorded=MONDAY)
    right = CustomerUpdate("C1", MONDAY, {"tenure": 1}, recorded=TUESDAY)
    older = CustomerUpdate("C1", MONDAY - timedelta(1), {"tenure": 5}, recorded=datetime.now(UTC))
    for order in ((wrong, right, older), (older, right, wrong)):
        online = open_store()
        online.clear()
        online.write(order)

        assert online.read("C1").row == {"tenure": 1}


@pytest.mark.parametrize(
    "value",
    [0.1 + 0.2, -0.0, 5e-324, float("inf"), 2**63, -(2**63), True, "", " ", "naïve ☕ \0", "2026-03-02"],
)  # fmt: skip
def test_values_come_back_exactly(online, value):
    online.write([update(tenure=value)])

    found = online.read("C1").row["tenure"]

    assert type(found) is type(value)
    assert found == value
    if type(value) is float:
        assert copysign(1, found) == copysign(1, value)


@pytest.mark.parametrize("customer", ["a b", "ä/ö", "%2F", "'; --", "x" * 200, "customer:layout"])
def test_ids_are_any_text(online, customer):
    online.write([update(customer=customer, tenure=1)])

    assert online.read(customer).row == {"tenure": 1}
    assert online.read(customer + " ") is None


def test_a_time_keeps_its_zone(online):
    east = timezone(timedelta(hours=9))
    online.write([update(datetime(2026, 3, 2, 12, tzinfo=UTC), tenure=2)])
    online.write([update(datetime(2026, 3, 2, 20, tzinfo=east), tenure=1)])  # 11:00 UTC

    assert online.read("C1").row == {"tenure": 2}


def test_the_age_is_that_of_the_oldest_field(online):
    online.write([update(MONDAY, tenure=3), update(TUESDAY, Contract="One year")])

    assert online.read("C1").age_seconds(TUESDAY + timedelta(hours=1)) == 25 * 3600
    assert online.read("C1").age_seconds(MONDAY - timedelta(hours=1)) == 0


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        (update(tenur=3), "did you mean 'tenure'?"),
        (update(Churn="Yes"), "'Churn' is no feature of contract 'telco'"),
        (update(customerID="C1"), "'customerID' is no feature"),
        (update(tenure=[3]), "Field 'tenure' is a list."),
        (update(tenure=2**64), "at most 64 bits"),
        (update(Contract="\ud800"), "half of a surrogate pair"),
        (update(datetime(2026, 3, 2), tenure=3), "no zone"),  # noqa: DTZ001
        (update(customer="", tenure=3), "no id"),
        (update(customer="x" * 201, tenure=3), "no id"),
    ],
)  # fmt: skip
def test_an_update_at_fault_is_refused_with_its_whole_batch(online, bad, said):
    online.write([update(tenure=1)])

    with pytest.raises(InputError, match=said.replace("?", r"\?")):
        online.write([update(TUESDAY, tenure=2), bad])

    assert online.read("C1").row == {"tenure": 1}


def test_an_event_ahead_of_this_machines_clock_is_refused(online):
    now = datetime.now(UTC)
    online.write([update(now + timedelta(minutes=4), tenure=3)])

    with pytest.raises(InputError, match="ahead of this machine's clock"):
        online.write([update(now + timedelta(minutes=6), tenure=4)])

    assert online.read("C1").row == {"tenure": 3}


def test_many_customers_take_several_batches(online):
    updates = [update(customer=f"C{number}", tenure=number % 7) for number in range(2 * BATCH + 1)]

    assert online.write(updates) == WriteCounts(2 * BATCH + 1, 2 * BATCH + 1, 0)
    assert online.write(updates) == WriteCounts(2 * BATCH + 1, 0, 2 * BATCH + 1)
    assert online.read(f"C{2 * BATCH}").row == {"tenure": 2 * BATCH % 7}


def test_several_contracts_share_a_store(online, open_store, contract):
    other = open_store(contract.model_copy(update={"name": "mobile"}))
    online.write([update(tenure=1)])

    with pytest.raises(OnlineStoreError, match="holds no customers of contract 'mobile'"):
        other.read("C1")
    other.write([update(tenure=2)])
    other.clear()

    assert online.read("C1").row == {"tenure": 1}


def _with_version(contract):
    return contract.model_copy(update={"version": 2})


def _without_a_column(contract):
    return contract.model_copy(update={"columns": contract.columns[:-2] + contract.columns[-1:]})


@pytest.mark.parametrize("changed", [_with_version, _without_a_column])
def test_a_store_of_another_version_is_refused_until_it_is_cleared(
    online, open_store, contract, changed
):
    online.write([update(tenure=1)])
    newer = open_store(changed(contract))

    for call in (lambda: newer.read("C1"), lambda: newer.write([update(TUESDAY, tenure=2)])):
        with pytest.raises(OnlineStoreError, match="another version of contract 'telco'"):
            call()
    assert online.read("C1").row == {"tenure": 1}

    newer.clear()
    newer.write([update(tenure=2)])
    assert newer.read("C1").row == {"tenure": 2}
    with pytest.raises(OnlineStoreError, match="another version"):
        online.read("C1")


def test_other_words_are_no_other_contract(online, open_store, contract):
    online.write([update(tenure=1)])

    reworded = open_store(contract.model_copy(update={"title": "Customers"}))

    assert reworded.read("C1").row == {"tenure": 1}


def test_an_empty_store_says_how_to_fill_it(online):
    with pytest.raises(OnlineStoreError, match="Run `make features`"):
        online.read("C1")
