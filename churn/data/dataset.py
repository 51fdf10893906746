"""A customer table that was read: its rows, the contract they follow, and where they came from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from churn.contract import DataContract

if TYPE_CHECKING:
    from pandas import DataFrame
else:
    # ZenML reads the annotations of a step's inputs when it runs, and a batch loads no pandas.
    DataFrame = Any

Format = Literal[
    "csv", "csv.gz", "csv.bz2", "csv.xz", "csv.zst", "parquet", "arrow", "delta", "sql", "generated"
]


@dataclass(frozen=True)
class Source:
    """Where a table came from.

    Attributes:
        location: As the user named it; a URL without credentials, query and fragment.
        sha256: SHA-256 of the source's bytes, before anything was unpacked.
        size: Size of the source, in bytes.
        format: What the bytes turned out to be.
    """

    location: str
    sha256: str
    size: int
    format: Format


@dataclass(frozen=True, eq=False)
class Dataset:
    """A typed customer table.

    Attributes:
        frame: The table, shape [rows, columns of the contract]; see `churn.data.intake.parse` for the
            types. Not to be written to.
        contract: The contract it was parsed by.
        source: Where it came from.
        places: int64[rows], each row's place in the source, from 0; None where the order is the source's.
    """

    frame: DataFrame
    contract: DataContract
    source: Source
    places: NDArray[np.int64] | None = None

    @property
    def as_stored(self) -> DataFrame:
        """The table in the source's order, so that a row's number is the one it has there."""
        if self.places is None:
            return self.frame
        return self.frame.iloc[np.argsort(self.places)].reset_index(drop=True)

    @property
    def rows(self) -> int:
        """How many customers the table has."""
        return len(self.frame)

    @property
    def latest(self) -> DataFrame:
        """Each customer's row of the latest day; all rows where the contract has no date column."""
        if self.contract.date is None:
            return self.frame
        by_day = self.frame.sort_values(self.contract.date.name, kind="stable")
        return by_day.drop_duplicates(self.contract.id.name, keep="last").sort_index()

    @property
    def target_rate(self) -> float:
        """Share of the customers whose event happened, 0 to 1."""
        target = self.contract.target
        return float((self.frame[target.name] == target.yes_value).mean())

    def __eq__(self, other: object) -> bool:
        """Equal tables, types and order of categories included, from the same source."""
        if not isinstance(other, Dataset):
            return NotImplemented
        same_origin = (self.source, self.contract) == (other.source, other.contract)
        return same_origin and self.frame.equals(other.frame)

    __hash__ = None  # type: ignore[assignment]  # a table is no key
