"""Smoke test's client: requests predictions for the golden rows in every protocol of a target."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx

from churn.deployment.protocols import Prediction, ScoringProtocol
from churn.deployment.smoke import RouteReport, SmokeReport, check_route, unreachable_route
from churn.errors import one_line
from churn.scoring.golden_replay import GoldenRow
from deployment.readiness import ProbeSpec, check_readiness, create_client, request_error

SMOKE_CUSTOMER = "smoke-test"
"""Prefix of the golden rows' customer ids in the service's ledger: they are no customers."""

_ROUNDS = 20  # a canary for half of the customers leaves one golden row in a million unanswered


def run_smoke_test(
    base_url: str,
    probe: ProbeSpec,
    golden: Sequence[GoldenRow],
    *,
    version: str,
    tolerance: float,
    key: str | None,
    id_field: str,
) -> SmokeReport:
    """Requests predictions for every golden row in every protocol; any error is a fault.

    Args:
        base_url: The target's.
        probe: How it is called.
        golden: Rows with the bundle's probabilities.
        version: Version that must answer.
        tolerance: Largest accepted difference of a probability.
        key: API key to send.
        id_field: Name of the field with the customer's id.
    """
    with create_client(base_url, probe, key) as client:
        state = check_readiness(client, probe)
        routes = tuple(
            _Route(client, protocol, version, state.canary, id_field).report(golden, tolerance)
            for protocol in probe.protocols
        )
    serves = not probe.reports_version or state.version == version
    fault = state.fault
    if state.ready and not serves:
        fault = (
            f"{probe.ready_path} says that version {state.version} is in production, not {version}."
        )
    return SmokeReport(
        version=version,
        tolerance=tolerance,
        ready=state.ready and serves,
        ready_fault=fault,
        routes=routes,
    )


@dataclass
class _Route:
    """One protocol of a target, with the versions that may answer."""

    client: httpx.Client
    protocol: ScoringProtocol
    version: str
    canary: str | None
    id_field: str
    milliseconds: list[float] = field(default_factory=list)

    def report(self, golden: Sequence[GoldenRow], tolerance: float) -> RouteReport:
        path = self.protocol.path
        try:
            predictions = self._predict(golden)
        except (httpx.HTTPError, ValueError, KeyError, TypeError, IndexError, AttributeError) as e:
            return unreachable_route(path, len(golden), request_error(e))
        return check_route(
            path,
            golden,
            predictions,
            version=self.version,
            tolerance=tolerance,
            milliseconds=self.milliseconds,
        )

    def _predict(self, golden: Sequence[GoldenRow]) -> list[Prediction]:
        protocol, canary = self.protocol, self.canary
        predictions = [Prediction(float("nan"), "")] * len(golden)
        open_rows = list(range(len(golden)))
        for round_number in range(_ROUNDS):
            rows = [self._with_id(golden[row].row, round_number, row) for row in open_rows]
            # A response names one version: with a canary, each customer needs one of its own.
            alone = protocol.single or (canary is not None and protocol.one_version)
            batches = [[row] for row in rows] if alone else [rows]
            for row, prediction in zip(open_rows, self._post(batches), strict=True):
                predictions[row] = prediction
            # The canary answers by customer id: under another id, production may answer.
            open_rows = [
                row for row in open_rows if predictions[row].version == canary != self.version
            ]
            if not open_rows or not protocol.sends_ids:
                break
        return predictions

    def _post(self, batches: Sequence[Sequence[Mapping[str, Any]]]) -> list[Prediction]:
        protocol = self.protocol
        predictions: list[Prediction] = []
        for rows in batches:
            began = time.perf_counter()
            response = self.client.post(protocol.path, json=protocol.body(rows))
            self.milliseconds.append(1000 * (time.perf_counter() - began))
            if not response.is_success:
                raise ValueError(f"it answers {response.status_code}, {_problem(response)}")
            predictions += protocol.parse(response.json())
        return predictions

    def _with_id(self, row: Mapping[str, Any], round_number: int, place: int) -> dict[str, Any]:
        if not self.protocol.sends_ids:
            return dict(row)
        return {self.id_field: f"{SMOKE_CUSTOMER}-{round_number}-{place + 1}", **row}


def _problem(response: httpx.Response) -> str:
    """Returns the detail of problem+json, V2's error, or the beginning of the text."""
    try:
        content = response.json()
        text = content.get("detail") or content.get("error") or content
    except (ValueError, AttributeError):
        text = response.text
    return one_line(text)[:200]
