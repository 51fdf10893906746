"""Deepchecks' results as findings of ours. A check without a result counts as failed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from churn.checks.deepchecks.deepchecks_report import Finding, SuiteName
from churn.data.quality.verdict import Severity, Verdict, failed_as

_SIDES = {" - Train Dataset": "development rows", " - Test Dataset": "gate rows"}
_NO_ANSWER = "no answer"
_NUMPY = re.compile(r"np\.\w+\(([^()]*)\)")  # numpy 2 shows 1 as np.int64(1)


def read_findings(
    result: Any, suite: SuiteName, rows: str, shown_only: Mapping[str, str]
) -> Iterator[Finding]:
    """One finding per condition; one, too, for a check that gave no answer.

    Args:
        result: The suite's `SuiteResult`.
        suite: Its name.
        rows: The rows of checks that do not name them.
        shown_only: Check -> why its failure is only shown.
    """
    for each in result.results:
        check = type(each.check).__name__
        header = each.get_header()
        side = next((rows_of for end, rows_of in _SIDES.items() if header.endswith(end)), rows)
        reason = shown_only.get(check, "")
        severity: Severity = "warning" if reason else "critical"
        for condition, category, details in _answers(each):
            yield Finding(
                suite=suite,
                check=check,
                name=each.check.name(),
                rows=side if suite != "data_integrity" else rows,
                condition=condition,
                severity=severity,
                verdict=_verdict(category, severity),
                sentence=details,
                reason=reason,
            )


def _answers(result: Any) -> Iterator[tuple[str, str, str]]:
    """Condition, category and details of each condition of one check."""
    exception = getattr(result, "exception", None)
    if exception is not None:
        kind = type(exception).__name__  # its own words may quote a cell
        yield _NO_ANSWER, "ERROR", f"The check broke off with {kind} and says nothing."
        return
    if not result.conditions_results:
        yield _NO_ANSWER, "ERROR", "The check came without a condition and says nothing."
    for each in result.conditions_results:
        category, details = each.category.name, each.details
        if category == "ERROR":
            details = "The condition broke off and says nothing"
        yield _sentence(each.name), category, _sentence(details) + "."


def _verdict(category: str, severity: Severity) -> Verdict:
    if category == "PASS":
        return "pass"
    # Deepchecks only warns about a table of which a tenth is there twice; the severity is ours.
    return failed_as(severity)


def _sentence(text: str) -> str:
    """Lines joined to one, numpy's numbers as numbers, without a full stop at its end."""
    lines = (line.strip().rstrip(".") for line in _NUMPY.sub(r"\1", text).splitlines())
    return ". ".join(line for line in lines if line)
