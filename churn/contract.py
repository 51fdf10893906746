"""The data contract: which columns a customer table has and what they mean.

One YAML file per business is the single source for the parser, the quality gate, the encoder,
the request model and the docs. Feature formulas ask for *roles*, never for column names, so a
business with other columns brings its own contract and no code.
"""

from __future__ import annotations

import hashlib
import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from churn.errors import InputError

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


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _Column(_Strict):
    name: str = Field(min_length=1)
    meaning: str = Field(min_length=1)
    roles: tuple[Role, ...] = ()


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
    """A column of categories, and how to speak of each.

    `phrases` says what each category tells of a customer, as the beginning of a sentence; `prices`
    what each adds to the monthly bill, in the bill's unit. `offers` names the categories that the
    business may propose, in words that follow "with".
    """

    phrases: tuple[str, ...] = ()
    prices: tuple[float, ...] = ()
    offers: dict[str, str] = Field(default_factory=dict)

    def _told(self, categories: tuple[str, ...]) -> None:
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
    """The customer's identifier: unique, never blank, never a feature."""

    kind: Literal["id"]


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
        if len(set(self.categories)) != len(self.categories):
            raise ValueError(f"column {self.name!r} lists a category twice")
        unknown = [value for value in self.yes if value not in self.categories]
        if unknown:
            raise ValueError(f"column {self.name!r}: 'yes' names {unknown}, not in its categories")
        if self.months and len(self.months) != len(self.categories):
            raise ValueError(f"column {self.name!r}: 'months' needs one length per category")
        self._told(self.categories)
        return self


class FlagColumn(_Coded):
    """A yes/no column and how the source spells the two; code 0 is no, code 1 is yes."""

    kind: Literal["flag"]
    no_value: str = "No"
    yes_value: str = "Yes"

    @model_validator(mode="after")
    def _consistent(self) -> FlagColumn:
        self._told(self.categories)
        return self

    @property
    def categories(self) -> tuple[str, ...]:
        """The two spellings, in code order."""
        return (self.no_value, self.yes_value)

    @property
    def yes(self) -> tuple[str, ...]:
        """The spelling that means yes, as a tuple, like a category column's."""
        return (self.yes_value,)


class BlankRule(_Strict):
    """A blank is allowed only where another column has one value, and then means `value`."""

    only_when: str
    equals: float
    value: float


class NumberColumn(_Feature):
    """A number within stated bounds, in a stated unit.

    `phrase` says what the number tells of a customer, as the beginning of a sentence; {value}
    stands for it.
    """

    kind: Literal["number"]
    unit: str
    phrase: str = ""
    minimum: float
    maximum: float
    integer: bool = False
    blank: BlankRule | None = None

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

    @property
    def categories(self) -> tuple[str, ...]:
        """The two spellings, in code order."""
        return (self.no_value, self.yes_value)


Column = Annotated[
    IdColumn | CategoryColumn | FlagColumn | NumberColumn | TargetColumn,
    Field(discriminator="kind"),
]
CodedColumn = CategoryColumn | FlagColumn


class ChargeRule(_Strict):
    """Total charges agree with tenure x monthly charges.

    Holds where |total - tenure * monthly| <= absolute + relative * tenure * monthly; at least
    `mostly` of the rows must hold (prices change over a customer's life).
    """

    absolute: float = Field(ge=0)
    relative: float = Field(ge=0)
    mostly: float = Field(gt=0, le=1)


class ImplicationRule(_Strict):
    """`column` has `value` exactly where `follows_column` has `follows_value`."""

    column: str
    value: str
    follows_column: str
    follows_value: str


class Bounds(_Strict):
    """A closed interval."""

    minimum: float
    maximum: float

    @model_validator(mode="after")
    def _ordered(self) -> Bounds:
        if self.minimum > self.maximum:
            raise ValueError("minimum must not lie above maximum")
        return self


