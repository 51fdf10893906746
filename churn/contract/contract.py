"""A business's whole contract, and the file it is read from."""

from __future__ import annotations

import hashlib
import json
import operator
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError, model_validator

from churn.contract.columns import (
    CategoryColumn,
    CodedColumn,
    Column,
    DateColumn,
    FlagColumn,
    IdColumn,
    NumberColumn,
    Role,
    TargetColumn,
)
from churn.contract.expectations import AcceptedSnapshot, Expectations
from churn.contract.reading import Reading
from churn.errors import InputError, error_reason
from churn.frozen_model import FrozenModel


class Business(FrozenModel):
    """Words of the business that no table has; each is left out of every text where it is not given.

    Attributes:
        currency: of all amounts, three letters.
        description: what the model predicts.
        ethics: what is to be considered before a score is acted on.
        owners: who answers for the model.
    """

    currency: str | None = Field(default=None, pattern=r"^[A-Z]{3}$")
    description: str | None = Field(default=None, min_length=1)
    ethics: str | None = Field(default=None, min_length=1)
    owners: str | None = Field(default=None, min_length=1)


class DataContract(FrozenModel):
    """Columns, roles and table-wide rules of one business's customer table.

    `left_out` names columns that a file may have and nobody reads, each with the reason. `reading` says
    how tables are written where that differs from the contract. It is in no digest and no bundle: it
    changes nothing that a model sees, so models stay comparable when another tool writes the table.
    """

    name: str = Field(pattern=r"^[a-z][a-z0-9_-]*$")
    version: int = Field(ge=1)
    title: str
    # Left out where it is not given: contracts from before the field keep their digest.
    business: Business | None = Field(default=None, exclude_if=lambda given: given is None)
    columns: tuple[Column, ...] = Field(min_length=3)
    # Left out where empty: contracts from before these fields keep their digest.
    left_out: dict[str, str] = Field(default_factory=dict, exclude_if=operator.not_)
    snapshot: AcceptedSnapshot | None = Field(default=None, exclude_if=operator.not_)
    expectations: Expectations
    reading: Reading = Field(default_factory=Reading, exclude=True, repr=False)

    @model_validator(mode="after")
    def _reading_fits(self) -> DataContract:
        self.reading.require_fit(self.columns)
        return self

    @model_validator(mode="after")
    def _whole(self) -> DataContract:
        names = [column.name for column in self.columns]
        if len(set(names)) != len(names):
            raise ValueError("two columns share a name")
        both = [name for name in names if name in self.left_out]
        if both:
            raise ValueError(f"column {both[0]!r} is described and left out; keep one of the two")
        for kind in ("id", "target"):
            if sum(column.kind == kind for column in self.columns) != 1:
                raise ValueError(f"exactly one column of kind {kind!r} is needed")
        if sum(column.kind == "date" for column in self.columns) > 1:
            raise ValueError("at most one column of kind 'date' is allowed")
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
    def unconfirmed(self) -> tuple[Column, ...]:
        """Columns with a draft's question that nobody has answered."""
        return tuple(column for column in self.columns if column.confirm)

    @property
    def id(self) -> IdColumn:
        """The identifier column."""
        return next(column for column in self.columns if isinstance(column, IdColumn))

    @property
    def date(self) -> DateColumn | None:
        """The column that says when a row was observed; None where there is none."""
        return next((column for column in self.columns if isinstance(column, DateColumn)), None)

    @property
    def target(self) -> TargetColumn:
        """The target column."""
        return next(column for column in self.columns if isinstance(column, TargetColumn))

    @property
    def unscored(self) -> tuple[str, ...]:
        """Columns of a table that say nothing to a score: the target, and the date where it has one."""
        return (self.target.name, *([self.date.name] if self.date else []))

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
        """The column of that name; a `KeyError` if there is none."""
        return {column.name: column for column in self.columns}[name]

    def with_role(self, role: Role) -> tuple[CodedColumn | NumberColumn, ...]:
        """Feature columns that carry a role, in file order; empty where none does."""
        return tuple(column for column in self.features if role in column.roles)

    def only_number(self, role: Role) -> NumberColumn | None:
        """The number column of a role; None unless the role has exactly one column, and it is a number."""
        found = self.with_role(role)
        return found[0] if len(found) == 1 and isinstance(found[0], NumberColumn) else None

    def digest(self) -> str:
        """SHA-256 of what the contract says, independent of how its file is laid out."""
        text = json.dumps(self.model_dump(mode="json"), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()

    def table_digest(self) -> str:
        """SHA-256 of what decides how a file becomes a table: the digest, and how tables are read.

        It is the digest itself where `reading` translates nothing.
        """
        if self.reading == Reading():
            return self.digest()
        return hashlib.sha256(
            f"{self.digest()}{self.reading.model_dump_json()}".encode()
        ).hexdigest()


def load_contract(path: Path) -> DataContract:
    """Reads a contract file.

    Raises:
        InputError: the file is missing, is not YAML, or breaks the contract's own rules.

    Examples:
        >>> contract = load_contract(Path("data/contracts/telco.yaml"))
        >>> contract.name, len(contract.features), contract.target.name
        ('telco', 19, 'Churn')
        >>> contract.column("Contract").categories
        ('Month-to-month', 'One year', 'Two year')
    """
    try:
        return DataContract.model_validate(contract_content(path))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "the top level"
        raise InputError(
            f"The data contract {path} is not valid at {place}: {first['msg']}. "
            f"`python run.py contract check {path}` lists all; docs/data.md describes every field."
        ) from None


def with_reading(contract: DataContract, path: Path) -> DataContract:
    """A bundle's contract with the `reading` of the file that it was made from.

    It stays as it is where the file is not there or says something else: what it translates to would
    not be this contract's.

    Raises:
        InputError: the file is no contract.
    """
    if not path.exists():
        return contract
    found = load_contract(path)
    same = found.digest() == contract.digest()
    return contract.model_copy(update={"reading": found.reading}) if same else contract


def contract_content(path: Path) -> Any:
    """What a contract file says, not yet validated.

    Raises:
        InputError: the file is missing or is not YAML.
    """
    import yaml

    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(
            f"The data contract {path} does not exist. Name an existing file with "
            "--set data.contract=PATH; the shipped one is data/contracts/telco.yaml."
        ) from None
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        reason = error_reason(error)
        raise InputError(f"The data contract {path} cannot be read as YAML: {reason}.") from None
