"""Searches the settings of every tuned recipe, on the development rows alone."""

from typing import Annotated, Any

from zenml import step

from churn.data import Dataset
from churn.data.split import Split
from churn.features.encoding import encode, encode_target, take
from churn.tuning.searches import Searches
from churn.tuning.tuned_candidate import TunedCandidate
from materializers.report_materializer import ReportMaterializer
from registry.artifacts import Artifact
from steps.caching import CODE_AWARE
from steps.progress import step_progress
from steps.recipes import candidates_from_parameters


@step(cache_policy=CODE_AWARE, output_materializers=ReportMaterializer)
def tune_recipes(
    customers: Dataset, split: Split, recipes: dict[str, Any]
) -> Annotated[Searches, Artifact.TUNING]:
    """Tunes one recipe after another; an interrupted search resumes from its stored trials."""
    with step_progress("tune_recipes") as progress:
        columns = take(encode(customers.frame, customers.contract), split.development)
        target = encode_target(customers.frame, customers.contract)[split.development]
        candidates = candidates_from_parameters(recipes, customers.contract).values()
        tuned = [each for each in candidates if isinstance(each, TunedCandidate)]
        reports = []
        for number, candidate in enumerate(tuned):
            reports.append(candidate.tune(columns, target).report)
            progress.advance(number + 1, len(tuned))
        searches = Searches(reports=tuple(reports))
        trials = sum(len(report.trials) for report in reports)
        progress.record(
            f"{len(reports)} recipes, {trials} trials",
            {report.recipe: report.best_value for report in reports},
        )
    return searches
