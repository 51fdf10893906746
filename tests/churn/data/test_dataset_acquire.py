"""Acquiring a table from this machine: the shipped one, a file, and what is not to be had."""

from __future__ import annotations

import gzip
import hashlib
import os
import shutil
from dataclasses import FrozenInstanceError

import pandas as pd
import pytest

from churn.contract import load_contract
from churn.data import accepted_snapshot, acquire, fingerprint, read_raw
from churn.data.intake import local
from churn.data.intake.raw import read_parts
from churn.data.quality import check
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


def refusal(location, contract, root, cache, *, table=False, **more) -> str:
    """The sentence of `acquire`; of `fingerprint`, too, unless the table itself is at fault."""
    sentences = []
    for read in (acquire, acquire if table else fingerprint):
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
        f"{tmp_path} is a folder without parts of a table, such as part-0.csv or customers.parquet. "
        "Name a CSV or parquet file."
    )


@pytest.fixture
def folder(mine, tmp_path):
    """What Spark writes: the 30 customers in two parts and a marker."""
    place = tmp_path / "customers.csv"
    place.mkdir()
    header, *rows = mine.read_text().splitlines(keepends=True)
    (place / "part-00000-x.csv").write_text(header + "".join(rows[:20]))
    (place / "part-00001-x.csv").write_text(header + "".join(rows[20:]))
    (place / "part-00002-x.csv").write_text("")
    (place / "_SUCCESS").touch()
    (place / ".part-00000-x.csv.crc").write_bytes(b"crc")
    return place


def test_a_folder_of_parts_is_one_table(folder, mine, contract, root, tmp_path):
    dataset = acquire(str(folder), contract, root=root, cache=tmp_path)

    assert dataset.frame.equals(acquire(str(mine), contract, root=root, cache=tmp_path).frame)
    parts = b"".join(path.read_bytes() for path in sorted(folder.glob("part-*")))
    assert dataset.source.sha256 == hashlib.sha256(parts).hexdigest()
    assert fingerprint(str(folder), contract, root=root, cache=tmp_path) == dataset.source.sha256
    assert (dataset.source.size, dataset.source.format) == (len(parts), "csv")


def test_parquet_parts_are_one_table(mine, contract, root, tmp_path):
    table = pd.read_csv(mine)
    place = tmp_path / "customers.parquet"
    place.mkdir()
    table[:7].to_parquet(place / "part-0.parquet", index=False)
    table[7:].to_parquet(place / "part-1.parquet", index=False)

    dataset = acquire(str(place), contract, root=root, cache=tmp_path)

    assert dataset.frame.equals(acquire(str(mine), contract, root=root, cache=tmp_path).frame)
    assert dataset.source.format == "parquet"


def add_folder(name: str):
    return lambda folder: (folder / name).mkdir()


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            lambda folder: (folder / "part-00003.csv").write_text("a,b\n1,2\n"),
            "{name}/part-00003.csv has other columns than {name}/part-00000-x.csv, or another "
            "format, though both are parts of one table. Write the folder again.",
        ),
        (
            lambda folder: (folder / "notes.txt").write_text("x"),
            "{name} is a folder, and 'notes.txt' in it is no part of a table like "
            "'part-00000-x.csv'. Name one file, or move away what is no part.",
        ),
        (
            lambda folder: os.mkfifo(folder / "part-00003.csv"),
            "{name} is a folder, and 'part-00003.csv' in it is no part of a table like "
            "'part-00000-x.csv'. Name one file, or move away what is no part.",
        ),
        (
            add_folder("metadata"),
            "{name} is an Iceberg table, whose files are not all of today's rows. Export it with "
            "the tool that wrote it, to parquet or CSV.",
        ),
        (
            add_folder("_temporary"),
            "{name} is a folder that Spark has not finished. Write it again.",
        ),
    ],
    ids=["other columns", "other file", "pipe", "iceberg", "unfinished"],
)
def test_a_folder_that_is_more_than_parts_is_refused(
    folder, contract, root, tmp_path, change, sentence
):
    change(folder)

    with pytest.raises(InputError) as caught:
        acquire(str(folder), contract, root=root, cache=tmp_path)

    assert str(caught.value) == sentence.format(name=folder)


def test_parts_of_two_formats_are_no_table(folder, mine, contract, root, tmp_path):
    # Most likely the same rows twice.
    pd.read_csv(mine).to_parquet(folder / "part-00003.parquet", index=False)

    with pytest.raises(
        InputError, match=r"part-00003\.parquet has other columns .* or another format"
    ):
        acquire(str(folder), contract, root=root, cache=tmp_path)


