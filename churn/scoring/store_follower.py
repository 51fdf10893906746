"""The production version of a bundle store, loaded, and loaded anew when another one is published.

The API, the stream worker and ZenML's deployment follow a store with this code.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from churn.errors import ChurnError
from churn.scoring.current import Published, bundle_folder, read_current, read_pointer
from churn.scoring.golden_replay import GoldenRow, read_golden
from churn.scoring.remote import local_copy
from churn.scoring.risk_bands import Bands
from churn.scoring.scorer import Scorer

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


def load_version(store: str, version: str | None = None) -> LoadedBundle:
    """Loads a version of a store.

    Args:
        store: a folder, or a URI for fsspec.
        version: None for the version in production.

    Raises:
        BundleError: there is no such bundle, or it cannot be used.
    """
    with local_copy(store if version is None else bundle_folder(store, version)) as folder:
        published = read_current(folder) if version is None else None
        bundle = published.folder(folder) if published else folder
        # A store is loaded by its pointer, whose digest of the manifest is compared with the bundle.
        scorer = Scorer.load(folder)
        return LoadedBundle(
            scorer, Bands.read(bundle, scorer.threshold), tuple(read_golden(bundle)), published
        )


class StoreFollower(Generic[Loaded]):
    """Watches the pointer of a store and loads what was published since the last check.

    Whoever uses it keeps the last good version and replaces it with what `check` returns.

    Attributes:
        refused: why the store's current bundle is not served; None if it is.
    """

    def __init__(
        self, store: str, load: Callable[[], Loaded], *, retry_seconds: float = math.inf
    ) -> None:
        """Remembers the pointer as it is now; create the follower before the first load.

        Args:
            store: a folder, or a URI for fsspec.
            load: loads what is in production; raises a `ChurnError` if it cannot be used.
            retry_seconds: after which time a refused bundle is loaded again, although the pointer
                is the same.
        """
        self.refused: str | None = None
        self._store = store
        self._load = load
        self._retry_seconds = retry_seconds
        self._pointer = read_pointer(store)
        self._tried_at = 0.0

    def check(self) -> Loaded | None:
        """Loads the current bundle if the pointer has changed.

        Returns:
            What was loaded; None if there is nothing new.

        Raises:
            ChurnError: the current bundle cannot be used; `refused` has the reason.
        """
        pointer = read_pointer(self._store)
        retry = self.refused is not None and time.monotonic() - self._tried_at > self._retry_seconds
        if pointer == self._pointer and not retry:
            return None
        self._pointer = pointer
        self._tried_at = time.monotonic()
        try:
            loaded = self._load()
        except ChurnError as error:
            self.refused = str(error)
            raise
        self.refused = None
        return loaded
