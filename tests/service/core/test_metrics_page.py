"""The page adds up what all workers counted; what they are at now is of those that run."""

import os
import subprocess

import pytest

from service.core.metrics_page import render_metrics
from service.core.worker_metrics import RequestMetrics, ScoreMetrics
from tests.servers.churn_api import sample

OTHER = os.getppid()


@pytest.fixture
def make_metrics(tmp_path, monkeypatch):
    """Makes the metrics of a process."""

    def make(pid):
        with monkeypatch.context() as patched:
            patched.setattr(os, "getpid", lambda: pid)
            return RequestMetrics(tmp_path)

    return make


@pytest.fixture
def dead():
    """A process that has ended."""
    process = subprocess.Popen(["true"])
    process.wait()
    return process.pid


def page(folder):
    return sample(render_metrics(folder).decode())


def test_a_dead_worker_keeps_its_counters_and_loses_its_gauges(make_metrics, dead, tmp_path):
    for metrics in (make_metrics(os.getpid()), make_metrics(dead)):
        metrics.count_response("/v1/score", 200, 0.1)
        metrics.increment("ledger_written", 2)
        metrics.set_gauge("in_flight", 3)

    shown = page(tmp_path)

    assert shown["churn_workers"] == 1
    assert shown["churn_in_flight"] == 3
    assert shown["churn_ledger_written_total"] == 4
    assert shown['churn_requests_total{route="/v1/score",status="200"}'] == 2


def test_gauges_are_added_up_unless_the_worst_counts(make_metrics, tmp_path):
    for pid, lag in ((os.getpid(), 4.0), (OTHER, 7.0)):
        metrics = make_metrics(pid)
        for gauge in ("ledger_waiting", "draining", "ledger_lag_seconds", "ledger_free_bytes"):
            metrics.set_gauge(gauge, lag)

    shown = page(tmp_path)

    assert (shown["churn_ledger_waiting"], shown["churn_draining"]) == (11, 11)
    assert (shown["churn_ledger_lag_seconds"], shown["churn_ledger_free_bytes"]) == (7, 4)


def test_a_duration_is_in_the_first_bucket_that_holds_it(make_metrics, tmp_path):
    metrics = make_metrics(os.getpid())
    for seconds in (0.00025, 0.0003, 0.0005, 60.0):
        metrics.count_response("/v1/score", 200, seconds)

    shown = page(tmp_path)

    bounds = ("0.0001", "0.00025", "0.0005", "5.0", "+Inf")
    buckets = [
        shown[f'churn_request_seconds_bucket{{le="{le}",route="/v1/score"}}'] for le in bounds
    ]
    assert buckets == [0, 1, 3, 3, 4]
    assert shown['churn_request_seconds_sum{route="/v1/score"}'] == pytest.approx(60.00105)


def test_what_is_not_listed_counts_as_other(make_metrics, tmp_path):
    metrics = make_metrics(os.getpid())
    metrics.count_response("/v1/score", 418, 0.1)
    metrics.count_response("/nothing", 404, 0.1)

    counted = {name for name, value in page(tmp_path).items() if "requests_total" in name and value}

    assert counted == {
        'churn_requests_total{route="/v1/score",status="other"}',
        'churn_requests_total{route="other",status="404"}',
    }


def test_a_version_has_its_scores_and_positive_decisions(tmp_path):
    metrics = ScoreMetrics(tmp_path, 1, "7", "production")
    for probability, decision in ((0.05, False), (0.06, True), (1.0, True)):
        metrics.count_score(probability, decision=decision)

    shown = page(tmp_path)

    labels = 'role="production",version="7"'
    buckets = [
        shown[f'churn_score_probability_bucket{{le="{le}",{labels}}}']
        for le in ("0.05", "0.1", "0.95", "1.0", "+Inf")
    ]
    assert buckets == [1, 2, 2, 3, 3]
    assert shown[f"churn_score_probability_sum{{{labels}}}"] == pytest.approx(1.11)
    assert shown[f"churn_decisions_positive_total{{{labels}}}"] == 2


def test_a_version_is_served_by_the_running_workers_that_say_so(monkeypatch, dead, tmp_path):
    for pid, load_number, serving in (
        (os.getpid(), 1, True), (os.getpid(), 2, False), (OTHER, 1, True), (dead, 1, True),
    ):  # fmt: skip
        monkeypatch.setattr(os, "getpid", lambda pid=pid: pid)
        metrics = ScoreMetrics(tmp_path, load_number, "7", "canary")
        metrics.set_serving(serving=serving)
        metrics.count_score(0.3, decision=True)

    shown = page(tmp_path)

    assert shown['churn_model_version{role="canary",version="7"}'] == 2
    assert shown['churn_score_probability_sum{role="canary",version="7"}'] == pytest.approx(1.2)
    assert shown['churn_decisions_positive_total{role="canary",version="7"}'] == 4


def test_a_file_that_is_removed_while_the_page_is_made_is_left_out(make_metrics, tmp_path):
    make_metrics(os.getpid())
    (tmp_path / "scores-1-2.metrics").symlink_to("removed")  # listed, but not there

    assert page(tmp_path)["churn_workers"] == 1
