"""What a monitoring run has found: the verdict, what moved and by how much, and what to do."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite

from pydantic import AwareDatetime

from churn.frozen_model import FrozenModel
from churn.monitoring.alarms import AlarmState, Verdict, WindowCheck
from churn.monitoring.drift_check import CheckResult, ColumnDrift, Finding
from churn.monitoring.risk_test import RiskCheck
from churn.run_result import RunResult
from churn.windows.consequence import Consequence
from churn.windows.realised_window import KNOWN_OUTCOMES, RealisedWindow
from churn.windows.window import WindowFacts

_SHOWN_CHECKS = 60
_SHOWN_COLUMNS = 3

NEXT: dict[Verdict, str] = {
    "ok": "Nothing.",
    "watch": "Look at the columns named, and wait for the next window.",
    "alarm": (
        "Find the cause: new prices or offers, a broken join, another kind of customer. Then train "
        "again, or accept it and resolve the alarm: --set resolve.person=NAME."
    ),
    "cannot tell": "Do what the reason says, and check again.",
}


_NEXT_BY_RISK = (
    "Train again on customers whose outcome is known, and promote; customers no longer behave as "
    "those in training did. Or accept it: --set resolve.person=NAME, and this version raises no "
    "other risk alarm."
)


class PastCheck(FrozenModel):
    """A check in the picture of all: when, what it found, and what it was allowed to spend."""

    checked_at: AwareDatetime
    finding: Finding
    p_value: float | None
    raises_alarm: bool


class MonitoringReport(RunResult):
    """One monitoring run.

    Attributes:
        model: name of the model.
        version: that was monitored.
        verdict: of the window, or `alarm` while one is open.
        window: what was checked.
        check: what the check found.
        moved: columns that moved, by LORD++ over all checks with this version.
        moved_slices: groups of customers whose score moved, by the same.
        alarm_since: when the open alarm was raised; None where none is open.
        already_checked: whether the window had been checked before and counted only then.
        could_alarm: whether the check had a part of the year's level to spend.
        alarm_level: p-value at or below which a check raises an alarm.
        watch_level: p-value at or below which it says `watch`.
        consequence: the estimated cost; None where there is no reference.
        realised: what outcomes say; None in reports of earlier releases.
        risk: the newest risk check of the version; None where too few outcomes are known.
        risk_alarm_since: when the risk test alarmed; None where it has not, or a person accepted it.
        past: checks of this kind of window, oldest first, this one among them.
        next_step: what to do.
    """

    model: str
    version: str
    verdict: Verdict
    window: WindowFacts
    check: CheckResult
    moved: tuple[str, ...]
    moved_slices: tuple[str, ...] = ()
    alarm_since: AwareDatetime | None
    already_checked: bool
    could_alarm: bool
    alarm_level: float
    watch_level: float
    consequence: Consequence | None
    realised: RealisedWindow | None = None
    risk: RiskCheck | None = None
    risk_alarm_since: AwareDatetime | None = None
    past: tuple[PastCheck, ...]
    next_step: str

    @property
    def columns(self) -> tuple[ColumnDrift, ...]:
        """The columns, those that moved first, then by how far."""
        return tuple(
            sorted(
                self.check.columns,
                key=lambda each: (each.name not in self.moved, each.p_value, -each.psi),
            )
        )

    @property
    def figures(self) -> dict[str, float]:
        """Figures by name, for `--json`, MLflow and Prometheus."""
        check, window = self.check, self.window
        found: dict[str, float | None] = {
            "rows": window.rows,
            "refused": sum(window.refused.values()),
            "repeated": window.repeated,
            "p_value": check.p_value,
            "classifier_roc_auc": check.classifier_roc_auc,
            "score_gap": check.score_gap,
            "columns_moved": len(self.moved),
            "slices_moved": len(self.moved_slices),
            "largest_psi": max((each.psi for each in check.columns), default=None),
            **self._estimates(),
            **self._realised(),
        }
        return {
            name: float(value)
            for name, value in found.items()
            if value is not None and isfinite(value)
        }

    def _estimates(self) -> dict[str, float | None]:
        said = self.consequence
        if said is None:
            return {}
        now = said.now
        return {
            "estimated_roc_auc": now.roc_auc.value if now.roc_auc else None,
            "estimated_roc_auc_change": said.roc_auc_change,
            "estimated_churn_rate": now.churn_rate.value if now.churn_rate else None,
            "estimated_profit_per_customer": now.profit.value if now.profit else None,
            "estimated_profit_change": said.profit_change,
            "weighted_roc_auc": said.weighted.roc_auc.value if said.weighted.roc_auc else None,
            "weighted_churn_rate": (
                said.weighted.churn_rate.value if said.weighted.churn_rate else None
            ),
        }

    def _realised(self) -> dict[str, float | None]:
        """Figures of the untreated by their outcomes, and of the risk test."""
        found: dict[str, float | None] = {
            "drift_alarm": float(self.alarm_since is not None),
            "risk_alarm": float(self.risk_alarm_since is not None),
        }
        if self.risk is not None:
            found |= {"risk": self.risk.test.risk, "risk_bound": self.risk.test.bound}
        if self.realised is None:
            return found
        found |= {
            "outcomes_measured": self.realised.customers,
            "outcomes_not_due": self.realised.counts.not_due,
            "outcomes_censored": self.realised.counts.censored,
        }
        if self.realised.performance is None:
            return found
        ours = self.realised.performance.untreated
        for name in ("roc_auc", "churn_rate", "profit"):
            if (figure := getattr(ours, name)) is not None:
                found |= {
                    f"realised_{name}": figure.value,
                    f"realised_{name}_lower": figure.interval.lower,
                    f"realised_{name}_upper": figure.interval.upper,
                }
        return found | {
            "outcomes_treated": self.realised.performance.treated.rows,
            "outcomes_holdout": self.realised.performance.holdout.rows,
        }

    @property
    def lines(self) -> dict[str, str]:
        """Window, columns, consequence and what to do, for the terminal."""
        window = self.window
        found = {
            "verdict": self.verdict,
            "model": f"{self.model} version {self.version}",
            "window": f"{window.rows:,} customers of {window.place}",
        }
        if self.alarm_since is not None:
            found["alarm"] = f"open since {self.alarm_since:%Y-%m-%d %H:%M} UTC"
        if self.check.p_value is not None and not self.could_alarm:
            found["no alarm"] = (
                "could be raised: the year has had its checks. Set alarms.checks_per_year to how "
                "often you check."
            )
        if self.moved:
            found["moved"] = "; ".join(
                column_words(each) for each in self.columns[:_SHOWN_COLUMNS]
                if each.name in self.moved
            )  # fmt: skip
        if self.moved_slices:
            found["score moved"] = f"among {'; '.join(self.moved_slices[:_SHOWN_COLUMNS])}"
        if window.refused:
            found["refused"] = refused_words(window)
        if window.note:
            found["left out"] = window.note
        if self.consequence is not None:
            found["estimate"] = self.consequence.sentence
        if self.realised is not None:
            found["outcomes"] = self.realised.sentence
        if self.risk is not None:
            found["risk"] = self.risk.test.sentence
        elif self.realised is not None and self.realised.performance is not None:
            found["risk"] = (
                f"no test yet: it needs {KNOWN_OUTCOMES} untreated outcomes of the version"
            )
        found["to do"] = self.next_step
        return found


def column_words(column: ColumnDrift) -> str:
    """How far a column has moved, beside what chance alone gives."""
    said = f"{column.name}: PSI {column.psi:.3f} (by chance {column.psi_expected:.3f})"
    if column.moved is not None:
        said += f", by {column.moved:.3g} on average"
    if column.unknown:
        said += f", {column.unknown:.1%} blank or unknown"
    return said


def refused_words(window: WindowFacts) -> str:
    """How many rows the contract refuses, and why the first."""
    count = sum(window.refused.values())
    rows = "row is" if count == 1 else "rows are"
    return f"{count:,} {rows} not as the contract says: {window.refusal}"


def monitoring_report(
    state: AlarmState,
    checks: Sequence[WindowCheck],
    window: WindowFacts,
    *,
    levels: tuple[float, float],
    consequence: Consequence | None = None,
    realised: RealisedWindow | None = None,
    risk: RiskCheck | None = None,
    risk_alarm: RiskCheck | None = None,
) -> MonitoringReport:
    """The report of a check that was recorded.

    Args:
        state: what followed; its check is that of the window.
        checks: every check of the kind, oldest first.
        window: what was checked.
        levels: of an alarm, and of `watch`.
        consequence: the estimated cost.
        realised: what outcomes say.
        risk: the newest risk check of the version.
        risk_alarm: the one that raised the alarm that is open.
    """
    ours = state.check
    assert ours is not None  # noqa: S101 - a check that was recorded
    alarmed = state.alarm is not None or risk_alarm is not None
    verdict: Verdict = "alarm" if alarmed else ours.result.finding
    return MonitoringReport(
        status=verdict,
        sentence=_sentence(verdict, state, ours.result, risk_alarm),
        model=ours.model,
        version=ours.version,
        verdict=verdict,
        window=window,
        check=ours.result,
        moved=ours.moved,
        moved_slices=ours.moved_slices,
        alarm_since=state.alarm.checked_at if state.alarm else None,
        already_checked=state.already_checked,
        could_alarm=ours.spent > 0,
        alarm_level=levels[0],
        watch_level=levels[1],
        consequence=consequence,
        realised=realised,
        risk=risk,
        risk_alarm_since=risk_alarm.checked_at if risk_alarm else None,
        past=tuple(_past(each) for each in checks[-_SHOWN_CHECKS:]),
        next_step=NEXT[verdict] if risk_alarm is None else _NEXT_BY_RISK,
    )


def _past(check: WindowCheck) -> PastCheck:
    return PastCheck(
        checked_at=check.checked_at,
        finding=check.result.finding,
        p_value=check.result.p_value,
        raises_alarm=check.raises_alarm,
    )


def _sentence(
    verdict: Verdict, state: AlarmState, result: CheckResult, risk_alarm: RiskCheck | None
) -> str:
    said = f"{verdict}: {result.reason}"
    if verdict == "alarm" and state.alarm is not None and state.alarm != state.check:
        said = (
            f"alarm since {state.alarm.checked_at:%Y-%m-%d}, which nobody has resolved. This window: "
            f"{result.reason}"
        )
    if risk_alarm is not None:
        said = (
            f"alarm since {risk_alarm.checked_at:%Y-%m-%d} by outcomes: {risk_alarm.test.sentence} "
            + (said if state.alarm else f"This window: {result.reason}")
        )
    if state.already_checked:
        said += " It had been checked before and counts once."
    return said
