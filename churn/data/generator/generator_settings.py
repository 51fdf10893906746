"""What is generated, and its address: `generated:1000000?seed=7&scenario=price_rise`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, Self
from urllib.parse import parse_qsl, urlencode

from pydantic import Field, ValidationError

from churn.errors import InputError, did_you_mean
from churn.frozen_model import FrozenModel

SCHEME = "generated"
_MOST_ROWS = 10**10
_MOST_SEEDS = 2**63


class GeneratorSettings(FrozenModel):
    """What is generated.

    Attributes:
        rows: how many customers.
        seed: which customers; equal seeds give equal ones, in any scenario.
        scenario: name of the drift, one of `churn.data.generator.scenarios`; empty for none.
        strength: how strong the drift is, above 0 and at most 1; None for the scenario's own.
        column: the column that the drift acts on, where the scenario takes one; empty for its choice.
        weeks: over how many weeks the customers are observed, evenly; 0 for all on the first day.
        start: the first day.
        since: week from which the drift acts, 1 for the first.
        outcomes: whether the target is among the columns.
        outcome_delay: days from a customer's observation until the outcome is known.
        truth: whether the probability that each outcome was drawn with is a column, too.
    """

    rows: int = Field(ge=1, le=_MOST_ROWS)
    seed: int = Field(default=7, ge=0, lt=_MOST_SEEDS)
    scenario: str = ""
    strength: float | None = Field(default=None, gt=0, le=1)
    column: str = ""
    weeks: int = Field(default=0, ge=0, le=5200)
    start: date = date(2026, 1, 5)
    since: int = Field(default=1, ge=1)
    outcomes: bool = True
    outcome_delay: int = Field(default=30, ge=0, le=3650)
    truth: bool = False

    @classmethod
    def read(cls, given: Mapping[str, Any]) -> Self:
        """The settings of an address's or a command's values, which may be texts.

        Raises:
            InputError: one is unknown or not valid.
        """
        for name in given:
            if name not in cls.model_fields:
                near = did_you_mean(name, cls.model_fields)
                known = ", ".join(each for each in cls.model_fields if each != "rows")
                hint = f"Did you mean '{near}'?" if near else f"It knows {known}."
                raise InputError(f"The generator knows no '{name}'. {hint}")
        try:
            found = cls.model_validate(given)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            name = str(first["loc"][0])
            said = f"'{first['input']}'" if name in given else "nothing"
            reason = first["msg"].removeprefix("Input ")
            raise InputError(f"The generator's {name} is {said}, but it {reason}.") from None
        found.require_consistent()
        return found

    def require_consistent(self) -> None:
        """Refuses settings that are possible one by one, but not together.

        Raises:
            InputError: a drift's option is given without a drift, or it begins after the last week.
        """
        if not self.scenario and (self.strength is not None or self.column):
            raise InputError("A strength or a column is for a drift, and this names no scenario.")
        if self.since > max(self.weeks, 1):
            raise InputError(
                f"The drift acts since week {self.since}, after the last of {max(self.weeks, 1)}. "
                "Give more weeks, or an earlier since."
            )

    @classmethod
    def from_address(cls, address: str) -> Self:
        """The settings of an address.

        Raises:
            InputError: it is none of this form.
        """
        rows, _, query = address.partition(":")[2].partition("?")
        pairs = parse_qsl(query, keep_blank_values=True)
        names = [name for name, _ in pairs]
        twice = next((name for name in names if names.count(name) > 1 or name == "rows"), None)
        if twice is not None:
            raise InputError(f"The address {address} says '{twice}' twice. Say it once.")
        return cls.read({"rows": rows, **dict(pairs)})

    @property
    def address(self) -> str:
        """The address that gives these customers, without what is the default."""
        said = self.model_dump(mode="json", exclude_defaults=True, exclude={"rows"})
        query = {
            name: str(value).lower() if isinstance(value, bool) else value
            for name, value in said.items()
        }
        return f"{SCHEME}:{self.rows}{'?' if query else ''}{urlencode(query)}"
