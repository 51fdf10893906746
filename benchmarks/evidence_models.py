"""What the shipped recipes' open choices are worth: each alternative on the same folds.

    python -m benchmarks.evidence_models [--repeats 5] [--seed 11]

Prints a Markdown table of the alternatives against what ships. The cuts use another seed than the
protocol's, so that the folds which judge the recipes have not shaped them.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import lightgbm
import numpy as np
from numpy.typing import NDArray

from benchmarks.measuring import ROOT
from churn.contract import load_contract
from churn.data import acquire
from churn.evaluation.plan import ProtocolPlan
from churn.evaluation.protocol import ProtocolReport, run_protocol
from churn.features.encoding import Columns, encode, encode_target
from churn.home import home
from churn.models.candidate import Candidate
from churn.models.recipe_catalog import build_candidates
from churn.models.recipe_settings import (
    BlendSettings,
    GbmSettings,
    RecipeSettings,
    SplineLogisticSettings,
    default_recipes,
)
from churn.models.trees.gbm import GbmCandidate

Matrix = NDArray[np.float64]

SHIPPED = {"gbm": "gbm", "spline_logistic": "spline_logistic", "blend": "blend"}
ALTERNATIVES: Mapping[str, tuple[str, RecipeSettings]] = {
    "gbm, depth 2": ("gbm", GbmSettings(depth=2)),
    "gbm, depth 4": ("gbm", GbmSettings(depth=4)),
    "gbm, tenure not monotone": ("gbm", GbmSettings(monotone_tenure=False)),
    "gbm, commitment": ("gbm", GbmSettings(features=("commitment",))),
    "spline_logistic, table's columns only": (
        "spline_logistic",
        SplineLogisticSettings(features=()),
    ),
    "spline_logistic, tenure buckets": (
        "spline_logistic",
        SplineLogisticSettings(features=("tenure",)),
    ),
}
BLENDS = {
    "blend, gbm of depth 2": ("spline_logistic", "gbm, depth 2"),
    "blend, tenure not monotone": ("spline_logistic", "gbm, tenure not monotone"),
    "blend, commitment in both": ("spline_logistic", "gbm, commitment"),
    "blend, table's columns only": ("spline_logistic, table's columns only", "gbm"),
    "blend, tenure buckets": ("spline_logistic, tenure buckets", "gbm"),
}
ENCODINGS = {"gbm, native categories": "native", "gbm, one-hot categories": "one-hot"}


@dataclass(frozen=True)
class Scored:
    """Trees over a matrix that is built otherwise than the shipped one."""

    booster: lightgbm.Booster
    matrix: Callable[[Columns], Matrix]
    kind: str = "evidence"

    def logit(self, columns: Columns) -> Matrix:
        """Log-odds, float64[n]."""
        score = self.booster.predict(self.matrix(columns), raw_score=True, num_threads=1)
        return np.asarray(score)


@dataclass(frozen=True)
class OtherEncoding:
    """The shipped trees, with categories handed to LightGBM in another way."""

    name: str
    like: GbmCandidate
    native: bool

    def fit(self, columns: Columns, target: NDArray[Any]) -> Scored:
        """Learns from n rows."""
        names: list[str] = []
        many: list[int] = []
        for column in self.like.inputs.order:
            width = self.like.inputs.categories.get(column, 0)
            if width > 2 and self.native:  # noqa: PLR2004 - a flag needs no encoding
                many.append(len(names))
            names += [column] * (width if width > 2 and not self.native else 1)  # noqa: PLR2004
        parameters = self.like.parameters(tuple(names))
        rows = lightgbm.Dataset(
            self._matrix(columns),
            label=target,
            params=parameters,
            categorical_feature=many or "auto",
        )
        rounds = self.like.settings.trees
        return Scored(lightgbm.train(parameters, rows, num_boost_round=rounds), self._matrix)

    def _matrix(self, columns: Columns) -> Matrix:
        blocks = []
        for column in self.like.inputs.order:
            width = self.like.inputs.categories.get(column, 0)
            values = columns[column]
            spread = width > 2 and not self.native  # noqa: PLR2004
            blocks.append(np.eye(width)[values] if spread else values[:, None].astype(float))
        return np.concatenate(blocks, axis=1)


def table(report: ProtocolReport, references: Mapping[str, str]) -> str:
    """The comparison as Markdown."""
    lines = ["| recipe | ROC-AUC | against what ships | 95% interval | log loss |"]
    lines.append("|---|---|---|---|---|")
    for result in report.candidates:
        gained, span = "ships", ""
        if result.name not in SHIPPED:
            paired = report.compare(result.name, references[result.name])
            gained, span = f"{paired.difference:+.4f}", paired.interval.span("+.4f")
            gained = gained if paired.covers_zero else f"**{gained}**"
        metrics = result.metrics
        lines.append(
            f"| {result.name} | {metrics.roc_auc:.4f} | {gained} | {span} "
            f"| {metrics.log_loss:.4f} |"
        )
    return "\n".join(lines)


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--seed", type=int, default=11)
    options = parser.parse_args()
    contract = load_contract(ROOT / "data" / "contracts" / "telco.yaml")
    customers = acquire("bundled", contract, root=ROOT, cache=home() / "downloads")

    recipes = default_recipes() | {name: recipe for name, (_, recipe) in ALTERNATIVES.items()}
    recipes |= {name: BlendSettings(members=members) for name, members in BLENDS.items()}
    names = [*SHIPPED, *ALTERNATIVES, *BLENDS]
    candidates: dict[str, Candidate] = dict(build_candidates(names, recipes, contract))
    shipped = candidates["gbm"]
    assert isinstance(shipped, GbmCandidate)  # noqa: S101
    for name, way in ENCODINGS.items():
        candidates[name] = OtherEncoding(name, shipped, native=way == "native")  # type: ignore[assignment]
    references = {name: reference for name, (reference, _) in ALTERNATIVES.items()}
    references |= dict.fromkeys(BLENDS, "blend") | dict.fromkeys(ENCODINGS, "gbm")
    plan = ProtocolPlan(
        folds=options.folds, repeats=options.repeats, seed=options.seed, bootstrap_samples=0
    )
    report = run_protocol(
        candidates,
        encode(customers.frame, contract),
        encode_target(customers.frame, contract),
        plan,
        baseline="gbm",
    )
    print(table(report, references))


if __name__ == "__main__":
    main()
