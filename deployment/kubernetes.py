"""Target kubernetes: applies an overlay, publishes the bundle inside the cluster, awaits the rollout."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import yaml

from churn.deployment.protocols import service_protocols
from churn.errors import ChurnError, InputError
from churn.root import ROOT
from deployment.bundle import bundle_digest
from deployment.publisher import Publisher
from deployment.readiness import ProbeSpec, wait_until_serving
from deployment.subprocesses import Program, last_line
from deployment.target import DeployRequest, RollbackResult, Target

_FOLDER = ROOT / "deployment" / "manifests" / "kubernetes"
_NAME = "churn-api"
_DEPLOYMENT = f"deployment/{_NAME}"
_REVISION = r"{.metadata.annotations.deployment\.kubernetes\.io/revision}"
_REPLICAS = "{.spec.replicas}"
_PLACEHOLDER_REGISTRY = "registry.example/"  # in the shipped overlay, until you name a registry


class KubernetesTarget(Target):
    """The Deployment of an overlay; its pods follow the cluster's own store."""

    def __init__(self, request: DeployRequest) -> None:
        """Contacts nothing."""
        super().__init__(request)
        settings = request.settings.kubernetes
        shipped = _FOLDER / "overlays" / settings.overlay
        self._overlay = shipped if shipped.is_dir() else ROOT / settings.overlay
        self._context = context_arguments(settings.context)
        self._namespace = ""
        self._image = ""
        self._needs_key = False
        self._publisher: Publisher | None = None
        self._revision_before: str | None = None
        self._stopped_before = False
        self.place = f"service/{_NAME} of overlay {settings.overlay}"

    @property
    def probe(self) -> ProbeSpec:
        """Our own routes, of the one pod that a port-forward leads to."""
        return ProbeSpec("/readyz", reports_version=True, protocols=service_protocols())

    def check_prerequisites(self) -> None:
        """Checks kubectl, its context, the cluster, the image, and the key where one is needed."""
        require_cluster(self._plain(), "kubernetes", has_context=bool(self._context))
        self._render()
        if self._image.startswith(_PLACEHOLDER_REGISTRY):
            raise InputError(
                f"The overlay {self._overlay} names the image {self._image}, which nobody has; push "
                "one and name it there with `kustomize edit set image churn-api=...`."
            )
        if self._needs_key and self.request.key is None:
            raise InputError(
                f"The service of the overlay {self._overlay} asks for an API key; set "
                f"{self.request.settings.smoke.key_variable} to one that it accepts."
            )

    def planned_actions(self) -> tuple[str, ...]:
        """Returns what `deploy` would do."""
        self._render()
        kubectl, version = self._kubectl(), self.request.version
        return (
            self._plain().command_line("apply", "-k", str(self._overlay)),
            f"Publish version {version} into the cluster's store through the pod churn-publisher.",
            kubectl.command_line(*self._rollout_status()),
            kubectl.command_line("port-forward", f"service/{_NAME}", ":80"),
        )

    def deploy(self) -> None:
        """Applies the overlay, publishes inside, and waits for the rollout."""
        self._render()
        digest = bundle_digest(self.request)
        self._revision_before = self._get(_REVISION)
        self._stopped_before = self._get(_REPLICAS) == "0"
        publisher = self._publisher = Publisher(
            self._kubectl(), self._kustomize(_FOLDER / "publisher"), self._image
        )
        self.changed = True
        self.run(self._plain(), "apply", "-k", str(self._overlay))
        try:
            publisher.publish(self.request, digest)
        finally:
            self.actions += publisher.actions
        if self._stopped_before:
            # The overlay sets no number of replicas, and the autoscaler leaves 0 as it is.
            replicas = f"--replicas={self._min_replicas()}"
            self.run(self._kubectl(), "scale", _DEPLOYMENT, replicas)
        self.run(self._kubectl(), *self._rollout_status())

    @contextmanager
    def base_url(self) -> Iterator[str]:
        """Yields a local URL that is forwarded to a pod that serves the version."""
        with self._port_forward(self.request.version) as url:
            yield url

    def roll_back(self, *, smoke_failed: bool) -> RollbackResult:
        """Moves the pointer inside back and undoes the rollout; a new Deployment is scaled to 0."""
        publisher = self._publisher
        with ExitStack() as pods:  # whether or not the pointer can be moved
            pods.callback(self._undo_pods)
            before = publisher.roll_back(smoke_failed=smoke_failed) if publisher else None
        if self._revision_before is None or self._stopped_before:
            return RollbackResult(None, "The pods were scaled to none; none served before.")
        if publisher is None or not publisher.ready:
            sentence = "The cluster's store was not reached; what it has in production serves on."
            return RollbackResult(None, sentence)
        if before is None:
            return RollbackResult.first_version(self.request.version)
        nothing_undone = self._get(_REVISION) == self._revision_before
        if before == self.request.version and nothing_undone:
            return RollbackResult.not_yet(before)
        with self._port_forward(before):
            return RollbackResult.serves_again(before)

    def _undo_pods(self) -> None:
        if self._revision_before is None or self._stopped_before:
            self.run(self._kubectl(), "scale", _DEPLOYMENT, "--replicas=0")
        elif self._get(_REVISION) != self._revision_before:
            self.run(self._kubectl(), "rollout", "undo", _DEPLOYMENT)
            self.run(self._kubectl(), *self._rollout_status())

    def close(self) -> None:
        """Deletes the publisher's pod."""
        if self._publisher is not None:
            self._publisher.close()

    def _render(self) -> None:
        """Reads namespace, image and environment from the overlay; contacts no cluster."""
        if self.manifests:
            return
        documents = self._kustomize(self._overlay)
        deployment = next(
            (
                each
                for each in documents
                if each["kind"] == "Deployment" and each["metadata"]["name"] == _NAME
            ),
            None,
        )
        if deployment is None:
            overlays = sorted(path.name for path in (_FOLDER / "overlays").iterdir())
            raise InputError(
                f"The overlay {self._overlay} has no Deployment {_NAME}; name one of "
                f"{', '.join(overlays)}."
            )
        self.manifests = yaml.safe_dump_all(documents, sort_keys=False)
        self._namespace = deployment["metadata"].get("namespace", "default")
        self._image = deployment["spec"]["template"]["spec"]["containers"][0]["image"]
        maps = [each.get("data", {}) for each in documents if each["kind"] == "ConfigMap"]
        self._needs_key = any(
            each.get("CHURN_ENVIRONMENT", "development") != "development" for each in maps
        )
        self.place = f"service/{_NAME} in namespace {self._namespace}"

    def _kustomize(self, folder: Path) -> list[dict[str, Any]]:
        return yaml_documents(self._plain().run("kustomize", str(folder)))

    def _plain(self) -> Program:
        return Program("kubectl", *self._context)

    def _kubectl(self) -> Program:
        return Program("kubectl", *self._context, "--namespace", self._namespace)

    def _rollout_status(self) -> tuple[str, ...]:
        seconds = round(self.request.settings.smoke.wait_seconds)
        return ("rollout", "status", _DEPLOYMENT, f"--timeout={seconds}s")

    def _get(self, field: str) -> str | None:
        """Returns a field of the Deployment; None where there is no Deployment yet.

        Raises:
            ChurnError: the cluster does not say.
        """
        output = f"jsonpath={{.metadata.name}}={field}"  # the name, since a field may be empty
        found = self._kubectl().run("get", _DEPLOYMENT, "--ignore-not-found", "--output", output)
        return found.strip().partition("=")[2] if found.strip() else None

    def _min_replicas(self) -> int:
        """Returns the least number of replicas of the overlay's autoscaler; 1 without one."""
        replicas = (
            int(each["spec"]["minReplicas"])
            for each in yaml_documents(self.manifests)
            if each["kind"] == "HorizontalPodAutoscaler"
            and each["spec"]["scaleTargetRef"]["name"] == _NAME
        )
        return next(replicas, 1)

    @contextmanager
    def _port_forward(self, version: str) -> Iterator[str]:
        seconds, key = self.request.settings.smoke.wait_seconds, self.request.key
        with self._kubectl().port_forward("port-forward", f"service/{_NAME}", ":80") as url:
            wait_until_serving(url, self.probe, version, seconds=seconds, key=key)
            yield url


def require_cluster(kubectl: Program, target: str, *, has_context: bool) -> None:
    """Checks kubectl, its context, and that the cluster answers.

    Raises:
        InputError: kubectl or the context is missing.
        ChurnError: the cluster does not answer.
    """
    kubectl.require("install it and connect it to a cluster, or deploy with --set target=local.")
    if (
        not has_context
        and kubectl.run_unchecked("config", "current-context", seconds=60).returncode
    ):
        raise InputError(
            "kubectl has no current context, so it knows no cluster; choose one with `kubectl config "
            f"use-context NAME`, or with --set {target}.context=NAME."
        )
    result = kubectl.run_unchecked("version", "--request-timeout=10s", seconds=60)
    if result.returncode:
        raise ChurnError(
            f"The cluster does not answer ({last_line(result.stderr).rstrip('.')}); look at `kubectl "
            "cluster-info`, or deploy with --set target=local."
        )


def context_arguments(context: str) -> tuple[str, ...]:
    """Returns kubectl's arguments for a context; none for the current one, whose name is empty."""
    return ("--context", context) if context else ()


def yaml_documents(text: str) -> list[dict[str, Any]]:
    """Returns the documents of a YAML stream that are not empty."""
    return [each for each in yaml.safe_load_all(text) if each]
