"""Whether a start of the retraining loop goes on with an open loop, opens one, or has nothing to do."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import ValidationError

from churn.data import Dataset
from churn.data.intake.address import is_url, public
from churn.errors import BundleError, InputError
from churn.ledger.drift_checks import DriftLedger
from churn.ledger.retraining_events import RetrainingEvent
from churn.ledger.stale_months import StaleLedger
from churn.monitoring.policy import (
    CheckedWindow,
    RetrainingEvidence,
    Switches,
    TriggerDecision,
    decide_retraining,
)
from churn.monitoring.staleness import StaleMonth
from churn.retraining.decision import decide_loop
from churn.retraining.evidence import SnapshotFacts, TriggerInputs
from churn.retraining.snapshot import (
    is_same,
    latest_day,
    month_end,
    new_rows,
    require_closed,
    require_newer,
    require_own_labels,
    snapshot_facts,
    stale_month,
)
from churn.root import ROOT
from churn.scoring.bundle import address, store_of_model
from churn.scoring.current import read_current
from churn.scoring.scorer import Scorer
from churn.scoring.store_follower import load_version
from runner.inputs import read_table, source_location
from runner.retraining_record import write_record

if TYPE_CHECKING:
    from runner.loop_run import LoopRun

_LOG = logging.getLogger("churn.progress")


@dataclass(frozen=True)
class NotStarted:
    """Why nothing was started.

    Attributes:
        status: one word for it.
        sentence: the same in words.
        held: whether something forbids it; else there is nothing to do.
    """

    status: str
    sentence: str
    held: bool = False


def open_loop(loop: LoopRun, person: str) -> Literal["opened", "resumed"] | NotStarted:
    """Opens a loop, if none is open and everything speaks for it.

    Raises:
        InputError: there is no champion, or the snapshot or the switches are at fault.
    """
    events = loop.held.events
    is_open = bool(events) and events[-1].kind != "closed"
    if is_open and decide_loop(loop.found).next != "train":
        _say_what_has_to_wait(loop, person)
        return "resumed"
    waits, way_out = _waits(loop) if is_open else ("", "")
    with _adding(waits):
        switches, champion = loop.switches(), _champion(loop)
    with _adding(way_out):
        snapshot, dataset = _snapshot(loop)
        if is_open and is_same(snapshot, loop.found.snapshot):
            return "resumed"
        judged = _judged(loop.held.every_event)
        if champion.manifest.data_sha256 == snapshot.sha256 or (
            judged and is_same(snapshot, judged[-1])
        ):
            said = f"Nothing to do: {snapshot.location} was judged already.{way_out}"
            return NotStarted("unchanged", said)
        require_newer(snapshot, judged)
        _require_closed(loop, snapshot, dataset)
        require_own_labels(dataset, champion)
    if is_open:  # what a person asked for is not forgotten with the table
        person = person or loop.found.trigger.evidence.asked_by
    with _adding(waits):
        trigger = _trigger(loop, champion, snapshot, dataset, person, switches)
    decided = decide_retraining(trigger.evidence, trigger.policy, trigger.now)
    if decided.verdict != "retrain":
        return _no_trigger(loop, decided, waits)
    if is_open:
        _give_up(loop, f"A newer snapshot came: {snapshot.location}.", champion.version)
    _open(loop, trigger, snapshot, champion.version)
    loop.say(f"loop {loop.held.loop}", decided.sentence)
    return "opened"


def _say_what_has_to_wait(loop: LoopRun, person: str) -> None:
    """Warns of another table, or another person's request, that the open loop does not look at."""
    own, found = loop.settings, loop.found
    named = _public(source_location(own.data.source))
    # An approval names no table, so `bundled` is none that somebody wants a model of.
    is_other = named != _public(found.snapshot.source) and not (
        own.approve.person and named == "bundled"
    )
    asks = person and person == own.person.strip() and person != found.trigger.evidence.asked_by
    if is_other or asks:
        _LOG.warning(
            f"Loop {loop.held.loop} is open on {found.snapshot.location}; "
            f"{named if is_other else f'the request of {person}'} is not looked at until it is over.",
            extra={"step": f"loop {loop.held.loop}", "event": "warned"},
        )


def _public(location: str) -> str:
    return public(location) if is_url(location) else location


def _waits(loop: LoopRun) -> tuple[str, str]:
    """Which table the open loop waits for; and the same with the way out, where the table is at fault."""
    waits = f" Loop {loop.held.loop} is open and waits for {loop.found.snapshot.location}"
    return f"{waits}.", (
        f"{waits}: bring that table back, or start with a newer one, which takes its place. The "
        "champion stays."
    )


@contextmanager
def _adding(said: str) -> Iterator[None]:
    """Says it after whatever is refused."""
    try:
        yield
    except InputError as error:
        raise InputError(f"{error}{said}") from None


def _give_up(loop: LoopRun, why: str, serving: str) -> None:
    loop.held.add("found", {"stopped": why, "serving": serving})
    loop.held.add("closed")
    write_record(loop)


