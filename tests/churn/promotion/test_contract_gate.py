"""Models of two contracts are not compared."""

import pytest

from churn.promotion.evidence_gates import contract_gate


def changed(contract, column, **changes):
    features = [
        each.model_copy(update=changes) if each.name == column else each
        for each in contract.columns
    ]
    return contract.model_copy(update={"columns": tuple(features), "version": 2})


def test_one_contract_may_be_edited_where_columns_and_categories_stay(contract):
    renumbered = contract.model_copy(update={"version": 7, "title": "The same customers"})

    assert contract_gate(renumbered, contract).verdict == "pass"


@pytest.mark.parametrize("change", ["another business", "another order of categories"])
def test_models_of_two_contracts_are_held_and_the_sentence_says_just_that(contract, change):
    if change == "another business":
        other = contract.model_copy(update={"name": "insurance", "version": 2})
        differ = ""
    else:
        categories = contract.column("Contract").categories
        other = changed(contract, "Contract", categories=categories[::-1])
        differ = ", whose columns differ"

    gate = contract_gate(other, contract)

    assert gate.verdict == "insufficient evidence"
    assert gate.sentence == (
        f"The challenger was trained under the data contract '{other.name}' version 2 and the "
        f"champion under '{contract.name}' version {contract.version}{differ}: models of two "
        "contracts cannot be compared. Train it under a model name of its own, with --set "
        "model.name=NAME."
    )
