"""The retraining loop: runs training, promotion and deployment one after another, and can be broken off.

What each step finds is kept in the ledger before the next one begins, and `decide_loop` says from
that alone what comes next. A start goes on with the loop that is open, or opens one.
"""

from __future__ import annotations

import getpass
import time
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING

from churn.errors import ChurnError, GateError
from churn.ledger.retraining_events import RetrainingLedger
from churn.retraining.decision import Step, decide_loop
from churn.retraining.loop_lock import HeldLoop
from churn.retraining.record import RUN
from churn.run_result import RunResult
from churn.settings.retraining import RetrainingSettings
from runner.execute import OnWait, pipeline_folders
from runner.inputs import OnBytes
from runner.loop_run import LoopRun
from runner.outcome import Outcome, Status
from runner.request import PreparedRun, RunRequest
from runner.retraining_record import write_record
from runner.retraining_start import NotStarted, open_loop

if TYPE_CHECKING:
    from stacks.apply import AppliedStack

_ALWAYS: tuple[Step, ...] = ("deploy", "watch", "roll back", "close")
"""Steps that no switch stops, as the measuring of a shadow and a canary that are there already.

What is in production is tested and watched, and goes back if it must.
"""
_MOMENT = 15.0
_HELD = ("kept", "rolled back", "given up")


def run_retraining(
    request: RunRequest,
    prepared: PreparedRun,
    stack: AppliedStack,
    *,
    on_wait: OnWait,
    on_bytes: OnBytes | None = None,
) -> Outcome:
    """Goes on with the open loop, or opens one, as far as it comes now.

    Raises:
        InputError: the settings, the snapshot or the switches are at fault, or no loop waits for the
            approval.
        ChurnError: another loop is at work, or a step failed; what was found before is kept, and the
            next start goes on from there.
    """
    folders = pipeline_folders(stack, prepared)
    model = prepared.settings.model.name
    with RetrainingLedger(folders["ledger"]) as ledger, HeldLoop(ledger, model) as held:
        loop = LoopRun(request, prepared, stack, ledger, held, on_wait=on_wait, on_bytes=on_bytes)
        loop.require_known_settings()
        loop.require_awaited_approval()
        started = open_loop(loop, _person(loop.settings))
        if isinstance(started, NotStarted):
            return _not_started(loop, started)
        return _go_on(loop, resumed=started == "resumed")


def _person(settings: RetrainingSettings) -> str:
    if settings.trigger == "policy":
        return ""
    if settings.person.strip():
        return settings.person.strip()
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user may have no name
        return "somebody without a name here"


def _not_started(loop: LoopRun, why: NotStarted) -> Outcome:
    status: Status = "held" if why.held else "completed"
    result = RunResult(status=why.status, sentence=why.sentence)
    error = why.sentence if why.held else None
    return Outcome("retraining", status, loop.stack, result=result, error=error)


def _go_on(loop: LoopRun, *, resumed: bool) -> Outcome:
    """Does step after step until the loop is over, or a step has to wait."""
    from runner.retraining_steps import STEPS, is_challenger_gone

    if resumed:
        loop.held.add("taken")
        loop.say(f"loop {loop.held.loop}", f"goes on: {decide_loop(loop.found).reason}")
    try:
        is_over = decide_loop(loop.found).next == "close"
        if resumed and not is_over and is_challenger_gone(loop):
            said = "Its version is gone from the registry. A newer snapshot starts another loop."
            loop.held.add("found", {"stopped": said})
        _look_at_production(loop)
        decision = decide_loop(loop.found)
        waits = False
        while decision.next != "close" and not waits:
            if decision.next in ("approve", "promote"):
                STEPS["close"](
                    loop
                )  # nobody watches a canary while a person or a switch is waited for
            _require_allowed(loop, decision.next)
            facts, run = STEPS[decision.next](loop)
            if facts:
                loop.held.add("found", facts | ({RUN: run} if run else {}))
            _look_at_production(loop)
            before, decision = decision, decide_loop(loop.found)
            waits = decision.next == before.next and not _stays(loop, decision.next)
            loop.say(f"loop: {before.next}", decision.reason)
        if not waits:
            STEPS["close"](loop)
        loop.held.add("released" if waits else "closed")
    except BaseException:
        _leave_open(loop)
        raise
    return _outcome(loop, waits=waits)


def _look_at_production(loop: LoopRun) -> None:
    """Keeps which version serves, where another command has changed it since the loop began."""
    from runner.retraining_steps import in_production

    serving = in_production(loop)
    if serving is not None and serving != decide_loop(loop.found).serving:
        loop.held.add("taken", {"serving": serving})


def _stays(loop: LoopRun, step: Step) -> bool:
    """Waits a moment beside a young canary: one that does harm goes at once, not at the next start."""
    began = loop.since("canary")
    minutes = loop.found.rules.canary.watch_minutes
    if step != "canary" or began is None or loop.now() - began >= timedelta(minutes=minutes):
        return False
    time.sleep(_MOMENT)
    return True


def _require_allowed(loop: LoopRun, step: Step) -> None:
    """Stops a loop that people have switched off; it goes on where it is once they allow it.

    Raises:
        GateError: it is switched off.
    """
    settings = loop.settings
    beside = step in ("shadow", "canary") and getattr(loop.found, step) is not None
    if step in _ALWAYS or beside:
        return
    switches, now = loop.switches(), loop.now()
    why = switches.stop or next(
        (
            each.reason or "maintenance"
            for each in switches.maintenance
            if each.start <= now < each.end
        ),
        "",
    )
    if why:
        raise GateError(
            f"Retraining is stopped before '{step}' by {settings.switches}: {why.rstrip('.')}. The loop "
            "goes on from here once that file allows it; the champion stays."
        )


def _leave_open(loop: LoopRun) -> None:
    """After an error: gives up the lock and writes the record as far as it is known."""
    with suppress(ChurnError):
        loop.held.add("released")
        write_record(loop)


def _outcome(loop: LoopRun, *, waits: bool) -> Outcome:
    record, paths = write_record(loop)
    decision = record.decision
    held = decision.outcome in _HELD or (waits and decision.next == "approve")
    return Outcome(
        "retraining",
        "held" if held else "completed",
        loop.stack,
        model_version=decision.serving,
        stage="production",
        error=record.sentence if held else None,
        report=paths.page,
        result=record,
    )
