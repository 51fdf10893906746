"""The card's section on slices: how the model does in groups of customers, and how groups differ."""

from __future__ import annotations

from churn.evaluation.disparities import TOO_FEW, Disparity, Estimate, SliceMetric
from churn.evaluation.slices import SlicesReport
from churn.reports.model_card.card_section import CardSection, CardTable

TITLE = "Slices and fairness"


def slices_section(report: SlicesReport | None) -> CardSection:
    """Every slice with its intervals, and the differences beyond chance."""
    if report is None:
        return CardSection(
            title=TITLE, missing=("How the model does in groups of customers was not measured.",)
        )
    if not report.slices:
        return CardSection(title=TITLE, sentences=(report.sentence, *report.notes))
    differing = [each for each in report.disparities if each.verdict == "differs"]
    unseen = len(report.disparities) - len(differing)
    return CardSection(
        title=TITLE,
        sentences=(
            report.sentence,
            (
                f"Against the largest slice of their column, {len(differing)} figures differ "
                f"beyond chance; for {unseen} no difference is seen, or there are too few rows. "
                "Without a correction for their number, 1 in 20 differs by chance."
            ),
            *(each.sentence for each in differing),
            *report.notes,
        ),
        tables=(_slices_table(report), _gaps_table(report)),
    )


def _slices_table(report: SlicesReport) -> CardTable:
    return CardTable(
        caption=(
            f"Every slice; a customer from {report.threshold:.4f} on is selected. "
            "95% intervals in brackets."
        ),
        header=("Slice", "Customers", "Left", "ROC-AUC", "Observed less predicted", "Selected"),
        rows=tuple(
            (
                each.name,
                f"{each.rows:,}",
                f"{each.positives:,}",
                _format(each.roc_auc, ".3f"),
                _format(each.calibration_gap, "+.1%"),
                _format(each.selection_rate, ".1%"),
            )
            for each in report.slices
        ),
    )


def _gaps_table(report: SlicesReport) -> CardTable:
    gaps: dict[tuple[str, str, str], dict[SliceMetric, Disparity]] = {}
    for each in report.disparities:
        gaps.setdefault((each.column, each.value, each.reference), {})[each.metric] = each
    figures = {(each.column, each.value): each for each in report.slices}
    rows = []
    for (column, value, reference), found in gaps.items():
        part = figures[column, value]
        rows.append(
            (
                part.name,
                reference,
                _format(part.true_positive_rate, ".1%"),
                _gap(found.get("true_positive_rate")),
                _format(part.false_positive_rate, ".1%"),
                _gap(found.get("false_positive_rate")),
            )
        )
    return CardTable(
        caption=(
            "True and false positive rates (TPR: selected among those who left; FPR: among those who "
            "stayed), and their gaps to the largest slice of the column, in percentage points."
        ),
        header=("Slice", "Against", "TPR", "TPR gap", "FPR", "FPR gap"),
        rows=tuple(rows),
    )


def _gap(found: Disparity | None) -> str:
    difference = found.difference if found else None
    return difference.text_in_points() if difference else TOO_FEW


def _format(figure: Estimate | None, form: str) -> str:
    return figure.text(form) if figure else TOO_FEW
