"""A batch from bucket to bucket, by a version of a store in the bucket."""

from __future__ import annotations

import fsspec
import pytest
from pyarrow import parquet

from churn.batch.output_folder import output_folder
from churn.batch.run_batch import BatchRequest, run_batch
from churn.data.sources import open_source
from churn.scoring import Scorer
from churn.scoring.bundle import publish
from tests.servers import cloud_servers

INPUT = f"s3://{cloud_servers.BUCKET}/customers.csv"


class Killed(BaseException):
    """What no code of ours catches."""


@pytest.fixture
def score(bucket, keys, root, store, write):
    """Scores the shipped customers into a place of the bucket, 1,000 rows a part."""
    bucket.put("customers.csv", root / "data" / "raw" / "telco.csv")
    write("1")
    publish(store, "1")

    def run(output, on_rows=lambda _done: None):
        return run_batch(
            BatchRequest(store, "churn", rows_a_part=1000, in_ledger=False),
            output_folder(output),
            lambda contract: open_source(
                INPUT, contract, optional=(*contract.unscored, contract.id.name), coded=True
            ),
            on_rows=on_rows,
        )

    return run


def test_a_batch_that_was_killed_goes_on_in_the_bucket(score, store, bucket, telco_columns):
    def kill(done):
        if done >= 3000:
            raise Killed

    output = f"{store}-scores"
    with pytest.raises(Killed):
        score(output, kill)

    result = score(output)

    assert (result.manifest.accepted, result.manifest.parts_found) == (7043, 3)
    names = bucket.files(output.removeprefix(f"s3://{cloud_servers.BUCKET}/"))
    assert [name.rpartition("/")[2] for name in names] == [
        "job.json", "manifest.json", "rejected.parquet",
        *(f"part-0000{number}.parquet" for number in range(8)),
    ]  # fmt: skip
    with fsspec.open(f"{output}/scores/part-00000.parquet") as file:
        found = parquet.read_table(file)["probability"].to_pylist()
    assert found == Scorer.load(store).score_many(telco_columns).probability[:1000].tolist()
    assert score(output).unchanged
