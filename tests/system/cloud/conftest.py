"""Servers of the cloud stack, each started for its first test and stopped after the last."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

import pytest

from tests.servers import cloud_servers, databases
from tests.servers.postgres_fixture import postgres, skip_without
from tests.servers.published import published_store, trained

__all__ = ["postgres", "published_store", "trained"]


@pytest.fixture(scope="session")
def bucket() -> Iterator[cloud_servers.Bucket]:
    with cloud_servers.bucket() as started:
        yield started


@pytest.fixture(scope="module")
def mariadb() -> Iterator[databases.MariaDb]:
    skip_without("MariaDB")
    with databases.mariadb() as started:
        yield started


@pytest.fixture(scope="module")
def zenml_server(mariadb: databases.MariaDb) -> Iterator[cloud_servers.ZenServer]:
    with cloud_servers.zenml_server(mariadb) as started:
        yield started


@pytest.fixture(scope="module")
def mlflow_server(
    postgres: databases.Postgres, bucket: cloud_servers.Bucket
) -> Iterator[cloud_servers.Tracking]:
    with cloud_servers.mlflow_server(
        postgres.create(f"mlflow_{secrets.token_hex(4)}"), bucket
    ) as started:
        yield started


@pytest.fixture
def keys(bucket, monkeypatch):
    """The bucket's keys and its address, where AWS' own programs look for them."""
    for name, value in bucket.environment.items():
        monkeypatch.setenv(name, value)


@pytest.fixture(scope="session")
def models(contract, telco_columns, telco_target):
    """Three small models, by version, and the customers that each was trained on."""
    from churn.models.recipe_catalog import build_candidates
    from churn.models.recipe_settings import default_recipes
    from churn.models.trained import TrainedModel

    recipe = default_recipes()["spline_logistic"]
    candidate = build_candidates(["spline_logistic"], default_recipes(), contract)[
        "spline_logistic"
    ]
    made = {}
    for number, version in enumerate("123"):
        some = {name: values[: 900 + number] for name, values in telco_columns.items()}
        trained = TrainedModel.train(
            candidate, some, telco_target[: 900 + number],
            contract=contract, data_sha256="ab" * 32, settings=recipe,
        )  # fmt: skip
        made[version] = (trained, some)
    return made


@pytest.fixture
def store(request):
    """A place in the bucket for this test alone."""
    return f"s3://{cloud_servers.BUCKET}/{request.node.name.partition('[')[0]}"


@pytest.fixture
def write(models, store):
    """Writes a version into the store."""
    from churn.scoring.bundle import Threshold, bundle_folder, write_bundle

    def write(version, like=None, store=store):
        trained, columns = models[like or version]
        return write_bundle(
            bundle_folder(store, version), trained, columns, name="churn", version=version,
            threshold=Threshold(value=0.3, basis="profit"), metrics={},
        )  # fmt: skip

    return write


@pytest.fixture
def files():
    """The bucket's files, as whoever holds its keys sees them."""
    import s3fs

    s3fs.S3FileSystem.clear_instance_cache()
    return s3fs.S3FileSystem(use_listings_cache=False)
