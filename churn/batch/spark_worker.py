"""What runs in a Python worker of a Spark cluster: chunks come in packed, and their scores go out.

The module itself needs only the standard library, so that a worker which lacks more can say so.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from churn.batch.score_chunk import BatchScorer

CHUNKS = "number long, first_row long, rows binary"
"""Columns of what a worker gets, as Spark writes a schema: `rows` is a table as an Arrow stream."""
SCORED = (
    "number long, scores binary, rejected binary, fingerprints binary, fault string, ours boolean"
)
"""Columns of what it returns; with a fault the tables are empty, and `ours` says whose it is."""


@dataclass(frozen=True)
class ShippedVersion:
    """A version that was shipped to every worker.

    Attributes:
        archive: name of the bundle among the files of the application.
        version: of the model.
        digest: SHA-256 of the bundle's manifest.
        scored_at: the job's time.
        explain: reasons a customer.
        kept: whether the ledger keeps the predictions.
    """

    archive: str
    version: str
    digest: str
    scored_at: datetime
    explain: int
    kept: bool

    def score(self, batches: Iterable[Any]) -> Iterator[Any]:
        """Scores record batches of `CHUNKS`, for `mapInArrow`; yields those of `SCORED`."""
        import pyarrow as pa

        for batch in batches:
            for number, first_row, rows in zip(*batch.to_pydict().values(), strict=True):
                tables, fault, ours = self._scored(first_row, rows)
                columns = [[number], *([each] for each in tables), [fault], [ours]]
                names = [field.split()[0] for field in SCORED.split(", ")]
                kinds = [pa.int64(), *[pa.binary()] * 3, pa.string(), pa.bool_()]
                schema = pa.schema(list(zip(names, kinds, strict=True)))
                yield pa.record_batch(columns, schema=schema)

    def _scored(self, first_row: int, rows: bytes) -> tuple[list[bytes], str, bool]:
        nothing = [b""] * 3
        try:
            from churn.batch.score_chunk import score_chunk
            from churn.errors import ChurnError, InputError

            scorer = _loaded(self)
        except ImportError as error:
            return nothing, f"A worker of the cluster lacks a library: {error}.", False
        except ChurnError as error:
            return nothing, f"A worker of the cluster cannot load the bundle. {error}", False
        try:
            scored = score_chunk(unpacked(rows), scorer, first_row=first_row)
        except InputError as error:
            return nothing, str(error), True
        return (
            [packed(each) for each in (scored.scores, scored.rejected, scored.fingerprints)],
            "",
            False,
        )


@cache
def _loaded(shipped: ShippedVersion) -> BatchScorer:
    """The shipped version, verified and loaded once a worker process."""
    from pyspark import SparkFiles

    from churn.batch.score_chunk import BatchScorer
    from churn.scoring.risk_bands import Bands
    from churn.scoring.scorer import Scorer

    folder = Path(SparkFiles.get(shipped.archive))
    scorer = Scorer.load_version(folder, shipped.version, shipped.digest)
    scorer.compile(contributions=bool(shipped.explain))
    bands = Bands.read(folder, scorer.threshold)
    return BatchScorer(scorer, bands, shipped.scored_at, shipped.explain, shipped.kept)


def packed(table: Any) -> bytes:
    """A pyarrow table as the bytes of an Arrow stream: every type stays what it is."""
    import pyarrow as pa

    target = pa.BufferOutputStream()
    with pa.ipc.new_stream(target, table.schema) as writer:
        writer.write_table(table)
    content: bytes = target.getvalue().to_pybytes()
    return content


def unpacked(content: bytes) -> Any:
    """The table that was packed."""
    import pyarrow as pa

    return pa.ipc.open_stream(content).read_all()
