"""A window: customers as the model reads them, with what it says of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field

from churn.batch.read_chunk import ChunkReader, EveryRow
from churn.features.encoding import Columns, Floats
from churn.frozen_model import FrozenModel
from churn.scoring.scorer import Scorer

Mask = NDArray[np.bool_]
WindowKind = Literal["batch", "inputs", "inputs-service", "inputs-stream", "inputs-batch"]


class WindowFacts(FrozenModel):
    """What a window is, without its rows.

    Attributes:
        kind: `batch`, a table; or `inputs`, what was scored in the last days, with the source if one
            was chosen.
        id: tells it from every other window: the digest of its content.
        place: where its rows are, for a person to read.
        rows: customers, each once.
        repeated: rows left out because another row has the same id.
        refused: field -> rows whose value in it the contract refuses; of a feature: they have no
            score.
        refusal: what the first of them is refused for; empty where none is.
        note: what was left out, and why; empty where nothing was.
    """

    kind: WindowKind
    id: str
    place: str
    rows: int
    repeated: int = 0
    refused: dict[str, int] = Field(default_factory=dict)
    refusal: str = ""
    note: str = ""


@dataclass(frozen=True)
class Window:
    """A window, read and scored.

    Attributes:
        facts: what it is.
        columns: features [n]; a value that the contract refuses is NaN, or the code -1.
        probability: float64[n]; NaN where the contract refuses the row.
    """

    facts: WindowFacts
    columns: Columns
    probability: Floats

    @property
    def scored(self) -> Mask:
        """Which rows have a score."""
        return ~np.isnan(self.probability)


def read_window(
    tables: Iterable[Any],
    scorer: Scorer,
    *,
    kind: WindowKind,
    window_id: str,
    place: str,
    keep: Literal["first", "last"] = "first",
    note: str = "",
) -> Window:
    """Reads and scores a window.

    Args:
        tables: pyarrow tables with the contract's columns.
        scorer: the version that is monitored.
        kind: kind of the window.
        window_id: tells it from every other.
        place: where the rows are, for a person to read.
        keep: which of a customer's rows counts: rows of one customer do not vary like those of many.
        note: what was left out.

    Raises:
        InputError: a column is missing, unknown, or of a type that no value has.
    """
    reader = ChunkReader(scorer.contract)
    parts = [reader.read_every_row(table) for table in tables if table.num_rows]
    names = [column.name for column in scorer.contract.features]
    columns: dict[str, NDArray[Any]] = {
        name: np.concatenate([part.columns[name] for part in parts]) if parts else np.empty(0)
        for name in names
    }
    counted = _counted(parts, keep)
    columns = {name: values[counted] for name, values in columns.items()}
    refusals = _refusals(parts, counted)
    facts = WindowFacts(
        kind=kind,
        id=window_id,
        place=place,
        rows=int(counted.sum()),
        repeated=int((~counted).sum()),
        refused=dict(Counter(field for field, _ in refusals).most_common()),
        refusal=refusals[0][1] if refusals else "",
        note=note,
    )
    return Window(facts, columns, _scores(scorer, columns, facts.rows))


def _counted(parts: list[EveryRow], keep: Literal["first", "last"]) -> Mask:
    """Which rows count: one a customer, and every row without an id."""
    if not parts:
        return np.empty(0, np.bool_)
    ids = pd.Series(
        np.concatenate([part.customers.to_numpy(zero_copy_only=False) for part in parts])
    )
    counted: Mask = (ids.isna() | ~ids.duplicated(keep=keep)).to_numpy()
    return counted


def _refusals(parts: list[EveryRow], counted: Mask) -> list[tuple[str, str]]:
    found, begin = [], 0
    for part in parts:
        found += [why for place, why in part.refused.items() if counted[begin + place]]
        begin += len(part.allowed)
    return found


def _scores(scorer: Scorer, columns: Columns, rows: int) -> Floats:
    known = np.ones(rows, np.bool_)
    for values in columns.values():
        known &= ~np.isnan(values) if values.dtype.kind == "f" else values >= 0
    probability = np.full(rows, np.nan)
    if known.any():
        chosen = {name: values[known] for name, values in columns.items()}
        probability[known] = scorer.score_many(chosen).probability
    return probability
