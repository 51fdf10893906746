"""What a value may be, asked of the readers themselves: spellings of yes and no, whole numbers, blanks."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest

from churn.contract import BlankRule, CategoryColumn, FlagColumn, NumberColumn, TargetColumn
from churn.contract.names import listed, nearest, respelt, respelt_as
from churn.contract.values import CategoryReader, Fault, NumberReader, RefusedValue


def category(*categories: str) -> CategoryReader:
    return CategoryReader(
        CategoryColumn(name="x", meaning="x", kind="category", categories=categories)
    )


def flag(no_value: str, yes_value: str) -> CategoryReader:
    return CategoryReader(
        FlagColumn(name="x", meaning="x", kind="flag", no_value=no_value, yes_value=yes_value)
    )


def refused(reader: CategoryReader, value: object) -> bool:
    with pytest.raises(RefusedValue) as caught:
        reader[value]
    return caught.value.fault is Fault.NOT_A_CATEGORY


@pytest.mark.parametrize("kind", [FlagColumn, TargetColumn])
def test_a_boolean_is_the_yes_or_no_of_a_flag_and_a_target(kind):
    name = {FlagColumn: "flag", TargetColumn: "target"}[kind]
    reader = CategoryReader(kind(name="x", meaning="x", kind=name))

    assert [reader[value] for value in (False, True, "false", "TRUE", " True ")] == [0, 1, 0, 1, 1]


def test_a_boolean_is_read_as_the_contract_spells_it():
    turned = flag("true", "FALSE")
    assert [turned[value] for value in (True, "True", False, "false")] == [0, 0, 1, 1]
    assert [category("maybe", "True")[value] for value in (True, "TRUE")] == [1, 1]
    assert refused(category("maybe", "True"), False)
    assert refused(category("No", "Yes"), True)
    assert refused(category("0", "1"), True)


@pytest.mark.parametrize(
    "value",
    [
        7, 7.0, "7", "7.0", " 7.000 ", Decimal(7), Decimal("7.00"), np.int8(7), np.uint64(7),
        np.float32(7), np.float64(7),
    ],
)  # fmt: skip
def test_a_whole_number_is_a_category_whatever_carries_it(value):
    assert category("-7", "7")[value] == 1


@pytest.mark.parametrize(
    "value", ["0E-18", "0.0", "-0.0", "0e10", "0.000E-2", -0.0, Decimal("0E-18")]
)
def test_zero_has_many_spellings(value):
    assert category("1", "0")[value] == 1


@pytest.mark.parametrize(
    "value",
    ["07", "+7", "7e0", "07.0", "7.01", "7.", "7,0", "7.0.0", 7.5, Decimal("7.5"), "7" + "0" * 5000 + ".0",
     float("inf"), float("nan"), Decimal("NaN"), Decimal("Infinity"), b"7", 7 + 0j],
)  # fmt: skip
def test_what_only_looks_like_the_number_is_none(value):
    assert refused(category("-7", "7"), value)


def test_a_float_stands_for_a_category_as_far_as_whole_numbers_differ():
    exact, beyond = str(2**53), str(2**53 + 2)
    reader = category(exact, beyond, str(2**64 - 1), str(2**64))

    assert reader[2.0**53] == 0
    assert refused(reader, 2.0**53 + 2)
    assert reader[2**53 + 2] == 1
    assert reader[2**64 - 1] == 2
    assert refused(reader, 2**64)


def test_a_category_that_is_spelt_like_another_value_is_itself():
    reader = category("1.0", "1", "NA", "true")
    assert [reader[value] for value in ("1.0", "1", 1.0, "NA", "true")] == [0, 1, 1, 2, 3]


def number(**more: object) -> NumberReader:
    rule = BlankRule(only_when="visits", equals=0, value=2.5)
    return NumberReader(
        NumberColumn.model_validate(
            {
                "name": "x",
                "meaning": "x",
                "kind": "number",
                "unit": "USD",
                "minimum": 0,
                "maximum": 9,
            }
            | {"blank": rule}
            | more
        )
    )


BLANKS = [
    "",
    " \t",
    None,
    "NA",
    "na",
    "N/A",
    "#N/A",
    "<NA>",
    "nan",
    "NaN",
    "null",
    "NULL",
    "None",
    r"\N",
    r" \n ",
]


@pytest.mark.parametrize("blank", BLANKS)
def test_words_for_nothing_are_blanks_of_a_number(blank):
    assert number().read(blank, beside="0") == 2.5
    for reader, beside, fault in [
        (number(), 1, Fault.BLANK_HERE),
        (number(blank=None), 0, Fault.BLANK),
    ]:
        with pytest.raises(RefusedValue) as caught:
            reader.read(blank, beside=beside)
        assert caught.value.fault is fault


@pytest.mark.parametrize(
    "value", ["-", "?", ".", "missing", "-nan", "inf", "NA NA", "n.a.", True, []]
)
def test_other_words_are_no_blanks(value):
    with pytest.raises(RefusedValue) as caught:
        number().read(value, beside=0)
    assert caught.value.fault in (Fault.NOT_A_NUMBER, Fault.ENDLESS_TEXT)


@pytest.mark.parametrize(
    ("value", "read"), [(Decimal("4.50"), 4.5), ("0E-18", 0.0), (np.float32(4.5), 4.5)]
)
def test_a_decimal_is_a_number(value, read):
    assert number().read(value) == read


def test_names_are_found_again_whatever_their_case_and_punctuation():
    expected = ["customerID", "Contract", "tenure", "MonthlyCharges"]
    found = ["customer_id", "Monthly Charges", "tenure", "Region"]

    assert respelt(found, expected) == {
        "Monthly Charges": "MonthlyCharges",
        "customer_id": "customerID",
    }
    assert respelt([*found, "customerID"], expected) == {"Monthly Charges": "MonthlyCharges"}
    assert respelt(["customer_id", "CUSTOMERID"], expected) == {}
    assert nearest("Contract", ["contracts"]) == "contracts"
    assert nearest("Contract", ["Region"]) is None
    assert nearest("Contract", []) is None


def test_lists_of_names_are_cut():
    pairs = {name: name.upper() for name in "abcd"}
    assert respelt_as(pairs) == "'a' is 'A', 'b' is 'B', 'c' is 'C' and 1 more"
    assert listed(list("abc")) == "'a', 'b', 'c'"
    assert listed(list("abcd")) == "'a', 'b', 'c' and 1 more"
    assert listed(list("abcd"), 4) == "'a', 'b', 'c', 'd'"
