"""A store's follower loads what was published, refuses what cannot be used, and tries that again until it can."""

import json
import os
import pickle
from zipfile import BadZipFile

import pytest

from churn.errors import BundleError, InputError
from churn.scoring import store_follower
from churn.scoring.current import CURRENT
from churn.scoring.store_follower import StoreFollower

AT = "2026-11-01T00:00:00Z"


def entry(version):
    return {"version": version, "digest": "ab" * 32, "at": AT, "action": "publish"}


class Store:
    """A folder with a pointer, and a loader that fails as long as it is told to."""

    def __init__(self, folder):
        self.pointer = folder / CURRENT
        self.loaded = []
        self.failure = None
        self.point("1")

    def point(self, version):
        content = {"format_version": 1, "version": version, "history": [entry(version)]}
        self.pointer.write_text(json.dumps(content))

    def load(self, published):
        self.loaded.append(published.version)
        if self.failure is not None:
            raise self.failure
        return published.version


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path)


@pytest.fixture
def follower(store, tmp_path):
    """A follower that serves version 1."""
    follower = StoreFollower(str(tmp_path), store.load)
    assert follower.load() == "1"
    store.loaded.clear()
    return follower


@pytest.fixture
def retrying(monkeypatch):
    monkeypatch.setattr(store_follower, "RETRY_SECONDS", 0.0)


def test_a_version_is_loaded_once_when_it_is_published(store, follower):
    before = follower.check()
    store.point("2")
    after = [follower.check(), follower.check()]

    assert before is None
    assert after == ["2", None]
    assert store.loaded == ["2"]


def test_what_the_pointer_said_when_it_was_read_is_what_is_loaded(store, tmp_path):
    """Another publication between two looks at the pointer would mix two versions."""
    handed = []

    def load(published):
        store.point("3")
        handed.append((published.version, published.digest))
        return published.version

    follower = StoreFollower(str(tmp_path), load)

    assert [follower.load(), follower.check(), follower.check()] == ["1", "3", None]
    assert handed == [("1", "ab" * 32), ("3", "ab" * 32)]


FAILURES = [
    BundleError("It cannot be used."),
    InputError("onnxruntime is not installed."),
    OSError(28, "No space left on device"),
    FileNotFoundError(2, "No such file or directory", "/gone"),
    PermissionError(13, "Permission denied"),
    EOFError(),
    BadZipFile("File is not a zip file"),
    RecursionError("maximum recursion depth exceeded"),
    MemoryError(),
    KeyError("logit"),
    IndexError("list index out of range"),
    AttributeError("no such attribute"),
    OverflowError("too large"),
    ZeroDivisionError("division by zero"),
    AssertionError(),
    UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte"),
    pickle.UnpicklingError("a pickle"),
    StopIteration(),
    NotImplementedError(),
    RuntimeError("two\nlines"),
]


@pytest.mark.parametrize("failure", FAILURES, ids=lambda failure: type(failure).__name__)
def test_an_error_of_any_kind_is_a_refusal_in_one_sentence_and_tried_until_it_is_gone(
    store, follower, retrying, failure
):
    store.point("2")
    store.failure = failure

    for _ in range(3):
        with pytest.raises(BundleError) as refused:
            follower.check()
        assert follower.refused == str(refused.value)
        assert len(follower.refused.splitlines()) == 1
        assert str(failure) in follower.refused or type(failure).__name__ in follower.refused
    store.failure = None

    assert follower.check() == "2"
    assert follower.refused is None
    assert store.loaded == ["2"] * 4


def test_a_refused_bundle_is_not_tried_again_before_its_time(store, follower):
    store.point("2")
    store.failure = OSError("gone")
    with pytest.raises(BundleError):
        follower.check()
    store.failure = None

    assert follower.check() is None
    assert "OSError: gone" in follower.refused
    assert store.loaded == ["2"]


