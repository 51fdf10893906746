"""Two small models in a store, for tests that kill what scores a table with them."""

from __future__ import annotations

from tests.servers.published import published_store, trained

__all__ = ["published_store", "trained"]
