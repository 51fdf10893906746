"""What a power failure or a second writer finds: order of flushes, of uploads, and of what is read."""

from __future__ import annotations

import fcntl
import hashlib
import os
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest
from fsspec.implementations.memory import MemoryFileSystem

from churn.data.sources import open_sink
from churn.durable import TakenError, new_folder, replace_text
from churn.errors import BundleError
from churn.scoring import address as address_module
from churn.scoring.bundle import history, pointer
from churn.scoring.bundle.pointer import move_pointer
from churn.scoring.bundle.upload import upload_bundle
from churn.scoring.current import CURRENT, Published


class Disk:
    """Notes what is flushed and moved, by inode: a file keeps its own when it is renamed."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.events: list[tuple[str, int, int]] = []
        monkeypatch.setattr(os, "fsync", self._noting_flush)
        for name in ("replace", "rename"):
            monkeypatch.setattr(Path, name, self._noting_move(getattr(Path, name)))

    def _noting_flush(self, handle: int) -> None:
        found = os.fstat(handle)
        self.events.append(("flush", found.st_ino, found.st_size))

    def _noting_move(self, real):
        def move(path, target):
            self.events.append(("move", path.stat().st_ino, 0))
            return real(path, target)

        return move

    def at(self, event: str, path: Path) -> int:
        """When a file or folder was flushed or moved; fails if it never was."""
        inode = path.stat().st_ino
        (when,) = [n for n, each in enumerate(self.events) if each[:2] == (event, inode)]
        return when

    def flushed_bytes(self, path: Path) -> int:
        return self.events[self.at("flush", path)][2]


@pytest.fixture
def disk(monkeypatch):
    return Disk(monkeypatch)


def test_a_file_is_on_the_disk_before_it_takes_its_place_and_the_place_after(disk, tmp_path):
    path = tmp_path / CURRENT

    replace_text(path, "new")

    assert disk.flushed_bytes(path) == len("new")
    assert disk.at("flush", path) < disk.at("move", path) < disk.at("flush", tmp_path)


def test_a_table_is_on_the_disk_before_its_name_and_its_name_before_the_writer_returns(
    tmp_path, disk
):
    path = tmp_path / "customers.csv"

    open_sink(str(path)).write([pa.table({"id": ["a"]})])

    assert disk.flushed_bytes(path) == path.stat().st_size > 0
    assert disk.at("flush", path) < disk.at("move", path) < disk.at("flush", tmp_path)


def test_a_folder_is_on_the_disk_in_whole_before_it_takes_its_place(disk, tmp_path):
    place = tmp_path / "bundles" / "1"

    with new_folder(place) as unfinished:
        (unfinished / "model").mkdir()
        for name in ("manifest.json", "model/trees.txt"):
            (unfinished / name).write_text("content", encoding="utf-8")

    moved = disk.at("move", place)
    for path in (place, place / "model", *place.rglob("*.*")):
        assert disk.at("flush", path) < moved
    assert {disk.flushed_bytes(path) for path in place.rglob("*.*")} == {len("content")}
    assert disk.at("flush", place.parent) > moved


def test_a_disk_that_fails_once_the_pointer_is_moved_is_not_reported_as_if_nothing_happened(
    tmp_path, monkeypatch
):
    def fail(_folder):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr("churn.durable.flush_folder", fail)

    with pytest.raises(BundleError, match=r"has the new version in production, but its disk"):
        move_pointer(tmp_path, lambda past: (*past, entry("1")))

    assert [each.version for each in history(tmp_path)] == ["1"]


def test_a_writer_holds_the_store_from_reading_the_pointer_to_moving_it(tmp_path, monkeypatch):
    looked = []

    def look(real, what):
        def locked_meanwhile(*arguments):
            with (tmp_path / ".lock").open("a") as other, pytest.raises(BlockingIOError):
                fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
            looked.append(what)
            return real(*arguments)

        return locked_meanwhile

    monkeypatch.setattr(pointer, "read_history", look(pointer.read_history, "read"))
    monkeypatch.setattr(pointer, "replace_text", look(pointer.replace_text, "moved"))

    move_pointer(tmp_path, lambda past: (*past, entry("1")))

    assert looked == ["read", "moved"]


class Bucket(MemoryFileSystem):
    """A bucket in memory: it notes the order of its writes, and knows S3's conditions of a PUT."""

    protocol = ("memory", "s3")
    store: dict = {}  # noqa: RUF012 - as MemoryFileSystem has it
    pseudo_dirs = [""]  # noqa: RUF012 - as MemoryFileSystem has it
    cachable = False

    def __init__(self) -> None:
        super().__init__()
        self.written: list[str] = []
        self.loses_a_response = False
        self._listed: dict[str, str] = {}

    def info(self, path, *, refresh=False, **options):
        """As s3fs: what was listed once is told again unless it is asked to look."""
        found = super().info(path, **options)
        if found["type"] != "file":
            return found
        if refresh or path not in self._listed:
            self._listed[path] = self._etag(path)
        return found | {"ETag": self._listed[path]}

    def pipe_file(self, path, value, mode="overwrite", **conditions):
        exists = self.exists(path)
        condition = conditions.get("IfMatch")
        if (condition and condition != self._etag(path)) or (
            "IfNoneMatch" in conditions and exists
        ):
            raise RefusedError
        self.written.append(path.rpartition("/")[2])
        super().pipe_file(path, value, mode=mode)
        if self.loses_a_response:  # the driver repeats the PUT, whose condition no longer holds
            self.loses_a_response = False
            raise RefusedError

    def _etag(self, path) -> str:
        return hashlib.sha256(self.cat_file(path)).hexdigest()


