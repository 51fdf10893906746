"""A run's name tells pipeline, what it is about and when, in as many letters as ZenML's list shows."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from churn.settings.settings_file import load_settings
from runner.pipeline_catalog import find_pipeline
from runner.run_names import run_name

SHOWN = 27  # characters of a name that the list shows on a window 1,280 pixels wide
NOW = datetime(2026, 11, 25, 15, 41, 59, tzinfo=UTC)


def named(pipeline: str, *overrides: str) -> str:
    entry = find_pipeline(pipeline)
    settings = load_settings(entry.settings_class(), entry.configuration, overrides)
    return run_name(pipeline, settings, NOW)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("training",), "training-1125-1541"),
        (("training", "profile=quick"), "training-quick-1125-1541"),
        (("promotion",), "promotion-1125-1541"),
        (("promotion", "challenger=7"), "promotion-v7-1125-1541"),
        (("rollback", "dry_run=true"), "rollback-dry-1125-1541"),
        (("deployment",), "deployment-local-1125-1541"),
        (("deployment", "target=seldon"), "deployment-seldon-1125-1541"),
        (("deployment", "target=kubernetes"), "deployment-k8s-1125-1541"),
        (("deployment", "target=zenml", "dry_run=true"), "deployment-dry-1125-1541"),
        (("deployment", "action=stop"), "deployment-stop-1125-1541"),
    ],
)
def test_a_name_says_what_fits_the_list(arguments, expected):
    name = named(*arguments)

    assert name.startswith(f"{expected}-")
    assert len(expected) <= SHOWN


def test_no_two_runs_of_the_same_minute_have_one_name():
    assert len({named("rollback") for _ in range(50)}) == 50


@pytest.mark.parametrize("challenger", ["../../etc", "a version with blanks", "x" * 40])
def test_what_no_file_could_be_called_stays_out_of_a_name(challenger):
    name = named("promotion", f"challenger={challenger}")

    assert name.startswith("promotion-1125-1541-")
