"""Smoke test's verdict: compares a deployment's predictions for golden rows with the bundle's.

Fails closed: a customer without a prediction, a NaN, another version's prediction or a target that
is not ready each fail the whole test.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite
from statistics import median

from churn.deployment.protocols import Prediction
from churn.frozen_model import FrozenModel
from churn.scoring.golden_replay import GoldenRow

_SHOWN = 3


class RouteReport(FrozenModel):
    """Result of the smoke test on one route.

    Attributes:
        rows: Number of golden rows requested.
        largest: Largest absolute difference to a golden probability; None without predictions.
        median_ms: Median milliseconds of a request, seen from here; None without responses.
        faults: Sentences about what was wrong; empty where nothing was.
    """

    path: str
    rows: int
    largest: float | None
    median_ms: float | None
    faults: tuple[str, ...] = ()


class SmokeReport(FrozenModel):
    """Smoke test of a deployment.

    Attributes:
        version: Version that must answer.
        tolerance: Largest difference of a probability that is accepted.
        ready: Whether the target reports that it is ready, and serves the version.
        ready_fault: Why it is not, in a sentence.
        routes: Result of each route.
    """

    version: str
    tolerance: float
    ready: bool
    ready_fault: str = ""
    routes: tuple[RouteReport, ...]

    @property
    def faults(self) -> tuple[str, ...]:
        """Everything that was wrong, readiness first."""
        not_ready = () if self.ready else (self.ready_fault or "It is not ready.",)
        nothing = () if self.routes else ("No golden row was requested.",)
        return (*not_ready, *nothing, *(fault for each in self.routes for fault in each.faults))

    @property
    def passed(self) -> bool:
        """Whether the version may stay deployed."""
        return not self.faults

    @property
    def rows(self) -> int:
        """Number of golden rows requested, over all routes."""
        return sum(each.rows for each in self.routes)

    @property
    def largest(self) -> float | None:
        """Largest difference of all routes; None without predictions."""
        return max((each.largest for each in self.routes if each.largest is not None), default=None)

    @property
    def sentence(self) -> str:
        """The verdict in a sentence."""
        if self.passed:
            return (
                f"{self.rows} golden answers of version {self.version} agree to "
                f"{self.tolerance:g} (largest difference {format_difference(self.largest)})."
            )
        more = len(self.faults) - 1
        return self.faults[0] + (f" {more} more of its kind." if more else "")


def format_difference(difference: float | None) -> str:
    """Returns a difference as text; empty for None.

    Example:
        >>> format_difference(2.5e-13)
        '2.5e-13'
    """
    if difference is None:
        return ""
    return f"{difference:.1e}" if difference else "0"


def check_route(
    path: str,
    expected: Sequence[GoldenRow],
    predictions: Sequence[Prediction],
    *,
    version: str,
    tolerance: float,
    milliseconds: Sequence[float],
) -> RouteReport:
    """Compares a route's predictions with the golden rows, in the order of the requests.

    A prediction too few or too many is a fault. `milliseconds` has the duration of each request.
    """
    faults = []
    if len(predictions) != len(expected):
        faults.append(f"{path} gave {len(predictions)} answers to {len(expected)} golden rows.")
    differences = []
    for number, (golden, prediction) in enumerate(zip(expected, predictions, strict=False), 1):
        difference = abs(prediction.probability - golden.probability)
        if isfinite(difference):
            differences.append(difference)
        fault = _fault(golden, prediction, difference, version=version, tolerance=tolerance)
        if fault:
            faults.append(f"{path} on golden row {number}: {fault}.")
    return RouteReport(
        path=path,
        rows=len(expected),
        largest=max(differences, default=None),
        median_ms=round(median(milliseconds), 3) if milliseconds else None,
        faults=_shortened(faults, path),
    )


def unreachable_route(path: str, rows: int, why: str) -> RouteReport:
    """Returns the report of a route that gave no predictions; `why` is a part of a sentence."""
    fault = f"{path} could not be called: {why.rstrip('.')}."
    return RouteReport(path=path, rows=rows, largest=None, median_ms=None, faults=(fault,))


def _fault(
    golden: GoldenRow, prediction: Prediction, difference: float, *, version: str, tolerance: float
) -> str:
    if prediction.error:
        return f"refused, {prediction.error.rstrip('.')}"
    if prediction.version != version:
        return f"answered by version {prediction.version or '(none reported)'}, not by {version}"
    if not difference <= tolerance:
        return f"probability {prediction.probability!r} where the bundle has {golden.probability!r}"
    return ""


def _shortened(faults: Sequence[str], path: str) -> tuple[str, ...]:
    if len(faults) <= _SHOWN:
        return tuple(faults)
    return (*faults[:_SHOWN], f"{path}: {len(faults) - _SHOWN} faults more.")
