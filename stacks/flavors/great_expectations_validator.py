"""Great Expectations 1.x as a stack's data validator; ZenML's own wants a version below 1.0."""

from __future__ import annotations

from typing import ClassVar

from zenml.data_validators.base_data_validator import BaseDataValidatorConfig

from churn.checks.validators import great_expectations_validation
from churn.checks.validators.validator_settings import GreatExpectationsSettings
from stacks.flavors.data_validator import ContractDataValidator, ContractDataValidatorFlavor


class GreatExpectationsConfig(BaseDataValidatorConfig, GreatExpectationsSettings):
    """Settings of the component: those of the validator."""


class GreatExpectationsFlavor(ContractDataValidatorFlavor):
    """The flavor `churn-great-expectations`."""

    FLAVOR_NAME: ClassVar[str] = "churn-great-expectations"
    DISPLAY_NAME: ClassVar[str] = "Great Expectations 1.x"
    CONFIG: ClassVar[type[BaseDataValidatorConfig]] = GreatExpectationsConfig


class GreatExpectationsValidator(
    ContractDataValidator,
    library="Great Expectations",
    flavor=GreatExpectationsFlavor,
    check=great_expectations_validation.validate,
):
    """Checks rows by the suite that the contract generates, and their distributions by PSI."""
