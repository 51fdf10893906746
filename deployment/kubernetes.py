"""The service on Kubernetes: the overlay applied, the bundle published inside, the rollout awaited."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from churn.errors import ChurnError, InputError
from churn.root import ROOT
from deployment.local import SERVICE_PROTOCOLS
from deployment.publisher import Publisher
from deployment.readiness import wait_until_serving
from deployment.store import bundle_digest
from deployment.subprocesses import Program, last_line
from deployment.target import DeployRequest, ProbeSpec, RollbackResult

_FOLDER = ROOT / "deployment" / "manifests" / "kubernetes"
_NAME = "churn-api"
_DEPLOYMENT = f"deployment/{_NAME}"
_REVISION = r"jsonpath={.metadata.annotations.deployment\.kubernetes\.io/revision}"
_REPLICAS = "jsonpath={.spec.replicas}"
_NOBODY = "registry.example/"  # what the shipped overlay says until somebody names a registry


class KubernetesTarget:
    """The Deployment of an overlay; its pods follow the cluster's own store."""

    def __init__(self, wanted: DeployRequest) -> None:
        """Asks nothing yet."""
        self._wanted = wanted
        asked = wanted.settings.kubernetes
        named = _FOLDER / "overlays" / asked.overlay
        self._overlay = named if named.is_dir() else ROOT / asked.overlay
        self._context = asked.context
        self._namespace = ""
        self._image = ""
        self._keyed = False
        self._publisher: Publisher | None = None
        self._revision_before: str | None = None
        self._stopped_before = False
        self.changed = False
        self.actions: list[str] = []
        self.manifests = ""
        self.place = f"service/{_NAME} of overlay {asked.overlay}"

    @property
    def probe(self) -> ProbeSpec:
        """Our own routes, of the one pod that a port-forward leads to."""
        return ProbeSpec("/readyz", reports_version=True, protocols=SERVICE_PROTOCOLS)

    def check_prerequisites(self) -> None:
        """kubectl, a context, a cluster that answers, and an image that somebody has.

        Raises:
            InputError: something that the caller must provide is missing.
            ChurnError: the cluster does not answer.
        """
        require_cluster(self._plain(), self._context, "kubernetes")
        self._render()
        if self._image.startswith(_NOBODY):
            raise InputError(
                f"The overlay {self._overlay} names the image {self._image}, which nobody has; push "
                "one and name it there with `kustomize edit set image churn-api=...`."
            )
        if self._keyed and self._wanted.key is None:
            raise InputError(
                f"The service of the overlay {self._overlay} asks for an API key; set "
                f"{self._wanted.settings.smoke.key_variable} to one that it lets in."
            )

    def planned_actions(self) -> tuple[str, ...]:
        """What would be done."""
        self._render()
        inside, version = self._kubectl(), self._wanted.version
        return (
            self._plain().spoken("apply", "-k", str(self._overlay)),
            f"Publish version {version} into the cluster's store through the pod churn-publisher.",
            inside.spoken(*self._waiting()),
            inside.spoken("port-forward", f"service/{_NAME}", ":80"),
        )

    def deploy(self) -> None:
        """Applies, publishes inside, and waits for the rollout and for the swap.

        Raises:
            ChurnError: it does not come to serve the version.
        """
        self._render()
        digest = bundle_digest(self._wanted)
        self._revision_before = self._looked(_REVISION)
        self._stopped_before = self._looked(_REPLICAS) == "0"
        publisher = self._publisher = Publisher(
            self._kubectl(), self._rendered(_FOLDER / "publisher"), self._image
        )
        self.changed = True
        self._do(self._plain(), "apply", "-k", str(self._overlay))
        try:
            publisher.publish(self._wanted, digest)
        finally:
            self.actions += publisher.actions
        if self._stopped_before:
            # Applying does not: the number is the autoscaler's, and for it none means switched off.
            self._do(self._kubectl(), "scale", _DEPLOYMENT, f"--replicas={self._fewest()}")
        self._do(self._kubectl(), *self._waiting())

    @contextmanager
    def base_url(self) -> Iterator[str]:
        """A port of this machine, forwarded to a pod that has come to serve the version."""
        with self._forwarded(self._wanted.version) as address:
            yield address

    def roll_back(self, *, smoke_failed: bool) -> RollbackResult:
        """Points back inside, undoes the rollout where there was one; what is new is scaled to none.

        Raises:
            ChurnError: what served before does not come to serve again.
        """
        publisher = self._publisher
        now: str | None = None
        if publisher is not None:
            back = smoke_failed or publisher.moved
            now = publisher.put_back() if back else publisher.serving()
        if self._revision_before is None or self._stopped_before:
            self._do(self._kubectl(), "scale", _DEPLOYMENT, "--replicas=0")
            return RollbackResult(None, "The pods were scaled to none; none served before.")
        if self._looked(_REVISION) != self._revision_before:
            self._do(self._kubectl(), "rollout", "undo", _DEPLOYMENT)
            self._do(self._kubectl(), *self._waiting())
        if now is None:
            return RollbackResult.nothing_before(self._wanted.version)
        with self._forwarded(now):
            return RollbackResult(now, f"Version {now} serves again.")

    def save_state(self) -> None:
        """The cluster knows what served before."""

    def close(self) -> None:
        """Takes the publisher's pod away."""
        if self._publisher is not None:
            self._publisher.close()

    def _render(self) -> None:
        """Reads namespace, image and whether keys are asked for out of the overlay; asks no cluster."""
        if self.manifests:
            return
        documents = self._rendered(self._overlay)
        self.manifests = yaml.safe_dump_all(documents, sort_keys=False)
        (deployment,) = (
            each
            for each in documents
            if each["kind"] == "Deployment" and each["metadata"]["name"] == _NAME
        )
        self._namespace = deployment["metadata"].get("namespace", "default")
        self._image = deployment["spec"]["template"]["spec"]["containers"][0]["image"]
        maps = [each.get("data", {}) for each in documents if each["kind"] == "ConfigMap"]
        self._keyed = any(
            each.get("CHURN_ENVIRONMENT", "development") != "development" for each in maps
        )
        self.place = f"service/{_NAME} in namespace {self._namespace}"

    def _rendered(self, folder: Path) -> list[dict[str, Any]]:
        text = self._plain().run("kustomize", str(folder))
        documents = [each for each in yaml.safe_load_all(text) if each]
        if folder == self._overlay and not any(
            each.get("kind") == "Deployment" for each in documents
        ):
            raise InputError(
                f"The overlay {folder} has no Deployment {_NAME}; name one of "
                f"{', '.join(sorted(p.name for p in (_FOLDER / 'overlays').iterdir()))}."
            )
        return documents

    def _plain(self) -> Program:
        return Program("kubectl", *_in_context(self._context))

    def _kubectl(self) -> Program:
        return Program("kubectl", *_in_context(self._context), "--namespace", self._namespace)

    def _waiting(self) -> tuple[str, ...]:
        seconds = round(self._wanted.settings.smoke.wait_seconds)
        return ("rollout", "status", _DEPLOYMENT, f"--timeout={seconds}s")

    def _looked(self, output: str) -> str | None:
        """Something of the Deployment; None where there is none yet."""
        asked = self._kubectl().asked("get", _DEPLOYMENT, "--output", output)
        return asked.stdout.strip() if asked.returncode == 0 else None

    def _fewest(self) -> int:
        """The least that the overlay's autoscaler keeps."""
        scaled = (
            int(each["spec"]["minReplicas"])
            for each in yaml.safe_load_all(self.manifests)
            if each["kind"] == "HorizontalPodAutoscaler"
            and each["spec"]["scaleTargetRef"]["name"] == _NAME
        )
        return next(scaled, 1)

    @contextmanager
    def _forwarded(self, version: str) -> Iterator[str]:
        seconds, key = self._wanted.settings.smoke.wait_seconds, self._wanted.key
        with self._kubectl().forwarded("port-forward", f"service/{_NAME}", ":80") as address:
            wait_until_serving(address, self.probe, version, seconds=seconds, key=key)
            yield address

    def _do(self, program: Program, *arguments: str) -> None:
        self.actions.append(program.spoken(*arguments))
        program.run(*arguments)


def require_cluster(kubectl: Program, context: str, target: str) -> None:
    """kubectl, a context, and a cluster that answers.

    Raises:
        InputError: kubectl or the context is missing.
        ChurnError: the cluster does not answer.
    """
    kubectl.require("install it and connect it to a cluster, or deploy with --set target=local.")
    if not context and kubectl.asked("config", "current-context", seconds=60).returncode:
        raise InputError(
            "kubectl has no current context, so it knows no cluster; choose one with `kubectl config "
            f"use-context NAME`, or with --set {target}.context=NAME."
        )
    answer = kubectl.asked("version", "--request-timeout=10s", seconds=60)
    if answer.returncode:
        raise ChurnError(
            f"The cluster does not answer ({last_line(answer.stderr).rstrip('.')}); look at `kubectl "
            "cluster-info`, or deploy with --set target=local."
        )


def _in_context(context: str) -> tuple[str, ...]:
    return ("--context", context) if context else ()
