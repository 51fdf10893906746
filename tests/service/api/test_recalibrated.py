"""A model behind a recalibration is served alike on every route: its line on the fitted log-odds."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from scipy.special import expit

from churn.features.encoding import take
from churn.scoring import Scorer
from churn.scoring.bundle import publish
from tests.servers.churn_api import serving

PLACES = np.arange(0, 7043, 61)


@pytest.fixture(scope="module")
def recalibrated(published_store, tmp_path_factory):
    """A client of a service with version 2, which is recalibrated, in production."""
    folder = tmp_path_factory.mktemp("recalibrated")
    store = Path(shutil.copytree(published_store, folder / "store"))
    publish(store, "2")
    with serving(store, folder) as service, service.client() as client:
        yield client


@pytest.fixture(scope="module")
def expected(trained, telco_columns):
    """The probabilities, from the model as it was fitted and the two numbers."""
    model = trained["2"].model
    logit = model.fitted.logit(take(telco_columns, PLACES))
    return expit(model.map.slope * logit + model.map.intercept).tolist()


@pytest.fixture(scope="module")
def some(customers):
    return [customers[place] for place in PLACES]


@pytest.mark.parametrize("route", ["/v1/score", "/v1/score?", "/v1/explain"])
def test_one_by_one(recalibrated, some, expected, route):
    answers = [recalibrated.post(route, json=customer).json() for customer in some]

    assert [answer["probability"] for answer in answers] == expected
    assert {answer["model_version"] for answer in answers} == {"2"}


def test_in_a_batch(recalibrated, some, expected):
    lines = "\n".join(map(json.dumps, some))

    array = recalibrated.post("/v1/score/batch", json=some).json()
    by_line = recalibrated.post(
        "/v1/score/batch", content=lines, headers={"Content-Type": "application/x-ndjson"}
    )

    assert [row["probability"] for row in array] == expected
    assert [json.loads(row)["probability"] for row in by_line.text.splitlines()] == expected


def test_by_the_open_inference_protocol(recalibrated, some, expected):
    inputs = [
        {"name": name, "shape": [len(some)], "datatype": "BYTES", "data": [r[name] for r in some]}
        for name in some[0]
    ]

    answer = recalibrated.post("/v2/models/churn/infer", json={"inputs": inputs}).json()

    outputs = {each["name"]: each["data"] for each in answer["outputs"]}
    assert outputs["probability"] == expected


def test_reasons_are_scaled_and_changes_lower_the_served_risk(recalibrated, some, published_store):
    from churn.explain.reasons import ReasonCodes

    scorer = Scorer.load_version(published_store / "bundles" / "2", "2", None)
    codes = ReasonCodes(scorer.features, scorer.contract, scorer.row_scorer.names)
    for customer in some[::10]:
        answer = recalibrated.post("/v1/explain?counterfactuals=true", json=customer).json()
        parts = scorer.contributions(scorer.columns([customer]))[0].tolist()
        reasons = codes.customer(scorer.values(customer), parts).reasons

        assert answer["base_probability"] == expit(scorer.base)
        assert [each["contribution"] for each in answer["reasons"]] == [
            each.contribution for each in reasons
        ]
        for found in answer["counterfactuals"]["found"]:
            after = {change["column"]: change["after"] for change in found["changes"]}
            bill = {"MonthlyCharges": found["bill_after"]}
            assert found["risk"] == scorer.score_one(customer | after | bill).probability


def test_the_metadata_name_the_two_numbers(recalibrated):
    model = recalibrated.get("/metadata").json()["model"]

    assert model["recalibration"] == {"slope": 0.9, "intercept": -0.2}
    assert recalibrated.get("/v2/models/churn").json()["platform"] == "churn_recalibrated"
