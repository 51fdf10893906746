"""Runs a pod's container as a process of its own: the image's files and variables, and nothing else.

A fake container runtime with Linux' own means (name spaces of mounts, host name and processes), for
root on Linux alone. Inside, the project is at /app as the Dockerfile puts it there, the packages are in
/venv, everything is read-only but /tmp and /state, this repository does not exist, and the user is
10001 without any capability.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

IMAGE = {
    "PATH": "/venv/bin:/usr/local/bin:/usr/bin:/bin",
    "HOME": "/tmp",
    "PYTHONPATH": "/app",
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONUNBUFFERED": "1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "CHURN_HOME": "/state",
    "MPLBACKEND": "Agg",
    "ZENML_CONFIG_PATH": "/state/zenml",
    "ZENML_ANALYTICS_OPT_IN": "false",
    "GX_ANALYTICS_ENABLED": "false",
    "MLFLOW_DISABLE_TELEMETRY": "true",
}
"""Variables of the Dockerfile's target `pipeline`."""

_INSIDE = r"""
set -eu
app=$1 venv=$2 python=$3 account=$4 hidden=$5 name=$6; shift 6
hostname "$name"
mount --make-rprivate /
mount -t proc proc /proc
mount -t tmpfs -o mode=755 tmpfs /srv
mkdir /srv/app /srv/venv /srv/python /srv/account
mount --bind "$app" /srv/app
mount --bind "$venv" /srv/venv
mount --bind "$python" /srv/python
mount --bind "$account" /srv/account
for each in /root "$hidden" /run; do mount -t tmpfs -o mode=755 tmpfs "$each"; done
mkdir -p "$python" /run/secrets/kubernetes.io/serviceaccount
mount --bind /srv/python "$python"
mount --bind /srv/account /run/secrets/kubernetes.io/serviceaccount
mount --bind /srv/app /app
mount --bind /srv/venv /venv
mount -t tmpfs -o mode=1777,size=2g tmpfs /tmp
mount -t tmpfs -o mode=1777,size=1g tmpfs /state
for each in / /app /venv "$python" /root "$hidden" /run; do mount -o remount,bind,ro "$each"; done
cd /app
exec setpriv --reuid 10001 --regid 10001 --clear-groups --no-new-privs --bounding-set=-all \
    --inh-caps=-all "$@"
"""


@dataclass
class Machine:
    """Where pods run.

    Attributes:
        app: What the image has at /app.
        api: Host and port of the API server.
        certificate: The file that the server is known by.
        tokens: Service account -> its token; an account that is missing here gets none.
        secrets: The cluster's secrets -> their keys and values.
        hidden: A folder that no image has: this repository.
        peaks: Pod -> the most memory that its process took, in MiB.
    """

    app: Path
    api: tuple[str, int]
    certificate: Path
    tokens: Mapping[str, str]
    secrets: Mapping[str, Mapping[str, str]]
    hidden: Path
    peaks: dict[str, float] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)

    def run(self, pod: dict[str, Any], log: Path) -> int:
        """Runs a pod to its end."""
        name, spec = pod["metadata"]["name"], pod["spec"]
        (container,) = spec["containers"]
        account = log.with_suffix(".account")
        account.mkdir()
        if token := self.tokens.get(spec["serviceAccountName"]):
            (account / "token").write_text(token)
            (account / "ca.crt").write_text(self.certificate.read_text())
        command = [*container["command"], *container.get("args", [])]
        venv = Path(sys.prefix)
        base = Path(sys.base_prefix)
        places = map(str, (self.app, venv, base, account, self.hidden))
        timed = ["/usr/bin/env", "-i", *self._variables(pod), *command]
        # What the container's first process has started ends with it.
        unshared = ["unshare", "--mount", "--uts", "--pid", "--fork", "--kill-child"]
        unshared += ["bash", "-c", _INSIDE, "pod", *places, name]
        began = time.monotonic()
        with log.open("wb") as file:
            process = subprocess.Popen(
                [*unshared, *timed], stdin=subprocess.DEVNULL, stdout=file, stderr=file
            )
            _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        self.peaks[name] = usage.ru_maxrss / 1024
        self.seconds[name] = time.monotonic() - began
        return process.returncode

    def _variables(self, pod: dict[str, Any]) -> list[str]:
        (container,) = pod["spec"]["containers"]
        found = dict(IMAGE)
        host, port = self.api
        found |= {"KUBERNETES_SERVICE_HOST": host, "KUBERNETES_SERVICE_PORT": str(port)}
        for each in container.get("envFrom", []):
            found |= self.secrets[each["secretRef"]["name"]]
        for each in container.get("env", []):
            # The one field that a manifest here asks for.
            is_namespace = "fieldRef" in each.get("valueFrom", {})
            found[each["name"]] = (
                pod["metadata"]["namespace"] if is_namespace else each.get("value", "")
            )
        return [f"{name}={value}" for name, value in found.items()]
