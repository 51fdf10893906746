"""Loops for tests: what one has found, as far as a test wants it to have come."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

from churn.errors import ChurnError
from churn.monitoring.policy import RetrainingEvidence, RetrainingPolicy
from churn.promotion.decision import Gate
from churn.retraining.evidence import (
    GateFacts,
    LoopEvidence,
    ServedFacts,
    SnapshotFacts,
    TrainingFacts,
    TriggerInputs,
)
from churn.retraining.loop_lock import HeldLoop
from churn.settings.retraining_rules import LoopRules

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
MODEL = "telco-churn"


def gate(figure: float = 0.84, verdict: str = "pass", name: str = "ranks well") -> Gate:
    return Gate(
        name=name, figure=figure, threshold=0.8, verdict=verdict, sentence=f"It is {figure}."
    )


def snapshot(sha256: str = "a" * 64, **changes: Any) -> SnapshotFacts:
    facts = {"location": "new.csv", "source": "/new.csv", "contract": "c" * 64, "rows": 2400}
    return SnapshotFacts(**facts | {"sha256": sha256} | changes)


def opened(asked_by: str = "Ada", **changes: Any) -> LoopEvidence:
    """A loop that was opened; `changes` are what it has found besides."""
    evidence = RetrainingEvidence(champion_trained_at=NOW - timedelta(days=90), asked_by=asked_by)
    rules = changes.pop("rules", {"probation": {"days": 0}})
    return LoopEvidence(
        trigger=TriggerInputs(evidence=evidence, policy=RetrainingPolicy(), now=NOW),
        snapshot=snapshot(),
        champion="1",
        code="d" * 64,
        rules=LoopRules.from_mapping(rules),
        **changes,
    )


def trained(verdict: str = "promote") -> TrainingFacts:
    return TrainingFacts(version="2", verdict=verdict, sentence="gbm is cleared.")


def judged(*gates: Gate) -> GateFacts:
    return GateFacts(gates=gates or (gate(),))


def served(status: str, serving: str | None = "2") -> ServedFacts:
    return ServedFacts(status=status, serving=serving, sentence=f"Version {serving}: {status}.")


def open_at_once(ledger, model, processes):
    """That many processes of other machines open a loop at once: who did, and who was refused."""
    held = [HeldLoop(ledger, model, holder=f"host{number} 1 1.0") for number in range(processes)]
    done, refused = [], []

    def open_one(each):
        try:
            done.append(each.add("opened"))
        except ChurnError as error:
            refused.append(error)

    threads = [threading.Thread(target=open_one, args=(each,)) for each in held]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return done, refused
