"""Base classes of this project's data validators, each of which adds a few lines.

ZenML calls the known rows `dataset` and the rows in question `comparison_dataset`. The library
itself is imported when a table is validated, so that naming a stack costs nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import pandas as pd
from zenml.data_validators import BaseDataValidator, BaseDataValidatorFlavor
from zenml.data_validators.base_data_validator import BaseDataValidatorConfig

from churn.checks.validators.validator_report import ValidatorReport
from churn.contract import DataContract
from churn.errors import InputError


class ContractDataValidatorFlavor(BaseDataValidatorFlavor):
    """Base of the flavors: a subclass sets the class variables.

    Attributes:
        FLAVOR_NAME: Name in a stack file.
        DISPLAY_NAME: Name on the dashboard.
        CONFIG: Class of its settings.
        VALIDATOR: Class of its component; set by that class.
    """

    FLAVOR_NAME: ClassVar[str]
    DISPLAY_NAME: ClassVar[str]
    CONFIG: ClassVar[type[BaseDataValidatorConfig]]
    VALIDATOR: ClassVar[type[ContractDataValidator]]

    @property
    def name(self) -> str:
        """Name in a stack file."""
        return self.FLAVOR_NAME

    @property
    def display_name(self) -> str:
        """Name on the dashboard."""
        return self.DISPLAY_NAME

    @property
    def config_class(self) -> type[BaseDataValidatorConfig]:
        """Class of its settings."""
        return self.CONFIG

    @property
    def implementation_class(self) -> type[ContractDataValidator]:
        """Class of its component."""
        return self.VALIDATOR


class ContractDataValidator(BaseDataValidator):
    """Base of the components: validates rows with the data contract at hand."""

    CHECK: ClassVar[Callable[..., ValidatorReport]]

    def __init_subclass__(
        cls,
        *,
        library: str,
        flavor: type[ContractDataValidatorFlavor],
        check: Callable[..., ValidatorReport],
    ) -> None:
        """Connects a component with its flavor.

        Args:
            library: Name of the library, for ZenML's messages.
            flavor: Its flavor.
            check: Takes what `validate` takes, and the component's settings after the contract.
        """
        super().__init_subclass__()
        cls.NAME = library
        cls.FLAVOR = flavor
        cls.CHECK = staticmethod(check)
        flavor.VALIDATOR = cls

    def validate(
        self, reference: pd.DataFrame, current: pd.DataFrame, contract: DataContract, *, target: str
    ) -> ValidatorReport:
        """Validates current rows against reference rows, as `DataValidator` describes it.

        Raises:
            InputError: the library is not installed, or a table cannot be validated.
        """
        return self.CHECK(reference, current, contract, self.config, target=target)

    def data_validation(
        self,
        dataset: Any,
        comparison_dataset: Any | None = None,
        check_list: Sequence[Any] | None = None,
        *,
        contract: DataContract | None = None,
        **unknown: Any,
    ) -> ValidatorReport:
        """ZenML's name for `validate`; rows without a comparison are compared with themselves.

        Args:
            dataset: The reference rows.
            comparison_dataset: The current rows.
            check_list: Not accepted: the checks are settings of the component.
            contract: What the columns mean.
            **unknown: Not accepted either.

        Raises:
            InputError: there is no contract, an argument is not accepted, or as for `validate`.
        """
        contract = self.require_contract(contract, check_list, unknown)
        current = dataset if comparison_dataset is None else comparison_dataset
        return self.validate(dataset, current, contract, target=contract.target.name)

    def require_contract(
        self, contract: DataContract | None, checks: Sequence[Any] | None, unknown: dict[str, Any]
    ) -> DataContract:
        """Returns the contract; raises InputError without one, or as `refuse_arguments` does."""
        self.refuse_arguments(checks, unknown)
        if contract is None:
            raise InputError(
                f"The data validator '{self.name}' needs the data contract; pass contract=."
            )
        return contract

    def refuse_arguments(self, checks: Sequence[Any] | None, unknown: dict[str, Any]) -> None:
        """Raises InputError for arguments of ZenML's methods that would have no effect."""
        refused = ["a list of checks"] if checks is not None else []
        refused += [f"'{name}'" for name in unknown]
        if refused:
            raise InputError(
                f"The data validator '{self.name}' does not take {' and '.join(refused)}; what it "
                "checks is set in its configuration, in the stack's file."
            )
