"""The real customers split again when they are older: nobody who was learned from judges later."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from churn.contract import DataContract
from churn.data.split import split_basis, split_rows
from churn.errors import InputError


def changed(contract: DataContract, *, surrogate: bool, date: bool = False) -> DataContract:
    """The contract with ids that last or do not, and with a date column."""
    first, *others = contract.model_dump()["columns"]
    days = [{"name": "seen_on", "kind": "date", "meaning": "Day of the row"}] if date else []
    columns = [first | {"surrogate": surrogate}, *days, *others]
    return DataContract.model_validate(contract.model_dump() | {"columns": columns})


def split(frame, contract, *, gate_fraction=0.2):
    """Ids of the development rows, and of the gate rows."""
    found = split_rows(frame, contract, gate_fraction=gate_fraction, seed=11)
    ids = frame[contract.id.name].to_numpy()
    return set(ids[found.development]), set(ids[found.gate])


@pytest.fixture(scope="module")
def real(contract):
    return changed(contract, surrogate=False)


@pytest.fixture(scope="module")
def aged(telco):
    """Everybody a month later, with one more bill."""
    frame = telco.frame
    return frame.assign(
        tenure=frame["tenure"] + 1, TotalCharges=frame["TotalCharges"] + frame["MonthlyCharges"]
    )


def test_customers_with_real_ids_keep_their_side_as_they_age(telco, aged, real):
    development, gate = split(telco.frame, real)

    assert split(aged, real) == (development, gate)
    assert 0.18 < len(gate) / telco.rows < 0.22


def test_surrogate_ids_cannot_keep_customers_on_their_side(telco, aged):
    development, _ = split(telco.frame, telco.contract)
    _, later = split(aged, telco.contract)

    # The content split, for comparison: what the fresh gate rows would hide.
    assert len(later & development) / len(later) == pytest.approx(0.82, abs=0.005)


def test_with_real_ids_neither_order_nor_company_nor_content_has_a_say(telco, aged, real):
    _, gate = split(telco.frame, real)
    few = aged.sample(n=3000, random_state=3)

    assert split(few, real)[1] == gate & set(few["customerID"])


def test_rows_of_one_customer_stand_on_one_side(telco, aged, real):
    development, gate = split(pd.concat([telco.frame, aged], ignore_index=True), real)

    assert not development & gate
    assert gate == split(telco.frame, real)[1]


@pytest.mark.parametrize("surrogate", [False, True])
def test_the_latest_fifth_judges_where_there_is_a_date(telco, contract, surrogate):
    dated = changed(contract, surrogate=surrogate, date=True)
    days = np.random.default_rng(5).integers(1, 1000, telco.rows)
    frame = telco.frame.assign(seen_on=(np.datetime64("2024-01-01") + days).astype(str))

    found = split_rows(frame, dated, gate_fraction=0.2, seed=11)

    before, after = (frame["seen_on"].iloc[side] for side in (found.development, found.gate))
    assert len(after) / telco.rows == pytest.approx(0.2, abs=0.005)
    assert before.max() <= after.max()
    # Without ids, the 73 rows that are alike go with the latest of their kind.
    assert (after < before.max()).sum() <= (73 if surrogate else 0)


def test_the_boundary_day_is_divided_by_customer_whatever_the_order(telco, contract):
    # given half the rows on the last day, and a fifth wanted
    dated = changed(contract, surrogate=False, date=True)
    days = np.where(np.arange(telco.rows) % 2, "2025-02-01", "2025-01-01").astype(object)
    frame = telco.frame.assign(seen_on=days)

    found = split_rows(frame, dated, gate_fraction=0.2, seed=11)

    assert set(frame["seen_on"].iloc[found.gate]) == {"2025-02-01"}
    assert len(found.gate) / telco.rows == pytest.approx(0.2, abs=0.015)
    shuffled = frame.sample(frac=1, random_state=5)
    assert split(shuffled, dated) == split(frame, dated)


def test_a_single_day_is_split_like_no_day_at_all(telco, contract, real):
    dated = changed(contract, surrogate=False, date=True)

    assert split(telco.frame.assign(seen_on="2025-01-01"), dated) == split(telco.frame, real)


def test_customers_with_several_rows_go_by_the_hash_and_leavers_stand_on_both_sides(
    telco, contract, real
):
    """Who has left is seen no more, so that the latest rows are those of who stayed."""
    dated = changed(contract, surrogate=False, date=True)
    stayed = telco.frame[telco.frame["Churn"] == "No"]
    frame = pd.concat([telco.frame, stayed, stayed], ignore_index=True)
    days = ["2025-01-01"] * telco.rows + ["2025-02-01"] * len(stayed) + ["2025-03-01"] * len(stayed)

    development, gate = split(frame.assign(seen_on=days), dated)

    assert not development & gate
    assert gate == split(telco.frame, real)[1]
    left = telco.frame.set_index("customerID")["Churn"] == "Yes"
    assert left[list(gate)].mean() == pytest.approx(left.mean(), abs=0.03)


def test_a_few_customers_with_two_rows_leave_the_latest_rows_to_judge(telco, contract):
    dated = changed(contract, surrogate=False, date=True)
    days = np.where(np.arange(telco.rows) < 1000, "2025-02-01", "2025-01-01").astype(object)
    frame = pd.concat([telco.frame.assign(seen_on=days)] * 2).iloc[: telco.rows + 70]
    frame.iloc[telco.rows :, frame.columns.get_loc("seen_on")] = "2025-03-01"

    development, gate = split(frame, dated, gate_fraction=0.1)

    assert set(telco.frame["customerID"][:70]) <= gate <= set(telco.frame["customerID"][:1000])
    assert not development & gate
    assert split_basis(frame, dated).startswith("by seen_on")


def test_a_dated_table_without_rows_is_refused(telco, contract):
    dated = changed(contract, surrogate=False, date=True)
    with pytest.raises(InputError, match="The table's 0 rows cannot be split"):
        split_rows(
            telco.frame.assign(seen_on="2025-01-01").head(0), dated, gate_fraction=0.2, seed=11
        )


@pytest.mark.parametrize(
    ("surrogate", "date", "says"),
    [
        (False, False, "by customer id"),
        (True, False, "by content, as ids are surrogates"),
        (False, True, "by seen_on, within a day by customer id"),
        (True, True, "by seen_on, within a day by content, as ids are surrogates"),
    ],
)
def test_it_is_said_what_decides(telco, contract, surrogate, date, says):
    frame = telco.frame.assign(seen_on="2025-01-01")

    assert split_basis(frame, changed(contract, surrogate=surrogate, date=date)) == says
