"""Deepchecks 0.19 as a stack's data validator; ZenML's own wants the extras for pictures, too."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, cast

import numpy as np
import pandas as pd
from zenml.data_validators.base_data_validator import BaseDataValidatorConfig

from churn.checks.deepchecks.deepchecks_report import ValidationReport
from churn.checks.deepchecks.deepchecks_settings import ValidationSettings
from churn.checks.deepchecks.suites import validate as validate_with_model
from churn.checks.validators.by_deepchecks import validate
from churn.checks.validators.validator_report import ValidatorReport
from churn.checks.validators.validator_settings import DeepchecksSettings
from churn.contract import DataContract
from churn.data.split import Split
from churn.models.trained import TrainedModel
from stacks.flavors.data_validator import ContractDataValidator, ContractDataValidatorFlavor


class DeepchecksConfig(BaseDataValidatorConfig, DeepchecksSettings):
    """What the component can be told: the validator's settings, and nothing else."""


class DeepchecksFlavor(ContractDataValidatorFlavor):
    """The flavor `churn-deepchecks`."""

    CALLED: ClassVar[str] = "churn-deepchecks"
    SHOWN: ClassVar[str] = "Deepchecks 0.19"
    CONFIG: ClassVar[type[BaseDataValidatorConfig]] = DeepchecksConfig

    @property
    def implementation_class(self) -> type[DeepchecksValidator]:
        """Its component."""
        return DeepchecksValidator


class DeepchecksValidator(ContractDataValidator):
    """Runs the suites that ship with Deepchecks: two about data, a third where there is a model."""

    NAME: ClassVar[str] = "Deepchecks"
    FLAVOR: ClassVar[type[ContractDataValidatorFlavor]] = DeepchecksFlavor

    @property
    def config(self) -> DeepchecksConfig:
        """The settings."""
        return cast(DeepchecksConfig, self._config)

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

    def model_validation(
        self,
        dataset: Any,
        model: TrainedModel,
        comparison_dataset: Any | None = None,
        check_list: Sequence[Any] | None = None,
        **unknown: Any,
    ) -> ValidationReport:
        """All three suites, the model's among them: the step `run_deepchecks` through ZenML's door.

        Args:
            dataset: Rows that the model learned from.
            model: The model; its contract says what the columns mean.
            comparison_dataset: Rows that it has not seen.
            check_list: Not taken: what is looked at is a setting of the component.
            **unknown: Not taken either.

        Raises:
            InputError: there are no rows that the model has not seen, something is asked for that
                is a setting, or Deepchecks is not installed.
        """
        self.refuse(check_list, unknown)
        unseen = dataset.iloc[:0] if comparison_dataset is None else comparison_dataset
        rows = pd.concat([dataset, unseen], ignore_index=True)
        places = np.arange(len(rows))
        split = Split(development=places[: len(dataset)], gate=places[len(dataset) :])
        settings = ValidationSettings(
            seed=self.config.seed,
            maximum_rows=self.config.maximum_rows,
            shown_only=self.config.shown_only,
        )
        return validate_with_model(rows, split, model, settings)
