"""What must be done so that the places agree which version of a model is in production."""

from dataclasses import dataclass
from typing import Literal

from churn.ledger.changes import ProductionChange


@dataclass(frozen=True)
class Places:
    """The version in production, by each place that names one; None where it names none.

    Attributes:
        pointer: By the store's `current.json`, which services follow.
        stage: By the stage `production` on the Model Control Plane.
        alias: By MLflow's alias; `expected_alias` on a stack without MLflow.
        expected_alias: Of `serving`; None if MLflow does not know that version.
        record: The ledger's newest change.
        is_registered: Whether the Model Control Plane has the version that `serving` names.
    """

    pointer: str | None
    stage: str | None
    alias: str | None
    expected_alias: str | None
    record: ProductionChange | None
    is_registered: bool


@dataclass(frozen=True)
class Settlement:
    """How places that disagree, or a change that was broken off, are settled.

    Attributes:
        version: The version that every place names afterwards; None if nothing is in production.
        closes: The change that was broken off; None if the places disagree without one.
        status: How that change is closed.
        sentence: The same in words.
    """

    version: str | None
    closes: ProductionChange | None
    status: Literal["done", "undone"]
    sentence: str

    @property
    def finishes_rollback(self) -> bool:
        """Whether a rollback that was broken off is only completed."""
        rollback = self.closes is not None and self.closes.command == "rollback"
        return rollback and self.status == "done"


def serving_version(pointer: str | None, record: ProductionChange | None) -> str | None:
    """Returns the version that counts: what services follow, else what the ledger says last."""
    return pointer or (record.in_production if record else None)


def settlement(places: Places) -> Settlement | None:
    """Compares the places; returns None if they agree and no change was broken off.

    A change counts from the moment when the store's pointer names its version: then it is
    finished, before that it is undone. Without such a change every place follows the pointer.
    """
    record, version = places.record, serving_version(places.pointer, places.record)
    if record is not None and record.open:
        status: Literal["done", "undone"]
        status = "done" if places.pointer == record.version else "undone"
        return Settlement(version, record, status, _closing_sentence(record, status, version))
    differing = _differing(places, version) if version else []
    if not differing:
        return None
    named = ", ".join(f"{place} named {name or 'none'}" for place, name in differing)
    sentence = f"version {version} is in production, but {named}; every place names {version} now"
    return Settlement(version, None, "done", sentence)


def _differing(places: Places, version: str) -> list[tuple[str, str | None]]:
    """Returns the places that name another version, each with that version."""
    found: list[tuple[str, str | None]] = []
    if places.is_registered and places.stage != version:
        found.append(("the stage", places.stage))
    if places.is_registered and places.alias != places.expected_alias:
        found.append(("MLflow's alias", places.alias))
    if places.record is not None and places.record.in_production != version:
        found.append(("the ledger", places.record.in_production))
    return found


def _closing_sentence(change: ProductionChange, status: str, version: str | None) -> str:
    began = f"a {change.command} of version {change.version} was broken off"
    if status == "done":
        was = f" instead of {change.version_before}" if change.version_before else ""
        return f"{began} and is finished now: version {version} is in production{was}"
    return f"{began} and is undone now: {f'version {version}' if version else 'nothing'} is in production"
