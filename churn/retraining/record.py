"""The record of a loop: what it found, what was decided, and when; the decision can be replayed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from churn.errors import InputError, error_reason
from churn.frozen_model import first_fault
from churn.ledger.retraining_events import RetrainingEvent
from churn.retraining.decision import LoopDecision, decide_loop
from churn.retraining.evidence import LoopEvidence
from churn.run_result import RunResult

RUN = "run"
"""The fact of an event that is no evidence: the id of the run behind it."""
_RECORD_KEYS = {"model", "loop", "inputs", "decision"}


class LoopRecord(RunResult):
    """One loop, whole.

    Attributes:
        model: its name.
        loop: 1, 2, ... of the model.
        inputs: the evidence that the decision follows from.
        decision: what was decided; `replay` makes it again from the inputs.
        times: when what was found, and by which process and run.
    """

    model: str
    loop: int
    inputs: LoopEvidence
    decision: LoopDecision
    times: tuple[dict[str, Any], ...] = ()

    @property
    def lines(self) -> dict[str, str]:
        """Each step that was judged."""
        return {each.name: f"{each.verdict}: {each.sentence}" for each in self.decision.judged}

    def text(self) -> str:
        """The record as JSON, keys in order."""
        return json.dumps(self.model_dump(mode="json"), indent=1, sort_keys=True) + "\n"


def evidence_of(events: Sequence[RetrainingEvent]) -> LoopEvidence:
    """What a loop has found, by its events, oldest first."""
    merged: dict[str, Any] = {}
    for each in events:
        merged |= {name: fact for name, fact in each.facts.items() if name != RUN}
    try:
        return LoopEvidence.model_validate(merged)
    except ValidationError as error:
        raise InputError(
            f"The ledger has loop {events[0].loop} of '{events[0].model}' from another release, which this "
            f"one cannot read ({first_fault(error)}). Use the release that began it."
        ) from None


def build_record(events: Sequence[RetrainingEvent]) -> LoopRecord:
    """The record of a loop, by its events, oldest first."""
    found = evidence_of(events)
    decision = decide_loop(found)
    return LoopRecord(
        status=decision.outcome,
        sentence=_sentence(events[0].loop, decision),
        model=events[0].model,
        loop=events[0].loop,
        inputs=found,
        decision=decision,
        times=tuple(
            {
                "number": each.number,
                "at": each.recorded_at.isoformat(),
                "kind": each.kind,
                "found": sorted(name for name in each.facts if name != RUN),
                "run": each.facts.get(RUN),
                "holder": each.holder,
            }
            for each in events
            if each.kind != "renewed"
        ),
    )


def _sentence(loop: int, decision: LoopDecision) -> str:
    return f"Loop {loop}: version {decision.serving} serves. {decision.reason}"


def decision_bytes(decision: LoopDecision) -> bytes:
    """A decision as a record has it, to compare byte for byte."""
    return json.dumps(decision.model_dump(mode="json"), sort_keys=True).encode()


def replay(path: Path) -> tuple[LoopRecord, bool]:
    """Reads a record and decides again; returns it, and whether decision, status and sentence are the same.

    Raises:
        InputError: the file is no record, or one of another release.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        record = LoopRecord.model_validate_json(json.dumps(content))
    except ValidationError as error:
        reason = first_fault(error)
        if isinstance(content, dict) and content.keys() >= _RECORD_KEYS:
            raise InputError(
                f"{path} is a record of a retraining, but of another release, or changed by hand: this "
                f"release cannot read it ({reason}). Replay it with the release that wrote it."
            ) from None
    except (OSError, ValueError) as error:
        reason = error_reason(error)
    else:
        again = decide_loop(record.inputs)
        said = (again.outcome, _sentence(record.loop, again))
        same = said == (record.status, record.sentence)
        return record, same and decision_bytes(again) == decision_bytes(record.decision)
    raise InputError(f"{path} is no record of a retraining: {reason}. Name a file in retraining/.")
