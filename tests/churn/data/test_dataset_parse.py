"""Parsing by contract: what a typed table looks like, and the sentence for each cell that is not."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from churn.contract import DataContract, IdColumn, NumberColumn
from churn.data import parse, read_raw
from churn.errors import InputError


@pytest.fixture
def typed(rows, contract):
    """Parses the 30 customers with some cells changed: {(row, column): value}, rows from 1."""

    def parsed(changes: dict[tuple[int, str], str]) -> pd.DataFrame:
        header, *body = [list(row) for row in rows]
        for (row, name), value in changes.items():
            body[row - 1][header.index(name)] = value
        text = "\n".join(",".join(row) for row in [header, *body])
        table, _ = read_raw(text.encode(), "mine.csv")
        return parse(table, contract)

    return parsed


@pytest.fixture
def refusal(typed):
    """The sentence with which the changed customers are refused."""

    def refused(changes: dict[tuple[int, str], str]) -> str:
        with pytest.raises(InputError) as caught:
            typed(changes)
        return str(caught.value)

    return refused


def test_every_column_has_the_type_that_its_kind_promises(telco, contract):
    assert tuple(telco.frame.columns) == contract.names
    assert telco.rows == len(telco.frame) == 7043
    assert list(telco.frame.index[:2]) == [0, 1]
    for column in contract.columns:
        values = telco.frame[column.name]
        if isinstance(column, IdColumn):
            assert values.dtype == object
            assert all(type(value) is str for value in values)
        elif isinstance(column, NumberColumn):
            assert values.dtype == (np.int64 if column.integer else np.float64)
        else:
            assert tuple(values.cat.categories) == column.categories
            assert not values.cat.ordered


def test_known_facts_of_the_real_table_hold(telco, contract):
    never_billed = telco.frame[telco.frame["tenure"] == 0]
    features = telco.frame[[column.name for column in contract.features]]

    assert telco.target_rate == pytest.approx(1869 / 7043)
    assert len(never_billed) == 11
    assert (never_billed["TotalCharges"] == 0).all()
    assert (telco.frame["TotalCharges"] == 0).sum() == 11
    assert features.duplicated(keep=False).sum() == 73
    assert telco.frame["customerID"].is_unique


def test_spaces_around_cells_do_not_count(typed):
    changed = typed(
        {(1, "Contract"): "  One year ", (2, "tenure"): " 7 ", (3, "customerID"): " X "}
    )

    assert changed["Contract"][0] == "One year"
    assert changed["tenure"][1] == 7
    assert changed["customerID"][2] == "X"


@pytest.mark.parametrize(
    ("spelt", "number"),
    [("12", 12.0), ("12.0", 12.0), ("+12", 12.0), ("1.2e1", 12.0), (".5", 0.5), ("7.", 7.0)],
)
def test_usual_spellings_of_a_number_are_read(typed, spelt, number):
    assert typed({(1, "MonthlyCharges"): spelt})["MonthlyCharges"][0] == number


def test_a_whole_number_may_be_spelt_with_a_point(typed):
    tenure = typed({(1, "tenure"): "12.0"})["tenure"]

    assert tenure[0] == 12
    assert tenure.dtype == np.int64


@pytest.mark.parametrize(
    "blank", ["", "   ", "NA", "nan", "NaN", "N/A", "NULL", "None", r"\N", "<NA>"]
)
def test_a_blank_total_is_zero_for_a_customer_of_no_months(typed, blank):
    changed = typed({(1, "tenure"): "0", (1, "TotalCharges"): blank})

    assert changed["TotalCharges"][0] == 0.0


@pytest.mark.parametrize(
    "changes",
    [
        {(1, "tenure"): "9999"},
        {(1, "MonthlyCharges"): "-5"},
        {(1, "customerID"): "same", (2, "customerID"): "same"},
        {(row, "Churn"): "No" for row in range(1, 31)},
        {(1, "PhoneService"): "No", (1, "MultipleLines"): "Yes"},
        {(1, "TotalCharges"): "99999"},
    ],
    ids=["range", "negative", "repeated id", "one class", "implication", "charges"],
)
def test_what_is_possible_but_not_plausible_is_left_to_the_gate(typed, changes):
    assert len(typed(changes)) == 30


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (
            {(17, "Contract"): "Biennial"},
            "Column 'Contract' row 17: 'Biennial' is not one of Month-to-month, One year, Two "
            "year. Fix the file or add the category to data/contracts/telco.yaml.",
        ),
        (
            {(17, "Contract"): "Biennial", (20, "Contract"): "Biennial", (9, "Partner"): "Yes"},
            "Column 'Contract' row 17 and 1 more row: 'Biennial' is not one of Month-to-month, One "
            "year, Two year. Fix the file or add the category to data/contracts/telco.yaml.",
        ),
        (
            {(4, "Churn"): ""},
            "Column 'Churn' row 4: the cell is blank, but must be one of No, Yes. Fill it in, or "
            "leave the row out.",
        ),
        (
            {(3, "SeniorCitizen"): "Yes"},
            "Column 'SeniorCitizen' row 3: 'Yes' is not one of 0, 1. Write these in the file, or "
            "set no_value and yes_value of 'SeniorCitizen' in data/contracts/telco.yaml to the "
            "file's own two texts, in quotes.",
        ),
        (
            {(4, "Churn"): "NA"},
            "Column 'Churn' row 4: 'NA' is blank, but must be one of No, Yes. Fill it in, or leave "
            "the row out.",
        ),
        (
            {(8, "tenure"): "N/A"},
            "Column 'tenure' row 8: 'N/A' is blank. Fill in the months, or leave the row out.",
        ),
        (
            {(2, "MonthlyCharges"): "a lot", (5, "MonthlyCharges"): "little"},
            "Column 'MonthlyCharges' row 2 and 1 more row: 'a lot' is not a number. Write it in "
            "digits, with a point for decimals.",
        ),
        (
            {(2, "MonthlyCharges"): "inf"},
            "Column 'MonthlyCharges' row 2: 'inf' is not a finite number. Write it in digits, with "
            "a point for decimals.",
        ),
        (
            {(2, "TotalCharges"): "-NaN"},
            "Column 'TotalCharges' row 2: '-NaN' is not a finite number. Write it in digits, with "
            "a point for decimals.",
        ),
        (
            {(2, "MonthlyCharges"): "1e999"},
            "Column 'MonthlyCharges' row 2: '1e999' is too large for a finite number. Fix the file.",
        ),
        (
            {(6, "tenure"): "12.5"},
            "Column 'tenure' row 6: '12.5' is not a whole number of months. Round it in the file.",
        ),
        (
            {(6, "tenure"): "1e300"},
            "Column 'tenure' row 6: '1e300' is not a whole number of months. Round it in the file.",
        ),
        (
            {(8, "tenure"): ""},
            "Column 'tenure' row 8: the cell is blank. Fill in the months, or leave the row out.",
        ),
        (
            {(8, "TotalCharges"): " ", (9, "TotalCharges"): ""},
            "Column 'TotalCharges' row 8 and 1 more row: the cell is blank, which is allowed only "
            "where 'tenure' is 0. Fill in the USD, or leave the row out.",
        ),
        (
            {(2, "customerID"): " "},
            "Column 'customerID' row 2: the customer's identifier is blank. Fill it in, or leave "
            "the row out.",
        ),
    ],
    ids=lambda value: None if isinstance(value, str) else "",
)
def test_a_cell_that_cannot_be_typed_is_named(refusal, changes, sentence):
    assert refusal(changes) == sentence


def test_a_long_foreign_value_is_cut(refusal):
    sentence = refusal({(1, "gender"): "x" * 5000})

    assert "'" + "x" * 40 + "…'" in sentence
    assert len(sentence) < 300


def test_numbers_with_digits_of_other_scripts_are_no_numbers(refusal):
    assert "is not a number" in refusal({(1, "MonthlyCharges"): "٣٤"})


@pytest.fixture
def renamed(rows, contract):
    """The sentence for the 30 customers under another header."""

    def refused(change) -> str:
        table = [list(row) for row in rows]
        change(table)
        text = "\n".join(",".join(row) for row in table)
        with pytest.raises(InputError) as caught:
            parse(read_raw(text.encode(), "mine.csv")[0], contract)
        return str(caught.value)

    return refused


def test_no_sentence_names_a_customer(rows, refusal, renamed, contract):
    customers = {row[0] for row in rows[1:]}
    sentences = [
        renamed(lambda table: table.pop(0)),
        *(refusal({(1, name): "?"}) for name in contract.names if name != "customerID"),
    ]

    assert len(sentences) == 21
    assert not [s for s in sentences if any(customer in s for customer in customers)]


@pytest.mark.parametrize("strays", [1, 2, 3, 30])
@pytest.mark.parametrize("name", ["gender", "Churn", "tenure", "TotalCharges"])
@pytest.mark.parametrize("known", ["as before", "lost", "of another column"])
def test_ids_that_strayed_into_another_column_stay_unnamed(rows, refusal, name, strays, known):
    ids = [row[0] for row in rows[1:]]
    changes = {(n, name): ids[n - 1] for n in range(1, strays + 1)}
    if known == "lost":
        changes |= {(n, "customerID"): f"unlike {n}" for n in range(1, strays + 1)}
    if known == "of another column":
        changes |= {(n, "customerID"): "Female" for n in range(1, 31)}

    sentence = refusal(changes)

    assert sentence.startswith(f"Column '{name}' row 1")
    assert "a value that may be a customer's id is not" in sentence
    assert not [each for each in ids if each in sentence]


@pytest.mark.parametrize("value", ["maria@example.com", "ACC-00471", "0b5f-77aa-12c9"])
def test_an_address_or_a_code_is_not_shown_whatever_ids_look_like(refusal, value):
    assert value not in refusal({(4, "Contract"): value})


@pytest.mark.parametrize("value", ["84,45", "1_200", "12 USD", "$1,013.40", "a lot", "-", "?"])
def test_an_amount_in_another_spelling_is_shown(refusal, value):
    changes = {(4, "TotalCharges"): f'"{value}"'}
    assert f"{value!r} is not a number" in refusal(changes)


@pytest.fixture
def days(rows, contract):
    """The dates of the 30 customers, given one text for all or one a customer."""
    column = {"name": "seen_on", "kind": "date", "meaning": "Day of the row"}
    content = contract.model_dump()
    dated = DataContract.model_validate(content | {"columns": [*content["columns"], column]})

    def read(texts) -> list[str]:
        header, *body = rows
        lines = [
            [*header, "seen_on"],
            *([*row, text] for row, text in zip(body, texts, strict=True)),
        ]
        table, _ = read_raw("\n".join(",".join(line) for line in lines).encode(), "mine.csv")
        return parse(table, dated)["seen_on"].tolist()

    return read


@pytest.mark.parametrize(
    "cell",
    ["2025-01-31", " 2025-01-31 ", "2025-01-31T23:59:59Z", "2025-01-31 23:59:59.123456789+02:00"],
)
def test_a_date_is_a_day_whatever_the_time(days, cell):
    assert days([cell] * 30) == ["2025-01-31"] * 30


@pytest.mark.parametrize(
    ("cell", "says"),
    [
        ("31.01.2025", "'31.01.2025' is not a date. Write it as YYYY-MM-DD."),
        (
            "2025-02-29",
            "a value that may be a customer's id is not a date. Write it as YYYY-MM-DD.",
        ),
        ("7590", "'7590' is not a date. Write it as YYYY-MM-DD."),
        ("", "the date is blank. Fill it in, or leave the row out."),
        ("NaN", "the date is blank. Fill it in, or leave the row out."),
    ],
)
def test_what_is_no_date_is_named(days, cell, says):
    with pytest.raises(InputError) as caught:
        days(["2025-01-31"] * 3 + [cell] * 2 + ["2025-01-31"] * 25)

    assert str(caught.value) == f"Column 'seen_on' row 4 and 1 more row: {says}"


def test_a_customer_id_among_the_dates_is_not_shown(days, rows):
    with pytest.raises(InputError) as caught:
        days([rows[1][0], *["2025-01-31"] * 29])

    assert rows[1][0] not in str(caught.value)
    assert "Column 'seen_on' row 1" in str(caught.value)
