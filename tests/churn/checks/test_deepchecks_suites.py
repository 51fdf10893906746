"""The three suites on the real customers, and on the same customers damaged in ways that matter."""

from __future__ import annotations

from importlib.util import find_spec
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from churn.checks.deepchecks.deepchecks_settings import LEFT_OUT, ValidationSettings
from churn.checks.deepchecks.deepchecks_tables import (
    ClassifierAdapter,
    customer_number,
    deepchecks_table,
    feature_importance,
    sample_split,
)
from churn.checks.deepchecks.suites import validate
from churn.data.split import Split, split_rows
from churn.errors import InputError
from churn.features.encoding import encode, take
from churn.models.recipe_catalog import build_candidates
from churn.models.recipe_settings import default_recipes
from churn.models.trained import TrainedModel

pytestmark = pytest.mark.slow

needs_deepchecks = pytest.mark.skipif(
    find_spec("deepchecks") is None, reason="the extra 'deep' is not installed"
)
# The suites take twice as long under coverage's tracer, and the tests before have met the same lines.
not_traced = pytest.mark.no_cover
FEW = ValidationSettings(maximum_rows=600, segment_features=2)


@pytest.fixture(scope="module")
def split(telco) -> Split:
    return split_rows(telco.frame, telco.contract, gate_fraction=0.2, seed=11)


@pytest.fixture(scope="module")
def model(telco, telco_columns, telco_target, split) -> TrainedModel:
    """A logistic regression on the development rows."""
    recipes = default_recipes()
    return TrainedModel.train(
        build_candidates(("spline_logistic",), recipes, telco.contract)["spline_logistic"],
        take(telco_columns, split.development),
        telco_target[split.development],
        contract=telco.contract,
        data_sha256=telco.source.sha256,
        settings=recipes["spline_logistic"],
    )


@pytest.fixture(scope="module")
def guesser(telco) -> TrainedModel:
    """Scores that have nothing to do with anything."""
    return TrainedModel(
        recipe="guesses",
        model=SimpleNamespace(logit=lambda columns: np.sin(1e5 * columns["MonthlyCharges"]) - 2),
        contract=telco.contract,
        data_sha256="",
        rows=0,
        settings={},
        importance={},
    )


@pytest.fixture(scope="module")
def real(telco, split, model):
    """What the suites say of the whole table; made once."""
    return validate(telco.frame, split, model, ValidationSettings(segment_features=2))


def failed(report) -> set[str]:
    return {each.check for each in report.failures}


@needs_deepchecks
def test_the_real_table_and_an_honest_model_pass_with_warnings(real):
    assert real.verdict == "warn"
    assert failed(real) == set()
    assert {each.check for each in real.warnings} >= {
        "ConflictingLabels",
        "FeatureFeatureCorrelation",
    }
    assert (real.table_rows, real.development_rows, real.gate_rows) == (7043, 5669, 1374)


@needs_deepchecks
def test_every_suite_answers_and_each_check_is_judged_or_left_out_with_its_reason(real):
    suites = {each.suite for each in real.findings}

    assert suites == set(real.seconds)
    assert {each.check: each.reason for each in real.left_out} == LEFT_OUT
    assert not {each.check for each in real.findings} & set(LEFT_OUT)
    assert not [each for each in real.findings if "says nothing" in each.sentence]
    assert len(real.findings) == 31


@needs_deepchecks
def test_the_report_names_no_customer(real, telco):
    text = real.model_dump_json()

    assert not [each for each in telco.frame["customerID"] if each in text]


@needs_deepchecks
@not_traced
def test_the_same_input_gives_the_same_answer_and_without_leniency_the_real_table_fails(
    telco, split, model
):
    lenient = validate(telco.frame, split, model, FEW)
    strict = validate(telco.frame, split, model, FEW.model_copy(update={"shown_only": {}}))

    assert [each.sentence for each in lenient.findings] == [
        each.sentence for each in strict.findings
    ]
    assert (lenient.development_rows, lenient.gate_rows) == (600, 600)
    assert (lenient.verdict, strict.verdict) == ("warn", "fail")
    assert failed(strict) == {each.check for each in lenient.warnings}


