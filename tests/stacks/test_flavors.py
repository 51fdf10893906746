"""Own flavors in a real ZenML: registered once, never over somebody else's, and used by a stack."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from churn.checks.validators.validator_report import DataValidator, ValidatorReport
from churn.data.split import split_rows
from churn.errors import InputError
from stacks.flavors.flavor_catalog import FLAVORS
from stacks.spec import StackSpec, load_stack

if TYPE_CHECKING:
    from stacks.apply import AppliedStack


@pytest.fixture
def client(session_zenml: Path) -> Any:
    from zenml.client import Client

    return Client()


def test_the_catalog_is_read_without_zenml(root: Path) -> None:
    code = "import sys, stacks.flavors.flavor_catalog; print('zenml' in sys.modules, 'pandas' in sys.modules)"

    ended = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True
    )

    assert ended.stdout.split() == ["False", "False"]


def test_registering_twice_changes_nothing(client) -> None:
    from stacks.flavors.register import missing_flavors, register_flavors

    register_flavors(client, FLAVORS)

    assert register_flavors(client, FLAVORS) == []
    assert missing_flavors(client, [*FLAVORS, "mlflow"]) == ()
    for name, flavor in FLAVORS.items():
        (found,) = client.list_flavors(name=name, hydrate=True).items
        assert (found.type, found.source) == (flavor.component_type, flavor.source)


def test_a_flavor_of_another_project_is_never_changed(client, monkeypatch) -> None:
    from stacks.flavors import register

    register.register_flavors(client, ["churn-webhook"])
    elsewhere = FLAVORS["churn-webhook"]._replace(source="elsewhere.Webhook")
    monkeypatch.setattr(register, "FLAVORS", {**FLAVORS, "churn-webhook": elsewhere})

    with pytest.raises(InputError) as refused:
        register.register_flavors(client, ["churn-webhook"])

    sentence = str(refused.value)
    assert "'churn-webhook' that points to stacks.flavors.webhook_alerter.WebhookFlavor" in sentence
    assert "zenml alerter flavor delete churn-webhook" in sentence
    assert len(client.list_flavors(name="churn-webhook").items) == 1


@pytest.fixture
def applied(client, tmp_path, monkeypatch) -> Callable[[str], AppliedStack]:
    """Applies a stack and makes it this process's active one, until the test ends."""
    from stacks.apply import activate, apply_stack

    monkeypatch.setenv("ZENML_ACTIVE_STACK_ID", "")

    def made(name: str) -> AppliedStack:
        stack = apply_stack(load_stack(name), {"state": str(tmp_path)})
        activate(stack)
        return stack

    return made


@pytest.mark.parametrize(
    ("stack", "library"),
    [("local-great-expectations", "great_expectations"), ("local-deepchecks", "deepchecks")],
)
def test_a_shipped_stack_brings_its_validator(stack, library, client, applied) -> None:
    if find_spec(library) is None:
        pytest.skip(f"{library} is an extra and not installed")

    made = applied(stack)

    validator = client.active_stack.data_validator
    assert validator.name == made.validator == f"churn-{library.replace('_', '-')}"
    assert isinstance(validator, DataValidator)
    assert applied(stack).changes == ()


@pytest.mark.slow
def test_the_stacks_validator_answers_through_zenmls_own_method(
    client, applied, telco, contract
) -> None:
    if find_spec("deepchecks") is None:  # looked up: an import would phone home
        pytest.skip("it is an extra")
    applied("local-deepchecks")
    validator = client.active_stack.data_validator
    rows = split_rows(telco.frame, contract, gate_fraction=0.2, seed=11)
    known, new = (telco.frame.iloc[side[:600]] for side in (rows.development, rows.gate))

    report = validator.data_validation(known, new, contract=contract)

    assert (report.validator, report.reference_rows, report.current_rows) == (
        "Deepchecks",
        600,
        600,
    )
    assert report.verdict != "fail", report.failure_sentence()
    with pytest.raises(InputError, match="does not take a list of checks and 'suite'"):
        validator.data_validation(known, new, ["drift"], contract=contract, suite="all")


@pytest.mark.parametrize(
    ("configuration", "message"),
    [
        ({"drift_limt": 0.2}, "drift_limt"),
        ({"drift_limit": 3}, "less than or equal to 1"),
        ({"suites": ["model_evaluation"]}, "a model is not at hand"),
    ],
    ids=["unknown", "out of range", "no model"],
)
def test_a_configuration_that_is_wrong_makes_no_component(
    client, tmp_path, configuration, message
) -> None:
    from stacks.apply import apply_stack

    spec = _with_validator("wrong", {"name": "churn-wrong", "configuration": configuration})

    with pytest.raises(InputError) as refused:
        apply_stack(spec, {"state": str(tmp_path)})

    assert message in str(refused.value)
    assert not client.list_stack_components(name="churn-wrong").items
    assert not client.list_stacks(name="wrong").items


