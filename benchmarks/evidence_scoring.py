"""What a score costs, beside scikit-learn and LightGBM's own interface on the same model.

    OMP_NUM_THREADS=1 python -m benchmarks.evidence_scoring [--rows 1000000]

Prints a Markdown table of CPU time per customer. Every path scores the same customers with the
same fitted model, and the table is only printed where all of them agree.
"""

from __future__ import annotations

import argparse
import gc
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import lightgbm
import numpy as np
import pandas as pd

from benchmarks.measuring import ROOT, BenchmarkError, own_environment, run
from churn.contract import DataContract, NumberColumn, load_contract
from churn.data import acquire
from churn.features.encoding import Columns, encode, encode_target, take
from churn.features.transformer import FeatureFormulas
from churn.home import home
from churn.models.recipe_catalog import build_candidates
from churn.models.recipe_settings import SplineLogisticSettings, default_recipes
from churn.models.trained import TrainedModel
from churn.models.trees.gbm import GbmModel
from churn.scoring.bundle import Threshold, bundle_folder, publish, write_bundle
from churn.scoring.encoder import RowEncoder
from churn.scoring.scorer import Scorer

ROUNDS = 5
FEW = 300  # one-row calls of the slow peers
AT_ONCE = 100_000  # the peers' matrices are wide; a million rows at once would not fit everywhere
CLOSE = 1e-8
Row = dict[str, Any]
# The peak is read where Linux counts it anew for each program; getrusage's includes the parent's.
LOADING = """
import re, sys, time
from pathlib import Path
from churn.scoring import Scorer
Scorer.load(sys.argv[1])
peak = re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())
print(time.process_time(), int(peak[1]) * 1024)
"""


class Peer:
    """The blend in scikit-learn's own words, on a pandas table of raw values."""

    def __init__(self, contract: DataContract, table: pd.DataFrame, target: Any, trees: GbmModel):
        from sklearn.compose import make_column_transformer
        from sklearn.linear_model import LogisticRegression
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, SplineTransformer

        settings = default_recipes()["spline_logistic"]
        assert isinstance(settings, SplineLogisticSettings)  # noqa: S101
        coded = [column.name for column in contract.coded]
        numbers = [column.name for column in contract.numbers]
        categories = [list(column.categories) for column in contract.coded]
        splines = SplineTransformer(
            n_knots=settings.knots, degree=3, knots="quantile", extrapolation="constant"
        )
        formulas = make_pipeline(
            FeatureFormulas(contract, settings.features), OneHotEncoder(categories=[[0.0, 1.0]])
        )
        self.additive = make_pipeline(
            make_column_transformer(
                (OneHotEncoder(categories=categories), coded),
                (splines, numbers),
                (formulas, [column.name for column in contract.features]),
                sparse_threshold=0,
            ),
            LogisticRegression(C=settings.c, solver="newton-cholesky", tol=1e-12),
        ).fit(table, target)
        self.matrix = make_column_transformer(
            (OrdinalEncoder(categories=categories), coded), ("passthrough", numbers)
        ).fit(table)
        self.order = [[*coded, *numbers].index(name) for name in trees.features]
        self.booster = lightgbm.Booster(model_str=trees.trees.text)

    def logit(self, table: pd.DataFrame) -> Any:
        """Log-odds, float64[n]."""
        matrix = self.matrix.transform(table)[:, self.order]
        trees = self.booster.predict(matrix, raw_score=True, num_threads=1)
        return (self.additive.decision_function(table) + trees) / 2


class BoosterPath:
    """The trees by the same encoder and `lightgbm.Booster.predict`, a customer at a time."""

    def __init__(self, contract: DataContract, trees: GbmModel) -> None:
        self.encoder = RowEncoder(contract)
        self.booster = lightgbm.Booster(model_str=trees.trees.text)
        self._places = [self.encoder.names.index(name) for name in trees.features]

    def matrix(self, row: Row) -> Any:
        """A customer as the trees see it, float64[1, features]."""
        values = self.encoder.encode(row)
        return np.array([[values[place] for place in self._places]])

    def logit(self, row: Row) -> float:
        """Log-odds."""
        matrix = self.matrix(row)
        return float(self.booster.predict(matrix, raw_score=True, num_threads=1)[0])  # type: ignore[index]


