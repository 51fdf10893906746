"""One check of a window: compared with the bundle's reference, kept in the ledger, put into words."""

from __future__ import annotations

from churn.contract import DataContract
from churn.ledger.drift_checks import DriftLedger
from churn.monitoring.alarms import AlarmPolicy, AlarmState, WindowCheck
from churn.monitoring.drift_check import CheckResult, check_drift
from churn.monitoring.drift_reference import DriftReference
from churn.windows.window import Window

NOTHING_KEPT = "Nothing was scored in these days, or its inputs were not kept."


def compare(
    window: Window,
    reference: DriftReference | str,
    policy: AlarmPolicy,
    *,
    classifier: bool,
    contract: DataContract | None = None,
) -> CheckResult:
    """Compares a window with a reference; a text says why there is none that can be used.

    With a contract, the score is compared within the slices that it declares, too.
    """
    if isinstance(reference, str):
        return CheckResult(
            finding="cannot tell", reason=reference, rows=window.facts.rows, reference_rows=0
        )
    unnamed = window.facts.refused.get(contract.id.name, 0) if contract else 0
    if 2 * unnamed > window.facts.rows:
        reason = (
            f"{unnamed:,} of {window.facts.rows:,} rows have no id, so rows of one customer cannot be "
            "told from those of many. Give the ids."
        )
        return CheckResult(
            finding="cannot tell", reason=reason, rows=window.facts.rows, reference_rows=0
        )
    return check_drift(
        reference,
        window.columns,
        window.probability,
        watch_level=policy.watch_level,
        classifier=classifier,
        contract=contract,
    )


def record(
    ledger: DriftLedger,
    window: Window,
    result: CheckResult,
    *,
    model: str,
    version: str,
    policy: AlarmPolicy,
) -> tuple[AlarmState, tuple[WindowCheck, ...]]:
    """Keeps a check; returns what follows, this window's check in it, and every check of its kind.

    Raises:
        InputError: the ledger cannot be used.
        ChurnError: other runs recorded checks all the time.
    """
    facts = window.facts
    state = ledger.record_check(
        result, model=model, version=version, kind=facts.kind, window=facts.id, policy=policy
    )
    return state, tuple(ledger.checks(model, facts.kind))
