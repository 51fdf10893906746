"""Whether a model may be promoted: gates that each give a figure, a threshold and a verdict.

A gate has three answers, because failing and not knowing call for different things: a model that
fails is rejected, one that is not known well enough is held until there is more evidence. Anything
that cannot be compared, NaN included, counts as not known; nothing passes by accident.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from churn.errors import GateError
from churn.evaluation.comparison import PairedDifference
from churn.evaluation.gate_rows import GateRowsReport
from churn.evaluation.intervals import Interval
from churn.evaluation.plan import Floors

GateVerdict = Literal["pass", "fail", "insufficient evidence"]
Verdict = Literal["promote", "hold", "reject"]


class Gate(BaseModel):
    """One condition of promotion.

    Attributes:
        name: what is asked.
        figure: what was measured.
        threshold: what the figure is held against.
        verdict: pass, fail, or insufficient evidence.
        sentence: the answer in words.
        interval: where the figure plausibly lies, for a gate that judges by it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    figure: float
    threshold: float
    verdict: GateVerdict
    sentence: str
    interval: Interval | None = None


class Decision(BaseModel):
    """What the gates come to.

    Attributes:
        verdict: promote, hold or reject.
        gates: every gate that was asked, in order.
        reasons: sentences of the gates that held the model back; all of them if none did.
        challenger: the model judged.
        champion: the model in production it was compared with; None where there is none yet.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    verdict: Verdict
    gates: tuple[Gate, ...] = Field(min_length=1)
    reasons: tuple[str, ...]
    challenger: str
    champion: str | None = None

    @property
    def sentence(self) -> str:
        """The verdict in words."""
        passed = sum(gate.verdict == "pass" for gate in self.gates)
        count = f"{passed} of {len(self.gates)} gates passed"
        if self.verdict == "promote":
            return f"{self.challenger} is promoted: {count}."
        ending = "is held back" if self.verdict == "hold" else "is rejected"
        return f"{self.challenger} {ending} ({count}): {' '.join(self.reasons)}"


def decide(gates: Sequence[Gate], *, challenger: str, champion: str | None = None) -> Decision:
    """Any fail rejects; else any insufficient evidence holds; else the model is promoted.

    Raises:
        ValueError: no gate was asked.
    """
    if not gates:
        raise ValueError("a decision needs at least one gate")
    verdict: Verdict = "promote"
    against: GateVerdict = "pass"
    if any(gate.verdict == "fail" for gate in gates):
        verdict, against = "reject", "fail"
    elif any(gate.verdict != "pass" for gate in gates):
        verdict, against = "hold", "insufficient evidence"
    return Decision(
        verdict=verdict,
        gates=tuple(gates),
        reasons=tuple(gate.sentence for gate in gates if gate.verdict == against),
        challenger=challenger,
        champion=champion,
    )


def require_promotion(decision: Decision) -> None:
    """Lets a promoted model through.

    Raises:
        GateError: the decision is to hold or to reject.
    """
    if decision.verdict != "promote":
        raise GateError(decision.sentence)


def verdict_at_least(interval: Interval, threshold: float) -> GateVerdict:
    """Whether the whole interval lies at or above a threshold, below it, or astride it."""
    if interval.lower >= threshold:
        return "pass"
    return "fail" if interval.upper < threshold else "insufficient evidence"


def judge_absolute(
    gate_rows: GateRowsReport, floors: Floors, *, against_baseline: PairedDifference | None
) -> Decision:
    """Judges a first model, with no champion to beat, against floors fixed before the run.

    Args:
        gate_rows: the final model on the rows set aside.
        floors: the thresholds.
        against_baseline: its paired difference to the plain baseline over cross-validation
            splits; None where the model is that baseline.
    """
    gates = [
        _enough_rows(gate_rows, floors),
        _ranks_well(gate_rows, floors),
        _well_calibrated(gate_rows, floors),
    ]
    if against_baseline is not None:
        gates.append(_not_worse(against_baseline, floors))
    return decide(gates, challenger=gate_rows.model)


def _enough_rows(gate_rows: GateRowsReport, floors: Floors) -> Gate:
    rows = gate_rows.metrics.rows
    enough = rows >= floors.minimum_rows
    relation = "at least" if enough else "fewer than"
    return Gate(
        name="enough gate rows",
        figure=rows,
        threshold=floors.minimum_rows,
        verdict="pass" if enough else "insufficient evidence",
        sentence=f"{rows:,} customers were set aside, {relation} the {floors.minimum_rows:,} asked.",
    )


def _ranks_well(gate_rows: GateRowsReport, floors: Floors) -> Gate:
    interval, floor = gate_rows.intervals["roc_auc"], floors.roc_auc_lower
    verdict = verdict_at_least(interval, floor)
    ending = {
        "pass": f"lies above the floor of {floor:g}",
        "fail": f"lies below the floor of {floor:g}",
        "insufficient evidence": f"does not clear the floor of {floor:g}",
    }[verdict]
    return Gate(
        name="ranks well",
        figure=gate_rows.metrics.roc_auc,
        threshold=floor,
        verdict=verdict,
        sentence=(
            f"The gate rows' ROC-AUC is {gate_rows.metrics.roc_auc:.4f}; its 95% interval "
            f"{interval.span()} {ending}."
        ),
        interval=interval,
    )


def _well_calibrated(gate_rows: GateRowsReport, floors: Floors) -> Gate:
    error, interval = gate_rows.reliability.ece, gate_rows.intervals["ece"]
    ceiling, noise = floors.ece_upper, gate_rows.reliability.noise_mean
    verdict: GateVerdict = "insufficient evidence"
    ending = f"exceeds the ceiling of {ceiling:g}, but not by more than chance could explain"
    if error <= ceiling:
        verdict, ending = "pass", f"stays within the ceiling of {ceiling:g}"
    elif interval.lower > ceiling:
        verdict, ending = "fail", f"surely exceeds the ceiling of {ceiling:g}"
    return Gate(
        name="well calibrated",
        figure=error,
        threshold=ceiling,
        verdict=verdict,
        sentence=(
            f"The calibration error is {error:.3f} (95% interval {interval.span('.3f')}; "
            f"a perfect model would show {noise:.3f} on as many rows) "
            f"and {ending}."
        ),
        interval=interval,
    )


def _not_worse(difference: PairedDifference, floors: Floors) -> Gate:
    interval, margin = difference.interval, floors.baseline_margin
    verdict = verdict_at_least(interval, -margin)
    ending = {
        "pass": f"it is not worse than {difference.reference}",
        "fail": f"it is worse than {difference.reference}",
        "insufficient evidence": f"it may be worse than {difference.reference}",
    }[verdict]
    return Gate(
        name="not worse than the baseline",
        figure=difference.difference,
        threshold=-margin,
        verdict=verdict,
        sentence=(
            f"Over {difference.splits} splits the model gains {difference.difference:+.4f} ROC-AUC "
            f"(95% interval {interval.span('+.4f')}); with a margin of "
            f"{margin:g}, {ending}."
        ),
        interval=interval,
    )
