"""Reports as artifacts: JSON for machines, figures as metadata, pictures and pages for people."""

from typing import Any, ClassVar

from pydantic import BaseModel
from zenml.enums import ArtifactType

import materializers.decision_visualizations  # noqa: F401 - registers its types
from churn.campaign.retention_report import CohortReport, RetentionReport
from churn.checks.deepchecks.deepchecks_report import ValidationReport
from churn.checks.validators.validator_report import ValidatorReport
from churn.data.quality import QualityReport
from churn.deployment.deployment_record import Deployment, DeploymentPlan
from churn.evaluation.gate_rows import GateRowsReport
from churn.evaluation.protocol import ProtocolReport
from churn.evaluation.recalibration import Recalibration
from churn.evaluation.selection import Selection
from churn.evaluation.slices import SlicesReport
from churn.evaluation.threshold_report import ThresholdReport
from churn.experiments.plan import ExperimentPlan
from churn.experiments.readout import Readout
from churn.explain.explanation_report import ExplanationReport
from churn.explain.reason_stability import ReasonStability
from churn.feature_store.features_result import FeaturesResult
from churn.promotion.decision import Decision
from churn.promotion.promotion_outcome import PromotionOutcome, PromotionPair
from churn.reports.batch_report import BatchReport
from churn.reports.executive.deliverables import Deliverables
from churn.reports.model_card.card import ModelCard
from churn.reports.monitoring_report import MonitoringReport
from churn.reports.training.training_report import TrainingReport
from churn.retention.roi_report import RoiReport
from churn.tuning.searches import Searches
from materializers.folder_materializer import FolderMaterializer, json_digest
from materializers.report_visualizations import summary_metadata, visualize

_FILE = "report.json"


class ReportMaterializer(FolderMaterializer):
    """Stores a frozen report as one JSON file, with pages and pictures for the dashboard."""

    ASSOCIATED_TYPES: ClassVar[tuple[type[Any], ...]] = (
        QualityReport,
        ProtocolReport,
        Selection,
        Recalibration,
        GateRowsReport,
        Decision,
        TrainingReport,
        ValidationReport,
        ThresholdReport,
        SlicesReport,
        ExplanationReport,
        ReasonStability,
        PromotionPair,
        PromotionOutcome,
        ModelCard,
        Searches,
        ValidatorReport,
        DeploymentPlan,
        Deployment,
        BatchReport,
        MonitoringReport,
        FeaturesResult,
        CohortReport,
        RetentionReport,
        RoiReport,
        ExperimentPlan,
        Readout,
        Deliverables,
    )
    ASSOCIATED_ARTIFACT_TYPE = ArtifactType.DATA_ANALYSIS

    def save(self, data: BaseModel) -> None:
        """Writes the report."""
        self.write_file(_FILE, data.model_dump_json(indent=1).encode())

    def load(self, data_type: type[Any]) -> Any:
        """Reads the report back as the type it was."""
        with self.artifact_store.open(f"{self.uri}/{_FILE}", "rb") as file:
            return data_type.model_validate_json(file.read())

    def draw(self, data: BaseModel) -> dict[str, bytes]:
        """The report's pages and pictures."""
        return visualize(data)

    def extract_metadata(self, data: BaseModel) -> dict[str, Any]:
        """The few figures worth seeing in a list of a hundred artifacts."""
        return summary_metadata(data)

    def compute_content_hash(self, data: BaseModel) -> str:
        """Equal reports are equal artifacts, so what follows stays cached."""
        return json_digest(data.model_dump(mode="json"))
