"""Does an engineered feature group help? Each recipe with and without it, on the same folds.

    python -m benchmarks.evidence_features [--repeats 5] [--seed 11]

Prints a Markdown table. The cuts use another seed than the protocol's, so that the folds which
judge the recipes have not chosen their features.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable

from benchmarks.measuring import ROOT
from churn.contract import load_contract
from churn.data import acquire
from churn.evaluation.plan import ProtocolPlan
from churn.evaluation.protocol import ProtocolReport, run_protocol
from churn.features.encoding import encode, encode_target
from churn.features.groups import GROUPS, FeatureGroup
from churn.home import home
from churn.models.recipe_catalog import build_candidates
from churn.models.recipe_settings import RecipeSettings, default_recipes

RECIPES = ("logistic", "spline_logistic", "gbm")
NONE = "none"


def variants() -> dict[str, RecipeSettings]:
    """Every recipe without engineered columns, with each group alone, and with all of them."""
    defaults = default_recipes()
    made: dict[str, RecipeSettings] = {}
    for recipe in RECIPES:
        for label, groups in choices():
            settings = defaults[recipe].model_copy(update={"features": groups})
            made[f"{recipe} {label}"] = settings
    return made


def choices() -> Iterable[tuple[str, tuple[FeatureGroup, ...]]]:
    """Label and groups of every variant."""
    yield NONE, ()
    for group in GROUPS:
        yield group, (group,)
    yield "all", GROUPS


def table(report: ProtocolReport) -> str:
    """The comparison as Markdown: per recipe and group, what the group gains over none."""
    lines = [
        "| recipe | engineered columns | ROC-AUC | gained | 95% interval | log loss |",
        "|---|---|---|---|---|---|",
    ]
    for recipe in RECIPES:
        for label, _ in choices():
            name, plain = f"{recipe} {label}", f"{recipe} {NONE}"
            metrics = report.result(name).metrics
            gained, span = "", ""
            if label != NONE:
                paired = report.compare(name, plain)
                gained, span = f"{paired.difference:+.4f}", paired.interval.span("+.4f")
                if not paired.covers_zero:
                    gained = f"**{gained}**"
            lines.append(
                f"| {recipe} | {label} | {metrics.roc_auc:.4f} | {gained} | {span} "
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
    recipes = variants()
    plan = ProtocolPlan(
        folds=options.folds, repeats=options.repeats, seed=options.seed, bootstrap_samples=0
    )
    report = run_protocol(
        build_candidates(list(recipes), recipes, contract),
        encode(customers.frame, contract),
        encode_target(customers.frame, contract),
        plan,
        baseline=f"{RECIPES[0]} {NONE}",
    )
    print(table(report))


if __name__ == "__main__":
    main()
