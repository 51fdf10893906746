"""Laws of the scorer: every valid customer has one score, and everything else a refusal."""

import json

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from churn.contract import NumberColumn
from churn.errors import InputError
from churn.features.groups import GROUPS
from churn.models.recipe_catalog import build_candidates
from churn.models.recipe_settings import (
    BlendSettings,
    GbmSettings,
    SplineLogisticSettings,
    default_recipes,
)
from churn.models.trained import TrainedModel
from churn.scoring import Scorer
from churn.scoring.bundle import Threshold, write_bundle


@pytest.fixture(scope="module")
def pairs(contract, telco_columns, telco_target, tmp_path_factory):
    """Trained models, and the scorers that were loaded from their bundles."""
    recipes = default_recipes() | {
        "gbm": GbmSettings(trees=40, features=GROUPS),
        "wide": SplineLogisticSettings(features=GROUPS),
        "wide_blend": BlendSettings(members=("wide", "gbm")),
    }
    folder, made = tmp_path_factory.mktemp("bundles"), []
    for name in ("blend", "wide_blend"):
        trained = TrainedModel.train(
            build_candidates([name], recipes, contract)[name],
            telco_columns,
            telco_target,
            contract=contract,
            data_sha256="ab" * 32,
            settings=recipes[name],
        )
        bundle = write_bundle(
            folder / name, trained, telco_columns, name="churn", version="1",
            threshold=Threshold(value=0.5, basis="for the test"), metrics={},
        )  # fmt: skip
        made.append((trained, Scorer.load(bundle)))
    return made


def spellings(number):
    """A number as JSON, as text, and with spaces around the text."""
    texts = st.sampled_from([repr(number), f" {number!r}", f"{number:.17e}"])
    return st.one_of(st.just(number), texts)


@st.composite
def valid_rows(draw, contract):
    """Any customer that the contract allows, in any spelling it allows."""
    row = {}
    for column in contract.features:
        if not isinstance(column, NumberColumn):
            text = draw(st.sampled_from(column.categories))
            row[column.name] = int(text) if text.isdigit() and draw(st.booleans()) else text
            continue
        bounds = st.sampled_from([column.minimum, column.maximum])
        if column.integer:
            value = draw(st.integers(int(column.minimum), int(column.maximum)))
            row[column.name] = draw(st.sampled_from([value, float(value), str(value)]))
        else:
            within = st.floats(column.minimum, column.maximum, allow_subnormal=True)
            row[column.name] = draw(st.one_of(bounds, within).flatmap(spellings))
    if float(row["tenure"]) == 0 and draw(st.booleans()):
        row["TotalCharges"] = draw(st.sampled_from(["", " ", None]))
    return row


@given(st.data())
@settings(max_examples=150)
def test_any_valid_customer_scores_alone_as_among_others(contract, pairs, data):
    rows = data.draw(st.lists(valid_rows(contract), min_size=1, max_size=5))
    for trained, scorer in pairs:
        columns = scorer.columns(rows)
        among, parts = scorer.score_many(columns), scorer.contributions(columns)
        assert np.array_equal(among.logit, trained.logit(columns))
        for place, row in enumerate(rows):
            score = scorer.score_one(row)
            assert np.isfinite(score.logit)
            assert 0 < score.probability < 1
            assert score.logit == among.logit[place]
            assert score.probability == among.probability[place]
            assert score.decision == among.decision[place]
            explanation = scorer.explain(row)
            assert list(explanation.contributions.values()) == parts[place].tolist()
            assert (
                abs(explanation.base + sum(explanation.contributions.values()) - score.logit) < 1e-9
            )


@given(st.data())
@settings(max_examples=60)
def test_what_survives_json_scores_the_same(contract, pairs, data):
    row = data.draw(valid_rows(contract))
    _, scorer = pairs[0]
    assert scorer.score_one(json.loads(json.dumps(row))) == scorer.score_one(row)


anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.binary()
    | st.decimals()
    | st.complex_numbers(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner) | st.tuples(inner),
    max_leaves=5,
)


def scores_or_refuses(scorer, row):
    try:
        sentence = None
        score = scorer.score_one(row)
    except InputError as error:
        sentence = str(error)
    if sentence is None:
        assert 0 < score.probability < 1
    else:
        assert 10 < len(sentence) < 1000
        assert "\n" not in sentence


@given(st.one_of(st.dictionaries(st.text() | st.integers() | st.none(), anything), anything))
@settings(max_examples=150)
def test_whatever_comes_is_scored_or_refused(pairs, row):
    scores_or_refuses(pairs[0][1], row)


@given(st.data())
@settings(max_examples=300)
def test_a_customer_with_one_thing_wrong_is_scored_or_refused(contract, pairs, data):
    row = data.draw(valid_rows(contract))
    names = st.sampled_from([*row, "customerID", "Churn"]) | st.text()
    match data.draw(st.sampled_from(["replace", "remove", "near"])):
        case "replace":
            row[data.draw(names)] = data.draw(anything)
        case "remove":
            del row[data.draw(st.sampled_from(list(row)))]
        case "near":
            number = data.draw(st.sampled_from(["tenure", "MonthlyCharges", "TotalCharges"]))
            row[number] = data.draw(st.floats(-10, 1.1e5) | st.integers(-10, 10**30))
    for _, scorer in pairs:
        scores_or_refuses(scorer, row)


@given(st.data())
@settings(max_examples=100)
def test_a_category_unseen_in_training_is_refused_not_guessed(contract, pairs, data):
    row = data.draw(valid_rows(contract))
    column = data.draw(st.sampled_from(contract.coded))
    listed = {category.strip() for category in column.categories}
    row[column.name] = data.draw(st.text().filter(lambda text: text.strip() not in listed))
    with pytest.raises(InputError, match=f"Field '{column.name}': ") as error:
        pairs[0][1].score_one(row)
    assert ", ".join(column.categories) in str(error.value)
