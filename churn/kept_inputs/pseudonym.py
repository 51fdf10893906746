"""A customer's pseudonym: equal for equal ids, and nothing that leads back without the key."""

from __future__ import annotations

import os
from hashlib import blake2b

from churn.errors import InputError

VARIABLE = "CHURN_INPUTS_KEY"
_FEWEST = 16
_MOST = 64  # of BLAKE2's keys
_DIGEST = 16


def inputs_key() -> bytes:
    """The key of the pseudonyms, from the environment.

    Raises:
        InputError: there is none, or it is too short to be secret.
    """
    return require_key(os.environ.get(VARIABLE, ""))


def require_key(secret: str) -> bytes:
    """The key that a text is, if it is long enough.

    Raises:
        InputError: it is too short to be secret, or too long for a key.
    """
    key = secret.encode()
    if not _FEWEST <= len(key) <= _MOST:
        raise InputError(
            f"To keep inputs, {VARIABLE} must hold a secret of {_FEWEST} to {_MOST} letters, from which "
            "the customers' pseudonyms are made; set it, such as to the output of `openssl rand -hex "
            "24`, or leave keep_inputs out."
        )
    return key


def pseudonym(customer: str, key: bytes) -> str:
    """128 bits of a keyed hash (BLAKE2b) of an id, as hexadecimal digits."""
    return blake2b(customer.encode(), key=key, digest_size=_DIGEST).hexdigest()
