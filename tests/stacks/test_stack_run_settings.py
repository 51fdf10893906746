"""A stack's run settings in ZenML's words."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from stacks.run_settings import pipeline_options
from stacks.spec import RunSettings


def test_a_stack_without_run_settings_configures_nothing():
    assert pipeline_options(RunSettings(), "training") == {}


def test_resources_are_given_to_all_steps_and_to_single_ones_of_one_pipeline():
    settings = RunSettings.model_validate(
        {
            "resources": {"cpu": 1, "memory": "1GiB"},
            "steps": {"training": {"measure_protocol": {"cpu": 4}}},
        }
    )

    training = pipeline_options(settings, "training")
    promotion = pipeline_options(settings, "promotion")

    everywhere = training["settings"]["resources"]
    assert (everywhere.cpu_count, everywhere.memory) == (1, "1GiB")
    single = training["steps"]["measure_protocol"]["settings"]["resources"]
    assert (single.cpu_count, single.memory) == (4, None)
    assert "steps" not in promotion


def test_a_finished_image_is_used_as_it_is_and_nothing_is_built():
    settings = RunSettings.model_validate({"image": {"prebuilt": "registry/churn@sha256:abc"}})

    docker = pipeline_options(settings, "training")["settings"]["docker"]

    assert docker.skip_build
    assert docker.parent_image == "registry/churn@sha256:abc"


def test_without_one_zenml_builds_from_the_lock_alone():
    settings = RunSettings.model_validate({"image": {"requirements": "requirements-stacks.lock"}})

    docker = pipeline_options(settings, "training")["settings"]["docker"]

    assert not docker.skip_build
    assert docker.requirements == "requirements-stacks.lock"
    assert docker.install_stack_requirements is False


def test_failed_steps_are_retried_as_often_as_the_stack_says():
    settings = RunSettings.model_validate({"retry": {"times": 2, "delay_seconds": 5}})

    retry = pipeline_options(settings, "training")["retry"]

    assert (retry.max_retries, retry.delay, retry.backoff) == (2, 5, 2)


def test_settings_of_components_are_handed_on():
    settings = RunSettings.model_validate({"settings": {"orchestrator": {"synchronous": True}}})

    assert pipeline_options(settings, "training")["settings"] == {
        "orchestrator": {"synchronous": True}
    }


@pytest.mark.parametrize(
    "wrong",
    [
        {"resources": {"cpu": 0}},
        {"resources": {"memory": "lots"}},
        {"retry": {"times": 0}},
        {"retires": {"times": 1}},
        {"steps": {"training": {"train_model": {"cpus": 2}}}},
    ],
)
def test_what_makes_no_sense_is_refused(wrong):
    with pytest.raises(ValidationError):
        RunSettings.model_validate(wrong)
