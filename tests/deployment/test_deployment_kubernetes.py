"""The production version on Kubernetes: the real client renders, the cluster is a fake.

What answers behind the port-forward is the real service on the store that the publisher's commands
have filled.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass

import pytest
import yaml

from churn.deployment.deployment_record import Deployment
from churn.errors import ChurnError, InputError
from churn.scoring.bundle import current, history
from tests.deployment.fake_program import fake_on_path

CANARY = {"CHURN_CANARY_VERSION": "1", "CHURN_CANARY_PERCENT": "100"}
TARGET = ("target=kubernetes",)


@pytest.fixture
def kubectl(fake, real_kubectl):
    made = fake("kubectl")
    made.set("real", real_kubectl)
    return made


@pytest.fixture(scope="module")
def cluster(shared_deployer, real_kubectl, tmp_path_factory):
    """A cluster that the first tests share, one after another."""
    with fake_on_path("kubectl", tmp_path_factory.mktemp("cluster")) as made:
        made.set("real", real_kubectl)
        yield made


@dataclass(frozen=True)
class Seen:
    """A deployment, the commands to the cluster, and the versions in its store afterwards."""

    done: Deployment
    commands: list[str]
    inside: list[str]


def deployed(shared_deployer, cluster) -> Seen:
    before = len(changes(cluster))
    done = shared_deployer.deploy(*TARGET)
    inside = [each.version for each in history(cluster.folder / "store")]
    return Seen(done, changes(cluster)[before:], inside)


@pytest.fixture(scope="module")
def first(shared_deployer, cluster):
    return deployed(shared_deployer, cluster)


@pytest.fixture(scope="module")
def foreign(shared_deployer, cluster, first):
    """The cluster's store has something else under version 2."""
    shared_deployer.promote("2")
    other = cluster.folder / "store" / "bundles" / "2"
    other.mkdir()
    (other / "manifest.json").write_text("{}")
    seen = deployed(shared_deployer, cluster)
    shutil.rmtree(other)
    return seen


@pytest.fixture(scope="module")
def wrong(shared_deployer, cluster, foreign):
    """With a new image and version 2, but a canary answers everybody."""
    cluster.set("pods.json", json.dumps(CANARY))
    cluster.set("new-image")
    return deployed(shared_deployer, cluster)


@pytest.fixture(scope="module")
def again(shared_deployer, cluster, wrong):
    """Somebody has stopped it the way docs/deployment.md says; version 2 is deployed then."""
    for name in ("new-image", "pods.json"):
        (cluster.folder / name).unlink()
    cluster.set("replicas", "0")
    return deployed(shared_deployer, cluster)


def changes(kubectl) -> list[str]:
    """Commands that change something."""
    reading = ("config", "version", "kustomize", "get", "port-forward")
    return [line for line in kubectl.commands if not line.startswith(reading)]


def test_the_overlay_is_applied_the_bundle_published_and_the_rollout_tested(
    first, cluster, shared_deployer
):
    done, commands = first.done, first.commands

    assert (done.status, done.serving) == ("deployed", "1"), done.sentence
    inside = cluster.folder / "store" / "bundles" / "1" / "manifest.json"
    assert inside.read_bytes() == (shared_deployer.store / "bundles/1/manifest.json").read_bytes()
    assert commands[0].startswith("apply -k ")
    assert commands[0].endswith("deployment/manifests/kubernetes/overlays/kind")
    assert "rollout status deployment/churn-api --timeout=60s" in commands
    assert commands[-1].startswith("delete pod churn-publisher")
    assert done.place == "service/churn-api in namespace churn"
    assert "kind: Deployment" in done.manifests


def test_the_publisher_runs_the_overlays_own_image(first, cluster):
    # What it verifies, the pods can load.
    number = min(int(path.name[6:]) for path in cluster.folder.glob("stdin-*"))
    (pod,) = yaml.safe_load_all(cluster.stdin(number))

    assert pod["spec"]["containers"][0]["image"] == "churn-api:local"


def test_another_bundle_of_that_version_inside_is_not_served(foreign):
    assert (foreign.done.status, foreign.done.serving) == ("rolled back", "1")
    assert "another bundle of version 2" in foreign.done.reason
    assert foreign.inside == ["1"]


def test_a_version_that_answers_wrongly_is_rolled_back_inside(wrong, shared_deployer):
    assert (wrong.done.status, wrong.done.serving) == ("rolled back", "1"), wrong.done.sentence
    assert "answered by version 1, not by 2" in wrong.done.reason
    assert wrong.inside == ["1", "2", "1"]
    assert "rollout undo deployment/churn-api" in wrong.commands
    # What this machine's store has in production is not the cluster's to change.
    assert current(shared_deployer.store).version == "2"


