"""CSV as a form of a batch: a header of the contract's fields, and a customer a line."""

from __future__ import annotations

import csv
import io
from codecs import BOM_UTF8
from collections import Counter
from collections.abc import AsyncIterator, Collection, Iterator, Mapping, Sequence
from typing import Any

from churn.contract.names import respelt
from churn.contract.refusals import quote_text
from churn.csv_files.csv_rows import plain_text, read_rows
from churn.errors import InputError
from churn.scoring.encoder import RowEncoder
from service.api.batch_body import RowLimits, row_too_large
from service.api.problems import ProblemError
from service.core.score_answer import ScoreAnswer

CSV = "text/csv"
_BODY = "The body"


def read_table(body: bytes, limits: RowLimits) -> Iterator[list[str] | int]:
    """Yields the header, then each row's cells, all without the spaces around them.

    Of a row that is longer or shorter than the header it yields only how many cells there are.

    Raises:
        ProblemError: 400, the body is no CSV; 413, a row is too large.
    """
    number = size = width = 0

    def lines(text: io.TextIOWrapper) -> Iterator[str]:
        nonlocal size
        for line in text:
            size += len(line)
            if size > limits.row_bytes:
                raise row_too_large(number, limits)
            yield line

    if not body.removeprefix(BOM_UTF8).strip():
        raise ProblemError(400, "The body is empty. Send a header and customers.", field="body")
    try:
        plain = io.BytesIO(plain_text(body, _BODY))
        text = io.TextIOWrapper(plain, encoding="utf-8-sig", newline="")
        for _, cells in read_rows(lines(text), _BODY):
            if cells:  # no blank line
                width = width or len(cells)
                yield [cell.strip() for cell in cells] if len(cells) == width else len(cells)
                number, size = number + 1, 0
    except InputError as error:
        raise ProblemError(400, str(error), field="body") from None


def require_header(names: Sequence[str], encoder: RowEncoder, ignored: Collection[str]) -> None:
    """Checks the names in a header.

    Raises:
        FieldError: a field is unknown or missing.
        ProblemError: 422, a field is there twice.
    """
    fields = [encoder.contract.id.name, *encoder.names]
    if not set(names).intersection(fields) and not respelt(names, fields):
        # Without a header the first customer stands here, and is not for messages.
        raise ProblemError(
            422, "The first line names no field of the contract. Begin the table with a header: "
            f"{', '.join(fields)}.", field="body", allowed=", ".join(fields),
        )  # fmt: skip
    name, times = Counter(names).most_common(1)[0]
    if times > 1:
        raise ProblemError(
            422, f"Field {quote_text(name)} is there twice in the header. Keep one.",
            field=name[:40],
        )  # fmt: skip
    encoder.require_fields([name for name in names if name not in ignored])


def customer_from(names: Sequence[str], cells: list[str] | int) -> dict[str, Any]:
    """Returns a row's fields.

    Raises:
        ProblemError: 422, the row is longer or shorter than the header.
    """
    if isinstance(cells, int):
        raise ProblemError(
            422, f"The row has {cells:,} fields where the header has {len(names):,}. Make the "
            "line whole, or quote the comma in it.", field="body",
        )  # fmt: skip
    return dict(zip(names, cells, strict=True))


async def write_table(
    answers: AsyncIterator[Sequence[Mapping[str, Any]]], id_name: str
) -> AsyncIterator[bytes]:
    """Yields answers as CSV; the column `error` has the sentence alone."""
    names = list(dict.fromkeys(("row", id_name, *ScoreAnswer.__struct_fields__, "error")))
    yield _as_lines([names])
    async for part in answers:
        yield _as_lines([[_cell(answer.get(name)) for name in names] for answer in part])


def _as_lines(rows: Sequence[Sequence[Any]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()


def _cell(value: Any) -> Any:
    if isinstance(value, bool):
        return str(value).lower()
    return value["detail"] if isinstance(value, dict) else value
