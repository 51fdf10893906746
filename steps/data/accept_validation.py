"""Stops the run if the stack's validator found a failure."""

from typing import Annotated

from zenml import step

from churn.checks.validators.validator_report import ValidatorReport, require
from registry.artifacts import Artifact
from steps.caching import CODE_AWARE
from steps.progress import step_progress


@step(cache_policy=CODE_AWARE)
def accept_validation(
    validation: ValidatorReport,
) -> Annotated[str, Artifact.VALIDATOR_VERDICT]:
    """Stops a run whose rows failed; a separate step, so that the report is stored either way.

    Returns:
        The verdict: fine, or attention.

    Raises:
        InputError: a finding failed; the sentence names check, column and figure.
    """
    with step_progress("accept_validation") as progress:
        require(validation)
        noticed = len(validation.warnings)
        words = "nothing speaks against the rows"
        progress.record(f"{words}, {noticed} to look at" if noticed else words)
    return validation.verdict_word
