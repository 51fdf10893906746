"""Publishes into a cluster's store, which its pods only read, through a pod that may write to it.

The pod runs the service's own image: a bundle that it verifies, the service can load.
"""

from pathlib import Path
from typing import Any

import yaml

from churn.errors import ChurnError
from churn.scoring.bundle import bundle_folder
from churn.scoring.remote import local_copy
from deployment.subprocesses import Program, last_line
from deployment.target import DeployRequest

POD = "churn-publisher"
STORE = "/store"

# Python code for the pod; store and version follow as arguments, so that nothing needs quoting.
_DIGEST = (
    "import sys; from pathlib import Path; from churn.scoring.manifest import MANIFEST, manifest_digest; "
    "p = Path(sys.argv[1]); print(manifest_digest(p) if (p / MANIFEST).is_file() else '-')"
)
_PUBLISH = (
    "import sys; from pathlib import Path; from churn.scoring.bundle import history, publish; "
    "s, v = Path(sys.argv[1]), sys.argv[2]; p = history(s); n = publish(s, v); "
    "print('was', p[-1].version if p else '-', 'moved' if not p or n != p[-1] else 'stayed')"
)
# The image may be of a release before there was that error.
_ROLL_BACK = """
import sys
from pathlib import Path
from churn import errors
from churn.scoring.bundle import roll_back
try:
    print(roll_back(Path(sys.argv[1])).version)
except getattr(errors, "NoVersionBeforeError", ()):
    print("-")
"""
_CURRENT = (
    "import sys; from pathlib import Path; from churn.scoring.bundle import history; "
    "p = history(Path(sys.argv[1])); print(p[-1].version if p else '-')"
)


class Publisher:
    """The pod, created when it is first used.

    Attributes:
        ready: Whether the pod has started.
        moved: Whether the cluster's pointer was moved.
        actions: Commands that were run, in order.
    """

    def __init__(self, kubectl: Program, manifests: list[dict[str, Any]], image: str) -> None:
        """Contacts nothing; `kubectl` has context and namespace, and the pod runs the image."""
        self._kubectl = kubectl
        self._manifests = yaml.safe_dump_all(
            [_with_image(each, image) for each in manifests], sort_keys=False
        )
        self._started = False
        self.ready = False
        self.moved = False
        self.actions: list[str] = []

    def publish(self, request: DeployRequest, digest: str) -> None:
        """Copies the bundle where it is missing, and points to it.

        Raises:
            ChurnError: the pod does not start, or the cluster has another bundle of that version,
                or cannot serve this one; the cluster's pointer is unchanged.
        """
        self._start()
        place = f"{STORE}/bundles/{request.version}"
        existing = self._version(_DIGEST, place)
        if existing not in (None, digest):
            raise ChurnError(
                f"The cluster's store has another bundle of version {request.version} in {place}; "
                f"remove it there, or train a version with a number of its own."
            )
        if existing is None:
            # `kubectl cp` would copy into the folder that a broken-off copy has left.
            self._run("exec", POD, "--", "rm", "-rf", place)
            self._run("exec", POD, "--", "mkdir", "-p", f"{STORE}/bundles")
            with local_copy(bundle_folder(request.store, request.version)) as folder:
                self._run("cp", str(Path(folder).resolve()), f"{POD}:{place}")
        output = self._run("exec", POD, "--", "python", "-c", _PUBLISH, STORE, request.version)
        self.moved = last_line(output).rstrip(".").endswith("moved")

    def roll_back(self, *, smoke_failed: bool) -> str | None:
        """Points to the version before where this run has moved the pointer, or its version answers wrongly.

        Returns:
            The version in production then; None where there is none, or the pod has not started.

        Raises:
            ChurnError: it could not be put back, or the pod cannot be asked.
        """
        if not self.ready:
            return None
        return self._version(_ROLL_BACK if smoke_failed or self.moved else _CURRENT)

    def close(self) -> None:
        """Deletes the pod, which would otherwise end by itself."""
        if self._started:
            self._kubectl.run_unchecked("delete", "pod", POD, "--wait=false", "--ignore-not-found")

    def _start(self) -> None:
        if self._started:
            return
        self._started = True
        # A pod that an earlier run has left may run another image.
        self._kubectl.run_unchecked("delete", "pod", POD, "--ignore-not-found")
        self._run("apply", "-f", "-", stdin=self._manifests)
        self._run("wait", "--for=condition=Ready", f"pod/{POD}", "--timeout=300s")
        self.ready = True

    def _version(self, code: str, place: str = STORE) -> str | None:
        """Returns what the code prints about a place; None for `-`, as where there is nothing."""
        result = self._kubectl.run_unchecked("exec", POD, "--", "python", "-c", code, place)
        if result.returncode:
            raise ChurnError(
                f"The cluster's {place} cannot be read or changed through the pod {POD}: "
                f"{last_line(result.stderr)}"
            )
        answer = result.stdout.strip()
        return None if answer == "-" else answer

    def _run(self, *arguments: str, stdin: str | None = None) -> str:
        line = self._kubectl.command_line(*arguments)
        self.actions.append(line if "python" not in arguments else _without_code(line))
        return self._kubectl.run(*arguments, stdin=stdin)


def _with_image(document: dict[str, Any], image: str) -> dict[str, Any]:
    containers = [each | {"image": image} for each in document["spec"]["containers"]]
    return document | {"spec": document["spec"] | {"containers": containers}}


def _without_code(line: str) -> str:
    """Returns a command with its Python code shortened to `...`."""
    before, _, after = line.partition(" -c '")
    return f"{before} -c '...'{after.rpartition(chr(39))[2]}"
