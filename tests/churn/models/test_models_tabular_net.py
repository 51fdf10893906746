"""The network as a candidate. PyTorch is imported by the tests that need it, not while collecting:
it would double the memory of the whole test run from its first test on.
"""

import hashlib
import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from churn.errors import InputError
from churn.features.encoding import take
from churn.models.model_store import load_model, save_model
from churn.models.network.network_input import NetworkInput
from churn.models.network.sampled_shapley import SampledShapley
from churn.models.recipe_catalog import build_candidates, fit_all, left_out
from churn.models.recipe_settings import (
    BlendSettings,
    TabularNetSettings,
    default_recipes,
)

SMALL = {"networks": 4, "width": 8, "pieces": 6, "epochs": 12, "patience": 3, "device": "cpu"}


@pytest.fixture(scope="module")
def seen(telco_columns, telco_target):
    rows = np.arange(2000)
    return take(telco_columns, rows), telco_target[rows]


def candidate(contract, **settings):
    recipe = {"net": TabularNetSettings(**(SMALL | settings))}
    return build_candidates(["net"], recipe, contract)["net"]


@pytest.fixture(scope="module")
def model(contract, seen):
    return candidate(contract).fit(*seen)


def test_it_ranks_customers_it_has_not_seen(model, telco_columns, telco_target):
    from sklearn.metrics import roc_auc_score

    unseen = np.arange(2000, 7043)
    assert roc_auc_score(telco_target[unseen], model.logit(take(telco_columns, unseen))) > 0.81


def test_the_same_rows_and_seed_give_the_same_bytes_in_any_thread(contract, seen, model):
    with ThreadPoolExecutor(3) as pool:
        tasks = [pool.submit(candidate(contract).fit, *seen) for _ in range(3)]
    assert {task.result().network for task in tasks} == {model.network}
    assert candidate(contract, seed=8).fit(*seen).network != model.network


def test_torch_is_left_as_it_was_found(contract, seen):
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(threads + 1)
    try:
        torch.manual_seed(123)
        before = torch.get_rng_state()
        candidate(contract, epochs=1).fit(*seen)
        assert torch.equal(torch.get_rng_state(), before)
        assert torch.get_num_threads() == threads + 1
    finally:
        torch.set_num_threads(threads)


def rows_to_learn(count=600, inputs=5):
    generator = np.random.default_rng(0)
    rows = generator.normal(size=(count, inputs)).astype(np.float32)
    target = (rows[:, 0] + generator.normal(size=count) > 0).astype(np.int8)
    return rows, target, np.arange(400), np.arange(400, count)


def test_training_stops_when_the_validation_rows_say_so_and_keeps_the_best_epoch():
    import torch

    from churn.models.network.network_training import train_network

    rows, target, training, validation = rows_to_learn()
    settings = TabularNetSettings(**SMALL | {"epochs": 200, "patience": 4, "learning_rate": 0.05})
    heard = []
    trained = train_network(
        settings,
        rows,
        target,
        widths=(1,) * 5,
        training=training,
        validation=validation,
        on_epoch=lambda epoch, loss: heard.append((epoch, loss)),
    )

    assert heard == list(enumerate(trained.losses, start=1))
    assert len(heard) == trained.best_epoch + 4 < 200
    assert trained.losses[trained.best_epoch - 1] == pytest.approx(min(trained.losses), abs=1e-5)
    with torch.inference_mode():
        logit = trained.module(torch.from_numpy(rows[validation]))[..., 0].mean(dim=1).numpy()
    loss = np.mean(np.logaddexp(0, logit) - target[validation] * logit)
    assert loss == pytest.approx(trained.losses[trained.best_epoch - 1], abs=1e-6)


def test_validation_rows_are_not_learnt_from():
    from churn.models.network.network_training import train_network

    rows, target, training, validation = rows_to_learn()
    options = {"widths": (1,) * 5, "training": training, "validation": validation}
    settings = TabularNetSettings(**SMALL | {"epochs": 1})
    first = train_network(settings, rows, target, **options).weights
    rows[validation], target[validation] = 9.0, 1
    other = train_network(settings, rows, target, **options).weights

    assert np.array_equal(first.head, other.head)
    assert np.array_equal(first.layers[0].weight, other.layers[0].weight)


