"""Publishes into a cluster's store, which its pods only read, through a pod that may write to it.

The pod runs the service's own image: what it verifies, the service can load.
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

# What the pod is told; the store and the version follow as arguments, so that nothing is quoted.
_DIGEST = (
    "import sys; from pathlib import Path; from churn.scoring.manifest import manifest_digest; "
    "print(manifest_digest(Path(sys.argv[1])))"
)
_PUBLISH = (
    "import sys; from pathlib import Path; from churn.scoring.bundle import history, publish; "
    "s, v = Path(sys.argv[1]), sys.argv[2]; p = history(s); n = publish(s, v); "
    "print('was', p[-1].version if p else '-', 'moved' if not p or n != p[-1] else 'stayed')"
)
_BACK = (
    "import sys; from pathlib import Path; from churn.scoring.bundle import roll_back; "
    "print(roll_back(Path(sys.argv[1])).version)"
)
_NOW = (
    "import sys; from pathlib import Path; from churn.scoring.current import read_current; "
    "print(read_current(Path(sys.argv[1])).version)"
)


class Publisher:
    """The pod, for as long as it is needed.

    Attributes:
        moved: whether the cluster's pointer was moved.
    """

    def __init__(self, kubectl: Program, manifests: list[dict[str, Any]], image: str) -> None:
        """Takes the rendered pod, and the image that the overlay names."""
        self._kubectl = kubectl
        self._text = yaml.safe_dump_all(
            [_with_image(each, image) for each in manifests], sort_keys=False
        )
        self._begun = False
        self.moved = False
        self.actions: list[str] = []

    def publish(self, wanted: DeployRequest, digest: str) -> None:
        """Copies the bundle where it is missing, and points to it.

        Raises:
            ChurnError: the pod does not come up, the cluster has another bundle of that version, or
                it is not fit to be served there; the cluster's pointer is as it was.
        """
        self._begin()
        place = f"{STORE}/bundles/{wanted.version}"
        there = self._kubectl.asked("exec", POD, "--", "python", "-c", _DIGEST, place)
        if there.returncode == 0 and there.stdout.strip() != digest:
            raise ChurnError(
                f"The cluster's store has another bundle of version {wanted.version} in {place}; "
                f"remove it there, or train a version with a number of its own."
            )
        if there.returncode:
            # What a copy that broke off has left would be copied into, not over.
            self._do("exec", POD, "--", "rm", "-rf", place)
            self._do("exec", POD, "--", "mkdir", "-p", f"{STORE}/bundles")
            with local_copy(bundle_folder(wanted.store, wanted.version)) as folder:
                self._do("cp", str(Path(folder).resolve()), f"{POD}:{place}")
        told = self._do("exec", POD, "--", "python", "-c", _PUBLISH, STORE, wanted.version)
        self.moved = last_line(told).rstrip(".").endswith("moved")

    def put_back(self) -> str | None:
        """Points to what was there before; gives it, None where nothing was."""
        return self._told(_BACK)

    def serving(self) -> str | None:
        """What the cluster's store has in production; None where it has nothing."""
        return self._told(_NOW)

    def close(self) -> None:
        """Takes the pod away; it would end by itself."""
        if self._begun:
            self._kubectl.asked("delete", "pod", POD, "--wait=false", "--ignore-not-found")

    def _begin(self) -> None:
        if self._begun:
            return
        self._begun = True
        # One that an earlier run has left may have another image.
        self._kubectl.asked("delete", "pod", POD, "--ignore-not-found")
        self._do("apply", "-f", "-", given=self._text)
        self._do("wait", "--for=condition=Ready", f"pod/{POD}", "--timeout=300s")

    def _told(self, program: str) -> str | None:
        self._begin()
        told = self._kubectl.asked("exec", POD, "--", "python", "-c", program, STORE)
        return told.stdout.strip() if told.returncode == 0 else None

    def _do(self, *arguments: str, given: str | None = None) -> str:
        spoken = self._kubectl.spoken(*arguments)
        self.actions.append(spoken if "python" not in arguments else _short(spoken))
        return self._kubectl.run(*arguments, given=given)


def _with_image(document: dict[str, Any], image: str) -> dict[str, Any]:
    containers = [each | {"image": image} for each in document["spec"]["containers"]]
    return document | {"spec": document["spec"] | {"containers": containers}}


def _short(spoken: str) -> str:
    """A command without the program that it hands over."""
    before, _, after = spoken.partition(" -c '")
    return f"{before} -c '...'{after.rpartition(chr(39))[2]}"
