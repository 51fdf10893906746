import json
import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import pytest

from churn.durable import UNFINISHED
from churn.errors import BundleError, InputError
from churn.models.recipe_catalog import build_candidates
from churn.models.recipe_settings import default_recipes
from churn.models.trained import TrainedModel
from churn.scoring import Scorer
from churn.scoring.bundle import (
    Threshold,
    bundle_folder,
    current,
    history,
    publish,
    roll_back,
    store_of_model,
    write_bundle,
)

VERSIONS = ("1", "2", "2026-05-04.a")


@pytest.fixture(scope="module")
def filled(contract, telco_columns, telco_target, tmp_path_factory):
    """A store with three versions, none of them in production."""
    place = tmp_path_factory.mktemp("filled")
    recipes = default_recipes()
    for round_number, version in enumerate(VERSIONS):
        some = {name: values[: 900 + round_number] for name, values in telco_columns.items()}
        trained = TrainedModel.train(
            build_candidates(["spline_logistic"], recipes, contract)["spline_logistic"],
            some,
            telco_target[: 900 + round_number],
            contract=contract,
            data_sha256="ab" * 32,
            settings=recipes["spline_logistic"],
        )
        write_bundle(
            bundle_folder(place, version), trained, some, name="churn", version=version,
            threshold=Threshold(value=0.3, basis="profit"), metrics={},
        )  # fmt: skip
    return place


@pytest.fixture
def store(filled, tmp_path):
    return shutil.copytree(filled, tmp_path / "store")


def spoil(store, version):
    path = bundle_folder(store, version) / "golden.json"
    path.write_bytes(path.read_bytes()[:-2])


def test_a_store_that_nothing_was_published_in_says_so(store):
    assert history(store) == ()
    with pytest.raises(BundleError, match="has nothing in production"):
        current(store)
    with pytest.raises(BundleError, match="has nothing in production"):
        roll_back(store)
    with pytest.raises(BundleError, match="holds no bundle"):
        Scorer.load(store)


def test_what_is_published_is_what_loads(store):
    entry = publish(store, "1")
    assert current(store) == entry
    assert entry.folder(store) == store / "bundles" / "1"
    assert Scorer.load(store).version == "1"

    publish(store, "2")

    assert (current(store).version, Scorer.load(store).version) == ("2", "2")
    assert [(e.version, e.action) for e in history(store)] == [("1", "publish"), ("2", "publish")]


def test_who_approved_a_version_is_kept_and_nothing_is_written_where_nobody_had_to(store):
    assert publish(store, "1").by is None
    assert '"by"' not in (store / "current.json").read_text()

    publish(store, "2", by="Ada Lovelace")
    approved = current(store).by
    roll_back(store)

    assert approved == "Ada Lovelace"
    assert current(store).by is None
    assert [entry.by for entry in history(store)] == [None, "Ada Lovelace", None]


def test_publishing_again_changes_nothing(store):
    first = publish(store, "1")
    before = (store / "current.json").read_bytes()
    assert publish(store, "1") == first
    assert (store / "current.json").read_bytes() == before


def test_a_bad_bundle_is_not_published(store):
    publish(store, "1")
    before = (store / "current.json").read_bytes()
    spoil(store, "2")

    with pytest.raises(BundleError, match=r"is corrupt: golden\.json"):
        publish(store, "2")

    assert (store / "current.json").read_bytes() == before
    assert Scorer.load(store).version == "1"


@pytest.mark.parametrize("version", ["3", "", ".", "..", "../bundles/1", "/", "1/model", "1\n"])
def test_a_version_that_is_not_there_is_not_published(store, version):
    with pytest.raises(BundleError, match=r"has no bundle .*; it has 1, 2, 2026-05-04\.a\."):
        publish(store, version)
    assert not (store / "current.json").exists()


def test_a_folder_under_another_versions_name_is_not_published(store):
    shutil.rmtree(bundle_folder(store, "2"))
    bundle_folder(store, "1").rename(bundle_folder(store, "2"))
    with pytest.raises(BundleError, match="holds version 1, not 2"):
        publish(store, "2")


def test_rolling_back_restores_the_version_before(store):
    publish(store, "1")
    before = Scorer.load(store)
    publish(store, "2")

    entry = roll_back(store)

    assert (entry.version, entry.action) == ("1", "roll_back")
    assert current(store) == entry
    assert Scorer.load(store).manifest == before.manifest


