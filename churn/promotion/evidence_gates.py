"""Gates about the evidence and the bundle, which do not depend on how good the models are.

Faulty evidence says nothing about a model, so it holds; a fault of the challenger itself rejects.
"""

from __future__ import annotations

from math import isnan

from churn.data.quality.quality_report import QualityReport
from churn.evaluation.plan import PromotionSettings
from churn.promotion.contenders import BundleCheck, Contender, GateRows, TrainingVerdict
from churn.promotion.decision import Gate, GateVerdict, unknown_gate

DATA = "data accepted"
TRAINING = "training cleared it"
LABELS = "labels are sane"
LOADS = "bundle loads"
GOLDEN = "bundle replays its golden rows"
LATENCY = "fast enough"


def data_gate(quality: QualityReport | None) -> Gate:
    """Whether the quality gate accepted the data that the gate rows come from."""
    if quality is None:
        return unknown_gate(DATA, 0, "There is no quality report for the gate rows")
    failed = len(quality.failures)
    refused = quality.verdict == "fail"
    return Gate(
        name=DATA,
        figure=failed,
        threshold=0,
        verdict="insufficient evidence" if refused else "pass",
        sentence=quality.failure_sentence()
        if refused
        else f"The quality gate accepted the data ({quality.sentence.rstrip('.')}).",
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
        if training.overridden_by:
            sentence += f" {training.overridden_by} overrides that: {training.override_reason.rstrip('. ')}."
        else:
            verdict = "fail" if training.verdict == "reject" else "insufficient evidence"
            sentence += (
                " A person can override that with override.person, override.version and "
                "override.reason."
            )
    return Gate(name=TRAINING, figure=cleared, threshold=1, verdict=verdict, sentence=sentence)


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


def unseen_rows_gate(
    contender: Contender, rows: GateRows, *, role: str, otherwise: GateVerdict
) -> Gate:
    """Whether a model learned from none of the rows that judge it; if not, the verdict is `otherwise`."""
    name = f"{role} has not seen the gate rows"
    if contender.trained_on is None:
        why = f"Which rows {contender.name} learned from is not known"
        return unknown_gate(name, 0, why)
    if contender.trained_on.layout != rows.digests.layout:
        why = f"The rows {contender.name} learned from were identified under another contract"
        return unknown_gate(name, 0, why)
    shared = rows.digests.found_in(contender.trained_on)
    return Gate(
        name=name,
        figure=shared,
        threshold=0,
        verdict=otherwise if shared else "pass",
        sentence=(
            f"{shared or 'None':{',' if shared else ''}} of the {rows.rows:,} gate rows "
            f"{'is' if shared <= 1 else 'are'} among the {len(contender.trained_on):,} that "
            f"{contender.name} learned from."
        ),
    )


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
