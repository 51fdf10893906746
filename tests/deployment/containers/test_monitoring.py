"""Alerts and dashboard speak of figures that the service really gives."""

import json
import re

import pytest
import yaml
from prometheus_client import generate_latest

from churn.reports.batch_metrics import batch_metrics
from churn.reports.monitoring_metrics import monitoring_metrics
from service.core.metrics_page import render_metrics
from service.core.worker_metrics import ROUTES, STATUSES, RequestMetrics, ScoreMetrics
from service.stream.stream_metrics import StreamMetrics
from tests.servers.batch_run import batch_run
from tests.servers.monitoring_run import monitoring_run

NAME = re.compile(r"\bchurn_\w+")


@pytest.fixture(scope="module")
def exposed(tmp_path_factory):
    """Names of the samples that a service shows after one request, and a stream's worker."""
    folder = tmp_path_factory.mktemp("metrics_folder")
    metrics = RequestMetrics(folder)
    metrics.count_response("/v1/score", 200, 0.001)
    metrics.set_gauge("ledger_free_bytes", 1.0)  # absent until it is known
    ScoreMetrics(folder, 1, "7", "production").count_score(0.3, decision=True)
    stream = StreamMetrics(folder)
    stream.waiting.set(0)
    model = generate_latest(monitoring_metrics(monitoring_run()))
    batch = generate_latest(batch_metrics(batch_run()))
    lines = (render_metrics(folder) + stream.render() + model + batch).decode().splitlines()
    return {re.split(r"[{ ]", line)[0] for line in lines if line and not line.startswith("#")}


@pytest.fixture(scope="module")
def dashboards(root):
    folder = root / "deployment" / "manifests" / "grafana" / "dashboards"
    return [json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))]


@pytest.fixture(scope="module")
def panels(dashboards):
    return [panel for dashboard in dashboards for panel in dashboard["panels"]]


@pytest.fixture(scope="module")
def rules(root):
    text = (root / "deployment" / "manifests" / "prometheus" / "alerts.yml").read_text()
    return [rule for group in yaml.safe_load(text)["groups"] for rule in group["rules"]]


@pytest.fixture(scope="module")
def expressions(panels, rules):
    drawn = [target["expr"] for panel in panels for target in panel["targets"]]
    return [*drawn, *(rule["expr"] for rule in rules)]


def test_every_metric_that_is_queried_exists(expressions, exposed):
    queried = {name for expression in expressions for name in NAME.findall(expression)}

    assert len(queried) >= 10
    assert queried <= exposed


def test_routes_and_statuses_that_are_queried_are_counted(expressions):
    routes = {r for e in expressions for r in re.findall(r'route="([^"]+)"', e)}
    statuses = {
        s for e in expressions for r in re.findall(r'status=~"([^"]+)"', e) for s in r.split("|")
    }

    assert routes <= set(ROUTES)
    assert statuses <= {str(status) for status in STATUSES}


def test_prometheus_reads_the_rules_and_finds_the_services_of_compose(root):
    folder = root / "deployment" / "manifests" / "prometheus"
    settings = yaml.safe_load((folder / "prometheus.yml").read_text())
    services = yaml.safe_load((root / "docker-compose.yml").read_text())["services"]
    jobs = {job["job_name"]: job for job in settings["scrape_configs"]}
    host, port = jobs["churn-api"]["static_configs"][0]["targets"][0].split(":")
    (looked_up,) = jobs["churn-stream"]["dns_sd_configs"]
    found = {host: port, looked_up["names"][0]: str(looked_up["port"])}

    assert settings["rule_files"]
    assert all((folder / name).exists() for name in settings["rule_files"])
    assert set(found) == {"api", "stream"}
    for name, port in found.items():
        assert services[name]["ports"][0].endswith(f":{port}")
        assert set(services[name]["networks"]) & set(services["prometheus"]["networks"])


def test_alerts_speak_of_jobs_that_prometheus_has(root, rules):
    text = (root / "deployment" / "manifests" / "prometheus" / "prometheus.yml").read_text()
    jobs = {job["job_name"] for job in yaml.safe_load(text)["scrape_configs"]}

    queried = {name for rule in rules for name in re.findall(r'job="([^"]+)"', rule["expr"])}

    assert queried == jobs - {"churn-monitoring"}  # whose figures have names of their own


def test_an_alert_has_a_summary_and_a_severity(rules):
    names = [rule["alert"] for rule in rules]

    assert len(names) == len(set(names)) >= 5
    for rule in rules:
        assert rule["labels"]["severity"] in {"page", "ticket"}
        assert rule["annotations"]["summary"].endswith(".")


def test_panels_do_not_overlap_and_draw_from_the_provisioned_source(root, dashboards):
    folder = root / "deployment" / "manifests" / "grafana" / "provisioning"
    source = yaml.safe_load((folder / "datasources" / "prometheus.yml").read_text())
    (provisioned,) = source["datasources"]
    for dashboard in dashboards:
        cells = [
            (x, y)
            for panel in dashboard["panels"]
            for grid in [panel["gridPos"]]
            for x in range(grid["x"], grid["x"] + grid["w"])
            for y in range(grid["y"], grid["y"] + grid["h"])
        ]

        assert len(cells) == len(set(cells))
        assert max(x for x, _ in cells) < 24
        for panel in dashboard["panels"]:
            assert panel["datasource"]["uid"] == provisioned["uid"]
            assert panel["targets"]
            for target in panel["targets"]:
                assert target["datasource"]["uid"] == provisioned["uid"]


def test_dashboards_and_panels_have_names_of_their_own(dashboards):
    for key in ("uid", "title"):
        assert len({each[key] for each in dashboards}) == len(dashboards) >= 3
    for dashboard in dashboards:
        for key in ("id", "title"):
            named = [panel[key] for panel in dashboard["panels"]]
            assert len(named) == len(set(named))
        for panel in dashboard["panels"]:
            assert panel["type"] in {"stat", "timeseries", "heatmap"}
            references = [target["refId"] for target in panel["targets"]]
            assert len(references) == len(set(references))
