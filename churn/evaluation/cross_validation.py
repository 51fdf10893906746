"""Out-of-fold scores: every customer scored by models that have not seen it, once per repeat."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from sklearn.model_selection import RepeatedStratifiedKFold

from churn.errors import InputError
from churn.evaluation.plan import ProtocolPlan
from churn.evaluation.weighted import Floats, Labels, Rows
from churn.features.encoding import Columns, take

if TYPE_CHECKING:
    from churn.models.candidate import Candidate

OnFold = Callable[[int, int], None]
"""Called after each split with how many are done and how many there are."""


@dataclass(frozen=True)
class Fold:
    """The rows held out by one split, with each model's scores of them.

    Attributes:
        rows: int64[m], which customers were held out.
        logits: per candidate float64[m], log-odds of leaving.
    """

    rows: Rows
    logits: Mapping[str, Floats]


@dataclass(frozen=True)
class OutOfFold:
    """All splits of a plan, in its order; each repeat holds every customer out exactly once."""

    plan: ProtocolPlan
    target: Labels
    folds: tuple[Fold, ...]

    def mean_logit(self, name: str) -> Floats:
        """A candidate's out-of-fold log-odds, averaged over the repeats, float64[n]."""
        total = np.zeros(len(self.target))
        for fold in self.folds:
            total[fold.rows] += fold.logits[name]
        return total / self.plan.repeats


def cross_validate(
    candidates: Mapping[str, Candidate],
    columns: Columns,
    target: Labels,
    plan: ProtocolPlan,
    *,
    on_fold: OnFold | None = None,
    workers: int = 1,
) -> OutOfFold:
    """Fits every candidate on every split and scores the rows held out.

    Args:
        candidates: recipes by name; one that blends others reuses their fits.
        columns: feature columns of n rows.
        target: int8[n].
        plan: the cuts.
        on_fold: called in this thread as splits finish.
        workers: splits fitted at a time, in threads; the result does not depend on it.

    Raises:
        InputError: an outcome occurs less often than there are folds.
    """
    splits = list(_splits(target, plan))
    report = on_fold or (lambda _done, _total: None)

    def score(split: tuple[Rows, Rows]) -> Fold:
        return _score_fold(candidates, columns, target, *split)

    if workers == 1:
        folds = []
        for split in splits:
            folds.append(score(split))
            report(len(folds), len(splits))
    else:
        folds = _in_threads(score, splits, report, workers)
    return OutOfFold(plan=plan, target=target, folds=tuple(folds))


def _score_fold(
    candidates: Mapping[str, Candidate], columns: Columns, target: Labels, train: Rows, test: Rows
) -> Fold:
    # Only fitting needs the model libraries; whoever reads a result must not load them.
    from churn.models.recipe_catalog import fit_all

    models = fit_all(candidates, take(columns, train), target[train])
    held_out = take(columns, test)
    return Fold(rows=test, logits={name: model.logit(held_out) for name, model in models.items()})


def _in_threads(
    score: Callable[[tuple[Rows, Rows]], Fold],
    splits: Sequence[tuple[Rows, Rows]],
    report: OnFold,
    workers: int,
) -> list[Fold]:
    """Scores the splits, several at a time; the folds come in the order of the splits."""
    with ThreadPoolExecutor(max_workers=workers) as pool:
        tasks = [pool.submit(score, split) for split in splits]
        waiting = set(tasks)
        try:
            while waiting:
                finished, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                for task in finished:
                    task.result()
                report(len(splits) - len(waiting), len(splits))
        except BaseException:
            # Ctrl-C and a failed fit end here: drop what has not begun instead of fitting on.
            pool.shutdown(wait=False, cancel_futures=True)
            raise
        return [task.result() for task in tasks]


def _splits(target: Labels, plan: ProtocolPlan) -> Iterator[tuple[Rows, Rows]]:
    left = int(np.sum(target))
    rarest = min(left, len(target) - left)
    if rarest < plan.folds:
        raise InputError(
            f"{plan.folds}-fold cross-validation needs {plan.folds} customers of each outcome, "
            f"but among the {len(target)} rows {left} left and {len(target) - left} stayed. "
            "Bring more rows or set fewer folds."
        )
    splitter = RepeatedStratifiedKFold(
        n_splits=plan.folds, n_repeats=plan.repeats, random_state=plan.seed
    )
    yield from splitter.split(np.zeros(len(target)), target)
