"""Checks the table with the quality suite that its contract generates."""

from typing import Annotated

from zenml import step

from churn.data import Dataset, accepted_snapshot
from churn.data.quality import QualityReport, check
from churn.data.quality.verdict import OnShift
from churn.root import ROOT
from materializers.report_materializer import ReportMaterializer
from registry.artifacts import Artifact
from steps.caching import CODE_AWARE
from steps.progress import step_progress


@step(cache_policy=CODE_AWARE, output_materializers=ReportMaterializer)
def check_quality(
    customers: Dataset, on_shift: OnShift
) -> Annotated[QualityReport, Artifact.QUALITY_REPORT]:
    """Checks the table; a failing report is stored as an artifact, and the next step acts on it."""
    with step_progress("check_quality") as progress:
        accepted = accepted_snapshot(customers.contract, root=ROOT)
        report = check(customers.as_stored, customers.contract, accepted, on_shift=on_shift)
        held = sum(item.success for item in report.checks)
        progress.record(
            f"{held} of {len(report.checks)} checks hold: {report.verdict}",
            {"checks": len(report.checks), "held": held, "verdict": report.verdict},
        )
    return report
