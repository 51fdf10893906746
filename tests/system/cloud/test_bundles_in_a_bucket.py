"""Bundles in a bucket: written, published, rolled back and refused as in a folder."""

import json
from pathlib import Path

import pytest

from churn.errors import BundleError
from churn.scoring import Scorer
from churn.scoring.bundle import (
    address,
    bundle_folder,
    current,
    history,
    publish,
    roll_back,
)
from churn.scoring.bundle.pointer import move_pointer

pytestmark = pytest.mark.usefixtures("keys")


def spoil(files, store, version, name="golden.json"):
    place = f"{bundle_folder(store, version)}/{name}"
    files.pipe_file(place, files.cat_file(place)[:-2])


def test_what_is_published_there_scores_as_the_model_did(store, write, models, telco_columns):
    place = write("1")
    entry = publish(store, "1")

    scorer = Scorer.load(store)

    trained, _ = models["1"]
    assert place == entry.folder(store) == f"{store}/bundles/1"
    assert (scorer.version, current(store)) == ("1", entry)
    assert (scorer.score_many(telco_columns).logit == trained.logit(telco_columns)).all()
    assert Scorer.load(place).version == "1"


def test_a_version_there_never_changes(store, write, files):
    write("1")
    before = files.cat_file(f"{store}/bundles/1/manifest.json")

    assert write("1") == f"{store}/bundles/1"  # the very same is no other
    with pytest.raises(BundleError, match=r"s3://.* is there already with other content"):
        write("1", like="2")

    assert files.cat_file(f"{store}/bundles/1/manifest.json") == before


def test_a_bad_bundle_there_is_not_published(store, write, files):
    write("1")
    publish(store, "1")
    before = files.cat_file(f"{store}/current.json")
    write("2")
    spoil(files, store, "2")

    with pytest.raises(BundleError, match=rf"{store}/bundles/2 is corrupt: golden\.json has"):
        publish(store, "2")
    with pytest.raises(BundleError, match=r"has no bundle '3'; it has 1, 2\."):
        publish(store, "3")

    assert files.cat_file(f"{store}/current.json") == before
    assert Scorer.load(store).version == "1"


def test_an_upload_that_broke_off_is_no_bundle_and_the_next_one_completes_it(store, write, files):
    write("1")
    files.rm(f"{store}/bundles/1/manifest.json")
    files.pipe_file(f"{store}/bundles/1/model/stale.json", b"{}")
    spoil(files, store, "1")
    with pytest.raises(BundleError, match="has no bundle '1'"):
        publish(store, "1")

    write("1")

    assert publish(store, "1").version == "1"
    assert Scorer.load(store).version == "1"


def test_rolling_back_there_restores_the_version_before(store, write, files):
    with pytest.raises(BundleError, match="has nothing in production"):
        roll_back(store)
    for version in "12":
        write(version)
        publish(store, version)
    before = files.cat_file(f"{store}/current.json")

    assert roll_back(store, dry_run=True).version == "1"
    assert files.cat_file(f"{store}/current.json") == before

    assert roll_back(store).version == current(store).version == Scorer.load(store).version == "1"
    assert [(e.version, e.action) for e in history(store)] == [
        ("1", "publish"), ("2", "publish"), ("1", "roll_back"),
    ]  # fmt: skip
    with pytest.raises(BundleError, match="has no version before 1 to go back to"):
        roll_back(store)


def test_a_version_that_went_bad_there_is_not_put_back(store, write, files):
    for version in "12":
        write(version)
        publish(store, version)
    spoil(files, store, "1")

    with pytest.raises(BundleError, match="is corrupt"):
        roll_back(store)

    assert current(store).version == "2"


def test_who_publishes_there_at_the_same_time_loses_nothing(store, write):
    for version in "123":
        write(version)
    quicker = iter("12")
    histories = []

    def further(past):
        histories.append([entry.version for entry in past])
        if version := next(quicker, None):  # somebody else publishes after this one has read
            publish(store, version)
        return (*past, publish(elsewhere, "3"))

    elsewhere = f"{store}-elsewhere"
    write("3", store=elsewhere)

    move_pointer(store, further)

    assert histories == [[], ["1"], ["1", "2"]]
    assert [entry.version for entry in history(store)] == ["1", "2", "3"]


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff", b'{"version": "1"}'])
def test_a_torn_pointer_there_is_refused_and_not_written_over(store, write, files, content):
    write("1")
    files.pipe_file(f"{store}/current.json", content)
    for action in (current, roll_back, Scorer.load, lambda s: publish(s, "1")):
        with pytest.raises(BundleError, match=r"has a current\.json that cannot be read"):
            action(store)
    assert files.cat_file(f"{store}/current.json") == content


def test_a_bucket_that_is_not_there_is_named(write):
    nowhere = "s3://nobodys-bucket/production"

    with pytest.raises(BundleError, match=r"nobodys-bucket.* cannot be written to \(.*bucket"):
        write("1", store=nowhere)
    with pytest.raises(BundleError, match="nobodys-bucket/production has nothing in production"):
        current(nowhere)


def test_an_address_that_became_a_path_is_the_address_all_the_same(
    store, write, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CHURN_HOME", str(tmp_path / "home"))

    place = write("1", store=Path(store))
    publish(Path(store), "1")

    assert place == f"{store}/bundles/1"
    assert current(store) == current(Path(store))
    assert Scorer.load(Path(store)).version == "1"
    assert address(Path("file:///some/where")) == Path("/some/where")
    # the copy's scratch folder, and none called 's3:'
    assert [each.name for each in tmp_path.iterdir()] == ["home"]


def test_a_pointer_there_is_the_same_text_as_in_a_folder(store, write, tmp_path, files):
    write("1")
    write("1", store=tmp_path)
    publish(store, "1")
    publish(tmp_path, "1")

    there = json.loads(files.cat_file(f"{store}/current.json"))
    here = json.loads((tmp_path / "current.json").read_text())

    assert there.keys() == here.keys()
    assert there["history"][0].keys() == here["history"][0].keys()
