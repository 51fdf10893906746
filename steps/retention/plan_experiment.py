"""Plans how the campaign's effect is measured, and writes who is in which arm."""

from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

from zenml import step

from churn.campaign.campaign_experiment import (
    PLAN_NAME,
    campaign_kept_out,
    earlier_plan,
    experiment_name,
    plan_of_campaign,
    with_earlier_rows,
)
from churn.campaign.campaign_plan import CampaignPlan
from churn.campaign.contacts import assigned_customers, holdout_offers
from churn.campaign.earlier_lists import claim_folder
from churn.campaign.scored_customers import ScoredCustomers
from churn.durable import replace_text
from churn.experiments.assignments import FILE_NAME, write_assignments
from churn.experiments.plan import ExperimentPlan
from churn.retention.value import RemainingMargin
from churn.settings.retention import RetentionSettings
from materializers.report_materializer import ReportMaterializer
from registry.artifacts import Artifact
from steps.progress import step_progress


@step(name="plan_experiment", enable_cache=False, output_materializers=ReportMaterializer)
def plan_retention_experiment(
    scored: ScoredCustomers,
    margin: RemainingMargin,
    plan: CampaignPlan,
    settings: dict[str, Any],
    folders: dict[str, str],
    began: str,
) -> Annotated[ExperimentPlan, Artifact.EXPERIMENT]:
    """Fixes sizes and looks before anybody is contacted; later campaigns of the experiment keep them."""
    with step_progress("plan_experiment") as progress:
        options = RetentionSettings.from_mapping(settings)
        folder, today = Path(folders["retention"]), datetime.fromisoformat(began).date()
        kept_out = campaign_kept_out(scored, plan.playbook, options, folder, today)
        would_get = holdout_offers(
            scored, margin, plan, kept_out=kept_out, seed=options.horizon.seed
        )
        name = experiment_name(options.experiment, plan.playbook)
        assigned = assigned_customers(scored, margin, plan, would_get, experiment=name, day=today)
        experiment = earlier_plan(folder, name, today) or plan_of_campaign(
            scored, plan, assigned, options.experiment, begins=today, share=options.holdout.share
        )
        here = folder / today.isoformat()
        claim_folder(folder, options.model.name)
        here.mkdir(exist_ok=True)
        write_assignments(here / FILE_NAME, with_earlier_rows(assigned, here / FILE_NAME))
        replace_text(here / PLAN_NAME, experiment.model_dump_json(indent=1) + "\n")
        progress.record(
            f"{experiment.treated:,} treated, {experiment.holdout:,} held out: power "
            f"{experiment.power:.0%}; {experiment.campaigns} campaigns, last look on {experiment.ends}",
            {"power": experiment.power, "campaigns": experiment.campaigns},
        )
    return experiment
