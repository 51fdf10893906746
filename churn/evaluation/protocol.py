"""The protocol: repeated stratified cross-validation of all candidates, with intervals.

The same procedure serves twice: on the development rows to choose a candidate, and on all rows to
put a figure on the recipe that the configuration froze before the run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from pydantic import Field
from scipy.special import expit

from churn.errors import InputError
from churn.evaluation.comparison import PairedDifference, compare_folds
from churn.evaluation.cross_validation import OnFold, OutOfFold, cross_validate
from churn.evaluation.intervals import Interval, fold_mean_auc_intervals
from churn.evaluation.metrics import Metrics, mean_metrics, measure
from churn.evaluation.plan import ProtocolPlan
from churn.evaluation.weighted import Labels, RankedRows
from churn.features.encoding import Columns
from churn.frozen_model import FrozenModel

if TYPE_CHECKING:
    from churn.models.candidate import Candidate


class CandidateResult(FrozenModel):
    """Result of cross-validating one candidate.

    Attributes:
        metrics: means over the splits.
        fold_roc_auc: ROC-AUC of every split, in the plan's order.
        roc_auc_interval: 95% interval of the mean ROC-AUC; None where the plan has no bootstrap.
        against_baseline: ROC-AUC gained over the baseline; None for the baseline itself.
    """

    name: str
    metrics: Metrics
    fold_roc_auc: tuple[float, ...]
    roc_auc_interval: Interval | None
    against_baseline: PairedDifference | None

    def as_row(self) -> dict[str, str | float | None]:
        """Returns one row for a table, a tracker or a console."""
        interval, gained = self.roc_auc_interval, self.against_baseline
        return {
            "candidate": self.name,
            **self.metrics.figures,
            "roc_auc_lower": interval.lower if interval else None,
            "roc_auc_upper": interval.upper if interval else None,
            "gained": gained.difference if gained else None,
            "gained_lower": gained.interval.lower if gained else None,
            "gained_upper": gained.interval.upper if gained else None,
        }


class ProtocolReport(FrozenModel):
    """All candidates side by side under one plan.

    Attributes:
        baseline: the candidate that the others are compared with.
        positives: customers who left.
        candidates: one result each, in the order of the configuration.
    """

    plan: ProtocolPlan
    baseline: str
    rows: int
    positives: int
    candidates: tuple[CandidateResult, ...] = Field(min_length=1)

    def result(self, name: str) -> CandidateResult:
        """The result of the candidate of that name; a KeyError if there is none."""
        return {candidate.name: candidate for candidate in self.candidates}[name]

    @property
    def ranking(self) -> tuple[CandidateResult, ...]:
        """Candidates by falling mean ROC-AUC; among equals the one named first stays first."""
        return tuple(sorted(self.candidates, key=lambda result: -result.metrics.roc_auc))

    def compare(self, model: str, reference: str) -> PairedDifference:
        """Compares any two candidates over the same splits."""
        ours, theirs = self.result(model), self.result(reference)
        return compare_folds(
            model, ours.fold_roc_auc, reference, theirs.fold_roc_auc, folds=self.plan.folds
        )

    def table(self) -> list[dict[str, str | float | None]]:
        """Returns one row per candidate, best first."""
        return [result.as_row() for result in self.ranking]


class ProtocolFigure(FrozenModel):
    """The protocol's figure for one recipe.

    Attributes:
        frozen_recipe: the recipe that the configuration named before the run.
        optimistic: whether the recipe was picked on rows that also judge it.
        sentence: the figure, its interval and that caveat, in words.
    """

    result: CandidateResult
    frozen_recipe: str
    optimistic: bool
    sentence: str


def run_protocol(
    candidates: Mapping[str, Candidate],
    columns: Columns,
    target: Labels,
    plan: ProtocolPlan,
    *,
    baseline: str,
    on_fold: OnFold | None = None,
    workers: int = 1,
) -> ProtocolReport:
    """Cross-validates all candidates and compares each with the baseline.

    The arguments are those of `cross_validate`, and the candidate to compare the others with.

    Raises:
        InputError: the baseline is not among the candidates, or an outcome is too rare to split.
    """
    _require(baseline, candidates)
    scored = cross_validate(candidates, columns, target, plan, on_fold=on_fold, workers=workers)
    return summarise_folds(scored, baseline=baseline)


def summarise_folds(scored: OutOfFold, *, baseline: str) -> ProtocolReport:
    """Summarises out-of-fold scores as a report; fits nothing."""
    plan, target = scored.plan, scored.target
    names = tuple(scored.folds[0].logits)
    _require(baseline, names)
    measured = {
        name: [measure(target[fold.rows], expit(fold.logits[name])) for fold in scored.folds]
        for name in names
    }
    intervals = _roc_auc_intervals(scored, names) if plan.bootstrap_samples else {}
    fold_auc = {name: tuple(metrics.roc_auc for metrics in measured[name]) for name in names}
    left = int(target.sum())
    return ProtocolReport(
        plan=plan,
        baseline=baseline,
        rows=len(target),
        positives=left,
        candidates=tuple(
            CandidateResult(
                name=name,
                metrics=mean_metrics(measured[name], rows=len(target), positives=left),
                fold_roc_auc=fold_auc[name],
                roc_auc_interval=intervals.get(name),
                against_baseline=None
                if name == baseline
                else compare_folds(
                    name, fold_auc[name], baseline, fold_auc[baseline], folds=plan.folds
                ),
            )
            for name in names
        ),
    )


def _roc_auc_intervals(scored: OutOfFold, names: Sequence[str]) -> dict[str, Interval]:
    plan, target = scored.plan, scored.target
    ranked = {
        name: [RankedRows.from_scores(target[f.rows], f.logits[name], f.rows) for f in scored.folds]
        for name in names
    }
    return fold_mean_auc_intervals(
        ranked, len(target), samples=plan.bootstrap_samples, seed=plan.seed
    )


def protocol_figure(report: ProtocolReport, chosen: str, *, frozen_recipe: str) -> ProtocolFigure:
    """Returns the figure to publish for the chosen recipe.

    The protocol is fair only to a recipe that was fixed before the run. The figure of any other
    recipe is a maximum over candidates, judged on rows that helped to choose it, and is labelled
    optimistic.
    """
    result = report.result(chosen)
    optimistic = chosen != frozen_recipe
    figure = f"ROC-AUC {result.metrics.roc_auc:.4f}"
    if result.roc_auc_interval is not None:
        figure += f" (95% interval {result.roc_auc_interval.span()})"
    if not optimistic:
        sentence = f"{chosen}, the recipe frozen in the configuration before this run: {figure}."
    else:
        sentence = (
            f"{chosen}: {figure}. This figure is optimistic: the recipe was chosen on rows that "
            f"also judge it. The recipe frozen before this run is {frozen_recipe}"
        )
        frozen = {each.name: each for each in report.candidates}.get(frozen_recipe)
        sentence += f", at {frozen.metrics.roc_auc:.4f}." if frozen else ", and was not run."
    return ProtocolFigure(
        result=result, frozen_recipe=frozen_recipe, optimistic=optimistic, sentence=sentence
    )


def report_of_recipe(name: str, *reports: ProtocolReport | None) -> ProtocolReport:
    """Returns the first report that has a candidate of that name.

    Raises:
        InputError: none does.
    """
    for report in reports:
        if report is not None and any(each.name == name for each in report.candidates):
            return report
    raise InputError(
        f"Recipe '{name}' was chosen, but neither the protocol nor the nested protocol judges it; "
        "name it in nested.candidates."
    )


def _require(baseline: str, names: Mapping[str, Candidate] | tuple[str, ...]) -> None:
    if baseline not in names:
        known = ", ".join(names)
        raise InputError(
            f"The baseline {baseline!r} is not among the candidates ({known}). "
            "Add it to candidates or set protocol.baseline to one of them."
        )
