"""Opens the online store that an address names."""

from __future__ import annotations

from pathlib import Path

from churn.contract import DataContract
from churn.errors import InputError
from churn.feature_store.online.online_store import OnlineStore
from churn.feature_store.online.sqlite_store import SqliteOnlineStore
from churn.home import home

SQLITE = "sqlite:///"
FILE = "online-store.db"
"""Name of the default store's file, in the folder of `home`."""
REDIS = ("redis://", "rediss://", "unix://")


def open_online_store(contract: DataContract, address: str | None = None) -> OnlineStore:
    """Returns the store of a contract's customers; nothing is read, made or connected yet.

    Args:
        contract: names the fields.
        address: `sqlite:///` and a path, or `redis://`, `rediss://` or `unix://`; None for the file
            in the folder that keeps everything on this machine.

    Raises:
        InputError: that is no such address.
    """
    if address is None:
        address = f"{SQLITE}{home() / FILE}"
    if address.startswith(SQLITE) and len(address) > len(SQLITE):
        return SqliteOnlineStore(Path(address.removeprefix(SQLITE)), contract)
    if address.startswith(REDIS):
        # Here and not above: a store in a file needs no client.
        from churn.feature_store.online.redis_store import RedisOnlineStore

        return RedisOnlineStore(address, contract)
    # The text is not repeated: it may hold a password.
    raise InputError(
        "The online store's address is none. Write it like sqlite:///FILE or "
        "redis://:password@host:6379/0."
    )
