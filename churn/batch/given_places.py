"""What a person names for a batch: a table to read, a place to write to."""

from __future__ import annotations

from pathlib import Path

from churn.contract import DataContract
from churn.data.intake.address import is_url
from churn.data.sources import TableSource, open_source


def open_table(where: str, contract: DataContract) -> TableSource:
    """A table of customers in a contract's words."""
    optional = (*contract.unscored, contract.id.name)
    return open_source(where, contract, optional=optional, coded=True)


def place_of(where: str) -> str:
    """An address as it is; a path from the folder that the command was given in."""
    return where if is_url(where) else str(Path(where).expanduser().absolute())
