"""Whatever goes wrong while a bundle is loaded is a refusal of the bundle, in one sentence.

Files that somebody else wrote can fail in every way that Python and the libraries know, memory and
recursion included; a list of the exceptions would always lack one.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from churn.errors import BundleError, InputError, error_reason
from churn.scoring.address import reason


@contextmanager
def refusing(bundle: object) -> Iterator[None]:
    """Raises every error of the block as a `BundleError` about the bundle."""
    try:
        yield
    except BundleError:
        raise
    except Exception as error:  # noqa: BLE001 - see above
        said = error_reason(error) if isinstance(error, InputError) else reason(error)
        raise BundleError(
            f"The bundle {bundle} cannot be loaded: {said}. Restore it from where it was copied, or "
            "write it anew."
        ) from None
