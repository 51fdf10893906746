"""Scores challenger and champion on the same raw gate rows and asks every gate."""

import tempfile
from pathlib import Path
from typing import Annotated, Any

from zenml import step

from churn.evaluation.model_threshold import model_threshold
from churn.features.encoding import take
from churn.promotion import (
    BundleCheck,
    Contender,
    Decision,
    GateRows,
    judge_challenger,
    row_digests,
    safely,
)
from churn.promotion.pair import Pair
from churn.retention.profit import campaign_profit
from churn.retention.value import lifetime_values
from churn.retention.value_settings import ValueSettings
from churn.scoring.bundle import Threshold, write_bundle
from churn.scoring.bundle.trial import try_bundle
from churn.settings.pipelines import PromotionPipelineSettings
from materializers.report_materializer import ReportMaterializer
from registry.artifacts import Artifact
from registry.versions import Trained, find_version, load_trained_version
from steps.progress import step_progress


@step(enable_cache=False, output_materializers=ReportMaterializer)
def judge_pair(pair: Pair, settings: dict[str, Any]) -> Annotated[Decision, Artifact.DECISION]:
    """Comes to a decision whatever happens: an exception holds the challenger."""
    with step_progress("judge_pair") as progress:
        asked = PromotionPipelineSettings.from_mapping(settings)
        decision = safely(
            lambda: _judge(pair, asked),
            challenger=f"version {pair.challenger}",
            champion=f"version {pair.champion}" if pair.champion else None,
        )
        progress.record(f"{decision.verdict}: {decision.passed}", {"verdict": decision.verdict})
    return decision


def _judge(pair: Pair, settings: PromotionPipelineSettings) -> Decision:
    challenger = _trained(pair.model, pair.challenger)
    champion = _trained(pair.model, pair.champion) if pair.champion else None
    # The same raw rows for both, each model through its own transform: the challenger's gate rows.
    rows = GateRows(
        columns=take(challenger.columns, challenger.split.gate),
        target=challenger.target[challenger.split.gate],
        contract=challenger.customers.contract,
    )
    recipe = challenger.model.recipe
    against = {each.name: each for each in challenger.protocol.candidates}.get(recipe)
    return judge_challenger(
        contender(challenger, rows, settings.value),
        contender(champion, rows, settings.value) if champion else None,
        rows,
        quality=challenger.quality,
        bundle=_tried(challenger, settings.latency_budget_ms),
        floors=settings.floors,
        settings=settings.gates,
        against_baseline=against.against_baseline if against else None,
        hashes={
            "challenger_data": challenger.model.data_sha256,
            **({"champion_data": champion.model.data_sha256} if champion else {}),
        },
    )


def _trained(model: str, version: str) -> Trained:
    found = find_version(model, version)
    if found is None:
        raise KeyError(f"version {version} of {model} is gone")
    return load_trained_version(found)


def contender(trained: Trained, rows: GateRows, value: ValueSettings) -> Contender:
    """A version as the gates see it, on the gate rows."""
    worth = lifetime_values(rows.columns, rows.contract, value)
    return Contender(
        name=f"version {trained.version} ({trained.model.recipe})",
        logit=trained.model.logit(rows.columns),
        profit=campaign_profit(
            rows.target,
            trained.model.probability(rows.columns),
            model_threshold(trained.threshold),
            worth,
            value,
        ),
        trained_on=row_digests(trained.development_columns, trained.customers.contract),
    )


def _tried(trained: Trained, budget: float) -> BundleCheck:
    """Writes the bundle where nobody serves from, and tries it."""
    with tempfile.TemporaryDirectory() as folder:
        place = write_bundle(
            Path(folder) / "trial",
            trained.model,
            trained.development_columns,
            name="trial",
            version="trial",
            threshold=Threshold(
                value=model_threshold(trained.threshold), basis=trained.threshold.basis
            ),
            metrics={},
        )
        return try_bundle(place, latency_budget_ms=budget)
