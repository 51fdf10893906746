"""Kaplan-Meier curves: reference values, bounds, medians, categories."""

import numpy as np
import pytest

from churn.contract import CategoryColumn, Role
from churn.exploration.survival import survival_by, survival_curve


def test_the_shipped_tables_curve_has_the_reference_values(telco_columns, telco_target):
    curve = survival_curve(telco_columns["tenure"], telco_target)

    reference = {1: 0.94596, 12: 0.8432, 24: 0.78874, 48: 0.70884, 72: 0.59279}
    assert {at: round(curve.at(at), 5) for at in reference} == reference
    assert curve.at(0) == 1.0
    assert curve.median is None
    assert (curve.lower <= curve.survival).all()
    assert (curve.survival <= curve.upper).all()


def test_a_curve_equals_the_product_by_hand():
    tenure = np.array([2.0, 3.0, 3.0, 5.0, 8.0])
    left = np.array([1, 1, 0, 0, 1], dtype=np.int8)

    curve = survival_curve(tenure, left)

    assert curve.at(1.9) == 1.0
    assert curve.at(2) == pytest.approx(4 / 5)
    assert curve.at(7) == pytest.approx(4 / 5 * 3 / 4)
    assert curve.at(8) == 0.0
    assert curve.median == 8.0


def test_where_nobody_left_all_are_still_there(recwarn):
    curve = survival_curve(np.arange(5.0), np.zeros(5, dtype=np.int8))

    assert curve.survival.tolist() == [1.0] * 5
    assert curve.lower.tolist() == curve.upper.tolist() == [1.0] * 5
    assert not recwarn


def test_a_category_of_fewer_than_thirty_has_no_curve(telco):
    tenure = telco.contract.only_number(Role.TENURE)
    term = CategoryColumn(name="term", kind="category", meaning="Term", categories=("a", "b"))
    codes = np.repeat([0, 1], [30, 29])
    rows = {"term": codes, tenure.name: np.arange(59.0)}

    curves = survival_by(rows, (codes == 0).astype(np.int8), tenure, term)

    assert [(curve.label, curve.rows, curve.left) for curve in curves] == [("a", 30, 30)]


def test_tenure_is_found_by_its_role_alone(telco):
    contract = telco.contract
    without = contract.model_copy(
        update={
            "columns": tuple(
                c.model_copy(update={"roles": ()}) if Role.TENURE in c.roles else c
                for c in contract.columns
            )
        }
    )

    assert contract.only_number(Role.TENURE).name == "tenure"
    assert without.only_number(Role.TENURE) is None