def _trigger(
    loop: LoopRun,
    champion: Scorer,
    snapshot: SnapshotFacts,
    dataset: Dataset,
    person: str,
    switches: Switches,
) -> TriggerInputs:
    policy = loop.settings.policy
    unseen = 0
    if policy.new_rows is not None:
        folder = Path(loop.folders["snapshots"])
        unseen = new_rows(dataset, champion.manifest.data_sha256, snapshots=folder, root=ROOT)
    return TriggerInputs(
        evidence=RetrainingEvidence(
            champion_trained_at=champion.manifest.created,
            windows=_windows(loop.folders["ledger"], loop.model, champion.version),
            started=_started(loop.held.every_event),
            new_rows=unseen,
            stale=_stale(loop, champion, snapshot, dataset) if policy.cost else (),
            asked_by=person,
            switches=switches,
        ),
        policy=policy,
        now=loop.now(),
    )


def _started(events: tuple[RetrainingEvent, ...]) -> tuple[datetime, ...]:
    """When loops were opened, without those that a newer snapshot replaced before anything was trained."""
    trained = {each.loop for each in events if "training" in each.facts}
    replaced = {each.loop for each in events if "stopped" in each.facts} - trained
    if events and events[-1].kind != "closed":
        replaced.add(events[-1].loop)  # the one that is open now
    return tuple(
        each.recorded_at for each in events if each.kind == "opened" and each.loop not in replaced
    )


def _stale(
    loop: LoopRun, champion: Scorer, snapshot: SnapshotFacts, dataset: Dataset
) -> tuple[StaleMonth, ...]:
    """What staying with the champion has lost, this snapshot's month included.

    The ledger keeps each month, so that a loss which grows slowly adds up over the starts.
    """
    version = champion.version
    with StaleLedger(loop.folders["ledger"]) as ledger:
        if not ledger.is_measured(loop.model, version, snapshot.sha256):
            now = loop.now()
            until = month_end(snapshot, outcome_days=loop.settings.outcome_days, now=now)
            value = loop.settings_of("promotion").value
            lost = stale_month(dataset, champion, value, until=until)
            if lost is not None:
                month = (snapshot.latest or now.isoformat())[:7]
                ledger.record(loop.model, version, snapshot.sha256, lost, month=month)
        return ledger.months(loop.model, version)


def _open(loop: LoopRun, trigger: TriggerInputs, snapshot: SnapshotFacts, champion: str) -> None:
    loop.held.add(
        "opened",
        {
            "trigger": trigger.model_dump(mode="json"),
            "snapshot": snapshot.model_dump(mode="json"),
            "champion": champion,
            "code": _code(),
            "rules": loop.settings.rules.model_dump(mode="json"),
        },
    )


def _no_trigger(loop: LoopRun, decided: TriggerDecision, waits: str) -> NotStarted:
    held = decided.verdict == "held"
    by_file = held and any(each.name in ("kill switch", "maintenance") for each in decided.holds)
    allow = f" Nothing starts until {loop.settings.switches} allows it." if by_file else ""
    return NotStarted(decided.verdict, f"{decided.sentence}{allow}{waits}", held=held)


def _champion(loop: LoopRun) -> Scorer:
    store = store_of_model(address(loop.folders["bundles"]), loop.model)
    try:
        return load_version(str(store), read_current(store)).scorer
    except BundleError as error:
        raise InputError(
            f"There is no champion of '{loop.model}' that a retraining could be judged against: {error} "
            "Train and promote a first version by hand, with run.py --pipeline training and "
            "--pipeline promotion."
        ) from None


def _snapshot(loop: LoopRun) -> tuple[SnapshotFacts, Dataset]:
    own = loop.settings
    table, dataset = read_table(
        own.data, root=ROOT, downloads=loop.state / "downloads", on_bytes=loop.on_bytes
    )
    facts = snapshot_facts(
        dataset, source=table.location, digest=table.contract_digest, as_of=own.as_of
    )
    return facts, dataset


def _require_closed(loop: LoopRun, snapshot: SnapshotFacts, dataset: Dataset) -> None:
    require_closed(
        snapshot,
        outcome_days=loop.settings.outcome_days,
        today=loop.now().date(),
        by_as_of=not latest_day(dataset, dataset.contract),
    )


def _judged(events: tuple[RetrainingEvent, ...]) -> list[SnapshotFacts]:
    """Snapshots of the loops that came to a judgement, oldest first.

    Nothing else of those loops is read: other releases have made them. A snapshot that this one cannot
    read is none that it could compare with.
    """
    trained = {each.loop for each in events if "training" in each.facts}
    found = []
    for each in events:
        if each.loop in trained and "snapshot" in each.facts:
            with suppress(ValidationError):
                found.append(SnapshotFacts.model_validate(each.facts["snapshot"]))
    return found


def _windows(ledger: str, model: str, champion: str) -> tuple[CheckedWindow, ...]:
    """The champion's checks of the kind that was checked last; an alarm that a person has resolved is none."""
    with DriftLedger(ledger) as checks:
        kinds = checks.kinds(model)
        if not kinds:
            return ()
        resolved = max((each.number for each in checks.resolutions(model, kinds[0])), default=0)
        return tuple(
            CheckedWindow(
                window=each.window,
                checked_at=each.checked_at,
                raises_alarm=each.raises_alarm and each.number > resolved,
            )
            for each in checks.checks(model, kinds[0])
            if each.version == champion
        )


def _code() -> str:
    from steps.caching import code_digest

    return code_digest()
