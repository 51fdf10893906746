"""Whatever lies in a bundle, and whatever fails while it is loaded: one sentence, and nothing waits or fills the memory."""

import io
import json
import os
import shutil
import socket
import zipfile

import numpy as np
import pytest

from churn.errors import BundleError
from churn.scoring import Scorer, scorer, store_follower
from churn.scoring.bundle import bundle_folder, publish
from churn.scoring.current import CURRENT, read_current
from churn.scoring.store_follower import load_version
from tests.churn.scoring.test_bundle_verify import FILES, forged, refused, resealed
from tests.servers.published import published_store, store, trained

__all__ = ["published_store", "store", "trained"]


@pytest.fixture
def folder(store):
    return bundle_folder(store, "1")


def put_pipe(path):
    os.mkfifo(path)


def put_socket(path):
    here = os.open(path.parent, os.O_RDONLY)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(
            f"/proc/self/fd/{here}/{path.name}"
        )  # its own path may be too long for a socket
    os.close(here)


def put_device_link(path):
    path.symlink_to("/dev/zero")


PUT = {"pipe": put_pipe, "socket": put_socket, "link": put_device_link}


@pytest.mark.parametrize("kind", PUT)
@pytest.mark.parametrize("name", [*FILES, "manifest.json", "more", "model/more"])
def test_what_is_no_file_is_refused_without_being_opened(folder, kind, name):
    (folder / name).unlink(missing_ok=True)
    PUT[kind](folder / name)

    refused(folder, rf"holds the {kind} {name}; a bundle has files only")


def test_a_device_is_refused(folder, monkeypatch):
    """Only root can make one, so only its mode is made here."""
    (folder / "golden.json").unlink()
    try:
        os.mknod(folder / "golden.json", 0o20644, os.makedev(1, 5))
    except PermissionError:
        pytest.skip("only root can make a device")

    refused(folder, r"holds the device golden\.json")


@pytest.mark.parametrize("kind", PUT)
def test_a_bundle_that_is_no_folder_is_refused(store, kind):
    folder = bundle_folder(store, "1")
    shutil.rmtree(folder)
    PUT[kind](folder)

    with pytest.raises(BundleError, match="holds no bundle"):
        Scorer.load(folder)
    with pytest.raises(BundleError, match="holds no bundle"):
        Scorer.load(store)


@pytest.mark.parametrize("put", PUT.values(), ids=PUT)
def test_a_store_whose_pointer_is_no_file_is_refused(store, put):
    (store / CURRENT).unlink()
    put(store / CURRENT)

    with pytest.raises(BundleError, match=r"current\.json that cannot be read: it is a"):
        Scorer.load(store)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"[]",
        b"7",
        b"null",
        b"[" * 100_000,
        b'{"format": "churn-bundle", "format_version": 1, "seal": ' + b"[" * 100_000,
        b"9" * 10_000,
        b"{" + b" " * (17 * 2**20) + b"}",
    ],
    ids=[
        "empty",
        "torn",
        "no text",
        "list",
        "number",
        "null",
        "deep",
        "deep within",
        "digits",
        "huge",
    ],
)
def test_a_manifest_that_is_none_is_refused(folder, content):
    (folder / "manifest.json").write_bytes(content)

    refused(folder, r"manifest\.json|format None version None")


@pytest.mark.parametrize(
    "changes",
    [
        {"model": 7},
        {"model": []},
        {"files": []},
        {"files": {"golden.json": 7}},
        {"threshold": None},
        {"metrics": "good"},
        {"libraries": {"numpy": 2}},
        {"created": "yesterday"},
        {"files": {"golden.json": {"sha256": "ab" * 32, "size": 10**30}}},
    ],
    ids=lambda changes: json.dumps(changes)[:40],
)
def test_a_manifest_with_a_value_of_another_type_is_refused(folder, changes):
    resealed(folder, **changes)

    refused(folder, r"manifest\.json (that is not valid at|does not list)|larger than")


def test_a_bundle_that_claims_to_be_huge_is_refused_before_it_is_read(folder):
    files = json.loads((folder / "manifest.json").read_text())["files"]
    with (folder / "model" / "big").open("wb") as file:
        file.truncate(2**40)
    files["model/big"] = {"sha256": "ab" * 32, "size": 2**40}
    resealed(folder, files=files)

    refused(folder, r"is larger than the 268,435,456 bytes that a bundle may have")


@pytest.mark.parametrize("inner", ["", ".", "..", "/etc", "../model", "member-1/../member-1"])
def test_a_blend_reads_no_folder_but_its_own(folder, inner):
    content = {"members": [{"recipe": "a", "kind": "additive", "folder": inner}]}
    forged(folder, "model/blend.json", json.dumps(content).encode())

    with pytest.raises(BundleError, match="cannot be loaded") as error:
        Scorer.load(folder)
    assert "no folder of the model's own" in str(error.value)


def archive(**arrays):
    file = io.BytesIO()
    np.savez_compressed(file, **arrays)
    return file.getvalue()


def bomb():
    """A sound archive of some kilobytes that unpacks to more than 64 MB."""
    file = io.BytesIO(archive(**{"scores/quantiles": np.linspace(0, 1, 1001)}))
    with zipfile.ZipFile(file, "a", zipfile.ZIP_DEFLATED, compresslevel=1) as packed:
        packed.writestr("more.npy", bytes(64 * 2**20))
    return file.getvalue()