def test_what_parts_unpack_to_is_limited_together(mine):
    content = mine.read_bytes()
    size = read_raw(content, "part-0")[0].nbytes

    table, _ = read_parts([content] * 3, ["part-0"] * 3, largest=3 * size)
    assert table.num_rows == 90
    packed = gzip.compress(content)
    with pytest.raises(InputError, match="part-2 unpacks to more than"):
        read_parts([packed] * 3, ["part-0", "part-1", "part-2"], largest=2 * size + 1)


def test_the_number_of_parts_is_limited(folder, contract, root, tmp_path, monkeypatch):
    monkeypatch.setattr(local, "_MOST_PARTS", 3)
    assert acquire(str(folder), contract, root=root, cache=tmp_path).rows == 30

    monkeypatch.setattr(local, "_MOST_PARTS", 2)
    assert "has 3 parts, and at most 2 are read. Write fewer." in refusal(
        folder, contract, root, tmp_path
    )


def test_parts_are_limited_together(folder, contract, root, tmp_path):
    for number in (3, 4):
        with (folder / f"part-0000{number}.csv").open("wb") as file:
            file.truncate((1 << 30) + 1)  # sparse

    assert "is larger than 2 GiB" in refusal(folder, contract, root, tmp_path)


def test_a_file_address_is_a_path(mine, contract, root, tmp_path):
    odd = mine.rename(mine.with_name("mine & yours.csv"))
    plain = acquire(str(odd), contract, root=root, cache=tmp_path)

    for address in (odd.as_uri(), odd.as_uri().replace("file://", "FILE://localhost")):
        assert acquire(address, contract, root=root, cache=tmp_path).frame.equals(plain.frame)
    assert refusal("file://mine.csv", contract, root, tmp_path) == (
        "file://mine.csv names the machine 'mine.csv'. Write three slashes before a path of this "
        "machine, as in file:///data/customers.csv."
    )


@pytest.mark.parametrize("column", ["Churn", "SeniorCitizen"])
def test_the_advice_about_other_spellings_works_if_it_is_followed(
    mine, contract, root, tmp_path, column
):
    other = {"No": "0", "Yes": "1"} if column == "Churn" else {"0": "No", "1": "Yes"}
    table = pd.read_csv(root / contract.snapshot.path, dtype=str, keep_default_na=False)
    table[column] = table[column].map(other)
    table.to_csv(mine, index=False)
    sentence = refusal(mine, contract, root, tmp_path, table=True)
    assert sentence.endswith(
        f"Write these in the file, or set no_value and yes_value of '{column}' in "
        "data/contracts/telco.yaml to the file's own two texts, in quotes."
    )

    no, yes = other.values()
    text = (root / "data" / "contracts" / "telco.yaml").read_text()
    line = next(each for each in text.splitlines() if f"{{name: {column}, " in each)
    spelt = line.replace('no_value: "0", yes_value: "1", ', "").replace(
        "{", f'{{no_value: "{no}", yes_value: "{yes}", '
    )
    followed = tmp_path / "telco.yaml"
    followed.write_text(text.replace(line, spelt))
    theirs = load_contract(followed)
    dataset = acquire(str(mine), theirs, root=root, cache=tmp_path)

    report = check(dataset.frame, theirs, accepted_snapshot(theirs, root=root))
    assert report.verdict == "pass"
    assert report.accepted_rows == 7043
    codes = dataset.frame[column].cat.codes
    assert codes.tolist() == table[column].map({no: 0, yes: 1}).tolist()


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


def test_a_contract_without_a_snapshot_has_no_accepted_and_no_bundled_table(
    contract, root, tmp_path
):
    own = contract.model_copy(update={"snapshot": None})

    assert accepted_snapshot(own, root=root) is None
    assert refusal("bundled", own, root, tmp_path) == (
        "Contract 'telco' names no snapshot, so there is no bundled table. Name yours with --set "
        "data.source=PATH."
    )


def test_a_snapshot_that_lacks_a_column_of_the_contract_is_named(contract, root):
    region = contract.column("Contract").model_copy(update={"name": "Region"})
    wider = contract.model_copy(update={"columns": (*contract.columns, region)})

    with pytest.raises(InputError) as caught:
        accepted_snapshot(wider, root=root)

    assert str(caught.value) == (
        "The snapshot data/raw/telco.csv of contract 'telco', with which every new table is compared, "
        "does not follow the contract. Column 'Region' is missing from the file. Add what is "
        "missing; data/contracts/telco.yaml says what it means. Or leave `snapshot` out of the "
        "contract: it is optional."
    )
