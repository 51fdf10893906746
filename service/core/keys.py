"""API keys: shown once, stored as digests only, valid while their digest is listed.

A key is 256 random bits, so a plain SHA-256 protects it: nobody can try them all, and a slow hash, made
for passwords, would cost every request a millisecond or more.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Sequence
from pathlib import Path

from churn.errors import InputError
from churn.plain_files import read_plain

_MARK = "churn_"
_MOST_BYTES = 2**20
_LINE = re.compile(r"([0-9a-f]{64})(\s+\S.*)?")


class Keyring:
    """Digests of the valid keys.

    Attributes:
        required: whether a key is needed at all.
    """

    def __init__(self, digests: Sequence[str] = (), file: str | None = None) -> None:
        """Takes SHA-256 digests in hexadecimal, and reads more from a text file, one a line.

        Raises:
            InputError: the file cannot be read, holds something else, or lists no key.
        """
        self._fixed = tuple(bytes.fromhex(digest) for digest in digests)
        self._file = Path(file) if file is not None else None
        self._file_state: tuple[int, int, int] | None = None
        self._listed: tuple[bytes, ...] = ()
        self._valid: frozenset[bytes] = frozenset()
        self.required = bool(self._fixed) or self._file is not None
        self.reload_if_changed()
        if self._file is not None and not self._listed:
            raise InputError(
                f"The key file {self._file} lists no key. Run `python -m service.keys new` and add "
                "the digest it prints."
            )

    def reload_if_changed(self) -> bool:
        """Reads the file again if it has changed, and returns whether it has.

        Raises:
            InputError: it cannot be read, or holds something else; the keys stay unchanged.
        """
        if self._file is None:
            return False
        try:
            stat = self._file.stat()
            state = (stat.st_mtime_ns, stat.st_size, stat.st_ino)
            if state == self._file_state:
                return False
            listed = _digests(self._file)
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(
                f"The key file {self._file} cannot be read: "
                f"{getattr(error, 'strerror', None) or error}. Name a readable text file in "
                "CHURN_API_KEY_FILE."
            ) from None
        self._file_state, self._listed = state, listed
        self._valid = frozenset()  # keys that were valid are checked again
        return True

    def is_valid(self, key: bytes) -> bool:
        """Returns whether a key's digest is listed, in the same time for every key.

        Valid keys are remembered, at most as many as are listed, until the list changes. Nobody can
        measure whether a key is remembered: the hash of the set is secret to this process.
        """
        if key in self._valid:
            return True
        digest = hashlib.sha256(key).digest()
        valid = False
        for known in (*self._fixed, *self._listed):
            valid |= hmac.compare_digest(digest, known)
        if valid:
            self._valid |= {key}
        return valid


def new_key() -> tuple[str, str]:
    """Returns a new key, and the digest to store."""
    key = _MARK + secrets.token_urlsafe(32)
    return key, hashlib.sha256(key.encode()).hexdigest()


def _digests(file: Path) -> tuple[bytes, ...]:
    digests = []
    content = read_plain(file, _MOST_BYTES).decode("utf-8")
    for number, text in enumerate(content.splitlines(), start=1):
        line = text.partition("#")[0].strip()
        if not line:
            continue
        match = _LINE.fullmatch(line)
        if match is None:
            raise InputError(
                f"The key file {file} line {number} is no digest of 64 hexadecimal digits and a "
                "name. Put there what `python -m service.keys new` prints as digest."
            )
        digests.append(bytes.fromhex(match[1]))
    return tuple(digests)
