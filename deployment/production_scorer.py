"""What a deployed pipeline holds between its calls: the production scorer, loaded once.

It looks at the store's pointer at most once a second, so that a promotion or a rollback reaches
it without a restart; a bundle that is not fit to be served leaves the last good one answering.
"""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass
from typing import Any

from churn.errors import BundleError
from churn.scoring import Published, Scorer, bundle_folder
from churn.scoring.address import address
from churn.scoring.bands import Bands
from churn.scoring.current import read_current
from churn.scoring.encoder import Row
from churn.scoring.remote import local_copy

LOOK_SECONDS = 1.0

_LOG = logging.getLogger("churn.inference")


@dataclass(frozen=True)
class _Loaded:
    scorer: Scorer
    bands: Bands
    published: Published


class ProductionScorer:
    """Scores with what a store has in production; any number of threads can share it."""

    def __init__(self, store: str) -> None:
        """Loads the bundle that is in production.

        Args:
            store: The bundle store, a folder or what fsspec reads.

        Raises:
            BundleError: nothing is in production, or it is not fit to be served.
        """
        self._store = store
        self._place = address(store)
        self._lock = threading.Lock()
        self._looked = time.monotonic()
        self._seen = read_current(self._place)
        self._loaded = _load(store)

    @property
    def version(self) -> str:
        """Of the model that answers."""
        return self._loaded.scorer.version

    def answer(self, row: Row) -> dict[str, Any]:
        """One customer's probability, decision, risk band and model version.

        Raises:
            FieldError: the contract does not allow the customer.
        """
        self._follow()
        loaded = self._loaded
        score = loaded.scorer.score_one(row)
        return {
            "probability": score.probability,
            "decision": score.decision,
            "risk_band": loaded.bands(score.probability),
            "model_version": score.version,
        }

    def _follow(self) -> None:
        """Takes over what was published meanwhile; one thread looks, the others go on."""
        if time.monotonic() - self._looked < LOOK_SECONDS or not self._lock.acquire(blocking=False):
            return
        try:
            published = read_current(self._place)
            if published != self._seen:
                self._seen = published  # refused once is refused: no second look at the same
                self._loaded = _load(self._store)
        except BundleError as error:
            _LOG.warning("version %s goes on answering: %s", self._loaded.scorer.version, error)
        finally:
            self._looked = time.monotonic()
            self._lock.release()


def _load(store: str) -> _Loaded:
    with local_copy(store) as folder:
        published = read_current(folder)
        scorer = Scorer.load(folder)
        return _Loaded(
            scorer,
            Bands.read(bundle_folder(folder, published.version), scorer.threshold),
            published,
        )