def test_rolling_back_twice_goes_two_versions_back_and_never_forth(store):
    for version in VERSIONS:
        publish(store, version)
    assert roll_back(store).version == "2"
    assert roll_back(store).version == "1"
    with pytest.raises(BundleError, match="has no version before 1 to go back to"):
        roll_back(store)
    publish(store, "2026-05-04.a")
    assert roll_back(store).version == "1"
    assert [entry.version for entry in history(store)] == [
        "1", "2", "2026-05-04.a", "2", "1", "2026-05-04.a", "1",
    ]  # fmt: skip


def test_a_shortened_history_that_begins_with_a_rollback_still_reads(store):
    for version in VERSIONS:
        publish(store, version)
    roll_back(store)
    content = json.loads((store / "current.json").read_text())
    content["history"] = content["history"][-1:]
    (store / "current.json").write_text(json.dumps(content))
    with pytest.raises(BundleError, match="has no version before 2"):
        roll_back(store)
    assert Scorer.load(store).version == "2"


def test_a_dry_run_says_what_would_come_back_and_changes_nothing(store):
    publish(store, "1")
    publish(store, "2")
    before = (store / "current.json").read_bytes()

    assert roll_back(store, dry_run=True).version == "1"

    assert (store / "current.json").read_bytes() == before


@pytest.mark.parametrize("dry_run", [True, False])
def test_a_version_that_went_bad_is_not_put_back(store, dry_run):
    publish(store, "1")
    publish(store, "2")
    spoil(store, "1")
    with pytest.raises(BundleError, match="is corrupt"):
        roll_back(store, dry_run=dry_run)
    assert Scorer.load(store).version == "2"


def rewritten(store, version):
    """A sound bundle in the published one's place, but not that one."""
    path = bundle_folder(store, version) / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text())))


def test_a_bundle_that_was_changed_after_publishing_is_not_served(store):
    publish(store, "1")
    publish(store, "2")
    rewritten(store, "1")
    with pytest.raises(BundleError, match="is not the one that was published"):
        roll_back(store)
    rewritten(store, "2")
    with pytest.raises(BundleError, match="is not the one that was published"):
        Scorer.load(store)


def test_a_version_that_was_published_anew_is_one_step_back_not_two(store):
    # given version 2, lost and written anew in other words
    publish(store, "1")
    publish(store, "2")
    rewritten(store, "2")
    publish(store, "2")
    assert [entry.version for entry in history(store)] == ["1", "2", "2"]

    assert roll_back(store).version == "1"
    with pytest.raises(BundleError, match="no version before"):
        roll_back(store)


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", '{"version": "1"}', '{"version": "1", "history": []}', "[" * 100_000],
)
def test_a_torn_pointer_is_refused_and_not_written_over(store, content):
    publish(store, "1")
    (store / "current.json").write_text(content)
    for action in (current, history, roll_back, Scorer.load, lambda s: publish(s, "2")):
        with pytest.raises(BundleError, match=r"has a current\.json that cannot be read"):
            action(store)
    assert (store / "current.json").read_text() == content


def test_a_pointer_cannot_lead_out_of_the_store(store):
    publish(store, "1")
    path = store / "current.json"
    path.write_text(path.read_text().replace('"version":"1"', '"version":"../../1"').replace(
        '"version": "1"', '"version": "../../1"'
    ))  # fmt: skip
    with pytest.raises(BundleError, match=r"current\.json that cannot be read"):
        Scorer.load(store)


@pytest.mark.parametrize("broken", ["fsync", "replace"])
def test_a_disk_that_fails_while_publishing_leaves_the_old_version(store, monkeypatch, broken):
    publish(store, "1")
    before = (store / "current.json").read_bytes()

    def full(*_):
        raise OSError(28, "No space left on device")

    if broken == "fsync":
        monkeypatch.setattr(os, "fsync", full)
    else:
        monkeypatch.setattr(type(store), "replace", full)
    with pytest.raises(BundleError, match="cannot be written to: No space left on device"):
        publish(store, "2")
    monkeypatch.undo()

    assert (store / "current.json").read_bytes() == before
    assert not list(store.glob(f"{UNFINISHED}*"))


