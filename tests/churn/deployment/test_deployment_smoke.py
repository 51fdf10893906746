"""Smoke test's verdict on predictions, and the protocols they come through."""

from __future__ import annotations

import math

import pytest

from churn.deployment.protocols import (
    Prediction,
    batch_score,
    open_inference,
    seldon_core_1,
    single_score,
)
from churn.deployment.smoke import SmokeReport, check_route, unreachable_route
from churn.scoring.golden_replay import GoldenRow

GOLDEN = tuple(GoldenRow({"tenure": n}, 0.0, p) for n, p in enumerate((0.1, 0.5, 0.9)))
RIGHT = [Prediction(each.probability, "7") for each in GOLDEN]


def judged(answers):
    return check_route(
        "/v1/score", GOLDEN, answers, version="7", tolerance=1e-12, milliseconds=[2.0, 1.0, 30.0]
    )


def report(*routes, ready=True):
    return SmokeReport(version="7", tolerance=1e-12, ready=ready, routes=routes)


def test_answers_to_the_last_bit_pass():
    route = judged(RIGHT)

    assert report(route).passed
    assert (route.rows, route.largest, route.median_ms) == (3, 0.0, 2.0)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (Prediction(0.5 + 1e-11, "7"), "golden row 2: probability 0.50000000001"),
        (Prediction(math.nan, "7"), "golden row 2: probability nan"),
        (Prediction(0.5, "6"), "golden row 2: answered by version 6, not by 7"),
        (Prediction(0.5, ""), "answered by version (none reported), not by 7"),
        (Prediction(math.nan, "", "Field 'tenure': 1 is above 0."), "refused, Field 'tenure'"),
    ],
)
def test_one_wrong_answer_fails_the_whole_and_is_named(wrong, message):
    found = report(judged([RIGHT[0], wrong, RIGHT[2]]))

    assert not found.passed
    assert message in found.sentence


def test_a_difference_within_the_tolerance_passes():
    assert report(judged([RIGHT[0], Prediction(0.5 + 5e-13, "7"), RIGHT[2]])).passed


def test_too_few_answers_fail():
    assert "2 answers to 3 golden rows" in report(judged(RIGHT[:2])).sentence


def test_an_unreachable_route_no_route_and_not_ready_each_fail():
    assert (
        "could not be called: refused"
        in report(unreachable_route("/v1/score", 3, "refused.")).sentence
    )
    assert not report().passed
    assert not report(judged(RIGHT), ready=False).passed


def test_many_faults_are_counted_not_listed():
    many = [GoldenRow({}, 0.0, 0.5)] * 10
    route = check_route(
        "/x",
        many,
        [Prediction(0.4, "7")] * 10,
        version="7",
        tolerance=0.1 - 1e-9,
        milliseconds=[1.0],
    )

    assert len(route.faults) == 4
    assert route.faults[-1] == "/x: 7 faults more."


def test_a_verdict_survives_its_round_trip():
    found = report(
        judged([replace_nan(each) for each in RIGHT]), unreachable_route("/v2", 3, "gone")
    )

    assert SmokeReport.model_validate_json(found.model_dump_json()) == found


def test_our_own_routes_take_customers_and_return_their_probabilities():
    one = {"probability": 0.25, "model_version": "7", "decision": False}
    error = {"row": 2, "error": {"detail": "Field 'tenure': x."}}

    assert single_score().body([{"tenure": 1}]) == {"tenure": 1}
    assert single_score().parse(one) == [Prediction(0.25, "7")]
    assert batch_score().body([{"tenure": 1}, {"tenure": 2}]) == [{"tenure": 1}, {"tenure": 2}]
    assert batch_score().parse([{"row": 1} | one, error])[1].error == "Field 'tenure': x."


def test_v2_has_a_tensor_a_field_and_a_blank_makes_texts_of_it():
    protocol = open_inference("churn-7")

    body = protocol.body([{"tenure": 1, "total": ""}, {"tenure": 2, "total": 3.5}])

    assert protocol.path == "/v2/models/churn-7/infer"
    assert body["inputs"] == [
        {"name": "tenure", "shape": [2], "datatype": "FP64", "data": [1, 2]},
        {"name": "total", "shape": [2], "datatype": "BYTES", "data": ["", "3.5"]},
    ]


def test_v2_takes_the_bundles_version_before_the_servers_own():
    outputs = [{"name": "decision", "data": [True]}, {"name": "probability", "data": [0.5]}]

    assert open_inference("m").parse(
        {"model_version": "1", "parameters": {"bundle_version": "7"}, "outputs": outputs}
    ) == [Prediction(0.5, "7")]
    assert open_inference("m").parse({"model_version": "6", "outputs": outputs}) == [
        Prediction(0.5, "6")
    ]


def test_core_1_answers_a_list_of_customers():
    content = {"jsonData": {"customers": [{"probability": 0.5, "version": "7", "decision": True}]}}

    assert seldon_core_1().parse(content) == [Prediction(0.5, "7")]


def replace_nan(prediction: Prediction) -> Prediction:
    return prediction._replace(probability=math.nan)
