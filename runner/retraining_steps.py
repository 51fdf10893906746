"""The steps of the retraining loop: each returns what it has found, and the id of the run behind it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal

from churn.errors import ChurnError
from churn.ledger.records import Ledger
from churn.retraining.decision import Step, decide_loop
from churn.retraining.evidence import Compared, answered_since
from churn.retraining.measured import compare_beside, measure_probation
from churn.scoring.address import Address
from churn.scoring.beside import Beside, read_beside, write_beside
from churn.scoring.bundle import address, bundle_folder, store_of_model
from churn.scoring.current import read_history
from deployment.service_counts import read_service_counts
from registry.versions import find_version, write_version_bundle
from runner.zenml_approval import Answer, ask_in_zenml

if TYPE_CHECKING:
    from runner.loop_run import LoopRun

Found = tuple[dict[str, Any], str | None]
_DAY = timedelta(days=1)


def _train(loop: LoopRun) -> Found:
    snapshot = loop.found.snapshot
    table = {
        "data.source": snapshot.source,
        "data.sha256": snapshot.sha256,
        "data.on_shift": loop.settings.data.on_shift,
    }
    if loop.settings.runs.features is not None:
        loop.run("features", table)
    outcome = loop.run("training", table)
    assert outcome.decision is not None and outcome.training is not None  # noqa: S101, PT018
    facts = {
        "version": outcome.model_version,
        "verdict": outcome.decision.verdict,
        "sentence": outcome.decision.sentence,
        "news": list(outcome.training.quality.findings),
    }
    return {"training": facts}, outcome.run_id


def _judge(loop: LoopRun) -> Found:
    outcome = loop.run("promotion", {"challenger": _challenger(loop), "only_judge": True})
    assert outcome.decision is not None  # noqa: S101 - a promotion always has one
    decision = outcome.decision.model_dump(mode="json")
    facts = {"gates": decision["gates"], "gate_rows": decision["hashes"].get("gate_rows", "")}
    return {"gates": facts}, outcome.run_id


def _shadow(loop: LoopRun) -> Found:
    return {"shadow": _beside(loop, "shadow").model_dump(mode="json")}, None


def _canary(loop: LoopRun) -> Found:
    urls, key = loop.replicas()
    counts = [each for url in urls if (each := read_service_counts(url, key)) is not None]
    began, is_first = loop.found.service, loop.found.canary is None
    seen = _beside(loop, "canary")
    facts: dict[str, Any] = {}
    if len(counts) < len(urls):  # away when the canary begins: the next look says more
        seen = seen if is_first else seen.model_copy(update={"errors": 1.0})
    elif len(began) != len(counts):
        # Counted from here on: what was answered before was not the canary's doing.
        seen = Compared(days=seen.days)
        facts = {"service": [each.model_dump(mode="json") for each in counts]}
    elif counts:
        errors, latency = answered_since(counts, began)
        seen = seen.model_copy(update={"errors": errors, "latency_ms": latency})
    return {"canary": seen.model_dump(mode="json")} | facts, None


def _beside(loop: LoopRun, role: Literal["shadow", "canary"]) -> Compared:
    """Puts the challenger beside the champion, or measures it there."""
    version, since = _challenger(loop), loop.since(role)
    if since is not None:
        now = loop.now()
        return compare_beside(
            loop.folders["ledger"],
            model=loop.model,
            version=version,
            role=role,
            since=loop.last("service") or since,
            now=now,
        )
    store = _store(loop)
    registered = find_version(loop.model, version)
    if registered is None:
        raise ChurnError(f"Version {version} of '{loop.model}' is gone; the champion stays.")
    write_version_bundle(registered, bundle_folder(store, version))
    percent = loop.found.rules.canary.percent
    write_beside(
        store,
        Beside(shadow=version) if role == "shadow" else Beside(canary=version, percent=percent),
    )
    return Compared()


def _approve(loop: LoopRun) -> Found:
    """Looks for a person's approval; one that this start carries is recorded first."""
    given, version = loop.settings.approve, _challenger(loop)
    last_found = [each for each in loop.held.events if each.kind == "found"][-1]
    until = last_found.recorded_at + loop.found.rules.approval.days * _DAY
    late = loop.now() > until
    with Ledger(loop.folders["ledger"]) as ledger:
        if given.version == version and not late:
            ledger.record_approval(loop.model, version, given.person, given.note)
        approval = ledger.approval(loop.model, version)
        if approval is not None and approval.recorded_at > until:
            approval = None
        # A question that is out already is read in any case: who declined is not overruled.
        is_out = any(
            each.kind == "taken" and "serving" not in each.facts and each.number > last_found.number
            for each in loop.held.events
        )
        if loop.found.rules.approval.in_zenml and (is_out or approval is None):
            answer = _answer_in_zenml(loop, version)
            if answer is not None and answer.approved and answer.at > until:
                answer = None  # a late no still counts
            if answer is not None and not answer.approved:
                return {"approval": {"person": answer.person, "declined": True}}, None
            if answer is not None and approval is None:
                ledger.record_approval(loop.model, version, answer.person, "answered in ZenML")
                approval = ledger.approval(loop.model, version)
    if approval is not None:
        return {"approval": {"person": approval.person, "note": approval.note}}, None
    if late:
        return {"approval": {"person": ""}}, None
    return {}, None


