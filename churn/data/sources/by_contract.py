"""A source in the contract's words: its names, its spellings, and no column beyond it."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator, Mapping
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from churn.contract import DataContract, NumberColumn
from churn.contract.names import listed
from churn.data.dataset import Format
from churn.data.intake.header import in_contract_order
from churn.data.intake.parquet_text import as_texts
from churn.data.intake.typed_columns import trimmed
from churn.data.sources.table_source import CHUNK_ROWS, TableChunk, TableSource

_LOG = logging.getLogger(__name__)


class ContractSource:
    """Another source as its contract's `reading` translates it.

    Args:
        source: The source as it is stored.
        contract: The contract.
        optional: Columns of the contract that the source may lack, such as the target.
    """

    def __init__(
        self, source: TableSource, contract: DataContract, optional: Collection[str] = ()
    ) -> None:
        self._source, self._contract, self._optional = source, contract, optional

    @property
    def shown(self) -> str:
        """The address as it may be shown."""
        return self._source.shown

    @property
    def format(self) -> Format:
        """What the table is stored as."""
        return self._source.format

    @property
    def size(self) -> int:
        """Bytes that are stored."""
        return self._source.size

    @property
    def ordered(self) -> bool:
        """Whether its rows have an order of their own."""
        return self._source.ordered

    def digest(self) -> str:
        """SHA-256 of the content as it is stored: the translation changes nothing."""
        return self._source.digest()

    def chunks(self, rows: int = CHUNK_ROWS) -> Iterator[TableChunk]:
        """The rows, the contract's columns in its order."""
        for chunk in self._source.chunks(rows):
            table = renamed(chunk.table, self._contract)
            ordered = in_contract_order(table, self._contract, self._optional)
            if chunk.number == 0:
                self._name_what_is_dropped(table.column_names)
            yield TableChunk(chunk.number, chunk.first_row, translated(ordered, self._contract))

    def _name_what_is_dropped(self, found: list[str]) -> None:
        known = {*self._contract.names, *self._contract.left_out}
        extra = [name for name in found if name.strip() not in known]
        if extra:
            _LOG.warning(
                "%s: not in contract '%s', and ignored as it says: %s",
                self.shown, self._contract.name, listed(extra, len(extra)),
            )  # fmt: skip


def renamed(table: Any, contract: DataContract) -> Any:
    """A table under the contract's names where `rename` knows the table's own."""
    ours = contract.reading.rename
    names = [name.strip() for name in table.column_names]
    return table.rename_columns([ours.get(name, name) for name in names])


def translated(table: Any, contract: DataContract) -> Any:
    """A table with the contract's spellings of values and decimals."""
    reading = contract.reading
    for place, name in enumerate(table.column_names):
        if name in reading.values:
            column = _respelt(table[name], reading.values[name])
        elif reading.decimal == "," and isinstance(contract.column(name), NumberColumn):
            column = _with_points(table[name])
        else:
            continue
        table = table.set_column(place, name, column)
    return table


def _respelt(column: Any, spellings: Mapping[str, str]) -> Any:
    texts = trimmed(as_texts(pa.table({"": column}))[""])
    places = pc.index_in(texts, pa.array(list(spellings)))
    ours = pa.array(list(spellings.values())).take(places)
    return pc.coalesce(ours, texts)


def _with_points(column: Any) -> Any:
    """Texts with the decimal comma as a point, and a point, which parted thousands, as a comma.

    So `1.234,5` is refused like any text that is no number, and never read as another number.
    """
    if not pa.types.is_string(column.type):
        return column
    swapped = pc.replace_substring(column, ".", "\0")
    swapped = pc.replace_substring(swapped, ",", ".")
    return pc.replace_substring(swapped, "\0", ",")
