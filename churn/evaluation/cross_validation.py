"""Out-of-fold scores: every customer scored by models that have not seen it, once per repeat."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
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
"""Told after each split: how many are done, how many there are."""


@dataclass(frozen=True)
class Fold:
    """One split's judged rows and what each model made of them.

    Attributes:
        rows: int64[m], which customers were held out.
        logits: per candidate float64[m], log-odds of leaving.
    """

    rows: Rows
    logits: Mapping[str, Floats]


@dataclass(frozen=True)
class OutOfFold:
    """All splits of a plan; each repeat holds every customer out exactly once.

    Attributes:
        plan: how the rows were cut.
        target: int8[n], what happened.
        folds: folds x repeats splits, in the plan's order.
    """

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
        plan: folds, repeats and the seed of the cuts.
        on_fold: called in this thread as splits finish.
        workers: splits fitted at a time, in threads; the result does not depend on it.

    Raises:
        InputError: an outcome occurs less often than there are folds.
    """
    splits = list(_splits(target, plan))

    def judge(split: tuple[Rows, Rows]) -> Fold:
        # Only fitting needs the model libraries; whoever reads a result must not load them.
        from churn.models.recipe_catalog import fit_all

        seen, held_out = split
        models = fit_all(candidates, take(columns, seen), target[seen])
        unseen = take(columns, held_out)
        return Fold(
            rows=held_out, logits={name: model.logit(unseen) for name, model in models.items()}
        )

    report = on_fold or _ignore_progress
    if workers == 1:
        folds = []
        for split in splits:
            folds.append(judge(split))
            report(len(folds), len(splits))
        return OutOfFold(plan=plan, target=target, folds=tuple(folds))
    with ThreadPoolExecutor(max_workers=workers) as pool:
        tasks = [pool.submit(judge, split) for split in splits]
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
        return OutOfFold(plan=plan, target=target, folds=tuple(task.result() for task in tasks))


def _ignore_progress(_done: int, _total: int) -> None:
    """Stands in where nobody listens."""


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
