import dataclasses
import json
import subprocess
import sys
import zipfile
from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pytest

from churn.contract import NumberColumn
from churn.errors import BundleError, InputError
from churn.models.recipe_catalog import build_candidates
from churn.models.recipe_settings import GbmSettings, default_recipes
from churn.models.trained import TrainedModel
from churn.monitoring.drift_reference import build_reference
from churn.scoring import Scorer
from churn.scoring.bundle import (
    Threshold,
    read_golden,
    read_reference,
    verify_bundle,
    write_bundle,
)
from churn.scoring.bundle import write as writing

THEN = datetime(2026, 5, 4, 12, 30, tzinfo=UTC)
THRESHOLD = Threshold(value=0.3, basis="profit")


@pytest.fixture(scope="module")
def columns(telco_columns):
    return {name: values[:1500] for name, values in telco_columns.items()}


@pytest.fixture(scope="module")
def trained(contract, columns, telco_target):
    recipes = default_recipes() | {"gbm": GbmSettings(trees=20)}
    return TrainedModel.train(
        build_candidates(["blend"], recipes, contract)["blend"],
        columns,
        telco_target[:1500],
        contract=contract,
        data_sha256="ab" * 32,
        settings=recipes["blend"],
    )


@pytest.fixture
def write(trained, columns, tmp_path):
    """Writes a bundle; what a test does not say is ordinary."""

    def written(folder="7", **changes):
        said = {
            "name": "churn",
            "version": "7",
            "threshold": THRESHOLD,
            "metrics": {"roc_auc": {"value": 0.85, "interval": [0.84, 0.86]}},
            "git_commit": "0123abc",
            "profile": "full",
            "model_card": "# A model\n",
            "created": THEN,
        }
        return write_bundle(tmp_path / folder, trained, columns, **said | changes)

    return written


def listing(folder):
    return {path.name for path in folder.iterdir()}


def test_a_bundle_is_native_files_and_a_manifest_of_them_all(write, contract):
    folder = write()

    manifest = verify_bundle(folder)

    assert manifest.model.profile == "full"
    files = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert set(manifest.files) == files - {"manifest.json"}
    assert {path.rsplit(".", 1)[1] for path in files} == {"json", "txt", "npz", "md"}
    assert manifest.files["golden.json"].size == (folder / "golden.json").stat().st_size
    assert (manifest.model.name, manifest.model.version, manifest.model.kind) == (
        "churn", "7", "blend",
    )  # fmt: skip
    assert manifest.model.rows == 1500
    assert manifest.model.settings["members"] == ["spline_logistic", "gbm"]
    assert manifest.contract.digest == contract.digest()
    assert manifest.data_sha256 == "ab" * 32
    assert (manifest.git_commit, manifest.created, manifest.threshold) == (
        "0123abc", THEN, THRESHOLD,
    )  # fmt: skip
    assert manifest.metrics == {"roc_auc": {"value": 0.85, "interval": [0.84, 0.86]}}
    assert {"python", "numpy", "lightgbm", "scikit-learn"} <= set(manifest.libraries)


def test_what_nobody_knows_is_left_out(write):
    manifest = verify_bundle(write(git_commit=None, model_card=None))
    assert manifest.git_commit is None
    assert "MODEL_CARD.md" not in manifest.files


def test_the_loaded_scorer_knows_its_version_threshold_and_contract(write, contract):
    scorer = Scorer.load(write())
    assert (scorer.version, scorer.threshold, scorer.contract) == ("7", 0.3, contract)
    assert scorer.manifest.metrics["roc_auc"]["value"] == 0.85


def test_golden_rows_cover_every_category_the_extremes_and_the_blank(write, contract, columns):
    rows = [golden.row for golden in read_golden(write())]

    for column in contract.features:
        seen = {row[column.name] for row in rows}
        if isinstance(column, NumberColumn):
            extremes = {column.minimum, column.maximum}
            extremes |= {columns[column.name].min(), columns[column.name].max()}
            assert extremes <= seen, column.name
        else:
            assert seen == set(column.categories), column.name
    assert {row["tenure"] for row in rows if row["TotalCharges"] == ""} == {0}


def test_no_golden_row_is_a_customer(write, telco):
    names = [column.name for column in telco.contract.features]
    people = {tuple(map(str, row)) for row in telco.frame[names].itertuples(index=False)}
    rows = read_golden(write())
    assert len(rows) >= 10
    for golden in rows:
        assert list(golden.row) == names  # no id, no target
        assert tuple(str(value) for value in golden.row.values()) not in people


