"""A store's follower loads what was published, refuses what cannot be used, and tries that again only if asked to."""

import pytest

from churn.errors import BundleError
from churn.scoring.current import CURRENT
from churn.scoring.store_follower import StoreFollower


class Store:
    """A folder whose pointer is any text, and a loader that refuses "bad"."""

    def __init__(self, folder):
        self.pointer = folder / CURRENT
        self.loads = 0
        self.mended = False
        self.point("1")

    def point(self, text):
        self.pointer.write_text(text)

    def load(self):
        self.loads += 1
        text = self.pointer.read_text() if self.pointer.exists() else "bad"
        if text == "bad" and not self.mended:
            raise BundleError("It cannot be used.")
        return text


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path)


def test_a_version_is_loaded_once_when_it_is_published(store, tmp_path):
    follower = StoreFollower(str(tmp_path), store.load)

    before = follower.check()
    store.point("2")
    after = [follower.check(), follower.check()]

    assert before is None
    assert after == ["2", None]
    assert store.loads == 1


def test_a_bad_bundle_is_refused_once_and_a_good_one_after_it_loaded(store, tmp_path):
    follower = StoreFollower(str(tmp_path), store.load)
    store.point("bad")

    with pytest.raises(BundleError):
        follower.check()
    assert follower.check() is None
    assert follower.refused == "It cannot be used."

    store.point("3")
    assert follower.check() == "3"
    assert follower.refused is None


def test_a_missing_pointer_is_refused(store, tmp_path):
    follower = StoreFollower(f"file://{tmp_path}", store.load)
    store.pointer.unlink()

    with pytest.raises(BundleError):
        follower.check()


def test_a_refused_bundle_is_tried_again_after_a_while(store, tmp_path):
    follower = StoreFollower(str(tmp_path), store.load, retry_seconds=0.0)
    store.point("bad")
    for _ in range(3):
        with pytest.raises(BundleError):
            follower.check()

    store.mended = True

    assert follower.check() == "bad"
    assert store.loads == 4
