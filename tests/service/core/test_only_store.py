"""Which store is served where none is named: that of the only model in production."""

from __future__ import annotations

import pytest

from churn.errors import InputError
from service.core.environment_settings import StoreSettings


@pytest.fixture
def promote(tmp_path):
    """Makes a store that has something in production; returns it."""

    def promoted(name):
        store = tmp_path / "production" / name
        store.mkdir(parents=True, exist_ok=True)
        (store / "current.json").write_text("{}")
        return store

    return promoted


def settings_of(home, **named) -> StoreSettings:
    return StoreSettings(home=str(home), **named)


@pytest.mark.parametrize("name", ["telco-churn", "gym-churn", ""])
def test_the_only_model_in_production_is_served_whatever_its_name(promote, tmp_path, name):
    store = promote(name)
    promote("gym-churn-demo")
    settings = settings_of(tmp_path)

    settings.require_production("--store")

    assert settings.store == str(store)


def test_of_several_one_has_to_be_chosen(promote, tmp_path):
    gym, telco = promote("gym-churn"), promote("telco-churn")

    with pytest.raises(InputError) as refused:
        settings_of(tmp_path).require_production("--store or CHURN_STORE")

    assert str(refused.value) == (
        f"2 models have a version in production: {gym}, {telco}. Choose one with --store or "
        "CHURN_STORE."
    )
    settings_of(tmp_path, store=str(gym)).require_production("--store")


def test_a_store_of_release_0_1_0_does_not_hide_another_model(promote, tmp_path):
    promote("")
    promote("gym-churn")

    with pytest.raises(InputError, match="2 models have a version in production"):
        settings_of(tmp_path).require_production("--store")


def test_where_nothing_is_in_production_a_demonstration_is_named_and_not_served(promote, tmp_path):
    demonstration = promote("gym-churn-demo")

    with pytest.raises(InputError) as refused:
        settings_of(tmp_path).require_production("--store")

    place = tmp_path / "production"
    assert str(refused.value).startswith(
        f"Nothing is in production in {place}; there is a store in {demonstration}."
    )
