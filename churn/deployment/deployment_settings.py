"""What the deployment pipeline can be told about each of its targets."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from churn.frozen_model import FrozenSettings

TargetName = Literal["local", "compose", "kubernetes", "seldon", "zenml"]
Action = Literal["deploy", "stop"]
Label = Annotated[str, Field(pattern=r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$")]
Variable = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]


class LocalSettings(FrozenSettings):
    """The service as a process of this machine.

    Attributes:
        port: it listens on, on 127.0.0.1.
        workers: processes that answer.
    """

    port: Annotated[int, Field(ge=1, le=65535)] = 8000
    workers: Annotated[int, Field(ge=1, le=64)] = 1


class ComposeSettings(FrozenSettings):
    """The service `api` of docker-compose.yml.

    Attributes:
        env_file: what tools/compose_secrets.py wrote; relative to the project.
    """

    env_file: Annotated[str, Field(min_length=1)] = ".churn/compose.env"


class KubernetesSettings(FrozenSettings):
    """The manifests of deployment/manifests/kubernetes.

    Attributes:
        overlay: one of deployment/manifests/kubernetes/overlays, or a folder of one's own.
        context: kubectl's; empty for the current one.
    """

    overlay: Annotated[str, Field(min_length=1)] = "kind"
    context: str = ""


class SeldonSettings(FrozenSettings):
    """What service.seldon.render is told.

    Attributes:
        core: 1 renders a SeldonDeployment, 2 a Server and a Model, which speak V2.
        image: with a tag other than latest, or a digest.
        bundle_uri: where the cluster reads bundles; they are published there first.
        name: of the rollout.
        namespace: it goes to.
        secret: with the credentials of the store; empty for none.
        min_replicas: at least so many.
        max_replicas: at most so many.
        context: kubectl's; empty for the current one.
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
    """The scoring pipeline as a service of ZenML's.

    Attributes:
        name: what ZenML calls the deployment.
        port: it listens on; none takes 8300, or any free one.
        keyed: whether callers must show a key, which ZenML makes.
    """

    name: Annotated[str, Field(pattern=r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$")] = "churn-scoring"
    port: Annotated[int, Field(ge=1, le=65535)] | None = None
    keyed: bool = False


class SmokeSettings(FrozenSettings):
    """How the golden rows are asked for.

    Attributes:
        tolerance: how far a probability may be off.
        wait_seconds: how long a target may take until it serves the version.
        key_variable: name of the environment variable with the API key to ask with.
    """

    tolerance: Annotated[float, Field(ge=0, le=1e-3)] = 1e-12
    wait_seconds: Annotated[float, Field(gt=0, le=3600)] = 180.0
    key_variable: Variable = "DEPLOY_API_KEY"
