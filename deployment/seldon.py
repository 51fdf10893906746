"""Target seldon: manifests rendered by service.seldon.render, applied, awaited, and rolled back."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import yaml

from churn.deployment.protocols import open_inference, seldon_core_1
from churn.durable import replace_text
from churn.errors import ChurnError, InputError
from deployment.kubernetes import context_arguments, require_cluster, yaml_documents
from deployment.readiness import ProbeSpec
from deployment.seldon_store import publish_bundle, publish_mlserver_model, require_uri
from deployment.subprocesses import Program, last_line
from deployment.target import DeployRequest, RollbackResult, Target

_MESH = "seldon-mesh"  # the entry of Core 2, in each of its namespaces
_PREDICTOR = "main"  # name that service.seldon.render gives the predictor that serves


class SeldonTarget(Target):
    """A rollout of one version; canary and shadow are rendered by hand (docs/seldon.md)."""

    def __init__(self, request: DeployRequest) -> None:
        """Contacts nothing."""
        super().__init__(request)
        settings = self._settings = request.settings.seldon
        context = context_arguments(settings.context)
        self._plain = Program("kubectl", *context)
        self._kubectl = Program("kubectl", *context, "--namespace", settings.namespace)
        state = f"{settings.namespace}-{settings.name}-core{settings.core}.json"
        self._state_file = request.state / "seldon" / state
        self._applied = False
        self.place = (
            f"{settings.name} in namespace {settings.namespace}, Seldon Core {settings.core}"
        )

    @property
    def probe(self) -> ProbeSpec:
        """V2 through Core 2's mesh, or Core 1's own protocol."""
        if self._settings.core == 1:
            return ProbeSpec("/ready", reports_version=False, protocols=(seldon_core_1(),))
        model = self._model_name()
        return ProbeSpec(
            f"/v2/models/{model}/ready",
            reports_version=False,
            protocols=(open_inference(model),),
            headers=(("Seldon-Model", model),),
        )

    def check_prerequisites(self) -> None:
        """Checks that the settings can be rendered, kubectl, its context, and the cluster."""
        self._render()
        require_cluster(self._plain, "seldon", has_context=bool(self._settings.context))

    def planned_actions(self) -> tuple[str, ...]:
        """Returns what `deploy` would do."""
        self._render()
        uri, version = self._settings.bundle_uri, self.request.version
        core_1 = self._settings.core == 1
        where = f"in {uri}" if core_1 else f"packed for MLServer in {uri}/{version}"
        return (
            f"Publish version {version} {where}.",
            Program("python").command_line(*self._render_command()) + " | kubectl apply -f -",
            self._kubectl.command_line(*self._wait_command()),
            self._kubectl.command_line(*self._port_forward_command()),
        )

    def deploy(self) -> None:
        """Publishes for the cluster, applies, and waits until Seldon reports that it serves."""
        self._render()
        publish = publish_bundle if self._settings.core == 1 else publish_mlserver_model
        self.actions.append(publish(self.request, self._settings.bundle_uri))
        self.changed = True
        self._applied = True  # from here on: one that fails may have applied a part
        self._pipe(self.manifests, "apply", "-f", "-")
        self.run(self._kubectl, *self._wait_command())

    @contextmanager
    def base_url(self) -> Iterator[str]:
        """Yields a local URL that is forwarded to Seldon."""
        with self._kubectl.port_forward(*self._port_forward_command()) as url:
            yield url

    def roll_back(self, *, smoke_failed: bool) -> RollbackResult:
        """Applies the manifests of the version before; deletes what was not there then."""
        del smoke_failed  # the published bundle may stay: nothing in the cluster points to it
        before = self._read_state()
        if not self._applied:
            version = before["version"] if before else None
            return RollbackResult(version, "Nothing in the cluster was changed.")
        kept = {_name(each) for each in yaml_documents(before["manifests"])} if before else set()
        new = [each for each in yaml_documents(self.manifests) if _name(each) not in kept]
        if before:
            self._pipe(before["manifests"], "apply", "-f", "-")
        if new:
            text = yaml.safe_dump_all(new, sort_keys=False)
            self._pipe(text, "delete", "--ignore-not-found", "-f", "-")
        if not before:
            return RollbackResult(
                None, "What was applied was deleted; none was served from here before."
            )
        version = before["version"]
        return RollbackResult(version, f"The manifests of version {version} were applied again.")

    def save_state(self) -> None:
        """Saves the manifests that passed, for a rollback of a later version."""
        self._state_file.parent.mkdir(parents=True, exist_ok=True)
        state = {"version": self.request.version, "manifests": self.manifests}
        replace_text(self._state_file, json.dumps(state, indent=1) + "\n")

    def _read_state(self) -> dict[str, str] | None:
        try:
            state = json.loads(self._state_file.read_text(encoding="utf-8"))
            return {"version": str(state["version"]), "manifests": str(state["manifests"])}
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ChurnError(
                f"{self._state_file}, which keeps the manifests that served before, cannot be read "
                f"({type(error).__name__}); apply those of the former version by hand."
            ) from None

    def _render(self) -> None:
        if self.manifests:
            return
        require_uri(self._settings.bundle_uri)
        if not self._settings.image:
            raise InputError(
                "Seldon's pods need an image; name one with --set seldon.image=IMAGE:TAG "
                "(docs/seldon.md says how it is built)."
            )
        rendered = Program(sys.executable).run_unchecked(*self._render_command())
        if rendered.returncode:
            kind = InputError if rendered.returncode == InputError.exit_code else ChurnError
            raise kind(last_line(rendered.stderr))
        self.manifests = rendered.stdout

    def _render_command(self) -> list[str]:
        settings = self._settings
        return [
            *("-m", "service.seldon.render"),
            *(() if settings.core == 1 else ("--v2",)),
            *("--image", settings.image, "--bundle-uri", settings.bundle_uri),
            *("--version", self.request.version),
            *("--name", settings.name, "--namespace", settings.namespace),
            *(("--secret", settings.secret) if settings.secret else ()),
            *("--min-replicas", str(settings.min_replicas)),
            *("--max-replicas", str(settings.max_replicas)),
        ]

    def _wait_command(self) -> tuple[str, ...]:
        timeout = f"--timeout={round(self.request.settings.smoke.wait_seconds)}s"
        if self._settings.core == 1:
            available = "--for=jsonpath={.status.state}=Available"
            return ("wait", available, f"seldondeployment/{self._settings.name}", timeout)
        return ("wait", "--for=condition=ready", f"model/{self._model_name()}", timeout)

    def _port_forward_command(self) -> tuple[str, ...]:
        if self._settings.core == 1:
            return ("port-forward", f"service/{self._settings.name}-{_PREDICTOR}", ":8000")
        return ("port-forward", f"service/{_MESH}", ":80")

    def _model_name(self) -> str:
        """Returns the name that service.seldon.render gave the version's Model."""
        (model,) = (each for each in yaml_documents(self.manifests) if each["kind"] == "Model")
        return str(model["metadata"]["name"])

    def _pipe(self, manifests: str, *arguments: str) -> None:
        self.actions.append(self._plain.command_line(*arguments))
        self._plain.run(*arguments, stdin=manifests)


def _name(document: dict[str, Any]) -> tuple[str, str]:
    return document["kind"], document["metadata"]["name"]
