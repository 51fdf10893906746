"""Seldon Core: manifests rendered by service.seldon.render, applied, awaited, and put back."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import yaml

from churn.deployment.protocols import inference, seldon_core_1
from churn.errors import ChurnError, InputError
from churn.scoring.bundle.durable import replace_text
from deployment.kubernetes import require_cluster
from deployment.seldon_store import publish_bundle, publish_mlserver_model, require_uri
from deployment.subprocesses import Program, last_line
from deployment.target import DeployRequest, ProbeSpec, RollbackResult

_INPUT_AT_FAULT = 2
_MESH = "seldon-mesh"  # Core 2's way in, in each of its namespaces
_PREDICTOR = "main"  # what render calls the one that serves


class SeldonTarget:
    """A rollout of one version; canary and shadow are rendered by hand (docs/seldon.md)."""

    def __init__(self, wanted: DeployRequest) -> None:
        """Looks what was applied from here before."""
        self._wanted = wanted
        asked = self._asked = wanted.settings.seldon
        context = ("--context", asked.context) if asked.context else ()
        self._kubectl = Program("kubectl", *context)
        self._inside = Program("kubectl", *context, "--namespace", asked.namespace)
        self._kept = (
            wanted.state / "seldon" / f"{asked.namespace}-{asked.name}-core{asked.core}.json"
        )
        self._applied = False
        self.changed = False
        self.actions: list[str] = []
        self.manifests = ""
        self.place = f"{asked.name} in namespace {asked.namespace}, Seldon Core {asked.core}"

    @property
    def probe(self) -> ProbeSpec:
        """V2 through Core 2's mesh, or Core 1's own protocol."""
        if self._asked.core == 1:
            return ProbeSpec("/ready", reports_version=False, protocols=(seldon_core_1(),))
        model = self._model()
        header = {"Seldon-Model": model}
        return ProbeSpec(
            f"/v2/models/{model}/ready",
            reports_version=False,
            protocols=(inference(model),),
            headers=tuple(header.items()),
        )

    def check_prerequisites(self) -> None:
        """Settings that can be rendered, kubectl, a context, and a cluster that answers.

        Raises:
            InputError: something that the caller must provide is missing.
            ChurnError: the cluster does not answer.
        """
        self._render()
        require_cluster(self._kubectl, self._asked.context, "seldon")

    def planned_actions(self) -> tuple[str, ...]:
        """What would be done."""
        self._render()
        uri, version = self._asked.bundle_uri, self._wanted.version
        where = f"in {uri}" if self._asked.core == 1 else f"packed for MLServer in {uri}/{version}"
        return (
            f"Publish version {version} {where}.",
            Program("python").spoken(*self._words()) + " | kubectl apply -f -",
            self._inside.spoken(*self._waiting()),
            self._inside.spoken(*self._forwarding()),
        )

    def deploy(self) -> None:
        """Publishes for the cluster, applies, and waits until Seldon says that it serves.

        Raises:
            ChurnError: it does not.
        """
        self._render()
        put = publish_bundle if self._asked.core == 1 else publish_mlserver_model
        self.actions.append(put(self._wanted, self._asked.bundle_uri))
        self.changed = True
        self._apply(self.manifests)
        self._applied = True
        self._do(*self._waiting())

    @contextmanager
    def base_url(self) -> Iterator[str]:
        """A port of this machine, forwarded to Seldon."""
        with self._inside.forwarded(*self._forwarding()) as address:
            yield address

    def roll_back(self, *, smoke_failed: bool) -> RollbackResult:
        """Applies what was applied before; takes away what was not there then.

        Raises:
            ChurnError: the cluster refuses.
        """
        del smoke_failed  # what was published stays: nothing in the cluster points to it any longer
        before = self._before()
        if not self._applied:
            now = before["version"] if before else None
            return RollbackResult(now, "Nothing in the cluster was changed.")
        left = _named(before["manifests"]) if before else set()
        new = [each for each in _documents(self.manifests) if _name(each) not in left]
        if before:
            self._apply(before["manifests"])
        if new:
            text = yaml.safe_dump_all(new, sort_keys=False)
            self.actions.append(self._kubectl.spoken("delete", "--ignore-not-found", "-f", "-"))
            self._kubectl.run("delete", "--ignore-not-found", "-f", "-", given=text)
        if not before:
            return RollbackResult(
                None, "What was applied was deleted; none was served from here before."
            )
        version = before["version"]
        return RollbackResult(version, f"The manifests of version {version} were applied again.")

    def save_state(self) -> None:
        """Remembers the manifests that passed: the next version that does not goes back to them."""
        self._kept.parent.mkdir(parents=True, exist_ok=True)
        kept = {"version": self._wanted.version, "manifests": self.manifests}
        replace_text(self._kept, json.dumps(kept, indent=1) + "\n")

    def close(self) -> None:
        """Nothing is kept open."""

    def _before(self) -> dict[str, str] | None:
        try:
            kept = json.loads(self._kept.read_text(encoding="utf-8"))
            return {"version": str(kept["version"]), "manifests": str(kept["manifests"])}
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ChurnError(
                f"{self._kept}, which keeps the manifests that served before, cannot be read "
                f"({type(error).__name__}); apply those of the former version by hand."
            ) from None

    def _render(self) -> None:
        if self.manifests:
            return
        require_uri(self._asked.bundle_uri)
        if not self._asked.image:
            raise InputError(
                "Seldon's pods need an image; name one with --set seldon.image=IMAGE:TAG "
                "(docs/seldon.md says how it is built)."
            )
        rendered = Program(sys.executable).asked(*self._words())
        if rendered.returncode:
            kind = InputError if rendered.returncode == _INPUT_AT_FAULT else ChurnError
            raise kind(last_line(rendered.stderr))
        self.manifests = rendered.stdout

    def _words(self) -> list[str]:
        asked = self._asked
        return [
            *("-m", "service.seldon.render"),
            *(() if asked.core == 1 else ("--v2",)),
            *("--image", asked.image, "--bundle-uri", asked.bundle_uri),
            *("--version", self._wanted.version),
            *("--name", asked.name, "--namespace", asked.namespace),
            *(("--secret", asked.secret) if asked.secret else ()),
            *("--min-replicas", str(asked.min_replicas), "--max-replicas", str(asked.max_replicas)),
        ]

    def _waiting(self) -> tuple[str, ...]:
        within = f"--timeout={round(self._wanted.settings.smoke.wait_seconds)}s"
        if self._asked.core == 1:
            available = "--for=jsonpath={.status.state}=Available"
            return ("wait", available, f"seldondeployment/{self._asked.name}", within)
        return ("wait", "--for=condition=ready", f"model/{self._model()}", within)

    def _forwarding(self) -> tuple[str, ...]:
        if self._asked.core == 1:
            return ("port-forward", f"service/{self._asked.name}-{_PREDICTOR}", ":8000")
        return ("port-forward", f"service/{_MESH}", ":80")

    def _model(self) -> str:
        """The name that render gave the version's model."""
        (model,) = (each for each in _documents(self.manifests) if each["kind"] == "Model")
        return str(model["metadata"]["name"])

    def _apply(self, manifests: str) -> None:
        self.actions.append(self._kubectl.spoken("apply", "-f", "-"))
        self._kubectl.run("apply", "-f", "-", given=manifests)

    def _do(self, *arguments: str) -> None:
        self.actions.append(self._inside.spoken(*arguments))
        self._inside.run(*arguments)


def _documents(text: str) -> list[dict[str, Any]]:
    return [each for each in yaml.safe_load_all(text) if each]


def _name(document: dict[str, Any]) -> tuple[str, str]:
    return document["kind"], document["metadata"]["name"]


def _named(text: str) -> set[tuple[str, str]]:
    return {_name(each) for each in _documents(text)}
