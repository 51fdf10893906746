"""Great Expectations 1.x as a stack's data validator; ZenML's own wants a version below 1.0."""

from __future__ import annotations

from typing import ClassVar, cast

import pandas as pd
from zenml.data_validators.base_data_validator import BaseDataValidatorConfig

from churn.checks.validators.by_great_expectations import validate
from churn.checks.validators.validator_report import ValidatorReport
from churn.checks.validators.validator_settings import GreatExpectationsSettings
from churn.contract import DataContract
from stacks.flavors.data_validator import ContractDataValidator, ContractDataValidatorFlavor


class GreatExpectationsConfig(BaseDataValidatorConfig, GreatExpectationsSettings):
    """What the component can be told: the validator's settings, and nothing else."""


class GreatExpectationsFlavor(ContractDataValidatorFlavor):
    """The flavor `churn-great-expectations`."""

    CALLED: ClassVar[str] = "churn-great-expectations"
    SHOWN: ClassVar[str] = "Great Expectations 1.x"
    CONFIG: ClassVar[type[BaseDataValidatorConfig]] = GreatExpectationsConfig

    @property
    def implementation_class(self) -> type[GreatExpectationsValidator]:
        """Its component."""
        return GreatExpectationsValidator


class GreatExpectationsValidator(ContractDataValidator):
    """Judges rows by the suite that the contract generates, and their distributions by PSI."""

    NAME: ClassVar[str] = "Great Expectations"
    FLAVOR: ClassVar[type[ContractDataValidatorFlavor]] = GreatExpectationsFlavor

    @property
    def config(self) -> GreatExpectationsConfig:
        """The settings."""
        return cast(GreatExpectationsConfig, self._config)

    def validate(
        self,
        reference: pd.DataFrame,
        current: pd.DataFrame,
        contract: DataContract,
        *,
        target: str,
    ) -> ValidatorReport:
        """See `ContractDataValidator`."""
        return validate(reference, current, contract, self.config, target=target)
