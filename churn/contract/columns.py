"""Columns: their kinds, what their values may be, and what they mean to the business."""

from __future__ import annotations

import operator
from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from churn.frozen_model import FrozenModel

MAXIMUM_CATEGORIES = 127  # category codes travel as int8


class Role(StrEnum):
    """What a column means to the business, whatever it is called."""

    TENURE = "tenure"
    MONTHLY_CHARGE = "monthly_charge"
    TOTAL_CHARGE = "total_charge"
    SERVICE = "service"
    PROTECTION = "protection"
    STREAMING = "streaming"
    INTERNET = "internet"
    PHONE = "phone"
    CONTRACT_TERM = "contract_term"
    PAYMENT = "payment"
    BILLING = "billing"
    HOUSEHOLD = "household"
    SENSITIVE = "sensitive"


UNCHANGEABLE = frozenset({Role.TENURE, Role.HOUSEHOLD, Role.SENSITIVE})
"""What a customer is, and no business can change."""


class _Column(FrozenModel):
    """What every column has.

    `confirm` is a question that a drafted contract asks a person, who deletes it when it is answered.
    It changes nothing that is computed, so it is in no digest, bundle or report.
    """

    name: str = Field(min_length=1)
    meaning: str = Field(min_length=1)
    roles: tuple[Role, ...] = ()
    confirm: str = Field(default="", exclude=True, repr=False)


class _Feature(_Column):
    """A column that a model may see.

    `actionable` says that the business can do something about it; reasons on such columns come
    first, and nothing else is ever changed in a counterfactual.
    """

    actionable: bool = False

    @model_validator(mode="after")
    def _can_be_acted_on(self) -> Self:
        personal = [role.value for role in self.roles if role in UNCHANGEABLE]
        if self.actionable and personal:
            raise ValueError(
                f"column {self.name!r} cannot be actionable: nobody can change a column with the "
                f"role {personal[0]!r}"
            )
        return self


class _Coded(_Feature):
    """A column of categories, and the words for each.

    `phrases` says what each category says about a customer, as the beginning of a sentence; `prices`
    what each adds to the monthly bill, in the bill's unit. `offers` names the categories that the
    business may propose, in words that follow "with".
    """

    phrases: tuple[str, ...] = ()
    prices: tuple[float, ...] = ()
    offers: dict[str, str] = Field(default_factory=dict)

    def _require_matching_words(self, categories: tuple[str, ...]) -> None:
        """Refuses words and prices that do not go with the categories."""
        for field, given in (("phrases", self.phrases), ("prices", self.prices)):
            if given and len(given) != len(categories):
                raise ValueError(f"column {self.name!r}: {field!r} needs one entry per category")
        unknown = [value for value in self.offers if value not in categories]
        if unknown:
            raise ValueError(
                f"column {self.name!r}: 'offers' names {unknown}, not in its categories"
            )
        if self.offers and not self.actionable:
            raise ValueError(f"column {self.name!r} has offers, so it must be actionable")


class IdColumn(_Column):
    """The customer's identifier: unique, never blank, never a feature.

    `surrogate` says that an id does not last: the rows were numbered, or every export draws new
    ids, so that equal ids in two tables need not be the same customer.
    """

    kind: Literal["id"]
    # Left out where false: contracts from before the field keep their digest.
    surrogate: bool = Field(default=False, exclude_if=operator.not_)


class DateColumn(_Column):
    """The day that a row describes its customer on, not the day of leaving; never a feature."""

    kind: Literal["date"]


class CategoryColumn(_Coded):
    """One of a closed list of texts; the order of the list is the order of the codes.

    `yes` names the categories that count as having the thing (for service counts).
    `months` gives a contract term's length per category.
    """

    kind: Literal["category"]
    categories: tuple[str, ...] = Field(min_length=2, max_length=MAXIMUM_CATEGORIES)
    yes: tuple[str, ...] = ()
    months: tuple[int, ...] = ()

    @model_validator(mode="after")
    def _consistent(self) -> CategoryColumn:
        _require_different(self.name, self.categories)
        unknown = [value for value in self.yes if value not in self.categories]
        if unknown:
            raise ValueError(f"column {self.name!r}: 'yes' names {unknown}, not in its categories")
        if self.months and len(self.months) != len(self.categories):
            raise ValueError(f"column {self.name!r}: 'months' needs one length per category")
        self._require_matching_words(self.categories)
        return self


class FlagColumn(_Coded):
    """A yes/no column and how the source spells the two; code 0 is no, code 1 is yes."""

    kind: Literal["flag"]
    no_value: str = "No"
    yes_value: str = "Yes"

    @model_validator(mode="after")
    def _consistent(self) -> FlagColumn:
        _require_different(self.name, self.categories)
        self._require_matching_words(self.categories)
        return self

    @property
    def categories(self) -> tuple[str, ...]:
        """The two spellings, in code order."""
        return (self.no_value, self.yes_value)

    @property
    def yes(self) -> tuple[str, ...]:
        """The spelling that means yes, as a tuple, like a category column's."""
        return (self.yes_value,)


class BlankRule(FrozenModel):
    """A blank is allowed only where another column has one value, and then means `value`."""

    only_when: str
    equals: float
    value: float


class NumberColumn(_Feature):
    """A number within stated bounds, in a stated unit.

    `phrase` says what the number says about a customer, as the beginning of a sentence, with
    {value} in its place.
    """

    kind: Literal["number"]
    unit: str
    phrase: str = ""
    minimum: float
    maximum: float
    integer: bool = False
    blank: BlankRule | None = None

    @property
    def in_months(self) -> bool:
        """Whether it counts months, as what is made of a tenure takes for granted."""
        return self.unit.strip().casefold() in {"month", "months"}

    @model_validator(mode="after")
    def _ordered(self) -> NumberColumn:
        if not self.minimum < self.maximum:
            raise ValueError(f"column {self.name!r}: minimum must lie below maximum")
        if self.phrase and "{value}" not in self.phrase:
            raise ValueError(f"column {self.name!r}: 'phrase' must say where {{value}} stands")
        return self


class TargetColumn(_Column):
    """What is predicted; code 1 is the event (the customer left)."""

    kind: Literal["target"]
    no_value: str = "No"
    yes_value: str = "Yes"

    @model_validator(mode="after")
    def _consistent(self) -> TargetColumn:
        _require_different(self.name, self.categories)
        return self

    @property
    def categories(self) -> tuple[str, ...]:
        """The two spellings, in code order."""
        return (self.no_value, self.yes_value)


def _require_different(name: str, categories: tuple[str, ...]) -> None:
    """Refuses blank categories, and ones that are spelt alike but for the spaces around them."""
    spelt = [category.strip() for category in categories]  # spaces around a cell do not count
    if "" in spelt:
        raise ValueError(f"column {name!r} lists a blank category")
    if len(set(spelt)) != len(spelt):
        raise ValueError(f"column {name!r} lists a category twice")


Column = Annotated[
    IdColumn | DateColumn | CategoryColumn | FlagColumn | NumberColumn | TargetColumn,
    Field(discriminator="kind"),
]
CodedColumn = CategoryColumn | FlagColumn
