"""Deepchecks is let in quietly and leaves nothing behind; where it is missing, one sentence."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec

import numpy as np
import pytest

from churn.checks.deepchecks.adapter import load_deepchecks
from churn.checks.deepchecks.numpy_aliases import numpy_aliases
from churn.errors import InputError

OLD = ("Inf", "PINF", "NINF", "NaN")


def values() -> list[object]:
    """What numpy answers to the old names; 'none' where it does not know one."""
    return [getattr(np, name, "none") for name in OLD]


def test_numpy_has_the_old_names_for_as_long_as_they_are_needed():
    assert values() == ["none"] * 4

    with numpy_aliases():
        *infinite, nan = values()

    assert infinite == [float("inf"), float("inf"), float("-inf")]
    assert np.isnan(nan)
    assert values() == ["none"] * 4


def broken_work():
    with numpy_aliases():
        assert values()[:2] == ["somebody's own", float("inf")]
        raise ZeroDivisionError


def test_the_old_names_go_even_when_the_work_fails_and_a_name_that_was_there_stays(monkeypatch):
    monkeypatch.setattr(np, "Inf", "somebody's own", raising=False)

    with pytest.raises(ZeroDivisionError):
        broken_work()

    assert values() == ["somebody's own", "none", "none", "none"]


def test_without_deepchecks_one_sentence_names_the_extra_and_the_command(monkeypatch):
    monkeypatch.setitem(sys.modules, "deepchecks", None)  # as if it were not installed

    with pytest.raises(InputError) as caught, load_deepchecks():
        pass

    said = str(caught.value)
    assert "the extra 'deep' with make setup-deep" in said
    assert said.count(". ") == 0
    assert values() == ["none"] * 4


WATCHED = """
import logging, os, sys, warnings

touched = []

def watch(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo", "subprocess.Popen", "os.fork"):
        touched.append(f"{event} {arguments}")
    elif event == "open" and "deepchecks" in str(arguments[0]):
        if arguments[2] & (os.O_WRONLY | os.O_RDWR) and not str(arguments[0]).endswith(
            (".pyc", ".pyo")
        ) and "__pycache__" not in str(arguments[0]):
            touched.append(f"wrote {arguments[0]}")

import joblib, matplotlib.pyplot, pandas, plotly.io, sklearn.pipeline  # what these do is theirs
import numpy as np
from churn.checks.deepchecks.adapter import load_deepchecks

filters = list(warnings.filters)
sys.addaudithook(watch)
with load_deepchecks() as deepchecks:
    warnings.warn("chatter", FutureWarning)
    logging.getLogger("deepchecks").error("chatter")
    table = pandas.DataFrame({"x": np.arange(400) % 7.0, "y": np.arange(400) % 2})
    data = deepchecks.dataset(table, label="y", cat_features=[], label_type="binary")
    result = deepchecks.suites.data_integrity(random_state=1).run(data, with_display=False)
    parallel = joblib.Parallel(n_jobs=-1)(joblib.delayed(os.getpid)() for _ in range(4))
assert len(result.results) > 5
assert set(parallel) == {os.getpid()}
assert warnings.filters == filters
assert not hasattr(np, "Inf")
assert logging.getLogger("deepchecks").level <= logging.INFO
print(*touched, sep="\\n")
"""


@pytest.mark.slow
@pytest.mark.skipif(find_spec("deepchecks") is None, reason="the extra 'deep' is not installed")
def test_at_work_it_calls_nobody_says_nothing_and_starts_nothing(root, tmp_path):
    drop = ("DISABLE_", "PYTHONDONTWRITEBYTECODE")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(drop)}
    answer = subprocess.run(
        [sys.executable, "-c", WATCHED],
        cwd=tmp_path,
        env=kept | {"PYTHONPATH": str(root), "MPLBACKEND": "Agg"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.strip() == ""
    assert answer.stderr.strip() == ""
