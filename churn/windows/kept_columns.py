"""The columns of predictions, found among the kept inputs by the hash of what was scored."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from churn.batch.fingerprints import fingerprints
from churn.batch.output_folder import OutputFolder
from churn.batch.read_chunk import ChunkReader
from churn.features.encoding import Columns
from churn.kept_inputs.day_files import names_between, read_files
from churn.ledger.prediction import Prediction
from churn.scoring.scorer import Scorer


def kept_columns(
    folder: OutputFolder, predictions: Sequence[Prediction], scorer: Scorer
) -> tuple[Columns, NDArray[np.bool_]]:
    """The feature columns [n] of predictions, and which of them were found, bool[n].

    No customer's id is needed: equal hashes are equal inputs. What was not found is NaN, or the code -1.

    Raises:
        InputError: a file of kept inputs cannot be read.
    """
    contract = scorer.contract
    columns: dict[str, NDArray[Any]] = {
        each.name: np.full(len(predictions), -1, np.int64) for each in contract.coded
    } | {each.name: np.full(len(predictions), np.nan) for each in contract.numbers}
    found = np.zeros(len(predictions), dtype=np.bool_)
    unread: defaultdict[bytes, list[int]] = defaultdict(list)
    for place, one in enumerate(predictions):
        unread[bytes.fromhex(one.input_hash)].append(place)
    if not predictions:
        return columns, found
    days = [one.predicted_at.date() for one in predictions]
    names = names_between(folder, min(days), max(days) + timedelta(1))
    reader = ChunkReader(contract)
    for table in read_files(folder, names):
        read = reader.read(table, 1)
        hashes = fingerprints(read, scorer.row_scorer.names)["input_hash"].to_pylist()
        for row, digest in enumerate(hashes):
            for place in unread.pop(digest, ()):
                found[place] = True
                for name, values in columns.items():
                    values[place] = read.columns[name][row]
    return columns, found
