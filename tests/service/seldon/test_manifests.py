"""The rendered manifests are what Seldon and Kubernetes accept, and the same bytes every time."""

import re
import subprocess
import sys

import pytest
import yaml

from churn.errors import InputError
from service.seldon.render import main, render
from service.seldon.rollout import parse_canary, read_rollout, slug

BASE = {
    "image": "registry.example/churn-seldon:1.4.0",
    "bundle_uri": "s3://models/churn",
    "version": "7",
}
ROLLOUTS = {
    "plain": {},
    "canary": {"canary": {"version": "8", "percent": 10}},
    "shadow": {"shadow": "9.1+Build"},
    "both": {
        "canary": {"version": "8", "percent": 99},
        "shadow": "9.1+Build",
        "namespace": "churn",
        "secret": "bucket",
        "minimum": 3,
        "maximum": 9,
    },
}
LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")


def documents(name, *, v2):
    return list(yaml.safe_load_all(render(read_rollout(**BASE | ROLLOUTS[name]), v2=v2)))


def walk(tree):
    yield tree
    for inner in (
        tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list) else ()
    ):
        yield from walk(inner)


def containers(trees):
    return [
        one for tree in walk(trees) if isinstance(tree, dict) for one in tree.get("containers", ())
    ]


def replicas(tree):
    return tree["minReplicas"], tree["maxReplicas"]


@pytest.mark.parametrize("v2", [False, True])
@pytest.mark.parametrize("name", ROLLOUTS)
def test_every_name_is_a_dns_label_and_every_resource_has_its_own(name, v2):
    trees = documents(name, v2=v2)

    names = [(one["kind"], one["metadata"]["name"]) for one in trees]
    assert len(set(names)) == len(names)
    for tree in walk(trees):
        if isinstance(tree, dict) and "image" in tree:
            assert LABEL.fullmatch(tree["name"])
    for _, one in names:
        assert LABEL.fullmatch(one), one
    for one in trees:
        assert one["metadata"].get("namespace") == ROLLOUTS[name].get("namespace")


@pytest.mark.parametrize("v2", [False, True])
@pytest.mark.parametrize("name", ROLLOUTS)
def test_every_container_is_bounded_and_may_do_little(name, v2):
    trees = containers(documents(name, v2=v2))

    assert trees
    for one in trees:
        requests, limits = one["resources"]["requests"], one["resources"]["limits"]
        assert set(requests) == set(limits) == {"cpu", "memory"}
        assert requests["memory"] == limits["memory"]
        assert one["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "readOnlyRootFilesystem": True,
            "runAsNonRoot": True,
        }
        assert one["image"] == BASE["image"]
        assert {"startupProbe", "livenessProbe", "readinessProbe"} <= set(one)
        assert {"name": "OMP_NUM_THREADS", "value": "1"} in one["env"]
        assert all(isinstance(each["value"], str) for each in one["env"])


@pytest.mark.parametrize("v2", [False, True])
@pytest.mark.parametrize("name", ROLLOUTS)
def test_every_mount_has_its_volume_and_no_pod_runs_as_root(name, v2):
    pods = [
        tree
        for tree in walk(documents(name, v2=v2))
        if isinstance(tree, dict) and "containers" in tree
    ]

    assert pods
    for pod in pods:
        volumes = {one["name"] for one in pod["volumes"]}
        assert {m["name"] for c in pod["containers"] for m in c["volumeMounts"]} == volumes
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["runAsUser"] > 0


@pytest.mark.parametrize("name", ROLLOUTS)
def test_core_1_sends_every_request_somewhere_and_copies_it_to_one_shadow_at_most(name):
    [deployment] = documents(name, v2=False)
    predictors = deployment["spec"]["predictors"]

    answering = [one for one in predictors if not one.get("shadow")]
    shadows = [one for one in predictors if one.get("shadow")]
    assert sum(one["traffic"] for one in answering) == 100
    assert len(shadows) == ("shadow" in ROLLOUTS[name])
    assert all(0 <= one["traffic"] <= 100 for one in shadows)
    assert len({one["name"] for one in predictors}) == len(predictors)
    for one in predictors:
        [part] = one["componentSpecs"]
        assert one["graph"]["name"] in {c["name"] for c in part["spec"]["containers"]}
        assert one["graph"]["type"] == "MODEL"
        assert (
            1 <= one["replicas"] == part["hpaSpec"]["minReplicas"] <= part["hpaSpec"]["maxReplicas"]
        )
        assert part["hpaSpec"]["metrics"] == [
            {"type": "Resource", "resource": {"name": "cpu", "targetAverageUtilization": 70}}
        ]


def test_core_1_gives_each_predictor_its_own_bundle():
    [deployment] = documents("both", v2=False)

    served = {
        one["name"]: one["graph"]["parameters"][0]["value"]
        for one in deployment["spec"]["predictors"]
    }
    assert served == {
        "main": "s3://models/churn/bundles/7",
        "canary": "s3://models/churn/bundles/8",
        "shadow": "s3://models/churn/bundles/9.1+Build",
    }


def test_core_1_without_a_version_serves_what_the_store_has_in_production():
    [deployment] = yaml.safe_load_all(render(read_rollout(**BASE | {"version": None})))

    [predictor] = deployment["spec"]["predictors"]
    assert predictor["graph"]["parameters"][0]["value"] == "s3://models/churn"
    assert predictor["traffic"] == 100


