"""One formula on every path: raw rows one by one, columns, threads, and the freshly trained model."""

import csv
import threading
from concurrent.futures import ThreadPoolExecutor

import lightgbm
import numpy as np
import pytest

from churn.features.encoding import take
from churn.features.groups import GROUPS
from churn.models.recalibrated import LogitMap, RecalibratedCandidate, recalibration_of
from churn.models.recipe_catalog import build_candidates
from churn.models.recipe_settings import (
    BlendSettings,
    GbmSettings,
    LogisticSettings,
    SplineLogisticSettings,
    default_recipes,
)
from churn.models.trained import TrainedModel
from churn.scoring import Scorer
from churn.scoring.bundle import Threshold, write_bundle
from churn.scoring.fast.row_trees import RowTrees

RECIPES = default_recipes() | {
    "logistic_wide": LogisticSettings(features=GROUPS),
    "spline_wide": SplineLogisticSettings(features=GROUPS),
    "gbm_wide": GbmSettings(trees=60, features=GROUPS),
    "blend_wide": BlendSettings(members=("spline_wide", "gbm_wide", "logistic")),
}
LINE = LogitMap(slope=0.83, intercept=-0.41)
MAPS = {
    "logistic_balanced": LogitMap(intercept=-0.995),
    "gbm_line": LINE,
    "blend_line": LINE,
}
"""Recalibrations of the recipes that have one."""

RECIPES |= {"gbm_line": RECIPES["gbm"], "blend_line": RECIPES["blend"]}
NAMES = ["logistic", "spline_logistic", "gbm", "blend", "logistic_wide", "blend_wide", *MAPS]


def candidate(name, contract):
    """The recipe, behind its recalibration."""
    recipe = build_candidates([name], RECIPES, contract)[name]
    return RecalibratedCandidate(recipe, MAPS.get(name, LogitMap()))


@pytest.fixture(scope="module")
def pairs(contract, telco_columns, telco_target, tmp_path_factory):
    """Recipe -> the model in the trainer's hands, and the scorer that was loaded from its bundle."""
    folder, made = tmp_path_factory.mktemp("bundles"), {}
    for name in NAMES:
        trained = TrainedModel.train(
            candidate(name, contract),
            telco_columns,
            telco_target,
            contract=contract,
            data_sha256="ab" * 32,
            settings=RECIPES[name],
        )
        written = write_bundle(
            folder / name,
            trained,
            telco_columns,
            name="churn",
            version="1",
            threshold=Threshold(value=0.5, basis="for the test"),
            metrics={},
        )
        made[name] = trained, Scorer.load(written)
    return made


@pytest.fixture(scope="module")
def raw(root):
    """The shipped table as its file spells it: text in every cell."""
    with (root / "data" / "raw" / "telco.csv").open(newline="", encoding="utf-8") as file:
        rows = [dict(row) for row in csv.DictReader(file)]
    for row in rows:
        del row["Churn"]
    return rows


def as_json(row):
    """The same customer as a JSON client sends it: numbers as numbers, a blank as null."""
    total = row["TotalCharges"].strip()
    return row | {
        "SeniorCitizen": int(row["SeniorCitizen"]),
        "tenure": int(row["tenure"]),
        "MonthlyCharges": float(row["MonthlyCharges"]),
        "TotalCharges": float(total) if total else None,
    }


@pytest.mark.parametrize("name", NAMES)
def test_customers_who_come_together_get_the_bits_that_each_gets_alone(pairs, raw, name):
    _, scorer = pairs[name]
    values = [scorer.values(row) for row in raw]
    alone = [scorer.score_values(each) for each in values]

    for many in (1, 2, 31, 1000):
        together = []
        for start in range(0, len(values) if many > 1 else 300, many):
            together += scorer.score_each(values[start : start + many])
        assert together == alone[: len(together)]
    assert scorer.score_each([]) == []


@pytest.mark.parametrize("name", NAMES)
def test_a_changed_copy_gets_the_bits_of_a_customer_who_is_like_that(pairs, raw, name):
    _, scorer = pairs[name]
    generator = np.random.default_rng(5)
    places = len(scorer.row_scorer.names)
    for start in range(0, 7000, 700):
        customer, *others = [scorer.values(row) for row in raw[start : start + 40]]
        # Each copy takes one to all of its values from somebody else; the last stays as it is.
        changes = [
            {int(at): other[at] for at in generator.permutation(places)[: 1 + number % places]}
            for number, other in enumerate(others)
        ] + [{}]
        like_that = []
        for change in changes:
            values = customer[:places]
            for place, value in change.items():
                values[place] = value
            like_that.append(dict(zip(scorer.row_scorer.names, values, strict=True)))

        found = scorer.row_scorer.logits_changed(customer, [dict(change) for change in changes])

        expected = scorer.score_many(as_columns(like_that, scorer)).logit
        assert np.array_equal(found, expected)
    assert scorer.row_scorer.logits_changed(customer, []) == []


