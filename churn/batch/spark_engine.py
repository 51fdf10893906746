"""The engine of a Spark cluster: chunks are shipped whole, scored by `mapInArrow`, and come back.

A chunk is one value to Spark, an Arrow stream: no row is converted between Java and Python, and types
stay what they are, so workers score what a thread of this machine would score. Workers write nothing:
a task may be tried again, and the parts and the manifest are committed here, once.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from churn.batch.score_chunk import BatchScorer, ScoredChunk
from churn.batch.spark_worker import CHUNKS, SCORED, ShippedVersion, packed, unpacked
from churn.data.sources import TableChunk
from churn.errors import ChurnError, InputError
from churn.scoring.address import Address
from churn.scoring.bundle import bundle_folder
from churn.scoring.manifest import manifest_digest
from churn.scoring.remote import local_copy
from churn.scratch import scratch_folder

_AHEAD = 2  # chunks a core and round, so that a slow one holds up less


@dataclass(frozen=True)
class SparkEngine:
    """Scores chunks on a cluster.

    Attributes:
        session: of Spark, from `spark_session`.
        store: the bundle store of the version that scores.
    """

    session: Any
    store: Address

    def __call__(
        self, chunks: Iterable[TableChunk], scorer: BatchScorer
    ) -> Iterator[tuple[TableChunk, ScoredChunk]]:
        """The chunks and their scores, in the order of the chunks.

        Raises:
            InputError: a chunk cannot be read by the contract.
            ChurnError: a worker cannot load the bundle, or lacks a library.
        """
        rest = iter(chunks)
        with self._shipped(scorer) as shipped:
            while some := list(islice(rest, _AHEAD * self.session.sparkContext.defaultParallelism)):
                yield from zip(some, self._scored(some, shipped), strict=True)

    def _scored(self, chunks: list[TableChunk], shipped: ShippedVersion) -> list[ScoredChunk]:
        rows = [(each.number, each.first_row + 1, packed(each.table)) for each in chunks]
        frame = self.session.createDataFrame(rows, CHUNKS).mapInArrow(shipped.score, SCORED)
        found: dict[int, ScoredChunk] = {}
        for row in frame.collect():
            if row.fault:
                raise (InputError if row.ours else ChurnError)(row.fault)
            tables = (
                unpacked(bytes(each)) for each in (row.scores, row.rejected, row.fingerprints)
            )
            found[row.number] = ScoredChunk(*tables)
        return [found[each.number] for each in chunks]

    @contextmanager
    def _shipped(self, scorer: BatchScorer) -> Iterator[ShippedVersion]:
        version = scorer.scorer.version
        with (
            local_copy(bundle_folder(self.store, version)) as bundle,
            scratch_folder("spark-bundle") as scratch,
        ):
            digest = manifest_digest(bundle)
            # Spark takes a name only once in an application; the folder's is new each time.
            archive = shutil.make_archive(str(scratch / f"bundle-{scratch.name}"), "zip", bundle)
            self.session.sparkContext.addArchive(archive)
            yield ShippedVersion(
                Path(archive).name, version, digest, scorer.scored_at, scorer.explain, scorer.kept
            )
