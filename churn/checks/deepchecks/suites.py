"""Runs Deepchecks' three tabular suites: on the table, on its split, and on the model."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping
from typing import Any

import numpy as np
import pandas as pd

from churn.checks.deepchecks.adapter import Deepchecks, load_deepchecks
from churn.checks.deepchecks.deepchecks_findings import read_findings
from churn.checks.deepchecks.deepchecks_report import Finding, LeftOut, SuiteName, ValidationReport
from churn.checks.deepchecks.deepchecks_settings import LEFT_OUT, ValidationSettings
from churn.checks.deepchecks.deepchecks_tables import (
    ClassifierAdapter,
    customer_number,
    deepchecks_table,
    feature_importance,
    sample_split,
)
from churn.contract import DataContract
from churn.data.quality.verdict import worst_verdict
from churn.data.split import Split
from churn.errors import InputError
from churn.models.trained import TrainedModel

_BOTH = "development against gate rows"
_ROWS: dict[SuiteName, str] = {
    "data_integrity": "all rows",
    "train_test_validation": _BOTH,
    "model_evaluation": _BOTH,
}


def validate(
    frame: pd.DataFrame, split: Split, model: TrainedModel, settings: ValidationSettings
) -> ValidationReport:
    """Runs the suites on a table, its split and a model; the same input gives the same report.

    The model learned from the split's development rows; its contract says what the columns mean.

    Raises:
        InputError: Deepchecks is not installed, the settings name a check that it does not have,
            or a column is missing or holds a value outside its categories.
    """
    sides = sample_split(split, settings.maximum_rows, settings.seed)
    table = deepchecks_table(frame, model.contract)
    findings: list[Finding] = []
    left_out: list[LeftOut] = []
    seconds: dict[SuiteName, float] = {}
    with load_deepchecks() as deepchecks:
        suites = shipped_suites(
            deepchecks, model.contract, settings.seed, segment_features=settings.segment_features
        )
        require_known_checks(settings.shown_only, suites, "validation.shown_only")
        runs = _runs(deepchecks, table, sides, model)
        for name, suite in suites.items():
            left_out += remove_left_out(suite, name)
            began = time.perf_counter()
            result = runs[name](suite)
            seconds[name] = round(time.perf_counter() - began, 2)
            found = read_findings(result, name, _ROWS[name], settings.shown_only)
            order = list(check_keys(suite))  # Deepchecks sorts by what failed
            findings += sorted(found, key=lambda each: order.index(each.check))
    return ValidationReport(
        contract=model.contract.name,
        contract_digest=model.contract.digest(),
        title=model.contract.title,
        recipe=model.recipe,
        version=deepchecks.version,
        seed=settings.seed,
        table_rows=len(frame),
        development_rows=len(sides.development),
        gate_rows=len(sides.gate),
        verdict=worst_verdict(findings),
        findings=tuple(findings),
        left_out=tuple(left_out),
        seconds=seconds,
    )


def shipped_suites(
    deepchecks: Deepchecks, contract: DataContract, seed: int, *, segment_features: int = 2
) -> dict[SuiteName, Any]:
    """The suites as Deepchecks ships them, conditions included.

    The search for weak segments crosses `segment_features` features; `seed` fixes every draw.
    """
    suites = deepchecks.suites
    # By its number every customer differs from every other, so duplicates are sought without it.
    number = [customer_number(contract)]
    return {
        "data_integrity": suites.data_integrity(random_state=seed, ignore_columns=number),
        "train_test_validation": suites.train_test_validation(random_state=seed),
        "model_evaluation": suites.model_evaluation(
            random_state=seed, n_top_features=segment_features
        ),
    }


def make_dataset(deepchecks: Deepchecks, table: pd.DataFrame, contract: DataContract) -> Any:
    """A table of `deepchecks_table`, or some of its rows, with what Deepchecks needs to know."""
    return deepchecks.dataset(
        table.reset_index(drop=True),
        label=contract.target.name,
        cat_features=[column.name for column in contract.coded],
        index_name=customer_number(contract),
        label_type="binary",
    )


def _runs(
    deepchecks: Deepchecks, table: pd.DataFrame, sides: Split, model: TrainedModel
) -> dict[SuiteName, Callable[[Any], Any]]:
    """How each suite is run; without display, which is slow and shows customers."""
    both_sides = np.sort(np.concatenate([sides.development, sides.gate]))
    everyone, train, test = (
        make_dataset(deepchecks, table.iloc[rows], model.contract)
        for rows in (both_sides, sides.development, sides.gate)
    )
    return {
        "data_integrity": lambda suite: suite.run(everyone, with_display=False),
        "train_test_validation": lambda suite: suite.run(train, test, with_display=False),
        "model_evaluation": lambda suite: suite.run(
            train,
            test,
            ClassifierAdapter(model),
            feature_importance=feature_importance(model),
            with_display=False,
        ),
    }


def check_keys(suite: Any) -> dict[str, int]:
    """Name of each check -> its key in the suite."""
    return {type(check).__name__: key for key, check in suite.checks.items()}


def remove_left_out(suite: Any, name: SuiteName) -> list[LeftOut]:
    """Removes the checks that are not run from a suite, and returns which, and why."""
    found = {check: key for check, key in check_keys(suite).items() if check in LEFT_OUT}
    for key in found.values():
        suite.remove(key)
    return [LeftOut(suite=name, check=check, reason=LEFT_OUT[check]) for check in found]


def require_known_checks(
    names: Collection[str], suites: Mapping[SuiteName, Any], setting: str
) -> None:
    """Raises `InputError`, which says which setting it was, if a name is no check's."""
    known = {name for suite in suites.values() for name in check_keys(suite)}
    for name in names:
        if name not in known:
            raise InputError(
                f"{setting} names '{name}', which is no check of Deepchecks' suites; "
                f"they are {', '.join(sorted(known))}."
            )
