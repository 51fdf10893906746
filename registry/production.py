"""The version in production, which four places name: stage, MLflow's alias, the store, the ledger.

Every change is recorded as intended before its first write, and as done after its last. So whatever
breaks it off, the next command can tell how far it got, and finishes or undoes it.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC
from typing import Any

from zenml.enums import ModelStages
from zenml.models import ModelVersionResponse

from churn.errors import ChurnError, error_reason
from churn.ledger.changes import ChangeLedger, ProductionChange
from churn.scoring.address import Address
from churn.scoring.bundle import Published, history
from registry.agreement import Places, Settlement, serving_version, settlement
from registry.mlflow_alias import (
    aliased_version,
    expected_alias,
    remove_champion_alias,
    set_champion_alias,
)
from registry.versions import find_version

_NEXT = "the next promotion, rollback, deployment or doctor"


class Production:
    """What is in production of one model, and the only way to change it."""

    def __init__(self, model: str, *, store: Address, ledger: ChangeLedger, mlflow: Any) -> None:
        """Reads and changes nothing; `mlflow` is MLflow's client, None on a stack without it."""
        self.model = model
        self.store = store
        self._ledger = ledger
        self._mlflow = mlflow

    @contextmanager
    def settled(self) -> Iterator[Settlement | None]:
        """Keeps other commands waiting, and settles what an earlier one has left; yields how.

        Raises:
            ChurnError: another command is at work for too long, or a place cannot be used.
        """
        with self._ledger.changing():
            yield self._settle()

    def compare(self) -> Settlement | None:
        """Returns how the places would be settled; None if they agree. Changes nothing."""
        return settlement(self._places())

    @property
    def serving(self) -> str | None:
        """The version that the store has in production; None where there is none."""
        entry = self._entry()
        return entry.version if entry else None

    def change(
        self, version: ModelVersionResponse, plan: ProductionChange, move: Callable[[], object]
    ) -> str | None:
        """Puts a version into production: stage, alias and pointer, or after an error none of them.

        To be called inside `settled`.

        Args:
            version: The version.
            plan: The change as intended.
            move: Moves the store's pointer to it, or raises.

        Returns:
            MLflow's alias; None where there is none.

        Raises:
            ChurnError: everything is changed, but something failed afterwards; it says so.
            Exception: whatever failed; nothing is changed.
        """
        self._ledger.record_change(plan)
        try:
            version.set_stage(ModelStages.PRODUCTION, force=True)
            alias = set_champion_alias(self._mlflow, version)
            move()
        except BaseException as error:
            self._take_back(plan, error)
            raise
        try:
            self._ledger.record_change(plan.closed("done"))
        except ChurnError as error:
            raise ChurnError(
                f"{_is_in_production(plan)}, but the ledger could not record that it is done: "
                f"{error} Do not repeat the {plan.command}: {_NEXT} completes the record."
            ) from None
        return alias

    def _take_back(self, plan: ProductionChange, error: BaseException) -> None:
        try:
            settled = self._settle()
        except Exception as failed:  # noqa: BLE001 - each place has its own, and `error` is the cause
            error.add_note(
                f"Not everything could be taken back ({error_reason(failed)}): {_NEXT} does that."
            )
            return
        if settled and settled.status == "done" and isinstance(error, Exception):
            raise ChurnError(
                f"{_is_in_production(plan)}, although something failed afterwards: "
                f"{error_reason(error)}."
            ) from error

    def _settle(self) -> Settlement | None:
        found = self._settle_once()
        if found is not None:
            self._settle_once()  # what served may be neither version of a change that was broken off
        return found

    def _settle_once(self) -> Settlement | None:
        places = self._places()
        found = settlement(places)
        if found is None:
            return None
        change = found.closes
        if change is None:
            change = self._mended(found)
            self._ledger.record_change(change)
        if places.is_registered:
            self._name(self._registered(found.version), places)
        if found.version is None:
            remove_champion_alias(self._mlflow, self.model)
        if found.status == "undone":
            self._restore_stage(change, found.version)
        self._ledger.record_change(change.closed(found.status))
        return found

    def _name(self, version: ModelVersionResponse | None, places: Places) -> None:
        """Gives stage and alias to a version, where it has not got them."""
        assert version is not None  # noqa: S101 - `places` says that it is registered
        if places.stage != version.name:
            version.set_stage(ModelStages.PRODUCTION, force=True)
        if places.alias != places.expected_alias:
            set_champion_alias(self._mlflow, version)

    def _restore_stage(self, change: ProductionChange, serving: str | None) -> None:
        version = find_version(self.model, change.version)
        if version is None or version.name == serving:
            return
        stage = change.stage_before or ModelStages.NONE.value
        holder = None if stage == ModelStages.NONE else find_version(self.model, ModelStages(stage))
        if holder is not None and holder.name != version.name:
            stage = ModelStages.ARCHIVED.value  # a newer version was staged since
        if (version.stage or ModelStages.NONE) != stage:
            version.set_stage(ModelStages(stage), force=True)

    def _mended(self, found: Settlement) -> ProductionChange:
        assert found.version is not None  # noqa: S101 - only then places can disagree
        return ProductionChange(
            model=self.model,
            version=found.version,
            version_before=found.version,
            stage_before=None,
            command="comparison",
            reason=found.sentence,
        )

    def _places(self) -> Places:
        record, entry = self._ledger.last_change(self.model), self._entry()
        pointer = entry.version if entry else None
        staged = find_version(self.model, ModelStages.PRODUCTION)
        version = self._registered(serving_version(pointer, record), entry)
        expected = expected_alias(self._mlflow, version) if version is not None else None
        return Places(
            pointer=pointer,
            stage=str(staged.name) if staged else None,
            alias=aliased_version(self._mlflow, self.model) if self._mlflow else expected,
            expected_alias=expected,
            record=record,
            is_registered=version is not None,
        )

    def _entry(self) -> Published | None:
        past = history(self.store)
        return past[-1] if past else None

    def _registered(
        self, name: str | None, entry: Published | None = None
    ) -> ModelVersionResponse | None:
        """Returns a version; None for one that has taken the name of a published one since."""
        version = find_version(self.model, name) if name else None
        if version is None or entry is None:
            return version
        created = version.created.replace(microsecond=0, tzinfo=UTC)  # as the store's times
        is_younger = created > entry.at
        return None if is_younger and version.stage != ModelStages.PRODUCTION else version


def _is_in_production(change: ProductionChange) -> str:
    was = f" instead of {change.version_before}" if change.version_before else ""
    return f"Version {change.version} is in production{was}"
