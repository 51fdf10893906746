"""The store that promotion publishes to: puts a version into production there, and takes it back."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from churn.errors import ChurnError, InputError, NoVersionBeforeError
from churn.ledger.changes import ChangeLedger, ProductionChange
from churn.scoring.address import Address
from churn.scoring.bundle import publish, roll_back
from registry.mlflow_alias import mlflow_client
from registry.production import Production
from registry.versions import find_version


class SharedStore:
    """The store, for the deployment of one version."""

    def __init__(self, store: Address, ledger: str, model: str, version: str) -> None:
        """Changes nothing; `ledger` is its SQLAlchemy URL."""
        self.store = store
        self.model = model
        self.version = version
        self._ledger = ledger

    @property
    def serving(self) -> str | None:
        """Version in production; None where there is none."""
        with self._production() as production:
            return production.serving

    def planned_publish(self) -> str:
        """Returns what `publish` would do, as a sentence."""
        if self.serving == self.version:
            return f"Version {self.version} is published in {self.store} already."
        return f"Publish version {self.version} in {self.store}."

    def publish(self) -> str:
        """Verifies the version's bundle, and publishes it where nothing is in production.

        Raises:
            BundleError: the bundle cannot be served; nothing changed.
            ChurnError: another version went into production in the meantime; nothing changed.
        """
        with self._production() as production, production.settled():
            serving = production.serving
            if serving not in (None, self.version):
                raise ChurnError(
                    f"Version {serving} went into production while version {self.version} was "
                    "being deployed; nothing changed. Run the deployment again."
                )
            if serving == self.version:
                publish(self.store, self.version)  # verifies it again, and changes nothing
                return (
                    f"Version {self.version} was published in {self.store} already; "
                    "its golden rows replay."
                )
            reason = "it was not published in the store"
            self._change(production, self.version, None, reason, self._publish)
        return f"Published version {self.version} in {self.store}."

    def roll_back(self, *, smoke_failed: bool) -> str | None:
        """Puts the version before back if this one answered wrongly.

        Returns:
            The version in production then; None if there was none before, so that this one stays.

        Raises:
            ChurnError: it could not be put back, as one whose bundle is not fit to be served.
        """
        with self._production() as production, production.settled():
            serving = production.serving
            if serving != self.version or not smoke_failed:
                return serving
            try:
                target = roll_back(self.store, dry_run=True).version
            except NoVersionBeforeError:
                return None
            reason = f"version {serving} answered wrongly"
            self._change(production, target, serving, reason, self._back)
            return target

    def _change(
        self,
        production: Production,
        name: str,
        before: str | None,
        reason: str,
        move: Callable[[], object],
    ) -> None:
        version = find_version(self.model, name)
        if version is None:
            raise InputError(f"Version {name} of '{self.model}' is gone; nothing changed.")
        plan = ProductionChange(
            model=self.model,
            version=name,
            version_before=before,
            stage_before=version.stage,
            command="deployment",
            reason=reason,
        )
        production.change(version, plan, move)

    def _publish(self) -> None:
        publish(self.store, self.version)

    def _back(self) -> None:
        roll_back(self.store)

    @contextmanager
    def _production(self) -> Iterator[Production]:
        with ChangeLedger(self._ledger) as ledger:
            yield Production(self.model, store=self.store, ledger=ledger, mlflow=mlflow_client())
