"""Gates about the evidence and the bundle, which do not depend on how good the models are.

Faulty evidence says nothing about a model, so it holds; a fault of the challenger itself rejects.
"""

from __future__ import annotations

from math import isnan

from churn.contract import DataContract
from churn.data.quality.quality_report import QualityReport
from churn.evaluation.plan import PromotionSettings
from churn.profile import DEMO, WHOLE_PROFILES, is_demo_model
from churn.promotion.contenders import BundleCheck, Contender, GateRows, TrainingVerdict
from churn.promotion.decision import Gate, GateVerdict, unknown_gate
from churn.promotion.digests import RowDigests, layout

CONTRACT = "under one contract"
DATA = "data accepted"
TRAINING = "training cleared it"
PROTOCOL = "measured by the protocol"
LABELS = "labels are sane"
LOADS = "bundle loads"
GOLDEN = "bundle replays its golden rows"
LATENCY = "fast enough"

_ALIKE_SHARE = 0.1  # of the gate rows, as many as may equal a training row of another customer


def data_gate(quality: QualityReport | None, training: TrainingVerdict | None) -> Gate:
    """Whether the quality gate accepted the data that the gate rows come from, and it is of real customers.

    Synthetic customers are good for a demonstration; for anything else a person has to answer for them.
    """
    if quality is None:
        return unknown_gate(DATA, 0, "There is no quality report for the gate rows")
    failed = len(quality.failures)
    refused = quality.verdict == "fail"
    if refused:
        sentence = quality.failure_sentence()
    else:
        sentence = f"The quality gate accepted the data ({quality.sentence.rstrip('.')})."
    overridden = False
    if quality.synthetic and not refused:
        sentence += " The customers are synthetic: how the model does on real ones is not known."
        if training is None or training.profile != DEMO:
            overridden = training is not None and bool(training.overridden_by)
            refused = not overridden
            sentence += f" {_override(training)}" if training else ""
    return Gate(
        name=DATA,
        figure=failed,
        threshold=0,
        verdict="insufficient evidence" if refused else "pass",
        sentence=sentence,
        overridden=overridden,
    )


def training_gate(training: TrainingVerdict | None) -> Gate:
    """Whether training cleared the challenger, or a person lets it be judged all the same."""
    if training is None:
        return unknown_gate(TRAINING, 1, "What training decided about the challenger is not known")
    cleared = training.verdict == "promote"
    verdict: GateVerdict = "pass"
    sentence = "The challenger's training cleared it."
    if not cleared:
        held = "rejected" if training.verdict == "reject" else "held back"
        sentence = f"The challenger's training {held} it: {' '.join(training.reasons)}".rstrip(": ")
        sentence += f" {_override(training)}"
        if not training.overridden_by:
            verdict = "fail" if training.verdict == "reject" else "insufficient evidence"
    return Gate(
        name=TRAINING,
        figure=cleared,
        threshold=1,
        verdict=verdict,
        sentence=sentence,
        overridden=not cleared and verdict == "pass",
    )


def protocol_gate(training: TrainingVerdict | None, settings: PromotionSettings) -> Gate:
    """Whether the whole protocol measured the challenger, or a person lets it be judged all the same.

    A demonstration needs no protocol, and only ever goes where demonstrations are.
    """
    required = settings.protocol_splits
    if training is None:
        return unknown_gate(PROTOCOL, required, "How the challenger was measured is not known")
    by = f"{training.splits} splits" if training.splits else "no report has its recipe"
    if 0 < training.splits < required:
        by += f", not {required}"
    demo = training.profile == DEMO
    passed = training.profile in WHOLE_PROFILES and training.splits >= required
    if demo:
        passed = is_demo_model(training.model)
        sentence = f"A demonstration of profile=demo ({by}): not for production."
        if not passed:
            sentence += " It stays in the registry and the store of demonstrations."
    elif training.profile is None:
        sentence = f"Not known: the profile it was trained with was not recorded ({by})."
    elif passed:
        sentence = f"Measured by the protocol, with profile={training.profile} ({by})."
    else:
        sentence = f"Not measured by the protocol: profile={training.profile} ({by})."
    overridden = False
    if not passed and not demo:
        passed = overridden = bool(training.overridden_by)
        sentence += f" {_override(training)}"
    return Gate(
        name=PROTOCOL,
        figure=training.splits,
        threshold=required,
        verdict="pass" if passed else "insufficient evidence",
        sentence=sentence,
        overridden=overridden,
    )


def _override(training: TrainingVerdict) -> str:
    """Who overrides what training found, and why; or how a person can."""
    if training.overridden_by:
        return f"{training.overridden_by} overrides that: {training.override_reason.rstrip('. ')}."
    return "A person can override that with override.person, override.version and override.reason."


def labels_gate(rows: GateRows) -> Gate:
    """Whether both outcomes occur, about as often as the contract expects."""
    bounds = rows.contract.expectations.target_rate
    broken = rows.problem()
    if broken:
        return unknown_gate(LABELS, bounds.minimum, broken)
    rate = float(rows.target.mean())
    inside = bounds.minimum <= rate <= bounds.maximum
    return Gate(
        name=LABELS,
        figure=rate,
        threshold=bounds.maximum if rate > bounds.maximum else bounds.minimum,
        verdict="pass" if inside else "insufficient evidence",
        sentence=(
            f"{rate:.1%} of the gate rows' customers left, {'within' if inside else 'outside'} "
            f"the {bounds.minimum:.0%} to {bounds.maximum:.0%} that the contract expects."
        ),
    )


