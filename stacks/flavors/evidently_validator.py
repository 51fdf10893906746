"""Evidently 0.7 as a stack's data validator; ZenML's own goes through `evidently.legacy`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, cast

import pandas as pd
from zenml.data_validators.base_data_validator import BaseDataValidatorConfig

from churn.checks.validators.by_evidently import profile, validate
from churn.checks.validators.validator_report import ValidatorReport
from churn.checks.validators.validator_settings import EvidentlySettings
from churn.contract import DataContract
from stacks.flavors.data_validator import ContractDataValidator, ContractDataValidatorFlavor


class EvidentlyConfig(BaseDataValidatorConfig, EvidentlySettings):
    """What the component can be told: the validator's settings, and nothing else."""


class EvidentlyFlavor(ContractDataValidatorFlavor):
    """The flavor `churn-evidently`."""

    CALLED: ClassVar[str] = "churn-evidently"
    SHOWN: ClassVar[str] = "Evidently 0.7"
    CONFIG: ClassVar[type[BaseDataValidatorConfig]] = EvidentlyConfig

    @property
    def implementation_class(self) -> type[EvidentlyValidator]:
        """Its component."""
        return EvidentlyValidator


class EvidentlyValidator(ContractDataValidator):
    """Measures drift, blanks and values outside the contract, column by column."""

    NAME: ClassVar[str] = "Evidently"
    FLAVOR: ClassVar[type[ContractDataValidatorFlavor]] = EvidentlyFlavor

    @property
    def config(self) -> EvidentlyConfig:
        """The settings."""
        return cast(EvidentlyConfig, self._config)

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

    def data_profiling(
        self,
        dataset: Any,
        comparison_dataset: Any | None = None,
        profile_list: Sequence[Any] | None = None,
        *,
        contract: DataContract,
        **unknown: Any,
    ) -> Any:
        """Evidently's own `Snapshot`, for its interactive page: `.save_html(path)`.

        Args:
            dataset: The reference rows.
            comparison_dataset: The current rows; the reference rows again where there are none.
            profile_list: Not taken: what is looked at is a setting of the component.
            contract: What the columns mean.
            **unknown: Not taken either.

        Raises:
            InputError: as for `validate`.
        """
        self.refuse(profile_list, unknown)
        current = dataset if comparison_dataset is None else comparison_dataset
        return profile(dataset, current, contract, self.config)
