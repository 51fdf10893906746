"""The production version of a bundle store, loaded, and loaded anew when another one is published.

The API, the stream worker and ZenML's deployment follow a store with this code.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from churn.errors import BundleError, ChurnError
from churn.scoring.address import reason
from churn.scoring.current import Published, bundle_folder, current_in, read_pointer
from churn.scoring.golden_replay import GoldenRow, read_golden
from churn.scoring.refusal import refusing
from churn.scoring.remote import local_copy
from churn.scoring.risk_bands import Bands
from churn.scoring.scorer import Scorer

RETRY_SECONDS = 5.0
"""After which time a refused bundle is tried again."""

Loaded = TypeVar("Loaded")


@dataclass(frozen=True)
class LoadedBundle:
    """A verified bundle and what is needed to answer with it.

    Attributes:
        scorer: scores customers.
        bands: name the risk band of a probability.
        golden: rows of the bundle with the scores that they must get.
        published: when and how it went into production; None if it was loaded by its version.
    """

    scorer: Scorer
    bands: Bands
    golden: tuple[GoldenRow, ...]
    published: Published | None


def load_version(
    store: str, which: Published | str, scratch: str | os.PathLike[str] | None = None
) -> LoadedBundle:
    """Loads a version of a store.

    Args:
        store: a folder, or a URI for fsspec.
        which: the version, or what the store's pointer says of it; whoever has read the pointer
            hands it on, as another version may be in production by now.
        scratch: folder for the copy of a remote bundle; None for the default.

    Raises:
        ChurnError: there is no such bundle, or it cannot be used.
    """
    published = which if isinstance(which, Published) else None
    version = published.version if published else str(which)
    digest = published.digest if published else None
    with local_copy(bundle_folder(store, version), scratch) as folder, refusing(folder):
        scorer = Scorer.load_version(folder, version, digest)
        bands = Bands.read(folder, scorer.threshold)
        return LoadedBundle(scorer, bands, read_golden(folder), published)


class StoreFollower(Generic[Loaded]):
    """Watches the pointer of a store and loads what was published since the last check.

    Whoever uses it keeps the last good version and replaces it with what `check` returns. A version
    that cannot be loaded, for whatever reason, is tried again until it can or the pointer changes.

    Attributes:
        refused: why the store's current bundle is not served; None if it is.
    """

    def __init__(self, store: str, load: Callable[[Published], Loaded]) -> None:
        """Reads nothing yet.

        Args:
            store: a folder, or a URI for fsspec.
            load: loads what the pointer says is in production; may raise anything.
        """
        self.refused: str | None = None
        self._store = store
        self._load = load
        self._tried: bytes | None = None
        """The pointer that was followed last, whether it could be loaded or not."""
        self._tried_at = 0.0
        self._served: bytes | None = None
        """The pointer of what was loaded last."""

    def load(self) -> Loaded:
        """Loads what is in production now.

        Raises:
            BundleError: it cannot be used; `refused` has the reason.
        """
        try:
            return self._load_current(read_pointer(self._store))
        except Exception as error:  # noqa: BLE001 - it must be tried again, whatever it was
            raise self._refusal(error) from None

    def check(self) -> Loaded | None:
        """Loads what is in production if that has changed, or was refused a while ago.

        Returns:
            What was loaded; None if there is nothing new.

        Raises:
            BundleError: it cannot be used; `refused` has the reason.
        """
        try:
            pointer = read_pointer(self._store)
            if pointer == self._served:
                self.refused = None
                return None
            since = time.monotonic() - self._tried_at
            if pointer == self._tried and since < RETRY_SECONDS:
                return None
            return self._load_current(pointer)
        except Exception as error:  # noqa: BLE001 - it must be tried again, whatever it was
            raise self._refusal(error) from None

    def refuse(self, error: Exception) -> BundleError:
        """Refuses what was loaded last, after all, and returns the reason; it is tried again."""
        self._served = None
        return self._refusal(error)

    def _load_current(self, pointer: bytes | None) -> Loaded:
        self._tried, self._tried_at = pointer, time.monotonic()
        loaded = self._load(current_in(pointer, self._store))
        self._served, self.refused = pointer, None
        return loaded

    def _refusal(self, error: Exception) -> BundleError:
        said = str(error)
        if not isinstance(error, ChurnError):
            said = f"What {self._store} has in production cannot be loaded: {reason(error)}."
        self.refused = said
        return BundleError(said)
