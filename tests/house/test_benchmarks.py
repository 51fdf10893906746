"""The benchmarks tell what was measured, judge it by its median, and never judge what was not run."""

import os
import sys

import pytest

from benchmarks.goals import Figure, table
from benchmarks.measuring import BenchmarkError, own_environment, run


def figure(*values, binding=True):
    return Figure("a goal", 10, "s", values, "by hand", binding)


def test_one_slow_run_of_three_does_not_miss_the_goal():
    assert figure(9.0, 9.5, 30.0).verdict == "met"
    assert figure(9.0, 10.5, 11.0).verdict == "MISSED"


def test_a_smaller_run_is_not_judged():
    assert figure(99.0, binding=False).verdict == "not judged"


def test_the_table_has_a_row_a_figure_and_columns_that_line_up():
    lines = table([figure(1.0), figure(2.0, 30.0, 4.0)]).splitlines()

    assert len(lines) == 4
    assert len({len(line) for line in lines}) == 1
    assert "4 s" in lines[3]
    assert "2 to 30 (3 runs)" in lines[3]


def test_a_command_is_charged_for_its_own_work_and_memory(tmp_path):
    busy = (
        "import time; b = bytearray(200_000_000)\nwhile time.process_time() < 0.3: pass\nprint(7)"
    )

    idle = run([sys.executable, "-c", "import time; time.sleep(0.3)"], own_environment(tmp_path))
    cost = run([sys.executable, "-c", busy], own_environment(tmp_path))

    assert cost.output == "7\n"
    assert cost.cpu >= 0.3
    assert idle.wall >= 0.3
    assert idle.cpu < cost.cpu
    assert cost.peak - idle.peak > 150e6


def test_a_command_that_fails_gives_no_figure(tmp_path):
    with pytest.raises(BenchmarkError, match=r"exited with 3:\nno such customer"):
        run(
            [
                sys.executable,
                "-c",
                "import sys; print('no such customer', file=sys.stderr); sys.exit(3)",
            ],
            own_environment(tmp_path),
        )


def test_a_measured_run_cannot_see_the_users_state(tmp_path, monkeypatch):
    monkeypatch.setenv("ZENML_ACTIVE_STACK_ID", "mine")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "sqlite:///mine.db")

    environment = own_environment(tmp_path)

    assert environment["HOME"] == environment["ZENML_CONFIG_PATH"].removesuffix("/zenml")
    assert not {"ZENML_ACTIVE_STACK_ID", "MLFLOW_TRACKING_URI"} & set(environment)
    assert environment["PATH"] == os.environ["PATH"]
