"""The verdict on what a served model answered, and how it is asked."""

from __future__ import annotations

import math

import pytest

from churn.deployment.protocols import Answer, batch, inference, one_by_one, seldon_core_1
from churn.deployment.smoke import SmokeReport, check_route, unreachable_route
from churn.scoring.golden import GoldenRow

GOLDEN = tuple(GoldenRow({"tenure": n}, 0.0, p) for n, p in enumerate((0.1, 0.5, 0.9)))
RIGHT = [Answer(each.probability, "7") for each in GOLDEN]


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
    ("wrong", "told"),
    [
        (Answer(0.5 + 1e-11, "7"), "golden row 2: probability 0.50000000001"),
        (Answer(math.nan, "7"), "golden row 2: probability nan"),
        (Answer(0.5, "6"), "golden row 2: answered by version 6, not by 7"),
        (Answer(0.5, ""), "answered by version (none told), not by 7"),
        (Answer(math.nan, "", "Field 'tenure': 1 is above 0."), "refused, Field 'tenure'"),
    ],
)
def test_one_wrong_answer_fails_the_whole_and_is_named(wrong, told):
    found = report(judged([RIGHT[0], wrong, RIGHT[2]]))

    assert not found.passed
    assert told in found.sentence


def test_a_difference_within_the_tolerance_passes():
    assert report(judged([RIGHT[0], Answer(0.5 + 5e-13, "7"), RIGHT[2]])).passed


def test_too_few_answers_fail():
    assert "2 answers to 3 golden rows" in report(judged(RIGHT[:2])).sentence


def test_a_route_that_breaks_nothing_asked_and_not_ready_each_fail():
    assert (
        "could not be asked: refused"
        in report(unreachable_route("/v1/score", 3, "refused.")).sentence
    )
    assert not report().passed
    assert not report(judged(RIGHT), ready=False).passed


def test_many_faults_are_counted_not_listed():
    many = [GoldenRow({}, 0.0, 0.5)] * 10
    route = check_route(
        "/x", many, [Answer(0.4, "7")] * 10, version="7", tolerance=0.1 - 1e-9, milliseconds=[1.0]
    )

    assert len(route.faults) == 4
    assert route.faults[-1] == "/x: 7 faults more."


def test_a_verdict_survives_its_round_trip():
    found = report(
        judged([replace_nan(each) for each in RIGHT]), unreachable_route("/v2", 3, "gone")
    )

    assert SmokeReport.model_validate_json(found.model_dump_json()) == found


def test_our_own_routes_are_asked_and_read_as_they_answer():
    one = {"probability": 0.25, "model_version": "7", "decision": False}
    error = {"row": 2, "error": {"detail": "Field 'tenure': x."}}

    assert one_by_one().body([{"tenure": 1}]) == {"tenure": 1}
    assert one_by_one().answers(one) == [Answer(0.25, "7")]
    assert batch().body([{"tenure": 1}, {"tenure": 2}]) == [{"tenure": 1}, {"tenure": 2}]
    assert batch().answers([{"row": 1} | one, error])[1].refusal == "Field 'tenure': x."


def test_v2_has_a_tensor_a_field_and_a_blank_makes_texts_of_it():
    speech = inference("churn-7", headers={"Seldon-Model": "churn-7"})

    body = speech.body([{"tenure": 1, "total": ""}, {"tenure": 2, "total": 3.5}])

    assert speech.path == "/v2/models/churn-7/infer"
    assert body["inputs"] == [
        {"name": "tenure", "shape": [2], "datatype": "FP64", "data": [1, 2]},
        {"name": "total", "shape": [2], "datatype": "BYTES", "data": ["", "3.5"]},
    ]


def test_v2_takes_the_bundles_version_where_the_servers_own_stands_beside_it():
    outputs = [{"name": "decision", "data": [True]}, {"name": "probability", "data": [0.5]}]

    assert inference("m").answers(
        {"model_version": "1", "parameters": {"bundle_version": "7"}, "outputs": outputs}
    ) == [Answer(0.5, "7")]
    assert inference("m").answers({"model_version": "6", "outputs": outputs}) == [Answer(0.5, "6")]


def test_core_1_answers_a_list_of_customers():
    content = {"jsonData": {"customers": [{"probability": 0.5, "version": "7", "decision": True}]}}

    assert seldon_core_1().answers(content) == [Answer(0.5, "7")]


def replace_nan(answer: Answer) -> Answer:
    return answer._replace(probability=math.nan)
