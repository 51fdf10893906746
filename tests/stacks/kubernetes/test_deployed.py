"""What a person applies: accounts, rights and a schedule, and nothing that they do not need."""

from __future__ import annotations

import copy
import os
import re
import stat
import subprocess

import kubernetes_validate
import pytest

from stacks.kubernetes.rights import (
    ORCHESTRATOR,
    ORCHESTRATOR_RIGHTS,
    RUNNER,
    RUNNER_RIGHTS,
    STEPS,
    STEPS_SECRET,
    Right,
)

SUPPORTED = ("1.33", "1.35", "1.37")
SCHEDULES = ("churn-training", "churn-batch", "churn-monitoring", "churn-retraining")


def pod_of(cronjob):
    return cronjob["spec"]["jobTemplate"]["spec"]["template"]["spec"]


@pytest.mark.parametrize("version", SUPPORTED)
def test_every_resource_is_strictly_valid(deployed, version):
    assert len(deployed) > 5
    for resource in deployed:
        assert kubernetes_validate.validate(resource, version, strict=True) == version


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("spec", "timezone"), "Etc/UTC"),
        (("spec", "jobTemplate", "spec", "backofLimit"), 1),
        (("spec", "suspend"), "true"),
    ],
)
def test_a_slip_would_be_found(one, path, value):
    broken = copy.deepcopy(one("CronJob", "churn-training"))
    place = broken
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value

    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(broken, SUPPORTED[0], strict=True)


def test_all_of_it_lies_in_one_namespace_under_the_strictest_profile(deployed, one):
    namespace = one("Namespace")

    assert {e["metadata"].get("namespace") for e in deployed if e["kind"] != "Namespace"} == {
        namespace["metadata"]["name"]
    }
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"


