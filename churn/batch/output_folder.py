"""The folder of an output, on this machine or in a bucket: every file in it is whole or absent."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, Protocol

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

    def write_first(self, name: str, content: bytes) -> None:
        """Commits a small file that another run may not have committed meanwhile."""

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
        with unfinished.open("wb") as file:
            fcntl.flock(file, fcntl.LOCK_EX)  # says that its writer lives
            try:
                yield unfinished
                os.fsync(file.fileno())
                unfinished.replace(path)
                flush_folder(path.parent)
            finally:
                unfinished.unlink(missing_ok=True)

    def write_first(self, name: str, content: bytes) -> None:
        """Commits a small file; the lock keeps other runs out."""
        write_bytes(self, name, content)

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
        made = [each for each in (self._path, *self._path.parents) if not each.exists()]
        with self._lock():
            for name in self.names():
                if Path(name).name.startswith(UNFINISHED):
                    _remove_if_left(self._path / name)
            try:
                yield
            finally:
                (self._path / _LOCK).unlink(missing_ok=True)
                with suppress(OSError):  # they stay where something was written
                    for each in made:
                        each.rmdir()

    def _lock(self) -> IO[str]:
        path = self._path / _LOCK
        try:
            self._path.mkdir(parents=True, exist_ok=True)
            lock = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "w")
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if path.exists() and os.path.samestat(os.fstat(lock.fileno()), path.stat()):
                return lock  # and not one that its holder has removed by now
        except BlockingIOError:
            pass
        except OSError as error:
            raise InputError(
                f"The output {self.shown} cannot be written to: {error.strerror}. Make it a folder "
                "you may write to, or name another with --set output=PATH."
            ) from None
        raise _at_work(self.shown)


def _at_work(shown: str) -> ChurnError:
    return ChurnError(
        f"Another run is writing to {shown}. Wait until it is done, or name another output."
    )


def _remove_if_left(unfinished: Path) -> None:
    """Removes what a process that was killed has left; one that lives holds its lock."""
    with suppress(OSError), unfinished.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        unfinished.unlink()


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

    def write_first(self, name: str, content: bytes) -> None:
        """Puts a small object that is not there yet.

        Raises:
            ChurnError: another run has put it meanwhile.
        """
        with self._reported() as (system, root):
            try:
                system.pipe_file(f"{root}/{name}", content, mode="create")
            except OSError:  # which one depends on the bucket
                found = self.read(name)
                if found is None:
                    raise
                # Perhaps our own: the driver repeats a request whose response got lost.
                if found != content:
                    raise _at_work(self.shown) from None

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
        """Looks whether the bucket can be used.

        It has no locks. Of two runs that begin at once with different jobs, only one can put its
        own; one that comes later, or has the same, writes the same.

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