def test_another_publication_is_loaded_at_once_whatever_was_refused(store, follower):
    store.point("2")
    store.failure = MemoryError()
    with pytest.raises(BundleError):
        follower.check()
    store.failure = None
    store.point("3")

    assert follower.check() == "3"
    assert follower.refused is None


def test_if_the_pointer_goes_back_to_what_serves_nothing_is_refused_or_loaded(store, follower):
    store.point("2")
    store.failure = EOFError()
    with pytest.raises(BundleError):
        follower.check()
    store.point("1")

    assert follower.check() is None
    assert follower.refused is None
    assert store.loaded == ["2"]


def test_what_fails_after_it_was_loaded_can_be_refused_and_is_tried_again(
    store, follower, retrying
):
    store.point("2")
    assert follower.check() == "2"

    error = follower.refuse(RuntimeError("it cannot score here"))

    assert isinstance(error, BundleError)
    assert "RuntimeError: it cannot score here" in follower.refused
    assert follower.check() == "2"
    assert follower.refused is None


def deep(levels):
    return "[" * levels + "]" * levels


POINTERS = {
    "missing": None,
    "empty": "",
    "no JSON": "{",
    "no UTF-8": b"\xff\xfe\x00",
    "a list": "[]",
    "a number": "7",
    "null": "null",
    "deeply nested": deep(100_000),
    "deeply nested history": json.dumps({"version": "1"})[:-1] + f', "history": {deep(5_000)}}}',
    "a number of 10,000 digits": "9" * 10_000,
    "huge": "[" + " " * (17 * 2**20) + "]",
    "no history": json.dumps({"version": "1", "history": []}),
    "a history of texts": json.dumps({"version": "1", "history": ["1"]}),
    "a version that is a number": json.dumps({"version": 1, "history": [entry(1)]}),
    "a version that leads elsewhere": json.dumps(
        {"version": "../1", "history": [entry("../1")]}
    ),
    "two versions": json.dumps({"version": "1", "history": [entry("2")]}),
    "another format": json.dumps({"format_version": 2, "version": "1", "history": [entry("1")]}),
    "an unknown field": json.dumps({"version": "1", "history": [entry("1")], "more": 1}),
}  # fmt: skip


@pytest.mark.parametrize("kind", POINTERS)
@pytest.mark.parametrize("scheme", ["", "file://", "local://"])
def test_a_pointer_that_is_none_is_refused_and_the_next_one_loaded(
    store, follower, tmp_path, kind, scheme
):
    content = POINTERS[kind]
    store.pointer.unlink()
    if content is not None:
        store.pointer.write_bytes(content if isinstance(content, bytes) else content.encode())
    follower._store = f"{scheme}{tmp_path}"

    with pytest.raises(BundleError, match=r"current\.json") as refused:
        follower.check()

    assert len(str(refused.value)) < 700
    assert not store.loaded
    store.point("2")
    assert follower.check() == "2"


@pytest.mark.parametrize("kind", ["pipe", "folder", "device", "dangling link", "link to a pipe"])
def test_a_pointer_that_is_no_file_is_refused_without_waiting(store, follower, tmp_path, kind):
    store.pointer.unlink()
    match kind:
        case "pipe":
            os.mkfifo(store.pointer)
        case "folder":
            store.pointer.mkdir()
        case "device":
            store.pointer.symlink_to("/dev/zero")
        case "dangling link":
            store.pointer.symlink_to(tmp_path / "nowhere")
        case "link to a pipe":
            os.mkfifo(tmp_path / "pipe")
            store.pointer.symlink_to(tmp_path / "pipe")

    with pytest.raises(BundleError, match=r"current\.json"):
        follower.check()

    assert not store.loaded


def test_a_store_that_is_away_for_a_while_costs_no_new_load(store, follower, tmp_path):
    store.pointer.rename(tmp_path / "away")
    with pytest.raises(BundleError):
        follower.check()
    (tmp_path / "away").rename(store.pointer)

    assert follower.check() is None
    assert follower.refused is None
    assert not store.loaded
