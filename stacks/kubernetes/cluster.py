"""The cluster of a Kubernetes stack, as ZenML's orchestrator finds it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from churn.errors import ChurnError, InputError
from stacks.diagnosis import SECONDS, network_reason
from stacks.kubernetes.resources import runs_in_pods
from stacks.kubernetes.rights import Right
from stacks.spec import OwnComponent, StackSpec

if TYPE_CHECKING:
    from kubernetes.client import ApiClient

APPLY = "kubectl apply -k deployment/manifests/kubernetes/pipelines"
_UNKNOWN = 401


@dataclass(frozen=True)
class Cluster:
    """A cluster that is connected to, which says nothing yet about whether it answers.

    Attributes:
        context: The kubeconfig's context, or the pod's own account.
        namespace: Where the pipelines run.
        client: Asks it.
    """

    context: str
    namespace: str
    client: ApiClient

    def version(self) -> str:
        """The API server's version, such as `v1.33.1`.

        Raises:
            ChurnError: it does not answer.
        """
        from kubernetes.client import VersionApi

        told = self.ask(lambda: VersionApi(self.client).get_code(_request_timeout=SECONDS))
        return str(told.git_version)

    def exists(self, kind: str, name: str) -> bool | None:
        """Whether something is there; None where one may not look. Of a secret, no value travels.

        Args:
            kind: Plural, such as `secrets`; `namespaces` for the namespace itself.
            name: Its name.

        Raises:
            ChurnError: the API server does not answer.
        """
        place = f"/api/v1/namespaces/{self.namespace}"
        if kind != "namespaces":
            place += f"/{kind}/{name}"
        accept = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
        status = self.ask(
            lambda: self.client.call_api(
                place,
                "GET",
                header_params={"Accept": accept},
                auth_settings=["BearerToken"],
                _request_timeout=SECONDS,
            )[1],
            allowed=(403, 404),
        )
        return {200: True, 404: False}.get(status)

    def may(self, right: Right, account: str | None = None) -> bool | None:
        """Whether one has a right; None where that cannot be asked.

        Args:
            right: Which.
            account: A service account of the namespace; None for whoever asks.

        Raises:
            ChurnError: the API server does not answer.
        """
        from kubernetes import client

        resource, _, part = right.resource.partition("/")
        attributes = client.V1ResourceAttributes(
            namespace=self.namespace,
            group=right.group,
            resource=resource,
            subresource=part or None,
            verb=right.verb,
        )
        api = client.AuthorizationV1Api(self.client)
        body: Any
        if account is None:
            spec = client.V1SelfSubjectAccessReviewSpec(resource_attributes=attributes)
            body, review = client.V1SelfSubjectAccessReview(spec=spec), api.create_self_subject_access_review  # fmt: skip
        else:
            spec = client.V1SubjectAccessReviewSpec(
                resource_attributes=attributes,
                user=f"system:serviceaccount:{self.namespace}:{account}",
            )
            body, review = client.V1SubjectAccessReview(spec=spec), api.create_subject_access_review
        told = self.ask(lambda: review(body, _request_timeout=SECONDS), allowed=(403,))
        return None if isinstance(told, int) else bool(told.status.allowed)

    def ask(self, question: Any, allowed: tuple[int, ...] = ()) -> Any:
        """Its answer, or the status of a refusal that is an answer, too.

        Raises:
            ChurnError: none came, or another refusal.
        """
        from kubernetes.client import ApiException
        from urllib3.exceptions import HTTPError

        try:
            return question()
        except ApiException as error:
            if error.status in allowed:
                return error.status
            if error.status == _UNKNOWN:
                raise InputError(
                    f"The API server of context '{self.context}' does not know who you are (401); "
                    "log in to the cluster anew"
                ) from None
            raise ChurnError(
                f"The API server of context '{self.context}' answers {error.status} {error.reason}"
            ) from None
        except (HTTPError, OSError, ValueError) as error:
            raise ChurnError(
                f"The API server of context '{self.context}' does not answer ({network_reason(error)})"
            ) from None


def connect_cluster(spec: StackSpec) -> Cluster:
    """Reads where the cluster is; asks nothing of it.

    Args:
        spec: A stack with a Kubernetes orchestrator, its placeholders filled in.

    Raises:
        InputError: there is no such context.
    """
    from kubernetes import client, config
    from kubernetes.config.config_exception import ConfigException

    orchestrator = spec.components["orchestrator"]
    assert isinstance(orchestrator, OwnComponent)  # noqa: S101 - `runs_in_pods` was asked
    told = orchestrator.configuration
    context, namespace = str(told.get("kubernetes_context", "")), str(told["kubernetes_namespace"])
    configuration = client.Configuration()
    try:
        if told.get("incluster") and "KUBERNETES_SERVICE_HOST" in os.environ:
            config.load_incluster_config(client_configuration=configuration)
            context = "this pod's own account"
        else:
            config.load_kube_config(context=context, client_configuration=configuration)
    except (ConfigException, OSError) as error:
        raise InputError(
            f"The context '{context}' cannot be used ({network_reason(error)}); `kubectl config "
            "get-contexts` lists what there is, and STACK_KUBE_CONTEXT names one"
        ) from None
    configuration.retries = 0
    return Cluster(context, namespace, client.ApiClient(configuration))


def require_cluster(spec: StackSpec) -> None:
    """Asks the cluster of a stack whether a run can start there; does nothing for other stacks.

    Args:
        spec: The stack, its placeholders filled in.

    Raises:
        InputError: there is no such context, or no such namespace, or no right to start a job.
        ChurnError: the API server does not answer.
    """
    if not runs_in_pods(spec):
        return
    try:
        cluster = connect_cluster(spec)
        cluster.version()
        if cluster.exists("namespaces", cluster.namespace) is False:
            raise InputError(
                f"The cluster of context '{cluster.context}' has no namespace "
                f"'{cluster.namespace}'; make it with `{APPLY}`"
            )
        if cluster.may(Right("batch", "jobs", "create")) is False:
            raise InputError(
                f"You may not create jobs in namespace '{cluster.namespace}' of context "
                f"'{cluster.context}'; bind the role churn-runner to you, as docs/kubernetes.md says"
            )
    except ChurnError as error:
        told = f"{error}; `run.py --doctor --stack {spec.name}` looks at all of it."
        raise type(error)(told) from None
