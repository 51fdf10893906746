"""A seeded, resumable Optuna study: however often it is broken off, it tries the same settings.

The sampler of every trial is seeded anew from the study's seed and the number of trials finished
before. What it suggests then depends on those trials alone, not on which process saw them.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import optuna
from optuna.trial import FrozenTrial, TrialState

from churn.errors import InputError, error_reason
from churn.models.search_space import SearchRange, WholeRange
from churn.tuning.objective import Objective
from churn.tuning.search_report import Parameters, TrialRecord

OnTrial = Callable[[TrialRecord], None]
"""Called with every trial as it ends."""

LEARNED = "learned"
_STARTUP_TRIALS = 5  # random ones, before the sampler has anything to go by
_UNPRUNED_TRIALS = 4  # a median of fewer says nothing
_FEWEST_FOR_IMPORTANCE = 4
_WAIT_FOR_DATABASE = 60.0  # seconds, while another search writes
_FINISHED = (TrialState.COMPLETE, TrialState.PRUNED)
_STATES: dict[TrialState, Any] = {
    TrialState.COMPLETE: "complete",
    TrialState.PRUNED: "pruned",
    TrialState.FAIL: "failed",
}
_opening = threading.Lock()  # two threads must not both make the tables of a new file


def open_study(name: str, *, storage: str | None, warm_up: int) -> optuna.Study:
    """The study of that name: a new one, or the one that the storage has.

    Trials that an interrupted run left behind are marked as failed.

    Args:
        name: name of the study.
        storage: an SQLite file, made if need be; None keeps it in memory.
        warm_up: steps that every trial is granted before it can be pruned.

    Raises:
        InputError: the file cannot be used as a database.
    """
    from sqlalchemy.exc import SQLAlchemyError

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    pruner = optuna.pruners.MedianPruner(n_startup_trials=_UNPRUNED_TRIALS, n_warmup_steps=warm_up)
    try:
        with _opening:
            study = optuna.create_study(
                storage=_database(storage) if storage else None,
                study_name=name,
                pruner=pruner,
                direction="minimize",
                load_if_exists=True,
            )
    except (OSError, SQLAlchemyError) as error:
        raise InputError(
            f"The tuning storage {storage} cannot be used: {error_reason(error)}. Name a file that "
            "can be written or an SQLite database of Optuna's, or leave storage out."
        ) from None
    for trial in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
        study.tell(trial.number, state=TrialState.FAIL)
    return study


def run_trials(
    study: optuna.Study,
    objective: Objective,
    ranges: Mapping[str, SearchRange],
    *,
    first: Parameters | None,
    trials: int,
    seed: int,
    on_trial: OnTrial | None = None,
) -> None:
    """Tries settings until so many trials have finished, those of earlier runs counted in.

    `first` are the settings to try first, if any; `on_trial` is called with every trial as it ends.
    """
    while (done := len(study.get_trials(deepcopy=False, states=_FINISHED))) < trials:
        study.sampler = optuna.samplers.TPESampler(
            seed=int(np.random.SeedSequence([seed, done]).generate_state(1)[0]),
            n_startup_trials=_STARTUP_TRIALS,
        )
        waiting = study.get_trials(deepcopy=False, states=(TrialState.WAITING,))
        if done == 0 and first is not None and not waiting:
            study.enqueue_trial(dict(first))
        trial = study.ask()
        parameters = {name: _suggest(trial, name, searched) for name, searched in ranges.items()}
        try:
            _judge(study, trial, objective, parameters)
        except BaseException:
            # Ctrl-C, too: a trial broken off here must not look like one that runs elsewhere.
            study.tell(trial, state=TrialState.FAIL)
            raise
        if on_trial is not None:
            on_trial(record(study.trials[trial.number]))


def record(trial: FrozenTrial) -> TrialRecord:
    """A trial as the report keeps it."""
    state = _STATES[trial.state]
    return TrialRecord(
        number=trial.number,
        state=state,
        value=None if state == "failed" else trial.value,
        parameters=dict(trial.params),
        steps=len(trial.intermediate_values),
        seconds=trial.duration.total_seconds() if trial.duration else 0.0,
    )


def setting_importance(study: optuna.Study, seed: int) -> dict[str, float]:
    """Share of each setting in the variance of the complete trials; empty if there are too few."""
    complete = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    values = {trial.value for trial in complete}
    if len(complete) < _FEWEST_FOR_IMPORTANCE or len(values) == 1:
        return {}
    evaluator = optuna.importance.FanovaImportanceEvaluator(seed=seed)
    found = optuna.importance.get_param_importances(study, evaluator=evaluator)
    return {name: float(share) for name, share in found.items()}


def _judge(
    study: optuna.Study, trial: optuna.Trial, objective: Objective, parameters: Parameters
) -> None:
    def report(step: int, value: float) -> None:
        trial.report(value, step)
        if trial.should_prune():
            raise optuna.TrialPruned

    try:
        judged = objective(parameters, report)
    except optuna.TrialPruned:
        study.tell(trial, state=TrialState.PRUNED)
    else:
        trial.set_user_attr(LEARNED, judged.learned)
        study.tell(trial, judged.value)


def _suggest(trial: optuna.Trial, name: str, searched: SearchRange) -> int | float:
    if isinstance(searched, WholeRange):
        return trial.suggest_int(name, searched.low, searched.high, log=searched.log)
    return trial.suggest_float(name, searched.low, searched.high, log=searched.log)


def _database(path: str) -> optuna.storages.RDBStorage:
    file = Path(path).absolute()
    file.parent.mkdir(parents=True, exist_ok=True)
    return optuna.storages.RDBStorage(
        f"sqlite:///{file}", engine_kwargs={"connect_args": {"timeout": _WAIT_FOR_DATABASE}}
    )