@pytest.mark.parametrize(
    ("account", "rights"), [(RUNNER, RUNNER_RIGHTS), (ORCHESTRATOR, ORCHESTRATOR_RIGHTS)]
)
def test_an_account_has_the_rights_that_the_doctor_checks_and_no_others(one, account, rights):
    granted = {
        Right(group, resource, verb)
        for rule in one("Role", account)["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }
    binding = one("RoleBinding", account)

    assert granted == set(rights)
    assert binding["roleRef"]["name"] == account
    assert [each["name"] for each in binding["subjects"]] == [account]


def test_no_right_reaches_secrets_or_beyond_the_namespace(deployed):
    kinds = {each["kind"] for each in deployed}
    resources = {
        resource
        for each in deployed
        if each["kind"] == "Role"
        for rule in each["rules"]
        for resource in rule["resources"]
    }

    assert not {"ClusterRole", "ClusterRoleBinding", "Secret"} & kinds
    assert resources == {"jobs", "pods", "pods/log"}


def test_steps_get_no_token_for_the_cluster(one, deployed):
    bound = {
        subject["name"]
        for each in deployed
        if each["kind"] == "RoleBinding"
        for subject in each["subjects"]
    }

    assert one("ServiceAccount", STEPS)["automountServiceAccountToken"] is False
    assert STEPS not in bound


@pytest.mark.parametrize("name", SCHEDULES)
def test_the_schedule_is_suspended_and_never_runs_twice_at_once(one, name):
    spec = one("CronJob", name)["spec"]

    assert spec["suspend"] is True
    assert spec["concurrencyPolicy"] == "Forbid"
    assert spec["jobTemplate"]["spec"]["activeDeadlineSeconds"] > 0


@pytest.mark.parametrize("name", SCHEDULES)
def test_the_schedules_pod_meets_the_restricted_profile(one, name):
    pod = pod_of(one("CronJob", name))
    (container,) = pod["containers"]

    assert pod["serviceAccountName"] == RUNNER
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"]["allowPrivilegeEscalation"] is False
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert {mount["name"] for mount in container["volumeMounts"]} == {
        volume["name"] for volume in pod["volumes"]
    }


@pytest.mark.parametrize("name", SCHEDULES)
def test_steps_run_in_the_image_that_starts_them(one, name):
    (container,) = pod_of(one("CronJob", name))["containers"]
    given = {each["name"]: each.get("value") for each in container["env"]}

    assert given["STACK_PIPELINE_IMAGE"] == container["image"]
    assert ":" in container["image"]


@pytest.mark.parametrize("name", SCHEDULES)
def test_settings_come_from_a_secret_that_lies_nowhere_here(one, name):
    (container,) = pod_of(one("CronJob", name))["containers"]

    assert container["envFrom"] == [{"secretRef": {"name": "churn-runner"}}]
    assert STEPS_SECRET == "churn-steps"


@pytest.fixture
def scheduled(one, tmp_path):
    """Runs the schedule's own script with a fake of `python run.py`: exit code and commands."""
    (container,) = pod_of(one("CronJob", "churn-training"))["containers"]
    (script,) = container["args"]
    assert container["command"] == ["sh", "-c"]
    outcome = tmp_path / "training.json"
    script = script.replace("/tmp/training.json", str(outcome))

    def run(training: tuple[int, str], promotion: int = 0) -> tuple[int, list[str]]:
        code, stage = training
        fake_python = tmp_path / "python"
        fake_python.write_text(
            "#!/bin/sh\n"
            f'echo "$@" >>{tmp_path}/commands\n'
            'case "$3" in\n'
            f"training) printf '{{\\n \"stage\": {stage}\\n}}\\n'; exit {code};;\n"
            f"promotion) exit {promotion};;\n"
            "esac\n"
        )
        fake_python.chmod(fake_python.stat().st_mode | stat.S_IXUSR)
        path = f"{tmp_path}:{os.environ['PATH']}"
        ended = subprocess.run(["sh", "-c", script], env={"PATH": path}, check=False)
        return ended.returncode, [
            line.split()[2] for line in (tmp_path / "commands").read_text().splitlines()
        ]

    return run


@pytest.mark.parametrize(
    ("training", "promotion", "code", "ran"),
    [
        ((0, '"staging"'), 0, 0, ["training", "promotion"]),
        (
            (0, '"staging"'),
            3,
            0,
            ["training", "promotion"],
        ),  # the champion stays: that is an answer
        ((0, '"staging"'), 1, 1, ["training", "promotion"]),
        ((0, '"production"'), 0, 0, ["training"]),  # the same data as before: nothing new
        ((3, "null"), 0, 0, ["training"]),  # a gate held it back
        ((2, "null"), 0, 2, ["training"]),
        ((1, "null"), 0, 1, ["training"]),
    ],
)
def test_the_schedule_promotes_what_is_staged_and_fails_where_something_failed(
    scheduled, training, promotion, code, ran
):
    assert scheduled(training, promotion) == (code, ran)


@pytest.mark.parametrize(("code", "ends"), [(0, 0), (3, 0), (2, 2), (1, 1)])
def test_the_daily_loop_asks_the_policy_and_fails_where_something_failed(one, tmp_path, code, ends):
    (container,) = pod_of(one("CronJob", "churn-retraining"))["containers"]
    fake = tmp_path / "python"
    fake.write_text(f'#!/bin/sh\necho "$@"\nexit {code}\n')
    fake.chmod(stat.S_IRWXU)
    given = {each["name"]: each["value"] for each in container["env"] if "value" in each}

    ran = subprocess.run(
        ["sh", "-c", *container["args"]],
        env=given | {"PATH": f"{tmp_path}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )

    words = ran.stdout.split()
    assert ran.returncode == ends
    assert words[:5] == ["run.py", "--pipeline", "retraining", "--stack", "kubernetes"]
    assert {"trigger=policy", "data.source=s3://churn/labelled.parquet"} <= set(words)


def test_the_nightly_batch_writes_into_a_folder_of_its_day(one, tmp_path):
    (container,) = pod_of(one("CronJob", "churn-batch"))["containers"]
    fake = tmp_path / "python"
    fake.write_text('#!/bin/sh\necho "$@"\n')
    fake.chmod(stat.S_IRWXU)
    given = {each["name"]: each["value"] for each in container["env"] if "value" in each}

    ran = subprocess.run(
        ["sh", "-c", *container["args"]],
        env=given | {"PATH": f"{tmp_path}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=True,
    )

    words = ran.stdout.split()
    assert words[:3] == ["run.py", "--pipeline", "batch_inference"]
    assert "input=s3://churn/customers.parquet" in words
    assert re.fullmatch(r"output=s3://churn/scores/\d{4}-\d\d-\d\d", words[-1])
