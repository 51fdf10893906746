"""Limits that a stack sets for single steps reach ZenML's configuration of a run."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from runner.execute import configure_pipeline, pipeline_parameters
from runner.request import RunRequest, prepare_run
from stacks.spec import Resources


@pytest.fixture
def configured(tmp_path, session_zenml):
    """The rollback pipeline on a stack that gives its step two cores."""
    request = RunRequest("rollback", "local", overrides=(f"output.folder={tmp_path}",))
    prepared = prepare_run(request)
    run = prepared.spec.run.model_copy(
        update={"steps": {"rollback": {"restore_champion": Resources(cpu=2)}}}
    )
    spec = prepared.spec.model_copy(update={"run": run})
    stack = SimpleNamespace(spec=spec, validator=None)
    pipeline = configure_pipeline(prepared, request, stack, "named")
    pipeline.prepare(**pipeline_parameters(prepared, stack, None))
    return pipeline


def test_a_run_is_compiled_with_the_limits_of_its_steps(configured, monkeypatch):
    compiled = {}

    def compile_run(pipeline, **arguments):
        compiled.update(arguments)
        raise NotImplementedError("this test ends where the run would begin")

    monkeypatch.setattr(type(configured), "_compile", compile_run)

    with pytest.raises(NotImplementedError):
        configured.create_snapshot("named")

    limits = compiled["steps"]["restore_champion"]["settings"]["resources"]
    assert limits.cpu_count == 2
    assert compiled["run_name"] == "named"
