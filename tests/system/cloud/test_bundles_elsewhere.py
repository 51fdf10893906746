"""Bundles wherever fsspec has a driver for, by the one that keeps files in memory."""

import pytest

from churn.errors import BundleError
from churn.scoring import Scorer
from churn.scoring.bundle import current, history, publish, roll_back


@pytest.fixture
def store(request):
    return f"memory://{request.node.name}/production"


def test_a_store_elsewhere_is_written_published_and_rolled_back(store, write):
    for version in "12":
        write(version)
        publish(store, version)
    assert write("1") == f"{store}/bundles/1"

    assert roll_back(store).version == Scorer.load(store).version == current(store).version == "1"
    assert [entry.action for entry in history(store)] == ["publish", "publish", "roll_back"]
    with pytest.raises(BundleError, match=r"has no bundle '3'; it has 1, 2\."):
        publish(store, "3")


def test_a_driver_that_is_not_there_is_named(write):
    with pytest.raises(
        BundleError, match=r"nonsense://x/bundles/1 cannot be written to .*nonsense"
    ):
        write("1", store="nonsense://x")
    with pytest.raises(BundleError, match=r"nonsense://x/current\.json cannot be read .*nonsense"):
        current("nonsense://x")
