"""Whether what is served is what was deployed: golden rows, asked over HTTP, against the bundle's.

Fails closed: a customer without an answer, a NaN, another version's answer and a target that is not
ready each fail the whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite
from statistics import median

from churn.deployment.protocols import Answer
from churn.frozen_model import FrozenModel
from churn.scoring.golden import GoldenRow

_SHOWN = 3


class RouteReport(FrozenModel):
    """What one route answered.

    Attributes:
        path: of the route.
        rows: golden rows it was asked about.
        largest: difference to the golden probability; None where nothing could be compared.
        median_ms: of a request, as this machine saw it; None where none was answered.
        faults: sentences about what was wrong, none of them where all was right.
    """

    path: str
    rows: int
    largest: float | None
    median_ms: float | None
    faults: tuple[str, ...] = ()


class SmokeReport(FrozenModel):
    """The smoke test of a deployment.

    Attributes:
        version: that was to answer.
        tolerance: how far a probability may be off.
        ready: whether the target says that it can be asked.
        ready_fault: why not, where it says no; or what is wrong with what it says.
        routes: what each route answered.
    """

    version: str
    tolerance: float
    ready: bool
    ready_fault: str = ""
    routes: tuple[RouteReport, ...]

    @property
    def faults(self) -> tuple[str, ...]:
        """Everything that was wrong, the most telling first."""
        not_ready = () if self.ready else (self.ready_fault or "It is not ready.",)
        nothing = () if self.routes else ("No golden row was asked.",)
        return (*not_ready, *nothing, *(fault for each in self.routes for fault in each.faults))

    @property
    def passed(self) -> bool:
        """Whether the version may stay."""
        return not self.faults

    @property
    def rows(self) -> int:
        """Golden rows asked, over all routes."""
        return sum(each.rows for each in self.routes)

    @property
    def largest(self) -> float | None:
        """The largest difference of all routes; None where nothing could be compared."""
        return max((each.largest for each in self.routes if each.largest is not None), default=None)

    @property
    def sentence(self) -> str:
        """The verdict in words."""
        if self.passed:
            return (
                f"{self.rows} golden answers of version {self.version} agree to "
                f"{self.tolerance:g} (largest difference {format_difference(self.largest)})."
            )
        more = len(self.faults) - 1
        return self.faults[0] + (f" {more} more of its kind." if more else "")


def format_difference(difference: float | None) -> str:
    """A difference as people read it; empty where there is none."""
    if difference is None:
        return ""
    return f"{difference:.1e}" if difference else "0"


def check_route(
    path: str,
    expected: Sequence[GoldenRow],
    answers: Sequence[Answer],
    *,
    version: str,
    tolerance: float,
    milliseconds: Sequence[float],
) -> RouteReport:
    """Holds a route's answers against the golden rows.

    Args:
        path: of the route.
        expected: golden rows, in the order they were asked.
        answers: likewise; one too few or too many is a fault.
        version: that was to answer.
        tolerance: how far a probability may be off.
        milliseconds: each request's.
    """
    faults = []
    if len(answers) != len(expected):
        faults.append(f"{path} gave {len(answers)} answers to {len(expected)} golden rows.")
    differences = []
    for place, (golden, answer) in enumerate(zip(expected, answers, strict=False), start=1):
        difference = abs(answer.probability - golden.probability)
        if isfinite(difference):
            differences.append(difference)
        fault = _fault(golden, answer, difference, version=version, tolerance=tolerance)
        if fault:
            faults.append(f"{path} on golden row {place}: {fault}.")
    return RouteReport(
        path=path,
        rows=len(expected),
        largest=max(differences, default=None),
        median_ms=round(median(milliseconds), 3) if milliseconds else None,
        faults=_shortened(faults, path),
    )


def unreachable_route(path: str, rows: int, why: str) -> RouteReport:
    """A route that could not be asked at all; `why` is a part of a sentence."""
    fault = f"{path} could not be asked: {why.rstrip('.')}."
    return RouteReport(path=path, rows=rows, largest=None, median_ms=None, faults=(fault,))


def _fault(
    golden: GoldenRow, answer: Answer, difference: float, *, version: str, tolerance: float
) -> str:
    if answer.refusal:
        return f"refused, {answer.refusal.rstrip('.')}"
    if answer.version != version:
        return f"answered by version {answer.version or '(none told)'}, not by {version}"
    if not difference <= tolerance:
        return f"probability {answer.probability!r} where the bundle has {golden.probability!r}"
    return ""


def _shortened(faults: Sequence[str], path: str) -> tuple[str, ...]:
    if len(faults) <= _SHOWN:
        return tuple(faults)
    return (*faults[:_SHOWN], f"{path}: {len(faults) - _SHOWN} faults more.")
