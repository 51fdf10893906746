"""Checks whether a cluster is ready for the pipelines: its resources, and the accounts' rights."""

from __future__ import annotations

from collections.abc import Iterator

from churn.errors import ChurnError
from stacks.diagnosis import Diagnosis
from stacks.kubernetes.cluster import APPLY, Cluster, connect_cluster
from stacks.kubernetes.rights import (
    ORCHESTRATOR,
    ORCHESTRATOR_RIGHTS,
    RUNNER,
    RUNNER_RIGHTS,
    STEPS,
    STEPS_SECRET,
    Right,
)
from stacks.spec import StackSpec

_OLDEST = (1, 27)  # time zones of a CronJob


def check_cluster(spec: StackSpec) -> Iterator[Diagnosis]:
    """Checks context, API server, namespace, accounts, rights and the steps' secret, in this order."""
    try:
        cluster = connect_cluster(spec)
    except ChurnError as error:
        yield Diagnosis.from_error("context", error, "kubectl config get-contexts")
        return
    yield Diagnosis("context", "fine", cluster.context)
    try:
        yield from _check_resources(cluster)
    except ChurnError as error:
        yield Diagnosis.from_error(
            "API server", error, f"kubectl --context {cluster.context} cluster-info"
        )


def _check_resources(cluster: Cluster) -> Iterator[Diagnosis]:
    version = cluster.version()
    numbers = tuple(int(part) for part in version.lstrip("v").split(".")[:2] if part.isdigit())
    old = numbers < _OLDEST
    yield Diagnosis(
        "API server",
        "note" if old else "fine",
        f"Kubernetes {version}",
        "The schedule's time zone needs 1.27 or later." if old else "",
    )
    exists = cluster.exists("namespaces", cluster.namespace)
    yield _existence("namespace", cluster.namespace, exists, APPLY)
    if exists is False:
        return
    for account in (ORCHESTRATOR, STEPS):
        yield _existence("account", account, cluster.exists("serviceaccounts", account), APPLY)
    yield _rights(
        cluster,
        "your rights",
        RUNNER_RIGHTS,
        None,
        f"kubectl --context {cluster.context} --namespace {cluster.namespace} create rolebinding "
        f"churn-runner-me --role={RUNNER} --user=YOU",
    )
    yield _rights(cluster, "its rights", ORCHESTRATOR_RIGHTS, ORCHESTRATOR, APPLY)
    yield _existence(
        "steps' secret",
        STEPS_SECRET,
        cluster.exists("secrets", STEPS_SECRET),
        f"kubectl --context {cluster.context} --namespace {cluster.namespace} create secret generic "
        f"{STEPS_SECRET} --from-literal=AWS_ACCESS_KEY_ID=... --from-literal=AWS_SECRET_ACCESS_KEY=...",
    )


def _existence(subject: str, name: str, exists: bool | None, command: str) -> Diagnosis:
    if exists is None:
        finding = f"{name}: you have no right to see whether it exists"
        return Diagnosis(subject, "note", finding, "Ask who runs the cluster.")
    if not exists:
        return Diagnosis(subject, "broken", f"{name} is not there", command)
    return Diagnosis(subject, "fine", name)


def _rights(
    cluster: Cluster, subject: str, rights: tuple[Right, ...], account: str | None, command: str
) -> Diagnosis:
    who = account or "you"
    answers = {right: cluster.may(right, account) for right in rights}
    missing = [str(right) for right, allowed in answers.items() if allowed is False]
    if missing:
        return Diagnosis(subject, "broken", f"{who} may not {', '.join(missing)}", command)
    if None in answers.values():
        finding = f"you have no right to see what {who} may do"
        return Diagnosis(subject, "note", finding, "Ask who runs the cluster.")
    return Diagnosis(subject, "fine", f"{who} may do all {len(rights)} things that a run needs")
