"""The slides on the experiment: its plan, and treated against holdout."""

from __future__ import annotations

from churn.experiments.readout import Readout
from churn.reports.executive.evidence import Evidence
from churn.reports.executive.slide import ASSUMED, Slide, Table, columns, is_assumed

UNBALANCED = "The arms' sizes are no chance, so this shows no effect of the offers."


def experiment_slide(seen: Evidence) -> Slide:
    """The plan."""
    looks = seen.experiment.looks
    rows = tuple(
        (
            seen.count(f"experiment.looks.{at}.number"),
            str(look.due),
            seen.state(f"experiment.looks.{at}.information", ".0%"),
            seen.state(f"experiment.looks.{at}.bound", ".3f"),
        )
        for at, look in enumerate(looks)
    )
    return Slide(
        title=(
            f"{seen.count('experiment.campaigns')} campaigns of this size measure the effect, by "
            f"{seen.experiment.ends}"
        ),
        lines=(
            (
                f"Needed: {seen.count('experiment.holdout_needed')} held out and "
                f"{seen.count('experiment.treated_needed')} treated, to find a churn of "
                f"{seen.share('experiment.treated_rate')} instead of "
                f"{seen.share('experiment.holdout_rate')} with power "
                f"{seen.state('experiment.settings.power', '.0%')}."
            ),
            (
                f"One campaign has {seen.count('experiment.holdout')} and "
                f"{seen.count('experiment.treated')}: power {seen.share('experiment.power')}."
            ),
            *seen.experiment.guardrails[:2],
        ),
        notes=(
            "Looks before their day raise the rate of false findings. The bounds keep it at "
            f"{seen.state('experiment.settings.alpha', '.0%')} over all looks (O'Brien-Fleming, "
            "Lan-DeMets)."
        ),
        table=Table(
            (("Look", "Due", "Outcomes known", "Stop if |z| reaches"), *rows),
            "Table: the planned looks, their days and their bounds.",
        ),
    )


def treated_slide(seen: Evidence) -> Slide:
    """What was measured, or what is expected as long as nothing was."""
    if seen.readout is None:
        paths = {
            "without contact": "roi.holdout.rate_without",
            "with contact": "roi.holdout.rate_with",
        }
        return Slide(
            title=(
                f"Expected: {seen.share('roi.holdout.rate_with')} of the contacted leave, not "
                f"{seen.share('roi.holdout.rate_without')}"
            ),
            lines=(
                (f"{seen.count('roi.holdout.held_out')} customers who would be contacted are left out "
                "by chance."),
                (f"That forgoes {seen.money('roi.holdout.forgone')} of expected profit, and is what "
                "tells effect from assumption."),
            ),
            notes="No outcome is known yet; this is what the assumptions say.",
            chart=columns(
                seen, "Share who leave", "0.0%", paths,
                "Columns: expected churn without and with contact.",
            ),
            label=ASSUMED if is_assumed(seen) else "",
        )  # fmt: skip
    return _readout(seen, seen.readout)


def _readout(seen: Evidence, readout: Readout) -> Slide:
    both = "readout.comparison"
    return Slide(
        title=(
            f"Measured: {seen.share(f'{both}.treated_rate')} of the treated left, "
            f"{seen.share(f'{both}.holdout_rate')} of the holdout"
        ),
        lines=(
            (f"Difference {seen.state(f'{both}.difference', '+.1%')} "
            f"({seen.state(f'{both}.interval.lower', '+.1%')} to "
            f"{seen.state(f'{both}.interval.upper', '+.1%')}); decision: "
            f"{seen.value('readout.decision')}."),
            readout.guardrail,
            *(() if readout.balanced else (UNBALANCED,)),
        ),
        notes=(
            f"Look {seen.count('readout.look')} of experiment {seen.value('readout.experiment')}, taken "
            f"on {readout.read_on}."
        ),
        chart=columns(
            seen, "Share who left", "0.0%",
            {arm: f"{both}.{arm}_rate" for arm in ("holdout", "treated")},
            "Columns: measured churn of holdout and treated.",
        ),
    )  # fmt: skip
