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
from churn.checks.validators import deepchecks_validation
from churn.checks.validators.validator_settings import DeepchecksSettings
from churn.data.split import Split
from churn.models.trained import TrainedModel
from stacks.flavors.data_validator import ContractDataValidator, ContractDataValidatorFlavor


class DeepchecksConfig(BaseDataValidatorConfig, DeepchecksSettings):
    """Settings of the component: those of the validator."""


class DeepchecksFlavor(ContractDataValidatorFlavor):
    """The flavor `churn-deepchecks`."""

    FLAVOR_NAME: ClassVar[str] = "churn-deepchecks"
    DISPLAY_NAME: ClassVar[str] = "Deepchecks 0.19"
    CONFIG: ClassVar[type[BaseDataValidatorConfig]] = DeepchecksConfig


class DeepchecksValidator(
    ContractDataValidator,
    library="Deepchecks",
    flavor=DeepchecksFlavor,
    check=deepchecks_validation.validate,
):
    """Runs Deepchecks' own suites: two about data, a third where there is a model."""

    def model_validation(
        self,
        dataset: Any,
        model: TrainedModel,
        comparison_dataset: Any | None = None,
        check_list: Sequence[Any] | None = None,
        **unknown: Any,
    ) -> ValidationReport:
        """Runs all three suites, the model's among them: the step `run_deepchecks` as ZenML's method.

        Args:
            dataset: Rows that the model was trained on.
            model: The model, with its contract.
            comparison_dataset: Rows that it has not seen.
            check_list: Not accepted: the checks are settings of the component.
            **unknown: Not accepted either.

        Raises:
            InputError: there are no rows that the model has not seen, an argument is not accepted,
                or Deepchecks is not installed.
        """
        self.refuse_arguments(check_list, unknown)
        unseen = dataset.iloc[:0] if comparison_dataset is None else comparison_dataset
        rows = pd.concat([dataset, unseen], ignore_index=True)
        places = np.arange(len(rows))
        split = Split(development=places[: len(dataset)], gate=places[len(dataset) :])
        config = cast(DeepchecksConfig, self.config)
        settings = ValidationSettings(
            seed=config.seed, maximum_rows=config.maximum_rows, shown_only=config.shown_only
        )
        return validate_with_model(rows, split, model, settings)
