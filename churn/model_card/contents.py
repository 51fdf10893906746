"""A model card in sections: what each says, in the order a reader needs it."""

from __future__ import annotations

from churn.evaluation.metrics import METRIC_TITLES
from churn.model_card.card import ModelCard
from churn.model_card.decision_sections import threshold_section, verdict_section
from churn.model_card.section import CardSection, CardTable, span
from churn.model_card.slices_section import slices_section

_TWO_DIGITS = ("lift_at_10",)


def sections(card: ModelCard) -> tuple[CardSection, ...]:
    """The whole card; the same card gives the same sections."""
    return (
        _in_short(card),
        _purpose(card),
        _use(card),
        CardSection(title="What it must not be used for", sentences=card.purpose.misuse),
        _data(card),
        _protocol(card),
        _metrics(card),
        _calibration(card),
        threshold_section(card.threshold),
        slices_section(card.slices),
        card.explanations or _absent("Explanations", "What moves the scores was not examined"),
        card.tuning or _absent("Tuning", "No search for settings was reported"),
        card.checks or _absent("Further checks", "No further suite of checks was reported"),
        verdict_section(card.report.decision),
        _limits(card),
        _handling(card),
        _origin(card),
    )


def _in_short(card: ModelCard) -> CardSection:
    report = card.report
    warning = (report.profile_warning,) if report.profile_warning else ()
    decided = card.threshold.headlines if card.threshold else ()
    return CardSection(
        title="In short",
        sentences=(*warning, *report.sentences, *decided),
        assumptions=card.threshold.assumptions if card.threshold else (),
    )


def _purpose(card: ModelCard) -> CardSection:
    said = card.purpose
    return _told(
        "Purpose and owners",
        {
            "Predicts": said.description,
            "Owners": said.owners,
            "License": said.license,
            "Recipe": card.report.selection.chosen,
        },
    )


def _use(card: ModelCard) -> CardSection:
    said = card.purpose
    return _told(
        "Intended use",
        {"Users": said.audience, "Uses": said.use_cases, "To mind": said.ethics},
    )


def _data(card: ModelCard) -> CardSection:
    data, quality, origin = card.report.data, card.report.quality, card.provenance
    told = _told(
        "Data",
        {
            "Table": data.title,
            "Source": data.location,
            "SHA-256": data.sha256,
            "Size": f"{data.rows:,} customers, {data.columns} columns",
            "Left": f"{data.churn_rate:.1%} of them",
            "Split": f"{data.development_rows:,} development rows, {data.gate_rows:,} gate rows",
            "Contract": origin.contract,
            "Contract's digest": origin.contract_digest,
            "Quality gate": f"{quality.verdict}: {quality.passed} of {quality.total} checks held",
        },
    )
    return told.model_copy(update={"sentences": quality.findings})


def _protocol(card: ModelCard) -> CardSection:
    report = card.report
    selection = report.selection
    return CardSection(
        title="How it was judged",
        sentences=(
            (
                f"Choosing a candidate: {selection.rule} {selection.report.plan.sentence} Only the "
                f"{selection.report.rows:,} development rows take part."
            ),
            (
                f"Judging the recipe: {report.protocol.plan.sentence} All {report.protocol.rows:,} "
                "customers take part."
            ),
            (
                f"Judging the finished model: {report.gate_rows.metrics.rows:,} gate rows, set aside "
                "before anything was fitted, measured once; intervals resample them "
                f"{report.gate_rows.bootstrap_samples:,} times."
            ),
        ),
        assumptions=report.assumptions,
    )


def _metrics(card: ModelCard) -> CardSection:
    report = card.report
    found, gate = report.figure.result, report.gate_rows
    rows = []
    for name, title in METRIC_TITLES.items():
        form = ".2f" if name in _TWO_DIGITS else ".4f"
        bounds = span(found.roc_auc_interval if name == "roc_auc" else None)
        rows.append(
            (
                title,
                f"{found.metrics.figures[name]:{form}}",
                bounds,
                f"{gate.metrics.figures[name]:{form}}",
                span(gate.intervals.get(name), form),
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
            _candidates(card),
        ),
        pictures=("candidates", "gains"),
    )


def _candidates(card: ModelCard) -> CardTable:
    protocol = card.report.protocol
    rows = []
    for each in protocol.ranking:
        gained = each.against_baseline
        rows.append(
            (
                each.name,
                f"{each.metrics.roc_auc:.4f}",
                span(each.roc_auc_interval),
                f"{each.metrics.ece:.4f}",
                f"{gained.difference:+.4f}" if gained else "baseline",
                span(gained.interval, "+.4f") if gained else "",
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


def _calibration(card: ModelCard) -> CardSection:
    gate = card.report.gate_rows
    found = gate.reliability
    judged = "within" if found.within_noise else "beyond"
    corrected = (card.threshold.recalibration.sentence,) if card.threshold else ()
    return CardSection(
        title="Calibration",
        sentences=(
            (
                f"On the gate rows the calibration error is {found.ece:.4f} (95% interval "
                f"{span(gate.intervals.get('ece'))}), {judged} the {found.noise_upper:.4f} that a "
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
        missing=() if card.threshold else ("Whether a recalibration would help was not tried.",),
    )


def _limits(card: ModelCard) -> CardSection:
    told = _told(
        "Limits",
        {"Limitations": card.purpose.limitations, "Trade-offs": card.purpose.trade_offs},
    )
    data = card.report.data
    return told.model_copy(
        update={
            "sentences": (
                (
                    f"It knows {data.rows:,} customers of one table; figures hold for customers like "
                    "them."
                ),
                (
                    "It says how likely a customer is to leave, not when, and not whether an offer "
                    "would help."
                ),
            )
        }
    )


def _handling(card: ModelCard) -> CardSection:
    rollback = card.provenance.rollback
    return CardSection(
        title="Retraining and rolling back",
        commands={
            "Train it anew, judge it and register it": card.provenance.retrain,
            "Say which model would be put back": f"{rollback} --set dry_run=true",
            "Put the previous model back": rollback,
        },
    )


def _origin(card: ModelCard) -> CardSection:
    origin = card.provenance
    told = _told(
        "Version",
        {
            "Model": card.report.model_name,
            "Version": origin.version,
            "Made": card.report.created,
            "Profile": card.report.profile,
            "Code": origin.git_commit,
            **origin.libraries,
        },
    )
    if origin.libraries:
        return told
    return told.model_copy(update={"missing": (*told.missing, "Libraries: not recorded.")})


def _told(title: str, facts: dict[str, str | None]) -> CardSection:
    """A section of facts; one that nobody gave is said to be missing."""
    return CardSection(
        title=title,
        facts={name: value for name, value in facts.items() if value},
        missing=tuple(f"{name}: not given." for name, value in facts.items() if not value),
    )


def _absent(title: str, why: str) -> CardSection:
    return CardSection(title=title, missing=(f"{why} in this run.",))
