"""Production scorer of a deployed pipeline: loaded once, kept between calls, replaced on promotion.

It checks the store's pointer at most once a second, so that a promotion or a rollback takes effect
without a restart. If the new bundle cannot be used, the last good one goes on answering.
"""

import logging
import threading
import time
from functools import partial
from typing import Any

from churn.errors import BundleError
from churn.scoring.encoder import Row
from churn.scoring.store_follower import StoreFollower, load_version

CHECK_SECONDS = 1.0

_LOG = logging.getLogger("churn.inference")


class ProductionScorer:
    """Scores with what a store has in production; any number of threads can share it."""

    def __init__(self, store: str) -> None:
        """Loads what is in production in a bundle store, a folder or a URI for fsspec.

        Raises:
            BundleError: nothing is in production, or it cannot be used.
        """
        self._lock = threading.Lock()
        self._checked_at = time.monotonic()
        self._follower = StoreFollower(store, partial(load_version, store))
        self._loaded = self._follower.load()

    @property
    def version(self) -> str:
        """Version of the model that answers."""
        return self._loaded.scorer.version

    def answer(self, row: Row) -> dict[str, Any]:
        """Returns one customer's probability, decision, risk band and model version.

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
        """Replaces the scorer if a version was published; one thread checks, the others go on."""
        since = time.monotonic() - self._checked_at
        if since < CHECK_SECONDS or not self._lock.acquire(blocking=False):
            return
        refused_before = self._follower.refused
        try:
            self._loaded = self._follower.check() or self._loaded
        except BundleError as error:
            if refused_before != str(error):
                _LOG.warning("version %s goes on answering: %s", self.version, error)
        finally:
            self._checked_at = time.monotonic()
            self._lock.release()


def load_scorer(store: str) -> ProductionScorer:
    """Init hook of a deployed scoring pipeline: every call gets the scorer as the pipeline's state.

    Raises:
        BundleError: nothing is in production there, or its bundle cannot be served.
    """
    return ProductionScorer(store)
