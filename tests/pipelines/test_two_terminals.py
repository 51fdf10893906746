"""Two stacks used at once, in two terminals, with one ZenML configuration between them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

pytestmark = pytest.mark.system


@pytest.fixture(scope="module")
def both(command_line, again, untracked, original):
    """The first two runs once more, at the same time."""
    with ThreadPoolExecutor(2) as terminals:
        tracked = terminals.submit(command_line.train, again.output)
        other = terminals.submit(
            command_line.train,
            untracked.output,
            *("--stack", "local", "--set", f"data.source={original}"),
        )
        return tracked.result(), other.result()


def test_each_ends_on_the_stack_that_it_was_started_on(both):
    for run, stack in zip(both, ("local-mlflow", "local"), strict=True):
        assert run.code == 0, run.stderr
        assert run.result["stack"] == stack


def test_each_finds_what_it_found_alone(both, again, untracked):
    for run, alone in zip(both, (again, untracked), strict=True):
        assert run.result["metrics"] == alone.result["metrics"]


def test_the_stack_that_the_user_has_set_stays_set(both, state):
    assert state()["active_stack"] == "default"
