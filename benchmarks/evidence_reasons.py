"""What explanations cost, how stable reasons are, and how far counterfactuals reach.

    python -m benchmarks.evidence_reasons [--repeats 7] [--samples 20] [--pictures docs/images]
    python -m benchmarks.evidence_reasons --json

Prints Markdown tables for docs/explanations.md; with --pictures it draws that page's pictures
instead, with --json it prints the costs' ratios alone. Models are the shipped recipes fitted on all 7,043 rows. Costs are CPU seconds of this
process on one thread; what is compared alternates, so that a busy machine slows both alike.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import lightgbm
import numpy as np

from benchmarks.measuring import ROOT
from churn.contract import DataContract, load_contract
from churn.data import acquire
from churn.explain.counterfactuals import CounterfactualSearch, counterfactuals
from churn.explain.explanation_settings import ExplanationSettings
from churn.explain.overview import explain
from churn.explain.reason_stability import reason_stability
from churn.explain.reasons import ReasonCodes, reason_codes
from churn.features.encoding import Columns, encode, encode_target, take
from churn.home import home
from churn.models.blend import BlendModel
from churn.models.candidate import Candidate, FittedModel, Target
from churn.models.recipe_catalog import build_candidates, fit_all
from churn.models.recipe_settings import default_recipes
from churn.models.trees.gbm import GbmModel, feature_matrix
from churn.reports.charts.chart_style import as_png
from churn.reports.charts.explanation_charts import explanation_charts
from churn.scoring.encoder import Values
from churn.scoring.fast.row_scorer import RowScorer

GOAL = 1.2
NAMES = ("spline_logistic", "gbm", "blend")
_THRESHOLD = 0.3
_EVERY = 14  # of the customers, where each is asked about alone


def trees_of(model: FittedModel) -> GbmModel:
    """The trees in a model, whose bare contributions are the yardstick."""
    if isinstance(model, BlendModel):
        return next(each for each in model.members.values() if isinstance(each, GbmModel))
    assert isinstance(model, GbmModel)  # noqa: S101
    return model


def cost(work: Callable[[], object]) -> float:
    """CPU seconds of one call."""
    began = time.process_time()
    work()
    return time.process_time() - began


@dataclass(frozen=True)
class ReasonCosts:
    """What one model's reason codes cost, round by round.

    Attributes:
        model: The recipe's name.
        reasons: CPU seconds of reason codes, sentences included.
        bare: CPU seconds of LightGBM's bare pred_contrib on the same rows.
    """

    model: str
    reasons: tuple[float, ...]
    bare: tuple[float, ...]

    @property
    def ratios(self) -> tuple[float, ...]:
        """Each round's cost over the bare one."""
        return tuple(reasons / bare for reasons, bare in zip(self.reasons, self.bare, strict=True))


def reason_costs(
    models: Mapping[str, FittedModel], columns: Columns, contract: DataContract, repeats: int
) -> Iterator[ReasonCosts]:
    """Measures the models whose reasons come from trees, alternating with the bare contributions."""
    for name in ("gbm", "blend"):
        trees = trees_of(models[name])
        matrix = feature_matrix(columns, trees.features, trees.categories, slice(None))
        model, booster = models[name], lightgbm.Booster(model_str=trees.trees.text)
        reasons, bare = [], []
        for _ in range(repeats):
            reasons.append(cost(lambda model=model: reason_codes(model, columns, contract)))
            bare.append(
                cost(
                    lambda booster=booster, matrix=matrix: booster.predict(
                        matrix, pred_contrib=True, num_threads=1
                    )
                )
            )
        yield ReasonCosts(name, tuple(reasons), tuple(bare))


def cost_table(costs: Iterable[ReasonCosts]) -> str:
    """Reason codes, sentences included, against LightGBM's bare pred_contrib on the same rows."""
    lines = ["| model | reason codes | bare `pred_contrib` | ratio | range | goal |"]
    lines.append("|---|---|---|---|---|---|")
    for each in costs:
        middle = float(np.median(each.ratios))
        lines.append(
            f"| {each.model} | {np.median(each.reasons):.2f} s | {np.median(each.bare):.2f} s "
            f"| {middle:.2f} | {min(each.ratios):.2f} to {max(each.ratios):.2f} "
            f"| {GOAL}: {'met' if middle <= GOAL else 'MISSED'} |"
        )
    return "\n".join(lines)


def single_costs(
    models: Mapping[str, FittedModel], columns: Columns, contract: DataContract
) -> str:
    """Milliseconds for one customer at a time, from the values that the service has."""
    lines = ["| model | score | reasons | counterfactuals |", "|---|---|---|---|"]
    some = take(columns, np.arange(0, len(columns["tenure"]), _EVERY))
    for name in NAMES:
        scorer = RowScorer(models[name], contract)
        codes = ReasonCodes(scorer.features, contract, scorer.names)
        search = CounterfactualSearch(scorer)
        customers = [(values, scorer.logit(values)) for values in scorer.table_values(some)]
        works: Sequence[Callable[[Values, float], object]] = (
            lambda values, _, scorer=scorer: scorer.logit(values),
            lambda values, _, scorer=scorer, codes=codes: codes.customer(
                values, scorer.contributions(values)
            ),
            lambda values, logit, search=search: search.customer(values, logit),
        )
        spent = []
        for work in works:
            work(*customers[0])  # whatever is prepared at first use
            total = cost(lambda work=work, each=customers: [work(*customer) for customer in each])
            spent.append(1000 * total / len(customers))
        lines.append(f"| {name} | " + " | ".join(f"{each:.2f} ms" for each in spent) + " |")
    return "\n".join(lines)