class AcceptedSnapshot(_Strict):
    """The table this contract was accepted on; new data is compared with it."""

    path: str
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")


class Expectations(_Strict):
    """What the quality gate holds a whole table to, beyond its single cells."""

    rows: Bounds
    target_rate: Bounds
    psi_warning: float = Field(gt=0)
    psi_critical: float = Field(gt=0)
    charges: ChargeRule | None = None
    implications: tuple[ImplicationRule, ...] = ()

    @model_validator(mode="after")
    def _warned_before_refused(self) -> Expectations:
        if self.psi_warning > self.psi_critical:
            raise ValueError("psi_warning must not lie above psi_critical")
        return self


class DataContract(_Strict):
    """Columns, roles and table-wide rules of one business's customer table."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_-]*$")
    version: int = Field(ge=1)
    title: str
    columns: tuple[Column, ...] = Field(min_length=3)
    snapshot: AcceptedSnapshot
    expectations: Expectations

    @model_validator(mode="after")
    def _whole(self) -> DataContract:
        names = [column.name for column in self.columns]
        if len(set(names)) != len(names):
            raise ValueError("two columns share a name")
        for kind in ("id", "target"):
            if sum(column.kind == kind for column in self.columns) != 1:
                raise ValueError(f"exactly one column of kind {kind!r} is needed")
        mentioned = [
            name
            for rule in self.expectations.implications
            for name in (rule.column, rule.follows_column)
        ]
        mentioned += [c.blank.only_when for c in self.numbers if c.blank is not None]
        unknown = sorted(set(mentioned) - set(names))
        if unknown:
            raise ValueError(f"a rule names the unknown column {unknown[0]!r}")
        return self

    @property
    def names(self) -> tuple[str, ...]:
        """Every column's name, in file order."""
        return tuple(column.name for column in self.columns)

    @property
    def id(self) -> IdColumn:
        """The identifier column."""
        return next(column for column in self.columns if isinstance(column, IdColumn))

    @property
    def target(self) -> TargetColumn:
        """The target column."""
        return next(column for column in self.columns if isinstance(column, TargetColumn))

    @property
    def numbers(self) -> tuple[NumberColumn, ...]:
        """The number columns, in file order."""
        return tuple(column for column in self.columns if isinstance(column, NumberColumn))

    @property
    def coded(self) -> tuple[CodedColumn, ...]:
        """Category and flag columns, in file order."""
        return tuple(c for c in self.columns if isinstance(c, CategoryColumn | FlagColumn))

    @property
    def features(self) -> tuple[CodedColumn | NumberColumn, ...]:
        """Every column a model may see, in file order."""
        return tuple(
            c for c in self.columns if isinstance(c, CategoryColumn | FlagColumn | NumberColumn)
        )

    def column(self, name: str) -> Column:
        """The column of that name.

        Raises:
            KeyError: no column has that name.
        """
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)

    def with_role(self, role: Role) -> tuple[CodedColumn | NumberColumn, ...]:
        """Feature columns that carry a role, in file order; empty where none does."""
        return tuple(column for column in self.features if role in column.roles)

    def digest(self) -> str:
        """SHA-256 of what the contract says, independent of how its file is laid out."""
        text = json.dumps(self.model_dump(mode="json"), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()


def load_contract(path: Path) -> DataContract:
    """Reads a contract file.

    Raises:
        InputError: the file is missing, is not YAML, or breaks the contract's own rules.
    """
    import yaml

    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(
            f"The data contract {path} does not exist. Name an existing file with "
            "--set data.contract=PATH; the shipped one is data/contracts/telco.yaml."
        ) from None
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        reason = " ".join(str(error).split())
        raise InputError(f"The data contract {path} cannot be read as YAML: {reason}.") from None
    try:
        return DataContract.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "the top level"
        raise InputError(
            f"The data contract {path} is not valid at {place}: {first['msg']}. "
            "docs/data.md describes every field."
        ) from None
