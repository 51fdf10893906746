"""A recipe that tunes itself sees the rows it is fitted on, and no others."""

import sys

import numpy as np
import pytest

from churn.errors import InputError
from churn.evaluation.plan import ProtocolPlan
from churn.evaluation.protocol import run_protocol
from churn.features.encoding import take
from churn.models.recipe_catalog import left_out
from churn.models.recipe_settings import (
    BlendSettings,
    GbmSettings,
    TabularNetSettings,
    TunedGbmSettings,
    TunedTabularNetSettings,
    deep_recipes,
    default_recipes,
)
from churn.models.trained import TrainedModel
from churn.tuning.nested import nested_protocol
from churn.tuning.tuned_candidate import TunedCandidate
from churn.tuning.tuned_recipes import build_candidates

TREES = {"trials": 6, "inner_folds": 2, "most_trees": 100}
NET = {"trials": 3, "base": TabularNetSettings(networks=4, epochs=6, device="cpu")}


@pytest.fixture(scope="module")
def seen(telco_columns, telco_target):
    rows = np.arange(1200)
    return take(telco_columns, rows), telco_target[rows]


def trees(contract, **settings):
    recipe = {"tuned": TunedGbmSettings(**(TREES | settings))}
    return build_candidates(["tuned"], recipe, contract)["tuned"]


def net(contract, **settings):
    recipe = {"tuned": TunedTabularNetSettings(**(NET | settings))}
    return build_candidates(["tuned"], recipe, contract)["tuned"]


@pytest.fixture(scope="module")
def tuning(contract, seen):
    return trees(contract).tune(*seen)


def without_seconds(report):
    return [trial.model_copy(update={"seconds": 0.0}) for trial in report.trials]


def test_the_best_trials_settings_are_the_ones_that_are_fitted(contract, seen, tuning):
    report, chosen = tuning.report, tuning.settings
    assert isinstance(chosen, GbmSettings)
    assert report.best_value == min(t.value for t in report.trials if t.state == "complete")
    assert report.best_trial.parameters
    for name, value in report.best_trial.parameters.items():
        assert getattr(chosen, name) == value
    assert chosen.trees == report.learned["trees"] <= 100
    assert (chosen.seed, chosen.monotone_tenure) == (7, True)

    model = trees(contract).fit(*seen)
    expected = trees(contract).frozen(chosen).fit(*seen)
    assert np.array_equal(model.logit(seen[0]), expected.logit(seen[0]))


def test_the_recipes_own_settings_are_the_first_trial(tuning):
    own = GbmSettings()
    first = tuning.report.trials[0]
    assert first.parameters == {
        name: getattr(own, name) for name in TunedGbmSettings().space.ranges
    }
    assert tuning.report.recipe_value == first.value >= tuning.report.best_value


def test_a_space_that_leaves_them_out_begins_elsewhere(contract, seen):
    settings = TunedGbmSettings.model_validate(
        TREES | {"trials": 1, "space": {"depth": {"low": 4, "high": 5}}}
    )
    report = build_candidates(["t"], {"t": settings}, contract)["t"].tune(*seen).report
    assert report.recipe_value is None
    assert report.trials[0].parameters["depth"] >= 4


def test_the_same_rows_give_the_same_search(contract, seen, tuning):
    again = trees(contract).tune(*seen)
    assert without_seconds(again.report) == without_seconds(tuning.report)
    assert again.report.study == tuning.report.study
    assert again.settings == tuning.settings


def test_another_table_never_goes_on_with_this_ones_search(contract, seen, tmp_path):
    storage = str(tmp_path / "tuning.db")
    first = trees(contract, storage=storage, trials=2).tune(*seen)
    heard = []
    again = trees(contract, storage=storage, trials=2).tune(*seen, on_trial=heard.append)
    assert heard == []
    assert again.report == first.report

    other_rows = take(seen[0], np.arange(1199)), seen[1][:1199]
    moved = dict(seen[0]) | {"tenure": seen[0]["tenure"] + 1}
    relabelled = seen[0], 1 - seen[1]
    studies = {first.report.study}
    for rows in (other_rows, (moved, seen[1]), relabelled):
        tried = trees(contract, storage=storage, trials=1).tune(*rows, on_trial=heard.append)
        studies.add(tried.report.study)
    studies.add(trees(contract, storage=storage, trials=1, seed=8).tune(*seen).report.study)
    assert len(heard) == 3
    assert len(studies) == 5


