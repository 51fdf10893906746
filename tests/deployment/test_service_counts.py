"""Requests, errors and time by the service's own metrics; None from one that does not answer."""

from __future__ import annotations

import httpx
import pytest

from churn.retraining.evidence import ServiceCounts
from deployment.service_counts import read_service_counts

PAGE = """\
# TYPE churn_requests_total counter
churn_requests_total{route="/v1/score",status="200"} 90.0
churn_requests_total{route="/v1/score",status="503"} 4.0
churn_requests_total{route="/v1/score",status="422"} 5.0
churn_requests_total{route="/metrics",status="500"} 1.0
# TYPE churn_request_seconds histogram
churn_request_seconds_sum{route="/v1/score"} 1.5
churn_request_seconds_sum{route="/metrics"} 0.5
"""


@pytest.fixture
def answering(monkeypatch):
    """Lets a service answer, and returns what it was sent."""
    sent = []

    def install(status, text):
        def get(url, **options):
            sent.append((url, options["headers"]))
            return httpx.Response(status, text=text, request=httpx.Request("GET", url))

        monkeypatch.setattr(httpx, "get", get)
        return sent

    return install


def test_what_was_answered_is_added_up(answering):
    sent = answering(200, PAGE)

    found = read_service_counts("http://127.0.0.1:8000/", "key")

    assert found == ServiceCounts(requests=100, errors=5, seconds=2.0)
    assert sent == [("http://127.0.0.1:8000/metrics", {"X-API-Key": "key"})]


@pytest.mark.parametrize(("status", "text"), [(401, ""), (500, ""), (200, "no {metrics")])
def test_a_service_that_does_not_answer_properly_is_none(answering, status, text):
    answering(status, text)

    assert read_service_counts("http://127.0.0.1:8000") is None


def test_a_service_that_is_away_is_none():
    assert read_service_counts("http://127.0.0.1:9") is None