@dataclass(frozen=True)
class Shipped:
    """The blend and its trees as they ship, fitted on the bundled customers.

    Attributes:
        columns, target: all customers as models see them.
        models: name -> the fitted model, `blend` and `gbm`.
        scorers: name -> the scorer of its bundle.
    """

    contract: DataContract
    columns: Columns
    target: Any
    models: dict[str, TrainedModel]
    scorers: dict[str, Scorer]

    @property
    def trees(self) -> GbmModel:
        """The fitted trees alone."""
        return cast(GbmModel, self.models["gbm"].model)

    def peer(self) -> Peer:
        """The same blend in scikit-learn."""
        member = self.models["blend"].model.members["gbm"]  # type: ignore[attr-defined]
        return Peer(self.contract, as_table(self.columns, self.contract), self.target, member)


def fit_shipped(folder: Path) -> Shipped:
    """Fits both recipes, and publishes each in a store of its own in a folder."""
    contract = load_contract(ROOT / "data" / "contracts" / "telco.yaml")
    data = acquire("bundled", contract, root=ROOT, cache=home() / "downloads")
    columns, target = encode(data.frame, contract), encode_target(data.frame, contract)
    recipes = default_recipes()
    models: dict[str, TrainedModel] = {}
    scorers: dict[str, Scorer] = {}
    for name in ("blend", "gbm"):
        models[name] = TrainedModel.train(
            build_candidates([name], recipes, contract)[name], columns, target,
            contract=contract, data_sha256=data.source.sha256, settings=recipes[name],
        )  # fmt: skip
        bundle = write_bundle(
            bundle_folder(folder / name, "1"), models[name], columns, name="churn",
            version="1", threshold=Threshold(value=0.5, basis="benchmark"), metrics={},
        )  # fmt: skip
        publish(folder / name, "1")
        scorers[name] = Scorer.load(bundle)
    return Shipped(contract, columns, target, models, scorers)


def microseconds(work: Callable[[], object], customers: int, rounds: int = ROUNDS) -> float:
    """Median CPU time of some rounds, per customer."""
    costs = []
    gc.collect()
    for _ in range(rounds):
        began = time.process_time()
        work()
        costs.append((time.process_time() - began) / customers * 1e6)
    return statistics.median(costs)


def generated(columns: Columns, rows: int) -> Columns:
    """Customers drawn column by column, so that hardly any is alike."""
    generator = np.random.default_rng(5)
    some = len(next(iter(columns.values())))
    return {
        name: values[generator.integers(0, some, size=rows)] for name, values in columns.items()
    }


def as_table(columns: Columns, contract: DataContract) -> pd.DataFrame:
    """The same customers in raw values: texts and numbers."""
    return pd.DataFrame(
        {
            column.name: columns[column.name]
            if isinstance(column, NumberColumn)
            else np.array(column.categories, dtype=object)[columns[column.name]]
            for column in contract.features
        }
    )


def one_by_one(peer: Peer, rows: Sequence[Row]) -> list[float]:
    """Each customer through pandas and scikit-learn."""
    return [float(peer.logit(pd.DataFrame([row]))[0]) for row in rows]


def in_pieces(peer: Peer, table: pd.DataFrame) -> Any:
    """Many customers through pandas and scikit-learn."""
    starts = range(0, len(table), AT_ONCE)
    return np.concatenate([peer.logit(table.iloc[at : at + AT_ONCE]) for at in starts])


def require_equal(what: str, actual: Any, expected: Any, within: float) -> None:
    """Refuses to compare the cost of different answers.

    Raises:
        BenchmarkError: they differ.
    """
    worst = float(np.max(np.abs(np.asarray(actual) - np.asarray(expected))))
    if not worst <= within:
        raise BenchmarkError(f"{what} differs by {worst:g}, so its cost means nothing")


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=1_000_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        shipped = fit_shipped(Path(scratch))
        started = loading(Path(scratch) / "blend", Path(scratch))
        lines = [*one_customer(shipped), "", *many_customers(shipped, options.rows)]
        print("\n".join(lines))
        print(f"\n{started}")
    print(f"\nPython {platform.python_version()}, one thread.")


