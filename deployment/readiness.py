"""Whether a target can be asked, and which version it says it serves; waited for, or given up."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import httpx

from churn.errors import ChurnError, one_line
from deployment.target import ProbeSpec

_PAUSE = 0.2
_REQUEST_SECONDS = 15
_REFUSED_SECONDS = 4.0  # a service looks at its store once a second; then it has looked again
_EVERYBODY = 100


@dataclass(frozen=True)
class Ready:
    """What a target says of itself.

    Attributes:
        ready: whether it can be asked.
        version: in production there; None where it does not say.
        canary: version that answers some customers, not all; None where none does.
        refused: why it does not serve what its store has; None where it does.
        fault: why it is not ready, in a sentence.
    """

    ready: bool
    version: str | None = None
    canary: str | None = None
    refused: str | None = None
    fault: str = ""


class RefusedError(ChurnError):
    """A running service will not swap to the bundle in its store."""


def check_readiness(client: httpx.Client, probe: ProbeSpec) -> Ready:
    """Asks once, over a connection of its own."""
    try:
        answer = client.get(probe.ready_path, headers={"Connection": "close"})
        content = answer.json() if probe.reports_version else {}
    except (httpx.HTTPError, ValueError) as error:
        return Ready(False, fault=f"{probe.ready_path} does not answer ({request_error(error)}).")
    if not probe.reports_version:
        fault = "" if answer.is_success else f"{probe.ready_path} answers {answer.status_code}."
        return Ready(answer.is_success, fault=fault)
    try:
        versions = content["versions"]
        canary = versions.get("canary")
        return Ready(
            ready=answer.is_success and content["ready"] is True,
            version=versions["production"],
            canary=canary["version"] if canary and canary["percent"] < _EVERYBODY else None,
            refused=content.get("refused_bundle"),
            fault=" ".join(f"{k}: {v}" for k, v in content["reasons"].items()),
        )
    except (KeyError, TypeError, AttributeError):
        return Ready(
            False, fault=f"{probe.ready_path} answers {answer.status_code} and is not ours."
        )


def wait_until_serving(
    address: str,
    probe: ProbeSpec,
    version: str | None,
    *,
    seconds: float,
    key: str | None = None,
    died: Callable[[], str | None] = lambda: None,
) -> None:
    """Waits until a target is ready and, where it tells, serves the version.

    Args:
        address: its base URL.
        probe: how it is asked.
        version: that is waited for; None is content with any.
        seconds: how long at most.
        key: API key to ask with.
        died: why there is nothing to wait for any longer; None as long as there is.

    Raises:
        RefusedError: it says that it will not serve what its store has.
        ChurnError: it has ended, or the time has.
    """
    until = time.monotonic() + seconds
    refused_since: float | None = None
    in_a_row = 0
    with connection(address, probe, key) as client:
        while True:
            found = check_readiness(client, probe)
            right = version is None or not probe.reports_version or found.version == version
            in_a_row = in_a_row + 1 if found.ready and right else 0
            if in_a_row >= probe.consecutive:
                return
            now = time.monotonic()
            refused_since = (refused_since or now) if found.refused else None
            if refused_since and now - refused_since > _REFUSED_SECONDS:
                raise RefusedError(f"{address} goes on serving {found.version}: {found.refused}")
            ending = died()
            if ending:
                raise ChurnError(ending)
            if now > until:
                what = f"serves {found.version}" if found.version and not right else found.fault
                raise ChurnError(
                    f"{address} did not come to serve version {version} within {seconds:g} s: "
                    f"{what or 'it is not ready'}"
                )
            if not in_a_row:
                time.sleep(_PAUSE)


def connection(address: str, probe: ProbeSpec, key: str | None) -> httpx.Client:
    """A client of a target; what listens on this machine is not behind a proxy."""
    headers = dict(probe.headers) | ({"X-API-Key": key} if key else {})
    return httpx.Client(
        base_url=address, headers=headers, timeout=_REQUEST_SECONDS, trust_env=False
    )


def request_error(error: Exception) -> str:
    """Why something could not be asked, as a part of a sentence."""
    told = one_line(error)
    if isinstance(error, httpx.HTTPError):
        return told or type(error).__name__
    return told if isinstance(error, ValueError) else f"its answer lacks {told or 'something'}"
