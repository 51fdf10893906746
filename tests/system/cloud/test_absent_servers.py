"""Servers that are not there: one sentence, at once, without a run to find it out."""

import pytest

from churn.errors import ChurnError
from stacks.connectivity import require_bucket
from stacks.tracking import require_tracker
from tests.servers.process import free_port


def test_a_missing_tracker_is_reported_at_once():
    with pytest.raises(ChurnError, match=r"^The experiment tracker .* does not answer: .*refused"):
        require_tracker("tracker", f"http://127.0.0.1:{free_port()}")


def test_a_tracker_on_this_machine_needs_no_server():
    require_tracker("tracker", "sqlite:///nowhere.db")


def test_a_missing_bucket_server_is_reported_at_once():
    with pytest.raises(ChurnError, match=r"^The store at http://127.* does not answer"):
        require_bucket(
            "The store", bucket="b", key="k", secret="s",
            endpoint_url=f"http://127.0.0.1:{free_port()}",
        )  # fmt: skip


def test_a_bucket_that_is_not_there_or_not_for_us_is_named(bucket):
    with pytest.raises(ChurnError, match="has no bucket 'nobodys'"):
        require_bucket(
            "The store", bucket="nobodys", key="k", secret="s", endpoint_url=bucket.endpoint
        )
