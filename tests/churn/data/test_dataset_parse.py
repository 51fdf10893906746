"""Parsing by contract: what a typed table looks like, and the sentence for each cell that is not."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest

from churn.contract import IdColumn, NumberColumn
from churn.data import parse, read_raw
from churn.errors import InputError


@pytest.fixture(scope="module")
def rows(root, contract) -> list[list[str]]:
    """The header and the first 30 real customers, as lists of cells."""
    lines = (root / contract.snapshot.path).read_text(encoding="utf-8").splitlines()[:31]
    return [line.split(",") for line in lines]


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


def drop(*names: str):
    def change(table) -> None:
        places = [table[0].index(name) for name in names]
        for row in table:
            row[:] = [cell for place, cell in enumerate(row) if place not in places]

    return change


def rename(old: str, new: str):
    def change(table) -> None:
        table[0][table[0].index(old)] = new

    return change


def add(name: str):
    def change(table) -> None:
        for place, row in enumerate(table):
            row.append("1" if place else name)

    return change


def rename_all(spell):
    def change(table) -> None:
        table[0][:] = map(spell, table[0])

    return change


def index(name: str):
    def change(table) -> None:
        for place, row in enumerate(table):
            row.insert(0, str(place - 1) if place else name)

    return change


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            drop("Contract"),
            "Column 'Contract' is missing from the file. Add what is missing; "
            "data/contracts/telco.yaml says what it means.",
        ),
        (
            drop("Contract", "tenure", "Churn", "Partner"),
            "Columns 'Partner', 'tenure', 'Contract', 'Churn' are missing from the file. Add what "
            "is missing; data/contracts/telco.yaml says what it means.",
        ),
        (
            add("Region"),
            "Column 'Region' is not in contract 'telco'. Leave it out of the file, or describe it "
            "in data/contracts/telco.yaml.",
        ),
        (
            rename("MonthlyCharges", "monthly_charges"),
            "Column 'MonthlyCharges' is missing, but the file has 'monthly_charges', which looks "
            "like it. Rename it to 'MonthlyCharges' in the header.",
        ),
        (
            rename("PaymentMethod", "PaymentMethods"),
            "Column 'PaymentMethod' is missing, but the file has 'PaymentMethods', which looks "
            "like it. Rename it to 'PaymentMethod' in the header.",
        ),
        (
            drop("TotalCharges"),
            "Column 'TotalCharges' is missing from the file, but row 1 and 29 more rows cannot do "
            "without it: a blank is allowed only where 'tenure' is 0. Add the column.",
        ),
        (
            rename("TotalCharges", "total_charges"),
            "Column 'TotalCharges' is missing, but the file has 'total_charges', which looks like "
            "it. Rename it to 'TotalCharges' in the header.",
        ),
        (
            rename("Contract", "Region"),
            "Column 'Region' is not in contract 'telco', and column 'Contract' is missing from the "
            "file. Rename or leave out the former and add the latter; data/contracts/telco.yaml "
            "says what they mean.",
        ),
        (
            rename_all(str.lower),
            "The header spells 19 columns of contract 'telco' otherwise: 'churn' is 'Churn', "
            "'contract' is 'Contract', 'customerid' is 'customerID' and 16 more. Rename them in "
            "the file as data/contracts/telco.yaml spells them.",
        ),
        (
            rename_all(lambda name: re.sub("(?<=[a-z])(?=[A-Z])", "_", name).lower()),
            "The header spells 19 columns of contract 'telco' otherwise: 'churn' is 'Churn', "
            "'contract' is 'Contract', 'customer_id' is 'customerID' and 16 more. Rename them in "
            "the file as data/contracts/telco.yaml spells them.",
        ),
        *(
            (
                index(name),
                f"Column {shown} looks like an index of the rows, which pandas and R write along. "
                "Write the file without it (index=False, row.names=FALSE), or delete the column.",
            )
            for name, shown in [
                ("Unnamed: 0", "'Unnamed: 0'"),
                ("Unnamed: 0.1", "'Unnamed: 0.1'"),
                ("__index_level_0__", "'__index_level_0__'"),
                ("", "1, without a name,"),
                ("index", "'index'"),
                ("...1", "'...1'"),
            ]
        ),
        (add(""), "Column 22, the last, has no name: a comma ends the lines. Delete it."),
        (add("Contract"), "Column 'Contract' is there twice in the header. Keep one."),
        (
            lambda table: table.pop(0),
            "The first line holds 0 of the 21 column names of contract 'telco': start the file "
            "with the header that data/contracts/telco.yaml describes.",
        ),
    ],
)
def test_a_header_that_is_not_the_contracts_is_refused(renamed, change, sentence):
    assert renamed(change) == sentence


def test_a_total_may_be_left_out_of_customers_of_no_months(rows, contract):
    table = [list(row) for row in rows]
    for row in table[1:]:
        row[table[0].index("tenure")] = "0"
    drop("TotalCharges")(table)
    text = "\n".join(",".join(row) for row in table)

    frame = parse(read_raw(text.encode(), "mine.csv")[0], contract)

    assert tuple(frame.columns) == contract.names
    assert (frame["TotalCharges"] == 0).all()


def test_columns_in_another_order_are_put_in_the_contracts(rows, contract, typed):
    backwards = "\n".join(",".join(reversed(row)) for row in rows)

    frame = parse(read_raw(backwards.encode(), "mine.csv")[0], contract)

    pd.testing.assert_frame_equal(frame, typed({}))


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
