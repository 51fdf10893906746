"""Whether a model has learned from those who judge it: by id where ids last, else by content."""

from __future__ import annotations

import numpy as np
import pytest

from churn.contract import DataContract
from churn.features.encoding import take
from churn.promotion.contenders import Contender, GateRows
from churn.promotion.digests import row_digests
from churn.promotion.evidence_gates import unseen_rows_gate

ROWS = 200


@pytest.fixture(scope="module")
def real(contract):
    """The shipped contract, if its ids were the company's own."""
    first, *others = contract.model_dump()["columns"]
    columns = [first | {"surrogate": False}, *others]
    return DataContract.model_validate(contract.model_dump() | {"columns": columns})


@pytest.fixture(scope="module")
def different(telco_columns, contract):
    """Positions of rows that no two have in common."""
    return np.unique(row_digests(telco_columns, contract).values, axis=0, return_index=True)[1]


@pytest.fixture(scope="module")
def judges(telco_columns, different, real):
    """200 gate rows of customers `judge 0` to `judge 199`."""
    columns = take(telco_columns, different[:ROWS])
    return GateRows(columns, np.zeros(ROWS, np.int8), real, [f"judge {n}" for n in range(ROWS)])


@pytest.fixture(scope="module")
def learned(telco_columns, different, real):
    """A model that learned from 300 rows, the first of them gate rows."""

    def contender(*, alike=0, known=0, contract=real, named=True):
        # given gate customers, whose rows have changed, after rows of others like gate rows
        places = np.r_[different[:alike], different[ROWS : ROWS + 300 - alike]]
        ids = [*(f"other {n}" for n in range(300 - known)), *(f"judge {n}" for n in range(known))]
        digests = row_digests(take(telco_columns, places), contract, ids if named else None)
        return Contender("blend 4", np.zeros(ROWS), trained_on=digests)

    return contender


def gate(contender, rows, *, otherwise="fail"):
    return unseen_rows_gate(contender, rows, role="champion", otherwise=otherwise)


def test_a_model_that_learned_from_nobody_who_judges_passes(judges, learned):
    found = gate(learned(), judges)

    assert (found.verdict, found.figure, found.threshold) == ("pass", 0, 0)
    assert found.sentence == (
        "None of the 200 gate rows is of a customer that blend 4 learned from; 0 equal another "
        "customer's row in every feature."
    )


@pytest.mark.parametrize("otherwise", ["fail", "insufficient evidence"])
@pytest.mark.parametrize(
    ("known", "words"), [(1, "1 of the 200 gate rows is"), (2, "2 of the 200 gate rows are")]
)
def test_a_customer_is_known_however_much_the_row_has_changed(
    judges, learned, otherwise, known, words
):
    found = gate(learned(known=known), judges, otherwise=otherwise)

    assert (found.verdict, found.figure) == (otherwise, known)
    assert found.sentence == f"{words} of a customer that blend 4 learned from."


@pytest.mark.parametrize(
    ("alike", "verdict"), [(1, "pass"), (20, "pass"), (21, "insufficient evidence")]
)
def test_a_tenth_of_the_rows_may_look_like_other_customers(judges, learned, alike, verdict):
    found = gate(learned(alike=alike), judges)

    assert found.verdict == verdict
    word = "equals" if alike == 1 else "equal"
    assert f"; {alike} {word} another customer's row in every feature" in found.sentence
    assert ("surrogate: true" in found.sentence) == (verdict != "pass")


def test_customers_that_are_not_known_are_no_evidence(judges, learned, contract):
    # given a model whose training customers were not kept, or whose contract has other ids
    for contender in (learned(named=False), learned(contract=contract)):
        found = gate(contender, judges)
        assert found.verdict == "insufficient evidence"
        assert found.sentence == (
            "Which customers blend 4 learned from is not known, and rows alone cannot tell."
        )
    # and gate rows without ids
    nameless = GateRows(judges.columns, judges.target, judges.contract)
    assert gate(learned(), nameless).verdict == "insufficient evidence"


@pytest.mark.parametrize(("alike", "verdict"), [(0, "pass"), (1, "fail")])
def test_surrogate_ids_are_not_compared_and_it_is_said(judges, learned, contract, alike, verdict):
    rows = GateRows(judges.columns, judges.target, contract, judges.ids)

    found = gate(learned(alike=alike, known=100, contract=contract), rows)

    assert rows.digests.customers is None
    assert found.verdict == verdict
    assert found.sentence == (
        f"{alike or 'None'} of the 200 gate rows is among the 300 that blend 4 learned from, by "
        "content: the ids are surrogates, so customers could not be compared."
    )


def test_ids_must_be_as_many_as_the_rows(judges):
    with pytest.raises(ValueError, match="200 gate rows and 2 ids do not match"):
        GateRows(judges.columns, judges.target, judges.contract, ["1", "2"])


def test_digests_of_customers_are_of_ids_alone(judges, real):
    columns, ids = take(judges.columns, np.arange(3)), ["C1", "C2", "C3"]
    found = row_digests(columns, real, ids)

    other = take(judges.columns, np.arange(3, 6))
    assert found.customers.shape == (3, 2)
    assert found.customers_found_in(row_digests(other, real, ids[::-1])) == 3
    assert found.customers_found_in(row_digests(columns, real, ["c1", "C2 ", "3"])) == 0
    assert found.customers_found_in(row_digests(columns, real)) is None
    assert found.found_in(row_digests(columns, real)) == 3