def claims_to_be_large():
    """An archive whose array says that it has 10^13 numbers."""
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        header, {"descr": "<f8", "fortran_order": False, "shape": (10**13,)}
    )
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as packed:
        packed.writestr("scores/quantiles.npy", header.getvalue())
    return file.getvalue()


REFERENCES = {
    "empty": b"",
    "no archive": b"PK\x03\x04 and no more",
    "one array": np.lib.format.magic(1, 0) + b"\x00",
    "without scores": archive(rows=np.array([3])),
    "few scores": archive(**{"scores/quantiles": np.array([0.5])}),
    "texts": archive(**{"scores/quantiles": np.array(["a"] * 1001)}),
    "a table": archive(**{"scores/quantiles": np.zeros((1001, 2))}),
    "no numbers": archive(**{"scores/quantiles": np.full(1001, np.nan)}),
    "no probabilities": archive(**{"scores/quantiles": np.full(1001, 3.0)}),
    "objects": archive(**{"scores/quantiles": np.array([{}, 1], dtype=object)}),
    "a bomb": bomb(),
    "claims to be large": claims_to_be_large(),
}


@pytest.mark.parametrize("kind", REFERENCES)
def test_a_reference_that_is_none_is_refused(store, folder, kind):
    forged(folder, "reference.npz", REFERENCES[kind])

    with pytest.raises(BundleError, match=r"reference\.npz without the training scores") as error:
        load_version(str(store), "1")
    assert len(str(error.value).splitlines()) == 1


GOLDEN = {
    "a list of numbers": b'{"rows": [7]}',
    "a row that is a list": b'{"rows": [{"row": [1], "logit": 0, "probability": 0.5}]}',
    "a score that is a text": b'{"rows": [{"row": {}, "logit": "x", "probability": 0.5}]}',
    "a score that is null": b'{"rows": [{"row": {}, "logit": null, "probability": 0.5}]}',
    "a score of 10,000 digits": b'{"rows": [{"row": {}, "logit": %s, "probability": 1}]}' % (b"9" * 10_000),
    "a score beyond floats": b'{"rows": [{"row": {}, "logit": %s, "probability": 1}]}' % (b"9" * 400),
    "rows that are an object": b'{"rows": {"a": 1}}',
    "huge": b'{"rows": [' + b" " * (17 * 2**20) + b"]}",
}  # fmt: skip


@pytest.mark.parametrize("kind", GOLDEN)
def test_golden_rows_that_are_none_are_refused(folder, kind):
    forged(folder, "golden.json", GOLDEN[kind])

    with pytest.raises(BundleError, match=r"golden\.json|cannot be loaded") as error:
        Scorer.load(folder)
    assert len(str(error.value).splitlines()) == 1


STAGES = [
    (scorer, "verify_bundle"),
    (scorer, "read_model"),
    (scorer, "read_contract"),
    (scorer, "read_golden"),
    (scorer, "replay"),
    (scorer, "RowScorer"),
    (store_follower, "read_golden"),
    (store_follower.Bands, "read"),
]


@pytest.mark.parametrize(
    "failure", [OSError(5, "I/O error"), EOFError(), KeyError("a"), MemoryError(), RecursionError()],
    ids=lambda failure: type(failure).__name__,
)  # fmt: skip
@pytest.mark.parametrize("stage", STAGES, ids=lambda stage: f"{stage[0].__name__}.{stage[1]}")
def test_an_error_at_any_stage_is_a_refusal_of_the_bundle(store, monkeypatch, stage, failure):
    def fail(*_arguments, **_options):
        raise failure

    monkeypatch.setattr(*stage, fail)

    with pytest.raises(BundleError, match=f"cannot be loaded: {type(failure).__name__}") as error:
        load_version(str(store), read_current(store))
    assert str(bundle_folder(store, "1")) in str(error.value)
    assert len(str(error.value).splitlines()) == 1


def test_pointer_and_manifest_of_two_versions_are_refused(store):
    """Version 2's folder with all of version 1, and a pointer that names its digest."""
    publish(store, "1")
    digest = read_current(store).digest
    shutil.rmtree(bundle_folder(store, "2"))
    shutil.copytree(bundle_folder(store, "1"), bundle_folder(store, "2"))
    pointer = json.loads((store / CURRENT).read_text())
    pointer["history"].append(pointer["history"][-1] | {"version": "2", "digest": digest})
    (store / CURRENT).write_text(json.dumps(pointer | {"version": "2"}))

    match = "holds version 1, not 2"
    with pytest.raises(BundleError, match=match):
        Scorer.load(store)
    with pytest.raises(BundleError, match=match):
        load_version(str(store), read_current(store))
    with pytest.raises(BundleError, match=match):  # as a canary or a shadow names it
        load_version(str(store), "2")


def test_what_was_read_from_the_pointer_is_loaded_whatever_it_says_by_now(store):
    before = read_current(store)
    publish(store, "2")

    assert load_version(str(store), before).scorer.version == "1"
    assert load_version(str(store), before).published == before


@pytest.mark.parametrize("address", ["", "file://", "local://"])
def test_a_bundle_changed_since_it_was_published_is_refused(store, address):
    published = read_current(store)
    resealed(bundle_folder(store, "1"), metrics={})

    with pytest.raises(BundleError, match="is not the one that was published"):
        load_version(f"{address}{store}", published)
