"""A bundle as the service holds it: verified, warm, never changed, with all that an answer needs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from churn.contract import DataContract
from churn.explain.counterfactuals import CounterfactualSearch
from churn.explain.reasons import ReasonCodes
from churn.ledger.predictions import Role
from churn.scoring import GoldenRow, Published, Scorer, bundle_folder, read_golden
from churn.scoring.bands import Bands
from churn.scoring.current import CURRENT, read_current
from churn.scoring.encoder import Row, RowEncoder, Values
from churn.scoring.manifest import MODEL_CARD
from churn.scoring.remote import local_copy
from service.core.worker_metrics import ScoreMetrics

_EXAMPLE_MONTHS = 5


@dataclass(frozen=True)
class LoadedModel:
    """One version, ready to answer.

    Attributes:
        scorer: scores.
        bands: name a probability.
        golden: customers that do not exist, with the scores they must get.
        published: when it went into production and as what; None for a canary or a shadow.
        role: what its answers are.
        encode: makes the values that the input hash is of.
        metrics: where its scores are counted.
    """

    scorer: Scorer
    bands: Bands
    golden: tuple[GoldenRow, ...]
    published: Published | None
    role: Role
    metrics: ScoreMetrics
    encode: Callable[[Row], Values]

    @property
    def version(self) -> str:
        """Of the model."""
        return self.scorer.version

    @property
    def contract(self) -> DataContract:
        """What a customer's fields mean."""
        return self.scorer.contract

    @cached_property
    def reason_codes(self) -> ReasonCodes:
        """The model's reasons, made ready once."""
        scorer = self.scorer.row_scorer
        return ReasonCodes(scorer.features, scorer.contract, scorer.names)

    @cached_property
    def counterfactuals(self) -> CounterfactualSearch:
        """What would lower a customer's risk, made ready once."""
        return CounterfactualSearch(self.scorer.row_scorer)

    @cached_property
    def example(self) -> dict[str, Any]:
        """A golden customer to show: the one whose fields agree best with each other."""
        row = dict(self.golden[min(_EXAMPLE_MONTHS, len(self.golden) - 1)].row)
        return row

    def warm(self) -> None:
        """Scores and explains once on this thread: its first customer finds everything in place."""
        self.scorer.explain(self.golden[0].row)
        _ = self.reason_codes, self.counterfactuals

    def metadata(self) -> dict[str, Any]:
        """All that /metadata tells of it."""
        manifest = self.scorer.manifest
        published = self.published
        return {
            "model": manifest.model.model_dump(mode="json"),
            "threshold": manifest.threshold.model_dump(mode="json"),
            "risk_bands": self.bands.bounds(),
            "metrics": manifest.metrics,
            "contract": manifest.contract.model_dump(mode="json"),
            "data_sha256": manifest.data_sha256,
            "git_commit": manifest.git_commit,
            "libraries": manifest.libraries,
            "trained_at": manifest.created.isoformat(),
            "promoted_at": published.at.isoformat() if published else None,
            "promoted_by": published.action if published else None,
            "bundle_sha256": published.digest if published else None,
            "model_card": MODEL_CARD in manifest.files,
        }


def load_model(
    store: str,
    metrics_folder: Path,
    turn: int,
    *,
    version: str | None = None,
    role: Role = "production",
) -> LoadedModel:
    """Loads a version of a store; takes as long as it takes, beside whatever serves now.

    Args:
        store: a folder, or a URI for fsspec.
        metrics_folder: folder where its scores are counted.
        turn: how many were loaded before, in this process.
        version: of the store; None for the one in production.
        role: what its answers will be.

    Raises:
        BundleError: there is none, or it is not fit to be served.
    """
    where = store if version is None else f"{store.rstrip('/')}/bundles/{version}"
    with local_copy(where) as folder:
        published = read_current(folder) if version is None else None
        bundle = bundle_folder(folder, published.version) if published else folder
        # By the pointer where there is one: its digest of the manifest is held against the bundle.
        scorer = Scorer.load(folder if published else bundle)
        bands = Bands.read(bundle, scorer.threshold)
        golden = tuple(read_golden(bundle))
    served = LoadedModel(
        scorer,
        bands,
        golden,
        published,
        role,
        ScoreMetrics(metrics_folder, turn, scorer.version, role),
        RowEncoder(scorer.contract).encode,
    )
    served.warm()
    return served


def pointer(store: str) -> bytes:
    """The pointer's bytes, to be compared; empty where there is none or it cannot be reached."""
    try:
        if "://" not in store:
            return (Path(store) / CURRENT).read_bytes()
        import fsspec  # type: ignore[import-untyped]

        with fsspec.open(f"{store.rstrip('/')}/{CURRENT}", "rb") as file:
            content: bytes = file.read()
            return content
    except Exception:  # noqa: BLE001 - each file system of fsspec has its own exceptions
        return b""
