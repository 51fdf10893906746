"""Writes the model card from the run's own reports."""

from typing import Annotated, Any

from zenml import step

from churn.data import Dataset
from churn.profile import DEMO
from churn.reports.model_card.card import RETRAIN, ROLLBACK, ModelCard, Provenance, Purpose
from churn.reports.model_card.card_section import CardSection, summary_section
from churn.reports.training.training_report import TrainingReport
from materializers.report_materializer import ReportMaterializer
from registry.artifacts import Artifact
from registry.code_version import git_commit, library_versions
from steps.caching import CODE_AWARE
from steps.progress import step_progress

_PURPOSE_FIELDS = tuple(name for name in Purpose.model_fields if name not in ("owners", "misuse"))


@step(cache_policy=CODE_AWARE, output_materializers=ReportMaterializer)
def write_model_card(
    customers: Dataset, report: TrainingReport, registration: dict[str, Any], contract_file: str
) -> Annotated[ModelCard, Artifact.MODEL_CARD]:
    """Gathers the purpose from the settings and the figures from the run's reports."""
    with step_progress("write_model_card") as progress:
        contract = customers.contract
        business = f" --set data.contract={contract_file}"
        business += f" --set profile={DEMO}" if report.profile == DEMO else ""
        card = ModelCard(
            report=report,
            purpose=Purpose(
                owners=contract.business.owners if contract.business else None,
                **{name: registration.get(name) for name in _PURPOSE_FIELDS},
            ),
            provenance=Provenance(
                git_commit=git_commit(),
                contract=f"{contract.name} {contract.version}",
                contract_digest=contract.digest(),
                libraries=library_versions(),
                retrain=f"{RETRAIN}{business} --set data.source={customers.source.location}",
                rollback=f"{ROLLBACK}{business}",
            ),
            threshold=report.threshold,
            slices=report.slices,
            explanations=_explanations(report),
            tuning=summary_section("Tuning", report.searches) if report.searches else None,
            checks=summary_section("Deepchecks", report.validation) if report.validation else None,
        )
        progress.record("purpose, data, figures, groups, limits, commands")
    return card


def _explanations(report: TrainingReport) -> CardSection | None:
    if report.explanation is None:
        return None
    rows = [
        {"column": each.column, "mean change of the log-odds": each.strength}
        for each in report.explanation.importance
    ]
    section = summary_section("Explanations", report.explanation, rows=rows)
    if report.stability is None:
        return section
    sentences = (*section.sentences, report.stability.sentence)
    return section.model_copy(update={"sentences": sentences})
