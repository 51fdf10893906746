"""What this project's data validators share: one question, and ZenML's own methods that lead to it.

ZenML calls the known rows `dataset` and those in question `comparison_dataset`. The library itself
is imported when a table is looked at, so that naming a stack costs nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import pandas as pd
from zenml.data_validators import BaseDataValidator, BaseDataValidatorFlavor
from zenml.data_validators.base_data_validator import BaseDataValidatorConfig

from churn.checks.validators.validator_report import ValidatorReport
from churn.contract import DataContract
from churn.errors import InputError


class ContractDataValidatorFlavor(BaseDataValidatorFlavor):
    """Base of their flavors, which say how they are called and what they are made of."""

    CALLED: ClassVar[str]
    SHOWN: ClassVar[str]
    CONFIG: ClassVar[type[BaseDataValidatorConfig]]

    @property
    def name(self) -> str:
        """What a stack file calls it."""
        return self.CALLED

    @property
    def display_name(self) -> str:
        """What the dashboard calls it."""
        return self.SHOWN

    @property
    def config_class(self) -> type[BaseDataValidatorConfig]:
        """Its settings."""
        return self.CONFIG


class ContractDataValidator(BaseDataValidator):
    """Base of them: looks at rows with the data contract in hand."""

    def validate(
        self,
        reference: pd.DataFrame,
        current: pd.DataFrame,
        contract: DataContract,
        *,
        target: str,
    ) -> ValidatorReport:
        """Looks at current rows beside reference rows.

        Args:
            reference: Rows that are known to be good, typed by the contract, shape [m, columns].
            current: Rows in question, typed by the contract, shape [n, columns].
            contract: What the columns mean.
            target: The column that holds the outcome.

        Raises:
            InputError: the library is not installed, or a table cannot be looked at.
        """
        raise NotImplementedError

    def data_validation(
        self,
        dataset: Any,
        comparison_dataset: Any | None = None,
        check_list: Sequence[Any] | None = None,
        *,
        contract: DataContract,
        **unknown: Any,
    ) -> ValidatorReport:
        """ZenML's name for `validate`; rows that stand alone are compared with themselves.

        Args:
            dataset: The reference rows.
            comparison_dataset: The current rows.
            check_list: Not taken: what is looked at is a setting of the component.
            contract: What the columns mean.
            **unknown: Not taken either.

        Raises:
            InputError: something is asked for that is a setting, or as for `validate`.
        """
        self.refuse(check_list, unknown)
        current = dataset if comparison_dataset is None else comparison_dataset
        return self.validate(dataset, current, contract, target=contract.target.name)

    def refuse(self, chosen: Sequence[Any] | None, unknown: dict[str, Any]) -> None:
        """Refuses what only looks as if it changed something.

        Raises:
            InputError: something is chosen, or named that is not known.
        """
        asked = ["a list of checks"] if chosen is not None else []
        asked += [f"'{name}'" for name in unknown]
        if asked:
            raise InputError(
                f"The data validator '{self.name}' does not take {' and '.join(asked)}; what it "
                "looks at is set in its configuration, in the stack's file."
            )
