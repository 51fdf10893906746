"""Fixtures of campaigns: a small published model."""

from tests.servers.published import published_store, trained

__all__ = ["published_store", "trained"]
