"""The sections of a model card, in the order a reader needs them."""

from __future__ import annotations

from churn.reports.model_card.card import ModelCard
from churn.reports.model_card.card_section import CardSection
from churn.reports.model_card.decision_sections import threshold_section, verdict_section
from churn.reports.model_card.figures_sections import calibration_section, figures_section
from churn.reports.model_card.slices_section import slices_section


def card_sections(card: ModelCard) -> tuple[CardSection, ...]:
    """Returns all sections of a card; the same card gives the same sections."""
    return (
        _summary(card),
        _purpose(card),
        _use(card),
        CardSection(title="What it must not be used for", sentences=card.purpose.misuse),
        _data(card),
        _protocol(card),
        figures_section(card.report),
        calibration_section(card.report.gate_rows, card.threshold),
        threshold_section(card.threshold),
        slices_section(card.slices),
        card.explanations
        or _missing_section("Explanations", "What moves the scores was not examined"),
        card.tuning or _missing_section("Tuning", "No search for settings was reported"),
        card.checks
        or _missing_section("Further checks", "No further suite of checks was reported"),
        verdict_section(card.report.decision),
        _limits(card),
        _handling(card),
        _origin(card),
    )


def _summary(card: ModelCard) -> CardSection:
    report = card.report
    warning = (report.profile_warning,) if report.profile_warning else ()
    threshold = card.threshold.headlines if card.threshold else ()
    return CardSection(
        title="In short",
        # The training report may have the threshold's sentences already.
        sentences=tuple(dict.fromkeys((*warning, *report.sentences, *threshold))),
        assumptions=card.threshold.assumptions if card.threshold else (),
    )


def _purpose(card: ModelCard) -> CardSection:
    purpose = card.purpose
    return _facts_section(
        "Purpose and owners",
        {
            "Predicts": purpose.description,
            **({"Owners": purpose.owners} if purpose.owners else {}),
            "License": purpose.license,
            "Recipe": card.report.selection.chosen,
        },
    )


def _use(card: ModelCard) -> CardSection:
    purpose = card.purpose
    return _facts_section(
        "Intended use",
        {
            "Users": purpose.audience,
            "Uses": purpose.use_cases,
            "Ethical considerations": purpose.ethics,
        },
    )


def _data(card: ModelCard) -> CardSection:
    data, quality, origin = card.report.data, card.report.quality, card.provenance
    section = _facts_section(
        "Data",
        {
            "Table": data.title,
            "Source": data.location,
            "SHA-256": data.sha256,
            "Size": f"{data.rows:,} customers, {data.columns} columns",
            "Left": f"{data.churn_rate:.1%} of them",
            "Split": f"{data.development_rows:,} development rows, {data.set_aside}",
            "Contract": origin.contract,
            "Contract's digest": origin.contract_digest,
            "Quality gate": f"{quality.verdict}: {quality.passed} of {quality.total} checks held",
        },
    )
    return section.model_copy(update={"sentences": (*quality.findings, *data.left_out)})


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


def _limits(card: ModelCard) -> CardSection:
    section = _facts_section(
        "Limits",
        {
            "Limitations": card.purpose.limitations,
            **({"Trade-offs": card.purpose.trade_offs} if card.purpose.trade_offs else {}),
        },
    )
    data = card.report.data
    return section.model_copy(
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
            "Train it again, evaluate it and register it": card.provenance.retrain,
            "Show which model would be restored": f"{rollback} --set dry_run=true",
            "Restore the previous model": rollback,
        },
    )


def _origin(card: ModelCard) -> CardSection:
    origin = card.provenance
    section = _facts_section(
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
        return section
    return section.model_copy(update={"missing": (*section.missing, "Libraries: not recorded.")})


def _facts_section(title: str, facts: dict[str, str | None]) -> CardSection:
    """A section of facts; a fact that was not given is listed as missing."""
    return CardSection(
        title=title,
        facts={name: value for name, value in facts.items() if value},
        missing=tuple(f"{name}: not given." for name, value in facts.items() if not value),
    )


def _missing_section(title: str, why: str) -> CardSection:
    return CardSection(title=title, missing=(f"{why} in this run.",))
