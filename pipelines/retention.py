"""Retention: scores, values, cohorts, offers within limits, return, experiment, lists and slides."""

from typing import Any

from zenml import pipeline

from steps.data.acquire_data import acquire_data
from steps.retention.allocate_offers import allocate_offers
from steps.retention.form_cohorts import form_cohorts
from steps.retention.measure_roi import measure_roi
from steps.retention.plan_experiment import plan_retention_experiment
from steps.retention.read_experiment import read_experiment
from steps.retention.score_customers import score_retention_customers
from steps.retention.value_customers import value_customers
from steps.retention.write_call_list import write_call_list
from steps.retention.write_deliverables import write_retention_deliverables


@pipeline(name="retention")
def retention(
    settings: dict[str, Any], data: dict[str, Any], folders: dict[str, str], began: str
) -> None:
    """Wires the steps; `settings` are `RetentionSettings`, `data` the runner's `TableInput`.

    `data` is the table with outcomes, which stays are estimated from; `began` is the run's moment, whose
    date every file and every decision has. An experiment is read out first,
    where `settings` name one: a run that must not be read yet plans nothing, either.
    """
    customers = acquire_data(**data, cache_folder=folders["downloads"])
    read = settings["experiment"]["read"]
    readout = read_experiment(settings, folders, began) if read else None
    after: list[Any] = [readout] if read else []
    scored = score_retention_customers(settings, folders, after=after)
    margin = value_customers(scored, customers, settings)
    cohorts = form_cohorts(scored, margin, settings)
    plan = allocate_offers(scored, margin, settings, folders, began)
    roi = measure_roi(scored, margin, plan, settings, folders, began)
    # Before the list goes anywhere: a contact without its assignment could not be measured.
    experiment = plan_retention_experiment(scored, margin, plan, settings, folders, began)
    report, _ = write_call_list(
        scored, margin, cohorts, plan, roi, settings, folders, began, after=[experiment]
    )
    write_retention_deliverables(report, roi, experiment, settings, readout)
