"""Writes the lists of a campaign, and what the ledger keeps of it."""

from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from zenml import step

from churn.batch.chosen_version import choose_version, load_scorer
from churn.batch.table_output import is_table
from churn.campaign.call_list import CampaignLists, call_list, not_called
from churn.campaign.campaign_experiment import campaign_kept_out
from churn.campaign.campaign_plan import CampaignPlan
from churn.campaign.contacts import holdout_offers
from churn.campaign.earlier_lists import CALL_LIST, MISSED, NOT_CALLED
from churn.campaign.missed_leavers import audit_last_list
from churn.campaign.retention_report import CohortReport, RetentionReport, retention_report
from churn.campaign.scored_customers import ScoredCustomers
from churn.campaign.supported_offers import supported_offers
from churn.campaign.suppression import read_suppressions
from churn.data.sources import open_sink
from churn.ledger.customer_outcomes import customer_outcomes
from churn.ledger.predictions import PredictionLedger, TreatmentRecord
from churn.retention.cohorts import cohort_ids
from churn.retention.roi_report import RoiReport
from churn.retention.value import RemainingMargin
from churn.scoring.address import address
from churn.scoring.bundle import store_of_model
from churn.settings.retention import RetentionSettings
from materializers.campaign_materializer import CampaignMaterializer
from materializers.report_materializer import ReportMaterializer
from registry.artifacts import Artifact
from steps.progress import step_progress

_PAGE = 10_000


@step(enable_cache=False, output_materializers=[ReportMaterializer, CampaignMaterializer])
def write_call_list(
    scored: ScoredCustomers,
    margin: RemainingMargin,
    cohorts: CohortReport,
    plan: CampaignPlan,
    roi: RoiReport,
    settings: dict[str, Any],
    folders: dict[str, str],
    began: str,
) -> tuple[
    Annotated[RetentionReport, Artifact.RETENTION_REPORT],
    Annotated[CampaignLists, Artifact.CALL_LIST],
]:
    """Writes the call list, and everybody else with the reason why not.

    Raises:
        InputError: a place cannot be written to.
    """
    with step_progress("write_call_list") as progress:
        options = RetentionSettings.from_mapping(settings)
        now = datetime.fromisoformat(began)
        folder = Path(folders["retention"]) / now.date().isoformat()
        lists = _lists(scored, margin, plan, options, folders["bundles"])
        files = {NOT_CALLED: lists.others, CALL_LIST: lists.called}
        with PredictionLedger(folders["ledger"]) as ledger:
            last = {str(each.customer): each for each in customer_outcomes(ledger)}
            audit = audit_last_list(folder.parent, now.date(), last)
            if audit is not None:
                files[MISSED] = audit[1]
            folder.mkdir(parents=True, exist_ok=True)
            for name, table in files.items():
                open_sink(str(folder / name)).write([table])
            export = _export(options.export, lists.called, now.date())
            if options.record:
                left_out = _left_out(scored, margin, plan, options, folders["retention"], now)
                ledger.record_treatments(_new_treatments(ledger, scored, plan, left_out, now))
        notes = (*_notes(scored, options), *([audit[0].sentence] if audit is not None else []))
        report = retention_report(
            scored, margin, plan, cohorts, roi, notes=notes, folder=str(folder), export=export
        )
        progress.record(report.sentence, report.figures)
    return report, lists


def _lists(
    scored: ScoredCustomers,
    margin: RemainingMargin,
    plan: CampaignPlan,
    options: RetentionSettings,
    bundles: str,
) -> CampaignLists:
    store = store_of_model(address(bundles), options.model.name)
    chosen = choose_version(store, options.model.name, scored.version)
    scorer, _ = load_scorer(store, chosen.version, chosen.digest)
    supported = supported_offers(scored, scorer, plan.playbook, np.flatnonzero(plan.called))
    ids = cohort_ids(
        scored.text("risk_band"),
        margin.expected,
        scored.text("main_reason"),
        plan.pays,
        smallest=options.smallest_cohort,
    )
    return CampaignLists(
        called=call_list(scored, margin, plan, ids, supported),
        others=not_called(scored, margin, plan, ids),
    )


def _notes(scored: ScoredCustomers, options: RetentionSettings) -> Iterator[str]:
    """What a reader of the lists has to know of the ids."""
    identifier = scored.contract.id
    if identifier.surrogate:
        yield (
            f"'{identifier.name}' is a surrogate that may not last, so that holdout, suppression list and "
            "quiet days hold for this table alone; name lasting ids in the contract."
        )
    if options.suppression:
        listed = read_suppressions(options.suppression_file, identifier.name)
        unknown = len(set(listed) - set(scored.texts["customer_id"].to_pylist()))
        if unknown:
            yield (
                f"{unknown:,} of {len(listed):,} ids of the suppression list are not in the table; check "
                "that they are written alike."
            )


def _export(where: str, listed: pa.Table, day: date) -> str:
    """Writes the call list for a CRM: into a file, or a database's table, where a customer's row is replaced.

    Rows of earlier lists stay in such a table, so each has its day.
    """
    if not where:
        return ""
    sink = open_sink(where, key=("customer_id",) if is_table(where) else ())
    sink.write([listed.append_column("listed_on", pa.array([day] * listed.num_rows))])
    return sink.shown


def _left_out(
    scored: ScoredCustomers,
    margin: RemainingMargin,
    plan: CampaignPlan,
    options: RetentionSettings,
    folder: str,
    now: datetime,
) -> NDArray[np.bool_]:
    """Who would be on the list but for the holdout, bool[n]: the treated are compared with these."""
    kept_out = campaign_kept_out(scored, plan.playbook, options, folder, now.date())
    would_get = holdout_offers(scored, margin, plan, kept_out=kept_out, seed=options.horizon.seed)
    found: NDArray[np.bool_] = would_get >= 0
    return found


def _new_treatments(
    ledger: PredictionLedger,
    scored: ScoredCustomers,
    plan: CampaignPlan,
    left_out: NDArray[np.bool_],
    now: datetime,
) -> list[TreatmentRecord]:
    """Who is on the list and who was left out of it by chance, so that outcomes can be read by it.

    Who was recorded so today already, by an earlier run of the same day, is not recorded again.
    """
    ids = scored.texts["customer_id"].to_pylist()
    rows = np.flatnonzero(plan.called | left_out).tolist()
    mine = {ids[i]: bool(plan.called[i]) for i in rows}
    after = 0
    while page := ledger.treatments(after=after, limit=_PAGE):
        for each in page:
            if (
                each.customer is not None
                and each.assigned_at.date() == now.date()
                and mine.get(each.customer) == each.treated
            ):
                del mine[each.customer]
        after += len(page)
    return [TreatmentRecord(now, treated=called, customer=each) for each, called in mine.items()]
