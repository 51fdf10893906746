"""The card's section on slices: how the model does in groups of customers, and how groups differ."""

from __future__ import annotations

from churn.evaluation.disparities import Estimate
from churn.evaluation.slices import SlicesReport
from churn.reports.model_card.card_section import CardSection, CardTable

TITLE = "Slices and fairness"


def slices_section(report: SlicesReport | None) -> CardSection:
    """Every slice with its intervals, and the differences beyond chance."""
    if report is None:
        return CardSection(
            title=TITLE, missing=("How the model does in groups of customers was not measured.",)
        )
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
        tables=(_slices_table(report),),
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


def _format(figure: Estimate | None, form: str) -> str:
    return figure.text(form) if figure else "too few rows to tell"
