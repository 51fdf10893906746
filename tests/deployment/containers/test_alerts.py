"""Every alert fires on the fault it is for, and is silent otherwise: `promtool test rules`."""

import re
import subprocess

import pytest
import yaml

from tests.servers.process import missing, program

STEP = 15  # seconds between two samples, as in prometheus.yml
API, STREAM = '{job="churn-api", instance="a"}', '{job="churn-stream", instance="a"}'
A, B = '{instance="a"}', '{instance="b"}'


def requests(status, values, route="/v1/score"):
    return {f'churn_requests_total{{instance="a", route="{route}", status="{status}"}}': values}


def durations(below, route="/v1/score"):
    """Of 1,000 answers in each step, so many below 100 ms."""
    labels = f'instance="a", route="{route}"'
    return {
        f'churn_request_seconds_bucket{{{labels}, le="0.1"}}': f"0+{below}x100",
        f'churn_request_seconds_bucket{{{labels}, le="0.25"}}': "0+1000x100",
        f'churn_request_seconds_bucket{{{labels}, le="+Inf"}}': "0+1000x100",
    }


def stream(waiting, scored, rejected="0x100", at=A):
    kind = at.replace("}", ', kind="field"}')
    return {
        f"churn_stream_waiting{at}": waiting,
        f"churn_stream_scored_total{at}": scored,
        f"churn_stream_rejected_total{kind}": rejected,
    }


MODEL = '{model="a", kind="batch"}'
RISK_MODEL = '{model="a"}'
DRIFT = 'churn_monitoring_drift_alarm{model="a", kind="batch"}'
RISK = 'churn_monitoring_risk_alarm{model="a", kind="batch"}'


def verdict(said, values):
    return {f'churn_monitoring_verdict{{model="a", kind="batch", verdict="{said}"}}': values}


