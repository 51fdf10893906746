"""Judges a challenger against the champion, both loaded from the Model Control Plane."""

import tempfile
from pathlib import Path

from churn.features.encoding import take
from churn.promotion.challenger import judge_challenger
from churn.promotion.contenders import BundleCheck, Contender, GateRows, TrainingVerdict
from churn.promotion.decision import Decision
from churn.promotion.digests import row_digests
from churn.promotion.promotion_outcome import PromotionPair
from churn.retention.profit import campaign_profit
from churn.retention.value import lifetime_values
from churn.retention.value_settings import ValueSettings
from churn.scoring.bundle import write_bundle
from churn.scoring.bundle.trial import try_bundle
from churn.settings.pipelines import OverrideSettings, PromotionPipelineSettings
from registry.versions import TrainedVersion, find_version, load_trained_version


def judge_versions(pair: PromotionPair, settings: PromotionPipelineSettings) -> Decision:
    """Scores challenger and champion on the same raw gate rows and evaluates every gate.

    Raises:
        Exception: the versions cannot be compared; `churn.promotion.decision.hold_on_error` makes that a hold.
    """
    challenger = _load(pair.model, pair.challenger)
    champion = _load(pair.model, pair.champion) if pair.champion else None
    # The same raw rows for both, each model through its own transform: the challenger's gate rows.
    rows = GateRows(
        columns=take(challenger.columns, challenger.split.gate),
        target=challenger.target[challenger.split.gate],
        contract=challenger.customers.contract,
        ids=challenger.ids[challenger.split.gate],
    )
    results = {each.name: each for each in challenger.protocol.candidates}
    result = results.get(challenger.model.recipe)
    hashes = {"challenger_data": challenger.model.data_sha256}
    if champion is not None:
        hashes["champion_data"] = champion.model.data_sha256
    return judge_challenger(
        _contender(challenger, rows, settings.value),
        _contender(champion, rows, settings.value) if champion else None,
        rows,
        training=_training_verdict(challenger, settings.override),
        quality=challenger.quality,
        bundle=_check_bundle(challenger, settings.latency_budget_ms),
        floors=settings.floors,
        settings=settings.gates,
        against_baseline=result.against_baseline if result else None,
        hashes=hashes,
    )


def _load(model: str, name: str) -> TrainedVersion:
    version = find_version(model, name)
    if version is None:
        raise KeyError(f"version {name} of {model} is gone")
    return load_trained_version(version)


def _contender(trained: TrainedVersion, rows: GateRows, value: ValueSettings) -> Contender:
    """Returns a version's scores and profit on the gate rows."""
    return Contender(
        name=f"version {trained.version} ({trained.model.recipe})",
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
    challenger: TrainedVersion, override: OverrideSettings
) -> TrainingVerdict | None:
    if challenger.verdict is None:
        return None
    return TrainingVerdict(
        challenger.verdict, challenger.reasons, override.person.strip(), override.reason.strip()
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
