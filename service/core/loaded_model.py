"""A loaded version of the model: verified, warm, never changed, with all that an answer needs."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from churn.contract import DataContract
from churn.errors import BundleError
from churn.explain.counterfactuals import CounterfactualSearch
from churn.explain.reasons import ReasonCodes
from churn.ledger.predictions import Role
from churn.profile import profile_note
from churn.scoring import GoldenRow, Published, Scorer
from churn.scoring.manifest import MODEL_CARD
from churn.scoring.risk_bands import Bands
from churn.scoring.store_follower import load_version
from service.core.environment_settings import StoreSettings
from service.core.worker_metrics import ScoreMetrics

_EXAMPLE_ROW = 5


@dataclass(frozen=True)
class LoadedModel:
    """One version of the model, ready to answer.

    Attributes:
        scorer: scores customers.
        bands: name the risk band of a probability.
        golden: made-up customers, with the scores that they must get.
        published: when and how it went into production; None for a canary or a shadow.
        role: role of its answers: production, canary or shadow.
        metrics: counts its scores.
    """

    scorer: Scorer
    bands: Bands
    golden: tuple[GoldenRow, ...]
    published: Published | None
    role: Role
    metrics: ScoreMetrics

    @property
    def version(self) -> str:
        """Version of the model."""
        return self.scorer.version

    @cached_property
    def name(self) -> str:
        """Name of the model."""
        return self.scorer.manifest.model.name

    @property
    def contract(self) -> DataContract:
        """Data contract of the customers."""
        return self.scorer.contract

    @cached_property
    def reason_codes(self) -> ReasonCodes:
        """Reason codes of the model, prepared once."""
        scorer = self.scorer.row_scorer
        return ReasonCodes(scorer.features, scorer.contract, scorer.names)

    @cached_property
    def counterfactuals(self) -> CounterfactualSearch:
        """Search for what would lower a customer's risk, prepared once."""
        return CounterfactualSearch(self.scorer.row_scorer)

    @cached_property
    def example(self) -> dict[str, Any]:
        """A golden customer for the documentation, whose fields agree with each other."""
        return dict(self.golden[min(_EXAMPLE_ROW, len(self.golden) - 1)].row)

    def warm(self) -> None:
        """Scores and explains once on this thread, so that its first customer waits for nothing."""
        self.scorer.explain(self.golden[0].row)
        _ = self.reason_codes, self.counterfactuals

    def metadata(self) -> dict[str, Any]:
        """Everything that /metadata answers about the version."""
        manifest = self.scorer.manifest
        published = self.published
        return {
            "model": manifest.model.model_dump(mode="json"),
            "profile_note": profile_note(manifest.model.profile),
            "threshold": manifest.threshold.model_dump(mode="json"),
            "risk_bands": self.bands.bounds(),
            "metrics": manifest.metrics,
            "contract": manifest.contract.model_dump(mode="json"),
            "data_sha256": manifest.data_sha256,
            "git_commit": manifest.git_commit,
            "libraries": manifest.libraries,
            "trained_at": manifest.created.isoformat(),
            "promoted_at": published.at.isoformat() if published else None,
            "promoted_by": published.by if published else None,
            "promotion": published.action if published else None,
            "bundle_sha256": published.digest if published else None,
            "model_card": MODEL_CARD in manifest.files,
        }


def load_model(
    settings: StoreSettings,
    metrics_folder: Path,
    load_number: int,
    *,
    which: Published | str,
    role: Role = "production",
    serving: LoadedModel | None = None,
) -> LoadedModel:
    """Loads a version of a store and warms it, beside the version that serves meanwhile.

    Args:
        settings: name the store, and the folder for the copy of a remote bundle.
        metrics_folder: folder of the metrics files.
        load_number: how many versions this process has loaded, with this one.
        which: the version, or what the store's pointer says of it.
        role: role of its answers.
        serving: version that serves, whose data contract it must have; None if none does.

    Raises:
        ChurnError: there is no such bundle, or it cannot be used.
    """
    bundle = load_version(settings.store, which, settings.scratch_folder)
    fresh = bundle.scorer
    if serving is not None and fresh.contract.digest() != serving.contract.digest():
        raise BundleError(
            f"Version {fresh.version} has another data contract than {serving.version}, "
            "which callers rely on. Restart the service to serve it."
        )
    # Only now: /metrics reports every version that has a metrics file.
    metrics = ScoreMetrics(metrics_folder, load_number, fresh.version, role)
    model = LoadedModel(fresh, bundle.bands, bundle.golden, bundle.published, role, metrics)
    try:
        model.warm()
    except Exception:
        metrics.remove()
        raise
    return model
