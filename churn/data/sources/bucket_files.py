"""Files in buckets and wherever else fsspec reads; keys and endpoint come from the environment."""

from __future__ import annotations

import io
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from churn.data.sources.table_source import UnreachableTableError
from churn.errors import InputError, error_reason

_BLOCK = 8 << 20  # bytes that are fetched at once
_TAGS = ("ETag", "etag", "md5Hash")
_TIMES = ("LastModified", "last_modified", "mtime", "updated", "created")


@dataclass(frozen=True)
class BucketFile:
    """A file in a bucket."""

    system: Any
    place: str
    name: str
    partition: Mapping[str, str | None] = field(default_factory=dict)

    def open(self) -> Any:
        """The file for reading, at its beginning."""
        return _Opened(self)

    def size(self) -> int:
        """Its bytes."""
        return int(self._facts()["size"])

    def stamp(self) -> Hashable:
        """What changes when the file does."""
        facts = self._facts()
        return (facts["size"], *(str(facts.get(key)) for key in (*_TAGS, *_TIMES)))

    @property
    def stamp_is_content(self) -> bool:
        """Whether the bucket names the content."""
        return any(self._facts().get(tag) for tag in _TAGS)

    def _facts(self) -> Any:
        try:
            self.system.invalidate_cache()
            return self.system.info(self.place)
        except Exception as error:  # noqa: BLE001 - each file system of fsspec has its own
            raise unreadable(self.name, error) from None


class _Opened(io.RawIOBase):
    """An open file whose errors are sentences, whatever library reads it."""

    def __init__(self, file: BucketFile) -> None:
        self._name = file.name
        self._file = self._tried(file.system.open, file.place, "rb", block_size=_BLOCK)

    def readable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """It is."""
        return True

    def read(self, size: int | None = -1) -> bytes:
        """The next bytes."""
        content: bytes = self._tried(self._file.read, -1 if size is None else size)
        return content

    def seek(self, position: int, whence: int = 0) -> int:
        """Moves to a place."""
        return int(self._tried(self._file.seek, position, whence))

    def close(self) -> None:
        """Closes it."""
        if not self.closed:
            self._file.close()
        super().close()

    def _tried(self, act: Any, *args: Any, **options: Any) -> Any:
        try:
            return act(*args, **options)
        except Exception as error:  # noqa: BLE001 - each file system of fsspec has its own
            raise unreadable(self._name, error) from None


def bucket_entries(address: str, shown: str) -> tuple[Any, str, dict[str, int | None]]:
    """What lies at an address: its file system, the place there, and the files in a folder.

    Returns:
        The files' paths within the folder and their sizes; none where the place is a file itself.

    Raises:
        InputError: nothing is there, it cannot be reached, or the address holds keys.
    """
    if urlsplit(address).password is not None:
        raise InputError(
            f"{shown} has keys in its address, which would be stored and shown. Leave them out and "
            "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or what the store takes instead."
        )
    try:
        import fsspec  # type: ignore[import-untyped]

        system, place = fsspec.core.url_to_fs(address)
        system.invalidate_cache()
        if system.info(place)["type"] == "file":
            return system, place, {}
        found = system.find(place, detail=True)
    except Exception as error:  # noqa: BLE001 - each file system of fsspec has its own
        raise unreadable(shown, error) from None
    start = len(place.rstrip("/")) + 1
    return system, place, {path[start:]: facts["size"] for path, facts in found.items()}


def unreadable(name: str, error: Exception) -> UnreachableTableError:
    """The sentence for a place that cannot be read."""
    missing = isinstance(error, FileNotFoundError)
    why = "there is none" if missing else error_reason(error, longest=300)
    return UnreachableTableError(
        f"{name} cannot be read: {why}. Check the address, the keys in the environment and that "
        "fsspec's driver for it is installed."
    )
