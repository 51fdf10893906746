import hashlib
import json
import re
import shutil

import pytest

from churn.errors import BundleError
from churn.models.recipe_catalog import build_candidates
from churn.models.recipe_settings import GbmSettings, default_recipes
from churn.models.trained import TrainedModel
from churn.scoring import Scorer
from churn.scoring.bundle import Threshold, verify_bundle, write_bundle
from churn.scoring.manifest import manifest_checksum

FILES = [
    "contract.json",
    "golden.json",
    "reference.npz",
    "MODEL_CARD.md",
    "model/manifest.json",
    "model/blend.json",
    "model/member-1/additive.json",
    "model/member-2/columns.json",
    "model/member-2/trees.txt",
]


def bundle_of(folder, contract, columns, target, rows):
    recipes = default_recipes() | {"gbm": GbmSettings(trees=20)}
    some = {name: values[:rows] for name, values in columns.items()}
    trained = TrainedModel.train(
        build_candidates(["blend"], recipes, contract)["blend"],
        some,
        target[:rows],
        contract=contract,
        data_sha256="ab" * 32,
        settings=recipes["blend"],
    )
    return write_bundle(
        folder,
        trained,
        some,
        name="churn",
        version="1",
        threshold=Threshold(value=0.3, basis="profit"),
        metrics={},
        model_card=f"# Trained on {rows}\n",
    )


@pytest.fixture(scope="module")
def written(contract, telco_columns, telco_target, tmp_path_factory):
    folder = tmp_path_factory.mktemp("written") / "1"
    return bundle_of(folder, contract, telco_columns, telco_target, 1500)


@pytest.fixture(scope="module")
def another(contract, telco_columns, telco_target, tmp_path_factory):
    folder = tmp_path_factory.mktemp("another") / "1"
    return bundle_of(folder, contract, telco_columns, telco_target, 1400)


@pytest.fixture
def folder(written, tmp_path):
    """A copy that can be broken."""
    return shutil.copytree(written, tmp_path / "1")


def resealed(folder, **changes):
    """Changes the manifest as somebody would who knows how it is sealed."""
    content = json.loads((folder / "manifest.json").read_text())
    del content["seal"]
    content |= changes
    (folder / "manifest.json").write_text(
        json.dumps(content | {"seal": manifest_checksum(content)})
    )


def forged(folder, name, content):
    """Changes a file, and its checksums wherever they stand."""
    (folder / name).write_bytes(content)
    if name.startswith("model/") and name != "model/manifest.json":
        inner = json.loads((folder / "model" / "manifest.json").read_text())
        inner["files"][name.removeprefix("model/")] = hashlib.sha256(content).hexdigest()
        forged(folder, "model/manifest.json", json.dumps(inner).encode())
    files = json.loads((folder / "manifest.json").read_text())["files"]
    files[name] = {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}
    resealed(folder, files=files)


def refused(folder, match):
    """Both ways in refuse it, in one sentence or two, on one line."""
    for way in (verify_bundle, Scorer.load):
        with pytest.raises(BundleError, match=match) as error:
            way(folder)
        assert "\n" not in str(error.value)
        assert str(error.value).endswith(".")


def test_the_list_of_files_here_is_the_bundles(written):
    files = {path.relative_to(written).as_posix() for path in written.rglob("*") if path.is_file()}
    assert files == {*FILES, "manifest.json"}