def test_a_number_is_encoded_by_how_far_it_is_through_each_piece():
    columns = {"x": np.arange(101.0), "same": np.full(101, 3.0), "code": np.arange(101) % 3}
    entrance = NetworkInput.from_columns(columns, ("x", "code", "same"), {"code": 3}, pieces=4)

    assert entrance.widths == (4, 3, 1)
    extremes = {
        "x": np.array([-5.0, 0, 30, 100, 900]),
        "same": np.array([3.0, 2, 9, 3, 3]),
        "code": np.array([0, 1, 2, 0, 1]),
    }
    encoded = entrance.encode(extremes)
    assert encoded.dtype == np.float32
    assert np.allclose(
        encoded[:, :4],
        [[0, 0, 0, 0], [0, 0, 0, 0], [1, 0.2, 0, 0], [1, 1, 1, 1], [1, 1, 1, 1]],
    )
    assert encoded[:, 4:7].argmax(axis=1).tolist() == [0, 1, 2, 0, 1]
    assert encoded[:, 7].tolist() == [0, 0, 1, 0, 0]


def test_a_number_beyond_the_training_rows_counts_as_its_nearest_bound(model, seen):
    one = take(seen[0], np.array([4]))
    highest = np.array([seen[0]["MonthlyCharges"].max()])
    far = model.logit(one | {"MonthlyCharges": highest * 10})
    assert far == model.logit(one | {"MonthlyCharges": highest + 1})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"Contract": np.array([3], dtype=np.int8)}, "'Contract' row 1: code 3"),
        ({"tenure": np.array([np.nan])}, "'tenure' row 1: nan"),
        ({"MonthlyCharges": np.array([np.inf])}, "'MonthlyCharges' row 1: inf"),
    ],
)
def test_what_is_unknown_is_refused_not_guessed(model, seen, change, message):
    with pytest.raises(InputError, match=message):
        model.logit(take(seen[0], np.array([0])) | change)


def test_a_missing_column_is_named(model, seen):
    with pytest.raises(InputError, match="'tenure' is missing"):
        model.logit({name: values for name, values in seen[0].items() if name != "tenure"})


def test_an_outcome_too_rare_to_keep_rows_of_it_back_is_refused(contract, seen):
    rare = np.zeros(2000, dtype=np.int8)
    rare[:9] = 1
    with pytest.raises(InputError, match="of 2000 rows 9 left; bring at least 10"):
        candidate(contract).fit(seen[0], rare)


def test_reasons_are_estimates_that_sum_to_the_score(model, seen):
    some = take(seen[0], np.arange(0, 2000, 80))
    parts = model.contributions(some)

    assert not model.exact
    assert parts.shape == (25, 19)
    assert np.allclose(parts.sum(axis=1), model.logit(some) - model.base, rtol=0, atol=1e-12)
    assert model.base == pytest.approx(model.logit(seen[0]).mean(), abs=1e-12)
    assert np.array_equal(parts, model.contributions(some))
    alone = model.contributions(take(some, np.array([7])))
    assert np.array_equal(alone[0], parts[7])


def test_reasons_of_an_additive_score_are_its_terms():
    generator = np.random.default_rng(3)
    weights = generator.normal(size=6)
    rows, background = (generator.normal(size=(n, 6)).astype(np.float32) for n in (40, 8))
    base = float((background @ weights).mean())
    widths = (1, 2, 3)
    estimator = SampledShapley(lambda x: x @ weights, widths, background, base, seed=1)

    moved = (rows - background.mean(axis=0)) * weights
    expected = np.add.reduceat(moved, [0, 1, 3], axis=1)
    assert np.allclose(estimator.values(rows, rows @ weights), expected, atol=1e-5)


def test_an_interaction_is_shared_as_shapley_says():
    """Two features have two orders, so one order and its reverse are all there is."""

    def product(x):
        return (x[:, 0] * x[:, 1]).astype(np.float64)

    rows = np.array([[3, 5], [1, 4]], dtype=np.float32)
    fill = np.array([[2, 1]], dtype=np.float32)
    found = SampledShapley(product, (1, 1), fill, 2.0, seed=1).values(rows, product(rows))

    def shares(a, b):
        return [((a * 1 - 2) + (a * b - 2 * b)) / 2, ((2 * b - 2) + (a * b - a)) / 2]

    assert np.allclose(found, [shares(3, 5), shares(1, 4)])


def test_reasons_come_near_to_those_of_many_more_orders(model, seen):
    some = take(seen[0], np.arange(0, 2000, 200))
    rows = model.network_input.encode(some)
    many = model.network_input.encode(take(seen[0], np.arange(0, 2000, 10)))
    score = SampledShapley(
        lambda x: np.asarray(model.session.run(None, {"customers": x})[0], dtype=np.float64),
        model.network_input.widths,
        many,
        model.base,
        seed=5,
    )
    expected = score.values(rows, model.logit(some))
    found = model.contributions(some)
    assert np.sqrt(np.mean((found - expected) ** 2)) < 0.2 * np.abs(expected).mean()
    assert np.corrcoef(found.ravel(), expected.ravel())[0, 1] > 0.98


