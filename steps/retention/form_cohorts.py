"""Groups the customers into cohorts, beside those of the last run."""

from typing import Annotated, Any

from zenml import step

from churn.campaign.retention_report import CohortReport, RetentionReport
from churn.campaign.scored_customers import ScoredCustomers
from churn.retention.cohorts import all_at_risk, cohort_ids, cohorts
from churn.retention.offer_profit import offer_profits
from churn.retention.playbook_file import load_playbook
from churn.retention.value import RemainingMargin
from churn.settings.retention import RetentionSettings
from materializers.report_materializer import ReportMaterializer
from registry.artifacts import Artifact
from registry.last_report import last_report
from steps.progress import step_progress


@step(enable_cache=False, output_materializers=ReportMaterializer)
def form_cohorts(
    scored: ScoredCustomers, margin: RemainingMargin, settings: dict[str, Any]
) -> Annotated[CohortReport, Artifact.COHORTS]:
    """Sizes and prices the cohorts."""
    with step_progress("form_cohorts") as progress:
        options = RetentionSettings.from_mapping(settings)
        playbook = load_playbook(options.playbook_file(scored.contract.name), scored.contract)
        offered = offer_profits(
            playbook, scored.contract, scored.columns, scored.risk, margin.expected
        )
        ids = cohort_ids(
            scored.text("risk_band"),
            margin.expected,
            scored.text("main_reason"),
            offered.pays,
            smallest=options.smallest_cohort,
        )
        last: RetentionReport | None = last_report(Artifact.RETENTION_REPORT, options.model.name)
        report = CohortReport(
            model=options.model.name,
            money=options.value.money,
            cohorts=cohorts(ids, scored.risk, margin, seed=options.horizon.seed),
            at_risk=all_at_risk(scored.risk, margin, seed=options.horizon.seed),
            last=last.cohorts.cohorts if last is not None else (),
        )
        first = report.cohorts[0]
        progress.record(
            f"{len(report.cohorts)} cohorts; most is at risk in {first.id}: "
            f"{first.at_risk.expected:,.0f} {report.money} of {first.customers:,} customers",
            {"cohorts": len(report.cohorts)},
        )
    return report
