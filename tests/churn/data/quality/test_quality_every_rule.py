"""Each rule that the contract generates is seen to fail, and none holds for want of values."""

from __future__ import annotations

import pandas as pd
import pytest

from churn.contract import IdColumn, NumberColumn
from churn.data.quality import check
from churn.data.quality.distribution_rules import shifts
from churn.data.quality.gate import suite


def spoil(frame: pd.DataFrame, values: dict[str, object]) -> tuple[pd.DataFrame, dict[str, int]]:
    """Writes one value into each column, every column in a row of its own, counted from 1."""
    spoilt = frame.astype(object)
    rows = {column: 11 * (place + 1) for place, column in enumerate(values)}
    for column, value in values.items():
        spoilt.iloc[rows[column] - 1, spoilt.columns.get_loc(column)] = value
    return spoilt, rows


@pytest.fixture(scope="module")
def blanked(telco):
    frame, rows = spoil(telco.frame, dict.fromkeys(telco.contract.names))
    return check(frame, telco.contract, None), rows


@pytest.fixture(scope="module")
def retyped(telco):
    numbers = {each.name for each in telco.contract.numbers}
    values = {name: "many" if name in numbers else 7 for name in telco.contract.names}
    frame, rows = spoil(telco.frame, values)
    return check(frame, telco.contract, None), rows


@pytest.fixture(scope="module")
def strayed(telco):
    def outside(column):
        if isinstance(column, IdColumn):
            return telco.frame[column.name].iloc[0]
        return column.maximum + 1 if isinstance(column, NumberColumn) else "Elsewhere"

    frame, rows = spoil(telco.frame, {each.name: outside(each) for each in telco.contract.columns})
    return check(frame, telco.contract, None), rows


@pytest.fixture(scope="module")
def contradicted(telco):
    """Every option says that the service which it needs is not there; every total is doubled."""
    frame = telco.frame.astype(object)
    for rule in telco.contract.expectations.implications:
        frame[rule.column] = rule.value
    frame["TotalCharges"] = frame["TotalCharges"].astype(float) * 2 + 100
    return check(frame, telco.contract, None)


@pytest.fixture(scope="module")
def emptied(telco):
    return check(telco.frame.head(0), telco.contract, telco.frame)


@pytest.fixture(scope="module")
def uniform(telco):
    """Everybody is the same customer, of a kind that is rare in the accepted table."""
    frame = telco.frame.copy()
    for column in telco.contract.features:
        if isinstance(column, NumberColumn):
            frame[column.name] = column.maximum
        else:
            rare = frame[column.name].value_counts().idxmin()
            frame[column.name] = pd.Categorical([rare] * 7043, categories=column.categories)
    return check(frame.astype({"tenure": int}), telco.contract, telco.frame)


@pytest.mark.parametrize(
    ("table", "prefixes"),
    [
        ("blanked", {"blanks in"}),
        ("retyped", {"type of"}),
        ("strayed", {"categories of", "range of", "uniqueness of"}),
    ],
)
def test_each_column_has_its_rules_and_each_names_column_and_row(request, telco, table, prefixes):
    report, rows = request.getfixturevalue(table)

    found = {
        failure.columns[0]: failure
        for failure in report.failures
        if any(failure.name.startswith(prefix) for prefix in prefixes)
    }

    assert set(found) == set(telco.contract.names)
    for column, failure in found.items():
        assert failure.severity == "critical"
        assert failure.failing_rows[-1] == rows[column]
        assert f"Column '{column}' row" in failure.sentence
        assert f"{rows[column]:,}" in failure.sentence


def test_each_implication_fails_where_it_is_contradicted(telco, contradicted):
    found = {each.name: each for each in contradicted.failures}

    for rule in telco.contract.expectations.implications:
        failure = found[f"{rule.column} follows {rule.follows_column}"]
        served = telco.frame[rule.follows_column] != rule.follows_value
        assert failure.failing_count == served.sum()
        assert failure.failing_rows[0] == served.to_numpy().argmax() + 1
        assert failure.columns == (rule.column, rule.follows_column)
    charges = found["TotalCharges against tenure"]
    assert charges.columns == ("TotalCharges", "tenure", "MonthlyCharges")


