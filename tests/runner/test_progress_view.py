"""What a person sees while a run is at work, on a terminal and in a log file."""

from __future__ import annotations

import io
import logging

import pytest
from rich.console import Console

from runner.progress_view import ProgressView
from steps.progress import step_progress

LOG = logging.getLogger("churn.progress")


@pytest.fixture
def console() -> Console:
    """A console that is no terminal, such as a log file."""
    return Console(file=io.StringIO(), width=80)


@pytest.fixture
def terminal() -> Console:
    return Console(file=io.StringIO(), width=80, force_terminal=True)


def shown(console: Console) -> str:
    return console.file.getvalue()


def test_a_finished_step_is_a_line_with_what_it_found_and_how_long_it_took(console):
    with ProgressView(console):
        LOG.info("", extra={"step": "split_rows", "event": "start"})
        fields = {"step": "split_rows", "event": "done", "seconds": 1.26}
        LOG.info("5,669 development rows", extra=fields)

    (line,) = shown(console).splitlines()
    assert line.split() == ["✓", "split", "rows", "5,669", "development", "rows", "1.3", "s"]
    assert len(line) <= 80


def test_times_line_up_and_a_long_sentence_is_not_cut(console):
    long = "words " * 30
    with ProgressView(console):
        for sentence in ("short", "a little longer", long):
            LOG.info(sentence, extra={"step": "train_model", "event": "done", "seconds": 0.1})

    first, second, third = shown(console).splitlines()
    assert first.index("0.1 s") == second.index("0.1 s")
    assert long.strip() in third


def test_what_a_step_says_is_no_markup(console):
    with ProgressView(console):
        LOG.info("[bold]5[/] of [x]", extra={"step": "a", "event": "done", "seconds": 0.0})

    assert "[bold]5[/] of [x]" in shown(console)


def test_a_failed_step_is_marked(console):
    with ProgressView(console):
        LOG.info("", extra={"step": "accept_data", "event": "start"})
        LOG.error("secret details", extra={"step": "accept_data", "event": "failed"})

    assert shown(console).split() == ["✗", "accept", "data", "stopped", "here"]


def test_an_alert_that_did_not_arrive_is_a_line_between_the_steps(console):
    with ProgressView(console):
        LOG.warning("The webhook answered 500.", extra={"step": "alert", "event": "warned"})

    assert shown(console).split() == ["!", "alert", "The", "webhook", "answered", "500."]


def test_cached_steps_are_listed_with_what_they_had_found(console):
    with ProgressView(console) as view:
        view.show_cached({"train_model": "blend on 5,669 rows", "split_rows": ""})

    first, second = shown(console).splitlines()
    assert first.split() == ["=", "train", "model", "blend", "on", "5,669", "rows", "cached"]
    assert second.split() == ["=", "split", "rows", "cached"]


def test_on_a_terminal_a_step_at_work_says_how_far_it_is(terminal):
    with ProgressView(terminal) as view:
        view.show_waiting("starting ZenML")
        view._bars.refresh()
        LOG.info("", extra={"step": "select_model", "event": "start"})
        LOG.info("", extra={"step": "select_model", "event": "progress", "done": 3, "total": 5})
        view._bars.refresh()
        LOG.info("blend", extra={"step": "select_model", "event": "done", "seconds": 2.0})

    assert "starting ZenML ..." in shown(terminal)
    assert "3 of 5 splits" in shown(terminal)
    assert view._bars.tasks == []


def test_in_a_log_file_there_are_no_bars(console):
    with ProgressView(console) as view:
        view.show_waiting("starting ZenML")
        view.show_download(10, 100)
        LOG.info("", extra={"step": "select_model", "event": "start"})
        LOG.info("", extra={"step": "select_model", "event": "progress", "done": 3, "total": 5})

    assert shown(console).strip() == ""


@pytest.mark.parametrize("total", [100_000, None], ids=["size known", "size unknown"])
def test_a_download_is_shown_and_the_steps_after_it_too(terminal, total):
    with ProgressView(terminal) as view:
        view.show_download(10_000, total)
        view.show_download(50_000, total)
        view._download.refresh()
        view.show_waiting("starting ZenML")
        view._bars.refresh()

    said = shown(terminal)
    assert "downloading" in said
    assert "50.0" in said
    assert said.rindex("starting ZenML") > said.rindex("downloading")


def test_a_message_of_another_shape_is_none_of_its_business(console):
    with ProgressView(console):
        LOG.info("somebody else's words")
        LOG.info("", extra={"step": "x", "event": "progress", "done": 1, "total": 2})

    assert shown(console) == ""


def test_whatever_happens_it_stops_listening(console):
    before = [*LOG.handlers, LOG.level, LOG.propagate]

    def fail():
        assert len(LOG.handlers) == len(before) - 1
        assert LOG.propagate is False
        raise RuntimeError

    with pytest.raises(RuntimeError), ProgressView(console):
        fail()

    assert [*LOG.handlers, LOG.level, LOG.propagate] == before


def test_a_finished_step_logs_its_finding_and_a_failed_one_none(console):
    def fail(progress):
        progress.record("half a model")
        raise ValueError("broken")

    with ProgressView(console):
        with step_progress("split_rows") as progress:
            progress.record("9 rows", {"rows": 9})
        with pytest.raises(ValueError, match="broken"), step_progress("train_model") as progress:
            fail(progress)

    (line,) = shown(console).splitlines()
    assert line.split()[:5] == ["✓", "split", "rows", "9", "rows"]


def test_rows_have_a_pace_and_the_time_that_is_left(terminal, monkeypatch):
    seconds = iter((0.0, 2.0))
    monkeypatch.setattr("runner.progress_view.time.perf_counter", lambda: next(seconds))
    with ProgressView(terminal) as view:
        LOG.info("", extra={"step": "score_batch", "event": "start"})
        for done in (1000, 3000):
            LOG.info(
                "", extra={"step": "score_batch", "event": "rows", "done": done, "total": 63_000}
            )
        (task,) = view._bars.tasks
        assert task.fields["note"] == "3,000 of 63,000 rows, 1,000 rows/s, 1:00 left"


def test_rows_of_an_unknown_number_are_counted(terminal):
    with ProgressView(terminal) as view:
        LOG.info("", extra={"step": "score_batch", "event": "start"})
        LOG.info("", extra={"step": "score_batch", "event": "rows", "done": 1000, "total": None})
        (task,) = view._bars.tasks
        assert task.fields["note"] == "1,000 rows"
