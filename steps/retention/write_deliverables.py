"""Writes what an executive reads: slides, one page, and the readout."""

from pathlib import Path
from typing import Annotated, Any

from zenml import step

from churn.campaign.retention_report import RetentionReport
from churn.contract import load_contract
from churn.experiments.plan import ExperimentPlan
from churn.experiments.readout import Readout
from churn.reports.executive.deliverables import Deliverables, write_deliverables
from churn.reports.executive.evidence import Evidence
from churn.retention.roi_report import RoiReport
from churn.root import ROOT
from churn.settings.retention import RetentionSettings
from materializers.report_materializer import ReportMaterializer
from registry.artifacts import Artifact
from steps.progress import step_progress


@step(name="write_deliverables", enable_cache=False, output_materializers=ReportMaterializer)
def write_retention_deliverables(
    report: RetentionReport,
    roi: RoiReport,
    experiment: ExperimentPlan,
    settings: dict[str, Any],
    readout: Readout | None = None,
) -> Annotated[Deliverables, Artifact.DELIVERABLES]:
    """Writes the files beside the call list; every figure in them comes from these artifacts."""
    with step_progress("write_deliverables") as progress:
        options = RetentionSettings.from_mapping(settings)
        contract = load_contract(ROOT / options.data.contract)
        found = write_deliverables(
            Path(report.folder), Evidence(contract, report, roi, experiment, readout)
        )
        progress.record(
            f"{', '.join(found.files)} with {len(found.statements):,} figures of this run",
            {"files": list(found.files)},
        )
    return found
