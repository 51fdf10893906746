"""Asks a target over HTTP: whether it is ready, and about golden rows."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpx

from churn.deployment.protocols import Answer, Speech
from churn.deployment.smoke import RouteReport, SmokeReport, broken_route, judge_route
from churn.errors import ChurnError
from churn.scoring.golden import GoldenRow
from steps.deployment.target import Manner

SMOKE_CUSTOMER = "smoke-test"
"""How the ids of golden rows begin in the service's ledger: they are nobody's."""

_PAUSE = 0.2
_REQUEST_SECONDS = 15
_REFUSED_SECONDS = 4.0  # a service looks at its store once a second; then it has looked again
_TURNS = 20  # a canary that answers half of the customers leaves one in a million unanswered


@dataclass(frozen=True)
class Ready:
    """What a target says of itself.

    Attributes:
        ready: whether it can be asked.
        version: in production there; None where it does not say.
        canary: version that answers some customers; None where none does.
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


def ready_now(address: str, manner: Manner, key: str | None) -> Ready:
    """Asks once, over a connection of its own."""
    try:
        answer = httpx.get(
            address + manner.ready,
            headers=_headers(manner, key),
            timeout=_REQUEST_SECONDS,
            trust_env=False,  # what listens on this machine is not behind a proxy
        )
        content = answer.json() if manner.tells_version else {}
    except (httpx.HTTPError, ValueError) as error:
        return Ready(False, fault=f"{manner.ready} does not answer ({_reason(error)}).")
    if not manner.tells_version:
        fault = "" if answer.is_success else f"{manner.ready} answers {answer.status_code}."
        return Ready(answer.is_success, fault=fault)
    try:
        versions = content["versions"]
        canary = versions.get("canary")
        return Ready(
            ready=answer.is_success and content["ready"] is True,
            version=versions["production"],
            canary=canary["version"] if canary else None,
            refused=content.get("refused_bundle"),
            fault=" ".join(f"{k}: {v}" for k, v in content["reasons"].items()),
        )
    except (KeyError, TypeError, AttributeError):
        return Ready(False, fault=f"{manner.ready} answers {answer.status_code} and is not ours.")


def wait_until_serving(
    address: str,
    manner: Manner,
    version: str | None,
    *,
    seconds: float,
    key: str | None = None,
    died: Callable[[], str | None] = lambda: None,
) -> None:
    """Waits until a target is ready and, where it tells, serves the version.

    Args:
        address: its base URL.
        manner: how it is asked.
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
    while True:
        found = ready_now(address, manner, key)
        right = version is None or not manner.tells_version or found.version == version
        in_a_row = in_a_row + 1 if found.ready and right else 0
        if in_a_row >= manner.steady:
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


def smoke_test(
    address: str,
    manner: Manner,
    golden: Sequence[GoldenRow],
    *,
    version: str,
    tolerance: float,
    key: str | None,
    id_field: str,
) -> SmokeReport:
    """Asks a target about every golden row in every way it knows; whatever goes wrong is a fault."""
    found = ready_now(address, manner, key)
    right = not manner.tells_version or found.version == version
    fault = found.fault
    if found.ready and not right:
        fault = f"{manner.ready} says that version {found.version} is in production, not {version}."
    with httpx.Client(
        base_url=address, headers=_headers(manner, key), timeout=_REQUEST_SECONDS, trust_env=False
    ) as client:
        routes = tuple(
            _asked(client, speech, golden, version, tolerance, found.canary, id_field)
            for speech in manner.speeches
        )
    return SmokeReport(
        version=version,
        tolerance=tolerance,
        ready=found.ready and right,
        ready_fault=fault,
        routes=routes,
    )


def _asked(
    client: httpx.Client,
    speech: Speech,
    golden: Sequence[GoldenRow],
    version: str,
    tolerance: float,
    canary: str | None,
    id_field: str,
) -> RouteReport:
    answers: list[Answer] = [Answer(float("nan"), "")] * len(golden)
    waiting = list(range(len(golden)))
    milliseconds: list[float] = []
    try:
        for turn in range(_TURNS):
            rows = [_named(golden[place].row, speech, id_field, turn, place) for place in waiting]
            for place, answer in zip(
                waiting, _ask(client, speech, rows, milliseconds), strict=True
            ):
                answers[place] = answer
            # A canary's answers are not wrong: under another id the customer is somebody else's.
            waiting = [place for place in waiting if answers[place].version == canary != version]
            if not waiting or not speech.named:
                break
    except (httpx.HTTPError, ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
        return broken_route(speech.path, len(golden), _reason(error))
    return judge_route(
        speech.path,
        golden,
        answers,
        version=version,
        tolerance=tolerance,
        milliseconds=milliseconds,
    )


def _ask(
    client: httpx.Client, speech: Speech, rows: Sequence[Mapping[str, Any]], took: list[float]
) -> list[Answer]:
    found: list[Answer] = []
    for some in [[row] for row in rows] if speech.single else [rows]:
        began = time.perf_counter()
        answer = client.post(speech.path, json=speech.body(some), headers=dict(speech.headers))
        took.append(1000 * (time.perf_counter() - began))
        if not answer.is_success:
            raise ValueError(f"it answers {answer.status_code}, {_told(answer)}")
        found += speech.answers(answer.json())
    return found


def _named(
    row: Mapping[str, Any], speech: Speech, id_field: str, turn: int, place: int
) -> dict[str, Any]:
    name = {id_field: f"{SMOKE_CUSTOMER}-{turn}-{place + 1}"} if speech.named else {}
    return {**name, **row}


def _told(answer: httpx.Response) -> str:
    """What a refusal says: problem+json's detail, V2's error, or the beginning of the text."""
    try:
        content = answer.json()
        told = content.get("detail") or content.get("error") or content
    except (ValueError, AttributeError):
        told = answer.text
    return " ".join(str(told).split())[:200]


def _headers(manner: Manner, key: str | None) -> dict[str, str]:
    return dict(manner.headers) | ({"X-API-Key": key} if key else {})


def _reason(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
