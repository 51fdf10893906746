"""What ZenML's orchestrator would create for the training, from the stack file's settings."""

from __future__ import annotations

import json

import kubernetes_validate
import pytest

from stacks.kubernetes.rights import ORCHESTRATOR, STEPS, STEPS_SECRET

SUPPORTED = ("1.33", "1.35", "1.37")
IMAGE = "registry.example/churn-pipeline:0.1.0"


def pod_of(job):
    return job["spec"]["template"]["spec"]


@pytest.fixture(scope="module")
def jobs(compiled):
    jobs = compiled["manifests"]
    assert len(jobs) > 1  # the orchestrator's own and one a step
    return jobs


@pytest.fixture(scope="module")
def by_step(jobs):
    return {job["metadata"]["labels"]["step_name"]: job for job in jobs[1:]}


@pytest.mark.parametrize("version", SUPPORTED)
def test_every_job_is_strictly_valid(jobs, version):
    for job in jobs:
        assert kubernetes_validate.validate(job, version, strict=True) == version


def test_there_is_a_job_for_the_run_and_one_for_each_step_in_order(jobs, compiled, by_step):
    (container,) = pod_of(jobs[0])["containers"]

    assert container["command"][-1].endswith("kubernetes_orchestrator_entrypoint")
    assert list(by_step) == list(compiled["steps"])
    for name, job in by_step.items():
        (container,) = pod_of(job)["containers"]
        assert container["args"][-2:] == ["--step_name", name]


def test_names_differ_and_are_dns_labels(jobs):
    names = [job["metadata"]["name"] for job in jobs]

    assert len(set(names)) == len(names)
    assert all(len(name) <= 63 and name.startswith("churn-") for name in names)


def test_every_pod_runs_the_named_image_under_its_own_account(jobs):
    accounts = [pod_of(job)["serviceAccountName"] for job in jobs]

    assert {container["image"] for job in jobs for container in pod_of(job)["containers"]} == {
        IMAGE
    }
    assert accounts == [ORCHESTRATOR] + [STEPS] * (len(jobs) - 1)


def test_every_pod_meets_the_restricted_profile_on_a_read_only_root(jobs):
    for job in jobs:
        pod = pod_of(job)
        (container,) = pod["containers"]
        security = container["securityContext"]
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["runAsUser"] > 0
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert security["allowPrivilegeEscalation"] is False
        assert security["privileged"] is False
        assert security["readOnlyRootFilesystem"] is True
        assert security["capabilities"] == {"drop": ["ALL"]}
        assert {next(iter(set(each) - {"name"})) for each in pod["volumes"]} == {"emptyDir"}
        assert {mount["mountPath"] for mount in container["volumeMounts"]} == {"/state", "/tmp"}


def test_pods_go_where_the_stack_sends_them(jobs):
    for job in jobs:
        pod = pod_of(job)
        assert pod["nodeSelector"] == {"kubernetes.io/os": "linux"}
        assert [each["key"] for each in pod["tolerations"]] == ["churn-platform/pipelines"]
        assert pod["enableServiceLinks"] is False
        assert pod["containers"][0]["envFrom"] == [{"secretRef": {"name": STEPS_SECRET}}]


def test_a_heavy_step_requests_more_and_memory_is_limited_to_the_request(by_step):
    def resources(step):
        return pod_of(by_step[step])["containers"][0]["resources"]

    heavy, light = resources("measure_protocol"), resources("split_rows")
    assert int(heavy["requests"]["cpu"]) >= 2
    assert light["requests"]["cpu"].endswith("m")
    for step in by_step:
        container = resources(step)
        assert container["limits"] == {"memory": container["requests"]["memory"]}


def test_a_failed_step_is_tried_again_and_what_is_finished_goes(jobs, compiled):
    for job in jobs[1:]:
        assert job["spec"]["backoffLimit"] == 1
    for job in jobs:
        assert job["spec"]["ttlSecondsAfterFinished"] == 86400
        assert job["spec"]["activeDeadlineSeconds"] > 0
    assert {step["retries"] for step in compiled["steps"].values()} == {1}


def test_a_pipeline_is_compiled_without_loading_torch(compiled):
    pytest.importorskip("torch")  # ZenML would load it wherever it is installed

    assert compiled["torch"] is False


def test_no_step_gets_a_path_of_this_machine(root, compiled):
    steps = json.dumps(compiled["steps"])

    assert str(root) not in steps
    assert compiled["steps"]["acquire_data"]["parameters"]["contract_path"] == (
        "data/contracts/telco.yaml"
    )