def test_the_reference_is_the_training_rows(write, contract, columns, trained):
    reference = read_reference(write() / "reference.npz", contract)

    assert reference.rows == 1500
    for column in contract.coded:
        counts = reference.categories[column.name]
        assert counts.tolist() == [
            int((columns[column.name] == code).sum()) for code in range(len(column.categories))
        ]
    numbers = {name: columns[name] for name in reference.numbers}
    for name, values in (numbers | {"": trained.probability(columns)}).items():
        found = reference.numbers[name] if name else reference.scores
        assert found.quantiles[[0, 500, 1000]].tolist() == [
            values.min(), np.quantile(values, 0.5, method="inverted_cdf"), values.max(),
        ]  # fmt: skip
        assert np.isin(found.quantiles, values).all()
        histogram, _ = np.histogram(values, np.r_[-np.inf, found.edges, np.inf])
        assert found.counts.tolist() == histogram.tolist()
        assert found.counts.sum() == 1500
        assert 10 <= len(found.counts) <= 20


def test_equal_models_are_equal_bundles(write):
    first, second = write("first"), write("second")
    before, after = (
        {path.relative_to(one): path.read_bytes() for path in one.rglob("*") if path.is_file()}
        for one in (first, second)
    )
    assert len(before) > 5
    assert before == after


def test_writing_the_same_again_changes_nothing(write, tmp_path):
    folder = write()
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}

    later = write(created=datetime(2026, 6, 1, tzinfo=UTC))

    assert later == folder
    assert before == {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert listing(tmp_path) == {"7"}


def test_a_bundle_that_was_written_without_a_commit_is_kept(write):
    before = verify_bundle(write(git_commit=None))

    assert verify_bundle(write(git_commit="0123abc")) == before


def test_a_bundle_of_the_same_model_that_another_release_wrote_is_kept(write, monkeypatch):
    # given a version that is promoted again after an upgrade
    before = verify_bundle(write())
    monkeypatch.setattr("churn.scoring.bundle.write._libraries", lambda: {"numpy": "99.0"})

    assert verify_bundle(write(model_card="in the words of a later release")) == before


@pytest.mark.parametrize("commit", ["0123abc", "ab" * 20 + " with changes"])
def test_a_commit_may_say_that_files_differed_from_it(write, commit):
    assert verify_bundle(write(git_commit=commit)).git_commit == commit


@pytest.mark.parametrize(
    "change",
    [{"metrics": {}}, {"threshold": Threshold(value=0.4, basis="profit")}],
)
def test_a_version_never_changes(write, tmp_path, change):
    before = (write() / "manifest.json").read_bytes()
    with pytest.raises(BundleError, match="is there already with other content; a version never"):
        write(**change)
    assert (tmp_path / "7" / "manifest.json").read_bytes() == before
    assert listing(tmp_path) == {"7"}


def test_a_folder_of_something_else_is_not_written_over(write, tmp_path):
    (tmp_path / "7").mkdir()
    (tmp_path / "7" / "mine.txt").write_text("mine")
    with pytest.raises(BundleError, match="holds no bundle"):
        write()
    assert listing(tmp_path / "7") == {"mine.txt"}


def test_a_place_that_cannot_be_written_to_is_named(write, tmp_path):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(BundleError, match="cannot be written: "):
        write("file/7")
    assert listing(tmp_path) == {"file"}


def test_the_time_is_kept_in_utc(write):
    summer = THEN.astimezone(timezone(timedelta(hours=2)))
    assert '"2026-05-04T12:30:00Z"' in (write(created=summer) / "manifest.json").read_text()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"version": "../7"}, r"version '\.\./7' cannot name a bundle"),
        ({"version": ""}, "version '' cannot name a bundle"),
        ({"version": "7\n"}, r"cannot name a bundle"),
        ({"name": ""}, r"with this name: "),
        ({"git_commit": "not a commit"}, "with this git_commit: "),
        ({"metrics": {"roc_auc": float("nan")}}, "must be JSON values"),
        ({"metrics": {"roc_auc": object()}}, "must be JSON values"),
        ({"created": datetime(2026, 5, 4)}, "with this created: "),  # noqa: DTZ001
    ],
)  # fmt: skip
def test_what_cannot_be_said_is_refused_before_anything_is_there(write, tmp_path, change, message):
    with pytest.raises(InputError, match=message):
        write(**change)
    assert listing(tmp_path) == set()


def test_a_bundle_without_training_rows_is_refused(trained, columns, tmp_path):
    none = {name: values[:0] for name, values in columns.items()}
    with pytest.raises(InputError, match="needs the rows its model was trained on"):
        write_bundle(
            tmp_path / "7", trained, none, name="churn", version="7", threshold=THRESHOLD,
            metrics={},
        )  # fmt: skip
    assert listing(tmp_path) == set()


@pytest.mark.parametrize("stop", [KeyboardInterrupt, OSError(28, "No space left on device")])
@pytest.mark.parametrize("where", ["save_model", "_file_facts", "Scorer"])
def test_an_interrupted_write_leaves_nothing(write, tmp_path, monkeypatch, stop, where):
    def interrupted(*_):
        raise stop

    class Interrupted:
        load = interrupted

    monkeypatch.setattr(writing, where, Interrupted if where == "Scorer" else interrupted)
    with pytest.raises(KeyboardInterrupt if stop is KeyboardInterrupt else BundleError):
        write()
    assert listing(tmp_path) == set()
    monkeypatch.undo()
    assert write().is_dir()


