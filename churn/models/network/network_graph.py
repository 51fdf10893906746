"""A trained network as an ONNX graph, written op by op.

PyTorch's own exporter needs a further library and gives a larger graph. This one uses seven kinds
of operations, arranged so that a customer alone and among thousands goes through the same
arithmetic.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from churn.models.network.network_input import Singles

INPUT = "customers"
OUTPUT = "logit"
_OPSET = 17
_IR_VERSION = 8  # what onnxruntime has read since 2022


@dataclass(frozen=True, eq=False)
class Layer:
    """One layer of k networks that share a matrix (BatchEnsemble, Wen et al. 2020, ICLR).

    Attributes:
        inward: float32[k, inputs], scales what comes in.
        weight: float32[inputs, outputs], shared.
        outward: float32[k, outputs], scales what goes out.
        bias: float32[k, outputs].
    """

    inward: Singles
    weight: Singles
    outward: Singles
    bias: Singles


@dataclass(frozen=True, eq=False)
class NetworkWeights:
    """Weights and input layout of a trained network.

    Attributes:
        layers: in order; each ends in a rectifier.
        head: float32[k, width], what each of the k networks makes of the last layer.
        head_bias: float32[k].
    """

    layers: tuple[Layer, ...]
    head: Singles
    head_bias: Singles


def as_onnx(weights: NetworkWeights) -> bytes:
    """The network as ONNX: float32[n, inputs] in, float32[n] out.

    What comes out is the mean of the k networks' log-odds.
    """
    from onnx import helper, numpy_helper

    constants: list[Any] = []
    nodes: list[Any] = []

    def constant(name: str, value: Any) -> str:
        constants.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def node(operation: str, *inputs: str, to: str, **attributes: Any) -> str:
        nodes.append(helper.make_node(operation, list(inputs), [to], name=to, **attributes))
        return to

    # [n, 1, inputs]: with k rows a customer even a lone one is a matrix, never a vector, to BLAS.
    flow = node("Unsqueeze", INPUT, constant("axis_1", np.array([1])), to="each")
    for place, layer in enumerate(weights.layers, start=1):
        flow = node("Mul", flow, constant(f"inward_{place}", layer.inward), to=f"scaled_{place}")
        shared = constant(f"weight_{place}", layer.weight)
        flow = node("MatMul", flow, shared, to=f"product_{place}")
        flow = node("Mul", flow, constant(f"outward_{place}", layer.outward), to=f"own_{place}")
        flow = node("Add", flow, constant(f"bias_{place}", layer.bias), to=f"sum_{place}")
        flow = node("Relu", flow, to=f"layer_{place}")
    flow = node("Mul", flow, constant("head", weights.head), to="parts")
    flow = node("ReduceSum", flow, constant("axis_2", np.array([2])), to="sums", keepdims=0)
    flow = node("Add", flow, constant("head_bias", weights.head_bias), to="logits")
    node("ReduceMean", flow, to=OUTPUT, axes=[1], keepdims=0)
    return _serialised(nodes, constants, weights.layers[0].weight.shape[0])


def _serialised(nodes: list[Any], constants: list[Any], inputs: int) -> bytes:
    """The graph of these nodes as a checked ONNX model's bytes."""
    import onnx
    from onnx import TensorProto, helper

    graph = helper.make_graph(
        nodes,
        "tabular_net",
        [helper.make_tensor_value_info(INPUT, TensorProto.FLOAT, ["rows", inputs])],
        [helper.make_tensor_value_info(OUTPUT, TensorProto.FLOAT, ["rows"])],
        constants,
    )
    model = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", _OPSET)], producer_name="churn"
    )
    model.ir_version = _IR_VERSION
    onnx.checker.check_model(model, full_check=True)
    content: bytes = model.SerializeToString()
    return content
