"""How far a replay is: a bar on a terminal, lines elsewhere."""

from __future__ import annotations

from io import StringIO

from rich.console import Console

from service.stream import replay_progress
from service.stream.replay_progress import showing_progress


def test_a_terminal_has_a_bar_of_80_columns():
    out = StringIO()
    console = Console(file=out, force_terminal=True, width=80, color_system=None)
    with showing_progress(30, console) as report:
        report(15)
        report(30)
    bar = out.getvalue().rpartition("\x1b[2K")[2].splitlines()[0]
    assert bar.startswith("replaying ")
    assert "30/30" in bar
    assert len(bar) <= 80


def test_elsewhere_a_line_comes_every_few_seconds(monkeypatch, capsys):
    now = iter([0.0, 1.0, 2.5, 2.5, 3.0, 5.0, 5.0])
    monkeypatch.setattr(replay_progress, "time", FakeTime(now))
    with showing_progress(3000, Console(file=StringIO())) as report:
        for done in (500, 1500, 2000, 3000):
            report(done)
    assert capsys.readouterr().err.splitlines() == [
        "1,500 of 3,000 messages",
        "3,000 of 3,000 messages",
    ]


class FakeTime:
    """A clock of the test's own."""

    def __init__(self, moments):
        self._moments = moments

    def monotonic(self):
        return next(self._moments)
