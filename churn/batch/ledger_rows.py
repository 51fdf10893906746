"""Predictions of a batch in the ledger: part by part, each once, however often the run was killed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from churn.batch.fingerprints import FINGERPRINTS
from churn.batch.job import BatchJob
from churn.batch.output_folder import OutputFolder
from churn.batch.part import Part, read_table
from churn.ledger.prediction import Prediction

if TYPE_CHECKING:
    from churn.ledger.predictions import PredictionLedger

SOURCE = "batch"


def record_parts(
    ledger: PredictionLedger,
    folder: OutputFolder,
    job: BatchJob,
    parts: Sequence[Part],
    schema: Any,
) -> int:
    """Keeps the predictions that the ledger has not got yet, a part in one transaction.

    All predictions of a job have its time, so those of a part lie in one month, and the ledger has
    all of them or none.

    Returns:
        How many predictions the job has in the ledger now.

    Raises:
        InputError: the ledger cannot be written to.
    """
    for part in parts:
        predictions = _predictions(folder, job, part, schema)
        if predictions and not ledger.has(predictions[0].prediction_id, job.scored_at):
            ledger.record(predictions)
    return sum(part.scores.rows for part in parts)


def _predictions(folder: OutputFolder, job: BatchJob, part: Part, schema: Any) -> list[Prediction]:
    names = ["row", "customer_id", "probability", "decision"]
    scores = read_table(folder, part.scores, schema, names)
    hashes = read_table(folder, part.fingerprints, FINGERPRINTS, ["input_hash"])["input_hash"]
    rows, customers, probabilities, decisions = (scores[name].to_pylist() for name in names)
    ids = job.prediction_ids(rows)
    return [
        Prediction(
            predicted_at=job.scored_at,
            prediction_id=one,
            customer=customer,
            version=job.version,
            role=job.role,
            source=SOURCE,
            probability=probability,
            decision=decision,
            input_hash=digest.hex(),
            model=job.model,
        )
        for one, customer, probability, decision, digest in zip(
            ids, customers, probabilities, decisions, hashes.to_pylist(), strict=True
        )
    ]
