"""Tables by address: read chunk by chunk, and written all or nothing."""

from churn.data.sources.opening import open_source
from churn.data.sources.table_source import CHUNK_ROWS, TableChunk, TableSource

__all__ = ["CHUNK_ROWS", "TableChunk", "TableSource", "open_source"]
