"""What a store has beside the version in production: a shadow, or a canary with its share.

One file, replaced atomically; whoever follows the store loads what it names. Without the file there
is neither.
"""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, ValidationError

from churn.durable import replace_text
from churn.errors import BundleError, error_reason
from churn.frozen_model import FrozenModel, first_fault
from churn.plain_files import DOCUMENT_BYTES, read_plain
from churn.scoring.address import Address, address, file_system, read_file, unwritable
from churn.scoring.manifest import VERSION_PATTERN

BESIDE = "beside.json"


class Beside(FrozenModel):
    """Versions beside the one in production.

    Attributes:
        shadow: scores every customer and answers none; None for none.
        canary: answers a share of the customers; None for none.
        percent: that share.
    """

    shadow: str | None = Field(default=None, pattern=VERSION_PATTERN)
    canary: str | None = Field(default=None, pattern=VERSION_PATTERN)
    percent: float = Field(default=0.0, ge=0, le=100)


def read_beside(store: Address) -> Beside:
    """What the store names.

    Raises:
        BundleError: the file is there and cannot be read.
    """
    place = address(store)
    try:
        if isinstance(place, str):
            content = read_file(f"{place}/{BESIDE}", DOCUMENT_BYTES)
        else:
            content = read_plain(place / BESIDE, DOCUMENT_BYTES)
        return Beside() if content is None else Beside.model_validate_json(content)
    except (FileNotFoundError, NotADirectoryError):
        return Beside()
    except ValidationError as error:
        reason = first_fault(error)
    except (OSError, ValueError) as error:
        reason = error_reason(error)
    raise BundleError(f"The store {store} has a {BESIDE} that cannot be read: {reason}. Remove it.")


def write_beside(store: Address, beside: Beside) -> None:
    """Names what is beside the version in production from now on.

    Raises:
        BundleError: the store cannot be written to.
    """
    place = address(store)
    try:
        if isinstance(place, Path):
            replace_text(place / BESIDE, beside.model_dump_json() + "\n")
        else:
            system, root = file_system(place)
            system.pipe_file(f"{root}/{BESIDE}", beside.model_dump_json().encode())
    except Exception as error:  # noqa: BLE001 - each file system of fsspec has its own exceptions
        raise unwritable(f"The store {store}", error) from None
