"""SHA-256 of a source: as a user states it, as it is found, and what to say when they differ."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from pathlib import Path

from churn.contract import DataContract
from churn.contract.expectations import AcceptedSnapshot
from churn.contract.refusals import quote_text
from churn.errors import InputError

_PIECE = 1 << 18


def stated(sha256: str) -> str:
    """A stated checksum in lower case; an `InputError` if it is not 64 hexadecimal digits."""
    plain = sha256.strip().lower()
    if not re.fullmatch(r"[0-9a-f]{64}", plain):
        raise InputError(
            f"data.sha256 is {quote_text(sha256)}, which is not 64 hexadecimal digits. "
            "`sha256sum FILE` prints it."
        )
    return plain


def of_files(paths: Iterable[Path]) -> str:
    """The checksum of the bytes of files that follow one another, read piece by piece."""
    digest = hashlib.sha256()
    for path in paths:
        with path.open("rb") as file:
            while piece := file.read(_PIECE):
                digest.update(piece)
    return digest.hexdigest()


def require_snapshot(found: str, snapshot: AcceptedSnapshot, contract: DataContract) -> None:
    """Raises `InputError` if the checksum is not that of the contract's own table."""
    way_out = (
        f"Bring the file of contract '{contract.name}' back with git or tools/rebuild_snapshot.py."
    )
    require(found, snapshot.sha256, snapshot.path, way_out)


def require(found: str, expected: str, name: str, way_out: str) -> None:
    """Raises `InputError` if the checksum is not the expected one."""
    if found != expected:
        raise InputError(f"{name} has sha256 {found}, but {expected} is expected. {way_out}")
