"""What a deployed pipeline holds between its calls follows the store, and never a broken bundle."""

import shutil

import pytest

from churn.errors import BundleError
from churn.models.recipe_catalog import build_candidates
from churn.models.recipe_settings import default_recipes
from churn.models.trained import TrainedModel
from churn.scoring import FieldError, Scorer, read_golden, store_follower
from churn.scoring.bundle import Threshold, bundle_folder, publish, roll_back, write_bundle
from churn.scoring.risk_bands import Bands
from deployment import production_scorer
from deployment.production_scorer import load_scorer


@pytest.fixture(scope="module")
def filled(contract, telco_columns, telco_target, tmp_path_factory):
    """A store with two versions, the first in production."""
    deployer = tmp_path_factory.mktemp("filled")
    recipe = default_recipes()["spline_logistic"]
    candidate = build_candidates(["spline_logistic"], {"spline_logistic": recipe}, contract)
    for version, rows in (("1", 900), ("2", 1200)):
        some = {name: values[:rows] for name, values in telco_columns.items()}
        trained = TrainedModel.train(
            candidate["spline_logistic"],
            some,
            telco_target[:rows],
            contract=contract,
            data_sha256="ab" * 32,
            settings=recipe,
        )
        threshold = Threshold(value=0.3, basis="chosen for the tests")
        write_bundle(
            bundle_folder(deployer, version), trained, some, name="churn", version=version,
            threshold=threshold, metrics={},
        )  # fmt: skip
    publish(deployer, "1")
    return deployer


@pytest.fixture
def store(filled, tmp_path):
    return shutil.copytree(filled, tmp_path / "store")


@pytest.fixture
def customer(filled):
    return dict(read_golden(bundle_folder(filled, "1"))[0].row)


@pytest.fixture
def looking_always(monkeypatch):
    monkeypatch.setattr(production_scorer, "CHECK_SECONDS", 0.0)


def test_the_answer_is_the_scorers_own_with_the_band_of_the_bundle(store, customer):
    score = Scorer.load(store).score_one(customer)
    bands = Bands.read(bundle_folder(store, "1"), 0.3)

    answer = load_scorer(str(store)).answer(customer)

    assert answer == {
        "probability": score.probability,
        "decision": score.decision,
        "risk_band": bands(score.probability),
        "model_version": "1",
    }


def test_a_promotion_and_a_rollback_reach_it(store, customer, looking_always):
    scorer = load_scorer(str(store))

    publish(store, "2")
    promoted = scorer.answer(customer)
    roll_back(store)
    restored = scorer.answer(customer)

    assert promoted["model_version"] == "2"
    assert restored["model_version"] == scorer.version == "1"
    assert promoted["probability"] != restored["probability"]


def test_an_invalid_bundle_leaves_the_last_good_one_answering(
    store, customer, looking_always, caplog
):
    scorer = load_scorer(str(store))
    publish(store, "2")
    golden = bundle_folder(store, "2") / "golden.json"
    golden.write_bytes(golden.read_bytes()[:-2])

    answers = [scorer.answer(customer)["model_version"] for _ in range(3)]

    assert answers == ["1", "1", "1"]
    message = [record.getMessage() for record in caplog.records if record.name == "churn.inference"]
    assert len(message) == 1
    assert message[0].startswith("version 1 goes on answering: ")
    assert "golden.json" in message[0]


def test_a_download_that_failed_once_is_tried_again_without_another_promotion(
    store, customer, looking_always, monkeypatch
):
    monkeypatch.setattr(store_follower, "RETRY_SECONDS", 0.0)
    scorer = load_scorer(str(store))
    bundle = bundle_folder(store, "2")
    publish(store, "2")
    bundle.rename(store / "away")
    failed = scorer.answer(customer)["model_version"]

    (store / "away").rename(bundle)

    assert failed == "1"
    assert scorer.answer(customer)["model_version"] == "2"


def test_between_two_checks_the_store_is_not_read(store, customer, monkeypatch):
    monkeypatch.setattr(production_scorer, "CHECK_SECONDS", 3600.0)
    scorer = load_scorer(str(store))
    publish(store, "2")

    assert scorer.answer(customer)["model_version"] == "1"


def test_a_store_with_nothing_in_production_is_refused(tmp_path):
    with pytest.raises(BundleError, match="has nothing in production"):
        load_scorer(str(tmp_path))


def test_a_customer_that_the_contract_does_not_allow_is_named(store, customer):
    with pytest.raises(FieldError, match="Field 'Contract': 'Biennial' is not one of"):
        load_scorer(str(store)).answer(customer | {"Contract": "Biennial"})
