"""Retention: scores, values, cohorts, offers within limits, and the call list."""

from typing import Any

from zenml import pipeline

from steps.data.acquire_data import acquire_data
from steps.retention.allocate_offers import allocate_offers
from steps.retention.form_cohorts import form_cohorts
from steps.retention.score_customers import score_retention_customers
from steps.retention.value_customers import value_customers
from steps.retention.write_call_list import write_call_list


@pipeline(name="retention")
def retention(settings: dict[str, Any], data: dict[str, Any], folders: dict[str, str]) -> None:
    """Wires the steps; `settings` are `RetentionSettings`, `data` the runner's `TableInput`.

    `data` is the table with outcomes, which stays are estimated from.
    """
    customers = acquire_data(**data, cache_folder=folders["downloads"])
    scored = score_retention_customers(settings, folders)
    margin = value_customers(scored, customers, settings)
    cohorts = form_cohorts(scored, margin, settings)
    plan = allocate_offers(scored, margin, settings, folders)
    write_call_list(scored, margin, cohorts, plan, settings, folders)
