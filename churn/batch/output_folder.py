"""The folder of an output, on this machine or in a bucket: every file in it is whole or absent."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Protocol

from churn.data.intake.address import public
from churn.durable import UNFINISHED, flush_folder
from churn.errors import ChurnError, InputError, error_reason
from churn.scoring.address import Address, address, file_system
from churn.scratch import scratch_folder

_LOCK = ".lock"


class OutputFolder(Protocol):
    """A folder that files are committed to one by one; names have slashes between folders."""

    @property
    def shown(self) -> str:
        """The folder in print."""

    def read(self, name: str) -> bytes | None:
        """A file's content; None where it is not there."""

    def new_file(self, name: str) -> Any:
        """A context with a path to write to; the file takes its name when the block ends well."""

    def names(self) -> list[str]:
        """Every file, sorted."""

    def remove(self, name: str) -> None:
        """Removes a file, if it is there."""

    def locked(self) -> Any:
        """A context in which no other process of this machine writes here."""


def output_folder(where: str | os.PathLike[str]) -> OutputFolder:
    """The folder of an address; nothing is made yet."""
    place: Address = address(where)
    return LocalFolder(place) if isinstance(place, Path) else BucketFolder(place)


def write_bytes(folder: OutputFolder, name: str, content: bytes) -> None:
    """Commits a small file."""
    with folder.new_file(name) as path:
        path.write_bytes(content)


class LocalFolder:
    """A folder of this machine: files are flushed to the disk and renamed."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.shown = str(path)

    def read(self, name: str) -> bytes | None:
        """A file's content; None where it is not there."""
        with suppress(FileNotFoundError, NotADirectoryError):
            return (self._path / name).read_bytes()
        return None

    @contextmanager
    def new_file(self, name: str) -> Iterator[Path]:
        """A path to write to; the file takes its name when the block ends well."""
        path = self._path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_name(f"{UNFINISHED}{path.name}")
        try:
            yield unfinished
            with unfinished.open("rb") as file:
                os.fsync(file.fileno())
            unfinished.replace(path)
            flush_folder(path.parent)
        finally:
            unfinished.unlink(missing_ok=True)

    def names(self) -> list[str]:
        """Every file but the lock, sorted."""
        if not self._path.is_dir():
            return []
        found = (each for each in self._path.rglob("*") if not each.is_dir())
        return sorted(str(each.relative_to(self._path)) for each in found if each.name != _LOCK)

    def remove(self, name: str) -> None:
        """Removes a file, and its folder where that is empty then."""
        path = self._path / name
        path.unlink(missing_ok=True)
        if path.parent != self._path:
            with suppress(OSError):
                path.parent.rmdir()

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keeps other processes of this machine out.

        Raises:
            InputError: the folder cannot be written to.
            ChurnError: another process is at work there.
        """
        try:
            self._path.mkdir(parents=True, exist_ok=True)
            handle = os.open(self._path / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise InputError(
                f"The output {self.shown} cannot be written to: {error.strerror}. Make it a folder "
                "you may write to, or name another with --set output=PATH."
            ) from None
        with os.fdopen(handle, "w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise ChurnError(
                    f"Another run is writing to {self.shown}. Wait until it is done, or name "
                    "another output."
                ) from None
            for name in self.names():  # left by a process that was killed
                if Path(name).name.startswith(UNFINISHED):
                    (self._path / name).unlink(missing_ok=True)
            try:
                yield
            finally:
                (self._path / _LOCK).unlink(missing_ok=True)
                with suppress(OSError):
                    self._path.rmdir()  # where nothing was written


class BucketFolder:
    """A folder beyond this machine that fsspec writes to: an object is put whole, or not at all."""

    def __init__(self, uri: str) -> None:
        self._uri = uri
        self.shown = public(uri)

    def read(self, name: str) -> bytes | None:
        """An object's content; None where it is not there."""
        with self._reported() as (system, root), suppress(FileNotFoundError):
            content: bytes = system.cat_file(f"{root}/{name}")
            return content
        return None

    @contextmanager
    def new_file(self, name: str) -> Iterator[Path]:
        """A path to write to; the object is put when the block ends well."""
        with scratch_folder("batch") as scratch:
            path = scratch / Path(name).name
            yield path
            with self._reported() as (system, root):
                system.put_file(str(path), f"{root}/{name}")

    def names(self) -> list[str]:
        """Every object, sorted."""
        with self._reported() as (system, root):
            return sorted(each.removeprefix(f"{root}/") for each in system.find(root))

    def remove(self, name: str) -> None:
        """Removes an object, if it is there."""
        with self._reported() as (system, root), suppress(FileNotFoundError):
            system.rm_file(f"{root}/{name}")

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Looks whether the bucket can be used; it has no locks, and equal jobs write equal objects.

        Raises:
            InputError: it cannot be used.
        """
        try:
            self.names()
        except ChurnError as error:
            raise InputError(str(error)) from None
        yield

    @contextmanager
    def _reported(self) -> Iterator[tuple[Any, str]]:
        try:
            system, root = file_system(self._uri)
            yield system, root.rstrip("/")
        except (FileNotFoundError, ChurnError):
            raise
        except Exception as error:  # noqa: BLE001 - each file system of fsspec has its own exceptions
            reason = error_reason(error, longest=300).replace(self._uri, self.shown)
            raise ChurnError(
                f"The output {self.shown} cannot be used: {reason}. Check the address and the "
                "credentials in the environment; the same command goes on where it stopped."
            ) from None
