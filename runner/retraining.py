"""The retraining loop: runs training, promotion and deployment one after another, and can be broken off.

What each step finds is kept in the ledger before the next one begins, and `decide_loop` says from
that alone what comes next. A start goes on with the loop that is open, or opens one.
"""

from __future__ import annotations

import getpass
import logging
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import yaml

from churn.durable import replace_text
from churn.errors import ChurnError, GateError, error_reason
from churn.ledger.retraining_events import RetrainingLedger
from churn.monitoring.policy import Switches
from churn.reports.retraining_page import render_retraining_page
from churn.retraining.decision import Step, decide_loop
from churn.retraining.evidence import LoopEvidence
from churn.retraining.loop_lock import HeldLoop
from churn.retraining.record import RUN, LoopRecord, build_record, evidence_of
from churn.retraining.switches import read_switches
from churn.root import ROOT
from churn.run_result import RunResult
from churn.settings.pipelines import DeploymentSettings
from churn.settings.retraining import RetrainingSettings
from churn.settings.settings_file import load_settings
from deployment.local_process import HOST
from runner.execute import OnWait, execute, pipeline_folders
from runner.inputs import OnBytes
from runner.outcome import Outcome, Status
from runner.pipeline_catalog import find_pipeline
from runner.request import PreparedRun, RunRequest
from runner.retraining_start import NotStarted, open_loop

if TYPE_CHECKING:
    from stacks.apply import AppliedStack

_LOG = logging.getLogger("churn.progress")
_ALWAYS: tuple[Step, ...] = ("watch", "roll back", "close")
"""Steps that no switch stops, as the measuring of a shadow and a canary that are there already.

What serves stays watched, and goes back if it must.
"""
_HELD = ("kept", "rolled back", "given up")


