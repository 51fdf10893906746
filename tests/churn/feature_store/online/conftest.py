"""The online store on both of its databases: a file, and a real Redis."""

from collections.abc import Callable

import pytest
from redis import Redis

from churn.feature_store.online.address import open_online_store
from tests.servers.redis_server import running_redis

__all__ = ["running_redis"]


@pytest.fixture(params=["sqlite", "redis"])
def address(request, tmp_path):
    """Address of an empty store."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'online.db'}"
    url = request.getfixturevalue("running_redis")
    with Redis.from_url(url) as redis:
        redis.flushdb()
    return url


@pytest.fixture
def open_store(address, contract):
    """Opens the store, each time with connections of its own; closed at the end."""
    opened = []

    def open_(of=contract):
        opened.append(open_online_store(of, address))
        return opened[-1]

    yield open_
    for each in opened:
        each.close()


@pytest.fixture
def online(open_store: Callable):
    """An empty store of the shipped contract's customers."""
    return open_store()
