import hashlib
import json
import shutil

import numpy as np
import pytest

from churn.errors import InputError
from churn.models.model_store import load_model, save_model
from churn.models.recipe_catalog import build_candidates, fit_all
from churn.models.recipe_settings import GbmSettings, default_recipes
from churn.models.trained import TrainedModel

SHA = "ab" * 32


@pytest.fixture(scope="module")
def trained(contract, telco_columns, telco_target):
    """A small blend on the first 1,500 customers."""
    recipes = default_recipes() | {"gbm": GbmSettings(trees=20)}
    return TrainedModel.train(
        build_candidates(["blend"], recipes, contract)["blend"],
        {name: values[:1500] for name, values in telco_columns.items()},
        telco_target[:1500],
        contract=contract,
        data_sha256=SHA,
        settings=recipes["blend"],
    )


@pytest.fixture
def folder(trained, tmp_path):
    trained.save(tmp_path / "saved")
    return tmp_path / "saved"


def test_a_trained_model_comes_back_whole(trained, folder, telco_columns):
    again = TrainedModel.load(folder)

    assert np.array_equal(again.logit(telco_columns), trained.logit(telco_columns))
    assert np.array_equal(again.probability(telco_columns), trained.probability(telco_columns))
    assert again.model.features == trained.model.features
    assert again.model.base == trained.model.base
    for field in ("recipe", "contract", "data_sha256", "rows", "settings", "importance"):
        assert getattr(again, field) == getattr(trained, field)
    assert (again.rows, again.recipe) == (1500, "blend")


def test_probability_is_the_logit_in_words_of_chance(trained, telco_columns):
    chance = trained.probability(telco_columns)
    assert ((chance > 0) & (chance < 1)).all()
    assert np.allclose(np.log(chance / (1 - chance)), trained.logit(telco_columns), atol=1e-9)


def test_importance_is_the_mean_absolute_contribution(trained, telco_columns):
    seen = {name: values[:1500] for name, values in telco_columns.items()}  # below the 2,000
    expected = np.abs(trained.model.contributions(seen)).mean(axis=0)
    assert list(trained.importance) == list(trained.model.features)
    assert list(trained.importance.values()) == pytest.approx(list(expected))


def test_the_files_are_native_and_listed_with_their_checksums(folder):
    manifest = json.loads((folder / "manifest.json").read_text())
    files = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}

    assert set(manifest["files"]) == files - {"manifest.json"}
    assert {path.rsplit(".", 1)[1] for path in files} == {"json", "txt"}
    assert (folder / "model" / "member-2" / "trees.txt").read_text().startswith("tree\n")


def test_equal_models_are_equal_files(trained, folder, tmp_path):
    TrainedModel.load(folder).save(tmp_path / "again")
    first, second = (
        {path.relative_to(one): path.read_bytes() for path in one.rglob("*") if path.is_file()}
        for one in (folder, tmp_path / "again")
    )
    assert len(first) > 1
    assert first == second


@pytest.mark.parametrize(
    "name",
    ["trained.json", "model/manifest.json", "model/blend.json", "model/member-1/additive.json",
     "model/member-2/trees.txt"],
)  # fmt: skip
def test_one_changed_byte_is_noticed_wherever_it_is(folder, name):
    content = bytearray((folder / name).read_bytes())
    content[len(content) // 2] ^= 1
    (folder / name).write_bytes(content)
    with pytest.raises(InputError, match=rf"is corrupt: {name} is not as it was written"):
        TrainedModel.load(folder)


def test_a_missing_file_is_noticed(folder):
    (folder / "model" / "member-2" / "columns.json").unlink()
    with pytest.raises(InputError, match=r"member-2/columns\.json is missing"):
        TrainedModel.load(folder)


def test_a_folder_that_was_never_finished_is_no_model(folder):
    (folder / "manifest.json").unlink()
    with pytest.raises(InputError, match="holds no finished model: it has no manifest"):
        TrainedModel.load(folder)


def test_a_torn_manifest_is_no_model(folder):
    text = (folder / "manifest.json").read_text()
    for torn in (text[: len(text) // 2], "[]", "\x00"):
        (folder / "manifest.json").write_text(torn)
        with pytest.raises(InputError, match=r"manifest\.json cannot be read as JSON"):
            TrainedModel.load(folder)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format_version": 2}, "has format churn-model version 2; this code reads"),
        ({"format": "other"}, "has format other version 1"),
        ({"kind": "gbm"}, "kind 'gbm', not trained"),
        ({"files": {}}, "lists no files"),
        ({"files": {"../../outside.txt": "0" * 64}}, "names '../../outside.txt', which lies out"),
    ],
)
def test_a_manifest_of_something_else_is_refused(folder, change, message):
    content = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps(content | change))
    with pytest.raises(InputError, match=message):
        TrainedModel.load(folder)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("member-1/additive.json", '{"base": 1, "terms": [{"kind": "wave", "column": "x"}]}',
         "'wave' is no kind of term"),
        ("member-1/additive.json", '{"base": 1}', "terms"),
        ("member-1/additive.json", "[]", "list"),
        ("member-2/trees.txt", "tree\nnonsense\n", "the text of the trees cannot be used"),
        ("member-2/columns.json", '{"features": ["x"], "categories": {}, "engineered": []}',
         "the trees look at 19 columns, not at 1"),
        ("blend.json", '{"members": [{"recipe": "a", "kind": "net", "folder": "member-1"}]}',
         "'net' is no kind of model"),
    ],
)  # fmt: skip
def test_a_forged_file_with_the_right_checksum_is_still_refused(
    folder, tmp_path, name, content, message
):
    forged = shutil.copytree(folder / "model", tmp_path / "forged")
    (forged / name).write_text(content)
    manifest = json.loads((forged / "manifest.json").read_text())
    manifest["files"][name] = hashlib.sha256(content.encode()).hexdigest()
    (forged / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(InputError, match=f"cannot be read: .*{message}"):
        load_model(forged)


def test_a_model_is_never_written_over_another(trained, folder):
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    with pytest.raises(InputError, match="already holds a model; name another"):
        trained.save(folder)
    with pytest.raises(InputError, match="already holds a model"):
        save_model(trained.model, folder / "model")
    assert before == {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_files_beside_the_model_do_not_matter(trained, tmp_path, telco_columns):
    (tmp_path / "notes.txt").write_text("mine")
    save_model(trained.model, tmp_path)
    (tmp_path / "notes.txt").write_text("changed")
    again = load_model(tmp_path)
    assert np.array_equal(again.logit(telco_columns), trained.logit(telco_columns))


@pytest.mark.parametrize("kind", ["logistic", "spline_logistic", "gbm"])
def test_single_models_are_stored_alike(contract, telco_columns, telco_target, tmp_path, kind):
    recipes = default_recipes() | {"gbm": GbmSettings(trees=5)}
    fitted = fit_all(build_candidates([kind], recipes, contract), telco_columns, telco_target)
    save_model(fitted[kind], tmp_path / "deep" / "down")
    again = load_model(tmp_path / "deep" / "down")
    assert again.kind == fitted[kind].kind
    assert np.array_equal(again.logit(telco_columns), fitted[kind].logit(telco_columns))
