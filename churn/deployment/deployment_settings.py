"""Settings of the deployment pipeline: one class for each target, and one for the smoke test."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from churn.frozen_model import FrozenSettings

TargetName = Literal["local", "compose", "kubernetes", "seldon", "zenml"]
Action = Literal["deploy", "stop"]
Label = Annotated[str, Field(pattern=r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$")]
Variable = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]


class LocalSettings(FrozenSettings):
    """The service as a process on this machine.

    Attributes:
        port: Port that it listens on, on 127.0.0.1.
        workers: Number of worker processes.
    """

    port: Annotated[int, Field(ge=1, le=65535)] = 8000
    workers: Annotated[int, Field(ge=1, le=64)] = 1


class ComposeSettings(FrozenSettings):
    """The service `api` of docker-compose.yml.

    Attributes:
        env_file: Another file than tools/compose_secrets.py wrote; relative to the project.
    """

    env_file: Annotated[str, Field(min_length=1)] | None = None


class KubernetesSettings(FrozenSettings):
    """The manifests of deployment/manifests/kubernetes.

    Attributes:
        overlay: One of deployment/manifests/kubernetes/overlays, or a folder of your own.
        context: kubectl's context; empty for the current one.
    """

    overlay: Annotated[str, Field(min_length=1)] = "kind"
    context: str = ""


class SeldonSettings(FrozenSettings):
    """Options of service.seldon.render, which renders the manifests.

    Attributes:
        core: 1 renders a SeldonDeployment; 2 renders a Server and a Model, which speak V2.
        image: Image with a tag other than latest, or with a digest.
        bundle_uri: Where the cluster reads bundles; the version is published there first.
        name: Name of the rollout.
        namespace: Namespace of the rollout.
        secret: Secret with the store's credentials; empty for none.
        min_replicas: Least number of replicas.
        max_replicas: Largest number of replicas.
        context: kubectl's context; empty for the current one.
    """

    core: Literal[1, 2] = 2
    image: str = ""
    bundle_uri: str = ""
    name: Annotated[str, Field(pattern=r"^[a-z0-9]([-a-z0-9]{0,28}[a-z0-9])?$")] = "churn"
    namespace: Label = "seldon-mesh"
    secret: str = ""
    min_replicas: Annotated[int, Field(ge=1, le=1000)] = 2
    max_replicas: Annotated[int, Field(ge=1, le=1000)] = 6
    context: str = ""


class ZenmlSettings(FrozenSettings):
    """The scoring pipeline as a ZenML deployment.

    Attributes:
        name: Name of the deployment in ZenML.
        port: Port that it listens on; None takes 8300, or any free one.
        keyed: Whether callers need a key, which ZenML generates.
    """

    name: Annotated[str, Field(pattern=r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$")] = "churn-scoring"
    port: Annotated[int, Field(ge=1, le=65535)] | None = None
    keyed: bool = False


class SmokeSettings(FrozenSettings):
    """Smoke test with the golden rows.

    Attributes:
        tolerance: Largest difference of a probability that is accepted.
        wait_seconds: How long a target may take until it serves the version.
        key_variable: Name of the environment variable with the API key to send.
    """

    tolerance: Annotated[float, Field(ge=0, le=1e-3)] = 1e-12
    wait_seconds: Annotated[float, Field(gt=0, le=3600)] = 180.0
    key_variable: Variable = "DEPLOY_API_KEY"