class LoopRun:
    """One start of the loop, with all that a step needs.

    Attributes:
        settings: of the loop.
        stack: name of the stack.
        state: output folder.
        folders: bundle store, ledger and others.
        held: the lock, and the events of the loop.
    """

    def __init__(
        self,
        request: RunRequest,
        prepared: PreparedRun,
        stack: AppliedStack,
        ledger: RetrainingLedger,
        held: HeldLoop,
        *,
        on_wait: OnWait,
        on_bytes: OnBytes | None,
    ) -> None:
        """Changes nothing."""
        self.settings: RetrainingSettings = prepared.settings
        self.model: str = prepared.settings.model.name
        self.stack = stack.name
        self.state = prepared.state
        self.folders = pipeline_folders(stack, prepared)
        self.held = held
        self._ledger = ledger
        self.on_bytes = on_bytes
        self._request = request
        self._on_wait = on_wait

    @property
    def found(self) -> LoopEvidence:
        """What the loop has found so far."""
        return evidence_of(self.held.events)

    def run(self, pipeline: str, settings: Mapping[str, Any]) -> Outcome:
        """Runs another pipeline for the same model and business, as `run.py` would."""
        request = replace(
            self._request,
            pipeline=pipeline,
            config=None,
            overrides=self._overrides(pipeline, settings),
        )
        return execute(request, on_wait=self._on_wait, on_bytes=self.on_bytes)

    def require_known_settings(self) -> None:
        """Checks the settings of the pipelines that the loop runs, before any of them runs.

        Raises:
            InputError: one of them is unknown or not allowed.
        """
        for pipeline in ("training", "promotion", "rollback", "deployment"):
            self._settings_of(pipeline)
        if self.settings.runs.features is not None:
            self._settings_of("features")

    def service(self) -> tuple[str, str | None]:
        """Address and API key of the service whose requests count; an empty address for none."""
        deployment: DeploymentSettings = self._settings_of("deployment")
        url = self.found.rules.canary.service
        if not url and deployment.target == "local":
            url = f"http://{HOST}:{deployment.local.port}"
        return url, os.environ.get(deployment.smoke.key_variable) or None

    def _settings_of(self, pipeline: str) -> Any:
        entry = find_pipeline(pipeline)
        return load_settings(
            entry.settings_class(), entry.configuration, self._overrides(pipeline, {})
        )

    def _overrides(self, pipeline: str, settings: Mapping[str, Any]) -> tuple[str, ...]:
        own = self.settings
        profile = own.profile if pipeline == "training" or own.profile != "deep" else "full"
        given: dict[str, Any] = {
            "profile": profile,
            "data.contract": own.data.contract,
            "output.folder": str(self.state),
        }
        if pipeline != "features":
            given["model.name"] = self.model
        if own.ledger and pipeline in ("promotion", "rollback", "deployment"):
            given["ledger"] = own.ledger
        given |= _flat(getattr(own.runs, pipeline, None) or {}) | dict(settings)
        return tuple(f"{name}={as_yaml(value)}" for name, value in given.items())

    def switches(self) -> Switches:
        """What people have switched off.

        Raises:
            InputError: their file cannot be read.
        """
        return read_switches(ROOT / self.settings.switches)

    def now(self) -> datetime:
        """The time by the clock that all who share the ledger go by."""
        return self._ledger.clock()

    def since(self, fact: str) -> datetime | None:
        """When the loop first found something; None where it has not."""
        return next((each.recorded_at for each in self.held.events if fact in each.facts), None)

    def say(self, step: str, sentence: str) -> None:
        """Shows a line of progress."""
        _LOG.info(sentence, extra={"step": step, "event": "done", "seconds": 0.0})


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
        ChurnError: another loop is at work, or a step failed; what was found before is kept, and the
            next start goes on from there.
    """
    folders = pipeline_folders(stack, prepared)
    model = prepared.settings.model.name
    with RetrainingLedger(folders["ledger"]) as ledger, HeldLoop(ledger, model) as held:
        loop = LoopRun(request, prepared, stack, ledger, held, on_wait=on_wait, on_bytes=on_bytes)
        loop.require_known_settings()
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
    from runner.retraining_steps import STEPS

    if resumed:
        loop.held.add("taken")
        loop.say(f"loop {loop.held.loop}", f"goes on: {decide_loop(loop.found).reason}")
    try:
        decision = decide_loop(loop.found)
        waits = False
        while decision.next != "close" and not waits:
            _require_allowed(loop, decision.next)
            facts, run = STEPS[decision.next](loop)
            if facts:
                loop.held.add("found", facts | ({RUN: run} if run else {}))
            before, decision = decision, decide_loop(loop.found)
            waits = decision.next == before.next
            loop.say(f"loop: {before.next}", decision.reason)
        if not waits:
            STEPS["close"](loop)
        loop.held.add("released" if waits else "closed")
    except BaseException:
        _leave_open(loop)
        raise
    return _outcome(loop, waits=waits)


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
        _write_record(loop)


def _outcome(loop: LoopRun, *, waits: bool) -> Outcome:
    record, paths = _write_record(loop)
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


class _Paths(NamedTuple):
    record: Path
    page: Path


def _write_record(loop: LoopRun) -> tuple[LoopRecord, _Paths]:
    """Writes the record and its page into the output folder; the ledger has all of it already."""
    record = build_record(loop.held.events)
    name = f"retraining-{loop.model}-{loop.held.loop}"
    paths = _Paths(
        loop.state / "retraining" / f"{name}.json", loop.state / "reports" / f"{name}.html"
    )
    try:
        for path, text in zip(paths, (record.text(), render_retraining_page(record)), strict=True):
            path.parent.mkdir(parents=True, exist_ok=True)
            replace_text(path, text)
    except OSError as error:
        _LOG.warning(
            f"the record could not be written: {error_reason(error)}",
            extra={"step": "record", "event": "warned"},
        )
    return record, paths


def as_yaml(value: object) -> str:
    """A value as `--set` reads it; JSON's 1e-06 would be a text there."""
    text: str = yaml.safe_dump(value, default_flow_style=True, width=1_000_000, allow_unicode=True)
    return text.removesuffix("...\n").strip()


def _flat(tree: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    """Settings by dotted keys."""
    found: dict[str, Any] = {}
    for name, value in tree.items():
        if isinstance(value, dict) and value:
            found |= _flat(value, f"{before}{name}.")
        else:
            found[f"{before}{name}"] = value
    return found
