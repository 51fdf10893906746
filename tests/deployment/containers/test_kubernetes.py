"""The rendered manifests hold strictly to Kubernetes' own schemas, and to the restricted profile."""

import copy

import kubernetes_validate
import pytest

OVERLAYS = ("kind", "production")
RENDERED = (*OVERLAYS, "publisher")
EVERYTHING = (*RENDERED, "streaming")
SUPPORTED = ("1.33", "1.35", "1.37")
KINDS = {
    "ConfigMap",
    "Deployment",
    "HorizontalPodAutoscaler",
    "Namespace",
    "NetworkPolicy",
    "PersistentVolumeClaim",
    "PodDisruptionBudget",
    "Service",
    "ServiceAccount",
}
LABEL = {"app.kubernetes.io/name": "churn-api"}


def one(resources, kind):
    (found,) = [each for each in resources if each["kind"] == kind]
    return found


def pod_of(resources):
    try:
        return one(resources, "Deployment")["spec"]["template"]
    except ValueError:
        return one(resources, "Pod")


@pytest.mark.parametrize("version", SUPPORTED)
@pytest.mark.parametrize("name", EVERYTHING)
def test_every_resource_is_strictly_valid(rendered, name, version):
    assert rendered[name]
    for resource in rendered[name]:
        assert kubernetes_validate.validate(resource, version, strict=True) == version


@pytest.mark.parametrize(
    ("kind", "path", "value"),
    [
        ("Deployment", ("spec", "template", "spec", "enableServiceLink"), False),
        ("Deployment", ("spec", "minReadySeconds"), "5"),
        ("NetworkPolicy", ("spec", "egres"), []),
        ("HorizontalPodAutoscaler", ("spec", "maxReplica"), 3),
    ],
)
def test_a_slip_would_be_found(rendered, kind, path, value):
    broken = copy.deepcopy(one(rendered["production"], kind))
    place = broken
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value

    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(broken, SUPPORTED[0], strict=True)


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_an_overlay_brings_each_kind_once_into_one_namespace(rendered, overlay):
    kinds = [each["kind"] for each in rendered[overlay]]
    spaces = {e["metadata"].get("namespace") for e in rendered[overlay] if e["kind"] != "Namespace"}

    assert sorted(kinds) == sorted(KINDS)
    assert spaces == {one(rendered[overlay], "Namespace")["metadata"]["name"]}


