"""A packed bundle is what MLServer and Seldon Core 2 load: settings, and the bundle beside them."""

import json

import pytest

from churn.errors import BundleError, InputError
from churn.scoring import Scorer
from service.seldon.package import main, package


def test_the_folder_holds_the_bundle_as_it_was_and_settings_that_lead_to_it(shop, tmp_path):
    place = package(shop.store, "8", tmp_path / "models")

    settings = json.loads((place / "model-settings.json").read_text())
    assert place == tmp_path / "models" / "8"
    assert settings == {
        "name": "churn",
        "implementation": "service.seldon.mlserver_runtime.ChurnRuntime",
        "parameters": {"uri": "./bundle", "version": "8"},
    }
    served = Scorer.load(place / settings["parameters"]["uri"])
    assert served.score_one(shop.rows[5]).probability == shop.expected["8"][5]
    assert sorted(one.name for one in (tmp_path / "models").iterdir()) == ["8"]


def test_without_a_version_it_is_the_one_in_production(shop, tmp_path):
    assert package(shop.store, None, tmp_path).name == "7"


def test_a_folder_that_is_there_is_left_alone(shop, tmp_path):
    package(shop.store, "7", tmp_path)
    with pytest.raises(InputError, match="exists; remove it, or pack into another one"):
        package(shop.store, "7", tmp_path)


def test_nothing_is_packed_of_a_bundle_that_is_not_there(shop, tmp_path, capsys):
    with pytest.raises(BundleError, match="holds no bundle"):
        package(shop.store, "12", tmp_path / "models")
    assert not (tmp_path / "models").exists()
    assert main(["--store", str(tmp_path), "--out", str(tmp_path / "models")]) == 1
    assert "has nothing in production" in capsys.readouterr().err


def test_the_command_prints_the_folder(shop, tmp_path, capsys):
    assert main(["--store", str(shop.store), "--version", "8", "--out", str(tmp_path)]) == 0
    assert capsys.readouterr().out == f"{tmp_path / '8'}\n"
