"""Placeholders in stack files: filled from what is given and from the environment, or named."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from churn.errors import InputError
from stacks.placeholders import PlaceholderFiller, variables
from stacks.spec import StackSpec

BUCKET = "s3://${env:STACK_BUCKET}/zenml"


def spec(**more) -> StackSpec:
    return StackSpec.model_validate(
        {
            "name": "cloud",
            "description": "A stack.",
            "components": {
                "orchestrator": {"use": "default"},
                "artifact_store": {
                    "name": "churn-store",
                    "flavor": "s3",
                    "configuration": {
                        "path": BUCKET,
                        "key": "{{churn-cloud.s3_key}}",
                        "client_kwargs": {"endpoint_url": "${env:STACK_S3_ENDPOINT:-}"},
                    },
                },
            },
            **more,
        }
    )


def configuration(filled: StackSpec) -> dict:
    return filled.components["artifact_store"].configuration


def test_a_variable_is_read_from_the_environment_also_inside_of_other_values():
    filled = spec().resolved({}, {"STACK_BUCKET": "b", "STACK_S3_ENDPOINT": "http://s3:9000"})

    assert configuration(filled)["path"] == "s3://b/zenml"
    assert configuration(filled)["client_kwargs"] == {"endpoint_url": "http://s3:9000"}


def test_a_default_replaces_a_variable_that_is_not_set():
    filled = spec().resolved({}, {"STACK_BUCKET": "b"})

    assert configuration(filled)["client_kwargs"] == {"endpoint_url": ""}


def test_a_reference_to_a_secret_is_left_to_zenml():
    filled = spec().resolved({}, {"STACK_BUCKET": "b"})

    assert configuration(filled)["key"] == "{{churn-cloud.s3_key}}"


def test_every_variable_that_is_missing_is_named_at_once_with_a_place_that_wants_it():
    stack = spec(
        server={"url": "${env:STACK_ZENML_URL}", "api_key": "${env:STACK_ZENML_API_KEY}"},
    )

    with pytest.raises(InputError) as refused:
        stack.resolved({}, {"STACK_ZENML_URL": "http://zenml"})

    sentence = str(refused.value)
    assert "STACK_BUCKET (for components.artifact_store.configuration.path)" in sentence
    assert "STACK_ZENML_API_KEY (for server.api_key)" in sentence
    assert "STACK_ZENML_URL" not in sentence
    assert "STACK_S3_ENDPOINT" not in sentence
    assert "\n" not in sentence


def test_a_variable_that_is_set_to_nothing_counts_as_missing():
    with pytest.raises(InputError, match="STACK_BUCKET"):
        spec().resolved({}, {"STACK_BUCKET": ""})


def test_the_variables_that_a_stack_needs_can_be_listed():
    assert spec().variables() == ["STACK_BUCKET"]


def test_a_value_that_does_not_fit_once_it_is_filled_in_is_named():
    stack = spec(run={"retry": {"times": 1}, "resources": {"memory": "2GiB"}})
    assert stack.run.retry.times == 1

    with pytest.raises(InputError, match=r"run\.resources\.memory"):
        StackSpec.model_construct(
            **{
                **stack.__dict__,
                "run": stack.run.model_copy(
                    update={
                        "resources": stack.run.resources.model_copy(
                            update={"memory": "${env:MEMORY}"}
                        )
                    }
                ),
            }
        ).resolved({}, {"STACK_BUCKET": "b", "MEMORY": "much"})


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_a_document_without_placeholders_stays_as_it_is(document):
    if "${" in str(document):
        return
    filling = PlaceholderFiller("any", {}, {})

    assert filling.fill(document) == document
    assert variables(document) == []
