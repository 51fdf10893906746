"""Whether a target is ready, and which version it reports; checked once, or waited for."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import httpx

from churn.deployment.protocols import ScoringProtocol
from churn.errors import ChurnError, one_line

_PAUSE = 0.2
_REQUEST_SECONDS = 15
_REFUSED_SECONDS = 4.0  # the service reads its store once a second: by then it has tried again
_EVERYBODY = 100


@dataclass(frozen=True)
class ProbeSpec:
    """How a target's readiness and its predictions are requested.

    Attributes:
        ready_path: Path of the readiness route.
        reports_version: Whether that route is our own service's, which reports its versions.
        protocols: Scoring protocols that the target speaks; the smoke test uses all of them.
        headers: Sent with each request.
        consecutive: Number of times in a row that it must be ready, each on a new connection.
        swap_seconds: How long the version before may still answer where the readiness route does
            not report versions; None allows as long as the start may take.
    """

    ready_path: str
    reports_version: bool
    protocols: tuple[ScoringProtocol, ...]
    headers: tuple[tuple[str, str], ...] = ()
    consecutive: int = 1
    swap_seconds: float | None = None


@dataclass(frozen=True)
class Readiness:
    """A target's readiness.

    Attributes:
        ready: Whether it can be called.
        version: Version in production there; None where it does not report one.
        canary: Version that answers some customers, not all; None where none does.
        refused: Why it does not serve what its store has; None where it does.
        fault: Why it is not ready, in a sentence.
    """

    ready: bool
    version: str | None = None
    canary: str | None = None
    refused: str | None = None
    fault: str = ""


class RefusedError(ChurnError):
    """A running service does not swap to the bundle in its store."""


def check_readiness(client: httpx.Client, probe: ProbeSpec) -> Readiness:
    """Requests the readiness route once, on a new connection."""
    try:
        response = client.get(probe.ready_path, headers={"Connection": "close"})
        content = response.json() if probe.reports_version else {}
    except (httpx.HTTPError, ValueError) as error:
        return Readiness(
            False, fault=f"{probe.ready_path} does not answer ({request_error(error)})."
        )
    status = f"{probe.ready_path} answers {response.status_code}"
    if not probe.reports_version:
        return Readiness(response.is_success, fault="" if response.is_success else f"{status}.")
    try:
        versions = content["versions"]
        canary = versions.get("canary")
        return Readiness(
            ready=response.is_success and content["ready"] is True,
            version=versions["production"],
            canary=canary["version"] if canary and canary["percent"] < _EVERYBODY else None,
            refused=content.get("refused_bundle"),
            fault=" ".join(f"{k}: {v}" for k, v in content["reasons"].items()),
        )
    except (KeyError, TypeError, AttributeError):
        return Readiness(False, fault=f"{status} and is not ours.")


def wait_until_serving(
    base_url: str,
    probe: ProbeSpec,
    version: str,
    *,
    seconds: float,
    key: str | None = None,
    died: Callable[[], str | None] = lambda: None,
) -> None:
    """Waits until a target is ready and, where it reports versions, serves this one.

    Args:
        base_url: The target's.
        probe: How it is called.
        version: Version that must serve.
        seconds: How long at most.
        key: API key to send.
        died: Returns why there is nothing left to wait for; None as long as there is.

    Raises:
        RefusedError: it reports that it does not serve what its store has.
        ChurnError: it has ended, or the time has.
    """
    until = time.monotonic() + seconds
    refused_since: float | None = None
    in_a_row = 0
    with create_client(base_url, probe, key) as client:
        while True:
            state = check_readiness(client, probe)
            serves = not probe.reports_version or state.version == version
            in_a_row = in_a_row + 1 if state.ready and serves else 0
            if in_a_row >= probe.consecutive:
                return
            now = time.monotonic()
            refused_since = (refused_since or now) if state.refused else None
            if refused_since and now - refused_since > _REFUSED_SECONDS:
                raise RefusedError(f"{base_url} goes on serving {state.version}: {state.refused}")
            ending = died()
            if ending:
                raise ChurnError(ending)
            if now > until:
                what = f"serves {state.version}" if state.version and not serves else state.fault
                raise ChurnError(
                    f"{base_url} did not serve version {version} within {seconds:g} s: "
                    f"{what or 'it is not ready'}"
                )
            if not in_a_row:
                time.sleep(_PAUSE)


def create_client(base_url: str, probe: ProbeSpec, key: str | None) -> httpx.Client:
    """Returns an HTTP client of a target, which uses no proxy."""
    headers = dict(probe.headers) | ({"X-API-Key": key} if key else {})
    return httpx.Client(
        base_url=base_url, headers=headers, timeout=_REQUEST_SECONDS, trust_env=False
    )


def request_error(error: Exception) -> str:
    """Returns why a request or its response is no use, as a part of a sentence."""
    text = one_line(error)
    if isinstance(error, httpx.HTTPError):
        return text or type(error).__name__
    return text if isinstance(error, ValueError) else f"its answer lacks {text or 'something'}"
