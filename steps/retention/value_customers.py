"""What each customer is expected still to bring."""

from typing import Annotated, Any

from zenml import step

from churn.campaign.scored_customers import ScoredCustomers
from churn.contract import Role
from churn.data import Dataset
from churn.features.encoding import encode, encode_target
from churn.retention.hazards import HazardModel, fit_hazards
from churn.retention.renewals import RenewalStays, renewal_stays
from churn.retention.value import RemainingMargin, remaining_margin
from churn.settings.retention import RetentionSettings
from materializers.campaign_materializer import CampaignMaterializer
from registry.artifacts import Artifact
from steps.progress import step_progress


@step(enable_cache=False, output_materializers=CampaignMaterializer)
def value_customers(
    scored: ScoredCustomers, customers: Dataset, settings: dict[str, Any]
) -> Annotated[RemainingMargin, Artifact.REMAINING_MARGIN]:
    """Fits how long customers stay to the table with outcomes, and values the scored ones by it."""
    with step_progress("value_customers") as progress:
        options = RetentionSettings.from_mapping(settings)
        contract, horizon = scored.contract, options.horizon
        stays: HazardModel | RenewalStays | None = None
        if options.renewals.survivors:
            tenure = contract.only_number(Role.TENURE)
            stays = renewal_stays(
                options.renewals.survivors,
                tenure.name if tenure is not None and tenure.in_months else None,
                options.renewals.months,
                draws=horizon.draws,
                seed=horizon.seed,
            )
        elif contract.only_number(Role.MONTHLY_CHARGE) is not None:
            frame = customers.latest  # an earlier row of a customer is no other customer who stayed
            stays = fit_hazards(
                encode(frame, contract),
                encode_target(frame, contract),
                contract,
                draws=horizon.draws,
                seed=horizon.seed,
            )
        margin = remaining_margin(scored.columns, contract, options.value, stays, horizon)
        total = float(margin.expected.sum())
        progress.record(
            f"{total:,.0f} {options.value.money} expected still from {len(margin.expected):,} customers",
            {"expected_margin": total},
        )
    return margin
