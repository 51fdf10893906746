"""The shipped settings: every file loads, says what the code says, and costs nothing to read."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from churn.errors import InputError
from churn.settings.business_settings import follow_contract
from churn.settings.pipelines import TrainingSettings
from churn.settings.settings_file import load_settings
from runner.pipeline_catalog import PIPELINES

HEAVY = ("lightgbm", "matplotlib", "mlflow", "numpy", "pandas", "pyarrow", "sklearn", "zenml")


def shipped() -> list[tuple[str, str]]:
    """Every pipeline with every profile of its file."""
    cases = []
    for entry in PIPELINES:
        content = yaml.safe_load(entry.configuration.read_text(encoding="utf-8"))
        cases += [(entry.name, profile) for profile in ("full", *content.get("profiles", ()))]
    return cases


def test_every_settings_file_belongs_to_a_pipeline(root):
    files = sorted((root / "configs").glob("*.yaml"))

    assert files == sorted(entry.configuration for entry in PIPELINES)


@pytest.mark.parametrize(("name", "profile"), shipped())
def test_every_shipped_file_loads_under_every_profile(name, profile):
    (entry,) = (each for each in PIPELINES if each.name == name)

    settings = load_settings(entry.settings_class(), entry.configuration, [f"profile={profile}"])

    assert settings.profile == profile


def test_the_shipped_file_says_what_the_defaults_say(root):
    settings = load_settings(TrainingSettings, root / "configs" / "training.yaml")

    said, default = settings.model_dump(), TrainingSettings().model_dump()
    # Only the file speaks of the model in words; what is the business's is left to its contract.
    words = said.pop("model")
    del default["model"]
    assert said == default
    assert words["limitations"]
    assert not any(words[name] for name in ("name", "description", "ethics"))


def test_every_setting_is_shown_in_the_shipped_file(root):
    content = yaml.safe_load((root / "configs" / "training.yaml").read_text(encoding="utf-8"))

    assert set(TrainingSettings.model_fields) - set(content) == {"profile"}
    for name in ("split", "selection", "protocol", "evaluation", "floors", "output"):
        held = TrainingSettings.model_fields[name].annotation
        assert set(content[name]) == set(held.model_fields), name


def test_quick_is_less_of_the_same(root):
    path = root / "configs" / "training.yaml"
    full = load_settings(TrainingSettings, path)
    quick = load_settings(TrainingSettings, path, ["profile=quick"])

    assert quick.selection.repeats < full.selection.repeats
    assert quick.protocol.splits < full.protocol.splits
    assert quick.protocol.bootstrap_samples < full.protocol.bootstrap_samples
    for name in ("data", "split", "candidates", "recipes", "floors", "model", "output"):
        assert getattr(quick, name) == getattr(full, name), name


def test_demo_is_quick_under_another_name(root):
    path = root / "configs" / "training.yaml"
    quick = load_settings(TrainingSettings, path, ["profile=quick"])
    demo = load_settings(TrainingSettings, path, ["profile=demo"])

    fields = TrainingSettings.model_fields
    assert {each for each in fields if getattr(demo, each) != getattr(quick, each)} == {
        "profile",
        "model",
    }


@pytest.mark.parametrize(
    "entry",
    [each for each in PIPELINES if "model" in each.settings_class().model_fields],
    ids=lambda entry: entry.name,
)
def test_a_demonstration_keeps_to_a_registry_of_its_own_on_every_pipeline(entry, root):
    def load(*overrides):
        settings = load_settings(entry.settings_class(), entry.configuration, overrides)
        return follow_contract(settings, root)

    assert load("profile=demo").model.name == "telco-churn-demo"
    for mixed in (["profile=demo", "model.name=telco-churn"], ["model.name=telco-churn-demo"]):
        with pytest.raises(InputError, match="do not go together"):
            load(*mixed)


def test_settings_survive_the_way_into_a_step(root):
    settings = load_settings(TrainingSettings, root / "configs" / "training.yaml")

    sent = json.dumps(settings.model_dump(mode="json"))

    assert TrainingSettings.model_validate_json(sent) == settings


def test_reading_settings_loads_nothing_heavy(root):
    code = (
        "import sys, churn.settings.pipelines, churn.settings.settings_file, pathlib\n"
        "churn.settings.settings_file.load_settings(\n"
        "    churn.settings.pipelines.TrainingSettings, pathlib.Path('configs/training.yaml'))\n"
        f"print(sorted(set({HEAVY!r}) & set(sys.modules)))"
    )

    output = _python(code, root)

    assert output == "[]"


def _python(code: str, root: Path) -> str:
    answer = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True
    )
    return answer.stdout.strip()
