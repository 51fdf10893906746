"""The model behind MLServer, which Seldon Core 2 runs: the V2 protocol over REST and gRPC.

Runs in an environment of its own (requirements-mlserver.txt beside this file).
"""

from __future__ import annotations

import asyncio
import os
from typing import Any

from mlserver import MLModel
from mlserver.errors import InferenceError
from mlserver.types import (
    InferenceRequest,
    InferenceResponse,
    MetadataTensor,
    Parameters,
    RequestInput,
    ResponseOutput,
)
from mlserver.utils import get_model_uri

from churn.errors import InputError
from churn.scoring import Scorer
from service.seldon.customers import feature_datatypes, score_tensors

_OUTPUTS = (("probability", "FP64"), ("decision", "BOOL"))


class ChurnRuntime(MLModel):  # type: ignore[misc]
    """Scores customers sent as one tensor a field; everything it needs is in the bundle."""

    scorer: Scorer

    async def load(self) -> bool:
        """Loads the bundle that `parameters.uri` (or MLSERVER_MODEL_URI) names.

        Raises:
            BundleError: there is none, or it cannot be used.
        """
        os.environ.setdefault("OMP_NUM_THREADS", "1")
        uri = await get_model_uri(self._settings)
        # In a thread: a remote bundle takes a while, and the probes are answered meanwhile.
        self.scorer = await asyncio.to_thread(Scorer.load, uri)
        self.inputs = [
            MetadataTensor(name=name, datatype=datatype, shape=[-1])
            for name, datatype in feature_datatypes(self.scorer.contract).items()
        ]
        self.outputs = [
            MetadataTensor(name=name, datatype=datatype, shape=[-1]) for name, datatype in _OUTPUTS
        ]
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        """Scores n customers.

        Args:
            payload: an input of shape [n] or [n, 1] for every feature of the contract.

        Returns:
            `probability` and `decision`, both of shape [n]; the bundle's version is in the
            parameters, because `model_version` belongs to the server.

        Raises:
            InferenceError: a customer is at fault; 400 over REST, INVALID_ARGUMENT over gRPC.
        """
        try:
            requested = _requested_outputs(payload)
            scores = score_tensors(self.scorer, _tensors(payload))
        except InputError as error:
            raise InferenceError(str(error)) from None
        outputs: dict[str, list[Any]] = {
            "probability": scores.probability.tolist(),
            "decision": scores.decision.tolist(),
        }
        return InferenceResponse(
            id=payload.id,
            model_name=self.name,
            model_version=self.version,
            parameters=Parameters(bundle_version=scores.version, threshold=self.scorer.threshold),
            outputs=[
                ResponseOutput(
                    name=name, datatype=datatype, shape=[len(outputs[name])], data=outputs[name]
                )
                for name, datatype in _OUTPUTS
                if name in requested
            ],
        )


def _tensors(payload: InferenceRequest) -> dict[str, list[Any]]:
    tensors: dict[str, list[Any]] = {}
    for each in payload.inputs:
        if each.name in tensors:
            raise InputError(f"Input '{each.name[:40]}' appears twice; send each field once.")
        tensors[each.name] = _values(each)
    return tensors


def _values(tensor: RequestInput) -> list[Any]:
    """Returns the values of a tensor of shape [n] or [n, 1], which may be nested like its shape."""
    data, name = tensor.data.root, tensor.name[:40]
    if isinstance(data, str | bytes):
        data = [data]
    if not isinstance(data, list):
        raise InputError(f"Input '{name}' has data that is no list; give one value a customer.")
    match tensor.shape:
        case [rows]:
            values = data
        case [rows, 1]:
            values = [v[0] if isinstance(v, list) and len(v) == 1 else v for v in data]
        case _:
            raise InputError(
                f"Input '{name}' has shape {list(tensor.shape)[:8]}; give [customers] or "
                "[customers, 1]."
            )
    if rows != len(values):
        raise InputError(
            f"Input '{name}' has {len(values):,} values where its shape says {rows:,}; give as "
            "many as the shape says."
        )
    return values


def _requested_outputs(payload: InferenceRequest) -> set[str]:
    known = {name for name, _ in _OUTPUTS}
    requested = {each.name for each in payload.outputs or ()} or known
    for name in sorted(requested - known):
        raise InputError(
            f"Output '{name[:40]}' is not one of {', '.join(sorted(known))}; ask for one of them."
        )
    return requested
