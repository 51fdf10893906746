"""What tuning and the network are worth: nested, beside the frozen recipes, on the same folds.

    python -m benchmarks.evidence_tuning [--seed 7] [--skip NAME ...]

Prints Markdown: every candidate under the nested protocol, which beats which, and the CPU-seconds that
one fit took. The folds are those of the protocol's first repeat.
"""

from __future__ import annotations

import argparse
import time
from collections import defaultdict
from dataclasses import dataclass

from benchmarks.measuring import ROOT
from churn.contract import DataContract, load_contract
from churn.data import acquire
from churn.evaluation.plan import ProtocolPlan
from churn.evaluation.protocol import ProtocolReport
from churn.features.encoding import Columns, encode, encode_target
from churn.home import home
from churn.models import recipe_catalog as catalog
from churn.models.candidate import Candidate, FittedModel, Target
from churn.models.recipe_settings import (
    RecipeSettings,
    TunedSettings,
    deep_recipes,
    default_recipes,
)
from churn.tuning.nested import nested_protocol
from churn.tuning.tuned_candidate import TunedCandidate

NAMES = ("logistic", "spline_logistic", "gbm", "blend", "tabular_net", "deep_blend")
TUNED = ("tuned_gbm", "tuned_tabular_net")
PAIRS = (
    ("tabular_net", "gbm"),
    ("tabular_net", "blend"),
    ("deep_blend", "blend"),
    ("tuned_gbm", "gbm"),
    ("tuned_tabular_net", "tabular_net"),
)
SPENT: dict[str, list[float]] = defaultdict(list)


@dataclass(frozen=True)
class Timed:
    """A candidate whose fits are timed, in CPU-seconds of this process."""

    name: str
    candidate: Candidate

    def fit(self, columns: Columns, target: Target) -> FittedModel:
        """Learns from n rows."""
        began = time.process_time()
        fitted = self.candidate.fit(columns, target)
        SPENT[self.name].append(time.process_time() - began)
        return fitted


def timed(name: str, settings: RecipeSettings, contract: DataContract) -> Candidate:
    """The candidate of a recipe, timed."""
    tuned = isinstance(settings, TunedSettings)
    build = TunedCandidate.of if tuned else catalog.build_single
    return Timed(name, build(name, settings, contract))  # type: ignore[arg-type]


def table(report: ProtocolReport) -> str:
    """The candidates as Markdown, best first."""
    lines = ["| recipe | ROC-AUC | 95% interval | gained over `logistic` | log loss | a fit |"]
    lines.append("|---|---|---|---|---|---|")
    for result in report.ranking:
        gained, bounds = result.against_baseline, result.roc_auc_interval
        shown = f"{gained.difference:+.4f} ({gained.interval.span('+.4f')})" if gained else ""
        spent = SPENT[result.name]
        cost = f"{sum(spent) / len(spent):.1f} s" if spent else "its members'"
        lines.append(
            f"| `{result.name}` | {result.metrics.roc_auc:.4f} | {bounds.span() if bounds else ''} "
            f"| {shown} | {result.metrics.log_loss:.4f} | {cost} |"
        )
    return "\n".join(lines)


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--skip", nargs="*", default=[], help="recipes to leave out")
    options = parser.parse_args()
    contract = load_contract(ROOT / "data" / "contracts" / "telco.yaml")
    customers = acquire("bundled", contract, root=ROOT, cache=home() / "downloads")
    names = [name for name in (*NAMES, *TUNED) if name not in options.skip]
    recipes = default_recipes() | deep_recipes()
    began = time.process_time()
    report = nested_protocol(
        catalog.build_candidates(names, recipes, contract, builder=timed),
        encode(customers.frame, contract),
        encode_target(customers.frame, contract),
        ProtocolPlan(seed=options.seed),
        baseline="logistic",
    )
    print(table(report), "\n")
    for pair in PAIRS:
        if set(pair) <= set(names):
            print("-", report.compare(*pair).sentence)
    print(f"\n{time.process_time() - began:.0f} CPU-seconds in all.")


if __name__ == "__main__":
    main()
