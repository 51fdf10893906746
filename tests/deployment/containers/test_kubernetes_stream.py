"""The overlay with the stream's worker: as guarded as the service, and with a ledger that lasts."""

import pytest
import yaml

NAMES = ("churn-api", "churn-stream")


@pytest.fixture(scope="module")
def found(rendered):
    """(kind, name) -> resource; a name without the hash behind it."""
    resources = {}
    for each in rendered["streaming"]:
        name = each["metadata"]["name"]
        if each["kind"] == "ConfigMap":
            name = name.rpartition("-")[0]
        resources[each["kind"], name] = each
    return resources


@pytest.fixture(scope="module")
def pods(found):
    return {name: found["Deployment", name]["spec"]["template"] for name in NAMES}


def test_production_stays_as_it_is_but_for_the_ledger(rendered, found):
    production = {(e["kind"], e["metadata"]["name"]) for e in rendered["production"]}
    streaming = {(e["kind"], e["metadata"]["name"]) for e in rendered["streaming"]}

    assert production < streaming
    assert {kind for kind, _ in streaming - production} == {
        "ConfigMap", "Deployment", "NetworkPolicy", "PodDisruptionBudget", "ServiceAccount",
    }  # fmt: skip
    assert {e["metadata"].get("namespace") for e in found.values() if e["kind"] != "Namespace"} == {
        "churn"
    }


def test_the_workers_pod_is_guarded_as_the_services_is(pods):
    api, stream = (pods[name]["spec"] for name in NAMES)
    (theirs,), (ours,) = api["containers"], stream["containers"]

    assert stream["securityContext"] == api["securityContext"]
    assert ours["securityContext"] == theirs["securityContext"]
    assert stream["automountServiceAccountToken"] is stream["enableServiceLinks"] is False
    assert {"cpu", "memory"} <= set(ours["resources"]["requests"])
    assert {"cpu", "memory"} <= set(ours["resources"]["limits"])
    store = {mount["name"]: mount for mount in ours["volumeMounts"]}["store"]
    assert store["readOnly"] is True
    assert set(stream) - set(api) == set()


def test_probes_and_prometheus_ask_the_workers_port(pods, found):
    (container,) = pods["churn-stream"]["spec"]["containers"]
    (port,) = container["ports"]
    noted = pods["churn-stream"]["metadata"]["annotations"]
    policy = found["NetworkPolicy", "churn-stream"]["spec"]

    for probe, path in (
        ("startupProbe", "/livez"), ("livenessProbe", "/livez"), ("readinessProbe", "/readyz"),
    ):  # fmt: skip
        assert container[probe]["httpGet"] == {"path": path, "port": port["name"]}
    assert noted["prometheus.io/scrape"] == "true"
    assert noted["prometheus.io/port"] == str(port["containerPort"])
    assert policy["ingress"][0]["ports"] == [{"protocol": "TCP", "port": port["containerPort"]}]


def test_each_selector_finds_its_own_pods_alone(pods, found):
    for kind, path in (("PodDisruptionBudget", "selector"), ("NetworkPolicy", "podSelector"),
                       ("Deployment", "selector")):  # fmt: skip
        for name in NAMES:
            chosen = found[kind, name]["spec"][path]["matchLabels"]
            assert [
                n for n in NAMES if chosen.items() <= pods[n]["metadata"]["labels"].items()
            ] == [name]


def test_both_write_one_ledger_whose_address_is_a_secret(pods, found):
    for name in NAMES:
        (container,) = pods[name]["spec"]["containers"]
        assert container["env"] == [
            {
                "name": "CHURN_LEDGER",
                "valueFrom": {"secretKeyRef": {"name": "churn-ledger", "key": "url"}},
            }
        ]
        out = found["NetworkPolicy", name]["spec"]["egress"]
        assert {"protocol": "TCP", "port": 5432} in [port for rule in out for port in rule["ports"]]


def test_without_the_component_the_service_still_reaches_nothing(rendered):
    for overlay in ("kind", "production"):
        text = yaml.safe_dump_all(rendered[overlay])
        assert "name: CHURN_LEDGER" not in text
        assert "5432" not in text


def test_secrets_of_the_worker_come_from_a_secret(pods, found):
    (container,) = pods["churn-stream"]["spec"]["containers"]
    given = found["ConfigMap", "churn-stream"]["data"]

    assert {"secretRef": {"name": "churn-stream"}} in container["envFrom"]
    assert not {"CHURN_REDIS", "CHURN_KAFKA_PASSWORD", "CHURN_LEDGER"} & set(given)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # kafka-python's own
def test_a_pod_is_killed_only_after_a_batch_had_its_time(pods):
    from service.stream import kafka_session

    # Written, acknowledged, committed; producer and group closed.
    needed = (
        kafka_session.DELIVERY_SECONDS
        + kafka_session.ANSWER_SECONDS
        + kafka_session.ANSWER_SECONDS
        + 2 * kafka_session.CLOSE_SECONDS
    )

    assert pods["churn-stream"]["spec"]["terminationGracePeriodSeconds"] >= needed
