"""The customers that a campaign decides on: read by contract, scored by a version, with their reasons."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from churn.batch.plain_columns import plain_column
from churn.batch.read_chunk import ChunkReader, ReadChunk
from churn.batch.reason_table import reason_table
from churn.contract import DataContract
from churn.data.sources import TableSource
from churn.errors import InputError
from churn.explain.reasons import ReasonCodes
from churn.features.encoding import Columns, Floats
from churn.scoring.risk_bands import NAMES, Bands
from churn.scoring.scorer import Scorer

NO_REASON = "none"
"""Main reason of a customer whose risk nothing raises beyond the average customer's."""


@dataclass(frozen=True, eq=False)
class ScoredCustomers:
    """n customers with their scores.

    Attributes:
        contract: that their columns follow.
        model: name of the model.
        version: of it.
        threshold: probability from which on the version's decision is positive.
        columns: their encoded feature columns.
        risk: float64[n], probability of leaving.
        texts: a pyarrow table of n rows: customer_id, risk_band, main_reason (the column that raises the
            risk most, those to act on first) and reasons (sentences).
        set_aside: rows of the input that were not taken: refused by the contract, or of a
            customer who has another one.
    """

    contract: DataContract
    model: str
    version: str
    threshold: float
    columns: Columns
    risk: Floats
    texts: pa.Table
    set_aside: int

    def text(self, name: str) -> NDArray[np.str_]:
        """One of the texts, str[n]."""
        return np.asarray(self.texts[name].to_pylist(), dtype=np.str_)


def score_customers(
    source: TableSource, scorer: Scorer, bands: Bands, *, model: str, reasons: int
) -> ScoredCustomers:
    """Reads and scores a table; of an id the row of the latest day counts, else the first.

    Args:
        source: the table, opened by the version's contract.
        scorer: the version.
        bands: its risk bands.
        model: its name.
        reasons: sentences a customer, at most.

    Raises:
        InputError: the table has no ids, or no row that the contract allows.
    """
    reader, names = ChunkReader(scorer.contract), [c.name for c in scorer.contract.features]
    codes = ReasonCodes(scorer.features, scorer.contract, names)
    rows, read, days = 0, [], []
    for chunk in source.chunks():
        rows += chunk.table.num_rows
        read.append(reader.read(chunk.table, chunk.first_row + 1))
        allowed = pa.array(read[-1].rows - (chunk.first_row + 1))
        days += _days(chunk.table, scorer.contract).take(allowed).to_pylist()
    columns, ids = _newest_rows(read, days, source.shown, scorer.contract)
    scores = scorer.score_many(columns)
    said = reason_table(codes, columns, scorer.contributions(columns), reasons)
    places = np.searchsorted(bands.cuts, scores.probability, side="right")
    texts = pa.table(
        {
            "customer_id": ids,
            "risk_band": pa.array(NAMES).take(pa.array(places)),
            "main_reason": _main_reason(said),
            "reasons": _joined(said),
        }
    )
    return ScoredCustomers(
        contract=scorer.contract,
        model=model,
        version=scorer.version,
        threshold=scorer.threshold,
        columns=columns,
        risk=scores.probability,
        texts=texts,
        set_aside=rows - len(ids),
    )


def _days(table: pa.Table, contract: DataContract) -> pa.Array:
    """The day of each row as text; empty where the table has none."""
    for name in table.column_names:
        if contract.date is not None and name.strip() == contract.date.name:
            return pc.fill_null(plain_column(table[name], name).cast(pa.string()), "")
    return pa.repeat("", table.num_rows)


def _newest_rows(
    read: list[ReadChunk], days: list[str], shown: str, contract: DataContract
) -> tuple[Columns, pa.Array]:
    """Columns and ids of each id's row of the latest day; of several such, and without days, the first."""
    kept = [each for each in read if len(each.rows)]
    if not kept:
        raise InputError(
            f"{shown} has no customer that the contract '{contract.name}' allows; check the table with "
            "run.py --pipeline batch_inference, which writes down why each row is refused."
        )
    ids = pa.concat_arrays([pa.array(each.customers.to_pylist(), pa.string()) for each in kept])
    if ids.null_count:
        raise InputError(
            f"{shown} has {ids.null_count:,} customers without '{contract.id.name}': nobody could call "
            "them. Add the column."
        )
    newest = np.argsort(-np.unique(days, return_inverse=True)[1], kind="stable")
    _, first = np.unique(ids.to_numpy(zero_copy_only=False)[newest], return_index=True)
    rows = np.sort(newest[first])
    columns = {
        name: np.concatenate([each.columns[name] for each in kept])[rows]
        for name in kept[0].columns
    }
    return columns, ids.take(pa.array(rows))


def _main_reason(said: pa.Array) -> pa.Array:
    first = pc.list_element(_padded(said), 0)
    raises = pc.equal(pc.struct_field(first, "direction"), "raises")
    column = pc.struct_field(first, "column")
    return pc.fill_null(pc.if_else(raises, column, None), NO_REASON)


def _padded(said: pa.Array) -> pa.Array:
    """Lists of one entry at least: a null where there is no reason."""
    return pa.array([each or [None] for each in said.to_pylist()], type=said.type)


def _joined(said: pa.Array) -> pa.Array:
    return pa.array(
        [" ".join(reason["sentence"] for reason in each) for each in said.to_pylist()], pa.string()
    )
