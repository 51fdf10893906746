"""Applying stacks into a real ZenML configuration (this session's own, on SQLite)."""

from __future__ import annotations

from pathlib import Path

import pytest

from churn.errors import InputError
from stacks.apply import activate, apply_stack
from stacks.spec import ExistingComponent, OwnComponent, StackSpec, load_stack


@pytest.fixture(scope="module", autouse=True)
def zenml_of_this_session(session_zenml: Path) -> Path:
    return session_zenml


def _tracker(state: Path) -> str:
    from zenml.client import Client
    from zenml.enums import StackComponentType

    component = Client().get_stack_component(
        StackComponentType.EXPERIMENT_TRACKER, "churn-mlflow", allow_name_prefix_match=False
    )
    return str(component.configuration["tracking_uri"])


def test_a_second_application_changes_nothing(tmp_path: Path) -> None:
    spec = load_stack("local-mlflow")
    apply_stack(spec, {"state": str(tmp_path)})

    again = apply_stack(spec, {"state": str(tmp_path)})

    assert again.changes == ()
    assert again.tracker == "churn-mlflow"


def test_a_moved_state_folder_updates_the_tracker_in_place(tmp_path: Path) -> None:
    spec = load_stack("local-mlflow")
    before = apply_stack(spec, {"state": str(tmp_path / "old")})

    after = apply_stack(spec, {"state": str(tmp_path / "new")})

    assert after.id == before.id
    assert after.changes == ("update experiment_tracker churn-mlflow",)
    assert _tracker(tmp_path) == f"sqlite:///{tmp_path}/new/mlflow.db"


def test_activation_is_for_this_process_and_leaves_the_users_choice(
    tmp_path: Path, session_zenml: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from zenml.client import Client

    monkeypatch.setenv("ZENML_ACTIVE_STACK_ID", "")  # put back as it was when the test ends
    Client().activate_stack("default")
    chosen_by_the_user = (session_zenml / "config.yaml").read_text()
    stack = apply_stack(load_stack("local"), {"state": str(tmp_path)})

    activate(stack)

    assert Client().active_stack_model.name == "local"
    assert (session_zenml / "config.yaml").read_text() == chosen_by_the_user


def test_a_process_whose_main_module_has_no_file_can_apply_a_stack(
    tmp_path: Path, session_zenml: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from zenml.client import Client
    from zenml.utils.source_utils import set_custom_source_root

    import __main__

    Client().activate_stack("default")
    for stack in Client().list_stacks(name="local-mlflow"):
        Client().delete_stack(stack.id)
    set_custom_source_root(None)
    monkeypatch.setattr(__main__, "__file__", None)  # as in a worker of Dagster's

    assert apply_stack(load_stack("local-mlflow"), {"state": str(tmp_path)}).changes


def test_a_stack_of_another_project_is_never_changed(tmp_path: Path) -> None:
    from zenml.client import Client
    from zenml.enums import StackComponentType

    client = Client()
    theirs = client.create_stack(
        name="theirs",
        components={
            StackComponentType.ORCHESTRATOR: "default",
            StackComponentType.ARTIFACT_STORE: "default",
        },
    )
    spec = load_stack("local-mlflow").model_copy(update={"name": "theirs"})

    with pytest.raises(InputError, match="'theirs' that this project did not make"):
        apply_stack(spec, {"state": str(tmp_path)})

    assert StackComponentType.EXPERIMENT_TRACKER not in client.get_stack(theirs.id).components


def test_a_component_of_another_project_is_never_changed(tmp_path: Path) -> None:
    from zenml.client import Client
    from zenml.enums import StackComponentType

    client = Client()
    client.create_stack_component(
        name="churn-tracker-of-theirs",
        flavor="mlflow",
        component_type=StackComponentType.EXPERIMENT_TRACKER,
        configuration={"tracking_uri": "sqlite:////elsewhere/mlflow.db"},
    )
    spec = StackSpec(
        name="clash",
        description="A stack whose tracker's name is taken.",
        components={
            "orchestrator": ExistingComponent(use="default"),
            "artifact_store": ExistingComponent(use="default"),
            "experiment_tracker": OwnComponent(
                name="churn-tracker-of-theirs",
                flavor="mlflow",
                configuration={"tracking_uri": "sqlite:////ours/mlflow.db"},
            ),
        },
    )

    with pytest.raises(InputError, match="'churn-tracker-of-theirs' that this project did not"):
        apply_stack(spec, {})

    assert "clash" not in {stack.name for stack in client.list_stacks().items}


def test_a_component_that_does_not_exist_is_named() -> None:
    spec = StackSpec(
        name="half",
        description="A stack that wants what is not there.",
        components={"orchestrator": ExistingComponent(use="airflow-prod")},
    )
    with pytest.raises(InputError, match="uses the orchestrator 'airflow-prod'"):
        apply_stack(spec, {})


def test_an_unknown_component_type_is_named() -> None:
    spec = StackSpec(
        name="odd",
        description="A stack with a component type ZenML does not have.",
        components={"validator": ExistingComponent(use="default")},
    )
    with pytest.raises(InputError, match="component type 'validator'"):
        apply_stack(spec, {})