@pytest.mark.parametrize("name", FILES)
def test_one_flipped_bit_is_noticed(folder, name):
    content = bytearray((folder / name).read_bytes())
    content[len(content) // 2] ^= 1
    (folder / name).write_bytes(content)
    refused(folder, rf"is corrupt: {re.escape(name)} is not as it was written \(SHA-256 differs\)")


@pytest.mark.parametrize("name", FILES)
def test_a_truncated_file_is_noticed(folder, name):
    content = (folder / name).read_bytes()
    (folder / name).write_bytes(content[:-1])
    size = len(content)
    refused(folder, rf"is corrupt: {re.escape(name)} has {size - 1:,} bytes, not {size:,}")


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_noticed(folder, name):
    (folder / name).unlink()
    refused(folder, rf"is corrupt: {re.escape(name)} is missing")


@pytest.mark.parametrize("name", [*FILES, "manifest.json"])
def test_another_versions_file_in_its_place_is_noticed(folder, another, name):
    if (another / name).read_bytes() == (folder / name).read_bytes():
        assert name in {"contract.json", "model/blend.json", "model/member-2/columns.json"}
        return
    shutil.copy(another / name, folder / name)
    refused(folder, r"is corrupt: [\w./-]+ (is not as it was written|has [\d,]+ bytes, not)")


def test_the_whole_folder_of_another_bundle_is_a_bundle(another):
    assert Scorer.load(another).manifest.model.rows == 1400


@pytest.mark.parametrize("kept", [0, 1, 40, 200, -3])
def test_a_truncated_manifest_is_noticed(folder, kept):
    text = (folder / "manifest.json").read_text()
    (folder / "manifest.json").write_text(text[:kept])
    refused(folder, r"is corrupt: manifest\.json cannot be read as JSON")


@pytest.mark.parametrize("content", [b"[]", b"null", b"\xff\xfe", b"[" * 100_000, b"\x80\x04N."])
def test_a_manifest_that_is_something_else_is_noticed(folder, content):
    (folder / "manifest.json").write_bytes(content)
    refused(folder, r"is corrupt: manifest\.json cannot be read as JSON")


def test_a_changed_threshold_is_noticed(folder):
    path = folder / "manifest.json"
    path.write_text(path.read_text().replace('"value": 0.3', '"value": 0.9'))
    refused(folder, r"is corrupt: manifest\.json is not as it was written")


def test_a_folder_without_a_manifest_is_no_bundle(folder, tmp_path):
    (folder / "manifest.json").unlink()
    refused(folder, r"holds no bundle: it has no manifest\.json")
    refused(tmp_path / "nowhere", "holds no bundle")
    refused(folder / "golden.json", "holds no bundle")


@pytest.mark.parametrize("found", [{"format_version": 2}, {"format": "churn-model"}])
def test_another_format_is_named(folder, found):
    resealed(folder, **found)
    said = {"format": "churn-bundle", "format_version": 1} | found
    refused(
        folder,
        rf"has format {said['format']} version {said['format_version']}; this code reads "
        r"churn-bundle version 1",
    )


@pytest.mark.parametrize(
    "name",
    ["../1/golden.json", "model/../../outside", "/etc/hostname", "model//trees.txt", "..",
     "./golden.json", "model\\..\\..\\outside", "model/\x00"],
)  # fmt: skip
def test_a_path_that_leads_out_is_refused_before_anything_is_read(folder, name):
    files = json.loads((folder / "manifest.json").read_text())["files"]
    resealed(folder, files=files | {name: {"sha256": "0" * 64, "size": 0}})
    refused(folder, r"lists the file .* leads out of its folder or is not plainly spelt")


def test_a_file_that_no_bundle_has_is_refused(folder):
    forged(folder, "hook.py", b"print('hello')")
    refused(folder, "lists the file 'hook.py', which is no part of a bundle")


@pytest.mark.parametrize("name", ["notes.txt", "model/more.txt", "model/deep/er.pkl"])
def test_an_unlisted_file_is_refused(folder, name):
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_text("mine")
    refused(folder, rf"holds {re.escape(name)}, which its manifest\.json does not list")


@pytest.mark.parametrize("name", ["golden.json", "model"])
def test_a_link_is_refused(folder, tmp_path, name):
    (folder / name).rename(tmp_path / "elsewhere")
    (folder / name).symlink_to(tmp_path / "elsewhere")
    refused(folder, rf"holds the link {name}; a bundle has files only")


@pytest.mark.parametrize("name", ["contract.json", "golden.json", "reference.npz"])
def test_a_bundle_without_a_needed_file_is_refused(folder, name):
    files = json.loads((folder / "manifest.json").read_text())["files"]
    del files[name]
    (folder / name).unlink()
    resealed(folder, files=files)
    refused(folder, rf"is not whole: its manifest\.json does not list {re.escape(name)}")


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"threshold": {"value": 1.5, "basis": "x"}}, r"threshold\.value"),
        ({"data_sha256": "beef"}, "data_sha256"),
        ({"created": "yesterday"}, "created"),
        ({"signed_by": "me"}, "signed_by"),
        ({"files": {}}, "files"),
    ],
)
def test_a_manifest_that_says_what_cannot_be_is_refused(folder, change, place):
    resealed(folder, **change)
    refused(folder, rf"has a manifest\.json that is not valid at {place}: ")


