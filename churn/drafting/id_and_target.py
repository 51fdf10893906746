"""Which column identifies the customers, and which says who left."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from churn.contract.names import is_index, listed
from churn.contract.refusals import quote_text
from churn.contract.values import is_customer_id
from churn.drafting.text_column import TextColumn, named
from churn.errors import InputError, did_you_mean

_ID = re.compile(
    r"(.* )?(id|identifier|uuid|guid|msisdn|key|code|no|nr|number|account|customer|client|phone)"
)
_SURELY_ID = re.compile(
    r"(row )?(customer|client|user|subscriber|account|member|cust|policy)?( (id|key|no|nr|number|code))"
    r"|id|(customer|user|client)id"
)
_SURELY_TARGET = re.compile(
    r"churn(ed)?( (label|value|flag))?|attrition( flag)?|(has )?(exited|left)|is churn(ed)?|target"
)
_TARGET = re.compile(
    r"(.* )?(churn\w*|attrition|attrited|exited|cancell?ed|defected|lapsed|unsubscribed)( .*)?|"
    r"(has )?(left|quit)|target|"
    r"(.* )?(retained|stayed|active|renewed)( .*)?"
)
_STAYED = re.compile(r"(.* )?(retained|stayed|active|renewed)( .*)?")
_YES = {"yes", "y", "1", "1.0", "true", "t", "ja", "si", "oui"}
_NO = {"no", "n", "0", "0.0", "false", "f", "nein", "non"}
_LEFT = re.compile(r"(attrit|churn|left|exit|cancel|lost|gone|closed|lapsed|inactive)\w*( .*)?")
_TWO = 2
_DIGITS = re.compile(r"(\D*)(\d+)")


def find_id(
    columns: Sequence[TextColumn], name: str | None, file: str, day: TextColumn | None = None
) -> TextColumn:
    """The column of the customers' ids.

    Args:
        columns: The table's columns.
        name: The column that a person named; None to look for one.
        file: What an error calls the table.
        day: The column of the day that each row describes its customer on; a customer may then have a
            row for each day. None where there is none.

    Raises:
        InputError: there is none, or an id is blank or there twice.
    """
    if name is not None:
        return _checked_id(_require(columns, name, file, "--id"), file, day)
    possible = [column for column in columns if column.unique and _holds_ids(column)]
    daily = [column for column in columns if column is not day and _once_a_day(column, day)]
    for looks_right, among in (
        (lambda column: _SURELY_ID.fullmatch(column.words), [*daily, *possible]),
        (lambda column: _ID.fullmatch(column.words), possible),
        (lambda column: column.numbers is None, possible),
        (lambda column: is_index(column.name) or numbers_the_rows(column), possible),
    ):
        found = [column for column in among if looks_right(column)]
        if found:
            return found[0]
    for column in columns:
        if _SURELY_ID.fullmatch(column.words):
            return _checked_id(column, file, day)
    raise InputError(
        f"{file} has no column that could be the customers' id: none has another value in every row. "
        "Name one with --id COLUMN, or add one that numbers the rows: "
        f'`awk \'NR==1{{print "customer_id,"$0; next}} {{print "C" NR-1 "," $0}}\' {file}`.'
    )


def _more_than_once(times: NDArray[np.intp]) -> str:
    again = int((times > 1).sum())
    return f"{again:,} ids are" if again > 1 else "1 id is"


def _once_a_day(column: TextColumn, day: TextColumn | None) -> bool:
    """Whether ids are there more than once, and never twice on one day."""
    if day is None or column.unique or column.empty.any() or not _holds_ids(column):
        return False
    pairs = column.places * len(day.different) + day.places
    return len(np.unique(pairs)) == column.rows


def numbers_the_rows(column: TextColumn) -> bool:
    """Whether ids are one text and a counter, in the table's order: such ids do not last."""
    parts = [_DIGITS.fullmatch(text) for text in column.different]
    if len(parts) != column.rows or any(part is None for part in parts):
        return False
    found = [part for part in parts if part is not None]
    counters = [int(part[2]) for part in found if len(part[2]) <= 18]  # noqa: PLR2004 - int64
    one_prefix = len({part[1] for part in found}) == 1
    return one_prefix and counters == list(range(counters[0], counters[0] + column.rows))