def test_what_was_stopped_is_started_again(again, cluster):
    # The overlay names no number of pods, and the autoscaler lets none be none.
    assert (again.done.status, again.done.serving) == ("deployed", "2"), again.done.sentence
    scaled = again.commands.index(
        "scale deployment/churn-api --replicas=1"
    )  # the autoscaler's least
    assert scaled < again.commands.index("rollout status deployment/churn-api --timeout=60s")


def test_what_was_stopped_and_does_not_come_up_is_stopped_again(deployer, kubectl):
    kubectl.set("revision", "4")
    kubectl.set("replicas", "0")
    kubectl.set("stuck")

    done = deployer.deploy(*TARGET)

    assert (done.status, done.serving) == ("rolled back", None)
    assert done.sentence.endswith("The pods were scaled to none; none served before.")
    assert [line for line in changes(kubectl) if line.startswith("scale")] == [
        "scale deployment/churn-api --replicas=1",
        "scale deployment/churn-api --replicas=0",
    ]
    assert "rollout undo deployment/churn-api" not in changes(kubectl)


def test_a_first_rollout_that_hangs_leaves_no_pod(deployer, kubectl):
    kubectl.set("stuck")

    done = deployer.deploy(*TARGET)

    assert (done.status, done.serving) == ("rolled back", None)
    assert "exceeded its progress deadline" in done.reason
    assert "scale deployment/churn-api --replicas=0" in changes(kubectl)


def test_a_cluster_that_does_not_answer_is_no_cluster_without_the_deployment(deployer, kubectl):
    kubectl.set("revision", "4")
    kubectl.set("get-fails")

    with pytest.raises(ChurnError, match="unable to return a response"):
        deployer.deploy(*TARGET)

    assert changes(kubectl) == []


def test_a_version_in_production_that_does_not_come_up_is_not_waited_for_again(deployer, kubectl):
    deployer.deploy(*TARGET)
    kubectl.set("stuck")
    before = len(kubectl.commands)

    done = deployer.deploy(*TARGET)

    assert (done.status, done.serving) == ("rolled back", None)
    assert "stays in production; this target does not serve it yet" in done.sentence
    assert not any(line.startswith("port-forward") for line in kubectl.commands[before:])


def test_a_rollback_that_cannot_reach_the_store_is_no_rollback(deployer, kubectl):
    kubectl.set("revision", "4")
    kubectl.set("exec-fails")
    kubectl.set("stuck")

    kubectl.set("new-image")
    with pytest.raises(ChurnError, match=r"rollback failed, too.*container not found"):
        deployer.deploy(*TARGET)

    assert "rollout undo deployment/churn-api" in changes(kubectl)


@pytest.mark.parametrize(
    ("missing", "message", "kind"),
    [
        ("kubectl", "There is no kubectl on the PATH", InputError),
        ("no-context", "no current context, .* --set kubernetes.context=NAME", InputError),
        ("down", "The cluster does not answer .* refused", ChurnError),
        ("image", "names the image registry.example/churn-api:0.1.0, which nobody has", InputError),
    ],
)
def test_a_missing_prerequisite_is_reported_before_anything_changes(
    deployer, fake, real_kubectl, monkeypatch, tmp_path, missing, message, kind
):
    if missing == "kubectl":
        monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
        kubectl = None
    else:
        kubectl = fake("kubectl")
        kubectl.set("real", real_kubectl)
        kubectl.set(missing)
    overlay = ("kubernetes.overlay=production",) if missing == "image" else ()

    with pytest.raises(kind, match=message) as refused:
        deployer.deploy(*TARGET, *overlay)

    assert "\n" not in str(refused.value)
    assert kubectl is None or changes(kubectl) == []


def test_a_dry_run_shows_commands_and_manifests_and_changes_nothing(deployer, kubectl):
    done = deployer.deploy(*TARGET, "dry_run=true", "kubernetes.context=kind-churn")

    assert done.status == "dry run"
    assert done.actions[0].startswith("$ kubectl --context kind-churn apply -k ")
    assert done.actions[-1] == (
        "$ kubectl --context kind-churn --namespace churn port-forward service/churn-api :80"
    )
    kinds = {each["kind"] for each in yaml.safe_load_all(done.manifests)}
    assert {"Deployment", "Service", "PersistentVolumeClaim"} <= kinds
    assert changes(kubectl) == []
