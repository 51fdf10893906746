"""A drift check costs a fraction of Evidently's preset, sees what it is meant to see, and seldom errs.

The tables of `benchmarks.evidence_drift` are printed beside the figures: they have the rules of
others. Years without drift are few here, so that nothing is judged by them; `goal_alarms` has many.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from importlib import import_module

import numpy as np
import pandas as pd

from benchmarks.drift_population import Populations
from benchmarks.evidence_drift import POLICY, SHIFTS, moved, power_table
from benchmarks.goal_alarms import false_alarm_figures
from benchmarks.goals import Figure
from benchmarks.measuring import BenchmarkError
from benchmarks.quiet_years import SIZES, quiet_year
from benchmarks.trainings import Trainings
from churn.checks.validators.evidently_adapter import load_evidently
from churn.errors import InputError
from churn.features.encoding import Columns
from churn.monitoring.drift_check import check_drift

_SEED = 11
_ROWS = 500
_MANY = 1_000_000
_FEW_YEARS = 6


def measure(trainings: Trainings) -> Iterator[Figure]:
    """Costs, the share of drifted windows that a check misses, and false alarms of a few years."""
    generator = np.random.default_rng(_SEED)
    populations = Populations(100_000, _SEED)
    yield _against_evidently(populations, generator, runs=3 if trainings.quick else 7)
    yield _many_rows(populations, generator, runs=1 if trainings.quick else 3)
    windows = 10 if trainings.quick else 200
    shifts = {name: moved(populations, generator, name, windows) for name in SHIFTS}
    print(power_table(shifts), end="\n\n", flush=True)
    for name, found in shifts.items():
        _, rows, goal = SHIFTS[name]
        yield Figure(
            goal=f"{name}: windows of {rows:,} rows that a check misses",
            limit=round(100 * (1 - goal)),
            unit="%",
            values=(float(100 * (found.checked() > POLICY.watch_level).mean()),),
            how=f"{windows} windows, {len(found.p_values)} references, drawn afresh",
            binding=not trainings.quick,
        )
    years = 1 if trainings.quick else _FEW_YEARS
    few = [each for year in range(years) for each in quiet_year(populations, _SEED, year, SIZES)]
    yield from false_alarm_figures(few, binding=False)


def _against_evidently(
    populations: Populations, generator: np.random.Generator, *, runs: int
) -> Figure:
    reference, known = populations.reference(generator)
    window = populations.draw(_ROWS, generator)
    preset = _evidently_preset(populations, known.columns, window.columns)
    ours = [
        _cpu_seconds(lambda: check_drift(reference, window.columns, window.probability))
        for _ in range(runs)
    ]
    ratios = tuple(each / _cpu_seconds(preset) for each in ours)
    how = f"CPU, {_ROWS} rows against {reference.rows:,}, all columns, the classifier included"
    return Figure("one drift check over Evidently's drift preset", 0.1, "x", ratios, how)


def _many_rows(populations: Populations, generator: np.random.Generator, *, runs: int) -> Figure:
    reference, _ = populations.reference(generator)
    window = populations.draw(_MANY, generator)
    values = tuple(
        _cpu_seconds(
            lambda: check_drift(reference, window.columns, window.probability, classifier=False)
        )
        for _ in range(runs)
    )
    how = f"{_MANY:,} encoded and scored rows, without the classifier"
    return Figure("a drift check of a million rows", 5, "s CPU", values, how)


def _evidently_preset(
    populations: Populations, known: Columns, window: Columns
) -> Callable[[], object]:
    contract = populations.contract
    try:
        with load_evidently() as evidently:
            top = evidently.top
    except InputError as error:
        raise BenchmarkError(str(error)) from None
    preset = import_module("evidently.presets").DataDriftPreset
    definition = top.DataDefinition(
        numerical_columns=[column.name for column in contract.numbers],
        categorical_columns=[column.name for column in contract.coded],
    )
    coded = {column.name: "str" for column in contract.coded}
    current, reference = (
        top.Dataset.from_pandas(
            pd.DataFrame({name: rows[name] for name in known}).astype(coded),
            data_definition=definition,
        )
        for rows in (window, known)
    )
    return lambda: top.Report([preset()]).run(current, reference)


def _cpu_seconds(work: Callable[[], object]) -> float:
    begin = time.process_time()
    work()
    return time.process_time() - begin
