"""Populations of synthetic customers, with and without drift, that references and windows are drawn from.

A hundred thousand customers and more are generated once for each named drift, and scored once;
a reference or a window is then a random subset. Rows of the shipped table, drawn with replacement,
would repeat customers, and a window would hold rows of its own reference.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from benchmarks.measuring import ROOT
from churn.contract import DataContract, load_contract
from churn.data import acquire
from churn.data.generator import generate
from churn.features.encoding import Columns, Floats, encode, encode_target, take
from churn.home import home
from churn.models.recipe_catalog import build_candidates
from churn.models.recipe_settings import default_recipes
from churn.models.trained import TrainedModel
from churn.monitoring.drift_reference import DriftReference, build_reference

REFERENCE_ROWS = 7_043
NO_DRIFT = ""


@dataclass(frozen=True)
class Rows:
    """Some customers: what is recorded of them, what the model says, and what their outcomes are drawn with."""

    columns: Columns
    probability: Floats
    truth: Floats


class Populations:
    """Customers by the name of their drift, as `contract_mix:0.3` with a strength; "" for none.

    Args:
        rows: how many of each.
        seed: which.
    """

    def __init__(self, rows: int, seed: int) -> None:
        self.contract: DataContract = load_contract(ROOT / "data" / "contracts" / "telco.yaml")
        self._rows, self._seed = rows, seed
        self._model = _shipped_model(self.contract)
        self._known: dict[str, Rows] = {}

    def draw(self, rows: int, generator: np.random.Generator, drift: str = NO_DRIFT) -> Rows:
        """A random subset of the customers with that drift."""
        whole = self._population(drift)
        places = generator.integers(0, self._rows, rows)
        return Rows(take(whole.columns, places), whole.probability[places], whole.truth[places])

    def reference(self, generator: np.random.Generator) -> tuple[DriftReference, Rows]:
        """A reference of as many rows as the shipped table has, calibrated, and its rows."""
        rows = self.draw(REFERENCE_ROWS, generator)
        return build_reference(rows.columns, rows.probability, self.contract), rows

    def _population(self, drift: str) -> Rows:
        if drift not in self._known:
            seed = self._seed + 1000 * (len(self._known) + 1)
            column = "MonthlyCharges" if drift == "broken_join" else ""
            name, _, strength = drift.partition(":")
            made = generate(
                self.contract,
                self._rows,
                seed=seed,
                scenario=name,
                column=column,
                strength=float(strength) if strength else None,
            )
            self._known[drift] = Rows(
                made.columns, self._model.probability(made.columns), made.probability
            )
        return self._known[drift]


def _shipped_model(contract: DataContract) -> TrainedModel:
    customers = acquire("bundled", contract, root=ROOT, cache=home() / "downloads")
    recipes = default_recipes()
    return TrainedModel.train(
        build_candidates(["spline_logistic"], recipes, contract)["spline_logistic"],
        encode(customers.frame, contract),
        encode_target(customers.frame, contract),
        contract=contract,
        data_sha256="0" * 64,
        settings=recipes["spline_logistic"],
    )
