"""Gates of a first model, with no champion to beat: floors that were fixed before the run."""

from __future__ import annotations

from churn.evaluation.comparison import PairedDifference
from churn.evaluation.gate_rows import GateRowsReport
from churn.evaluation.intervals import Interval, rows_needed
from churn.evaluation.plan import Floors
from churn.promotion.decision import (
    NON_INFERIORITY,
    Decision,
    Gate,
    GateVerdict,
    decide,
    unknown_gate,
    verdict_at_least,
)

RANKS_WELL = "ranks well"
WELL_CALIBRATED = "well calibrated"
PLAUSIBLE = "not too good to be true"


def judge_first_model(
    gate_rows: GateRowsReport, floors: Floors, *, against_baseline: PairedDifference | None
) -> Decision:
    """Judges a first model, with no champion to beat, against floors fixed before the run.

    `against_baseline` is its paired difference to the plain baseline over cross-validation splits;
    None where the model is that baseline.
    """
    gates = [
        enough_rows_gate(gate_rows.metrics.rows, gate_rows.metrics.positives, floors),
        ranking_floor_gate(gate_rows, floors),
        calibration_gate(gate_rows, floors),
        plausibility_gate(gate_rows, floors),
    ]
    if against_baseline is not None:
        gates.append(baseline_gate(against_baseline, floors))
    return decide(gates, challenger=gate_rows.model)


def enough_rows_gate(rows: int, left: int, floors: Floors) -> Gate:
    """Whether there are enough gate rows to decide anything; `left` of them are of customers who left."""
    share = min(max(left, 1), max(rows - 1, 1)) / max(rows, 2)
    needed = floors.minimum_rows or rows_needed(
        floors.roc_auc_lower, floors.roc_auc_half_width, share
    )
    enough = rows >= needed
    sentence = f"{rows:,} customers were set aside, {'at least' if enough else 'fewer than'} the "
    if floors.minimum_rows:
        sentence += f"{needed:,} required."
    else:
        sentence += (
            f"{needed:,} that it takes to tell a ROC-AUC of {floors.roc_auc_lower:g} to "
            f"\N{PLUS-MINUS SIGN}{floors.roc_auc_half_width:g} where {share:.1%} leave"
        )
        sentence += (
            "."
            if enough
            else f"; train on a table with {needed / max(rows, 1):.1f} times as many customers, or "
            "set more of them aside (split.gate_fraction)."
        )
    return Gate(
        name="enough gate rows",
        figure=rows,
        threshold=needed,
        verdict="pass" if enough else "insufficient evidence",
        sentence=sentence,
    )


def ranking_floor_gate(gate_rows: GateRowsReport, floors: Floors) -> Gate:
    """Whether the interval of the ROC-AUC clears the floor."""
    interval, floor = gate_rows.intervals["roc_auc"], floors.roc_auc_lower
    verdict = verdict_at_least(interval, floor)
    relation = {
        "pass": "lies above",
        "fail": "lies below",
        "insufficient evidence": "does not clear",
    }[verdict]
    return Gate(
        name=RANKS_WELL,
        figure=gate_rows.metrics.roc_auc,
        threshold=floor,
        verdict=verdict,
        sentence=(
            f"The gate rows' ROC-AUC is {gate_rows.metrics.roc_auc:.4f}; its 95% interval "
            f"{interval.span()} {relation} the floor of {floor:g}."
        ),
        interval=_finite(interval),
    )


def calibration_gate(gate_rows: GateRowsReport, floors: Floors) -> Gate:
    """Whether the calibration error surely keeps below the ceiling, or surely exceeds it.

    The bound is judged, not the figure: of models with a true error above the ceiling at most one in
    forty passes.
    """
    error, interval = gate_rows.reliability.ece, gate_rows.intervals["ece"]
    ceiling, noise = floors.ece_upper, gate_rows.reliability.noise_mean
    verdict: GateVerdict = "insufficient evidence"
    ending = f"may lie above the ceiling of {ceiling:g}"
    if interval.upper <= ceiling:
        verdict, ending = "pass", f"stays within the ceiling of {ceiling:g}"
    elif interval.lower > ceiling:
        verdict, ending = "fail", f"surely exceeds the ceiling of {ceiling:g}"
    return Gate(
        name=WELL_CALIBRATED,
        figure=error,
        threshold=ceiling,
        verdict=verdict,
        sentence=(
            f"The calibration error is {error:.3f} (95% interval {interval.span('.3f')}; "
            f"a perfect model would show {noise:.3f} on as many rows) "
            f"and {ending}."
        ),
        interval=_finite(interval),
    )


def plausibility_gate(gate_rows: GateRowsReport, floors: Floors) -> Gate:
    """Whether no column alone, nor the model, ranks so well that the outcome must be among the features.

    Such a model is held, not rejected: a person has to look where the column comes from.
    """
    strongest, figure = gate_rows.strongest_column, gate_rows.metrics.roc_auc
    if strongest is None:
        why = "How well single columns rank the gate rows is not known"
        return unknown_gate(PLAUSIBLE, floors.column_roc_auc_upper, why)
    alone = f"column '{strongest.column}' alone reaches ROC-AUC {strongest.roc_auc:.3f}"
    known = (
        "ask whether it is known before a customer leaves, and take it out of the contract if not"
    )
    verdict: GateVerdict = "insufficient evidence"
    if strongest.roc_auc > floors.column_roc_auc_upper:
        figure, threshold = strongest.roc_auc, floors.column_roc_auc_upper
        sentence = (
            f"{alone[0].upper()}{alone[1:]} on the gate rows, more than the {threshold:g} that is "
            f"believed; {known}, or raise floors.column_roc_auc_upper."
        )
    elif figure > floors.roc_auc_upper:
        threshold = floors.roc_auc_upper
        sentence = (
            f"The gate rows' ROC-AUC of {figure:.4f} is more than the {threshold:g} that is believed "
            f"({alone}); {known}, or raise floors.roc_auc_upper."
        )
    else:
        verdict, figure, threshold = "pass", strongest.roc_auc, floors.column_roc_auc_upper
        sentence = f"The strongest {alone}; up to {threshold:g} is believed."
    return Gate(
        name=PLAUSIBLE, figure=figure, threshold=threshold, verdict=verdict, sentence=sentence
    )


def baseline_gate(difference: PairedDifference | None, floors: Floors) -> Gate:
    """Whether the model beats the plain baseline, or trails it by less than the margin."""
    name, margin = "not worse than the baseline", floors.baseline_margin
    if difference is None:
        why = "No difference to the baseline over cross-validation splits is known"
        return unknown_gate(name, -margin, why)
    interval = difference.interval
    verdict = verdict_at_least(interval, -margin)
    return Gate(
        name=name,
        figure=difference.difference,
        threshold=-margin,
        verdict=verdict,
        sentence=(
            f"Over {difference.splits} splits the model gains {difference.difference:+.4f} ROC-AUC "
            f"(95% interval {interval.span('+.4f')}); with a margin of "
            f"{margin:g}, {NON_INFERIORITY[verdict]} than {difference.reference}."
        ),
        interval=_finite(interval),
    )


def _finite(interval: Interval) -> Interval | None:
    """Returns the interval, or None if a bound is NaN: such a record could not be read back."""
    return interval if interval.lower <= interval.upper else None