def test_a_contract_that_does_not_parse_is_refused(folder):
    forged(folder, "contract.json", b'{"name": "telco"}')
    refused(folder, r"has a contract\.json that cannot be read")


def test_the_contract_of_another_business_is_refused(folder):
    content = json.loads((folder / "contract.json").read_text())
    content["columns"][5]["maximum"] = 500
    forged(folder, "contract.json", json.dumps(content).encode())
    refused(folder, r"has a contract\.json that is not the one its manifest\.json names")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("model/member-2/trees.txt", b"tree\nnonsense\n", "cannot be loaded: ValueError: the text of the trees"),
        ("model/member-2/columns.json",
         b'{"features": ["x"], "categories": {}, "engineered": []}', "cannot be loaded: "),
        ("model/member-1/additive.json", b'{"base": 1}', r"cannot be loaded: KeyError: 'terms'\. Rest"),
        ("model/blend.json", b"[]", "cannot be loaded: "),
        ("golden.json", b"[]", "golden.json that cannot be read"),
        ("golden.json", b"[" * 100_000, "golden.json that cannot be read"),
        ("golden.json", b'{"rows": []}', "golden.json without rows"),
        ("golden.json", b'{"rows": [{"row": {"tenure": 1}, "logit": 0, "probability": 0.5}]}',
         r"cannot score its own golden\.json: Fields 'gender', 'Sen"),
    ],
)  # fmt: skip
def test_a_forged_file_with_the_right_checksums_does_not_load(folder, name, content, message):
    forged(folder, name, content)
    verify_bundle(folder)
    with pytest.raises(BundleError, match=message) as error:
        Scorer.load(folder)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("part", "by", "sentence"),
    [("logit", 2e-9, "logit"), ("probability", -2e-9, "probability")],
)
def test_another_score_than_at_training_time_is_refused(folder, part, by, sentence):
    golden = json.loads((folder / "golden.json").read_text())
    golden["rows"][3][part] += by
    forged(folder, "golden.json", json.dumps(golden).encode())
    with pytest.raises(BundleError, match=rf"golden\.json row 4 has {sentence} .* comes out as"):
        Scorer.load(folder)


def test_a_golden_score_that_is_no_number_is_refused(folder):
    golden = json.loads((folder / "golden.json").read_text())
    golden["rows"][0]["logit"] = float("nan")
    forged(folder, "golden.json", json.dumps(golden).encode())
    with pytest.raises(BundleError, match=r"golden\.json row 1 has logit nan"):
        Scorer.load(folder)


def test_a_model_changed_in_one_weight_is_caught_by_the_golden_rows(folder):
    name = "model/member-1/additive.json"
    content = json.loads((folder / name).read_text())
    content["terms"][0]["values"][1] += 1e-6
    forged(folder, name, json.dumps(content).encode())
    with pytest.raises(BundleError, match="does not score as it was trained"):
        Scorer.load(folder)


def test_a_bundle_loads_from_an_address_as_from_its_folder(written):
    fsspec = pytest.importorskip("fsspec")
    system = fsspec.filesystem("memory")
    system.put(f"{written}/", "/bucket/bundles/one", recursive=True)

    assert Scorer.load(f"file://{written}").manifest == Scorer.load(written).manifest
    assert Scorer.load("memory://bucket/bundles/one").manifest == Scorer.load(written).manifest
    system.pipe("/bucket/bundles/one/golden.json", b"{}")
    with pytest.raises(BundleError, match=r"is corrupt: golden\.json"):
        Scorer.load("memory://bucket/bundles/one")


@pytest.mark.parametrize("uri", ["memory://nowhere/at/all", "nosuchscheme://bucket/bundle"])
def test_an_address_that_cannot_be_read_is_named(uri):
    with pytest.raises(BundleError, match=f"The bundle at {uri} cannot be read"):
        Scorer.load(uri)


def test_a_bundle_without_a_recalibration_is_as_release_0_1_0_wrote_it(folder):
    content = json.loads((folder / "manifest.json").read_text())

    assert "recalibration" not in content["model"]
    assert Scorer.load(folder).manifest.model.recalibration is None


def test_a_manifest_that_names_a_recalibration_where_the_model_has_none_is_refused(folder):
    content = json.loads((folder / "manifest.json").read_text())
    resealed(folder, model=content["model"] | {"recalibration": {"intercept": 1.0}})

    with pytest.raises(BundleError, match="another recalibration"):
        Scorer.load(folder)