def test_nothing_holds_in_a_table_without_rows_that_needs_rows(emptied):
    held = {each.topic for each in emptied.checks if each.success}

    assert held.isdisjoint({"relations", "distribution"})
    assert {each.name for each in emptied.failures} >= {"number of rows", "share of Churn"}
    assert emptied.sentence.startswith("0 customers")


def test_every_rule_of_the_suite_is_seen_to_fail(
    telco, blanked, retyped, strayed, contradicted, emptied, uniform
):
    rules = suite(telco.contract, shifts(telco.frame, telco.frame, telco.contract))
    header = check(telco.frame.drop(columns="gender"), telco.contract, None)
    reports = (blanked[0], retyped[0], strayed[0], contradicted, emptied, uniform, header)

    failed = {each.name for report in reports for each in report.failures}

    assert {rule.name for rule in rules} == failed


def test_an_empty_column_neither_agrees_nor_is_distributed_as_before(telco):
    frame = telco.frame.assign(TotalCharges=float("nan"))

    report = check(frame, telco.contract, telco.frame)

    assert {each.name for each in report.failures} == {
        "blanks in TotalCharges",
        "TotalCharges against tenure",
        "distribution of TotalCharges",
    }


STRAYS = pytest.mark.parametrize("strays", [1, 2, 3, 500])


@STRAYS
@pytest.mark.parametrize("known", ["as before", "lost", "of another column", "not accepted"])
def test_ids_that_strayed_into_another_column_stay_unnamed(telco, strays, known):
    ids = telco.frame["customerID"]
    frame = telco.frame.astype({"Contract": object, "tenure": object, "TotalCharges": object})
    for name in ("Contract", "tenure", "TotalCharges"):
        frame.loc[: strays - 1, name] = ids[:strays]
    if known == "lost":  # the strays stand in no id column any more
        frame.loc[: strays - 1, "customerID"] = [f"unlike {n}" for n in range(strays)]
    if known == "of another column":
        frame["customerID"] = telco.frame["gender"].astype(str)
    accepted = telco.frame.iloc[strays:] if known == "as before" else None

    report = check(frame, telco.contract, accepted)

    failed = {each.name: each for each in report.failures}
    assert failed["categories of Contract"].failing_count == strays
    assert "a value that may be a customer's id" in failed["categories of Contract"].sentence or (
        "many different texts" in failed["categories of Contract"].sentence
    )
    assert not [each for each in ids if each in report.model_dump_json()]


@STRAYS
def test_ids_that_are_there_twice_or_replaced_stay_unnamed(telco, strays):
    ids = telco.frame["customerID"].copy()
    ids[strays : 2 * strays] = ids[:strays].to_numpy()

    report = check(telco.frame.assign(customerID=ids), telco.contract, telco.frame)

    assert [each.name for each in report.failures] == ["uniqueness of customerID"]
    assert report.failures[0].failing_count == 2 * strays
    assert not [each for each in ids if each in report.model_dump_json()]


@STRAYS
def test_ids_of_digits_stay_unnamed_among_numbers(telco, strays):
    ids = pd.Series([str(700_000 + n) for n in range(len(telco.frame))])
    frame = telco.frame.assign(customerID=ids)
    frame["MonthlyCharges"] = frame["MonthlyCharges"].mask(frame.index < strays, ids.astype(float))

    report = check(frame, telco.contract, telco.frame)

    failed = {each.name: each for each in report.failures}
    assert failed["range of MonthlyCharges"].failing_count == strays
    assert not [each for each in ids if each in report.model_dump_json()]


@pytest.mark.parametrize(
    ("name", "value"), [("Contract", "Biennial"), ("Partner", "maybe"), ("tenure", 300)]
)
def test_a_value_that_cannot_be_an_id_is_shown(telco, name, value):
    frame = telco.frame.astype({name: object})
    frame.loc[4, name] = value

    report = check(frame, telco.contract, telco.frame)

    sentences = [each.sentence for each in report.failures if each.columns == (name,)]
    assert any(f"row 5: {value!r} is" in each for each in sentences)


def test_a_missing_header_is_reported_without_quoting_the_first_customer(telco):
    headless = telco.frame.set_axis(list(telco.frame.astype(str).iloc[0]), axis=1)

    report = check(headless, telco.contract, None)

    assert report.failures[0].sentence == (
        "The table: none of the contract's columns is there, so the first line may not be a header."
    )
    assert telco.frame["customerID"].iloc[0] not in report.model_dump_json()
