"""How a run may end: exit code, sentence, JSON, and what reaches the runner."""

from __future__ import annotations

import errno
import json
import os
import sys
from pathlib import Path
from unittest import mock

import pytest

import run
from churn.errors import ChurnError, GateError, InputError
from churn.run_result import RunResult
from runner.outcome import Outcome
from runner.request import RunRequest

pytestmark = pytest.mark.usefixtures("own_process")


def test_what_a_library_prints_does_not_spoil_the_json(capfd, monkeypatch):
    def noisy(request, *, on_wait, on_bytes=None):
        sys.stdout.write("from Python\n")
        os.write(1, b"from C\n")
        return Outcome("training", "completed", "local", metrics={"protocol.roc_auc": 0.85})

    monkeypatch.setattr("runner.execute.execute", noisy)

    code = run.main(["--pipeline", "training", "--json"])

    said = capfd.readouterr()
    assert code == 0
    assert json.loads(said.out)["metrics"] == {"protocol.roc_auc": 0.85}
    assert "from Python" in said.err
    assert "from C" in said.err


@pytest.mark.parametrize(
    ("error", "code", "status", "reason"),
    [
        (InputError("Bad table."), 2, "refused", "Bad table."),
        (GateError("Not good enough."), 3, "held", "Not good enough."),
        (ChurnError("The tracker is away."), 1, "failed", "The tracker is away."),
        (KeyboardInterrupt(), 130, "interrupted", "Stopped by Ctrl-C;"),
        (
            RuntimeError("the disk\nis gone"),
            1,
            "failed",
            "RuntimeError: the disk is gone. Run it again with --verbose to see where.",
        ),
        (ZeroDivisionError(), 1, "failed", "ZeroDivisionError: no reason given. Run it again"),
        (
            OSError(errno.ENOSPC, "No space left on device", "customers.parquet"),
            2,
            "refused",
            "The run could not write on: No space left on device. Free some space, or choose",
        ),
        (
            RuntimeError("(sqlite3.OperationalError) database or disk is full"),
            2,
            "refused",
            "The run could not write on: database or disk is full. Free some space, or choose",
        ),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else "",
)
def test_every_way_to_end_badly_has_its_exit_code_and_sentence(
    capfd, monkeypatch, error, code, status, reason
):
    monkeypatch.setattr("runner.execute.execute", mock.Mock(side_effect=error))

    assert run.main(["--pipeline", "training", "--json"]) == code

    said = capfd.readouterr()
    outcome = json.loads(said.out)
    assert outcome["status"] == status
    assert outcome["error"].startswith(reason)
    assert f"{status}: {reason}" in said.err
    assert "Traceback" not in said.err


def test_what_a_refused_run_had_found_out_is_in_the_json(capfd, monkeypatch):
    error = InputError("Bad rows.")
    error.result = RunResult(status="refused", sentence="Bad rows.")
    monkeypatch.setattr("runner.execute.execute", mock.Mock(side_effect=error))

    run.main(["--pipeline", "batch_inference", "--json"])

    assert json.loads(capfd.readouterr().out)["result"] == {
        "status": "refused",
        "sentence": "Bad rows.",
    }


def test_verbose_shows_where_it_went_wrong_and_hints_no_more(capfd, monkeypatch):
    monkeypatch.setattr("runner.execute.execute", mock.Mock(side_effect=RuntimeError("boom")))

    assert run.main(["--pipeline", "training", "--verbose"]) == 1

    said = capfd.readouterr().err
    assert "RuntimeError: boom.\n" in said
    assert "Traceback" in said
    assert "--verbose" not in said.partition("Traceback")[0]


def test_what_an_error_notes_is_shown_below_it(capfd, monkeypatch):
    error = InputError("Bad table.")
    error.add_note("report: /here/quality.html")
    monkeypatch.setattr("runner.execute.execute", mock.Mock(side_effect=error))

    run.main(["--pipeline", "training"])

    assert capfd.readouterr().err.endswith("refused: Bad table.\nreport: /here/quality.html\n")


def test_what_is_asked_for_reaches_the_runner(monkeypatch, capfd):
    requests: list[RunRequest] = []

    def execute(request, *, on_wait, on_bytes=None):
        requests.append(request)
        return Outcome(request.pipeline, "held", request.stack, error="Held.")

    monkeypatch.setattr("runner.execute.execute", execute)

    where = ["--stack", "local", "--config", "a.yaml", "--set", "a=1", "--set", "b=2"]
    code = run.main(["--pipeline", "training", *where, "--no-cache", "--verbose"])

    assert code == 3
    assert requests == [
        RunRequest(
            "training",
            stack="local",
            config=Path("a.yaml"),
            overrides=("a=1", "b=2"),
            cache=False,
            verbose=True,
        )
    ]
    run.main(["--pipeline", "training"])
    assert requests[1] == RunRequest("training", stack="local-mlflow")