def _answer_in_zenml(loop: LoopRun, version: str) -> Answer | None:
    condition = f"{loop.model}-{version}-loop-{loop.held.loop}"
    question = (
        f"Version {version} of {loop.model} has passed its gates. May it replace version "
        f"{decide_loop(loop.found).serving} in production?"
    )
    return ask_in_zenml(condition, question)


def _promote(loop: LoopRun) -> Found:
    version = _challenger(loop)
    outcome = loop.run("promotion", {"challenger": version})
    done = outcome.promotion
    assert done is not None  # noqa: S101 - a promotion always has one
    serves = done.status in ("promoted", "unchanged")
    facts = {
        "status": done.status,
        "serving": version if serves else in_production(loop),
        "sentence": f"{done.sentence[0].upper()}{done.sentence[1:]}.",
    }
    return {"promotion": facts}, outcome.run_id


def _deploy(loop: LoopRun) -> Found:
    outcome = loop.run("deployment", {})
    done = outcome.deployment
    assert done is not None  # noqa: S101 - a deployment always has one
    ours = done.serving == _challenger(loop)
    facts = {
        "status": done.status if ours or done.status != "deployed" else "overtaken",
        "serving": done.serving,
        "sentence": f"{done.sentence[0].upper()}{done.sentence[1:].rstrip('.')}.",
    }
    return {"deployment": facts}, outcome.run_id


def _watch(loop: LoopRun) -> Found:
    serving = in_production(loop)
    if serving != _challenger(loop):
        sentence = _overtaken(serving)
        return {"rollback": {"status": "overtaken", "serving": serving, "sentence": sentence}}, None
    since = loop.since("deployment")
    assert since is not None  # noqa: S101 - `decide_loop` deploys first
    seen = measure_probation(
        loop.folders["ledger"],
        model=loop.model,
        version=_challenger(loop),
        since=since,
        now=loop.now(),
        watched=loop.last("probation") or since,
        rules=loop.found.rules.probation,
        before=loop.found.probation,
    )
    return {"probation": seen.model_dump(mode="json")}, None


def _overtaken(serving: str | None) -> str:
    return f"Another command has put version {serving} into production meanwhile."


def _roll_back(loop: LoopRun) -> Found:
    """Goes back to the champion, unless something has done so already; then serves it."""
    version, run = _challenger(loop), None
    reason = decide_loop(loop.found).reason
    if in_production(loop) == version:
        run = loop.run("rollback", {"reason": reason}).run_id
    deployed = loop.run("deployment", {}).deployment
    assert deployed is not None  # noqa: S101 - a deployment always has one
    serving = in_production(loop)
    if deployed.status == "rolled back":
        raise ChurnError(
            f"Version {serving} is in production again, but it is not served: "
            f"{deployed.sentence.rstrip('.')}. The next start deploys it again."
        )
    sentence = f"Version {serving} is in production again: {reason}"
    if serving != loop.found.champion:
        sentence = _overtaken(serving)
    return {"rollback": {"status": "restored", "serving": serving, "sentence": sentence}}, run


def _close(loop: LoopRun) -> Found:
    """Takes what is beside the version in production away, whatever the outcome."""
    store = _store(loop)
    if read_beside(store) != Beside():
        write_beside(store, Beside())
    return {}, None


def is_challenger_gone(loop: LoopRun) -> bool:
    """Whether somebody has deleted the version that the loop has trained and not promoted yet."""
    found = loop.found
    if found.training is None or found.promotion is not None:
        return False
    return find_version(loop.model, found.training.version) is None


def _challenger(loop: LoopRun) -> str:
    training = loop.found.training
    assert training is not None  # noqa: S101 - `decide_loop` trains first
    return training.version


def _store(loop: LoopRun) -> Address:
    return store_of_model(address(loop.folders["bundles"]), loop.model)


def in_production(loop: LoopRun) -> str | None:
    """The version in production; None for none."""
    past = read_history(_store(loop))
    return past[-1].version if past else None


STEPS: dict[Step, Callable[[LoopRun], Found]] = {
    "train": _train,
    "judge": _judge,
    "shadow": _shadow,
    "canary": _canary,
    "approve": _approve,
    "promote": _promote,
    "deploy": _deploy,
    "watch": _watch,
    "roll back": _roll_back,
    "close": _close,
}
