"""One start of the retraining loop, with all that its steps need: settings, places, lock, other pipelines."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

import yaml

from churn.errors import InputError
from churn.ledger.retraining_events import RetrainingLedger
from churn.monitoring.policy import Switches
from churn.retraining.decision import decide_loop
from churn.retraining.evidence import LoopEvidence
from churn.retraining.loop_lock import HeldLoop
from churn.retraining.record import evidence_of
from churn.retraining.switches import read_switches
from churn.root import ROOT
from churn.settings.pipelines import DeploymentSettings
from churn.settings.retraining import RetrainingSettings
from churn.settings.settings_file import load_settings
from deployment.local_process import HOST
from runner.execute import OnWait, execute, pipeline_folders
from runner.inputs import OnBytes
from runner.outcome import Outcome
from runner.pipeline_catalog import find_pipeline
from runner.request import PreparedRun, RunRequest
from stacks.kubernetes.resources import runs_in_pods

if TYPE_CHECKING:
    from stacks.apply import AppliedStack

_LOG = logging.getLogger("churn.progress")


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
        self._in_pods = runs_in_pods(stack.spec)
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
            self.settings_of(pipeline)
        if self.settings.runs.features is not None:
            self.settings_of("features")

    def require_awaited_approval(self) -> None:
        """Checks that the open loop waits for the approval that this start carries, or has it already.

        Raises:
            InputError: none is open, it waits for something else, or for another version's approval.
        """
        given, events = self.settings.approve, self.held.events
        if not given.person.strip():
            return
        said, without = (
            f"approve.version is {given.version}, but",
            "approve.person and approve.version",
        )
        if not events or events[-1].kind == "closed":
            raise InputError(
                f"{said} no loop of '{self.model}' is open that could wait for an approval; start one "
                f"without {without}, and approve when it waits."
            )
        loop, step = f"loop {self.held.loop} of '{self.model}'", decide_loop(self.found).next
        if self.found.training is None or (step != "approve" and self.found.approval is None):
            raise InputError(
                f"{said} {loop} does not wait for an approval, as its next step is '{step}'; start "
                f"without {without} for as long as it does not wait for one."
            )
        version = self.found.training.version
        if given.version != version:
            raise InputError(
                f"{said} version {version} of {loop} waits for approval; approve that one with --set "
                f"approve.version={version}."
            )

    def replicas(self) -> tuple[tuple[str, ...], str | None]:
        """Addresses and API key of the service whose requests count; no address where none is known."""
        deployment: DeploymentSettings = self.settings_of("deployment")
        urls = self.found.rules.canary.service
        # What a step in a pod has started is not on this machine, and ends with the pod.
        if not urls and deployment.target == "local" and not self._in_pods:
            urls = (f"http://{HOST}:{deployment.local.port}",)
        return urls, os.environ.get(deployment.smoke.key_variable) or None

    def settings_of(self, pipeline: str) -> Any:
        """Settings of a pipeline that the loop runs, as it runs it."""
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

    def last(self, fact: str) -> datetime | None:
        """When the loop last found something; None where it has not."""
        found = [each.recorded_at for each in self.held.events if fact in each.facts]
        return found[-1] if found else None

    def say(self, step: str, sentence: str) -> None:
        """Shows a line of progress."""
        _LOG.info(sentence, extra={"step": step, "event": "done", "seconds": 0.0})


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