# Alert, what is scraped, labels of what fires, seconds at which it fires, and at which it does not.
CASES = {
    "api down": ("ChurnServiceDown", {f"up{API}": "1x3 0x20"}, API, [120], [60, 105]),
    "api up": ("ChurnServiceDown", {f"up{API}": "1x40", f"up{STREAM}": "0x40"}, "", [], [300]),
    "500 to 1.1 %": (
        "ChurnAnswersFail",
        requests(200, "0+989x60") | requests(500, "0+11x60"),
        "{}", [330], [300],
    ),
    "503 to 1.1 %, on another route": (
        "ChurnAnswersFail",
        requests(200, "0+989x60") | requests(503, "0+11x60", "/v1/explain"),
        "{}", [330], [300],
    ),
    "500 to 0.9 %": (
        "ChurnAnswersFail", requests(200, "0+991x60") | requests(500, "0+9x60"), "", [], [600],
    ),
    "callers at fault": ("ChurnAnswersFail", requests(422, "0+9x60"), "", [], [600]),
    "no requests": (
        "ChurnAnswersFail", requests(200, "5x60") | requests(500, "5x60"), "", [], [600],
    ),
    "slow": ("ChurnScoresSlow", durations(980), "{}", [630], [600]),
    "fast": ("ChurnScoresSlow", durations(995), "", [], [900]),
    "slow elsewhere": ("ChurnScoresSlow", durations(0, "/v1/explain"), "", [], [900]),
    "bundle refused by one of two": (
        "ChurnBundleRefused",
        {f"churn_bundle_refused{A}": "0x40", f"churn_bundle_refused{B}": "0 1x20 0x20"},
        "{}", [75, 315], [60, 330],
    ),
    "bundle taken": (
        "ChurnBundleRefused", {f"churn_bundle_refused{A}": "0x40"}, "", [], [300],
    ),
    "prediction lost": (
        "ChurnPredictionsLost", {f"churn_ledger_dropped_total{A}": "0 0 1x100"},
        "{}", [30, 900], [15, 960],
    ),
    "predictions lost before": (
        "ChurnPredictionsLost", {f"churn_ledger_dropped_total{A}": "7x100"}, "", [], [900],
    ),
    "ledger behind": (
        "ChurnLedgerBehind", {f"churn_ledger_lag_seconds{A}": "0 31x40"}, "{}", [315], [300],
    ),
    "ledger at the limit": (
        "ChurnLedgerBehind", {f"churn_ledger_lag_seconds{A}": "30x60"}, "", [], [900],
    ),
    "ledger behind for a while": (
        "ChurnLedgerBehind", {f"churn_ledger_lag_seconds{A}": "0 90x18 0x40"}, "", [],
        [285, 315, 600],
    ),
    "ledger fails": (
        "ChurnLedgerFails", {f"churn_ledger_failures_total{A}": "7x4 7+1x40"}, "{}", [270], [255],
    ),
    "ledger failed once": (
        "ChurnLedgerFails", {f"churn_ledger_failures_total{A}": "7x4 8x40"}, "", [], [90, 240, 600],
    ),
    "ledger that is full in 20 hours": (
        "ChurnLedgerFillsUp", {f"churn_ledger_free_bytes{API}": "1000000000-208333x80"},
        API, [915], [900],
    ),
    "ledger that is full in 40 hours": (
        "ChurnLedgerFillsUp", {f"churn_ledger_free_bytes{API}": "1000000000-104166x80"},
        "", [], [915, 1200],
    ),
    "ledger at its bound": (
        "ChurnLedgerFillsUp", {f"churn_ledger_free_bytes{A}": "0x100"}, A, [930], [900],
    ),
    "ledger that lost a month": (
        "ChurnLedgerFillsUp",
        {f"churn_ledger_free_bytes{A}": "1000000000-1000x20 1900000000-1000x80"}, "", [], [1500],
    ),
    "worker down": ("ChurnStreamDown", {f"up{STREAM}": "1x19 0x20"}, STREAM, [435], [300, 405]),
    "worker never up": ("ChurnStreamDown", {f"up{STREAM}": "0x20"}, STREAM, [60], [45]),
    "worker that ends again and again": (
        "ChurnStreamDown", {f"up{STREAM}": "1x20" + " 0 0 1" * 20}, STREAM, [900], [300],
    ),
    "worker started again": (
        "ChurnStreamDown", {f"up{STREAM}": "1x20 0 0 1x60"}, "", [], [345, 600, 900],
    ),
    "worker taken away": (
        "ChurnStreamDown", {f"up{STREAM}": "1x20 0 0 stale"}, "", [], [345, 555, 585, 615],
    ),
    "api down is no worker's fault": ("ChurnStreamDown", {f"up{API}": "0x60"}, "", [], [600]),
    "worker that does not know": (
        "ChurnStreamBlind",
        {f"up{STREAM}": "1x60", f'up{STREAM.replace("a", "b", 1)}': "0x60"}
        | {'up{job="churn-stream", instance="c"}': "1x60", 'churn_stream_waiting{instance="c"}': "0x60"},
        STREAM, [300], [285],
    ),
    "worker that lost its brokers": (
        "ChurnStreamBlind", {f"up{STREAM}": "1x80", f"churn_stream_waiting{A}": "0x20 stale"},
        STREAM, [630], [600],
    ),
    "worker that was away for a while": (
        "ChurnStreamBlind",
        {f"up{STREAM}": "1x80", f"churn_stream_waiting{A}": "0x20 stale _x15 3x40"},
        "", [], [585, 645, 900],
    ),
    "worker without partitions": (
        "ChurnStreamBlind", {f"up{STREAM}": "1x60", f"churn_stream_waiting{A}": "0x60"},
        "", [], [900],
    ),
    "one worker of two stuck": (
        "ChurnStreamStuck",
        stream("1x60", "9x60") | stream("1x60", "0+1x60", at=B),
        A, [315], [300],
    ),
    "stuck after work": (
        "ChurnStreamStuck", stream("5x100", "0+9x20 180x80"), A, [930], [600, 885],
    ),
    "slow and not stuck": ("ChurnStreamStuck", stream("9x80", "0 0 0 0+1x76"), "", [], [900]),
    "every message rejected": (
        "ChurnStreamStuck", stream("9x80", "0x80", "0+1x80"), "", [], [900],
    ),
    "nothing to do": ("ChurnStreamStuck", stream("0x80", "9x80"), "", [], [900]),
    "far behind, together": (
        "ChurnStreamBehind",
        {f"churn_stream_waiting{A}": "5000x80", f"churn_stream_waiting{B}": "0 5001x80"},
        "{}", [615], [600],
    ),
    "at the limit": (
        "ChurnStreamBehind", {f"churn_stream_waiting{A}": "10000x80"}, "", [], [900],
    ),
    "1.1 % rejected": (
        "ChurnMessagesRejected", stream("0x100", "0+989x100", "0+11x100"), "{}", [915], [900],
    ),
    "0.9 % rejected": (
        "ChurnMessagesRejected", stream("0x100", "0+991x100", "0+9x100"), "", [], [1200],
    ),
    "drift alarm of one model of two": (
        "ChurnDriftAlarm",
        {DRIFT: "0 1x40 0x20", DRIFT.replace('"a"', '"b"'): "0x60"},
        MODEL, [15, 600], [0, 630],
    ),
    "drift that is watched": (
        "ChurnDriftAlarm", {DRIFT: "0x40"} | verdict("watch", "1x40"), "", [], [600],
    ),
    "alarm by the outcomes of one model of two": (
        "ChurnRiskAlarm",
        {RISK: "0 1x40 0x20", RISK.replace('"a"', '"b"'): "0x60"},
        RISK_MODEL, [15, 600], [0, 630],
    ),
    "drift alone is no harm": ("ChurnRiskAlarm", {RISK: "0x40", DRIFT: "1x40"}, "", [], [600]),
    "check that cannot tell": (
        "ChurnMonitoringBlind", verdict("cannot tell", "1x20 0x20"), MODEL, [300], [330],
    ),
    "check that can": ("ChurnMonitoringBlind", verdict("cannot tell", "0x40"), "", [], [600]),
    "check of nine days ago": (
        "ChurnMonitoringLate",
        {'churn_monitoring_checked_timestamp_seconds{model="a", kind="batch"}': "-777600x80"},
        MODEL, [915], [885],
    ),
    "check of this week": (
        "ChurnMonitoringLate",
        {'churn_monitoring_checked_timestamp_seconds{model="a", kind="batch"}': "-600000x80"},
        "", [], [915, 1200],
    ),
    "no messages": ("ChurnMessagesRejected", stream("0x100", "5x100"), "", [], [1200]),
}  # fmt: skip


