"""Judges a challenger against the champion, both loaded from the Model Control Plane."""

import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from churn.features.encoding import take
from churn.models.recipe_catalog import build_candidates
from churn.models.recipe_settings import default_recipes
from churn.promotion.challenger import judge_challenger
from churn.promotion.contenders import (
    BundleCheck,
    Contender,
    FixedReference,
    GateRows,
    TrainingVerdict,
)
from churn.promotion.decision import Decision, decide
from churn.promotion.digests import layout, row_digests
from churn.promotion.earlier_decisions import EarlierDecision, best_versions, count_looks
from churn.promotion.evidence_gates import contract_gate
from churn.promotion.promotion_outcome import PromotionPair
from churn.retention.profit import campaign_profit
from churn.retention.value import lifetime_values
from churn.retention.value_settings import ValueSettings
from churn.scoring.bundle import write_bundle
from churn.scoring.bundle.trial import try_bundle
from churn.settings.pipelines import OverrideSettings, PromotionPipelineSettings
from registry.versions import TrainedVersion, find_version, load_trained_version

_BASELINE = "logistic"


def judge_versions(
    pair: PromotionPair,
    settings: PromotionPipelineSettings,
    earlier: Sequence[EarlierDecision],
) -> Decision:
    """Scores challenger, champion and the fixed reference on the same raw gate rows; evaluates every gate.

    `earlier` are the decisions about this model, oldest first.

    Raises:
        Exception: the versions cannot be compared; `churn.promotion.decision.hold_on_error` makes that a hold.
    """
    challenger = _load(pair.model, pair.challenger)
    champion = _load(pair.model, pair.champion) if pair.champion else None
    if champion is not None:
        one_contract = contract_gate(challenger.customers.contract, champion.customers.contract)
        if one_contract.verdict != "pass":
            return decide([one_contract], challenger=_name(challenger), champion=_name(champion))
    rows = _gate_rows(challenger, champion)
    report = challenger.judged_by
    result = report.result(challenger.model.recipe) if report else None
    hashes = {"challenger_data": challenger.model.data_sha256}
    if champion is not None:
        hashes["champion_data"] = champion.model.data_sha256
    comparison = pair.challenger, pair.champion, rows.sha256
    return judge_challenger(
        _contender(challenger, rows, settings.value),
        _contender(champion, rows, settings.value) if champion else None,
        rows,
        training=_training_verdict(pair.model, challenger, settings.override),
        quality=challenger.quality,
        bundle=_check_bundle(challenger, settings.latency_budget_ms),
        floors=settings.floors,
        settings=settings.gates,
        against_baseline=result.against_baseline if result else None,
        fixed=_fixed_reference(pair, champion, earlier, rows, settings.value),
        looks=count_looks(earlier, comparison, rows.sample),
        hashes=hashes,
    )


def _load(model: str, name: str) -> TrainedVersion:
    version = find_version(model, name)
    if version is None:
        raise KeyError(f"version {name} of {model} is gone")
    return load_trained_version(version)


def _gate_rows(challenger: TrainedVersion, champion: TrainedVersion | None) -> GateRows:
    """The same raw rows for both, each model through its own transform: the challenger's gate rows.

    With a date column the same customers come again in a later table, on the other side of its split:
    those that the champion has learned from are left out, unless nobody else is there.
    """
    contract = challenger.customers.contract
    gate = challenger.split.gate
    if champion is not None and contract.date is not None and not contract.id.surrogate:
        known = np.isin(challenger.ids[gate], champion.ids[champion.split.development])
        gate = gate if known.all() else gate[~known]
    return GateRows(
        columns=take(challenger.columns, gate),
        target=challenger.target[gate],
        contract=contract,
        ids=challenger.ids[gate],
        left_out=len(challenger.split.gate) - len(gate),
    )


def _fixed_reference(
    pair: PromotionPair,
    champion: TrainedVersion | None,
    earlier: Sequence[EarlierDecision],
    rows: GateRows,
    value: ValueSettings,
) -> FixedReference | None:
    """Returns the best version so far that can score these rows, and the baseline from its training rows."""
    passed_over = []
    for name in best_versions(earlier, pair.champion):
        version = find_version(pair.model, name)
        if version is None:
            passed_over.append(f"Version {name} was better, but is gone from the control plane.")
            continue
        if champion is not None and name == pair.champion:
            trained = champion
        else:
            trained = load_trained_version(version)
        if layout(trained.customers.contract) != rows.digests.layout:
            passed_over.append(f"Version {name} was better, but has other columns.")
            continue
        best = _contender(trained, rows, value)
        return FixedReference(best, _baseline(trained, best, rows), " ".join(passed_over))
    return None


def _baseline(trained: TrainedVersion, best: Contender, rows: GateRows) -> Contender:
    """Fits the plain baseline on a version's training rows; the same rows give the same model, always."""
    settings = default_recipes()
    name = trained.protocol.baseline if trained.protocol.baseline in settings else _BASELINE
    candidate = build_candidates([name], settings, trained.customers.contract)[name]
    target = trained.target[trained.split.development]
    model = candidate.fit(trained.development_columns, target)
    return Contender(
        name=f"the {name} of version {trained.version}'s training rows",
        logit=model.logit(rows.columns),
        trained_on=best.trained_on,
    )


def _name(trained: TrainedVersion) -> str:
    return f"version {trained.version} ({trained.model.recipe})"


def _contender(trained: TrainedVersion, rows: GateRows, value: ValueSettings) -> Contender:
    """Returns a version's scores and profit on the gate rows."""
    return Contender(
        name=_name(trained),
        logit=trained.model.logit(rows.columns),
        profit=campaign_profit(
            rows.target,
            trained.model.probability(rows.columns),
            trained.bundle_threshold.value,
            lifetime_values(rows.columns, rows.contract, value),
            value,
        ),
        trained_on=row_digests(
            trained.development_columns,
            trained.customers.contract,
            trained.ids[trained.split.development],
        ),
        threshold=trained.bundle_threshold.value,
    )


def _training_verdict(
    model: str, challenger: TrainedVersion, override: OverrideSettings
) -> TrainingVerdict | None:
    if challenger.verdict is None:
        return None
    report = challenger.judged_by
    return TrainingVerdict(
        challenger.verdict,
        challenger.reasons,
        override.person.strip(),
        override.reason.strip(),
        model=model,
        profile=challenger.profile,
        splits=report.plan.splits if report else 0,
    )


def _check_bundle(trained: TrainedVersion, budget: float) -> BundleCheck:
    """Writes a trial bundle to a temporary folder, loads it, replays its golden rows and times it."""
    with tempfile.TemporaryDirectory() as folder:
        trial = Path(folder) / "trial"
        write_bundle(
            trial,
            trained.model,
            trained.development_columns,
            name="trial",
            version="trial",
            threshold=trained.bundle_threshold,
            metrics={},
        )
        return try_bundle(trial, latency_budget_ms=budget)
