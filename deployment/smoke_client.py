"""The smoke test: asks a target about the golden rows, in every way it knows."""

import time
from collections.abc import Mapping, Sequence
from typing import Any

import httpx

from churn.deployment.protocols import Answer, ScoringProtocol
from churn.deployment.smoke import RouteReport, SmokeReport, check_route, unreachable_route
from churn.errors import one_line
from churn.scoring.golden import GoldenRow
from deployment.readiness import check_readiness, connection, request_error
from deployment.target import ProbeSpec

SMOKE_CUSTOMER = "smoke-test"
"""How the ids of golden rows begin in the service's ledger: they are nobody's."""

_TURNS = 20  # a canary that answers half of the customers leaves one in a million unanswered


def run_smoke_test(
    address: str,
    probe: ProbeSpec,
    golden: Sequence[GoldenRow],
    *,
    version: str,
    tolerance: float,
    key: str | None,
    id_field: str,
) -> SmokeReport:
    """Asks a target about every golden row in every way it knows; whatever goes wrong is a fault."""
    with connection(address, probe, key) as client:
        found = check_readiness(client, probe)
        routes = tuple(
            _asked(client, speech, golden, version, tolerance, found.canary, id_field)
            for speech in probe.protocols
        )
    right = not probe.reports_version or found.version == version
    fault = found.fault
    if found.ready and not right:
        fault = (
            f"{probe.ready_path} says that version {found.version} is in production, not {version}."
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
    speech: ScoringProtocol,
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
            # Of a request that two versions share, nobody knows which answered whom.
            alone = speech.single or (canary is not None and speech.one_version)
            requests = [[row] for row in rows] if alone else [rows]
            found = _ask(client, speech, requests, milliseconds)
            for place, answer in zip(waiting, found, strict=True):
                answers[place] = answer
            # A canary's answers are not wrong: under another id the customer is somebody else's.
            waiting = [place for place in waiting if answers[place].version == canary != version]
            if not waiting or not speech.named:
                break
    except (httpx.HTTPError, ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
        return unreachable_route(speech.path, len(golden), request_error(error))
    return check_route(
        speech.path,
        golden,
        answers,
        version=version,
        tolerance=tolerance,
        milliseconds=milliseconds,
    )


def _ask(
    client: httpx.Client,
    speech: ScoringProtocol,
    requests: Sequence[Sequence[Mapping[str, Any]]],
    took: list[float],
) -> list[Answer]:
    found: list[Answer] = []
    for some in requests:
        began = time.perf_counter()
        answer = client.post(speech.path, json=speech.body(some), headers=dict(speech.headers))
        took.append(1000 * (time.perf_counter() - began))
        if not answer.is_success:
            raise ValueError(f"it answers {answer.status_code}, {_told(answer)}")
        found += speech.answers(answer.json())
    return found


def _named(
    row: Mapping[str, Any], speech: ScoringProtocol, id_field: str, turn: int, place: int
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
    return one_line(told)[:200]
