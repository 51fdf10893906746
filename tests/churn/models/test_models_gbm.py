import numpy as np
import pytest

from churn.errors import InputError
from churn.models.recipe_catalog import build_candidates
from churn.models.recipe_settings import GbmSettings
from churn.models.trees.gbm import GbmModel


@pytest.fixture(scope="module")
def few(telco_columns, telco_target):
    return {name: values[:1500] for name, values in telco_columns.items()}, telco_target[:1500]


def fitted(contract, few, **settings):
    recipe = {"gbm": GbmSettings(**({"trees": 30} | settings))}
    return build_candidates(["gbm"], recipe, contract)["gbm"].fit(*few)


def test_the_settings_reach_the_trees(contract, few):
    text = fitted(contract, few, depth=2, learning_rate=0.07, seed=3).trees.text
    for line in ("max_depth: 2", "num_leaves: 4", "learning_rate: 0.07", "num_threads: 1"):
        assert f"[{line}]" in text
    assert text.count("\nTree=") == 30
    assert all(int(leaves) <= 4 for leaves in _after(text, "num_leaves="))


def _after(text, key):
    return [line.removeprefix(key) for line in text.splitlines() if line.startswith(key)]


def test_another_seed_draws_other_columns_and_the_same_seed_the_same(contract, few):
    first, again, other = (fitted(contract, few, seed=seed) for seed in (7, 7, 8))
    assert first.trees.text == again.trees.text
    assert not np.array_equal(first.logit(few[0]), other.logit(few[0]))


def test_the_base_is_the_mean_log_odds_of_the_training_rows(contract, few):
    model = fitted(contract, few)
    assert model.base == pytest.approx(model.logit(few[0]).mean(), abs=1e-9)


def test_engineered_columns_join_the_trees(contract, few):
    model = fitted(contract, few, features=("services", "tenure"))
    assert isinstance(model, GbmModel)
    assert model.features[-4:] == (
        "tenure_bucket",
        "service_count",
        "protection_count",
        "streaming_count",
    )
    parts = model.contributions(few[0])
    assert parts.shape == (1500, len(model.features))
    assert np.abs(parts[:, -4:]).sum() > 0


def test_a_tenure_bucket_is_held_monotone_with_the_tenure(contract):
    recipe = {"gbm": GbmSettings(features=("tenure", "services"))}
    candidate = build_candidates(["gbm"], recipe, contract)["gbm"]
    assert candidate.falling == ("tenure", "tenure_bucket")


def test_large_batches_are_cut_without_a_seam(contract, few, monkeypatch):
    model = fitted(contract, few)
    whole, parts = model.logit(few[0]), model.contributions(few[0])
    monkeypatch.setattr("churn.models.trees.gbm._ROWS_AT_ONCE", 7)
    assert np.array_equal(model.logit(few[0]), whole)
    assert np.array_equal(model.contributions(few[0]), parts)


def test_no_rows_give_no_scores(contract, few):
    model = fitted(contract, few)
    none = {name: values[:0] for name, values in few[0].items()}
    assert model.logit(none).shape == (0,)
    assert model.contributions(none).shape == (0, len(model.features))


def test_a_wrong_code_is_named_by_its_row_in_the_whole_batch(contract, few, monkeypatch):
    monkeypatch.setattr("churn.models.trees.gbm._ROWS_AT_ONCE", 100)
    model = fitted(contract, few, trees=2)
    wrong = dict(few[0]) | {"Contract": few[0]["Contract"].copy()}
    wrong["Contract"][1234] = 3
    with pytest.raises(InputError, match="'Contract' row 1235: code 3 is none of its 3"):
        model.logit(wrong)
