"""Requests, server errors and time of a running service, by its own metrics."""

from __future__ import annotations

import httpx
from prometheus_client.parser import text_string_to_metric_families

from churn.retraining.evidence import ServiceCounts

_SECONDS = 5.0
_SERVER_ERRORS = "5"


def read_service_counts(url: str, key: str | None = None) -> ServiceCounts | None:
    """Reads what a service has answered since it started; None where it does not answer.

    Args:
        url: its address.
        key: API key, where it asks for one.
    """
    headers = {"X-API-Key": key} if key else {}
    try:
        answer = httpx.get(
            f"{url.rstrip('/')}/metrics", headers=headers, timeout=_SECONDS, trust_env=False
        )
        families = list(text_string_to_metric_families(answer.raise_for_status().text))
    except (httpx.HTTPError, httpx.InvalidURL, ValueError):
        return None
    samples = [each for family in families for each in family.samples]
    requests = [each for each in samples if each.name == "churn_requests_total"]
    return ServiceCounts(
        requests=round(sum(each.value for each in requests)),
        errors=round(
            sum(each.value for each in requests if each.labels["status"].startswith(_SERVER_ERRORS))
        ),
        seconds=sum(each.value for each in samples if each.name == "churn_request_seconds_sum"),
    )
