"""Has the stack's data validator compare the gate rows with the development rows."""

import json
from typing import Annotated

from zenml import step
from zenml.client import Client
from zenml.config.cache_policy import CachePolicy
from zenml.enums import StackComponentType

from churn.checks.validators.validator_report import DataValidator, ValidatorReport
from churn.data import Dataset
from churn.data.split import Split
from churn.errors import InputError
from materializers.report_materializer import ReportMaterializer
from registry.artifacts import Artifact
from steps.caching import code_digest
from steps.progress import step_progress


def validator_digest() -> str:
    """Returns what the report depends on besides the rows: code, and the validator's configuration."""
    components = Client().active_stack_model.components.get(StackComponentType.DATA_VALIDATOR, [])
    validators = [[each.flavor_name, each.configuration] for each in components]
    return f"{code_digest()} {json.dumps(validators, sort_keys=True, default=str)}"


VALIDATOR_AWARE = CachePolicy(cache_func=validator_digest)


@step(cache_policy=VALIDATOR_AWARE, output_materializers=ReportMaterializer)
def validate_with_stack(
    customers: Dataset, split: Split, validator: str
) -> Annotated[ValidatorReport, Artifact.VALIDATOR_REPORT]:
    """Validates the gate rows against the development rows; the next step acts on the report.

    Raises:
        InputError: the stack has no such validator, its library is not installed, or it is of a
            kind that does not know contracts.
    """
    with step_progress("validate_with_stack") as progress:
        report = stack_validator(validator).validate(
            customers.frame.iloc[split.development],
            customers.frame.iloc[split.gate],
            customers.contract,
            target=customers.contract.target.name,
        )
        progress.record(
            report.sentence,
            {
                "verdict": report.verdict_word,
                "checks": len(report.findings),
                "failed": len(report.failures),
                "attention": len(report.warnings),
            },
        )
    return report


def stack_validator(name: str) -> DataValidator:
    """Returns the active stack's data validator, which must have that name.

    Raises:
        InputError: it is missing, or does not know contracts.
    """
    component = Client().active_stack.data_validator
    if component is None or component.name != name:
        there = "has none" if component is None else f"has '{component.name}'"
        raise InputError(
            f"This run was started for the data validator '{name}', but the active stack {there}; "
            "run it again with the stack that is meant, --stack NAME."
        )
    if not isinstance(component, DataValidator):
        raise InputError(
            f"The data validator '{name}' is of flavor '{component.flavor}', which cannot "
            "validate a table by its contract; take churn-evidently, churn-deepchecks or "
            "churn-great-expectations (docs/validators.md says how to write another)."
        )
    return component
