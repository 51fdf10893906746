"""Simulates what the campaign may earn."""

import hashlib
from datetime import datetime
from typing import Annotated, Any

from zenml import step

from churn.campaign.campaign_experiment import campaign_kept_out
from churn.campaign.campaign_plan import CampaignPlan
from churn.campaign.contacts import holdout_offers, offer_contacts
from churn.campaign.scored_customers import ScoredCustomers
from churn.retention.roi_report import RoiReport, RunReference
from churn.retention.roi_summary import roi_report
from churn.retention.value import RemainingMargin
from churn.settings.retention import RetentionSettings
from materializers.report_materializer import ReportMaterializer
from registry.artifacts import Artifact
from steps.progress import step_progress


@step(enable_cache=False, output_materializers=ReportMaterializer)
def measure_roi(
    scored: ScoredCustomers,
    margin: RemainingMargin,
    plan: CampaignPlan,
    settings: dict[str, Any],
    folders: dict[str, str],
    began: str,
) -> Annotated[RoiReport, Artifact.ROI_REPORT]:
    """Simulates the return over everything that the playbook assumes."""
    with step_progress("measure_roi") as progress:
        options = RetentionSettings.from_mapping(settings)
        today, playbook = datetime.fromisoformat(began).date(), plan.playbook
        kept_out = campaign_kept_out(scored, playbook, options, folders["retention"], today)
        would_get = holdout_offers(
            scored, margin, plan, kept_out=kept_out, seed=options.horizon.seed
        )
        report = roi_report(
            offer_contacts(scored, margin, playbook, plan.chosen),
            offer_contacts(scored, margin, playbook, would_get),
            RunReference(
                day=today,
                model=scored.model,
                version=scored.version,
                playbook=playbook.name,
                playbook_digest=hashlib.sha256(playbook.model_dump_json().encode()).hexdigest(),
                draws=options.roi.draws,
                seed=options.roi.seed,
            ),
            options.value.money,
        )
        profit = report.figure("profit")
        progress.record(
            f"{profit.value:,.0f} {report.money} expected ({profit.lower:,.0f} to {profit.upper:,.0f}); "
            f"a loss in {report.loss_chance:.1%} of the draws",
            {"profit": profit.value, "loss_chance": report.loss_chance},
        )
    return report