def contract_gate(challenger: DataContract, champion: DataContract) -> Gate:
    """Whether both models read the same customers: a code of one contract may mean another thing in the other."""
    names = [f"'{each.name}' version {each.version}" for each in (challenger, champion)]
    same_columns = layout(challenger) == layout(champion)
    same = challenger.name == champion.name and same_columns
    return Gate(
        name=CONTRACT,
        figure=same,
        threshold=1,
        verdict="pass" if same else "insufficient evidence",
        sentence="Both were trained under one data contract."
        if same
        else (
            f"The challenger was trained under the data contract {names[0]} and the champion under "
            f"{names[1]}{'' if same_columns else ', whose columns differ'}: models of two contracts cannot be compared. Train it "
            "under a model name of its own, with --set model.name=NAME."
        ),
    )


def unseen_rows_gate(
    contender: Contender, rows: GateRows, *, role: str, otherwise: GateVerdict
) -> Gate:
    """Whether a model learned from nobody who judges it; if not, the verdict is `otherwise`.

    Customers are compared by id, and by their rows' content where ids are surrogates.
    """
    name = f"{role} has not seen the gate rows"
    seen = contender.trained_on
    if seen is None:
        why = f"Which rows {contender.name} learned from is not known"
        return unknown_gate(name, 0, why)
    if seen.layout != rows.digests.layout:
        why = f"The rows {contender.name} learned from were identified under another contract"
        return unknown_gate(name, 0, why)
    if rows.contract.id.surrogate:
        equal = rows.digests.found_in(seen)
        sentence = (
            f"{_counted(equal, rows)} among the {len(seen):,} that {contender.name} learned from, "
            "by content: the ids are surrogates, so customers could not be compared."
        )
        verdict: GateVerdict = otherwise if equal else "pass"
        return Gate(name=name, figure=equal, threshold=0, verdict=verdict, sentence=sentence)
    customers = rows.digests.customers_found_in(seen)
    if customers is None:
        why = f"Which customers {contender.name} learned from is not known, and rows alone cannot tell"
        return unknown_gate(name, 0, why)
    if customers:
        sentence = f"{_counted(customers, rows)} of a customer that {contender.name} learned from."
        return Gate(name=name, figure=customers, threshold=0, verdict=otherwise, sentence=sentence)
    return _alike_gate(name, contender.name, rows, seen)


def _alike_gate(name: str, contender: str, rows: GateRows, seen: RowDigests) -> Gate:
    """Whether few enough rows of other customers are alike for ids to tell customers apart."""
    equal, allowed = rows.digests.found_in(seen), _ALIKE_SHARE * rows.rows
    sentence = (
        f"None of the {rows.rows:,} gate rows is of a customer that {contender} learned from; "
        f"{equal:,} {'equals' if equal == 1 else 'equal'} another customer's row in every feature"
    )
    if equal <= allowed:
        return Gate(name=name, figure=0, threshold=0, verdict="pass", sentence=f"{sentence}.")
    why = (
        f"{sentence}, and at most {_ALIKE_SHARE:.0%} may: the ids do not seem to last. If so, say "
        "surrogate: true of the id column in the data contract"
    )
    return unknown_gate(name, allowed, why)


def _counted(found: int, rows: GateRows) -> str:
    """The beginning of a sentence about some of the gate rows."""
    number = f"{found:,}" if found else "None"
    return f"{number} of the {rows.rows:,} gate rows {'is' if found <= 1 else 'are'}"


def bundle_gates(bundle: BundleCheck | None, settings: PromotionSettings) -> list[Gate]:
    """Whether the scoring bundle loads, gives the scores it was written with, and is fast enough."""
    tolerance = settings.golden_tolerance
    budget = bundle.latency_budget_ms if bundle else float("nan")
    limits = {LOADS: 1.0, GOLDEN: tolerance, LATENCY: budget}
    if bundle is None:
        return [unknown_gate(name, limit, "No bundle was tried") for name, limit in limits.items()]
    loads = Gate(
        name=LOADS,
        figure=bundle.loads,
        threshold=1,
        verdict="pass" if bundle.loads else "fail",
        sentence=f"The bundle {'loads and its checksums hold' if bundle.loads else 'does not load'}.",
    )
    if not bundle.loads:
        why = "A bundle that does not load cannot be tried"
        return [loads, *(unknown_gate(name, limits[name], why) for name in (GOLDEN, LATENCY))]
    gap, median = bundle.golden_max_difference, bundle.latency_ms_median
    golden = (
        f"The golden rows' scores lie within {gap:.2g} of those the bundle was written with; "
        f"{tolerance:g} is allowed."
    )
    latency = f"Scoring one row takes {median:.3g} ms (median); {budget:g} ms is allowed."
    return [
        loads,
        _ceiling_gate(GOLDEN, gap, tolerance, golden, "No golden row was replayed"),
        _ceiling_gate(
            LATENCY, median, budget, latency, "How long the bundle takes was not measured"
        ),
    ]


def _ceiling_gate(name: str, figure: float, ceiling: float, sentence: str, missing: str) -> Gate:
    """Whether a figure stays within a ceiling; not known where the figure or the ceiling is NaN."""
    if isnan(figure):
        return unknown_gate(name, ceiling, missing)
    verdict: GateVerdict = "insufficient evidence"
    if figure <= ceiling:
        verdict = "pass"
    elif figure > ceiling:
        verdict = "fail"
    return Gate(name=name, figure=figure, threshold=ceiling, verdict=verdict, sentence=sentence)
