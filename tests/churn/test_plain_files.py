"""Only plain files are read, up to a limit; a pipe is not waited for."""

import os
from pathlib import Path

import pytest

from churn.plain_files import DOCUMENT_BYTES, read_json, read_plain


@pytest.mark.parametrize(("size", "fits"), [(0, True), (99, True), (100, True), (101, False)])
def test_a_file_is_read_up_to_the_limit(tmp_path, size, fits):
    (tmp_path / "file").write_bytes(b"x" * size)

    if fits:
        assert read_plain(tmp_path / "file", 100) == b"x" * size
    else:
        with pytest.raises(OSError, match="larger than 100 bytes"):
            read_plain(tmp_path / "file", 100)


def test_a_file_that_says_nothing_of_its_size_is_read_up_to_the_limit_too():
    with pytest.raises(OSError, match="larger than 3 bytes"):
        read_plain(Path("/proc/self/status"), 3)


@pytest.mark.parametrize(
    ("make", "kind"),
    [
        (os.mkfifo, "pipe"),
        (os.mkdir, "folder"),
        (lambda path: path.symlink_to("/dev/zero"), "device"),
    ],
)
def test_what_is_no_file_is_named(tmp_path, make, kind):
    make(tmp_path / "it")

    with pytest.raises(OSError, match=f"it is a {kind}, not a file"):
        read_plain(tmp_path / "it", 100)


def test_a_link_to_a_file_is_followed_as_mounted_settings_are_links(tmp_path):
    (tmp_path / "file").write_bytes(b"x")
    (tmp_path / "link").symlink_to(tmp_path / "file")

    assert read_plain(tmp_path / "link", 1) == b"x"


def test_a_missing_file_is_said_to_be_missing(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_plain(tmp_path / "none", 1)


def test_a_document_is_read_up_to_its_limit(tmp_path):
    file = tmp_path / "document.json"
    file.write_bytes(b"[1]".ljust(DOCUMENT_BYTES))
    assert read_json(file) == [1]

    file.write_bytes(b"[1]".ljust(DOCUMENT_BYTES + 1))
    with pytest.raises(OSError, match="larger than"):
        read_json(file)
