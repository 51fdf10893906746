"""A fitted network: ONNX bytes and how customers enter it; scored by onnxruntime, without torch."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from churn.features.encoding import Columns, Floats, row_count
from churn.features.feature_set import FeatureSet
from churn.models.deep_extra import SCORING, require_extra
from churn.models.network.network_input import NetworkInput, Singles
from churn.models.network.sampled_shapley import SampledShapley
from churn.models.row_form import TableForm
from churn.plain_files import read_json

_NETWORK = "network.onnx"
_ENTRANCE = "entrance.json"
_ROWS_AT_ONCE = 2048  # bounds the memory of a large batch; rows do not see each other


@dataclass(frozen=True, eq=False)
class OnnxModel:
    """A network behind its encoding.

    Attributes:
        network_input: how columns become the network's input.
        base: mean log-odds of the training rows.
        background: float64[orders, features], training customers that estimated reasons are
            measured against.
        seed: seed of the estimate.
        network: the ONNX model, float32[n, inputs] -> log-odds float32[n].
        engineered: formulas of the columns that are not in the table itself.
        session: onnxruntime's own, on one thread.
        exact: contributions are estimates.
    """

    kind: ClassVar[str] = "onnx"
    exact: ClassVar[bool] = False
    additive: ClassVar[bool] = False

    network_input: NetworkInput
    base: float
    background: Floats
    seed: int
    network: bytes = field(repr=False)
    engineered: FeatureSet
    session: Any = field(repr=False)

    @classmethod
    def from_bytes(
        cls,
        network: bytes,
        network_input: NetworkInput,
        *,
        base: float,
        background: Floats,
        seed: int,
        engineered: FeatureSet,
    ) -> OnnxModel:
        """The model of some ONNX bytes.

        Raises:
            InputError: onnxruntime is not installed.
            ValueError: the bytes are no ONNX model, or one of another input.
        """
        session = open_session(network)
        width = sum(network_input.widths)
        (entry,) = session.get_inputs()
        if entry.shape[-1] != width:
            raise ValueError(f"the network takes {entry.shape[-1]} inputs, not {width}")
        if background.ndim != 2 or background.shape[1] != len(network_input.features):  # noqa: PLR2004
            raise ValueError("the background rows do not have the model's features")
        return cls(network_input, base, background, seed, network, engineered, session)

    @property
    def features(self) -> tuple[str, ...]:
        """The network's columns, in their order."""
        return self.network_input.features

    def logit(self, columns: Columns) -> Floats:
        """Log-odds of leaving, float64[n]."""
        known = self.engineered.extend(columns)
        score = np.empty(row_count(columns))
        for start in range(0, len(score), _ROWS_AT_ONCE):
            rows = slice(start, start + _ROWS_AT_ONCE)
            score[rows] = run_network(self.session, self.network_input.encode(known, rows))
        return score

    def contributions(self, columns: Columns) -> Floats:
        """Estimated Shapley values, float64[n, features]; rows sum to logit - base.

        One customer costs as many scores as there are background rows x 2 x (features - 1).
        """
        encoded = self.network_input.encode(self.engineered.extend(columns))
        estimator = SampledShapley(
            score=lambda rows: run_network(self.session, rows),
            widths=self.network_input.widths,
            background=self.network_input.encode_matrix(self.background),
            base=self.base,
            seed=self.seed,
        )
        return estimator.values(encoded, self.logit(columns))

    def row_form(self) -> TableForm:
        """A table of one row: a network has no faster form."""
        return TableForm(self.logit, self.contributions)

    def export(self, folder: Path) -> None:
        """Writes the ONNX model and the encoding of its input."""
        content = {
            "entrance": self.network_input.as_json(),
            "base": self.base,
            "background": self.background.tolist(),
            "seed": self.seed,
            "engineered": self.engineered.as_json(),
        }
        (folder / _ENTRANCE).write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
        (folder / _NETWORK).write_bytes(self.network)

    @classmethod
    def read(cls, folder: Path) -> OnnxModel:
        """The model that `export` wrote.

        Raises:
            InputError: onnxruntime is not installed.
            OSError, ValueError, KeyError: a file or a part is missing, or not what it should be.
        """
        content = read_json(folder / _ENTRANCE)
        return cls.from_bytes(
            (folder / _NETWORK).read_bytes(),
            NetworkInput.from_json(content["entrance"]),
            base=float(content["base"]),
            background=np.array(content["background"], dtype=np.float64),
            seed=int(content["seed"]),
            engineered=FeatureSet.from_json(content["engineered"]),
        )


def open_session(network: bytes) -> Any:
    """An onnxruntime session on one thread of the CPU.

    Raises:
        InputError: onnxruntime is not installed.
        ValueError: the bytes are no ONNX model.
    """
    require_extra("Scoring with a network", SCORING)
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3  # what goes wrong is raised; warnings are for its developers
    # Rewrites depend on processor and version; this graph has nothing to gain from them.
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    try:
        return onnxruntime.InferenceSession(network, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # noqa: BLE001 - onnxruntime's own errors share no base but this
        raise ValueError(f"onnxruntime cannot read the network ({error})") from None


def run_network(session: Any, rows: Singles) -> Floats:
    """Log-odds of encoded rows, float64[n]."""
    (logit,) = session.run(None, {session.get_inputs()[0].name: rows})
    return np.asarray(logit, dtype=np.float64)
