"""Checks that a folder can be written to, before anything is started that would write there."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from churn.errors import InputError, error_reason

_BLOCK = 4096  # a full disk still takes an empty file


def require_writable(folder: Path, remedy: str) -> None:
    """Checks that a folder takes a file, or the nearest folder above it that exists.

    Nothing is created. `remedy` ends the error's sentence.

    Raises:
        InputError: no file can be written there.
    """
    place = folder
    while not os.path.lexists(place) and place != place.parent:
        place = place.parent
    try:
        with tempfile.TemporaryFile(dir=place) as file:
            file.write(bytes(_BLOCK))
            file.flush()
    except OSError as error:
        reason = error.strerror or error_reason(error)
        raise InputError(
            f"The folder {folder} cannot be written to ({reason}); {remedy}."
        ) from None
