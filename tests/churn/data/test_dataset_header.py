"""Headers: which columns are found in a file, and the sentence for each that is not the contract's."""

from __future__ import annotations

import re

import pandas as pd
import pytest

from churn.data import parse, read_raw
from churn.errors import InputError


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
            "Column 'Region' is not in contract 'telco'. Leave it out of the file, describe it in "
            "data/contracts/telco.yaml, or write `reading: {extra: ignore}` there.",
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


def test_columns_in_another_order_are_put_in_the_contracts(rows, contract):
    backwards = "\n".join(",".join(reversed(row)) for row in rows)

    frame = parse(read_raw(backwards.encode(), "mine.csv")[0], contract)

    forwards = "\n".join(",".join(row) for row in rows)
    pd.testing.assert_frame_equal(
        frame, parse(read_raw(forwards.encode(), "mine.csv")[0], contract)
    )


def test_a_column_that_the_contract_leaves_out_may_be_in_the_file(rows, contract):
    own = contract.model_copy(update={"left_out": {"Note": "free text"}})
    table = [[*rows[0], "Note"], *([*row, "words"] for row in rows[1:])]
    content = "\n".join(",".join(row) for row in table).encode()

    assert list(parse(read_raw(content, "mine.csv")[0], own)) == list(contract.names)
    with pytest.raises(InputError, match="Column 'Note' is not in contract 'telco'"):
        parse(read_raw(content, "mine.csv")[0], contract)
