"""A rule of the suite, and the result that Great Expectations gives for it.

A rule is made from the contract without importing Great Expectations: it names the expectation and
its arguments, and knows how to put the answer into words.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from churn.contract.id_mask import HiddenValue
from churn.contract.refusals import quote_text, quote_value
from churn.data.quality.quality_report import Topic
from churn.data.quality.verdict import Severity

Batch = Literal["customers", "relations", "shifts"]
"""The table itself; columns computed from it, row by row; one row of figures about it."""

_SHOWN_VALUES = 3
_SHOWN_ROWS = 5
_TELLING_TEXTS = 10  # categories are few; more different texts than this are names or ids


@dataclass(frozen=True)
class ExpectationResult:
    """One expectation's answer.

    Attributes:
        success: Whether it was met.
        observed: What a whole-column or whole-table expectation saw; None for one about rows.
        examples: The first failing values, as they stand in the table.
        rows: The first failing rows' numbers, 1-based.
        count: Failing rows in all.
        total: Rows judged, blanks left out.
        error: Why the expectation could not be judged at all, in words; None where it was.
    """

    success: bool
    observed: Any = None
    examples: tuple[Any, ...] = ()
    rows: tuple[int, ...] = ()
    count: int = 0
    total: int = 0
    error: str | None = None

    @property
    def failing_values(self) -> str:
        """The failing values in words: at most three different ones, with the verb.

        Many different texts are not shown: they may name customers.
        """
        if len(set(filter(_is_wording, self.examples))) > _TELLING_TEXTS:
            return "many different texts are"
        different = list(dict.fromkeys(quoted(value) for value in self.examples))
        if len(different) == 1:
            return f"{different[0]} is"
        more = len(different) > _SHOWN_VALUES
        return f"{', '.join(different[:_SHOWN_VALUES])}{' and others' if more else ''} are"


@dataclass(frozen=True)
class ExpectationSpec:
    """One expectation, in Great Expectations' own terms.

    Attributes:
        expectation: Class name in `great_expectations.expectations`.
        arguments: What that class takes, without the severity.
        severity: What failing it means.
        limit: What it expects, in words.
    """

    expectation: str
    arguments: Mapping[str, Any]
    severity: Severity
    limit: str


@dataclass(frozen=True)
class Rule:
    """One check: usually one expectation; several, the most severe first, if severity has degrees.

    Attributes:
        name: Unique within the suite.
        topic: The group a report shows it in.
        columns: The contract's columns that it concerns.
        expectations: What Great Expectations checks.
        success: Makes the sentence about a success.
        failure: Makes the clause about a failure, which follows the place and a colon.
        way_out: What the user can do.
        batch: The table that the expectations look at.
        observed: Makes a few words about what was seen; None for the usual count of rows.
    """

    name: str
    topic: Topic
    columns: tuple[str, ...]
    expectations: tuple[ExpectationSpec, ...]
    success: Callable[[ExpectationResult], str]
    failure: Callable[[ExpectationResult], str]
    way_out: str
    batch: Batch = "customers"
    observed: Callable[[ExpectationResult], str] | None = None


def critical(expectation: str, limit: str, **arguments: Any) -> tuple[ExpectationSpec]:
    """The expectations of a rule with a single one, whose failure is critical."""
    return (ExpectationSpec(expectation, arguments, "critical", limit),)


def quoted(value: object) -> str:
    """A cell's value as a sentence shows it: text in quotes, numbers plain, long text cut."""
    if isinstance(value, HiddenValue):
        return str(value)
    if isinstance(value, float):
        return f"{value:g}"
    return quote_text(value) if isinstance(value, str) else quote_value(value)


def _is_wording(value: object) -> bool:
    """Whether a cell holds text other than a number's."""
    return isinstance(value, str) and not value.strip().replace(".", "").isdigit()


def percent(share: float) -> str:
    """A limit in percent, with the digits it was written with: 0.995 is '99.5%'."""
    return f"{100 * share:.10g}%"


def rows_in_words(number: int) -> str:
    """'1 row', '7,043 rows'."""
    return f"{number:,} row{'' if number == 1 else 's'}"


def listed(names: Iterable[str]) -> str:
    """Names in a row: 'a, b and c'."""
    *head, last = names
    return f"{', '.join(head)} and {last}" if head else last


def place(columns: tuple[str, ...], rows: tuple[int, ...], count: int) -> str:
    """Where a failure is: "Column 'Contract' rows 3, 17 and 40 more"."""
    where = f"Column{'s' if len(columns) > 1 else ''} {listed(repr(name) for name in columns)}"
    if not rows:
        return where
    shown = [f"{row:,}" for row in rows[:_SHOWN_ROWS]]
    if count > len(shown):
        shown.append(f"{count - len(shown):,} more")
    return f"{where} row{'s' if count > 1 else ''} {listed(shown)}"
