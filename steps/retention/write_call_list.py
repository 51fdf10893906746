"""Writes the lists of a campaign, and what the ledger keeps of it."""

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from zenml import step

from churn.batch.chosen_version import choose_version, load_scorer
from churn.campaign.call_list import call_list, not_called
from churn.campaign.campaign_plan import CampaignPlan
from churn.campaign.earlier_lists import CALL_LIST, NOT_CALLED
from churn.campaign.retention_report import CohortReport, RetentionReport
from churn.campaign.scored_customers import ScoredCustomers
from churn.campaign.supported_offers import supported_offers
from churn.data.sources import open_sink
from churn.ledger.predictions import PredictionLedger, TreatmentRecord
from churn.retention.cohorts import cohort_ids
from churn.retention.value import RemainingMargin
from churn.scoring.address import address
from churn.scoring.bundle import store_of_model
from churn.settings.retention import RetentionSettings
from materializers.report_materializer import ReportMaterializer
from registry.artifacts import Artifact
from steps.progress import step_progress


@step(enable_cache=False, output_materializers=ReportMaterializer)
def write_call_list(
    scored: ScoredCustomers,
    margin: RemainingMargin,
    cohorts: CohortReport,
    plan: CampaignPlan,
    settings: dict[str, Any],
    folders: dict[str, str],
) -> Annotated[RetentionReport, Artifact.RETENTION_REPORT]:
    """Writes the call list, and everybody else with the reason why not.

    Raises:
        InputError: a place cannot be written to.
    """
    with step_progress("write_call_list") as progress:
        options = RetentionSettings.from_mapping(settings)
        now = datetime.now(UTC)
        folder = Path(folders["retention"]) / now.date().isoformat()
        ids = cohort_ids(
            scored.text("risk_band"),
            margin.expected,
            scored.text("main_reason"),
            plan.pays,
            smallest=options.smallest_cohort,
        )
        store = store_of_model(address(folders["bundles"]), options.model.name)
        chosen = choose_version(store, options.model.name, scored.version)
        scorer, _ = load_scorer(store, chosen.version, chosen.digest)
        supported = supported_offers(scored, scorer, plan.playbook, np.flatnonzero(plan.called))
        listed = call_list(scored, margin, plan, ids, supported)
        folder.mkdir(parents=True, exist_ok=True)
        open_sink(str(folder / NOT_CALLED)).write([not_called(scored, margin, plan, ids)])
        open_sink(str(folder / CALL_LIST)).write([listed])
        export = ""
        if options.export:
            key = ("customer_id",) if "?" in options.export else ()
            sink = open_sink(options.export, key=key)
            sink.write([listed])
            export = sink.shown
        if options.record:
            _record(scored, plan, folders["ledger"], now)
        called = int(plan.called.sum())
        report = RetentionReport(
            status="planned",
            sentence=(
                f"{called:,} of {len(scored.risk):,} customers to contact, expected to earn "
                f"{plan.facts.profit:,.0f} {options.value.money} "
                f"({plan.facts.lower:,.0f} to {plan.facts.upper:,.0f}) for {plan.facts.cost:,.0f}"
            ),
            model=options.model.name,
            version=scored.version,
            money=options.value.money,
            customers=len(scored.risk),
            set_aside=scored.set_aside,
            called=called,
            holdout=int(plan.holdout.sum()),
            bands=dict(Counter(scored.texts["risk_band"].to_pylist())),
            cohorts=cohorts,
            allocation=plan.facts,
            assumptions=(*margin.assumptions, *plan.playbook.assumptions),
            folder=str(folder),
            export=export,
        )
        progress.record(report.sentence, report.figures)
    return report


def _record(scored: ScoredCustomers, plan: CampaignPlan, ledger: str, now: datetime) -> None:
    """Keeps who is on the list and who was left out by chance, so that outcomes can be read by it."""
    ids = scored.texts["customer_id"].to_pylist()
    rows = np.flatnonzero(plan.called | plan.holdout).tolist()
    with PredictionLedger(ledger) as open_ledger:
        open_ledger.record_treatments(
            [TreatmentRecord(now, treated=bool(plan.called[i]), customer=ids[i]) for i in rows]
        )