def find_target(
    columns: Sequence[TextColumn], name: str | None, yes: str | None, file: str
) -> tuple[TextColumn, str, str]:
    """The column that says who left, and how it spells no and yes.

    Args:
        columns: The table's columns but the id.
        name: The column that a person named; None to look for one.
        yes: The value that means that the customer left; None to look for it.
        file: What an error calls the table.

    Raises:
        InputError: there is none, it has not two values, or nobody can tell which is yes.
    """
    column = _require(columns, name, file, "--target") if name else _guessed_target(columns, file)
    where = f"{file}, column {quote_text(column.name)}"
    if column.empty.any():
        rows = int(column.empty.sum())
        raise InputError(
            f"{where}: the target is blank in {rows:,} row{'s' if rows > 1 else ''}, first in row "
            f"{int(np.argmax(column.empty)) + 1}. Leave out rows whose outcome is not known."
        )
    values = sorted(column.texts)
    if len(values) != _TWO:
        raise InputError(
            f"{where}: the target holds {len(values):,} value{'s' if len(values) > 1 else ''}, and "
            "two are needed: one for customers who left, one for the others. "
            + ("Export both kinds of customers." if len(values) == 1 else "Name another --target.")
        )
    found = yes.strip() if yes is not None else _guessed_yes(column, values)
    if found not in values:
        either = f"{quote_text(values[0])} or {quote_text(values[1])}"
        problem = (
            "says who left in a way that is not known here"
            if yes is None
            else (f"does not hold {quote_text(found or '')}")
        )
        raise InputError(f"{where} {problem}. Say which value means left: --yes {either}.")
    return column, next(value for value in values if value != found), found


def _guessed_target(columns: Sequence[TextColumn], file: str) -> TextColumn:
    of_two = [column for column in columns if len(column.texts) == _TWO]
    like: list[TextColumn] = []
    for name in (_SURELY_TARGET, _TARGET):
        like = like or [column for column in columns if name.fullmatch(column.words)]
    found = [column for column in like if column in of_two]
    if found and all(_says_the_same(column, found[0]) for column in found):
        return found[0]
    if len(like) == 1:
        return like[0]
    among = found or of_two
    which = f" Columns of two values: {listed([c.name for c in among], 5)}." if among else ""
    several = "several columns that could say" if found else "no column whose name says"
    raise InputError(f"{file} has {several} who left. Name the target with --target COLUMN.{which}")


def _says_the_same(one: TextColumn, other: TextColumn) -> bool:
    return len(set(zip(one.places.tolist(), other.places.tolist(), strict=True))) == len(
        one.different
    )


def _guessed_yes(column: TextColumn, values: list[str]) -> str | None:
    if _STAYED.fullmatch(column.words):
        return None  # here yes would mean that the customer stayed
    plain = {text: text.casefold().rstrip(".") for text in values}
    said_yes = [text for text in values if plain[text] in _YES]
    said_left = [text for text in values if _LEFT.fullmatch(plain[text])]
    not_no = [text for text in values if plain[text] not in _NO]
    # "inactive" beside "active" tells, and so does anything beside "no".
    return next((found[0] for found in (said_yes, said_left, not_no) if len(found) == 1), None)


def _require(columns: Sequence[TextColumn], name: str, file: str, option: str) -> TextColumn:
    column = named(columns, name.strip())
    if column is None:
        near = did_you_mean(name, [each.name for each in columns])
        hint = f"Did you mean {quote_text(near)}?" if near else "Its header names the columns."
        raise InputError(f"{file} has no column {quote_text(name)} for {option}. {hint}")
    return column


def _holds_ids(column: TextColumn) -> bool:
    return (column.numbers is None or column.whole) and all(map(is_customer_id, column.texts))


def _checked_id(column: TextColumn, file: str, day: TextColumn | None) -> TextColumn:
    """The column, if every id is there and there once, or once a day.

    Raises:
        InputError: one is blank, cannot be stored, or is there twice.
    """
    where = f"{file}, column {quote_text(column.name)}"
    if column.empty.any():
        raise InputError(
            f"{where}: the id is blank in row {int(np.argmax(column.empty)) + 1}. Fill it in, leave "
            "the row out, or name another column with --id."
        )
    times = np.bincount(column.places)
    if times.max() > 1 and not _once_a_day(column, day):
        rows = np.flatnonzero(column.places == int(np.argmax(times)))
        raise InputError(
            f"{where}: {_more_than_once(times)} there more than once, the first in rows "
            f"{rows[0] + 1} and {rows[1] + 1}. Keep one row a customer, name another column with --id, "
            "or have a column of the day that each row describes its customer on, such as snapshot_date, "
            "on which no id is there twice."
        )
    if not _holds_ids(column):
        raise InputError(
            f"{where}: not every value can be an id, which is a text of at most 200 characters or a "
            "whole number. Name another column with --id."
        )
    return column