def stability(
    candidates: Mapping[str, Candidate],
    models: Mapping[str, FittedModel],
    columns: Columns,
    target: Target,
    contract: DataContract,
    samples: int,
) -> str:
    """Whether customers keep their reasons when the recipe sees other customers."""
    lines = ["| model | first stays | worst sample | first stays in 9 of 10 | top 3 overlap "]
    lines[0] += "| top 3 same | CPU |"
    lines.append("|---|---|---|---|---|---|---|")
    for name in NAMES:
        began = time.process_time()
        stable = reason_stability(
            candidates[name],
            models[name],
            columns,
            target,
            contract,
            ExplanationSettings(samples=samples),
        )
        spent = time.process_time() - began
        lines.append(
            f"| {name} | {stable.first_same:.0%} | {stable.first_same_lowest:.0%} "
            f"| {stable.first_steady:.0%} | {stable.overlap:.0%} | {stable.set_same:.0%} "
            f"| {spent:.1f} s |"
        )
    return "\n".join(lines)


def reach(model: FittedModel, columns: Columns, contract: DataContract) -> str:
    """How often something on offer lowers the risk, and below a threshold."""
    risky, reached = 0, 0
    some = take(columns, np.arange(0, len(columns["tenure"]), _EVERY))
    helped = [bool(answer.found) for answer in counterfactuals(model, some, contract)]
    for answer in counterfactuals(model, some, contract, threshold=_THRESHOLD):
        risky += answer.risk >= _THRESHOLD
        reached += answer.risk >= _THRESHOLD and answer.reached
    return (
        f"Of {len(helped)} customers something on offer lowers the risk by half a point or more "
        f"for {np.mean(helped):.0%}; of {risky} at {_THRESHOLD:.0%} or above, {reached} "
        f"({reached / risky:.0%}) can be brought below it by one change or two."
    )


def longer_terms(models: Mapping[str, FittedModel], columns: Columns) -> str:
    """For how many customers a longer contract lowers the risk."""
    lines = ["| model | one year below month to month | two years below one |", "|---|---|---|"]
    rows = len(columns["tenure"])
    for name, model in models.items():
        scores = [
            model.logit({**columns, "Contract": np.full(rows, term, dtype=np.int8)})
            for term in range(3)
        ]
        first, second = ((scores[i + 1] < scores[i]).mean() for i in range(2))
        lines.append(f"| {name} | {first:.1%} | {second:.1%} |")
    return "\n".join(lines)


def prices(columns: Columns, contract: DataContract) -> str:
    """What each service adds to a bill, by least squares over the table."""
    counted = [(c, v) for c in contract.coded if c.prices for v in c.yes]
    design = [columns[c.name] == c.categories.index(v) for c, v in counted]
    matrix = np.column_stack([np.ones(len(columns["tenure"])), *design]).astype(float)
    bill = columns["MonthlyCharges"]
    price_list, *_ = np.linalg.lstsq(matrix, bill, rcond=None)
    off = bill - matrix @ price_list
    lines = ["| service | USD per month | in the contract |", "|---|---|---|"]
    for (column, value), price in zip(counted, price_list[1:], strict=True):
        stated = column.prices[column.categories.index(value)]
        lines.append(f"| {column.name}: {value} | {price:.2f} | {stated:g} |")
    lines.append("")
    lines.append(
        f"Constant {price_list[0]:.2f}; R2 {1 - off.var() / bill.var():.4f}; largest error "
        f"{np.abs(off).max():.2f} USD."
    )
    return "\n".join(lines)


def draw(
    models: Mapping[str, FittedModel], columns: Columns, contract: DataContract, folder: Path
) -> None:
    """Writes the pictures of docs/explanations.md."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, pictures in (("blend", ()), ("spline_logistic", ("interaction",))):
        report = explain(models[name], columns, contract, name=name)
        for picture, figure in explanation_charts(report).items():
            if not pictures or picture in pictures:
                path = folder / f"explanations-{name}-{picture}.png"
                path.write_bytes(as_png(figure, dots_per_inch=120))
                print(f"{path} {path.stat().st_size / 1000:.0f} kB")
        print(*report.sentences, sep="\n")


def main() -> None:
    """Measures and prints, or draws."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--samples", type=int, default=20)
    parser.add_argument("--pictures", type=Path)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    contract = load_contract(ROOT / "data" / "contracts" / "telco.yaml")
    customers = acquire("bundled", contract, root=ROOT, cache=home() / "downloads")
    columns = encode(customers.frame, contract)
    target = encode_target(customers.frame, contract)
    recipes = default_recipes()
    candidates = build_candidates(list(recipes), recipes, contract)
    models = fit_all(candidates, columns, target)
    if options.pictures is not None:
        draw(models, columns, contract, options.pictures)
        return
    costs = reason_costs(models, columns, contract, options.repeats)
    if options.json:
        print(json.dumps({each.model: each.ratios for each in costs}))
        return
    for title, text in (
        ("Reason codes of 7,043 customers", cost_table(costs)),
        ("One customer", single_costs(models, columns, contract)),
        (
            f"Stability over {options.samples} bootstrap samples",
            stability(candidates, models, columns, target, contract, options.samples),
        ),
        ("Reach of counterfactuals, blend", reach(models["blend"], columns, contract)),
        ("Longer contracts", longer_terms(models, columns)),
        ("Prices", prices(columns, contract)),
    ):
        print(f"\n**{title}**\n\n{text}")


if __name__ == "__main__":
    main()
