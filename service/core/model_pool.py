"""Who answers: the version in production, a canary for some, a shadow for the ledger; swapped live."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any
from zlib import crc32

from churn.errors import BundleError, ChurnError
from service.core.environment_settings import StoreSettings
from service.core.loaded_model import LoadedModel, load_model, pointer
from service.core.log import log
from service.core.worker_metrics import RequestMetrics

_RETRY_SECONDS = 5.0
_SHARES = 10_000


class ModelPool:
    """The versions that this worker holds, and the watch over the store.

    Attributes:
        production: answers; replaced as a whole by a newer one.
        canary: answers its share of the customers; None where there is none.
        shadow: scores beside, for the ledger; None where there is none.
        id_field: name of the customer's id.
        refused: why the store's current bundle is not served; None where it is.
    """

    def __init__(
        self, settings: StoreSettings, metrics_folder: Path, metrics: RequestMetrics
    ) -> None:
        """Loads what the store has in production, and canary and shadow where they are set.

        Raises:
            BundleError: one of them is not there or not fit to be served.
        """
        self._settings = settings
        self._tallies = metrics_folder
        self._tally = metrics
        self._turn = 0
        self._seen = pointer(settings.store)
        self._tried_at = 0.0
        self.refused: str | None = None
        self.production = self._load()
        self.id_field = self.production.contract.id.name
        self.canary = self._beside(settings.canary_version, "canary")
        self.shadow = self._beside(settings.shadow_version, "shadow")
        self._share = round(settings.canary_percent * _SHARES / 100)

    def choose(self, key: str) -> LoadedModel:
        """Who answers for this customer: the same one as long as the settings stay.

        Args:
            key: the customer's id, or the prediction's where there is none.
        """
        if (
            self.canary is not None
            and crc32(key.encode("utf-8", "replace")) % _SHARES < self._share
        ):
            return self.canary
        return self.production

    def roles(self) -> dict[str, Any]:
        """Which version does what."""
        found: dict[str, Any] = {"production": self.production.version}
        if self.canary is not None:
            percent = self._settings.canary_percent
            found["canary"] = {"version": self.canary.version, "percent": percent}
        if self.shadow is not None:
            found["shadow"] = {"version": self.shadow.version}
        return found

    async def watch(self) -> None:
        """Looks at the store for ever, and swaps in what was published there."""
        while True:
            await asyncio.sleep(self._settings.poll_seconds)
            try:
                await self.look()
            except Exception as error:  # noqa: BLE001 - a watch that ends would end all swaps
                log("error", "watch_failed", reason=f"{type(error).__name__}: {error}")

    async def look(self) -> None:
        """Looks once: where the pointer changed, the new bundle is loaded beside and swapped in."""
        if "://" in self._settings.store:
            found = await asyncio.to_thread(pointer, self._settings.store)
        else:
            found = pointer(self._settings.store)
        again = self.refused is not None and time.monotonic() - self._tried_at > _RETRY_SECONDS
        if found == self._seen and not again:
            return
        self._seen = found
        self._tried_at = time.monotonic()
        try:
            fresh = await asyncio.to_thread(self._load)
            self._require_same_contract(fresh)
        except ChurnError as error:
            if self.refused != str(error):
                log("error", "bundle_refused", reason=str(error), serving=self.production.version)
                self._tally.add("bundle_refusals")
            self.refused = str(error)
            self._tally.put("bundle_refused", 1)
            return
        before, self.refused = self.production, None
        self._tally.put("bundle_refused", 0)
        fresh.warm()  # on this thread, which is the one that answers
        self.production = fresh
        self._tally.add("bundle_swaps")
        log("info", "bundle_swapped", version=fresh.version, before=before.version)

    def _load(self) -> LoadedModel:
        self._turn += 1
        return load_model(self._settings.store, self._tallies, self._turn)

    def _beside(self, version: str | None, role: Any) -> LoadedModel | None:
        if version is None:
            return None
        self._turn += 1
        served = load_model(
            self._settings.store, self._tallies, self._turn, version=version, role=role
        )
        self._require_same_contract(served)
        return served

    def _require_same_contract(self, fresh: LoadedModel) -> None:
        if fresh.contract.digest() != self.production.contract.digest():
            raise BundleError(
                f"Version {fresh.version} has another data contract than {self.production.version}, "
                "which callers rely on. Restart the service to serve it."
            )
