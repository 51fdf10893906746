"""What the generator knows: learned from a contract's snapshot at first use, and kept while the process lives."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from churn.contract import DataContract
from churn.data.generator.churn_relation import ChurnRelation
from churn.data.generator.column_chain import ColumnChain
from churn.data.snapshot import accepted_snapshot
from churn.errors import InputError
from churn.features.encoding import Columns, encode, encode_target
from churn.models.candidate import Target
from churn.root import ROOT

_DRAWN_ROWS = 20_000

_DRAWN_ROWS = 20_000

_learned: dict[tuple[str, Path], SnapshotModel] = {}


@dataclass(frozen=True, eq=False)
class SnapshotModel:
    """The columns' dependence and the churn relation of one table.

    Attributes:
        chain: the columns.
        relation: the outcome given the columns.
    """

    chain: ColumnChain
    relation: ChurnRelation

    @classmethod
    def learn(cls, columns: Columns, target: Target, contract: DataContract) -> SnapshotModel:
        """Learns from encoded customers; the same ones always give the same model.

        Raises:
            InputError: the contract contradicts itself, or one outcome is too rare.
        """
        chain = ColumnChain.learn(columns, contract)
        relation = ChurnRelation.learn(columns, target, contract)
        uniforms = np.random.default_rng(0).random((len(chain.links), _DRAWN_ROWS))
        return cls(chain, relation.at_rate_of_snapshot(chain.draw(uniforms)))


def snapshot_model(contract: DataContract, *, root: Path = ROOT) -> SnapshotModel:
    """The model of a contract's snapshot.

    Raises:
        InputError: the contract names no snapshot, or its file is missing or another one.
    """
    key = (contract.digest(), root)
    if key not in _learned:
        frame = accepted_snapshot(contract, root=root)
        if frame is None:
            raise InputError(
                f"Customers are generated from a contract's snapshot, and contract '{contract.name}' "
                "names none whose file is there. Name one under `snapshot` in the contract."
            )
        columns, target = encode(frame, contract), encode_target(frame, contract)
        _learned[key] = SnapshotModel.learn(columns, target, contract)
    return _learned[key]
