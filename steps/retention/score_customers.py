"""Scores the customers that a campaign decides on."""

from typing import Annotated, Any

from zenml import step

from churn.batch.chosen_version import choose_version, load_scorer
from churn.batch.given_places import open_table
from churn.campaign.scored_customers import ScoredCustomers, score_customers
from churn.contract import load_contract, with_reading
from churn.data.training_table import BUNDLED
from churn.root import ROOT
from churn.scoring.address import address
from churn.scoring.bundle import store_of_model
from churn.settings.retention import RetentionSettings
from materializers.campaign_materializer import CampaignMaterializer
from registry.artifacts import Artifact
from steps.progress import step_progress


@step(name="score_customers", enable_cache=False, output_materializers=CampaignMaterializer)
def score_retention_customers(
    settings: dict[str, Any], folders: dict[str, str]
) -> Annotated[ScoredCustomers, Artifact.SCORED_CUSTOMERS]:
    """Reads the customers by contract and scores them by the version in production.

    Raises:
        InputError: nothing is in production, or the table is at fault.
    """
    with step_progress("score_customers") as progress:
        options = RetentionSettings.from_mapping(settings)
        model, contract_file = options.model.name, ROOT / options.data.contract
        store = store_of_model(address(folders["bundles"]), model)
        chosen = choose_version(store, model, options.version)
        scorer, bands = load_scorer(store, chosen.version, chosen.digest)
        where = options.input or options.data.source
        if where == BUNDLED:
            snapshot = load_contract(contract_file).snapshot
            where = str(ROOT / snapshot.path) if snapshot is not None else where
        source = open_table(where, with_reading(scorer.contract, contract_file))
        scored = score_customers(source, scorer, bands, model=model, reasons=options.reasons)
        aside = f", {scored.set_aside:,} rows set aside" if scored.set_aside else ""
        progress.record(
            f"{len(scored.risk):,} customers scored by {model} version {chosen.version}{aside}",
            {"customers": len(scored.risk), "set_aside": scored.set_aside},
        )
    return scored
