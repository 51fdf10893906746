"""Who is left out of every campaign by chance: the same customers each time, decided by a hash."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray


def hashed_shares(customers: Iterable[str], salt: str) -> NDArray[np.float64]:
    """A number in [0, 1) for each customer, float64[n]: the same for the same id and salt.

    Other salts give independent numbers, so each decision by chance takes a salt of its own.
    """
    key = salt.encode()[:64]
    digests = (blake2b(each.encode(), digest_size=8, key=key).digest() for each in customers)
    return np.frombuffer(b"".join(digests), dtype=">u8").astype(np.float64) / 2.0**64


def in_holdout(customers: Iterable[str], share: float, salt: str) -> NDArray[np.bool_]:
    """Whether each customer is left out, bool[n]."""
    return hashed_shares(customers, salt) < share
