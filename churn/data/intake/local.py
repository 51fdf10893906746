"""A file on this machine: whether it can be read, or why not."""

from __future__ import annotations

from pathlib import Path

from churn.data.intake.raw import LARGEST
from churn.errors import InputError


def require_file(path: Path, name: str) -> None:
    """Raises `InputError` if there is no such file, or it cannot be read or is too large.

    Args:
        path: Where it is.
        name: What the error calls it.
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


def reason(error: Exception) -> str:
    """Why the system refused, in a few words."""
    if isinstance(error, FileExistsError | NotADirectoryError):
        return "a file stands where a folder must be"
    return (error.strerror if isinstance(error, OSError) else None) or str(error) or repr(error)
