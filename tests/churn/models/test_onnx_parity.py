"""The network: PyTorch's answer, ONNX's answer, and onnxruntime's without PyTorch are one."""

import subprocess
import sys

import numpy as np
import pytest

from churn.features.encoding import take
from churn.models.model_store import load_model, save_model
from churn.models.network.network_graph import as_onnx
from churn.models.recipe_catalog import build_candidates
from churn.models.recipe_settings import TabularNetSettings

SETTINGS = TabularNetSettings(epochs=6, device="cpu")  # the shipped architecture, trained briefly


@pytest.fixture(scope="module")
def candidate(contract):
    return build_candidates(["net"], {"net": SETTINGS}, contract)["net"]


@pytest.fixture(scope="module")
def model(candidate, telco_columns, telco_target):
    return candidate.fit(telco_columns, telco_target)


@pytest.fixture(scope="module")
def trained(candidate, telco_columns, telco_target):
    from sklearn.model_selection import train_test_split

    training, validation = train_test_split(np.arange(7043), test_size=0.2, random_state=1)
    known = candidate.known(telco_columns, telco_target)
    return candidate.train(known, telco_target, training, validation)


def test_onnx_answers_as_torch_does_on_every_real_customer(trained, telco_columns):
    import onnxruntime
    import torch

    entrance, network = trained
    encoded = entrance.encode(telco_columns)
    with torch.inference_mode():
        expected = network.module(torch.from_numpy(encoded))[..., 0].mean(dim=1).numpy()
    session = onnxruntime.InferenceSession(as_onnx(network.weights))
    (found,) = session.run(["logit"], {"customers": encoded})

    assert found.shape == (7043,)
    assert np.ptp(found) > 3
    assert np.abs(found - expected).max() <= 1e-6


def test_the_graph_is_valid_onnx_of_plain_operations(model):
    import onnx

    graph = onnx.load_from_string(model.network)
    onnx.checker.check_model(graph, full_check=True)
    assert {node.op_type for node in graph.graph.node} == {
        "Unsqueeze", "Mul", "MatMul", "Add", "Relu", "ReduceSum", "ReduceMean",
    }  # fmt: skip


def test_a_customer_alone_scores_as_among_seven_thousand(model, telco_columns):
    many = model.logit(telco_columns)
    for row in range(0, 7043, 37):
        assert model.logit(take(telco_columns, np.array([row])))[0] == many[row]
    for count in (2, 3, 17, 2048, 2049):
        assert np.array_equal(model.logit(take(telco_columns, np.arange(count))), many[:count])
    assert model.logit(take(telco_columns, np.arange(0))).shape == (0,)


def test_the_order_of_customers_and_columns_does_not_matter(model, telco_columns):
    order = np.random.default_rng(1).permutation(7043)
    turned = dict(reversed(take(telco_columns, order).items()))
    assert np.array_equal(model.logit(turned), model.logit(telco_columns)[order])


SCORING_SIDE = """
import sys
for name in ("torch", "tabm", "onnx"):
    sys.modules[name] = None
from pathlib import Path
import numpy as np
from churn.models.model_store import load_model
columns = dict(np.load(sys.argv[2]))
model = load_model(Path(sys.argv[1]))
np.savez(sys.argv[3], logit=model.logit(columns), parts=model.contributions(columns))
"""


def test_scoring_needs_onnxruntime_alone_and_gives_the_same_bits(
    root, model, telco_columns, tmp_path
):
    save_model(model, tmp_path / "net")
    some = take(telco_columns, np.arange(0, 7043, 300))
    np.savez(tmp_path / "columns.npz", **some)
    places = [tmp_path / "net", tmp_path / "columns.npz", tmp_path / "answer.npz"]
    command = [sys.executable, "-c", SCORING_SIDE, *map(str, places)]
    subprocess.run(command, cwd=root, check=True)

    answer = np.load(tmp_path / "answer.npz")
    assert np.array_equal(answer["logit"], model.logit(some))
    assert np.array_equal(answer["parts"], model.contributions(some))
    assert np.array_equal(
        load_model(tmp_path / "net").logit(telco_columns), model.logit(telco_columns)
    )
