"""Tables by address: read chunk by chunk, and written all or nothing."""

from churn.data.sources.opening import open_file, open_source
from churn.data.sources.table_sink import TableSink, open_sink
from churn.data.sources.table_source import (
    CHUNK_ROWS,
    TableChunk,
    TableSource,
    UnreachableTableError,
    whole_table,
)

__all__ = [
    "CHUNK_ROWS",
    "TableChunk",
    "TableSink",
    "TableSource",
    "UnreachableTableError",
    "open_file",
    "open_sink",
    "open_source",
    "whole_table",
]