def as_columns(customers, scorer):
    """Encoded customers as columns."""
    codes = {column.name for column in scorer.contract.coded}
    return {
        name: np.array(
            [one[name] for one in customers], dtype=np.int8 if name in codes else np.float64
        )
        for name in scorer.row_scorer.names
    }


@pytest.mark.parametrize("name", NAMES)
def test_every_customer_alone_gets_the_bits_of_the_trained_model(pairs, raw, telco_columns, name):
    trained, scorer = pairs[name]
    logit, probability = trained.logit(telco_columns), trained.probability(telco_columns)

    alone = [scorer.score_one(row) for row in raw]

    assert len(alone) == 7043
    assert np.array_equal([score.logit for score in alone], logit)
    assert np.array_equal([score.probability for score in alone], probability)
    assert [score.decision for score in alone] == list(probability >= 0.5)


@pytest.mark.parametrize("name", NAMES)
def test_all_customers_together_get_the_bits_of_the_trained_model(pairs, telco_columns, name):
    trained, scorer = pairs[name]

    among = scorer.score_many(telco_columns)

    assert np.array_equal(among.logit, trained.logit(telco_columns))
    assert np.array_equal(among.probability, trained.probability(telco_columns))
    assert scorer.bitwise


@pytest.mark.parametrize("name", NAMES)
def test_parts_alone_and_together_are_those_of_the_trained_model(pairs, raw, telco_columns, name):
    trained, scorer = pairs[name]
    rows = np.arange(0, 7043, 29)
    some = take(telco_columns, rows)
    expected = trained.model.contributions(some)

    assert np.array_equal(scorer.contributions(some), expected)
    assert scorer.features == trained.model.features
    assert scorer.base == trained.model.base
    for place, row in enumerate(rows):
        explanation = scorer.explain(raw[row])
        assert list(explanation.contributions.values()) == expected[place].tolist()
        assert explanation.score == scorer.score_one(raw[row])
        assert explanation.base + sum(explanation.contributions.values()) == pytest.approx(
            explanation.score.logit, abs=1e-9
        )


@pytest.mark.parametrize("name", MAPS)
def test_a_recalibrated_model_serves_the_line_on_what_was_fitted(pairs, raw, telco_columns, name):
    trained, scorer = pairs[name]
    line, fitted = MAPS[name], trained.model.fitted
    expected = line.slope * fitted.logit(telco_columns) + line.intercept

    assert recalibration_of(fitted) == LogitMap()
    assert np.array_equal(scorer.score_many(telco_columns).logit, expected)
    assert [scorer.score_one(row).logit for row in raw[::50]] == expected[::50].tolist()
    assert scorer.base == line.slope * fitted.base + line.intercept
    some = take(telco_columns, np.arange(0, 7043, 50))
    assert np.array_equal(scorer.contributions(some), line.slope * fitted.contributions(some))
    assert scorer.manifest.model.recalibration == line


def test_a_json_client_gets_what_the_file_gets(pairs, raw):
    _, scorer = pairs["blend"]
    for row in raw[::7]:
        assert scorer.score_one(as_json(row)) == scorer.score_one(row)


def test_raw_rows_become_the_columns_of_the_parsed_table(pairs, raw, telco_columns):
    columns = pairs["blend"][1].columns(raw)
    assert list(columns) == list(telco_columns)
    for name, values in telco_columns.items():
        assert columns[name].dtype == values.dtype
        assert np.array_equal(columns[name], values)


def test_more_rows_than_are_taken_at_once_score_alike(pairs, telco_columns):
    _, scorer = pairs["blend"]
    rows = np.arange(40_000) % 7043
    many = scorer.score_many(take(telco_columns, rows))
    assert np.array_equal(many.logit, scorer.score_many(telco_columns).logit[rows])


def test_eight_threads_share_a_scorer_and_get_their_own_answers(pairs, raw):
    _, scorer = pairs["blend"]
    rows = raw[:1600]
    expected = [scorer.score_one(row) for row in rows]
    parts = [scorer.explain(row).contributions for row in rows[::20]]
    together = threading.Barrier(8)

    def work(start):
        together.wait()  # each begins elsewhere, so that no two do the same at once
        order = [*range(start * 200, 1600), *range(start * 200)]
        scored = {place: scorer.score_one(rows[place]) for place in order}
        explanation = [scorer.explain(row).contributions for row in rows[::20]]
        return [scored[place] for place in range(1600)], explanation

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(work, range(8)))

    assert all(answer == (expected, parts) for answer in answers)


