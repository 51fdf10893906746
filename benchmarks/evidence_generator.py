"""Do generated customers stand in for real ones, and can they be told apart?

    python -m benchmarks.evidence_generator [--folds 5]

For both shipped contracts it prints Markdown tables. Whatever is judged on real customers learned from
others: the generator sees a fold's training rows only.

- ROC-AUC on the held-out rows of models that were trained on the fold's real rows, and of models that
  were trained on as many customers as that, and on 40,000, generated from them.
- ROC-AUC of a classifier that knows the outcome, too, and tells generated from real rows: held-out
  rows against as many generated from the others, and the whole table against as many generated from it.
- Shares of generated rows that equal a real row the generator saw, beside held-out real rows that do.
- The columns whose share or distribution function differs most.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator

import lightgbm
import numpy as np
from scipy.stats import rankdata
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from benchmarks.measuring import ROOT
from churn.contract import DataContract, load_contract
from churn.data import acquire
from churn.data.generator import GeneratedCustomers, GeneratedRows, GeneratorSettings
from churn.data.generator.snapshot_model import SnapshotModel
from churn.features.encoding import Columns, Floats, encode, encode_target, row_count, take
from churn.home import home
from churn.models.candidate import Target
from churn.models.recipe_catalog import build_candidates
from churn.models.recipe_settings import default_recipes

CONTRACTS = ("telco", "mlc_churn")
RECIPES = ("logistic", "spline_logistic", "gbm", "blend")
MANY = 40_000
SEED = 11


def generated(
    columns: Columns, target: Target, contract: DataContract, rows: int, seed: int = 7
) -> GeneratedRows:
    """Customers generated from these rows alone."""
    model = SnapshotModel.learn(columns, target, contract)
    return GeneratedCustomers(contract, GeneratorSettings(rows=rows, seed=seed), model).rows()


def folds(columns: Columns, target: Target, count: int) -> Iterator[tuple]:
    """Training and held-out rows of each fold."""
    cuts = StratifiedKFold(count, shuffle=True, random_state=SEED)
    for seen, held_out in cuts.split(target, target):
        yield take(columns, seen), target[seen], take(columns, held_out), target[held_out], held_out


def trained_on_generated(
    columns: Columns, target: Target, contract: DataContract, count: int
) -> dict[str, tuple[float, float, float]]:
    """ROC-AUC of each recipe, out of fold: learned from real rows, from as many generated, from many."""
    candidates = build_candidates(RECIPES, default_recipes(), contract)
    scores = {name: np.zeros((3, len(target))) for name in RECIPES}
    for seen, outcome, unseen, _, places in folds(columns, target, count):
        made = generated(seen, outcome, contract, MANY)
        fewer = take(made.columns, np.arange(len(outcome)))
        sides = ((seen, outcome), (fewer, made.target[: len(outcome)]), (made.columns, made.target))
        for name, candidate in candidates.items():
            for side, (x, y) in enumerate(sides):
                scores[name][side, places] = candidate.fit(x, y).logit(unseen)
    return {
        name: tuple(roc_auc_score(target, each) for each in sides) for name, sides in scores.items()
    }


def matrix(columns: Columns, target: Target) -> Floats:
    """Every column and the outcome side by side, and the ratios that a stranger would try."""
    every = {name: values.astype(float) for name, values in columns.items()}
    ratios = [every["TotalCharges"] / np.maximum(every["tenure"] * every["MonthlyCharges"], 1.0)] if "TotalCharges" in every else []  # fmt: skip
    for kind in ("day", "eve", "night", "intl"):
        if f"total_{kind}_charge" in every:
            minutes = np.maximum(every[f"total_{kind}_minutes"], 0.1)
            ratios.append(every[f"total_{kind}_charge"] / minutes)
    return np.column_stack([*every.values(), *ratios, target])


CLASSIFIERS: dict[str, Callable[[], object]] = {
    "LightGBM, 300 trees": lambda: lightgbm.LGBMClassifier(
        n_estimators=300, learning_rate=0.05, verbosity=-1, n_jobs=1, random_state=SEED
    ),
    "LightGBM, 60 trees": lambda: lightgbm.LGBMClassifier(
        n_estimators=60, learning_rate=0.05, num_leaves=15, verbosity=-1, n_jobs=1
    ),
    "random forest": lambda: RandomForestClassifier(
        300, min_samples_leaf=3, random_state=SEED, n_jobs=1
    ),
    "logistic regression": lambda: make_pipeline(
        StandardScaler(), LogisticRegression(max_iter=500)
    ),
}


def separability(real: Floats, made: Floats, classifier: Callable[[], object]) -> float:
    """ROC-AUC of a classifier between the two, five-fold cross-validated."""
    both = np.vstack([real, made])
    is_made = np.repeat([0, 1], [len(real), len(made)])
    score = np.zeros(len(both))
    for seen, rest in StratifiedKFold(5, shuffle=True, random_state=SEED).split(both, is_made):
        score[rest] = classifier().fit(both[seen], is_made[seen]).predict_proba(both[rest])[:, 1]
    return float(roc_auc_score(is_made, score))


def features(columns: Columns) -> list[tuple[float, ...]]:
    """Each row's features."""
    return list(zip(*(values.tolist() for values in columns.values()), strict=True))