@needs_deepchecks
@not_traced
def test_a_feature_that_gives_the_outcome_away_and_a_table_pasted_twice_fail(telco, model):
    few = telco.frame.head(400)
    leaking = few.assign(PaperlessBilling=few["Churn"].astype(str))
    twice = pd.concat([leaking, leaking], ignore_index=True)
    sides = split_rows(twice, telco.contract, gate_fraction=0.2, seed=11)

    report = validate(twice, sides, model, FEW)

    assert failed(report) >= {"FeatureLabelCorrelation", "DataDuplicates"}


@needs_deepchecks
@not_traced
def test_a_split_by_tenure_that_shares_customers_and_a_guesser_fail(telco, guesser):
    old = telco.frame["tenure"].to_numpy() >= 12
    development, newcomers = np.flatnonzero(old)[:500], np.flatnonzero(~old)[:500]
    sides = Split(development=development, gate=np.sort(np.r_[newcomers, development[:60]]))

    report = validate(telco.frame, sides, guesser, FEW)

    assert failed(report) >= {
        "IndexTrainTestLeakage",
        "TrainTestSamplesMix",
        "FeatureDrift",
        "LabelDrift",
        "RocReport",
    }


@needs_deepchecks
def test_a_leniency_for_a_check_that_does_not_exist_is_refused(telco, split, model):
    wrong = FEW.model_copy(update={"shown_only": {"ConflictingLabel": "a typing error"}})

    with pytest.raises(InputError, match=r"names 'ConflictingLabel'.*ConflictingLabels"):
        validate(telco.frame, split, model, wrong)


def test_no_id_reaches_deepchecks_and_equal_ids_stay_equal(telco, contract):
    frame = telco.frame.head(50)
    ids = frame["customerID"].copy()
    ids.iloc[7] = ids.iloc[2]

    table = deepchecks_table(frame.assign(customerID=ids), contract)

    assert "customerID" not in table.columns
    assert not set(frame["customerID"]) & set(table.astype(str).to_numpy().ravel())
    numbers = table[customer_number(contract)]
    assert numbers[7] == numbers[2]
    assert numbers.nunique() == 49


def test_a_text_outside_the_contract_is_refused_before_deepchecks_sees_it(telco, contract):
    frame = telco.frame.head(9).assign(Contract="7590-VHVEG")

    with pytest.raises(InputError, match="Column 'Contract' row 1"):
        deepchecks_table(frame, contract)


def test_deepchecks_sees_the_models_own_scores(telco, model):
    frame = telco.frame.tail(200)
    adapter = ClassifierAdapter(model)
    table = deepchecks_table(frame, telco.contract)

    seen = adapter.predict_proba(table)

    assert np.array_equal(seen[:, 1], model.probability(encode(frame, telco.contract)))
    assert np.allclose(seen.sum(axis=1), 1)
    assert np.array_equal(adapter.predict(table), seen[:, 1] >= 0.5)


def test_importance_covers_the_raw_features_and_sums_to_one(model, guesser):
    names = [column.name for column in model.contract.features]

    known, unknown = feature_importance(model), feature_importance(guesser)

    assert list(known.index) == list(unknown.index) == names
    assert known.sum() == pytest.approx(1)
    assert known.idxmax() in ("Contract", "tenure")
    assert unknown.tolist() == [1 / len(names)] * len(names)


def test_a_long_table_is_looked_at_in_part(split):
    few = sample_split(split, 300, seed=3)

    assert len(few.development) == len(set(few.development)) == len(few.gate) == 300
    assert set(few.development) <= set(split.development)
    assert set(few.gate) <= set(split.gate)
    assert np.array_equal(few.development, np.sort(few.development))
    assert np.array_equal(few.gate, np.sort(few.gate))
    assert np.array_equal(sample_split(split, 300, seed=3).gate, few.gate)
    assert not np.array_equal(sample_split(split, 300, seed=4).gate, few.gate)
    assert np.array_equal(sample_split(split, 9000, seed=3).development, split.development)
