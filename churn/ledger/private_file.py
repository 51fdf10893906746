"""A database's file that no other user may read."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path
from threading import Lock

from churn.errors import InputError

_OWNER_ONLY = 0o600
_FOLDER_OWNER_ONLY = 0o700
# To close a file gives up this process's locks on it, those of SQLite too, and another process that
# closes the database would then delete the log that is still written to. So a file that exists is
# never opened here, and none is opened by SQLite before it was closed here.
_MAKING = Lock()


def make_private(file: Path) -> None:
    """Makes a database's file and its folder where they are missing, and shuts other users out.

    Neither the umask nor the mode of an existing file changes that. SQLite gives the files that it
    writes beside it the same mode.

    Raises:
        OSError: it cannot be made.
        InputError: it is another user's and open to others.
    """
    for folder in reversed(file.parents):
        if not folder.exists():
            with suppress(FileExistsError):  # made by another process in between
                folder.mkdir()
                folder.chmod(_FOLDER_OWNER_ONLY)
    with _MAKING:
        if not file.exists():
            with suppress(FileExistsError):
                os.close(os.open(file, os.O_CREAT | os.O_EXCL, _OWNER_ONLY))
    for each in sqlite_files(file):
        with suppress(FileNotFoundError):
            if stat.S_IMODE(each.stat().st_mode) != _OWNER_ONLY:
                _restrict(each)


def sqlite_files(file: Path) -> tuple[Path, ...]:
    """Returns the files of an SQLite database; the first is the database itself."""
    return file, file.with_name(f"{file.name}-wal"), file.with_name(f"{file.name}-shm")


def _restrict(file: Path) -> None:
    try:
        file.chmod(_OWNER_ONLY)
    except PermissionError:
        raise InputError(
            f"The database file {file} is open to other users and belongs to one of them. Let its "
            f"owner run `chmod 600 {file}`, or name another address."
        ) from None