def test_engineered_columns_enter_and_are_named(contract, seen, tmp_path):
    groups = ("tenure", "commitment", "services")
    wide = candidate(contract, features=groups, epochs=2).fit(*seen)
    save_model(wide, tmp_path / "wide")
    some = take(seen[0], np.arange(20))

    assert {"within_first_term", "tenure"} < set(wide.features)
    assert len(wide.features) > 20
    again = load_model(tmp_path / "wide")
    assert np.array_equal(again.contributions(some), wide.contributions(some))


def test_it_can_be_blended_and_the_blend_says_that_its_reasons_are_estimates(contract, seen):
    recipes = default_recipes() | {
        "net": TabularNetSettings(**SMALL),
        "mix": BlendSettings(members=("logistic", "net")),
    }
    built = build_candidates(["net", "mix", "blend"], recipes, contract)
    fitted = fit_all({name: built[name] for name in ("net", "mix")}, *seen)
    some = take(seen[0], np.arange(30))

    assert fitted["mix"].members["net"] is fitted["net"]
    assert not fitted["mix"].exact
    assert fitted["mix"].members["logistic"].exact
    parts = fitted["mix"].contributions(some).sum(axis=1)
    assert np.allclose(parts, fitted["mix"].logit(some) - fitted["mix"].base, atol=1e-12)
    assert left_out(built) == ()


@pytest.mark.parametrize("library", ["torch", "tabm", "onnx", "onnxruntime"])
def test_without_its_libraries_it_alone_is_refused(contract, monkeypatch, library):
    recipes = default_recipes() | {"net": TabularNetSettings()}
    monkeypatch.setitem(sys.modules, library, None)

    with pytest.raises(InputError, match=rf"Recipe 'net' needs {library},.*`make setup-deep`"):
        build_candidates(["logistic", "net"], recipes, contract)
    others = list(default_recipes())
    assert list(build_candidates(others, recipes, contract)) == others


def test_nobody_else_loads_its_libraries(root):
    program = (
        "import sys, churn.models.recipe_catalog, churn.models.model_store, churn.tuning.tuned_recipes, churn.settings.pipelines;"
        "print(sorted({'torch', 'tabm', 'onnx', 'onnxruntime', 'optuna'} & set(sys.modules)))"
    )
    answer = subprocess.run(
        [sys.executable, "-c", program], cwd=root, capture_output=True, text=True, check=True
    )
    assert answer.stdout.strip() == "[]"


@pytest.fixture
def folder(model, tmp_path):
    save_model(model, tmp_path / "net")
    return tmp_path / "net"


def test_a_saved_network_without_onnxruntime_says_what_it_needs(folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(InputError, match="needs onnxruntime, which the extra 'deep' brings"):
        load_model(folder)


def test_its_files_are_native_and_equal_for_equal_models(model, folder, tmp_path):
    assert {path.name for path in folder.iterdir()} == {
        "manifest.json",
        "entrance.json",
        "network.onnx",
    }
    save_model(load_model(folder), tmp_path / "again")
    for path in folder.iterdir():
        assert path.read_bytes() == (tmp_path / "again" / path.name).read_bytes()


def forge(folder, name, content):
    (folder / name).write_bytes(content)
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["files"][name] = hashlib.sha256(content).hexdigest()
    (folder / "manifest.json").write_text(json.dumps(manifest))


def test_a_changed_byte_of_the_network_is_noticed(folder):
    content = bytearray((folder / "network.onnx").read_bytes())
    content[len(content) // 2] ^= 1
    (folder / "network.onnx").write_bytes(content)
    with pytest.raises(InputError, match=r"is corrupt: network\.onnx is not as it was written"):
        load_model(folder)


def test_forged_files_are_refused_in_one_sentence(folder):
    forge(folder, "network.onnx", b"no network")
    with pytest.raises(InputError, match="cannot be read: onnxruntime cannot read the network"):
        load_model(folder)


@pytest.mark.parametrize(
    ("part", "value", "message"),
    [
        ("categories", {}, "the edges of 'gender' are missing"),
        ("features", ["tenure"], "the network takes .* inputs, not"),
    ],
)
def test_an_entrance_that_does_not_fit_is_refused(folder, part, value, message):
    content = json.loads((folder / "entrance.json").read_text())
    content["entrance"][part] = value
    forge(folder, "entrance.json", json.dumps(content).encode())
    with pytest.raises(InputError, match=f"cannot be read: {message}"):
        load_model(folder)


def test_a_background_of_other_columns_is_refused(folder):
    content = json.loads((folder / "entrance.json").read_text())
    content["background"] = [[1.0, 2.0]]
    forge(folder, "entrance.json", json.dumps(content).encode())
    with pytest.raises(InputError, match="background rows do not have the model's features"):
        load_model(folder)