@pytest.fixture(scope="module")
def rules_file(root):
    return root / "deployment" / "manifests" / "prometheus" / "alerts.yml"


@pytest.fixture(scope="module")
def rules(rules_file):
    groups = yaml.safe_load(rules_file.read_text())["groups"]
    return {rule["alert"]: rule for group in groups for rule in group["rules"]}


@pytest.fixture(scope="module")
def promtool():
    if why := missing("Prometheus"):
        pytest.skip(why)
    return program("promtool")


def expected(rule, labels):
    """What Prometheus shows of a rule that fires."""
    given = yaml.safe_load(labels.replace("=", ": "))
    return [{"exp_labels": given | rule["labels"], "exp_annotations": rule["annotations"]}]


@pytest.mark.parametrize("name", CASES)
def test_an_alert_fires_on_its_fault_and_not_before(name, promtool, rules_file, rules, tmp_path):
    alert, series, labels, firing, silent = CASES[name]
    at = [(time, expected(rules[alert], labels)) for time in firing]
    at += [(time, []) for time in silent]
    test = {
        "interval": f"{STEP}s",
        "input_series": [{"series": name, "values": values} for name, values in series.items()],
        "alert_rule_test": [
            {"eval_time": f"{time}s", "alertname": alert, "exp_alerts": alerts}
            for time, alerts in at
        ],
    }
    file = tmp_path / "test.yml"
    file.write_text(
        yaml.safe_dump(
            {
                "rule_files": [str(rules_file)],
                "evaluation_interval": f"{STEP}s",
                "tests": [test],
            }
        )
    )

    ended = subprocess.run(
        [promtool, "test", "rules", file], capture_output=True, text=True, check=False, timeout=60
    )

    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_every_alert_has_a_case_in_which_it_fires_and_one_in_which_it_never_does(rules):
    assert {alert for alert, _, _, firing, _ in CASES.values() if firing} == set(rules)
    assert {alert for alert, _, _, firing, _ in CASES.values() if not firing} == set(rules)


def test_prometheus_takes_the_rules_and_its_configuration(promtool, rules_file):
    ended = subprocess.run(
        [promtool, "check", "config", rules_file.with_name("prometheus.yml")],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip

    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_alertmanager_takes_its_file_and_knows_every_severity(rules_file, rules):
    if why := missing("Alertmanager"):
        pytest.skip(why)
    file = rules_file.with_name("alertmanager.yml")

    def amtool(*arguments):
        return subprocess.run(
            [program("amtool"), *arguments, f"--config.file={file}"],
            capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip

    checked = subprocess.run(
        [program("amtool"), "check-config", file],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert checked.returncode == 0, checked.stdout + checked.stderr
    severities = {rule["labels"]["severity"] for rule in rules.values()}
    receivers = {
        each: amtool("config", "routes", "test", f"severity={each}").stdout.strip()
        for each in severities
    }
    assert receivers == {"page": "pages", "ticket": "tickets"}


def test_what_alertmanager_holds_back_are_alerts_that_exist(rules_file, rules):
    settings = yaml.safe_load(rules_file.with_name("alertmanager.yml").read_text())
    matchers = [
        matcher.split("=", 1)[1].strip('~"')
        for rule in settings["inhibit_rules"]
        for matcher in (*rule["source_matchers"], *rule["target_matchers"])
    ]
    assert len(matchers) == 4
    for pattern in matchers:
        assert any(re.fullmatch(pattern, name) for name in rules), pattern


def test_every_alert_is_linked_to_its_runbook_and_every_runbook_of_prometheus_to_an_alert(
    root, rules
):
    page = (root / "docs" / "runbooks.md").read_text()
    headings = re.findall(r"^### (.+)$", page, re.MULTILINE)
    links = {alert: rule["annotations"]["runbook"] for alert, rule in rules.items()}

    assert links == {alert: f"docs/runbooks.md#{alert.lower()}" for alert in rules}
    assert set(rules) <= set(headings)
    assert {name for name in headings if name.startswith("Churn")} == set(rules)
