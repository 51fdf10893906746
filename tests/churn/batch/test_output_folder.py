"""Files of an output are whole or absent, on this machine and in a bucket."""

from __future__ import annotations

import errno
import fcntl
import os

import pytest

from churn.batch.output_folder import output_folder, write_bytes
from churn.errors import ChurnError, InputError


@pytest.fixture(params=["folder", "bucket"])
def folder(request, tmp_path, monkeypatch):
    monkeypatch.setenv("CHURN_SCRATCH_FOLDER", str(tmp_path / "scratch"))
    place = tmp_path / "out" if request.param == "folder" else f"memory://{tmp_path.name}/out"
    return output_folder(place)


def test_a_file_has_its_name_when_it_is_whole(folder):
    with folder.new_file("scores/part-0") as path:
        path.write_bytes(b"half")
        assert "scores/part-0" not in folder.names()

    assert folder.names() == ["scores/part-0"]
    assert folder.read("scores/part-0") == b"half"


def test_a_file_that_is_broken_off_leaves_nothing(folder):
    def broken_off():
        with folder.new_file("a") as path:
            path.write_bytes(b"half")
            raise KeyError

    with pytest.raises(KeyError):
        broken_off()

    assert folder.names() == []


def test_what_is_not_there_is_nothing_and_can_be_removed(folder):
    write_bytes(folder, "a/b", b"1")
    folder.remove("a/b")
    folder.remove("a/b")

    assert folder.read("a/b") is None
    assert folder.names() == []


def test_what_a_killed_process_has_left_is_removed(tmp_path):
    (tmp_path / "out" / "scores").mkdir(parents=True)
    (tmp_path / "out" / "scores" / ".unfinished-part-0").write_bytes(b"half")
    folder = output_folder(tmp_path / "out")

    with folder.locked():
        assert folder.names() == []


def test_what_a_living_process_writes_below_is_left_to_it(tmp_path):
    """Somebody names the folder above the output of a run that is at work."""
    at_work, above = output_folder(tmp_path / "out" / "monday"), output_folder(tmp_path / "out")

    with at_work.new_file("scores/part-0") as path:
        path.write_bytes(b"half")
        with above.locked():
            pass
        path.write_bytes(b"whole")

    assert at_work.read("scores/part-0") == b"whole"


def test_folders_in_which_nothing_was_written_are_gone(tmp_path):
    with output_folder(tmp_path / "new" / "out").locked():
        pass

    assert list(tmp_path.iterdir()) == []


def test_a_lock_that_its_holder_has_removed_by_now_is_none(tmp_path, monkeypatch):
    folder = output_folder(tmp_path / "out")
    real = fcntl.flock

    def removed(lock, kind):
        (tmp_path / "out" / ".lock").unlink()
        real(lock, kind)

    monkeypatch.setattr(fcntl, "flock", removed)

    with pytest.raises(ChurnError, match="Another run is writing to"), folder.locked():
        pass


def test_a_file_system_without_locks_is_named(tmp_path, monkeypatch):
    def without(*_):
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", without)

    with (
        pytest.raises(InputError, match="No locks available"),
        output_folder(tmp_path / "out").locked(),
    ):
        pass


def test_of_two_runs_that_begin_at_once_in_a_bucket_the_second_is_refused(tmp_path):
    folder = output_folder(f"memory://{tmp_path.name}/out")
    folder.write_first("job.json", b"first")

    with pytest.raises(ChurnError, match="Another run is writing to memory://"):
        folder.write_first("job.json", b"second")

    folder.write_first("job.json", b"first")  # the same request once more
    assert folder.read("job.json") == b"first"


def test_a_bucket_that_cannot_be_used_is_named_without_credentials():
    folder = output_folder("nosuch://user:secret@bucket/out")

    with pytest.raises(InputError) as caught, folder.locked():
        pass

    assert "secret" not in str(caught.value)
