"""The cluster of a Kubernetes stack, found as ZenML's orchestrator finds it."""

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
_UNAUTHORIZED = 401


@dataclass(frozen=True)
class Cluster:
    """Connection to a cluster, which may not answer.

    Attributes:
        context: Context of the kubeconfig, or the pod's own account.
        namespace: Namespace of the pipelines.
        client: Kubernetes' client.
    """

    context: str
    namespace: str
    client: ApiClient

    def version(self) -> str:
        """Returns the API server's version, such as `v1.33.1`; raises ChurnError without answer."""
        from kubernetes.client import VersionApi

        version = self._request(lambda: VersionApi(self.client).get_code(_request_timeout=SECONDS))
        return str(version.git_version)

    def exists(self, kind: str, name: str) -> bool | None:
        """Whether a resource exists; None without the right to see it. Reads no value of a secret.

        Args:
            kind: Plural, such as `secrets`; `namespaces` for the namespace itself.
            name: Name of the resource.

        Raises:
            ChurnError: the API server does not answer.
        """
        place = f"/api/v1/namespaces/{self.namespace}"
        if kind != "namespaces":
            place += f"/{kind}/{name}"
        accept = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
        status = self._request(
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
        """Whether a service account, or for None our own, has a right; None if we may not know.

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
        answer = self._request(lambda: review(body, _request_timeout=SECONDS), allowed=(403,))
        return None if isinstance(answer, int) else bool(answer.status.allowed)

    def _request(self, request: Any, allowed: tuple[int, ...] = ()) -> Any:
        """Returns the response, or the status where it is one of those allowed."""
        from kubernetes.client import ApiException
        from urllib3.exceptions import HTTPError

        try:
            return request()
        except ApiException as error:
            if error.status in allowed:
                return error.status
            if error.status == _UNAUTHORIZED:
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
    """Reads the kubeconfig for a stack with a Kubernetes orchestrator; contacts no cluster.

    Raises:
        InputError: there is no such context.
    """
    from kubernetes import client, config
    from kubernetes.config.config_exception import ConfigException

    orchestrator = spec.components["orchestrator"]
    assert isinstance(orchestrator, OwnComponent)  # noqa: S101 - callers check `runs_in_pods`
    settings = orchestrator.configuration
    context = str(settings.get("kubernetes_context", ""))
    namespace = str(settings["kubernetes_namespace"])
    configuration = client.Configuration()
    try:
        if settings.get("incluster") and "KUBERNETES_SERVICE_HOST" in os.environ:
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
    """Checks whether a run can start on the stack's cluster; does nothing for other stacks.

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
        sentence = f"{error}; `run.py --doctor --stack {spec.name}` checks all of it."
        raise type(error)(sentence) from None