def test_a_run_on_another_stack_than_it_was_started_for_is_refused(applied) -> None:
    from steps.data.validate_with_stack import stack_validator

    applied("local")

    with pytest.raises(InputError, match="'churn-evidently', but the active stack has none"):
        stack_validator("churn-evidently")


def _with_validator(name: str, changes: dict[str, Any]) -> StackSpec:
    shipped = load_stack("local-deepchecks")
    validator = shipped.components["data_validator"].model_copy(update=changes)
    components = shipped.components | {"data_validator": validator}
    return shipped.model_copy(update={"name": name, "components": components})


@pytest.fixture(scope="module")
def ran(root, isolated_environment, tmp_path_factory, lasting_receiver) -> dict[str, Any]:
    """What ZenML keeps of three runs on a stack with Evidently and a webhook; made once."""
    if find_spec("evidently") is None:
        pytest.skip("Evidently is an extra and not installed")
    folder: Path = tmp_path_factory.mktemp("validator")
    answer = folder / "answer.json"
    script = root / "tests" / "stacks" / "validator_alone.py"
    ended = subprocess.run(
        [sys.executable, script, answer, folder, lasting_receiver.url],
        cwd=folder,
        env=isolated_environment
        | {"PYTHONPATH": str(root), "ZENML_CONFIG_PATH": str(folder / "zenml")},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert ended.returncode == 0, ended.stderr
    alerts = [json.loads(body) for body in lasting_receiver.bodies]
    printed = ended.stdout + ended.stderr
    return json.loads(answer.read_text(encoding="utf-8")) | {"alerts": alerts, "printed": printed}


@pytest.mark.slow
def test_a_step_uses_the_validator_of_the_stack(ran) -> None:
    first = ran["first"]
    report = ValidatorReport.model_validate(first["report"])

    assert "create flavor churn-evidently" in first["changes"]
    assert (report.validator, report.verdict) == ("Evidently", "pass")
    assert (report.reference_rows, report.current_rows) == (5669, 1374)
    assert first["artifact"] == {
        "verdict": "fine",
        "validator": f"Evidently {report.version}",
        "failed": 0,
    }
    assert first["step"]["finding"] == report.sentence
    assert first["pictures"] == ["html"]
    assert first["pages"] == ["first-validator.html"]


@pytest.mark.slow
def test_the_report_is_cached_until_the_stack_changes(ran) -> None:
    assert ran["again"]["statuses"]["validate_with_stack"] == "cached"
    assert ran["strict"]["statuses"]["validate_with_stack"] == "completed"
    assert "update data_validator churn-evidently" in ran["strict"]["changes"]


@pytest.mark.slow
def test_rows_that_fail_stop_the_run_and_their_page_is_kept(ran) -> None:
    strict = ran["strict"]

    assert "Evidently, the stack's data validator, refuses the rows at 'drift'" in strict["refused"]
    assert strict["statuses"]["accept_validation"] == "failed"
    assert "print_verdict" not in strict["statuses"]
    assert strict["artifact"]["verdict"] == "failed"
    assert strict["pages"] == ["strict-validator.html"]


@pytest.mark.slow
def test_the_stacks_alerter_gets_verdicts_and_failures(ran, lasting_receiver) -> None:
    fine, again, failed = ran["alerts"]

    assert (fine["title"], fine["level"], fine["run"]) == ("Rows looked at", "info", "first")
    assert again["run"] == "again"
    assert failed["title"] == "validator_alone stopped at accept validation"
    assert (failed["level"], failed["pipeline"]) == ("error", "validator_alone")
    assert "refuses the rows at 'drift'" in failed["text"]
    assert lasting_receiver.key not in ran["printed"]


def test_deepchecks_judges_a_model_through_zenmls_own_method(
    client, applied, telco, monkeypatch
) -> None:
    from stacks.flavors import deepchecks_validator

    if find_spec("deepchecks") is None:
        pytest.skip("deepchecks is an extra and not installed")
    applied("local-deepchecks")
    arguments: list[Any] = []
    monkeypatch.setattr(
        deepchecks_validator, "validate_with_model", lambda *it: arguments.extend(it)
    )

    client.active_stack.data_validator.model_validation(
        telco.frame[:5], "the model", telco.frame[5:8]
    )

    rows, split, model, settings = arguments
    assert list(rows["customerID"]) == list(telco.frame["customerID"][:8])
    assert (split.development.tolist(), split.gate.tolist()) == ([0, 1, 2, 3, 4], [5, 6, 7])
    assert (model, settings.maximum_rows) == ("the model", 20_000)