def test_the_network_is_tuned_alike(contract, seen, tmp_path):
    candidate = net(contract, storage=str(tmp_path / "tuning.db"))
    found = candidate.tune(*seen)
    model = candidate.fit(*seen)  # reads the finished search

    assert isinstance(found.settings, TabularNetSettings)
    assert found.report.count("complete") + found.report.count("pruned") == 3
    assert found.report.recipe_value == found.report.trials[0].value
    assert found.settings.networks == 4
    assert found.settings.width == found.report.best_trial.parameters["width"]
    expected = candidate.frozen(found.settings).fit(*seen)
    assert np.array_equal(model.logit(seen[0]), expected.logit(seen[0]))


class Spy:
    """Notes which rows a candidate is given to tune on."""

    def __init__(self, candidate):
        self.name, self.candidate, self.reports = candidate.name, candidate, []

    def fit(self, columns, target):
        found = self.candidate.tune(columns, target)
        self.reports.append((found.report, columns["row"]))
        return self.candidate.frozen(found.settings).fit(columns, target)


def test_nested_figures_stand_on_rows_that_tuned_nothing(contract, telco_columns, telco_target):
    rows = np.arange(1500)
    columns = dict(take(telco_columns, rows)) | {"row": rows}
    target = telco_target[rows]
    spy = Spy(trees(contract, trials=2, most_trees=50))
    recipes = default_recipes()
    frozen = build_candidates(["logistic"], recipes, contract)
    plan = ProtocolPlan(folds=3, repeats=2, seed=7, bootstrap_samples=0)

    nested = nested_protocol(
        frozen | {"tuned": spy}, columns, target, plan, baseline="logistic", workers=2
    )

    assert nested.plan.repeats == 1
    assert sorted(len(inner) for _, inner in spy.reports) == [1000, 1000, 1000]
    assert all(report.rows == 1000 for report, _ in spy.reports)
    assert len({report.study for report, _ in spy.reports}) == 3
    held_out = np.concatenate([np.setdiff1d(rows, inner) for _, inner in spy.reports])
    assert np.array_equal(np.sort(held_out), rows)
    gained = nested.result("tuned").against_baseline
    assert gained.splits == 3
    whole = run_protocol(frozen, columns, target, plan, baseline="logistic")
    first = whole.result("logistic").fold_roc_auc[:3]
    assert nested.result("logistic").fold_roc_auc == first


def test_a_tuned_recipe_can_be_trained_and_saved_as_any_other(contract, seen, tuning, tmp_path):
    trained = TrainedModel.train(
        trees(contract).frozen(tuning.settings),
        *seen,
        contract=contract,
        data_sha256="ab" * 32,
        settings=tuning.settings,
    )
    trained.save(tmp_path / "model")
    again = TrainedModel.load(tmp_path / "model")
    assert again.settings == tuning.settings.model_dump(mode="json")
    assert np.array_equal(again.logit(seen[0]), trained.logit(seen[0]))


def test_a_blend_may_have_a_tuned_member(contract):
    recipes = default_recipes() | {
        "tuned": TunedGbmSettings(**TREES),
        "mix": BlendSettings(members=("spline_logistic", "tuned")),
    }
    built = build_candidates(["tuned", "mix"], recipes, contract)
    assert isinstance(built["tuned"], TunedCandidate)
    assert built["mix"].members[1] is built["tuned"]
    assert left_out(built) == ()


def test_settings_of_another_kind_are_not_fitted(contract):
    with pytest.raises(TypeError, match="does not take settings of kind 'tabular_net'"):
        trees(contract).frozen(TabularNetSettings())


def test_rows_of_one_outcome_tune_nothing(contract, seen):
    with pytest.raises(InputError, match="cannot learn from 1200 rows of which 0 left"):
        trees(contract).tune(seen[0], np.zeros(1200, dtype=np.int8))


def test_without_optuna_only_tuned_recipes_are_refused(contract, monkeypatch):
    monkeypatch.setitem(sys.modules, "optuna", None)
    recipes = default_recipes() | deep_recipes()
    with pytest.raises(InputError, match=r"'tuned_gbm' needs optuna, .*`make setup-deep`"):
        build_candidates(["tuned_gbm"], recipes, contract)
    assert build_candidates(["blend", "tabular_net"], recipes, contract)
