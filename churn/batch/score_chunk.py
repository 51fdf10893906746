"""One chunk of a table scored: a pure function, the same for every engine.

Whatever runs it, on one core, on all or on a cluster, a row gets the bits that the service answers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa

from churn.batch.arrow_arrays import number_array, text_array
from churn.batch.fingerprints import fingerprints
from churn.batch.read_chunk import ChunkReader
from churn.batch.reason_table import REASON, reason_table
from churn.explain.reasons import ReasonCodes
from churn.features.encoding import Floats
from churn.scoring.risk_bands import NAMES, Bands
from churn.scoring.scorer import Scorer

_SCORES = (
    ("row", pa.int64()),
    ("customer_id", pa.string()),
    ("probability", pa.float64()),
    ("decision", pa.bool_()),
    ("risk_band", pa.string()),
    ("model_version", pa.string()),
    ("scored_at", pa.timestamp("us", tz="UTC")),
)


def scores_schema(*, explained: bool) -> Any:
    """The columns of scores, a pyarrow schema."""
    reasons = [("reasons", pa.list_(REASON))] if explained else []
    return pa.schema([*_SCORES, *reasons])


@dataclass(frozen=True)
class BatchScorer:
    """A loaded version, and what is asked of it; never changes.

    Attributes:
        scorer: the version.
        bands: its risk bands.
        scored_at: the job's time, in UTC, the same for every row.
        explain: how many reasons a row is given; 0 for none.
        kept: whether the ledger keeps the predictions, which takes a hash of every row.
    """

    scorer: Scorer
    bands: Bands
    scored_at: datetime
    explain: int = 0
    kept: bool = True

    @cached_property
    def reader(self) -> ChunkReader:
        """Reads chunks by the version's contract."""
        return ChunkReader(self.scorer.contract)

    @property
    def names(self) -> list[str]:
        """The features, in the order of the columns that are scored."""
        return [column.name for column in self.scorer.contract.features]

    @cached_property
    def reason_codes(self) -> ReasonCodes:
        """Reasons of the version, prepared once."""
        return ReasonCodes(self.scorer.features, self.scorer.contract, self.names)

    @property
    def schema(self) -> Any:
        """The columns of the scores."""
        return scores_schema(explained=bool(self.explain))


@dataclass(frozen=True)
class ScoredChunk:
    """A chunk, scored.

    Attributes:
        scores: a pyarrow table by `BatchScorer.schema`, in the order of the input.
        rejected: the rows that were set aside, by `REJECTED`.
        fingerprints: hashes of the scored rows, by `FINGERPRINTS`.
    """

    scores: Any
    rejected: Any
    fingerprints: Any


def score_chunk(
    table: Any, scorer: BatchScorer, *, first_row: int, repeated: Mapping[int, int] | None = None
) -> ScoredChunk:
    """Scores the rows of a pyarrow table that the contract allows, and sets the others aside.

    Args:
        table: rows of the input.
        scorer: the version, and what is asked of it.
        first_row: number of the table's first row in the input, counted from 1.
        repeated: row number -> the earlier row that has the same id.

    Raises:
        InputError: a column is missing, unknown, or of a type that no value has.
    """
    read = scorer.reader.read(table, first_row, repeated)
    scored = scorer.scorer.score_many(read.columns)
    count = len(read.rows)
    columns = [
        number_array(read.rows),
        read.customers,
        number_array(scored.probability),
        number_array(scored.decision),
        _bands(scored.probability, scorer.bands),
        pa.repeat(text_array([scorer.scorer.version])[0], count),
        pa.repeat(_moment(scorer.scored_at), count),
    ]
    if scorer.explain:
        parts = scorer.scorer.contributions(read.columns)
        columns.append(reason_table(scorer.reason_codes, read.columns, parts, scorer.explain))
    names = scorer.scorer.row_scorer.names if scorer.kept else ()
    return ScoredChunk(
        pa.table(columns, schema=scorer.schema), read.rejected, fingerprints(read, names)
    )


def _bands(probability: Floats, bands: Bands) -> Any:
    places = np.zeros(len(probability), np.int8)
    for cut in bands.cuts:
        places += probability >= cut
    return text_array(NAMES).take(number_array(places))


def _moment(at: datetime) -> Any:
    """A time as a pyarrow scalar."""
    plain = np.array([at.astimezone(UTC).replace(tzinfo=None)], "datetime64[us]")
    return number_array(plain).cast(pa.timestamp("us", tz="UTC"))[0]
