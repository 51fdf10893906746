"""API keys: made once, kept as digests only, let in while their digest is listed.

    python -m service.keys new [NAME]

A key is 256 random bits, so a plain SHA-256 keeps it: nobody can try them all, and a slow hash, made
for passwords, would cost every request a millisecond and more.
"""

from __future__ import annotations

import argparse
import hashlib
import hmac
import re
import secrets
import sys
from collections.abc import Sequence
from pathlib import Path

from churn.errors import InputError

_MARK = "churn_"
_LINE = re.compile(r"([0-9a-f]{64})(\s+\S.*)?")


class Keyring:
    """The digests of the keys that are let in.

    Attributes:
        required: whether a key is needed at all.
    """

    def __init__(self, digests: Sequence[str] = (), file: str | None = None) -> None:
        """Takes digests, and a file of more.

        Raises:
            InputError: the file cannot be read, holds something else, or there is no key at all.
        """
        self._fixed = tuple(bytes.fromhex(digest) for digest in digests)
        self._file = Path(file) if file is not None else None
        self._seen: tuple[int, int, int] | None = None
        self._listed: tuple[bytes, ...] = ()
        self._admitted: frozenset[bytes] = frozenset()
        self.required = bool(self._fixed) or self._file is not None
        self.reread()
        if self.required and not self._fixed and not self._listed:
            raise InputError(
                f"The key file {self._file} lists no key. Run `python -m service.keys new` and add "
                "the digest it prints."
            )

    def reread(self) -> bool:
        """Reads the file again where it has changed; True where it has.

        Raises:
            InputError: it cannot be read, or holds something else; the keys stay as they were.
        """
        if self._file is None:
            return False
        try:
            facts = self._file.stat()
            seen = (facts.st_mtime_ns, facts.st_size, facts.st_ino)
            if seen == self._seen:
                return False
            listed = _digests(self._file)
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(
                f"The key file {self._file} cannot be read: "
                f"{getattr(error, 'strerror', None) or error}. Name a readable text file in "
                "CHURN_API_KEY_FILE."
            ) from None
        self._seen, self._listed = seen, listed
        self._admitted = frozenset()  # whoever was let in is looked at again
        return True

    def lets_in(self, key: bytes) -> bool:
        """Whether a key's digest is listed; takes as long whichever it is.

        Keys that were let in are remembered, at most as many as are listed, until the list changes.
        Whether a key is among them shows in no time that can be measured: the set's own hash is
        secret to this process.
        """
        if key in self._admitted:
            return True
        digest = hashlib.sha256(key).digest()
        found = False
        for known in (*self._fixed, *self._listed):
            found |= hmac.compare_digest(digest, known)
        if found:
            self._admitted |= {key}
        return found


def new_key() -> tuple[str, str]:
    """A key, and the digest to keep."""
    key = _MARK + secrets.token_urlsafe(32)
    return key, hashlib.sha256(key.encode()).hexdigest()


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints a new key once, and its digest."""
    parser = argparse.ArgumentParser(prog="python -m service.keys", description=__doc__)
    parser.add_argument("action", choices=["new"], help="make a key")
    parser.add_argument("name", nargs="?", default="", help="whose it is, for the file's reader")
    asked = parser.parse_args(arguments)
    key, digest = new_key()
    sys.stdout.write(f"key     {key}\ndigest  {f'{digest} {asked.name}'.strip()}\n")
    sys.stderr.write(
        "The key is shown this once: hand it to the caller. Put the digest on a line of its own in "
        "the file named by CHURN_API_KEY_FILE, or into CHURN_API_KEYS.\n"
    )
    return 0


def _digests(file: Path) -> tuple[bytes, ...]:
    found = []
    for number, text in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1):
        line = text.partition("#")[0].strip()
        if not line:
            continue
        match = _LINE.fullmatch(line)
        if match is None:
            raise InputError(
                f"The key file {file} line {number} is no digest of 64 hexadecimal digits and a "
                "name. Put there what `python -m service.keys new` prints as digest."
            )
        found.append(bytes.fromhex(match[1]))
    return tuple(found)


if __name__ == "__main__":
    sys.exit(main())