def test_a_process_killed_while_writing_leaves_no_bundle(write, tmp_path):
    script = (
        "import os, sys; from pathlib import Path; from churn.durable import new_folder\n"
        "with new_folder(Path(sys.argv[1])) as folder:\n"
        "    (folder / 'contract.json').write_text('{')\n"
        "    os._exit(9)"
    )
    died = subprocess.run([sys.executable, "-c", script, tmp_path / "7"], check=False)

    assert died.returncode == 9
    assert not (tmp_path / "7").exists()
    assert Scorer.load(write()).version == "7"


def test_a_model_that_serves_otherwise_than_it_trained_is_not_written(
    write, trained, tmp_path, monkeypatch
):
    logit = trained.logit
    monkeypatch.setattr(TrainedModel, "logit", lambda self, columns: logit(columns) + 1e-8)
    with pytest.raises(BundleError, match=r"does not score as it was trained: golden\.json row 1"):
        write()
    assert listing(tmp_path) == set()


NO_PICKLE = """
import pickle, sys
from pathlib import Path
from churn.scoring import Scorer
from churn.scoring.bundle import read_golden, read_reference
import lightgbm, scipy.special  # what libraries unpickle for themselves, they have done by now

seen = []
sys.addaudithook(lambda event, _: seen.append(event) if event.startswith("pickle.") else None)
for name in ("load", "loads", "Unpickler", "_load", "_loads", "_Unpickler"):
    def refuse(*_, name=name, **__):
        seen.append(name)
        raise AssertionError(f"pickle.{name} was called")
    setattr(pickle, name, refuse)
scorer = Scorer.load(Path(sys.argv[1]))
scorer.explain(read_golden(Path(sys.argv[1]))[0].row)
read_reference(Path(sys.argv[1]) / "reference.npz", scorer.contract)
print(scorer.version, seen)
"""


def test_loading_unpickles_nothing(write, root):
    answer = subprocess.run(
        [sys.executable, "-c", NO_PICKLE, write()],
        cwd=root, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert answer.stdout.strip() == "7 []", answer.stderr


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of the disassembler, at random bytes
def test_no_file_of_a_bundle_is_a_pickle(write):
    import pickletools

    pieces = {}
    for path in write().rglob("*"):
        if path.suffix == ".npz":
            with zipfile.ZipFile(path) as archive:
                pieces |= {name: archive.read(name) for name in archive.namelist()}
            with np.load(path, allow_pickle=False) as arrays:
                assert all(not arrays[name].dtype.hasobject for name in arrays.files)
        if path.is_file():
            pieces[path.name] = path.read_bytes()

    assert len(pieces) > 20
    for content in pieces.values():
        with pytest.raises(ValueError, match=r"."):
            for _ in pickletools.genops(content):
                pass


def test_the_golden_file_is_what_the_model_said_at_training_time(write, trained):
    folder = write()
    scorer = Scorer.load(folder)
    golden = json.loads((folder / "golden.json").read_text())["rows"]
    columns = scorer.columns([one["row"] for one in golden])
    assert [one["logit"] for one in golden] == trained.logit(columns).tolist()
    assert [one["probability"] for one in golden] == trained.probability(columns).tolist()


def test_the_calibration_travels_with_the_reference(write, contract, columns, trained):
    found = read_reference(write() / "reference.npz", contract)

    known = build_reference(columns, trained.probability(columns), contract)
    assert found.calibration.sample.tolist() == known.calibration.sample.tolist()
    assert found.calibration.sizes.tolist() == known.calibration.sizes.tolist()
    assert found.calibration.smallest.tolist() == known.calibration.smallest.tolist()


def test_a_reference_of_an_earlier_release_has_no_calibration(root, contract):
    bundle = root / "tests" / "releases" / "0.1.0" / "production" / "bundles" / "1"
    assert read_reference(bundle / "reference.npz", contract).calibration is None


def test_a_calibration_of_a_later_release_is_read_as_none(write, contract, tmp_path):
    with np.load(write() / "reference.npz") as arrays:
        later = dict(arrays) | {"calibration/version": np.array([2])}
    np.savez(tmp_path / "later.npz", **later)
    assert read_reference(tmp_path / "later.npz", contract).calibration is None


def test_a_bundle_of_an_earlier_release_is_kept_although_its_reference_lacks_the_calibration(
    write, monkeypatch
):
    with monkeypatch.context() as earlier:
        earlier.setattr(
            writing,
            "build_reference",
            lambda *given: dataclasses.replace(build_reference(*given), calibration=None),
        )
        folder = write()
    before = (folder / "reference.npz").read_bytes()

    assert write() == folder
    assert (folder / "reference.npz").read_bytes() == before
