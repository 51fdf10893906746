"""Has the stack's data validator compare the window with the training rows: a second opinion."""

from typing import Annotated, Any

from zenml import step

from churn.checks.validators.validator_report import ValidatorReport
from churn.settings.monitoring import MonitoringSettings
from churn.windows.opened_window import open_window
from churn.windows.validated_tables import nothing_validated, validated_tables
from materializers.report_materializer import ReportMaterializer
from registry.artifacts import Artifact
from steps.data.validate_with_stack import stack_validator
from steps.progress import step_progress


@step(enable_cache=False, output_materializers=ReportMaterializer)
def validate_window(
    settings: dict[str, Any], folders: dict[str, str], validator: str
) -> Annotated[ValidatorReport, Artifact.VALIDATOR_REPORT]:
    """Validates the window; its findings are shown, and change no verdict: they have no stated rate.

    Raises:
        InputError: the stack has no such validator, or the window cannot be read.
    """
    with step_progress("validate_window") as progress:
        opened = open_window(MonitoringSettings.from_mapping(settings), folders)
        scorer, reference = opened.scorer, opened.reference
        contract = scorer.contract
        tables = None
        reason = reference if isinstance(reference, str) else "There are no rows to compare."
        if not isinstance(reference, str):
            tables = validated_tables(opened.window, reference, contract, scorer.threshold)
        if tables is None:
            report = nothing_validated(validator, contract, reason)
        else:
            report = stack_validator(validator).validate(
                *tables, contract, target=contract.target.name
            )
        progress.record(report.sentence, {"verdict": report.verdict_word})
    return report
