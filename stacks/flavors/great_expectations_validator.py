"""Great Expectations 1.x as a stack's data validator; ZenML's own wants a version below 1.0."""

from __future__ import annotations

from typing import ClassVar, cast

import pandas as pd
from zenml.data_validators import BaseDataValidatorFlavor
from zenml.data_validators.base_data_validator import BaseDataValidatorConfig

from churn.contract import DataContract
from churn.validators.by_great_expectations import validate
from churn.validators.report import ValidatorReport
from churn.validators.settings import GreatExpectationsSettings
from stacks.flavors.data_validator import ContractDataValidator


class GreatExpectationsConfig(BaseDataValidatorConfig, GreatExpectationsSettings):
    """What the component can be told: the validator's settings, and nothing else."""


class GreatExpectationsFlavor(BaseDataValidatorFlavor):
    """The flavor `churn-great-expectations`."""

    @property
    def name(self) -> str:
        """What a stack file calls it."""
        return "churn-great-expectations"

    @property
    def display_name(self) -> str:
        """What the dashboard calls it."""
        return "Great Expectations 1.x"

    @property
    def config_class(self) -> type[GreatExpectationsConfig]:
        """Its settings."""
        return GreatExpectationsConfig

    @property
    def implementation_class(self) -> type[GreatExpectationsValidator]:
        """Its component."""
        return GreatExpectationsValidator


class GreatExpectationsValidator(ContractDataValidator):
    """Judges rows by the suite that the contract generates, and their distributions by PSI."""

    NAME: ClassVar[str] = "Great Expectations"
    FLAVOR: ClassVar[type[BaseDataValidatorFlavor]] = GreatExpectationsFlavor

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
