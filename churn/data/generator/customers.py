"""Generated customers: any of them, in any order and any number at once, and always the same ones."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from churn.contract import (
    CodedColumn,
    Column,
    DataContract,
    DateColumn,
    IdColumn,
    NumberColumn,
)
from churn.data.generator.generator_settings import GeneratorSettings
from churn.data.generator.scenarios import (
    NEW_PAYMENT_METHOD,
    Drift,
    find_scenario,
    require_possible,
)
from churn.data.generator.snapshot_model import SnapshotModel, snapshot_model
from churn.data.synthetic_ids import ID_PREFIX
from churn.features.encoding import Columns, Floats

OBSERVED = "observed_on"
OUTCOME_KNOWN = "outcome_known_on"
TRUTH = "true_probability"

_BLOCK = 8192  # customers that share a stream of random numbers
_CHUNK_ROWS = 1 << 16
_DRIFT_DRAWS = 2
_WEEK = 7


@dataclass(frozen=True, eq=False)
class GeneratedRows:
    """Some generated customers.

    Attributes:
        contract: the contract they follow.
        settings: what was asked for.
        first: the first one's number, from 0.
        columns: the features as recorded; code -1 for a blank or an unknown category, NaN for a blank
            number.
        target: the outcomes, int8[n]: 1 where the customer left.
        probability: what each outcome was drawn with, float64[n].
        observed: the day of each observation, datetime64[D][n].
    """

    contract: DataContract
    settings: GeneratorSettings
    first: int
    columns: Columns
    target: NDArray[np.int8]
    probability: Floats
    observed: NDArray[np.datetime64]

    @property
    def outcome_known(self) -> NDArray[np.datetime64]:
        """The day on which each outcome is known, datetime64[D][n]."""
        return self.observed + np.timedelta64(self.settings.outcome_delay, "D")

    def table(self) -> pa.Table:
        """A pyarrow table: the contract's columns, then what else was asked for.

        Its schema's metadata say that the customers are synthetic, and how to generate them again.
        """
        settings = self.settings
        arrays = {
            column.name: self._array(column)
            for column in self.contract.columns
            if settings.outcomes or column is not self.contract.target
        }
        if settings.weeks and self.contract.date is None:
            arrays[OBSERVED] = pa.array(self.observed)
        if settings.weeks and settings.outcomes:
            arrays[OUTCOME_KNOWN] = pa.array(self.outcome_known)
        if settings.truth:
            arrays[TRUTH] = pa.array(self.probability)
        return pa.table(arrays).replace_schema_metadata(labels(self.contract, settings))

    def _array(self, column: Column) -> pa.Array:
        if isinstance(column, IdColumn):
            return self._ids()
        if isinstance(column, DateColumn):
            return pa.array(self.observed)
        if isinstance(column, NumberColumn):
            values = self.columns[column.name]
            blank = np.isnan(values) | self._blank(column)
            kind = pa.int64() if column.integer else pa.float64()
            return pa.array(np.where(blank, 0, values), mask=blank).cast(kind)
        codes = self.columns[column.name] if isinstance(column, CodedColumn) else self.target
        texts = [*column.categories, self._unknown_category]
        return pa.array(texts, pa.string()).take(
            pa.array(np.where(codes < 0, len(texts) - 1, codes))
        )

    def _ids(self) -> pa.Array:
        numbers = pa.array(np.arange(self.first, self.first + len(self.target)) + 1)
        digits = pc.utf8_lpad(numbers.cast(pa.string()), 9, "0")
        return pc.binary_join_element_wise(f"{ID_PREFIX}{self.settings.seed}", digits, "-")

    def _blank(self, column: NumberColumn) -> NDArray[np.bool_]:
        """Where the contract has a blank for the number."""
        rule = column.blank
        if rule is None:
            return np.zeros(len(self.target), np.bool_)
        blank: NDArray[np.bool_] = self.columns[rule.only_when] == rule.equals
        return blank

    @property
    def _unknown_category(self) -> str | None:
        return NEW_PAYMENT_METHOD if self.settings.scenario == "new_payment" else None


class GeneratedCustomers:
    """All customers of one setting; those of a range are made when they are asked for.

    Args:
        contract: what they follow.
        settings: what is asked for.
        model: what was learned from a table; None for the contract's snapshot.

    Raises:
        InputError: the scenario is unknown or not possible, or there is no snapshot.
    """

    def __init__(
        self,
        contract: DataContract,
        settings: GeneratorSettings,
        model: SnapshotModel | None = None,
    ) -> None:
        if settings.scenario:
            require_possible(settings.scenario, settings.column, contract)
        self.contract, self.settings = contract, settings
        self._model = model or snapshot_model(contract)

    def rows(self, first: int = 0, count: int | None = None) -> GeneratedRows:
        """The customers from the number `first` on; all the rest where no count is given."""
        last = self.settings.rows if count is None else min(first + count, self.settings.rows)
        uniforms = self._uniforms(first, last)
        known, (chance, *drift) = uniforms[: -1 - _DRIFT_DRAWS], uniforms[-1 - _DRIFT_DRAWS :]
        observed = self._observed(first, last)
        customers: Columns = self._model.chain.draw(known)
        customers = self._drifted("customers", customers, observed, np.array(drift))
        behaving = self._drifted("behaviour", customers, observed, np.array(drift))
        probability = self._model.relation.probability(behaving)
        return GeneratedRows(
            contract=self.contract,
            settings=self.settings,
            first=first,
            columns=self._drifted("records", customers, observed, np.array(drift)),
            target=(chance < probability).astype(np.int8),
            probability=probability,
            observed=observed,
        )

    def week(self, number: int) -> GeneratedRows:
        """The customers observed in a week, 1 for the first."""
        weeks = max(self.settings.weeks, 1)
        first, last = (-(-self.settings.rows * each // weeks) for each in (number - 1, number))
        return self.rows(first, last - first)

    def tables(self, rows: int = _CHUNK_ROWS) -> Iterator[pa.Table]:
        """All customers, some rows at a time."""
        for first in range(0, self.settings.rows, rows):
            yield self.rows(first, rows).table()

    def _uniforms(self, first: int, last: int) -> Floats:
        """Numbers between 0 and 1, float64[draws, n]: a function of the seed and the customer's number."""
        draws = len(self._model.chain.links) + 1 + _DRIFT_DRAWS
        parts = [np.empty((draws, 0))]
        for block in range(first // _BLOCK, -(-last // _BLOCK)):
            key = np.array([self.settings.seed, block], dtype=np.uint64)
            numbers = np.random.Generator(np.random.Philox(key=key)).random((draws, _BLOCK))
            begin = block * _BLOCK
            parts.append(numbers[:, max(first - begin, 0) : last - begin])
        return np.hstack(parts)

    def _observed(self, first: int, last: int) -> NDArray[np.datetime64]:
        days = np.arange(first, last) * (_WEEK * self.settings.weeks) // self.settings.rows
        return np.datetime64(self.settings.start, "D") + days.astype("timedelta64[D]")

    def _drifted(
        self, stage: str, columns: Columns, observed: NDArray[np.datetime64], uniforms: Floats
    ) -> Columns:
        """The columns after the drift, if it acts at this stage."""
        settings = self.settings
        if not settings.scenario or find_scenario(settings.scenario).stage != stage:
            return columns
        scenario = find_scenario(settings.scenario)
        strength = scenario.strength if settings.strength is None else settings.strength
        drift = Drift(self.contract, self._model, columns, uniforms, strength, settings.column)
        begin = np.datetime64(settings.start, "D") + np.timedelta64(
            _WEEK * (settings.since - 1), "D"
        )
        acts = observed >= begin
        changed = {
            name: np.where(acts, values, columns[name]).astype(values.dtype)
            for name, values in scenario.change(drift).items()
        }
        return {**columns, **changed}


def generate(contract: DataContract, rows: int, **settings: Any) -> GeneratedRows:
    """Generates customers at once.

    Args:
        contract: what they follow; its snapshot is what is learned from.
        rows: how many.
        settings: the other fields of `GeneratorSettings`.

    Examples:
        >>> from pathlib import Path
        >>> from churn.contract import load_contract
        >>> contract = load_contract(Path("data/contracts/telco.yaml"))
        >>> customers = generate(contract, 1000, seed=7, scenario="price_rise", weeks=4, since=3)
        >>> customers.table().num_rows, customers.table()["customerID"][0].as_py()
        (1000, 'synthetic-7-000000001')

    Raises:
        InputError: a setting is not valid, or the contract has no snapshot or not the scenario's role.
    """
    return GeneratedCustomers(contract, GeneratorSettings.read({"rows": rows, **settings})).rows()


def labels(contract: DataContract, settings: GeneratorSettings) -> dict[str, str]:
    """What a generated file says about itself."""
    return {
        "churn.synthetic": "true",
        "churn.generator": settings.address,
        "churn.contract": f"{contract.name} {contract.digest()}",
    }
