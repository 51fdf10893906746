"""What a monitoring run has found: the verdict, what moved and by how much, and what to do."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite

from pydantic import AwareDatetime

from churn.frozen_model import FrozenModel
from churn.monitoring.alarms import AlarmState, Verdict, WindowCheck
from churn.monitoring.drift_check import CheckResult, ColumnDrift, Finding
from churn.run_result import RunResult
from churn.windows.consequence import Consequence
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
        alarm_since: when the open alarm was raised; None where none is open.
        already_checked: whether the window had been checked before and counted only then.
        could_alarm: whether the check had a part of the year's level to spend.
        alarm_level: p-value at or below which a check raises an alarm.
        watch_level: p-value at or below which it says `watch`.
        consequence: the estimated cost; None where there is no reference.
        past: checks of this kind of window, oldest first, this one among them.
        next_step: what to do.
    """

    model: str
    version: str
    verdict: Verdict
    window: WindowFacts
    check: CheckResult
    moved: tuple[str, ...]
    alarm_since: AwareDatetime | None
    already_checked: bool
    could_alarm: bool
    alarm_level: float
    watch_level: float
    consequence: Consequence | None
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
            "largest_psi": max((each.psi for each in check.columns), default=None),
            **self._estimates(),
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
        if window.refused:
            found["refused"] = refused_words(window)
        if window.note:
            found["left out"] = window.note
        if self.consequence is not None:
            found["estimate"] = self.consequence.sentence
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
    rows = "row has" if count == 1 else "rows have"
    return f"{count:,} {rows} no score: {window.refusal}"


def monitoring_report(
    state: AlarmState,
    checks: Sequence[WindowCheck],
    window: WindowFacts,
    *,
    levels: tuple[float, float],
    consequence: Consequence | None = None,
) -> MonitoringReport:
    """The report of a check that was recorded.

    Args:
        state: what followed; its check is that of the window.
        checks: every check of the kind, oldest first.
        window: what was checked.
        levels: of an alarm, and of `watch`.
        consequence: the estimated cost.
    """
    ours = state.check
    assert ours is not None  # noqa: S101 - a check that was recorded
    verdict: Verdict = "alarm" if state.alarm is not None else ours.result.finding
    past = [
        PastCheck(
            checked_at=each.checked_at,
            finding=each.result.finding,
            p_value=each.result.p_value,
            raises_alarm=each.raises_alarm,
        )
        for each in checks[-_SHOWN_CHECKS:]
    ]
    return MonitoringReport(
        status=verdict,
        sentence=_sentence(verdict, state, ours.result),
        model=ours.model,
        version=ours.version,
        verdict=verdict,
        window=window,
        check=ours.result,
        moved=ours.moved,
        alarm_since=state.alarm.checked_at if state.alarm else None,
        already_checked=state.already_checked,
        could_alarm=ours.spent > 0,
        alarm_level=levels[0],
        watch_level=levels[1],
        consequence=consequence,
        past=tuple(past),
        next_step=NEXT[verdict],
    )


def _sentence(verdict: Verdict, state: AlarmState, result: CheckResult) -> str:
    said = f"{verdict}: {result.reason}"
    if verdict == "alarm" and state.alarm is not None and state.alarm != state.check:
        said = (
            f"alarm since {state.alarm.checked_at:%Y-%m-%d}, which nobody has resolved. This window: "
            f"{result.reason}"
        )
    if state.already_checked:
        said += " It had been checked before and counts once."
    return said
