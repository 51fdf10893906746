"""The card's sections on figures: how well the model ranks, and how well it is calibrated."""

from __future__ import annotations

from churn.evaluation.gate_rows import GateRowsReport
from churn.evaluation.metrics import METRIC_TITLES
from churn.evaluation.threshold_report import ThresholdReport
from churn.reports.model_card.card_section import CardSection, CardTable, format_interval
from churn.reports.training.training_report import TrainingReport


def figures_section(report: TrainingReport) -> CardSection:
    """The chosen recipe and its rivals under the protocol, the finished model on the gate rows."""
    found, gate = report.figure.result, report.gate_rows
    rows = []
    for name, title in METRIC_TITLES.items():
        form = ".2f" if name == "lift_at_10" else ".4f"
        bounds = format_interval(found.roc_auc_interval if name == "roc_auc" else None)
        rows.append(
            (
                title,
                f"{found.metrics.figures[name]:{form}}",
                bounds,
                f"{gate.metrics.figures[name]:{form}}",
                format_interval(gate.intervals.get(name), form),
            )
        )
    return CardSection(
        title="Figures",
        sentences=(report.figure.sentence,),
        tables=(
            CardTable(
                caption="The recipe under the protocol, and the finished model on the gate rows.",
                header=("Metric", "Protocol", "95% interval", "Gate rows", "95% interval"),
                rows=tuple(rows),
            ),
            _candidates(report),
        ),
        pictures=("candidates", "gains"),
    )


def _candidates(report: TrainingReport) -> CardTable:
    protocol = report.protocol
    rows = []
    for each in protocol.ranking:
        gained = each.against_baseline
        rows.append(
            (
                each.name,
                f"{each.metrics.roc_auc:.4f}",
                format_interval(each.roc_auc_interval),
                f"{each.metrics.ece:.4f}",
                f"{gained.difference:+.4f}" if gained else "baseline",
                format_interval(gained.interval, "+.4f") if gained else "",
            )
        )
    return CardTable(
        caption=f"All candidates on the same {protocol.plan.splits} splits, best first.",
        header=(
            "Candidate",
            "ROC-AUC",
            "95% interval",
            "ECE",
            f"Gain over {protocol.baseline}",
            "95% interval of the gain",
        ),
        rows=tuple(rows),
    )


def calibration_section(gate: GateRowsReport, threshold: ThresholdReport | None) -> CardSection:
    """Calibration on the gate rows, and whether a correction would help."""
    found = gate.reliability
    judged = "within" if found.within_noise else "beyond"
    corrected = (threshold.recalibration.sentence,) if threshold else ()
    return CardSection(
        title="Calibration",
        sentences=(
            (
                f"On the gate rows the calibration error is {found.ece:.4f} (95% interval "
                f"{format_interval(gate.intervals.get('ece'))}), {judged} the {found.noise_upper:.4f} that a "
                f"perfect model exceeds in 1 sample of 20; on average it shows {found.noise_mean:.4f}."
            ),
            (
                f"Calibration slope {found.slope:.3f} (1 is perfect), intercept "
                f"{found.intercept:+.3f} (0 is perfect)."
            ),
            *corrected,
        ),
        tables=(
            CardTable(
                caption="Groups of equally many gate rows, by predicted probability.",
                header=("Customers", "Predicted", "Left", "A perfect model shows"),
                rows=tuple(
                    (
                        f"{each.rows:,}",
                        f"{each.predicted:.1%}",
                        f"{each.observed:.1%}",
                        f"{each.lower:.1%} to {each.upper:.1%}",
                    )
                    for each in found.bins
                ),
            ),
        ),
        pictures=("reliability",),
        missing=() if threshold else ("Whether a recalibration would help was not tried.",),
    )