def against_unseen(
    columns: Columns, target: Target, contract: DataContract, count: int = 2
) -> tuple[dict[str, float], float, float]:
    """Each classifier's ROC-AUC against rows that the generator had not seen; and the shares of copies."""
    found: dict[str, list[float]] = {name: [] for name in CLASSIFIERS}
    copies: list[tuple[float, float]] = []
    for seen, outcome, unseen, later, _ in folds(columns, target, count):
        made = generated(seen, outcome, contract, len(later))
        for name, classifier in CLASSIFIERS.items():
            real, fake = matrix(unseen, later), matrix(made.columns, made.target)
            found[name].append(separability(real, fake, classifier))
        known = set(features(seen))
        copies.append(
            tuple(
                np.mean([row in known for row in features(each)]) for each in (made.columns, unseen)
            )
        )
    shares = np.mean(copies, axis=0)
    return {name: float(np.mean(each)) for name, each in found.items()}, shares[0], shares[1]


def marginals(columns: Columns, made: Columns) -> list[tuple[float, str]]:
    """The largest difference of the two distribution functions of each column, largest first."""
    found = []
    for name, values in columns.items():
        ascending = [np.sort(each) for each in (values, made[name])]
        places = np.unique(np.concatenate(ascending))
        shares = [np.searchsorted(a, places, side="right") / len(a) for a in ascending]
        found.append((float(np.abs(shares[0] - shares[1]).max()), name))
    return sorted(found, reverse=True)


def dependence(columns: Columns, made: Columns) -> float:
    """The largest difference of two columns' rank correlation."""
    both = [
        np.column_stack([rankdata(values) for values in each.values()]) for each in (columns, made)
    ]
    return float(np.abs(np.subtract(*(np.corrcoef(ranks.T) for ranks in both))).max())


def report(name: str, count: int) -> None:
    """Prints one contract's tables."""
    contract = load_contract(ROOT / "data" / "contracts" / f"{name}.yaml")
    frame = acquire("bundled", contract, root=ROOT, cache=home() / "downloads").frame
    columns, target = encode(frame, contract), encode_target(frame, contract)
    print(f"\n## {name}: {len(target):,} customers\n")
    print("| trained on | real rows | as many generated | 40,000 generated |\n|---|---|---|---|")
    for recipe, figures in trained_on_generated(columns, target, contract, count).items():
        print(f"| {recipe} | {' | '.join(f'{each:.4f}' for each in figures)} |", flush=True)
    unseen, copies, chance = against_unseen(columns, target, contract)
    made = generated(columns, target, contract, len(target))
    print("\n| told apart by | from unseen rows | from the snapshot |\n|---|---|---|")
    for classifier, build in CLASSIFIERS.items():
        real, fake = matrix(columns, target), matrix(made.columns, made.target)
        print(
            f"| {classifier} | {unseen[classifier]:.3f} | {separability(real, fake, build):.3f} |",
            flush=True,
        )
    print(
        f"\ncopies of a seen row: {copies:.2%} of generated rows, {chance:.2%} of unseen real rows"
    )
    many = generated(columns, target, contract, 200_000)
    largest = ", ".join(
        f"{column} {gap:.3f}" for gap, column in marginals(columns, many.columns)[:4]
    )
    noise = 1.36 / np.sqrt(row_count(columns))
    print(f"largest differences of a distribution function: {largest} (noise: {noise:.3f})")
    print(f"largest difference of a rank correlation: {dependence(columns, many.columns):.3f}")
    print(f"share who leave: {target.mean():.4f}, generated {many.probability.mean():.4f}")


def main() -> None:
    """Prints both contracts' tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--only", choices=CONTRACTS)
    options = parser.parse_args()
    for name in (options.only,) if options.only else CONTRACTS:
        report(name, options.folds)


if __name__ == "__main__":
    main()
