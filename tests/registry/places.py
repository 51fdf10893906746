"""A model with two versions in all four places, and ways to make each write fail."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from mlflow.exceptions import MlflowException

from churn.errors import BundleError
from churn.ledger.changes import ChangeLedger
from churn.ledger.records import Ledger
from churn.promotion.decision import Gate, decide
from churn.promotion.promotion_outcome import PromotionOutcome, PromotionPair
from churn.scoring.bundle import current
from churn.settings.pipelines import NamedModel, PromotionPipelineSettings, RollbackSettings
from registry.production import Production
from tests.steps.fake_control_plane import FakeControlPlane, FakeVersion

MODEL = "telco-churn"
WRITES = ("intent", "stage", "alias", "pointer", "done")
"""The writes of a change, in their order; the change counts once the pointer is moved."""


class Killed(BaseException):
    """Ends a command where it is, as SIGKILL does: `killed` lets nothing clean up."""


@dataclass
class FakeMlflow:
    """MLflow's model registry in memory, as far as the alias goes."""

    alias: dict[str, str] = field(default_factory=dict)
    versions: list[SimpleNamespace] = field(default_factory=list)

    def get_registered_model(self, _name: str) -> SimpleNamespace:
        if not self.versions:
            raise MlflowException("no such model", error_code=404)
        return SimpleNamespace(aliases=dict(self.alias))

    def get_model_version(self, _name: str, number: str) -> SimpleNamespace:
        return next(each for each in self.versions if each.version == number)

    def search_model_versions(self, query: str, max_results: int) -> list[SimpleNamespace]:
        found = (each for each in self.versions if f"'{each.tags['zenml_version']}'" in query)
        return list(found)[:max_results]

    def set_registered_model_alias(self, _name: str, alias: str, version: str) -> None:
        self.alias[alias] = version

    def delete_registered_model_alias(self, _name: str, alias: str) -> None:
        self.alias.pop(alias, None)


@dataclass
class FourPlaces:
    """Versions 1 and 2 of a model: bundled in a store, registered, known to MLflow."""

    store: Path
    ledger_url: str
    control_plane: FakeControlPlane
    mlflow: FakeMlflow

    def install(self, patch: pytest.MonkeyPatch) -> None:
        """Lets the code under test find these places."""
        import deployment.store
        from registry import control_plane, promotion, rollback
        from steps.deployment import plan_deployment
        from steps.promotion import find_pair

        patch.setattr(control_plane, "ControlPlane", lambda: self.control_plane)
        for module in (promotion, rollback, deployment.store, plan_deployment, find_pair):
            patch.setattr(module, "mlflow_client", lambda: self.mlflow)
        # The bundles are there already, and what they are made of is not the subject.
        patch.setattr(promotion, "write_version_bundle", lambda _, folder: folder)

    def version(self, name: str) -> FakeVersion:
        found = self.control_plane.find_version(MODEL, name)
        assert found is not None
        return found

    def named(self) -> dict[str, str | None]:
        """The version in production, by each place."""
        stage = self.control_plane.find_version(MODEL, "production")
        with ChangeLedger(self.ledger_url) as ledger:
            change = ledger.last_change(MODEL)
        return {
            "stage": stage.name if stage else None,
            "alias": self.mlflow.alias.get("champion"),
            "pointer": self.pointer,
            "ledger": change.in_production if change else None,
        }

    @property
    def pointer(self) -> str | None:
        try:
            return current(self.store).version
        except BundleError:
            return None

    def agreed(self) -> str | None:
        """The version that all places name; fails where they do not agree."""
        named = self.named()
        assert len(set(named.values())) == 1, named
        return named["pointer"]

    def rows(self) -> list[tuple[str, str, str]]:
        """Command, version and status of every change, oldest first."""
        with ChangeLedger(self.ledger_url) as ledger:
            changes = ledger.changes(MODEL)
        return [(each.command, each.version, each.status) for each in reversed(changes)]

    def settle(self) -> str | None:
        """What every command begins with; returns its sentence."""
        with ChangeLedger(self.ledger_url) as ledger:
            production = Production(MODEL, store=self.store, ledger=ledger, mlflow=self.mlflow)
            with production.settled() as found:
                return found.sentence if found else None

    def promote(
        self, version: str, verdict: str = "pass", *, overridden: bool = False, **settings: Any
    ) -> PromotionOutcome:
        """Promotes a version that was judged against what has the stage, unless its gate says no."""
        from registry.promotion import carry_out_decision

        champion = self.control_plane.find_version(MODEL, "production")
        pair = PromotionPair(
            model=MODEL, challenger=version, champion=champion.name if champion else None
        )
        gate = Gate(
            name="given",
            figure=1,
            threshold=1,
            verdict=verdict,
            sentence="It is given.",
            overridden=overridden,
        )
        decision = decide([gate], challenger=f"version {version}", basis="Given by a test.")
        promotion = PromotionPipelineSettings.from_mapping(settings)
        with Ledger(self.ledger_url, lock_seconds=0.1) as ledger:
            return carry_out_decision(pair, decision, promotion, store=self.store, ledger=ledger)

    def roll_back(self, **settings: Any) -> PromotionOutcome:
        """Rolls back, because of complaints."""
        from registry.rollback import restore_previous_version

        rollback = RollbackSettings(model=NamedModel(name=MODEL), reason="complaints", **settings)
        with Ledger(self.ledger_url, lock_seconds=0.1) as ledger:
            return restore_previous_version(rollback, store=self.store, ledger=ledger)

    def withdraw(self) -> str | None:
        """What a deployment does when the version in production answers wrongly."""
        from deployment.store import SharedStore

        shared = SharedStore(self.store, self.ledger_url, MODEL, self.pointer or "")
        return shared.roll_back(smoke_failed=True)

    def failing(self, write: str, side: str, error: BaseException) -> AbstractContextManager[None]:
        """Raises at the next write of that kind, before or after it is made; once."""

        def fail() -> None:
            raise error

        return self.stopping(write, side, fail)

    @contextmanager
    def stopping(self, write: str, side: str, stop: Callable[[], None]) -> Iterator[None]:
        """Calls `stop` at the next write of that kind, before or after it is made; once."""
        with pytest.MonkeyPatch.context() as patch:
            owner, name, is_meant = self._writer(write)
            real, left = getattr(owner, name), [stop]

            def write_or_stop(*arguments: Any, **named: Any) -> Any:
                stops = bool(left) and is_meant(*arguments)
                if stops and side == "before":
                    left.pop()()
                result = real(*arguments, **named)
                if stops and side == "after":
                    left.pop()()
                return result

            patch.setattr(owner, name, write_or_stop)
            yield

    def _writer(self, write: str) -> tuple[Any, str, Callable[..., bool]]:
        from churn.scoring.bundle import pointer

        if write in ("intent", "done"):
            return ChangeLedger, "record_change", lambda _, row: row.open == (write == "intent")
        if write == "stage":
            return FakeVersion, "set_stage", lambda *_: True
        if write == "alias":
            return self.mlflow, "set_registered_model_alias", lambda *_: True
        return pointer, "replace_text", lambda *_: True
