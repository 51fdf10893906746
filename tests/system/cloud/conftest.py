"""The cloud's services, each started when the first test asks for it, stopped after the last."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # `services` is these tests' own

import services

from tests.servers import databases
from tests.servers.process import missing


def needs_debian(server: str) -> None:
    """Skips where a server of Debian's is missing, and says how to get it."""
    if reason := missing(server):
        pytest.skip(reason)


@pytest.fixture(scope="session")
def postgres() -> Iterator[databases.Postgres]:
    needs_debian("PostgreSQL")
    with databases.postgres() as started:
        yield started


@pytest.fixture(scope="session")
def bucket() -> Iterator[services.Bucket]:
    with services.bucket() as started:
        yield started


@pytest.fixture(scope="module")
def mariadb() -> Iterator[databases.MariaDb]:
    needs_debian("MariaDB")
    with databases.mariadb() as started:
        yield started


@pytest.fixture(scope="module")
def zenml_server(mariadb: databases.MariaDb) -> Iterator[services.ZenServer]:
    with services.zenml_server(mariadb) as started:
        yield started


@pytest.fixture(scope="module")
def mlflow_server(
    postgres: databases.Postgres, bucket: services.Bucket
) -> Iterator[services.Tracking]:
    with services.mlflow_server(postgres.create("mlflow"), bucket) as started:
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
    for turn, version in enumerate("123"):
        some = {name: values[: 900 + turn] for name, values in telco_columns.items()}
        trained = TrainedModel.train(
            candidate, some, telco_target[: 900 + turn],
            contract=contract, data_sha256="ab" * 32, settings=recipe,
        )  # fmt: skip
        made[version] = (trained, some)
    return made


@pytest.fixture
def store(request):
    """A place in the bucket for this test alone."""
    return f"s3://{services.BUCKET}/{request.node.name.partition('[')[0]}"


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
