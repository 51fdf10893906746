"""A business that drifts: customers of every state, models trained in each, and what each model loses in each.

Everything a simulated month needs is computed once for each pair of states (cached fits), so that
decades of months cost seconds. A state is one drift of the generator with its strength; prices,
fibre and contracts move the customers and leave the churn relation alone, `behaviour` does the opposite.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from benchmarks.measuring import ROOT
from churn.contract import load_contract
from churn.data.generator import GeneratedRows, generate
from churn.evaluation.weighted import Floats
from churn.features.encoding import Columns, take
from churn.models.candidate import FittedModel
from churn.models.recipe_catalog import build_candidates
from churn.models.recipe_settings import default_recipes
from churn.monitoring.drift_check import check_drift
from churn.monitoring.drift_reference import DriftReference, build_reference
from churn.monitoring.staleness import measure_stale_month
from churn.retention.profit import break_even, contact_value
from churn.retention.value_settings import ValueSettings

CUSTOMERS, SAMPLES, WINDOW = 40_000, 25, 2_000
"""The business has 25 samples of so many customers, a million; one of them trains a model; rows of a check."""
VALUE = ValueSettings()
QUIET = ""
HARMLESS = ("price_rise:0.1", "price_rise:0.3", "fibre_rollout:0.5", "contract_mix:0.1", "contract_mix:0.25")  # fmt: skip
RAMP = ("behaviour:0.1", "behaviour:0.2", "behaviour:0.3", "behaviour:0.4")
JUMPS = ("behaviour:0.4:tenure", "behaviour:1.0:OnlineSecurity")
STATES = (QUIET, *HARMLESS, *RAMP, *JUMPS)
MONTHS, NOTHING_HAPPENS = 24, 1 / 9
_PASSES_AFTER = 3
_FITS, _WINDOWS = 2, 4
_CONTRACT, _RECIPE, _REFERENCE = (
    ROOT / "data" / "contracts" / "telco.yaml",
    "spline_logistic",
    7_043,
)
_THRESHOLD = break_even(VALUE.clv, VALUE)
_WORTH = np.full(CUSTOMERS, VALUE.clv)


@dataclass(frozen=True)
class World:
    """Every pair of a model's state (first axis) and a month's state (second).

    Attributes:
        lost: money that the model truly loses in the month against one trained on that month.
        error: standard error with which the month's outcomes show it.
        p_values: of drift checks of the month's customers against the model's reference.
    """

    lost: Floats
    error: Floats
    p_values: Floats


@dataclass(frozen=True, eq=False)
class _Models:
    """The models of one state."""

    fits: list[FittedModel]
    reference: DriftReference


@dataclass(frozen=True, eq=False)
class _Month:
    """A month's customers, and what every model makes of them: by its state, then by fit."""

    columns: Columns
    truth: Floats
    chances: list[list[Floats]]

    def contacts(self, trained: int, fit: int) -> NDArray[np.bool_]:
        """Who a model's campaign contacts."""
        return np.asarray(self.chances[trained][fit] >= _THRESHOLD)

    def profit(self, trained: int) -> float:
        """What the models of a state truly earn, on average."""
        earned = contact_value(self.truth, _WORTH, VALUE).profit_at(VALUE.acceptance.mean)
        return float(np.mean([earned[self.contacts(trained, fit)].sum() for fit in range(_FITS)]))


def build_world(seed: int) -> World:
    """Generates the customers of every state, trains and compares."""
    generator = np.random.default_rng(seed)
    made = [_generate(name, seed + place) for place, name in enumerate(STATES)]
    models = [_train(rows) for rows in made]
    count = len(STATES)
    profit = np.zeros((count, count))
    error = np.zeros((count, count))
    p_values = np.ones((count, count, _WINDOWS))
    for now, rows in enumerate(made):
        month = _month(rows, models)
        for trained in range(count):
            profit[trained, now] = month.profit(trained)
            error[trained, now] = _error(month, trained, now, generator)
            for window in range(_WINDOWS):
                p_values[trained, now, window] = _p_value(
                    month, trained, models[trained].reference, generator
                )
    lost = SAMPLES * np.maximum(0, np.diag(profit) - profit)
    return World(lost, math.sqrt(SAMPLES) * error, p_values)


def period(generator: np.random.Generator, behaviour: float, passing: float) -> list[int]:
    """The state of each of 24 months: quiet until a drift begins in the first year, which stays.

    Args:
        generator: what is drawn with.
        behaviour: share of the drifts that change who leaves, half of them at once and half month by
            month; the others move customers alone. In one period of nine nothing happens.
        passing: share of the changes at once that are over after three months.
    """
    onset, quiet = int(generator.integers(1, 13)), STATES.index(QUIET)
    if generator.random() < NOTHING_HAPPENS:
        after = [quiet]
    elif generator.random() >= behaviour:
        after = [STATES.index(str(generator.choice(HARMLESS)))]
    elif generator.random() < 1 / 2:
        after = [STATES.index(str(generator.choice(JUMPS)))] * _PASSES_AFTER
        after += [quiet] if generator.random() < passing else []
    else:
        after = [STATES.index(name) for name in RAMP]
    months = [quiet] * onset + after
    return (months + [months[-1]] * MONTHS)[:MONTHS]


def _generate(name: str, seed: int) -> GeneratedRows:
    scenario, _, rest = name.partition(":")
    strength, _, column = rest.partition(":")
    return generate(
        load_contract(_CONTRACT),
        CUSTOMERS * (1 + _FITS),
        seed=seed,
        scenario=scenario,
        strength=float(strength) if strength else None,
        column=column,
    )


def _train(rows: GeneratedRows) -> _Models:
    recipe = build_candidates([_RECIPE], default_recipes(), rows.contract)[_RECIPE]
    parts = [CUSTOMERS * (1 + fit) + np.arange(CUSTOMERS) for fit in range(_FITS)]
    fits = [recipe.fit(take(rows.columns, part), rows.target[part]) for part in parts]
    known = take(rows.columns, parts[0][:_REFERENCE])
    return _Models(fits, build_reference(known, _chance(fits[0], known), rows.contract))


def _month(rows: GeneratedRows, models: list[_Models]) -> _Month:
    served = take(rows.columns, np.arange(CUSTOMERS))
    chances = [[_chance(fit, served) for fit in each.fits] for each in models]
    return _Month(served, rows.probability[:CUSTOMERS], chances)


def _error(month: _Month, trained: int, now: int, generator: np.random.Generator) -> float:
    """Of what one sample's outcomes say that the model loses."""
    left = (generator.random(CUSTOMERS) < month.truth).astype(np.int8)
    champion, newly_trained = month.contacts(trained, 0), month.contacts(now, 1)
    until = datetime(2026, 1, 1, tzinfo=UTC)
    return measure_stale_month(left, champion, newly_trained, _WORTH, VALUE, until=until).error


def _p_value(
    month: _Month, trained: int, reference: DriftReference, generator: np.random.Generator
) -> float:
    places = generator.choice(CUSTOMERS, WINDOW, replace=False)
    found = check_drift(reference, take(month.columns, places), month.chances[trained][0][places])
    return 1.0 if found.p_value is None else found.p_value


def _chance(fit: FittedModel, columns: Columns) -> Floats:
    return np.asarray(1 / (1 + np.exp(-fit.logit(columns))))
