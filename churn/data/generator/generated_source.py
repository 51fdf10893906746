"""Generated customers as a source of tables: `generated:1000000?seed=7&scenario=price_rise`."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from churn.contract import DataContract
from churn.data.dataset import Format
from churn.data.generator.customers import GeneratedCustomers
from churn.data.generator.generator_settings import GeneratorSettings
from churn.data.sources.table_source import CHUNK_ROWS, TableChunk, numbered
from churn.errors import InputError

_VERSION = 1  # raise it where the same address gives other customers than before


class GeneratedSource:
    """Customers that are made while they are read.

    Args:
        address: What is generated.
        contract: The contract that the customers follow.

    Raises:
        InputError: the address or its scenario is not possible, or there is no contract.
    """

    def __init__(self, address: str, contract: DataContract | None) -> None:
        settings = GeneratorSettings.from_address(address)
        if contract is None:
            raise InputError(
                f"{settings.address} is generated from a data contract. Name the contract, too."
            )
        self._customers = GeneratedCustomers(contract, settings)

    @property
    def shown(self) -> str:
        """The address, which says that the customers are generated."""
        return self._customers.settings.address

    @property
    def format(self) -> Format:
        """Nothing is stored."""
        return "generated"

    @property
    def size(self) -> int:
        """Nothing is stored."""
        return 0

    @property
    def ordered(self) -> bool:
        """Customer k is always the k-th."""
        return True

    def digest(self) -> str:
        """SHA-256 of what decides the customers: the address, the contract with its snapshot, the version."""
        said = f"{_VERSION} {self.shown} {self._customers.contract.digest()}"
        return hashlib.sha256(said.encode()).hexdigest()

    def chunks(self, rows: int = CHUNK_ROWS) -> Iterator[TableChunk]:
        """The customers; the same ones whatever the number of rows."""
        return numbered(self._customers.tables(rows))
