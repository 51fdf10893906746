"""A bundle whose model is served behind a recalibration: every path must have it."""

import json

import pytest

from churn.errors import BundleError
from churn.models.recalibrated import LogitMap, RecalibratedCandidate
from churn.models.recipe_catalog import build_candidates
from churn.models.recipe_settings import default_recipes
from churn.models.trained import TrainedModel
from churn.scoring import Scorer
from churn.scoring.bundle import Threshold, write_bundle
from churn.scoring.manifest import manifest_checksum


@pytest.fixture
def recalibrated(contract, telco_columns, telco_target, tmp_path):
    """A bundle whose model is served behind a shift."""
    recipes = default_recipes()
    some = {name: values[:1500] for name, values in telco_columns.items()}
    candidate = build_candidates(["logistic_balanced"], recipes, contract)["logistic_balanced"]
    trained = TrainedModel.train(
        RecalibratedCandidate(candidate, LogitMap(intercept=-0.995)),
        some,
        telco_target[:1500],
        contract=contract,
        data_sha256="ab" * 32,
        settings=recipes["logistic_balanced"],
    )
    return write_bundle(
        tmp_path / "recalibrated", trained, some, name="churn", version="1",
        threshold=Threshold(value=0.3, basis="profit"), metrics={},
    )  # fmt: skip


def test_the_manifest_names_the_two_numbers_of_a_recalibration(recalibrated):
    content = json.loads((recalibrated / "manifest.json").read_text())

    assert content["model"]["recalibration"] == {"slope": 1.0, "intercept": -0.995}
    assert content["model"]["kind"] == "recalibrated"
    assert Scorer.load(recalibrated).manifest.model.recalibration == LogitMap(intercept=-0.995)


@pytest.mark.parametrize("stated", [None, {"slope": 1.0, "intercept": -0.9}])
def test_a_manifest_that_names_another_recalibration_than_the_models_is_refused(
    recalibrated, stated
):
    content = json.loads((recalibrated / "manifest.json").read_text())
    del content["seal"]
    content["model"]["recalibration"] = stated
    again = content | {"seal": manifest_checksum(content)}
    (recalibrated / "manifest.json").write_text(json.dumps(again))

    with pytest.raises(BundleError, match=r"another recalibration than its manifest\.json names"):
        Scorer.load(recalibrated)


def without_shift(model, columns):
    return model.fitted.logit(columns)


def row_without_shift(line, values):
    return line._member.logit(values)


@pytest.mark.parametrize(
    ("path", "fault", "what"),
    [
        ("churn.models.recalibrated.RecalibratedModel.logit", without_shift, "logit among others"),
        ("churn.scoring.fast.row_kernels._Line.logit", row_without_shift, "has logit"),
    ],
)
def test_a_path_that_leaves_the_shift_out_is_not_served(
    recalibrated, monkeypatch, path, fault, what
):
    monkeypatch.setattr(path, fault)

    with pytest.raises(BundleError, match=f"does not score as it was trained.*{what}"):
        Scorer.load(recalibrated)
