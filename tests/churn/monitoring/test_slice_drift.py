"""Slices: the score within a group moves, and the whole may not show it."""

from __future__ import annotations

import numpy as np
import pytest

from churn.ledger.drift_checks import DriftLedger
from churn.monitoring.alarms import AlarmPolicy
from churn.monitoring.drift_check import ColumnDrift, check_drift
from churn.monitoring.drift_reference import build_reference
from churn.monitoring.slice_drift import SliceDrift


@pytest.fixture(scope="module")
def scores(telco_target):
    generator = np.random.default_rng(3)
    return np.clip(
        0.2 + 0.3 * telco_target + generator.normal(0, 0.1, len(telco_target)), 0.01, 0.99
    )


@pytest.fixture(scope="module")
def reference(telco_columns, scores, contract):
    return build_reference(telco_columns, scores, contract)


def found(reference, telco_columns, scores, contract):
    rows = {name: values[:2000] for name, values in telco_columns.items()}
    return check_drift(reference, rows, scores[:2000], classifier=False, contract=contract)


def test_only_declared_groups_with_enough_customers_are_compared(
    reference, telco_columns, scores, contract
):
    result = found(reference, telco_columns, scores, contract)

    names = {each.name for each in result.slices}
    assert "gender = Female" in names
    assert "Contract = Two year" in names
    assert not any(name.startswith("PaymentMethod") for name in names)
    assert min(each.rows for each in result.slices) >= 50
    assert min(each.p_value for each in result.slices) > 0.001
    assert (
        check_drift(reference, telco_columns, scores, classifier=False).slices == ()
    )  # nobody declares them without a contract


def test_a_group_whose_score_moved_is_named_by_online_fdr(
    reference, telco_columns, scores, contract, tmp_path
):
    two_years = telco_columns["Contract"] == contract.column("Contract").categories.index(
        "Two year"
    )
    moved = np.where(two_years, np.minimum(scores + 0.3, 0.99), scores)

    result = found(reference, telco_columns, moved, contract)
    with DriftLedger(f"sqlite:///{tmp_path}/ledger.db") as ledger:
        state = ledger.record_check(
            result, model="m", version="1", kind="batch", window="w", policy=AlarmPolicy()
        )

    assert "Contract = Two year" in state.check.moved_slices
    assert state.check.moved == ()  # no column moved
    by_name = {each.name: each for each in result.slices}
    assert by_name["Contract = Two year"].gap > 5 * by_name["Contract = Two year"].gap_expected


def test_columns_and_slices_share_one_stream_of_hypotheses(tmp_path):
    from churn.monitoring.drift_check import CheckResult
    from churn.monitoring.online_fdr import lord_plus_plus

    column = ColumnDrift(name="c", p_value=0.0012, psi=0.1, psi_expected=0.01, unknown=0)
    part = SliceDrift(name="s = 1", rows=60, p_value=0.0015, gap=0.2, gap_expected=0.1)
    result = CheckResult(
        finding="ok", reason="", rows=60, reference_rows=600, p_value=0.5, columns=(column,),
        slices=(part,),
    )  # fmt: skip
    expected = []
    with DriftLedger(f"sqlite:///{tmp_path}/ledger.db") as ledger:
        for number in (1, 2):
            state = ledger.record_check(
                result, model="m", version="1", kind="b", window=f"w{number}", policy=AlarmPolicy()
            )
            expected += [0.0012, 0.0015]
            rejected = lord_plus_plus(expected).rejected[-2:]
            named = (bool(state.check.moved), bool(state.check.moved_slices))
            assert named == rejected
    assert any(rejected)
