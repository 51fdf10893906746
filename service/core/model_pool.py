"""Versions that answer: production, a canary for some customers, a shadow for the ledger."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any
from zlib import crc32

from churn.errors import BundleError
from churn.ledger.predictions import Role
from churn.scoring import store_follower
from churn.scoring.beside import BESIDE, Beside, read_beside
from churn.scoring.current import Published
from churn.scoring.store_follower import StoreFollower
from service.core.background_thread import BackgroundThread
from service.core.environment_settings import StoreSettings
from service.core.loaded_model import LoadedModel, load_model
from service.core.log import log
from service.core.worker_metrics import RequestMetrics

_SHARES = 10_000


class ModelPool:
    """The versions that a process has loaded; production is swapped when another is published.

    Attributes:
        production: answers; replaced as a whole by a newer version.
        canary: answers its share of the customers; None if there is none.
        shadow: scores every customer for the ledger alone; None if there is none.
        id_field: name of the customer's id.
    """

    def __init__(
        self, settings: StoreSettings, metrics_folder: Path, metrics: RequestMetrics
    ) -> None:
        """Loads the store's production version, and canary and shadow if they are set.

        Raises:
            BundleError: one of them is missing or cannot be used.
        """
        self._settings = settings
        self._metrics_folder = metrics_folder
        self._metrics = metrics
        self._loads = 0
        self._first: LoadedModel | None = None
        """What was loaded first: callers rely on its data contract."""
        self._follower = StoreFollower(settings.store, self._load)
        self._loader = BackgroundThread("bundle-loader", limit=1)
        self.production = self._first = self._follower.load()
        self.production.metrics.set_serving(serving=True)
        self.id_field = self.production.contract.id.name
        self.canary: LoadedModel | None = None
        self.shadow: LoadedModel | None = None
        fixed = Beside(
            shadow=settings.shadow_version,
            canary=settings.canary_version,
            percent=settings.canary_percent,
        )
        self._follows_beside = fixed == Beside()
        self._beside, self._beside_tried, self._beside_tried_at = Beside(), Beside(), 0.0
        self._share = 0
        if not self._follows_beside:
            self._put_beside(fixed, *self._load_beside(fixed))

    @property
    def refused(self) -> str | None:
        """Why the store's current bundle is not served; None if it is."""
        return self._follower.refused

    def choose(self, key: str) -> LoadedModel:
        """Returns the version for a customer's id: always the same one under the same settings."""
        part = crc32(key.encode("utf-8", "replace")) % _SHARES
        return self.canary if self.canary is not None and part < self._share else self.production

    def roles(self) -> dict[str, Any]:
        """Returns which version has which role."""
        roles: dict[str, Any] = {"production": self.production.version}
        if self.canary is not None:
            percent = self._beside.percent
            roles["canary"] = {"version": self.canary.version, "percent": percent}
        if self.shadow is not None:
            roles["shadow"] = {"version": self.shadow.version}
        return roles

    def readiness(self, reasons: dict[str, str]) -> dict[str, Any]:
        """Returns the answer of /readyz, given why there should be no requests."""
        return {
            "ready": not reasons,
            "reasons": reasons,
            "versions": self.roles(),
            "refused_bundle": self.refused,
        }

    async def follow_store(self) -> None:
        """Checks the store forever, and swaps in what was published there."""
        while True:
            await asyncio.sleep(self._settings.poll_seconds)
            try:
                await self._check_store()
                await self._check_beside()
            except Exception as error:  # noqa: BLE001 - if it ended, no version would be swapped in
                log("error", "watch_failed", reason=f"{type(error).__name__}: {error}")

    async def _check_store(self) -> None:
        refused_before = self.refused
        try:
            fresh = await self._loader.run(self._follower.check)
            if fresh is not None:
                self._warm(fresh)
        except BundleError as error:
            if refused_before != str(error):
                log("error", "bundle_refused", reason=str(error), serving=self.production.version)
                self._metrics.increment("bundle_refusals")
            fresh = None
        self._metrics.set_gauge("bundle_refused", float(self.refused is not None))
        if fresh is None:
            return
        before, self.production = self.production, fresh
        before.metrics.set_serving(serving=False)
        fresh.metrics.set_serving(serving=True)
        self._metrics.increment("bundle_swaps")
        log("info", "bundle_swapped", version=fresh.version, before=before.version)

    async def _check_beside(self) -> None:
        """Loads the shadow and the canary that the store names; production answers whatever fails."""
        if not self._follows_beside:
            return
        try:
            named = await self._loader.run(lambda: read_beside(self._settings.store))
            since = time.monotonic() - self._beside_tried_at
            if named == self._beside or (
                named == self._beside_tried and since < store_follower.RETRY_SECONDS
            ):
                return
            self._beside_tried, self._beside_tried_at = named, time.monotonic()
            loaded = await self._loader.run(lambda: self._load_beside(named))
        except BundleError as error:
            log("error", "beside_refused", reason=str(error), serving=self.production.version)
            return
        self._put_beside(named, *loaded)
        log("info", "beside_changed", **named.model_dump(exclude_none=True))

    def _load_beside(self, named: Beside) -> tuple[LoadedModel | None, LoadedModel | None]:
        """Loads what is named; what is loaded already is kept."""
        shadow = self._kept_or_loaded(named.shadow, "shadow", self.shadow)
        try:
            return shadow, self._kept_or_loaded(named.canary, "canary", self.canary)
        except Exception:
            self._forget_fresh(shadow)
            raise

    def _kept_or_loaded(
        self, version: str | None, role: Role, now: LoadedModel | None
    ) -> LoadedModel | None:
        if version is None or (now is not None and now.version == version):
            return now if version is not None else None
        try:
            return self._load(version, role)
        except BundleError as error:
            named = BESIDE if self._follows_beside else f"CHURN_{role.upper()}_VERSION"
            raise BundleError(
                f"{named} names version {version} as {role}, which cannot be used: {error}"
            ) from None

    def _put_beside(
        self, named: Beside, shadow: LoadedModel | None, canary: LoadedModel | None
    ) -> None:
        if canary is not None and canary is not self.canary:
            try:
                canary.warm()  # on the thread that answers
            except Exception:
                self._forget_fresh(shadow, canary)
                raise
        for before, now in ((self.shadow, shadow), (self.canary, canary)):
            if before is not None and before is not now:
                before.metrics.set_serving(serving=False)
            if now is not None:
                now.metrics.set_serving(serving=True)
        self.shadow, self.canary, self._beside = shadow, canary, named
        self._share = round(named.percent * _SHARES / 100)

    def _forget_fresh(self, *loaded: LoadedModel | None) -> None:
        """Removes the metrics of what was loaded and will not serve; it is loaded anew next time."""
        for model in loaded:
            if model is not None and model is not self.shadow and model is not self.canary:
                model.metrics.remove()

    def _warm(self, fresh: LoadedModel) -> None:
        """Warms a version on this thread, which is the one that answers.

        Raises:
            BundleError: it cannot score here.
        """
        try:
            fresh.warm()
        except Exception as error:  # noqa: BLE001 - it must be tried again, whatever it was
            fresh.metrics.remove()
            raise self._follower.refuse(error) from None

    def _load(self, which: Published | str, role: Role = "production") -> LoadedModel:
        """Loads a version with the same data contract as the first one."""
        self._loads += 1
        return load_model(
            self._settings, self._metrics_folder, self._loads,
            which=which, role=role, serving=self._first,
        )  # fmt: skip
