"""The doctor before a cluster: what is missing is named, with the line to run."""

from __future__ import annotations

import pytest
from stack_variables import VARIABLES

from churn.errors import ChurnError, InputError
from stacks.doctor.cluster import check_cluster
from stacks.kubernetes.cluster import require_cluster
from stacks.kubernetes.rights import ORCHESTRATOR, RUNNER
from stacks.spec import load_stack
from tests.servers.fake_kubernetes_api import EVERYTHING, State, api_server, rights_of

NAMESPACE = "churn-pipelines"
ADMIN, ME = "admin-token", "my-token"
IN_PLACE = (("serviceaccounts", ORCHESTRATOR), ("serviceaccounts", "churn-steps"), ("secrets", "churn-steps"))  # fmt: skip


@pytest.fixture
def cluster(tmp_path, deployed):
    """A fake cluster with everything in place; `admin-token` may do all, `my-token` what a runner may."""
    state = State(
        namespaces={NAMESPACE},
        accounts={ADMIN: "admin", ME: "me"},
        rights={
            "admin": EVERYTHING,
            "me": rights_of(deployed, RUNNER),
            f"system:serviceaccount:{NAMESPACE}:{ORCHESTRATOR}": rights_of(deployed, ORCHESTRATOR),
        },
        things={
            (kind, name): {"metadata": {"name": name}, "data": {"key": "c2VjcmV0"}}
            for kind, name in IN_PLACE
        },
    )
    with api_server(tmp_path, state) as server:
        yield server


@pytest.fixture
def use(cluster, tmp_path, monkeypatch):
    """Makes a kubeconfig the one that is used."""
    from kubernetes.config import kube_config

    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)

    def use(token: str = ADMIN, context: str = "kind-churn") -> None:
        place = cluster.kubeconfig(tmp_path / "kubeconfig", token, context)
        monkeypatch.setattr(kube_config, "KUBE_CONFIG_DEFAULT_LOCATION", str(place))

    return use


@pytest.fixture
def spec(tmp_path):
    return load_stack("kubernetes").resolved({"state": str(tmp_path)}, VARIABLES)


def looked(spec):
    return {each.subject: each for each in check_cluster(spec)}


def test_a_cluster_with_all_in_place_is_fine(use, spec):
    use(ADMIN)

    found = looked(spec)

    assert {each.status for each in found.values()} == {"fine"}, found
    assert not any(each.remedy for each in found.values())
    assert found["API server"].finding == "Kubernetes v1.33.1"


def test_a_runners_rights_are_enough_and_what_they_hide_is_only_a_note(use, spec):
    use(ME)

    found = looked(spec)

    assert found["your rights"].status == "fine"
    assert "broken" not in {each.status for each in found.values()}
    assert found["steps' secret"].status == "note"


def test_a_missing_context_is_reported_with_the_command_that_lists_them(use, spec):
    use(ADMIN, context="another")

    found = looked(spec)

    assert list(found) == ["context"]
    assert "'kind-churn'" in found["context"].finding
    assert found["context"].remedy == "kubectl config get-contexts"


def test_a_server_that_does_not_answer_ends_the_look_with_one_finding(use, spec, cluster, tmp_path):
    use(ADMIN)
    place = tmp_path / "kubeconfig"
    place.write_text(place.read_text().replace(f":{cluster.port}", ":1"))

    found = looked(spec)

    assert found["API server"].status == "broken"
    assert "does not answer" in found["API server"].finding
    assert list(found) == ["context", "API server"]


def test_a_stale_login_is_not_a_server_that_is_down(use, spec):
    use("stale-token")

    found = looked(spec)

    assert found["API server"].status == "broken"
    assert "does not know who you are" in found["API server"].finding
    assert "namespace" not in found


def test_a_missing_namespace_hides_all_that_would_lie_in_it(use, spec, cluster):
    use(ADMIN)
    cluster.state.namespaces.clear()

    found = looked(spec)

    assert found["namespace"].status == "broken"
    assert found["namespace"].remedy == "kubectl apply -k deployment/manifests/kubernetes/pipelines"
    assert "account" not in found


@pytest.mark.parametrize(
    ("kind", "name", "subject"),
    [
        ("serviceaccounts", "churn-orchestrator", "account"),
        ("secrets", "churn-steps", "steps' secret"),
    ],
)
def test_what_is_not_there_is_named_with_the_line_that_makes_it(
    use, spec, cluster, kind, name, subject
):
    use(ADMIN)
    del cluster.state.things[kind, name]

    found = next(each for each in check_cluster(spec) if each.status == "broken")

    assert found.subject == subject
    assert found.finding == f"{name} is not there"
    assert found.remedy.startswith("kubectl ")


def test_no_value_of_a_secret_is_read(use, spec, cluster, monkeypatch):
    use(ADMIN)
    from kubernetes.client import rest

    seen = []
    request = rest.RESTClientObject.request

    def spy(self, *arguments, **named):
        answer = request(self, *arguments, **named)
        seen.append(answer.data)
        return answer

    monkeypatch.setattr(rest.RESTClientObject, "request", spy)

    assert looked(spec)["steps' secret"].status == "fine"
    assert seen
    assert not any("c2VjcmV0" in str(data) for data in seen)


def test_each_right_that_is_missing_is_named(use, spec, cluster):
    use(ME)
    cluster.state.rights["me"] -= {("batch", "jobs", "delete"), ("", "pods/log", "get")}

    found = looked(spec)["your rights"]

    assert found.status == "broken"
    assert found.finding == "you may not delete jobs, get pods/log"
    assert "create rolebinding" in found.remedy


def test_the_orchestrators_rights_are_checked_where_that_is_allowed(use, spec, cluster):
    use(ADMIN)
    account = f"system:serviceaccount:{NAMESPACE}:{ORCHESTRATOR}"
    cluster.state.rights[account] -= {("batch", "jobs", "patch")}

    found = looked(spec)["its rights"]

    assert (found.status, found.finding) == ("broken", "churn-orchestrator may not patch jobs")


def test_a_run_is_refused_before_it_starts_where_the_cluster_is_not_ready(use, spec, cluster):
    use(ME)
    require_cluster(spec)  # nothing to say

    cluster.state.rights["me"] -= {("batch", "jobs", "create")}
    with pytest.raises(InputError, match="may not create jobs in namespace 'churn-pipelines'"):
        require_cluster(spec)

    use("my-token", context="another")
    with pytest.raises(InputError, match=r"'kind-churn' cannot be used .* --doctor --stack"):
        require_cluster(spec)


def test_a_run_is_refused_where_nothing_answers(use, spec, cluster, tmp_path):
    use(ME)
    place = tmp_path / "kubeconfig"
    place.write_text(place.read_text().replace(f":{cluster.port}", ":1"))

    with pytest.raises(ChurnError, match="does not answer") as refused:
        require_cluster(spec)

    assert refused.value.exit_code == 1


def test_stacks_without_a_cluster_ask_none(tmp_path):
    require_cluster(load_stack("local"))