@pytest.mark.parametrize("name", ROLLOUTS)
def test_core_2_weighs_models_that_it_has_to_a_hundred(name):
    trees = documents(name, v2=True)
    models = {one["metadata"]["name"]: one["spec"] for one in trees if one["kind"] == "Model"}
    experiments = [one["spec"] for one in trees if one["kind"] == "Experiment"]

    assert len(experiments) == (name != "plain")
    for one in experiments:
        assert sum(each["weight"] for each in one["candidates"]) == 100
        mirror = [one["mirror"]["name"]] if "mirror" in one else []
        assert {each["name"] for each in one["candidates"]} | set(mirror) == set(models)
        assert one["default"] == "churn-7"
        assert all(1 <= each["weight"] <= 100 for each in one["candidates"])


@pytest.mark.parametrize("name", ROLLOUTS)
def test_core_2_ties_our_models_to_our_server(name):
    trees = documents(name, v2=True)
    [server] = [one for one in trees if one["kind"] == "Server"]

    [container] = server["spec"]["podSpec"]["containers"]
    assert container["name"] == server["spec"]["serverConfig"] == "mlserver"
    assert container["args"] == ["$(MLSERVER_MODELS_DIR)"]
    for one in trees:
        if one["kind"] == "Model":
            assert one["spec"]["server"] == server["metadata"]["name"]
            assert one["spec"]["requirements"] == server["spec"]["capabilities"]
            least, most = replicas(one["spec"])
            assert 1 <= least <= most <= replicas(server["spec"])[1]
            assert one["spec"]["storageUri"].startswith("s3://models/churn/")
            assert one["spec"].get("secretName") == ROLLOUTS[name].get("secret")


@pytest.mark.parametrize("v2", [False, True])
def test_the_same_settings_give_the_same_bytes_in_another_process(v2):
    command = [sys.executable, "-m", "service.seldon.render", "--image", BASE["image"]]
    command += ["--bundle-uri", BASE["bundle_uri"], "--version", "7", "--canary", "8=10"]
    command += ["--v2"] if v2 else []
    runs = [
        subprocess.run(
            command, capture_output=True, check=True, env={"PYTHONHASHSEED": seed}
        ).stdout
        for seed in ("1", "2")
    ]

    here = render(read_rollout(**BASE | {"canary": {"version": "8", "percent": 10}}), v2=v2)
    assert runs == [here.encode()] * 2
    assert "&id" not in here


@pytest.mark.parametrize(
    ("change", "names"),
    [
        ({"image": "registry.example/churn"}, "image"),
        ({"image": "registry.example:5000/churn:latest"}, "image"),
        ({"image": "churn:1 --privileged"}, "image"),
        ({"name": "Churn"}, "name"),
        ({"name": "c" * 31}, "name"),
        ({"namespace": "a.b"}, "namespace"),
        ({"bundle_uri": "models/churn"}, "bundle_uri"),
        ({"bundle_uri": "s3://models/churn/"}, "bundle_uri"),
        ({"bundle_uri": "s3://models/chu rn"}, "bundle_uri"),
        ({"version": "../7"}, "version"),
        ({"shadow": "7"}, "named twice"),
        ({"canary": {"version": "7", "percent": 5}}, "named twice"),
        ({"canary": {"version": "8", "percent": 0}}, "canary.percent"),
        ({"canary": {"version": "8", "percent": 100}}, "canary.percent"),
        ({"minimum": 4, "maximum": 3}, "fewer than 4"),
        ({"minimum": 0}, "minimum"),
        ({"replicas": 3}, "replicas"),
    ],
)
def test_a_setting_that_will_not_do_is_named_in_one_sentence(change, names):
    with pytest.raises(InputError) as error:
        read_rollout(**BASE | change)
    assert names in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "image",
    ["churn:1", "a.example:5000/b/churn_x:v1.2", f"a.example/churn@sha256:{'0a' * 32}"],
)
def test_an_image_with_a_tag_or_a_digest_is_taken(image):
    assert read_rollout(**BASE | {"image": image}).image == image


@pytest.mark.parametrize("text", ["8", "8=0", "8=100", "8=-1", "8=1.5", "=5", "a b=5", "8=05"])
def test_a_canary_that_is_not_spelt_so_is_refused(text):
    with pytest.raises(InputError, match="VERSION=PERCENT"):
        parse_canary(text)


def test_versions_that_differ_only_in_what_a_name_cannot_hold_stay_apart():
    versions = ["7", "7.1", "7-1", "7_1", "7+1", "A", "a", "x" * 20, "x" * 21, "x" * 22, "7."]

    slugs = [slug(version) for version in versions]
    assert len(set(slugs)) == len(slugs)
    assert all(LABEL.fullmatch(one) and len(one) <= 30 for one in slugs)


def test_the_command_refuses_without_printing_half_a_manifest(capsys):
    arguments = ["--image", "churn:1", "--bundle-uri", "s3://models/churn"]

    assert main([*arguments, "--v2"]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == (
        "Seldon Core 2 serves named versions; say which one serves with --version VERSION.\n"
    )
    assert main([*arguments, "--canary", "8"]) == 2
    assert main(arguments) == 0
