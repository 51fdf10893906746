"""A file on this machine: its size, or why it cannot be read."""

from __future__ import annotations

from pathlib import Path

from churn.data.intake.raw import LARGEST
from churn.errors import InputError


def existing_file(path: Path, name: str) -> int:
    """The size of a file that can be taken, in bytes.

    Args:
        path: Where it is.
        name: What a refusal calls it.

    Raises:
        InputError: there is none, it is no file, it cannot be read, or it is too large.
    """
    try:
        size = path.stat().st_size
    except (FileNotFoundError, NotADirectoryError):
        raise InputError(
            f"{name} does not exist. Name an existing file with --set data.source=PATH."
        ) from None
    except (OSError, ValueError) as error:
        raise InputError(f"{name} cannot be read: {reason(error)}. Name another file.") from None
    if not path.is_file():
        what = "a folder" if path.is_dir() else "not a regular file"
        raise InputError(f"{name} is {what}. Name a CSV or parquet file.")
    if size > LARGEST:
        raise InputError(f"{name} is larger than 2 GiB, and no table read here may be. Split it.")
    return size


def reason(error: Exception) -> str:
    """Why the system refused, in a few words."""
    if isinstance(error, FileExistsError | NotADirectoryError):
        return "a file stands where a folder must be"
    return (error.strerror if isinstance(error, OSError) else None) or str(error) or repr(error)
