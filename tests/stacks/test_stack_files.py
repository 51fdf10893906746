"""Stack files: what they may say, and the sentences when they say something else."""

from __future__ import annotations

from pathlib import Path

import pytest

from churn.errors import InputError
from stacks.spec import DEFAULT_STACK, OwnComponent, load_stack, stack_names


def test_the_default_stack_is_listed_first() -> None:
    assert stack_names()[0] == DEFAULT_STACK == "local-mlflow"
    assert "local" in stack_names()


@pytest.mark.parametrize("name", stack_names())
def test_every_shipped_stack_is_valid_and_described(name: str) -> None:
    spec = load_stack(name)
    assert spec.description.endswith(".")
    assert {"orchestrator", "artifact_store"} <= set(spec.components)


def test_an_unknown_stack_lists_the_known_ones_and_the_nearest() -> None:
    with pytest.raises(InputError) as refused:
        load_stack("local-mlfow")
    sentence = str(refused.value)
    assert "known: local-mlflow, cloud, " in sentence
    assert "Did you mean 'local-mlflow'?" in sentence


def test_placeholders_become_absolute_values() -> None:
    spec = load_stack("local-mlflow").resolved({"state": "/srv/churn"})
    tracker = spec.components["experiment_tracker"]
    assert isinstance(tracker, OwnComponent)
    assert tracker.configuration["tracking_uri"] == "sqlite:////srv/churn/mlflow.db"


def test_a_placeholder_without_a_value_is_named() -> None:
    with pytest.raises(InputError, match=r"\$\{state\} at components.experiment_tracker"):
        load_stack("local-mlflow").resolved({})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name: odd\ndescription: d\ncomponents: {}\nextra: 1\n", "extra"),
        ("name: other\ndescription: d\ncomponents: {}\n", "named like its file"),
        ("name: [\n", "is not YAML"),
        (
            "name: odd\ndescription: d\ncomponents:\n  alerter: {name: mine, flavor: slack}\n",
            "components.alerter",
        ),
    ],
    ids=["unknown key", "wrong name", "not yaml", "foreign component name"],
)
def test_a_bad_stack_file_is_refused_in_one_sentence(
    tmp_path: Path, text: str, message: str
) -> None:
    (tmp_path / "odd.yaml").write_text(text)
    with pytest.raises(InputError) as refused:
        load_stack("odd", tmp_path)
    assert message in str(refused.value)
    assert "\n" not in str(refused.value)
