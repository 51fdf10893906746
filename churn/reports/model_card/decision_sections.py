"""The card's sections on decisions: the decision threshold, and the gates' verdict."""

from __future__ import annotations

from churn.evaluation.threshold_gate import RULE_NAMES, GateJudgement
from churn.evaluation.threshold_report import ThresholdReport
from churn.promotion.decision import Decision, Gate
from churn.reports.model_card.card_section import CardSection, CardTable


def threshold_section(report: ThresholdReport | None) -> CardSection:
    """The decision threshold, what it earns, and on which assumptions."""
    if report is None:
        return CardSection(
            title="Decision threshold",
            missing=("No threshold was chosen in this run: the scores rank, nobody is selected.",),
        )
    tables = [_choices(report)]
    if report.gate:
        tables.append(_campaigns(report.gate, report.value.money))
    tables.append(_sensitivity(report))
    return CardSection(
        title="Decision threshold",
        sentences=(*report.headlines, *report.details),
        tables=tuple(tables),
        pictures=("profit", "campaigns") if report.gate else ("profit",),
        assumptions=report.assumptions,
        missing=() if report.gate else ("The threshold was not judged on the gate rows.",),
    )


def _choices(report: ThresholdReport) -> CardTable:
    money = report.value.money
    return CardTable(
        caption=(
            f"What each rule chooses on out-of-fold scores of {report.rows:,} development rows; "
            f"{RULE_NAMES[report.settings.rule]} counts. Profit in {money} per customer."
        ),
        header=("Rule", "Threshold", "95% interval", "Contacted", "Leavers reached", "Profit"),
        rows=tuple(
            (
                RULE_NAMES[each.rule],
                f"{each.threshold:.4f}",
                each.interval.span(),
                f"{each.campaign.share:.1%}",
                f"{each.campaign.leavers_reached:.1%}",
                f"{each.campaign.profit:.2f}",
            )
            for each in report.choices
        ),
    )


def _campaigns(judged: GateJudgement, currency: str) -> CardTable:
    against = {each.reference: each for each in judged.differences}
    rows = []
    for each in judged.campaigns:
        gap = against.get(each.name)
        rows.append(
            (
                RULE_NAMES[each.name],
                f"{each.contacted:,}",
                f"{each.leavers_reached:.1%}",
                f"{each.precision:.1%}",
                f"{each.profit:.2f}",
                each.profit_interval.span(".2f"),
                f"{round(gap.difference, 2) + 0.0:+.2f} ({gap.interval.span('+.2f')})"
                if gap
                else "chosen",
            )
        )
    return CardTable(
        caption=(
            f"Campaigns on the {judged.rows:,} gate rows. Profit in {currency} per customer, all "
            "customers counted; the last column is the chosen campaign less this one, in pairs."
        ),
        header=(
            "Campaign",
            "Contacted",
            "Leavers reached",
            "Of contacted, left",
            "Profit",
            "95% interval",
            "Chosen less this",
        ),
        rows=tuple(rows),
    )


def _sensitivity(report: ThresholdReport) -> CardTable:
    return CardTable(
        caption=(
            "One assumption changed, the development rows the same: the threshold that then earns "
            f"most, and what keeping the chosen one would forgo, in {report.value.money} per "
            "customer."
        ),
        header=("Assumption", "Change", "Threshold", "Contacted", "Profit", "Forgone"),
        rows=tuple(
            (
                each.assumption,
                each.change,
                f"{each.threshold:.4f}",
                f"{each.share:.1%}",
                f"{each.profit:.2f}",
                f"{each.forgone:.2f}",
            )
            for each in report.sensitivity
        ),
    )


def verdict_section(decision: Decision) -> CardSection:
    """The gates' verdict."""
    return CardSection(
        title="Verdict",
        sentences=(decision.sentence,),
        tables=(
            CardTable(
                caption="The verdict, gate by gate.",
                header=("Gate", "Verdict", "Figure", "Threshold", "In words"),
                rows=tuple(
                    (each.name, each.verdict, *_figures(each), each.sentence)
                    for each in decision.gates
                ),
            ),
        ),
    )


def _figures(gate: Gate) -> tuple[str, str]:
    form = ",.0f" if gate.threshold >= 2 else ".4f"  # noqa: PLR2004 - a count, not a share
    return f"{gate.figure:{form}}", f"{gate.threshold:{form}}"
