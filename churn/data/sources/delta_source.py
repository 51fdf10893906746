"""Delta Lake tables, by the optional package `deltalake`."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

from churn.data.dataset import Format
from churn.data.sources.rows_digest import RowsSource
from churn.data.sources.table_source import UnreachableTableError
from churn.errors import InputError, error_reason

LOG = "_delta_log"
"""Folder that every Delta table has."""


class DeltaSource(RowsSource):
    """A Delta table as it is when it is opened: later versions change nothing.

    Args:
        uri: Its folder, or its address in a bucket.
        shown: The address as it may be shown.

    Raises:
        InputError: `deltalake` is not installed, or cannot read the table.
    """

    format: Format = "delta"

    def __init__(self, uri: str, shown: str) -> None:
        super().__init__(shown)
        try:
            from deltalake import DeltaTable
            from deltalake.exceptions import DeltaError
        except ImportError:
            raise InputError(
                f"{shown} is a Delta table, and the package deltalake is not installed. "
                "`make setup-data` installs it."
            ) from None
        # The endpoint and the keys come from the environment; a local server speaks no https.
        plain = os.environ.get("AWS_ENDPOINT_URL", "").startswith("http://")
        options = {"allow_http": "true"} if plain else {}
        try:
            self._dataset = DeltaTable(uri, storage_options=options).to_pyarrow_dataset()
        except (DeltaError, OSError, ValueError, ImportError) as error:
            raise _unreadable(shown, error) from None

    def batches(self, rows: int) -> Iterator[Any]:
        """The rows of the version that was opened."""
        try:
            yield self._dataset.schema.empty_table()
            yield from self._dataset.to_batches(
                batch_size=rows, batch_readahead=1, fragment_readahead=1
            )
        except (OSError, ValueError) as error:
            raise _unreadable(self.shown, error) from None


def _unreadable(shown: str, error: Exception) -> UnreachableTableError:
    return UnreachableTableError(
        f"The Delta table {shown} cannot be read: {error_reason(error, longest=300)}. Check the "
        "address, or write the table anew."
    )