class RefusedError(OSError):
    """S3's answer to a PUT whose condition does not hold."""

    response = {"Error": {"Code": "PreconditionFailed"}}  # noqa: RUF012 - as botocore has it


@pytest.fixture
def bucket(monkeypatch):
    made = Bucket()
    made.store.clear()

    def file_system(uri):
        return made, "/" + uri.partition("://")[2]

    for module in (address_module, pointer):
        monkeypatch.setattr(module, "file_system", file_system)
    monkeypatch.setattr("churn.scoring.bundle.upload.file_system", file_system)
    return made


@pytest.fixture
def finished(tmp_path):
    """A bundle's folder whose manifest is not the last by name."""
    for name in ("contract.json", "manifest.json", "model/trees.txt"):
        path = tmp_path / "finished" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("content", encoding="utf-8")
    return tmp_path / "finished"


def test_a_manifest_is_uploaded_last(bucket, finished):
    upload_bundle(finished, "s3://shop/bundles/1")

    assert bucket.written == ["contract.json", "trees.txt", "manifest.json"]


def test_what_an_upload_that_broke_off_has_left_is_no_bundle_and_is_replaced(bucket, finished):
    bucket.pipe_file("/shop/bundles/1/model/old.txt", b"of another model")

    upload_bundle(finished, "s3://shop/bundles/1")

    assert not bucket.exists("/shop/bundles/1/model/old.txt")
    (finished / "contract.json").write_text("of another model", encoding="utf-8")
    with pytest.raises(TakenError):
        upload_bundle(finished, "s3://shop/bundles/1")
    assert bucket.cat_file("/shop/bundles/1/contract.json") == b"content"


def entry(version: str) -> Published:
    at = datetime(2026, 11, 29, tzinfo=UTC)
    return Published(version=version, digest="ab" * 32, at=at, action="publish")


@pytest.mark.parametrize("earlier", [(), ("1",)])
def test_no_writer_loses_what_another_has_published_while_it_read(bucket, monkeypatch, earlier):
    for version in earlier:
        move_pointer("s3://shop", lambda past, version=version: (*past, entry(version)))
    read, quicker = pointer.read_history, ["quicker"]

    def read_while_another_publishes(store):
        past = read(store)
        if quicker:
            other = quicker.pop()
            move_pointer("s3://shop", lambda past: (*past, entry(other)))
        return past

    monkeypatch.setattr(pointer, "read_history", read_while_another_publishes)

    move_pointer("s3://shop", lambda past: (*past, entry("slower")))

    assert [each.version for each in history("s3://shop")] == [*earlier, "quicker", "slower"]


def test_a_mark_that_was_listed_before_is_not_taken_for_the_bucket_s(bucket):
    for version in ("1", "2", "3"):
        move_pointer("s3://shop", lambda past, version=version: (*past, entry(version)))

    assert [each.version for each in history("s3://shop")] == ["1", "2", "3"]


def test_a_pointer_whose_response_got_lost_is_moved_once(bucket):
    move_pointer("s3://shop", lambda past: (*past, entry("1")))
    bucket.loses_a_response = True

    move_pointer("s3://shop", lambda past: (*past, entry("2")))

    assert [each.version for each in history("s3://shop")] == ["1", "2"]


def test_a_history_that_stays_is_not_written_to_a_bucket(bucket):
    move_pointer("s3://shop", lambda past: (*past, entry("1")))

    assert move_pointer("s3://shop", lambda past: past).version == "1"

    assert bucket.written == [CURRENT]


def test_others_may_read_what_is_published_whatever_the_umask(tmp_path):
    before = os.umask(0o077)
    try:
        replace_text(tmp_path / CURRENT, "new")
        with new_folder(tmp_path / "1"):
            pass
    finally:
        os.umask(before)

    modes = [(tmp_path / name).stat().st_mode & 0o777 for name in (CURRENT, "1")]
    assert modes == [0o644, 0o755]


def test_a_folder_that_another_writer_has_made_meanwhile_is_taken(tmp_path, monkeypatch):
    place, rename = tmp_path / "1", Path.rename

    def rename_after_another(path, target):
        (place / "model").mkdir(parents=True)
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", rename_after_another)

    with pytest.raises(TakenError), new_folder(place):
        pass

    assert list(tmp_path.iterdir()) == [place]
