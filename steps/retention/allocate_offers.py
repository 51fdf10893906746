"""Decides who is offered what, within every limit of the playbook."""

from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

from zenml import step

from churn.campaign.campaign_experiment import experiment_name, known_arms, require_same_share
from churn.campaign.campaign_plan import CampaignPlan, plan_campaign, require_contacts
from churn.campaign.contacts import campaign_holdout
from churn.campaign.earlier_lists import recently_called, require_nobody_forgotten
from churn.campaign.scored_customers import ScoredCustomers
from churn.campaign.suppression import read_suppressions
from churn.retention.playbook_file import load_playbook
from churn.retention.value import RemainingMargin
from churn.settings.retention import RetentionSettings
from materializers.campaign_materializer import CampaignMaterializer
from registry.artifacts import Artifact
from steps.progress import step_progress


@step(enable_cache=False, output_materializers=CampaignMaterializer)
def allocate_offers(
    scored: ScoredCustomers,
    margin: RemainingMargin,
    settings: dict[str, Any],
    folders: dict[str, str],
    began: str,
) -> Annotated[CampaignPlan, Artifact.CAMPAIGN]:
    """Allocates the offers for the greatest expected profit.

    What would stop the campaign is found here, before a list is written.

    Raises:
        InputError: nobody would be contacted, who was called today would be forgotten, the holdout's
            share has changed, or a file of an earlier campaign is at fault.
    """
    with step_progress("allocate_offers") as progress:
        options = RetentionSettings.from_mapping(settings)
        contract = scored.contract
        playbook = load_playbook(options.playbook_file(contract.name), contract)
        ids = scored.texts["customer_id"].to_pylist()
        folder, today = Path(folders["retention"]), datetime.fromisoformat(began).date()
        require_nobody_forgotten(folder, today, ids)
        require_same_share(folder, options.holdout.share)
        arms = known_arms(folder, experiment_name(options.experiment, playbook))
        reasons = recently_called(folder, today, playbook.quiet_days)
        if options.suppression:
            reasons |= read_suppressions(options.suppression_file, contract.id.name)
        plan = plan_campaign(
            scored,
            margin,
            playbook,
            kept_out={row: reasons[each] for row, each in enumerate(ids) if each in reasons},
            holdout=campaign_holdout(
                scored, margin, options.holdout.share, options.holdout.salt, arms
            ),
            money=options.value.money,
            seed=options.horizon.seed,
        )
        require_contacts(plan)
        done = plan.facts
        progress.record(
            f"{int(plan.called.sum()):,} customers to contact, expected to earn {done.profit:,.0f} "
            f"{options.value.money}; {done.method}, at most {done.gap:.3%} below the best",
            {"expected_profit": done.profit, "gap": done.gap, "method": done.method},
        )
    return plan