def one_customer(shipped: Shipped) -> list[str]:
    """The lines of single customers: raw values in, a score out."""
    table = as_table(shipped.columns, shipped.contract)
    rows: list[Row] = table.to_dict("records")  # type: ignore[assignment]
    every = len(rows) // FEW
    few = rows[::every][:FEW]
    peer, path = shipped.peer(), BoosterPath(shipped.contract, shipped.trees)
    base: dict[str, float] = {}
    expected: dict[str, Any] = {}
    for name, scorer in shipped.scorers.items():
        logits = [scorer.score_one(row).logit for row in rows]
        expected[name] = shipped.models[name].logit(shipped.columns)
        require_equal("score_one", logits, expected[name], 0)
        base[name] = microseconds(lambda s=scorer: [s.score_one(row) for row in rows], len(rows))
    expected = {name: logits[::every][:FEW] for name, logits in expected.items()}
    require_equal("Booster.predict", [path.logit(row) for row in few], expected["gbm"], 0)
    require_equal("the pipeline", one_by_one(peer, few), expected["blend"], CLOSE)
    costs = {
        "blend: `Scorer.score_one`": base["blend"],
        "blend: scikit-learn pipeline on a one-row DataFrame": microseconds(
            lambda: one_by_one(peer, few), FEW, 3
        ),
        "blend: `Scorer.explain`": explaining(shipped.scorers["blend"], few),
        "gbm: `Scorer.score_one`": base["gbm"],
        **costs_of_booster(path, few),
        "gbm: `Scorer.explain`": explaining(shipped.scorers["gbm"], few),
    }
    bare = microseconds(lambda: [path.encoder.encode(row) for row in rows], len(rows))
    return [
        "| one customer, raw values to a score | µs CPU | times `score_one` |",
        "|---|---|---|",
        *(
            f"| {what} | {c:,.1f} | {c / base[what.partition(':')[0]]:,.1f} |"
            for what, c in costs.items()
        ),
        f"| of which the encoder, with all its checks | {bare:,.1f} | |",
    ]


def explaining(scorer: Scorer, rows: Sequence[Row]) -> float:
    """Microseconds of one explanation."""
    return microseconds(lambda: [scorer.explain(row) for row in rows], len(rows))


def costs_of_booster(path: BoosterPath, rows: Sequence[Row]) -> dict[str, float]:
    """Microseconds of LightGBM's own interface, for a score and for its parts."""
    matrices = [path.matrix(row) for row in rows]
    predict = path.booster.predict
    return {
        "gbm: the same encoder and `lightgbm.Booster.predict`": microseconds(
            lambda: [path.logit(row) for row in rows], len(rows)
        ),
        "gbm: bare `lightgbm.Booster.predict(..., pred_contrib=True)`": microseconds(
            lambda: [predict(one, pred_contrib=True, num_threads=1) for one in matrices], len(rows)
        ),
    }


def many_customers(shipped: Shipped, most: int) -> list[str]:
    """The lines of whole tables: encoded columns, or a DataFrame, in; scores out."""
    peer, scorer = shipped.peer(), shipped.scorers["blend"]
    lines = [
        "| many customers, the blend | customers | µs CPU a customer | times `score_many` |",
        "|---|---|---|---|",
    ]
    every = np.arange(len(shipped.target))
    for customers in (take(shipped.columns, every), generated(shipped.columns, most)):
        rows = len(customers["tenure"])
        rounds = ROUNDS if rows < AT_ONCE else 1
        table = as_table(customers, shipped.contract)
        require_equal(
            "the pipeline", in_pieces(peer, table[:7043]), scorer.score_many(
                {name: values[:7043] for name, values in customers.items()}
            ).logit, CLOSE,
        )  # fmt: skip
        ours = microseconds(lambda c=customers: scorer.score_many(c), rows, rounds)
        theirs = microseconds(lambda t=table: in_pieces(peer, t), rows, rounds)
        lines.append(f"| `Scorer.score_many` | {rows:,} | {ours:.2f} | 1.0 |")
        lines.append(
            f"| scikit-learn pipeline on a DataFrame | {rows:,} | {theirs:.2f} "
            f"| {theirs / ours:.1f} |"
        )
    return lines


def loading(store: Path, folder: Path) -> str:
    """What a process costs that loads the current bundle and nothing else."""
    own = own_environment(folder, OMP_NUM_THREADS="1")
    cpu, peak = map(float, run([sys.executable, "-c", LOADING, store], own).output.split())
    return (
        f"From nothing to a loaded scorer: {cpu:.2f} CPU-s, {peak / 1e6:.0f} MB resident at most."
    )


if __name__ == "__main__":
    main()
