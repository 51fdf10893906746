"""Evidently 0.7 as a stack's data validator; ZenML's own goes through `evidently.legacy`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, cast

from zenml.data_validators.base_data_validator import BaseDataValidatorConfig

from churn.checks.validators import evidently_validation
from churn.checks.validators.validator_settings import EvidentlySettings
from churn.contract import DataContract
from stacks.flavors.data_validator import ContractDataValidator, ContractDataValidatorFlavor


class EvidentlyConfig(BaseDataValidatorConfig, EvidentlySettings):
    """Settings of the component: those of the validator."""


class EvidentlyFlavor(ContractDataValidatorFlavor):
    """The flavor `churn-evidently`."""

    FLAVOR_NAME: ClassVar[str] = "churn-evidently"
    DISPLAY_NAME: ClassVar[str] = "Evidently 0.7"
    CONFIG: ClassVar[type[BaseDataValidatorConfig]] = EvidentlyConfig


class EvidentlyValidator(
    ContractDataValidator,
    library="Evidently",
    flavor=EvidentlyFlavor,
    check=evidently_validation.validate,
):
    """Measures drift, blanks and values outside the contract, column by column."""

    def data_profiling(
        self,
        dataset: Any,
        comparison_dataset: Any | None = None,
        profile_list: Sequence[Any] | None = None,
        *,
        contract: DataContract | None = None,
        **unknown: Any,
    ) -> Any:
        """Returns Evidently's own `Snapshot`, for its interactive page: `.save_html(path)`.

        Arguments and errors are those of `data_validation`.
        """
        contract = self.require_contract(contract, profile_list, unknown)
        current = dataset if comparison_dataset is None else comparison_dataset
        return evidently_validation.profile(
            dataset, current, contract, cast(EvidentlyConfig, self.config)
        )
