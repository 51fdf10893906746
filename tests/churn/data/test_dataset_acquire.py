"""Acquiring a table from this machine: the shipped one, a file, and what is not to be had."""

from __future__ import annotations

import gzip
import hashlib
import shutil
from dataclasses import FrozenInstanceError

import pytest

from churn.data import accepted_snapshot, acquire, fingerprint
from churn.errors import InputError


@pytest.fixture
def mine(root, contract, tmp_path):
    """The first 30 real customers, in a file of the user's own."""
    lines = (root / contract.snapshot.path).read_text(encoding="utf-8").splitlines()[:31]
    path = tmp_path / "mine.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def elsewhere(root, contract, tmp_path):
    """Another root, whose shipped table can be spoilt."""
    place = tmp_path / "checkout"
    (place / contract.snapshot.path).parent.mkdir(parents=True)
    shutil.copy(root / contract.snapshot.path, place / contract.snapshot.path)
    return place


def refusal(location, contract, root, cache, **more) -> str:
    """The sentence of `acquire`, which must be the sentence of `fingerprint`, too."""
    sentences = []
    for read in (acquire, fingerprint):
        with pytest.raises(InputError) as caught:
            read(str(location), contract, root=root, cache=cache, **more)
        sentences.append(str(caught.value))
    assert sentences[0] == sentences[1]
    return sentences[0]


def test_the_shipped_table_is_known_by_its_bytes(telco, contract, root):
    content = (root / contract.snapshot.path).read_bytes()

    assert telco.source.location == "bundled"
    assert telco.source.sha256 == contract.snapshot.sha256 == hashlib.sha256(content).hexdigest()
    assert telco.source.size == len(content)
    assert telco.source.format == "csv"


def test_a_dataset_cannot_be_changed_by_accident(telco):
    with pytest.raises(FrozenInstanceError):
        telco.source.location = "elsewhere"
    with pytest.raises(FrozenInstanceError):
        telco.frame = None
    with pytest.raises(TypeError):
        hash(telco)


def test_a_relative_path_is_relative_to_the_current_folder(
    mine, contract, root, tmp_path, monkeypatch
):
    monkeypatch.chdir(mine.parent)

    dataset = acquire("mine.csv", contract, root=root, cache=tmp_path / "downloads")

    assert dataset.source.location == "mine.csv"
    assert dataset.rows == 30
    assert not (tmp_path / "downloads").exists()


def test_a_gzipped_file_is_known_by_the_bytes_as_they_lie_there(mine, contract, root, tmp_path):
    packed = mine.with_name("mine.csv.gz")
    packed.write_bytes(gzip.compress(mine.read_bytes()))

    plain = acquire(str(mine), contract, root=root, cache=tmp_path)
    dataset = acquire(str(packed), contract, root=root, cache=tmp_path)

    assert dataset.frame.equals(plain.frame)
    assert dataset.source.format == "csv.gz"
    assert dataset.source.sha256 == hashlib.sha256(packed.read_bytes()).hexdigest()
    assert dataset != plain


def test_the_fingerprint_is_the_sha256_and_needs_no_table(contract, root, tmp_path):
    path = tmp_path / "picture.png"
    path.write_bytes(b"\x89PNG\r\n")

    found = fingerprint(str(path), contract, root=root, cache=tmp_path)

    assert found == hashlib.sha256(b"\x89PNG\r\n").hexdigest()


def test_a_stated_checksum_is_held_whatever_its_case(mine, contract, root, tmp_path):
    stated = hashlib.sha256(mine.read_bytes()).hexdigest().upper()

    dataset = acquire(str(mine), contract, root=root, cache=tmp_path, sha256=f" {stated} ")

    assert dataset.source.sha256 == stated.lower()


def test_other_bytes_than_stated_are_refused(mine, contract, root, tmp_path):
    found = hashlib.sha256(mine.read_bytes()).hexdigest()

    assert refusal(mine, contract, root, tmp_path, sha256="ab" * 32) == (
        f"{mine} has sha256 {found}, but {'ab' * 32} is expected. Take the right file, or correct "
        "data.sha256."
    )


@pytest.mark.parametrize("stated", ["abc", "z" * 64, "", "sha256:" + "a" * 64])
def test_what_is_no_checksum_is_refused(mine, contract, root, tmp_path, stated):
    assert "which is not 64 hexadecimal digits. `sha256sum FILE` prints it." in refusal(
        mine, contract, root, tmp_path, sha256=stated
    )


def test_a_missing_file_is_named(contract, root, tmp_path):
    path = tmp_path / "gone.csv"

    assert refusal(path, contract, root, tmp_path) == (
        f"{path} does not exist. Name an existing file with --set data.source=PATH."
    )


def test_a_path_through_a_file_does_not_exist(mine, contract, root, tmp_path):
    assert "does not exist" in refusal(mine / "customers.csv", contract, root, tmp_path)


def test_a_folder_is_no_table(contract, root, tmp_path):
    assert refusal(tmp_path, contract, root, tmp_path) == (
        f"{tmp_path} is a folder. Name a CSV or parquet file."
    )


def test_a_pipe_is_not_waited_for(contract, root):
    assert "is not a regular file" in refusal("/dev/null", contract, root, root)


@pytest.mark.parametrize("odd", ["nul\0byte.csv", "x" * 5000])
def test_an_impossible_name_is_refused(contract, root, tmp_path, odd):
    assert "cannot be read" in refusal(odd, contract, root, tmp_path)


def test_a_file_larger_than_the_limit_is_not_read(contract, root, tmp_path):
    path = tmp_path / "huge.csv"
    with path.open("wb") as file:
        file.truncate((2 << 30) + 1)  # sparse: takes no space on the disk

    assert "is larger than 2 GiB" in refusal(path, contract, root, tmp_path)


def test_a_shipped_table_that_was_edited_is_refused(elsewhere, contract, tmp_path):
    path = elsewhere / contract.snapshot.path
    path.write_text(path.read_text().replace("Fiber", "Fibre", 1))

    sentence = refusal("bundled", contract, elsewhere, tmp_path)

    assert sentence.startswith(f"data/raw/telco.csv has sha256 {sha256_of(path)}, but")
    assert sentence.endswith("back with git or tools/rebuild_snapshot.py.")
    with pytest.raises(InputError) as caught:
        accepted_snapshot(contract, root=elsewhere)
    assert str(caught.value) == sentence


def sha256_of(path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_missing_shipped_table_is_refused(contract, tmp_path):
    assert "data/raw/telco.csv does not exist." in refusal("bundled", contract, tmp_path, tmp_path)


def test_the_accepted_snapshot_is_the_shipped_table(telco, contract, root):
    assert accepted_snapshot(contract, root=root).equals(telco.frame)


def test_without_its_file_there_is_no_accepted_snapshot(contract, tmp_path):
    assert accepted_snapshot(contract, root=tmp_path) is None
