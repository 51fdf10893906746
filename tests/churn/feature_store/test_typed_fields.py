"""What is known of customers as typed values: a formula of a wrong field is no missing one."""

import pytest

from churn.feature_store.typed_fields import TypedFields
from churn.scoring.fields import FieldError


@pytest.fixture
def row(few):
    return {each.name: few.frame.iloc[0][each.name] for each in few.contract.features}


@pytest.mark.parametrize("name", ["tenure", "tenure_bucket"])
@pytest.mark.parametrize(("field", "value"), [("tenure", -5), ("tenure", "many")])
def test_a_value_that_the_contract_does_not_allow_is_an_error(few, row, name, field, value):
    with pytest.raises(FieldError, match="tenure") as error:
        TypedFields(few.contract).typed([row, row | {field: value}], [name])
    assert error.value.field == "tenure"


@pytest.mark.parametrize("absent", ["tenure", "Contract", "TotalCharges"])
def test_a_formula_is_absent_where_a_field_is_absent_or_nothing(few, row, absent):
    without = {name: value for name, value in row.items() if name != absent}

    found = TypedFields(few.contract).typed(
        [row, without, row | {absent: None}, {}], ["tenure_bucket"]
    )

    assert [len(each) for each in found] == [1, 0, 0, 0]
