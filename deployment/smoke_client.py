"""Smoke test's client: requests predictions for the golden rows in every protocol of a target."""

import time
from collections.abc import Mapping, Sequence
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
        tolerance: Largest difference of a probability that is accepted.
        key: API key to send; None sends none.
        id_field: Name of the field with the customer's id.
    """
    with create_client(base_url, probe, key) as client:
        state = check_readiness(client, probe)
        routes = []
        for protocol in probe.protocols:
            route = _Route(client, protocol, version, state.canary, id_field)
            routes.append(route.report(golden, tolerance))
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
        routes=tuple(routes),
    )


class _Route:
    """One protocol of a target, with the versions that may answer."""

    def __init__(
        self,
        client: httpx.Client,
        protocol: ScoringProtocol,
        version: str,
        canary: str | None,
        id_field: str,
    ) -> None:
        self._client = client
        self._protocol = protocol
        self._version = version
        self._canary = canary
        self._id_field = id_field
        self._milliseconds: list[float] = []

    def report(self, golden: Sequence[GoldenRow], tolerance: float) -> RouteReport:
        path = self._protocol.path
        try:
            predictions = self._predict(golden)
        except (httpx.HTTPError, ValueError, KeyError, TypeError, IndexError, AttributeError) as e:
            return unreachable_route(path, len(golden), request_error(e))
        return check_route(
            path,
            golden,
            predictions,
            version=self._version,
            tolerance=tolerance,
            milliseconds=self._milliseconds,
        )

    def _predict(self, golden: Sequence[GoldenRow]) -> list[Prediction]:
        protocol, canary = self._protocol, self._canary
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
                row for row in open_rows if predictions[row].version == canary != self._version
            ]
            if not open_rows or not protocol.sends_ids:
                break
        return predictions

    def _post(self, batches: Sequence[Sequence[Mapping[str, Any]]]) -> list[Prediction]:
        protocol = self._protocol
        predictions: list[Prediction] = []
        for rows in batches:
            began = time.perf_counter()
            response = self._client.post(protocol.path, json=protocol.body(rows))
            self._milliseconds.append(1000 * (time.perf_counter() - began))
            if not response.is_success:
                raise ValueError(f"it answers {response.status_code}, {_problem(response)}")
            predictions += protocol.parse(response.json())
        return predictions

    def _with_id(self, row: Mapping[str, Any], round_number: int, place: int) -> dict[str, Any]:
        if not self._protocol.sends_ids:
            return dict(row)
        return {self._id_field: f"{SMOKE_CUSTOMER}-{round_number}-{place + 1}", **row}


def _problem(response: httpx.Response) -> str:
    """Returns the detail of problem+json, V2's error, or the beginning of the text."""
    try:
        content = response.json()
        text = content.get("detail") or content.get("error") or content
    except (ValueError, AttributeError):
        text = response.text
    return one_line(text)[:200]