@pytest.mark.parametrize("name", RENDERED)
def test_pods_meet_the_restricted_profile_and_more(rendered, name):
    pod = pod_of(rendered[name])["spec"]

    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["runAsUser"] > 0
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert pod["automountServiceAccountToken"] is False
    assert not {"hostNetwork", "hostPID", "hostIPC"} & set(pod)
    assert {next(iter(set(v) - {"name"})) for v in pod["volumes"]} <= {
        "emptyDir",
        "persistentVolumeClaim",
        "secret",
    }
    for container in pod["containers"]:
        security = container["securityContext"]
        assert security["allowPrivilegeEscalation"] is False
        assert security["readOnlyRootFilesystem"] is True
        assert security["capabilities"] == {"drop": ["ALL"]}
        assert {"cpu", "memory"} <= set(container["resources"]["requests"])
        assert {"cpu", "memory"} <= set(container["resources"]["limits"])
        mounted = {mount["name"] for mount in container["volumeMounts"]}
        assert mounted == {volume["name"] for volume in pod["volumes"]}


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_selectors_select_the_services_pods_and_no_others(rendered, overlay):
    resources = rendered[overlay]
    labels = pod_of(resources)["metadata"]["labels"]

    assert labels.items() >= LABEL.items()
    assert one(resources, "Deployment")["spec"]["selector"] == {"matchLabels": LABEL}
    assert one(resources, "Service")["spec"]["selector"] == LABEL
    assert one(resources, "PodDisruptionBudget")["spec"]["selector"] == {"matchLabels": LABEL}
    policy = one(resources, "NetworkPolicy")["spec"]
    assert policy["podSelector"] == {"matchLabels": LABEL}
    # Clients are known by a label of theirs, not by one that only the service's own pods have.
    assert {"podSelector": {"matchLabels": {"churn-platform/client": "true"}}} in policy["ingress"][
        0
    ]["from"]
    for spread in pod_of(resources)["spec"]["topologySpreadConstraints"]:
        assert spread["labelSelector"] == {"matchLabels": LABEL}
    publisher = one(rendered["publisher"], "Pod")["metadata"]["labels"]
    assert not LABEL.items() <= publisher.items()


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_the_network_policy_allows_named_sources_in_and_nothing_out(rendered, overlay):
    policy = one(rendered[overlay], "NetworkPolicy")["spec"]

    assert set(policy["policyTypes"]) == {"Ingress", "Egress"}
    assert not policy.get("egress")
    assert policy["ingress"]
    assert all(rule["from"] and rule["ports"] for rule in policy["ingress"])


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_probes_ask_what_the_service_answers(rendered, overlay):
    (container,) = pod_of(rendered[overlay])["spec"]["containers"]
    ports = {port["name"] for port in container["ports"]}

    assert container["livenessProbe"]["httpGet"]["path"] == "/livez"
    assert container["readinessProbe"]["httpGet"]["path"] == "/readyz"
    assert {
        container[p]["httpGet"]["port"] for p in ("startupProbe", "livenessProbe", "readinessProbe")
    } <= ports
    assert one(rendered[overlay], "Service")["spec"]["ports"][0]["targetPort"] in ports


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_the_cluster_adds_no_variables_that_the_service_would_refuse(rendered, overlay):
    # A service named churn-api would otherwise bring CHURN_API_SERVICE_HOST, and with it the end.
    assert pod_of(rendered[overlay])["spec"]["enableServiceLinks"] is False


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_settings_are_found_under_the_name_that_they_were_given(rendered, overlay):
    (container,) = pod_of(rendered[overlay])["spec"]["containers"]
    name = one(rendered[overlay], "ConfigMap")["metadata"]["name"]

    assert container["envFrom"] == [{"configMapRef": {"name": name}}]
    assert name.startswith("churn-api-")


def test_production_keeps_answering_while_a_zone_or_a_node_goes(rendered):
    resources = rendered["production"]
    deployment, scaler = one(resources, "Deployment"), one(resources, "HorizontalPodAutoscaler")
    hard = [
        spread["topologyKey"]
        for spread in pod_of(resources)["spec"]["topologySpreadConstraints"]
        if spread["whenUnsatisfiable"] == "DoNotSchedule"
    ]

    assert scaler["spec"]["minReplicas"] >= 3
    assert "replicas" not in deployment["spec"]
    assert one(resources, "PodDisruptionBudget")["spec"]["maxUnavailable"] == 1
    assert deployment["spec"]["strategy"]["rollingUpdate"]["maxUnavailable"] == 0
    assert hard == ["topology.kubernetes.io/zone"]
    assert scaler["spec"]["scaleTargetRef"]["name"] == deployment["metadata"]["name"]


def test_the_store_is_written_by_the_publisher_alone(rendered):
    def store(resources):
        pod = pod_of(resources)["spec"]
        volume = next(each for each in pod["volumes"] if each["name"] == "store")
        mounts = pod["containers"][0]["volumeMounts"]
        mount = next(each for each in mounts if each["name"] == "store")
        return volume["persistentVolumeClaim"]["claimName"], mount.get("readOnly", False)

    assert store(rendered["kind"]) == store(rendered["production"]) == ("churn-store", True)
    assert store(rendered["publisher"]) == ("churn-store", False)
    assert one(rendered["production"], "PersistentVolumeClaim")["metadata"]["name"] == "churn-store"


def test_keys_come_from_a_secret_that_lies_nowhere_here(rendered):
    volumes = {v["name"]: v for v in pod_of(rendered["production"])["spec"]["volumes"]}

    assert volumes["keys"]["secret"]["secretName"] == "churn-api-keys"
    assert "Secret" not in {each["kind"] for name in EVERYTHING for each in rendered[name]}
    assert "keys" not in {v["name"] for v in pod_of(rendered["kind"])["spec"]["volumes"]}
