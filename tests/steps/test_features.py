"""The steps of the features pipeline, as functions, on the real table."""

from __future__ import annotations

from pathlib import Path

import pytest

from churn.feature_store.online.address import open_online_store
from churn.settings.features import FeaturesSettings


@pytest.fixture
def features_folders(tmp_path):
    return {
        "features": str(tmp_path / "home"),
        "locks": str(tmp_path / "locks"),
        "feast": str(tmp_path / "feast"),
        "online": f"sqlite:///{tmp_path / 'online.db'}",
    }


@pytest.fixture
def built(customers, features_folders):
    from steps.features.build_features import build_features

    options = FeaturesSettings(observed="2026-11-20").model_dump(mode="json")
    snapshot = customers.contract.snapshot.path
    return build_features.entrypoint(customers, snapshot, options, features_folders)


def test_the_built_version_is_materialized(built, customers, features_folders):
    from steps.features.materialize_features import materialize_features

    done = materialize_features.entrypoint(built, features_folders["online"], features_folders)

    assert (built.status, done.online.customers) == ("built", 7043)
    with open_online_store(customers.contract, features_folders["online"]) as store:
        assert store.read(customers.frame["customerID"][0]).row["tenure"] == 1


def test_without_an_address_nothing_is_materialized(built, features_folders):
    from steps.features.materialize_features import materialize_features

    assert materialize_features.entrypoint(built, "", features_folders) == built


def test_an_old_version_of_the_shipped_table_is_built_again(built, features_folders):
    from steps.features.rebuild_features import rebuild_features

    options = FeaturesSettings(as_of="2026-11-25").model_dump(mode="json")

    again = rebuild_features.entrypoint(options, features_folders)

    assert again.status == "rebuilt"
    assert again.provenance == built.provenance


def test_feast_has_a_repository_where_it_is_asked_for(built, features_folders):
    from steps.features.register_features import register_features

    options = FeaturesSettings().model_dump(mode="json")

    folder = register_features.entrypoint(
        built, features_folders["online"], options, features_folders
    )

    assert (Path(folder) / "feature_store.yaml").is_file()
