"""What release 0.1.0 has left on a disk is opened by the code of today."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from churn.errors import BundleError, InputError
from churn.scoring.bundle import bundle_folder, current, history, publish, roll_back, store_of_model
from churn.scoring.golden_replay import read_golden
from churn.scoring.store_follower import StoreFollower, load_version

KEPT = Path(__file__).parent / "0.1.0"
MODEL = "telco-churn"


@pytest.fixture
def state(tmp_path):
    """The state folder of 0.1.0."""
    return Path(shutil.copytree(KEPT, tmp_path / "state"))


@pytest.fixture
def stores(state):
    return state / "production"


def test_its_store_goes_on_as_that_of_the_model_its_bundles_name(stores):
    store = store_of_model(stores, MODEL)

    assert store == stores
    assert [each.version for each in history(store)] == ["1", "2"]
    assert (current(store).version, current(store).by) == ("2", "Ada")


@pytest.mark.parametrize("version", ["1", "2"])
def test_its_bundles_score_their_golden_rows_as_they_did(stores, version):
    loaded = load_version(str(stores), version)

    assert loaded.scorer.version == version
    for golden in loaded.golden:
        assert loaded.scorer.score_one(golden.row).probability == pytest.approx(
            golden.probability, abs=1e-12
        )
    assert len(read_golden(bundle_folder(stores, version))) >= 10


def test_a_service_at_its_address_follows_what_is_published_and_rolled_back_today(stores):
    follower = StoreFollower(str(stores), lambda which: load_version(str(stores), which))
    assert follower.load().scorer.version == "2"

    roll_back(store_of_model(stores, MODEL))
    assert follower.check().scorer.version == "1"

    publish(store_of_model(stores, MODEL), "2")
    assert follower.check().scorer.version == "2"


def test_another_model_gets_a_store_of_its_own_beside_it(stores):
    assert store_of_model(stores, "insurance") == stores / "insurance"
    assert store_of_model(stores, "telco-churn-demo") == stores / "telco-churn-demo"


def test_where_the_production_bundle_is_lost_an_earlier_one_says_whose_store_it_is(stores):
    shutil.rmtree(stores / "bundles" / "2")

    assert store_of_model(stores, MODEL) == stores


def test_a_store_whose_model_nobody_knows_is_refused(stores):
    shutil.rmtree(stores / "bundles")

    with pytest.raises(BundleError) as refused:
        store_of_model(stores, MODEL)

    assert str(refused.value) == (
        f"The store {stores} of an earlier release has no bundle that says which model it is. Move "
        f"its current.json and bundles into {stores / MODEL}, or into that of another model."
    )


def test_a_service_that_looks_in_todays_place_learns_where_the_store_lies(stores):
    from service.core.environment_settings import StoreSettings

    settings = StoreSettings(store=str(stores / MODEL))

    with pytest.raises(InputError, match=rf"; there is a store in {stores}\. Run"):
        settings.require_production("--store")