def test_the_trees_answer_as_lightgbms_own_booster(pairs, telco_columns):
    trained, _ = pairs["gbm"]
    trees = trained.model.trees
    booster = lightgbm.Booster(model_str=trees.text)
    matrix = np.column_stack([telco_columns[name] for name in trained.model.features])
    some = np.ascontiguousarray(matrix[::40])

    expected = booster.predict(matrix, raw_score=True)
    assert np.array_equal(trees.logits(matrix), expected)
    parts = booster.predict(some, pred_contrib=True)
    assert np.array_equal(trees.library_contributions(some), parts)
    single, row_trees = trees.single_row_contributions(), RowTrees(trees)
    for place, row in enumerate(some.tolist()):
        assert list(single(row)) == parts[place].tolist()
        assert row_trees.logit(row) == expected[40 * place]


@pytest.mark.parametrize(
    ("members", "line"),
    [
        ((), LogitMap()),
        ((), LINE),
        (("tabular_net", "spline_logistic", "gbm"), LogitMap()),
    ],
)
def test_a_network_is_served_as_it_was_trained(
    contract, raw, telco_columns, telco_target, tmp_path, members, line
):
    for module in ("torch", "tabm", "onnx", "onnxruntime"):
        pytest.importorskip(module)
    from churn.models.recipe_settings import TabularNetSettings

    recipes = default_recipes() | {
        "tabular_net": TabularNetSettings(epochs=2),
        "gbm": GbmSettings(trees=20),
    }
    name = "tabular_net"
    if members:
        name, recipes["deep_blend"] = "deep_blend", BlendSettings(members=members)
    trained = TrainedModel.train(
        RecalibratedCandidate(build_candidates([name], recipes, contract)[name], line),
        take(telco_columns, np.arange(600)),
        telco_target[:600],
        contract=contract,
        data_sha256="ab" * 32,
        settings=recipes[name],
    )
    some = np.arange(0, 7043, 50)
    columns = take(telco_columns, some)

    scorer = Scorer.load(
        write_bundle(
            tmp_path / "1", trained, columns, name="churn", version="1",
            threshold=Threshold(value=0.5, basis="for the test"), metrics={},
        )
    )  # fmt: skip

    assert not scorer.bitwise
    assert not scorer.model.exact
    assert np.abs(scorer.score_many(columns).logit - trained.logit(columns)).max() <= 1e-6
    alone = [scorer.score_one(raw[row]).logit for row in some]
    assert np.abs(alone - trained.logit(columns)).max() <= 1e-6
    # To the bit, though a network's sums depend on how many rows are multiplied at once.
    together = scorer.score_each([scorer.values(raw[row]) for row in some])
    assert [each.logit for each in together] == alone
    explanation = scorer.explain(raw[some[1]])
    assert explanation.base + sum(explanation.contributions.values()) == pytest.approx(
        explanation.score.logit, abs=1e-6
    )
    one, other = scorer.values(raw[some[1]]), scorer.values(raw[some[2]])
    as_the_other = dict(enumerate(other[: len(scorer.row_scorer.names)]))
    found = scorer.row_scorer.logits_changed(one, [{}, as_the_other])
    assert found == pytest.approx([alone[1], alone[2]], abs=1e-6)


@pytest.mark.parametrize("name", ["gbm", "blend", "blend_wide", "blend_line", "logistic"])
def test_compiled_for_a_batch_every_customer_keeps_its_bits(pairs, telco_columns, name, tmp_path):
    pytest.importorskip("llvmlite", reason="the extra 'batch' is not installed")
    trained, scorer = pairs[name]
    folder = write_bundle(
        tmp_path / "bundle", trained, telco_columns, name="churn", version="1",
        threshold=Threshold(value=0.5, basis="for the test"), metrics={},
    )  # fmt: skip
    compiled = Scorer.load(folder)

    assert compiled.compile(contributions=True)

    found, expected = compiled.score_many(telco_columns), scorer.score_many(telco_columns)
    assert np.array_equal(found.logit, expected.logit)
    assert np.array_equal(found.probability, expected.probability)
    assert np.array_equal(
        compiled.contributions(telco_columns), scorer.contributions(telco_columns)
    )
