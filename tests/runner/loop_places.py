"""A retraining loop on real ledger and store, whose pipelines are replaced by what a test lets them give."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from churn.ledger.retraining_events import RetrainingEvent, RetrainingLedger
from churn.promotion.decision import Gate, decide
from churn.retraining.evidence import ProbationFacts
from churn.settings.retraining import RetrainingSettings
from runner.outcome import Outcome
from runner.request import RunRequest
from tests.registry.places import MODEL, FourPlaces

DEPLOYED = "deployed.jsonl"


@dataclass
class Script:
    """What the pipelines give.

    Attributes:
        training: verdict of the training's gates.
        gates: verdict of the promotion's one gate.
        smoke_fails: whether the challenger answers its smoke test wrongly.
        probation: how the challenger does in production.
    """

    training: str = "promote"
    gates: str = "pass"
    smoke_fails: bool = False
    probation: ProbationFacts = field(default_factory=ProbationFacts)


@dataclass
class LoopPlaces:
    """A folder with store, ledger and output of a loop."""

    places: FourPlaces
    folder: Path
    source: Path
    script: Script = field(default_factory=Script)
    ran: list[str] = field(default_factory=list)

    def install(self, patch: pytest.MonkeyPatch) -> None:
        """Replaces the pipelines."""
        from runner import retraining, retraining_start, retraining_steps

        patch.setattr(
            retraining.LoopRun, "run", lambda _, pipeline, given: self.run(pipeline, given)
        )
        patch.setattr(retraining_steps, "write_version_bundle", lambda _, folder: folder)
        patch.setattr(retraining_steps, "measure_probation", lambda *_, **__: self.script.probation)
        patch.setattr(retraining_start, "_code", lambda: "c" * 64)

    def start(self, **settings: Any) -> Outcome:
        """One start of the loop."""
        from runner.retraining import run_retraining

        given = {
            "person": "Ada",
            "model": {"name": MODEL},
            "data": {"source": str(self.source), "on_shift": "report"},
            "rules": {"probation": {"days": 0}},
        }
        places = SimpleNamespace(
            state=None, features=None, online=None, inputs=None,
            bundles=str(self.places.store).rpartition("/")[0], ledger=self.places.ledger_url,
        )  # fmt: skip
        prepared = SimpleNamespace(
            settings=RetrainingSettings.from_mapping(given | settings), state=self.folder
        )
        stack = SimpleNamespace(name="local", spec=SimpleNamespace(places=places, components={}))
        request = RunRequest("retraining", stack="local")
        return run_retraining(request, prepared, stack, on_wait=lambda _: None)

    def run(self, pipeline: str, given: dict[str, Any]) -> SimpleNamespace:
        """Runs what stands for a pipeline, as the loop does."""
        judges = bool(given.get("only_judge"))
        self.ran.append("judge" if judges else pipeline)
        if pipeline == "training":
            return self._training()
        if judges:
            return self._judgement()
        self.places.settle()
        if pipeline == "promotion":
            done = self.places.promote(given["challenger"], self.script.gates)
            return SimpleNamespace(promotion=done, run_id="run-promotion")
        if pipeline == "rollback":
            self.places.roll_back()
            return SimpleNamespace(run_id="run-rollback")
        assert pipeline == "deployment"
        return self._deployment()

    def _training(self) -> SimpleNamespace:
        verdict = self.script.training
        return SimpleNamespace(
            decision=SimpleNamespace(verdict=verdict, sentence=f"Training says {verdict}."),
            training=SimpleNamespace(quality=SimpleNamespace(findings=("MonthlyCharges moved.",))),
            model_version="2",
            run_id="run-training",
        )

    def _judgement(self) -> SimpleNamespace:
        gate = Gate(
            name="ranks well", figure=0.84, threshold=0.8, verdict=self.script.gates,
            sentence="It is given.",
        )  # fmt: skip
        decision = decide([gate], challenger="version 2", hashes={"gate_rows": "e" * 64})
        return SimpleNamespace(decision=decision, run_id="run-judgement")

    def _deployment(self) -> SimpleNamespace:
        version = self.places.pointer
        with (self.folder / DEPLOYED).open("a", encoding="utf-8") as log:
            log.write(json.dumps(version) + "\n")
        status = "deployed"
        if self.script.smoke_fails and version == "2":
            self.places.withdraw()
            status = "rolled back"
        done = SimpleNamespace(
            status=status, serving=self.places.pointer, sentence=f"version {version}: {status}"
        )
        return SimpleNamespace(deployment=done, run_id="run-deployment")


def events(loop: LoopPlaces) -> list[RetrainingEvent]:
    """The events of its loops."""
    with RetrainingLedger(loop.places.ledger_url) as ledger:
        return ledger.events(MODEL)


def record(loop: LoopPlaces, number: int = 1) -> Path:
    """The record of a loop."""
    return loop.folder / "retraining" / f"retraining-{MODEL}-{number}.json"