def test_publishers_wait_for_each_other_and_lose_nothing(store):
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda round_number: publish(store, VERSIONS[round_number % 3]), range(12)))

    past = history(store)
    assert {entry.version for entry in past} == set(VERSIONS)
    assert all(a.version != b.version for a, b in pairwise(past))
    assert current(store) == past[-1]


def test_a_reader_never_sees_half_a_pointer(store):
    publish(store, "1")
    stop = False

    def read():
        seen = set()
        while not stop:
            seen.add(current(store).version)
        return seen

    with ThreadPoolExecutor(1) as pool:
        reading = pool.submit(read)
        for round_number in range(20):
            publish(store, VERSIONS[round_number % 2])
        stop = True
        assert reading.result() <= {"1", "2"}


def test_a_store_at_an_address_serves_its_current_bundle(store):
    fsspec = pytest.importorskip("fsspec")
    publish(store, "2")
    fsspec.filesystem("memory").put(f"{store}/", "/shop", recursive=True)
    assert Scorer.load("memory://shop").version == "2"


def test_a_place_that_is_no_store_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    for place in (tmp_path / "file", tmp_path / "nowhere"):
        with pytest.raises(BundleError, match=r"has no bundle '1'; it has none"):
            publish(place, "1")
        with pytest.raises(BundleError, match=r"cannot be written to|nothing in production"):
            roll_back(place)
    assert history(tmp_path / "nowhere") == ()


@pytest.fixture
def shared(store, contract, telco_columns, telco_target):
    """The store with a bundle of another model, as version 4."""
    recipes = default_recipes()
    some = {name: values[:900] for name, values in telco_columns.items()}
    candidate = build_candidates(["logistic"], recipes, contract)["logistic"]
    trained = TrainedModel.train(
        candidate, some, telco_target[:900], contract=contract, data_sha256="ab" * 32,
        settings=recipes["logistic"],
    )  # fmt: skip
    write_bundle(
        bundle_folder(store, "4"), trained, some, name="insurance", version="4",
        threshold=Threshold(value=0.3, basis="profit"), metrics={},
    )  # fmt: skip
    return store


def test_two_models_never_share_a_pointer(shared):
    publish(shared, "1")
    before = (shared / "current.json").read_bytes()

    with pytest.raises(
        BundleError, match="is that of the model 'churn', and its bundle 4 is of 'ins"
    ):
        publish(shared, "4")

    assert (shared / "current.json").read_bytes() == before


def test_a_store_that_two_models_have_shared_does_not_go_back_to_the_other(shared):
    publish(shared, "4")
    mixed = json.loads((shared / "current.json").read_text())
    shutil.move(shared / "bundles" / "4", shared / "aside")  # what 0.1.0 did not look at
    publish(shared, "1")
    shutil.move(shared / "aside", shared / "bundles" / "4")
    assert len(history(shared)) == len(mixed["history"]) + 1

    with pytest.raises(BundleError, match="a store serves one model"):
        roll_back(shared, dry_run=True)
    with pytest.raises(BundleError, match="a store serves one model"):
        roll_back(shared)

    assert current(shared).version == "1"


def test_each_model_has_a_store_of_its_own(tmp_path):
    assert store_of_model(tmp_path, "telco-churn") == tmp_path / "telco-churn"
    assert store_of_model(tmp_path, "a" * 100) == tmp_path / ("a" * 100)
    assert store_of_model("memory://stores", "b2") == "memory://stores/b2"


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", "../other", "a/b", "bundles", "current.json", "A", "1a", "a\n", "a" * 101],
)
def test_a_model_name_that_cannot_be_a_folder_is_refused(tmp_path, name):
    with pytest.raises(InputError, match="cannot name a store"):
        store_of_model(tmp_path, name)


def test_a_store_of_before_the_models_is_that_of_its_model_in_a_bucket_too(store):
    import fsspec

    publish(store, "1")
    memory = fsspec.filesystem("memory")
    memory.put(f"{store}/", "/old/", recursive=True)

    assert store_of_model("memory://old", "churn") == "memory://old"
    assert store_of_model("memory://old", "insurance") == "memory://old/insurance"


def test_a_model_that_has_a_store_of_its_own_does_not_go_back_to_that_of_before(store):
    publish(store, "1")
    own = store / "churn"
    shutil.copytree(store / "bundles", own / "bundles")
    assert store_of_model(store, "churn") == store

    publish(own, "2")

    assert store_of_model(store, "churn") == own
