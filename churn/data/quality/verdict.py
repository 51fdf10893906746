"""The verdict that every check of data has: the quality gate's, Deepchecks' and the validators'."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, Protocol, TypeVar

Severity = Literal["critical", "warning"]
"""What a failure means: critical stops the run, a warning is only shown."""
OnShift = Literal["refuse", "report"]
"""What a large shift from the accepted table does: it refuses the table, or is news of a retraining."""
Verdict = Literal["pass", "warn", "fail"]
"""Held; failed with a warning; failed critically."""


class HasVerdict(Protocol):
    """The result of one check."""

    @property
    def verdict(self) -> Verdict:
        """What the check found."""
        ...


Result = TypeVar("Result", bound=HasVerdict)


def failed_as(severity: Severity) -> Verdict:
    """The verdict of a failed check."""
    return "fail" if severity == "critical" else "warn"


def worst_verdict(results: Iterable[HasVerdict]) -> Verdict:
    """The verdict of a report: its worst result's."""
    verdicts = {each.verdict for each in results}
    return "fail" if "fail" in verdicts else "warn" if "warn" in verdicts else "pass"


def require_worst(verdict: Verdict, results: Iterable[HasVerdict], name: str) -> None:
    """Raises `ValueError` if a report's verdict is not that of its worst result."""
    if verdict != worst_verdict(results):
        raise ValueError(f"verdict {verdict!r} contradicts the {name}")


def with_verdict(results: Iterable[Result], verdict: Verdict) -> tuple[Result, ...]:
    """The results that have a verdict, in their order."""
    return tuple(each for each in results if each.verdict == verdict)


def pluralize(number: int, one: str, many: str) -> str:
    """'1 check', '1,000 checks'."""
    return f"{number:,} {one if number == 1 else many}"
