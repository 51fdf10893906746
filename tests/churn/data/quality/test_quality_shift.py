"""Distributions against the accepted table: a warning between the two limits, a refusal above."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from churn.data.quality import check, require
from churn.data.quality.psi import shift


def move_to_two_years(frame, every: int):
    """Puts every so-manieth customer on a contract of two years."""
    chosen = np.arange(len(frame)) % every == 0
    terms = frame["Contract"].cat.categories
    moved = pd.Categorical(np.where(chosen, "Two year", frame["Contract"]), categories=terms)
    return frame.assign(Contract=moved)


@pytest.fixture(scope="module")
def warned(telco):
    return check(move_to_two_years(telco.frame, every=4), telco.contract, telco.frame)


@pytest.fixture(scope="module")
def refused(telco):
    return check(move_to_two_years(telco.frame, every=2), telco.contract, telco.frame)


def psi_of_contract(report) -> float:
    (found,) = (each for each in report.checks if each.name == "distribution of Contract")
    return float(found.observed.removeprefix("PSI "))


def test_between_the_limits_it_warns_and_lets_the_table_through(telco, warned):
    (warning,) = warned.warnings
    share = (telco.frame["Contract"] == "Two year").mean()

    assert 0.1 < psi_of_contract(warned) < 0.5
    assert (warned.verdict, warned.failures) == ("warn", ())
    assert warning.columns == ("Contract",)
    assert warning.expected == "PSI up to 0.1"
    assert f"Two year went from {share:.1%} to " in warning.sentence
    require(warned)


def test_above_the_upper_limit_it_refuses(refused):
    (failure,) = refused.failures

    assert psi_of_contract(refused) > 0.5
    assert refused.verdict == "fail"
    assert failure.name == "distribution of Contract"
    assert failure.expected == "PSI up to 0.5"
    assert "accept this table as the snapshot of contract 'telco'" in failure.way_out


def test_a_number_that_grew_names_the_range_that_moved_most(telco):
    dearer = telco.frame.assign(MonthlyCharges=telco.frame["MonthlyCharges"] + 30)
    report = check(dearer, telco.contract, telco.frame)

    found = {each.name: each for each in report.failures}["distribution of MonthlyCharges"]

    was = telco.frame["MonthlyCharges"].between(20.05, 25.05, inclusive="left").mean()
    assert f"20.05 to below 25.05 went from {was:.1%} to 0.0% of rows" in found.sentence


def test_halves_of_one_table_differ_by_what_chance_brings(telco):
    """The mean over random halves is (bins - 1) * (1/n + 1/m), as the module says."""
    generator = np.random.default_rng(41)
    tenure, column = telco.frame["tenure"], telco.contract.column("tenure")
    found = []
    for _ in range(200):
        order = generator.permutation(len(tenure))
        one, other = tenure.iloc[order[:3521]], tenure.iloc[order[3521:]]
        found.append(shift(column, one, other).psi)

    assert np.mean(found) == pytest.approx(9 * 2 / 3521.5, rel=0.15)


@pytest.mark.parametrize("column", ["tenure", "Contract"])
def test_nothing_is_no_distribution(telco, column):
    of, values = telco.contract.column(column), telco.frame[column]

    with pytest.raises(ValueError, match=f"'{column}' has no values to compare"):
        shift(of, values, values.head(0))
    with pytest.raises(ValueError, match=f"'{column}' has no values to compare"):
        shift(of, values.head(0), values)
