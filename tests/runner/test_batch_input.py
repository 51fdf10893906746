"""Input and output of a batch are checked before anything starts."""

from __future__ import annotations

import pytest

from churn.errors import InputError
from churn.settings.batch_inference import BatchInferenceSettings
from runner.batch_input import require_batch_places
from runner.request import RunRequest, prepare_run
from stacks.spec import load_stack


def check(stack="local", **named):
    require_batch_places(BatchInferenceSettings(**named), load_stack(stack))


@pytest.fixture
def table(root):
    return str(root / "data" / "raw" / "telco.csv")


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({}, "needs its input: name it with --set input=PATH"),
        ({"input": "x.csv"}, "needs its output: name it with --set output=PATH"),
        (
            {"input": "nowhere.csv", "output": "scores"},
            "does not exist. Name an existing file with --set input=PATH.",
        ),
    ],
)
def test_what_is_missing_is_named(given, sentence):
    with pytest.raises(InputError, match=sentence):
        check(**given)


def test_a_new_folder_is_fine_and_is_not_made(table, tmp_path):
    check(input=table, output=str(tmp_path / "new" / "scores"))

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("overrides", [["output.folder=a"], ["output.folder=a", "output=b"]])
def test_the_folder_of_a_run_is_no_setting_of_a_batch(overrides):
    with pytest.raises(InputError, match=r"no setting 'output\.folder'.* variable CHURN_HOME"):
        prepare_run(RunRequest("batch_inference", "local", overrides=overrides))


def test_a_file_is_no_output(table, tmp_path):
    (tmp_path / "scores").touch()

    with pytest.raises(InputError, match="is a file"):
        check(input=table, output=str(tmp_path / "scores"))


@pytest.mark.parametrize(
    "output", ["/scores", "scores", "file:///scores", "sqlite:///x.db?table=a"]
)
def test_an_output_that_only_the_pod_sees_is_refused(output):
    with pytest.raises(InputError, match=f"whose files nobody else sees: output={output[:4]}"):
        check("kubernetes", input="s3://bucket/customers.parquet", output=output)


def test_an_input_that_no_pod_sees_is_refused(table):
    with pytest.raises(InputError, match="whose files nobody else sees: input="):
        check("kubernetes", input=table, output="s3://bucket/scores")


def test_a_bucket_is_fine_in_a_pod():
    check("kubernetes", input="s3://bucket/customers.parquet", output="s3://bucket/scores")
