"""The gate on the real table, damaged in one way each: what fails, where, and what it says."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pytest

from churn.data.quality import check, require
from churn.errors import InputError
from churn.reports.quality_page import render_quality_page


def write(column: str, rows: tuple[int, ...], value: Any):
    """Writes a value into rows counted from 1; a category column becomes plain text."""

    def damage(frame: pd.DataFrame) -> pd.DataFrame:
        kept = frame[column].astype(object)
        kept.iloc[[row - 1 for row in rows]] = value
        numeric = pd.api.types.is_numeric_dtype(frame[column]) and not isinstance(value, str)
        return frame.assign(**{column: kept.astype(frame[column].dtype) if numeric else kept})

    return damage


def repeat_ids(frame: pd.DataFrame) -> pd.DataFrame:
    ids = frame["customerID"].copy()
    ids.iloc[[7, 99]] = ids.iloc[2]
    return frame.assign(customerID=ids)


def overcharge(every: int):
    """Adds far more than the tolerance to the total of every so-manieth row."""

    def damage(frame: pd.DataFrame) -> pd.DataFrame:
        chosen = np.arange(1, len(frame) + 1) % every == 0
        return frame.assign(TotalCharges=frame["TotalCharges"] + 9000 * chosen)

    return damage


def keep_churn_rate(leavers: int, stayers: int):
    def damage(frame: pd.DataFrame) -> pd.DataFrame:
        left = frame["Churn"] == "Yes"
        return pd.concat([frame[left].head(leavers), frame[~left].head(stayers)])

    return damage


def is_dsl(frame: pd.DataFrame) -> pd.DataFrame:
    """Row 1 has DSL; 'No internet service' there contradicts it."""
    assert frame["InternetService"].iloc[0] == "DSL"
    return write("OnlineSecurity", (1,), "No internet service")(frame)


@dataclass(frozen=True)
class Case:
    damage: Any
    failing: set[str]
    rows: tuple[int, ...] = ()
    says: str = ""


CASES = {
    "a negative tenure": Case(
        write("tenure", (5, 10), -3),
        {"range of tenure"},
        (5, 10),
        "Column 'tenure' rows 5 and 10: -3 is outside 0 to 240 months.",
    ),
    "a tenure above the range": Case(
        write("tenure", (7043,), 241),
        {"range of tenure"},
        (7043,),
        "Column 'tenure' row 7,043: 241 is outside 0 to 240 months.",
    ),
    "an infinite charge": Case(
        write("MonthlyCharges", (4,), np.inf),
        {"range of MonthlyCharges"},
        (4,),
        "Column 'MonthlyCharges' row 4: inf is outside",
    ),
    "repeated ids": Case(
        repeat_ids,
        {"uniqueness of customerID"},
        (3, 8, 100),
        "Column 'customerID' rows 3, 8 and 100: these rows share their id with another row.",
    ),
    "nobody left": Case(
        lambda frame: frame[frame["Churn"] == "No"],
        {"both outcomes of Churn", "share of Churn"},
        (),
        "Column 'Churn': no row has 'Yes', so there is nothing to learn.",
    ),
    "too few rows": Case(
        lambda frame: frame.head(499),
        {"number of rows"},
        (),
        "The table: 499 rows, but 500 to 100,000,000 rows are expected.",
    ),
    "too many leavers": Case(
        keep_churn_rate(601, 399),
        {"share of Churn"},
        (),
        "Column 'Churn': 'Yes' in 60.10% of rows, outside 5% to 60%.",
    ),
    "too few leavers": Case(
        keep_churn_rate(49, 951),
        {"share of Churn"},
        (),
        "'Yes' in 4.90% of rows",
    ),
    "totals far off": Case(
        overcharge(every=17),
        {"TotalCharges against tenure"},
        tuple(range(17, 341, 17)),
        "in only 6,629 of 7,043 rows, where 95% must",
    ),
    "a contradiction": Case(
        is_dsl,
        {"OnlineSecurity follows InternetService"},
        (1,),
        (
            "Columns 'OnlineSecurity' and 'InternetService' row 1: 'No internet service' with "
            "InternetService 'DSL', but OnlineSecurity must be 'No internet service' exactly where "
            "InternetService is 'No'."
        ),
    ),
    "an unknown category": Case(
        write("Contract", (17,), "Biennial"),
        {"categories of Contract"},
        (17,),
        "Column 'Contract' row 17: 'Biennial' is not among Month-to-month, One year, Two year.",
    ),
    "another spelling": Case(
        write("Churn", (1, 2), "yes"),
        {"categories of Churn"},
        (1, 2),
        "'yes' is not among No, Yes",
    ),
    "a blank category": Case(
        write("Contract", (5, 100), None),
        {"blanks in Contract"},
        (5, 100),
        "Column 'Contract' rows 5 and 100: the cells are blank.",
    ),
    "a blank number": Case(
        write("TotalCharges", (6,), np.nan),
        {"blanks in TotalCharges"},
        (6,),
        "Column 'TotalCharges' row 6: the cell is blank.",
    ),
    "text among the numbers": Case(
        write("tenure", (5,), "twelve"),
        {"type of tenure", "range of tenure"},
        (5,),
        "Column 'tenure' row 5: 'twelve' is not a whole number.",
    ),
    "numbers among the texts": Case(
        write("customerID", (9,), 17),
        {"type of customerID"},
        (9,),
        "Column 'customerID' row 9: not text.",
    ),
    "flags as numbers": Case(
        lambda frame: frame.assign(SeniorCitizen=frame["SeniorCitizen"].astype(int)),
        {"type of SeniorCitizen", "categories of SeniorCitizen"},
        (),
        "Column 'SeniorCitizen': not text but int64.",
    ),
    "half months": Case(
        lambda frame: frame.assign(tenure=frame["tenure"] + 0.5),
        {"type of tenure"},
        (),
        "Column 'tenure': not a whole number but float64.",
    ),
    "an extra column": Case(
        lambda frame: frame.assign(Region="north"),
        {"columns"},
        (),
        "The table: 'Region' is unknown.",
    ),
    "many extra columns": Case(
        lambda frame: frame.assign(**dict.fromkeys("abcdefg", 1)),
        {"columns"},
        (),
        "The table: 'a', 'b', 'c', 'd', 'e' and 2 more are unknown.",
    ),
    "another order": Case(
        lambda frame: frame[[*frame.columns[:3], *frame.columns[:2:-1]]],
        {"columns"},
        (),
        "The table: the columns are in another order, from 'InternetService' on.",
    ),
    "a missing column": Case(
        lambda frame: frame.drop(columns="Contract"),
        {
            "columns",
            "type of Contract",
            "blanks in Contract",
            "categories of Contract",
        },
        (),
        "The table: 'Contract' is missing.",
    ),
    "a column twice": Case(
        lambda frame: pd.concat([frame, frame[["tenure"]]], axis=1),
        {
            "columns",
            "type of tenure",
            "blanks in tenure",
            "range of tenure",
            "TotalCharges against tenure",
        },
        (),
        "The table: 'tenure' is there twice.",
    ),
}


COLUMNS = (
    "customerID",
    "SeniorCitizen",
    "tenure",
    "InternetService",
    "OnlineSecurity",
    "Contract",
    "MonthlyCharges",
    "TotalCharges",
    "Churn",
)


@pytest.fixture(scope="module")
def narrow(telco):
    """The shipped contract with fewer columns, so that thirty checks do for each damage."""
    rules = telco.contract.expectations
    kept = tuple(rule for rule in rules.implications if rule.column in COLUMNS)
    return telco.contract.model_copy(
        update={
            "columns": tuple(telco.contract.column(name) for name in COLUMNS),
            "expectations": rules.model_copy(update={"implications": kept}),
        }
    )


@pytest.fixture(scope="module", params=CASES)
def case(request):
    return CASES[request.param]


@pytest.fixture(scope="module")
def report(case, telco, narrow):
    """What the gate says of the damaged table; distributions have their own tests."""
    return check(case.damage(telco.frame[list(COLUMNS)]), narrow, None)


def test_exactly_the_damage_is_found_and_named(case, report):
    assert {each.name for each in report.failures} == case.failing
    assert report.warnings == ()
    assert report.verdict == "fail"
    first = report.failures[0]
    assert case.says in first.sentence
    assert first.failing_rows[: len(case.rows)] == case.rows
    assert first.failing_count >= len(case.rows)


def test_the_error_names_check_place_and_way_out(case, report):
    with pytest.raises(InputError) as caught:
        require(report)

    message, first = str(caught.value), report.failures[0]
    assert message.startswith(f"The quality gate refuses the table at check '{first.name}'")
    assert case.says in message
    assert message.endswith(first.way_out)
    assert ("too)" in message) == (len(report.failures) > 1)
    assert "\n" not in message
    assert caught.value.exit_code == 2


def test_no_customer_is_named_anywhere(report, telco):
    shown = (
        report.model_dump_json()
        + report.failure_sentence()
        + render_quality_page(report, "bundled")
    )

    assert set(re.findall(r"[\w-]+", shown)).isdisjoint(telco.frame["customerID"])


def test_the_report_survives_json(report):
    assert type(report).model_validate_json(report.model_dump_json()) == report


def test_the_real_table_holds_every_check(telco):
    before = telco.frame.copy()

    report = check(telco.frame, telco.contract, telco.frame)

    assert (report.verdict, report.held, report.failures) == ("pass", len(report.checks), ())
    assert (report.rows, report.columns, report.accepted_rows) == (7043, 21, 7043)
    assert report.sentence == f"7,043 customers, {len(report.checks)} checks: all hold."
    assert report.notes == ()
    require(report)
    pd.testing.assert_frame_equal(telco.frame, before)


def test_charges_may_disagree_in_a_few_rows(telco, narrow):
    report = check(overcharge(every=25)(telco.frame[list(COLUMNS)]), narrow, None)

    (charges,) = (each for each in report.checks if each.name == "TotalCharges against tenure")
    assert charges.success
    assert charges.sentence == (
        "TotalCharges lies within 50 + 20% of tenure x MonthlyCharges in 6,762 of 7,043 rows; "
        "95% must."
    )


def test_two_runs_give_equal_reports(telco, narrow):
    damaged = is_dsl(telco.frame[list(COLUMNS)])

    first, second = (check(damaged, narrow, telco.frame) for _ in range(2))

    assert first == second
    assert render_quality_page(first, "here") == render_quality_page(second, "here")


def test_rows_are_counted_whatever_the_index(telco, narrow):
    damaged = write("tenure", (5,), -1)(telco.frame[list(COLUMNS)]).set_axis(["x"] * 7043)

    (failure,) = check(damaged, narrow, None).failures

    assert failure.failing_rows == (5,)


@pytest.mark.parametrize(
    "retype",
    [
        {"tenure": "Int64", "TotalCharges": "Float64", "Contract": "string"},
        {"tenure": "int32", "MonthlyCharges": "float32", "Contract": object, "Churn": object},
    ],
)
def test_other_pandas_types_of_the_same_values_pass(telco, narrow, retype):
    retyped = telco.frame[list(COLUMNS)].astype(retype)

    assert check(retyped, narrow, telco.frame).verdict == "pass"
