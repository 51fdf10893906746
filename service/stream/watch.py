"""`python -m service.stream.watch`: a live view of a stream that is being scored.

It reads the worker's three topics from now on, in no group, and writes nothing. Without a terminal it
prints a line a second. Settings are those of the worker: see docs/streaming.md.
"""

from __future__ import annotations

import argparse
import os
import select
import signal
import sys
import termios
import threading
import time
import tty
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.live import Live

from churn.command import print_result
from churn.errors import InputError
from service.stream.kafka_clients import silence_client_log
from service.stream.live_view import one_line, render_view
from service.stream.stream_settings import read_settings
from service.stream.stream_watcher import StreamWatcher

_SECONDS_WITHOUT_TERMINAL = 60.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Shows the view until a key, a signal or the time ends it, and returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m service.stream.watch", description=__doc__)
    parser.add_argument("--seconds", type=float, help="for how long (default: until q, or 60)")
    options = parser.parse_args(arguments)
    stop = stop_on_signal()

    def watch() -> str:
        require_seconds(options.seconds)
        settings = read_settings(os.environ)
        silence_client_log()
        with StreamWatcher(settings) as watcher:
            return show(watcher, "Churn scores, live", stop, options.seconds)

    return print_result(watch)


def require_seconds(seconds: float | None) -> None:
    """Checks for how long a view is to be shown.

    Raises:
        InputError: it would end before it begins.
    """
    if seconds is not None and not seconds > 0:  # nor is nan
        raise InputError(f"--seconds is {seconds:g}. Give a number above 0, or leave it out.")


def stop_on_signal() -> threading.Event:
    """What is set when somebody ends the program: by Ctrl-C, a signal, or closing the terminal."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: stop.set())
    return stop


def show(
    watcher: StreamWatcher,
    title: str,
    stop: threading.Event,
    seconds: float | None,
    *,
    check: Callable[[], None] = lambda: None,
    console: Console | None = None,
) -> str:
    """Shows the view until `q`, `stop` or the time ends it; the last figures on one line.

    Args:
        watcher: reads the topics.
        title: says what is shown.
        stop: ends it when set.
        seconds: for how long; None for no end on a terminal, and a minute without one.
        check: is called again and again, and ends the view with what it raises.
        console: where it is shown; None for stdout.

    Raises:
        ChurnError: the brokers cannot be used.
    """
    console = console or Console()
    on_terminal = console.is_terminal and sys.stdin.isatty()
    if seconds is None and not on_terminal:
        seconds = _SECONDS_WITHOUT_TERMINAL
    ends = float("inf") if seconds is None else time.monotonic() + seconds
    with _screen(console, watcher, title) if on_terminal else _lines(console, watcher) as draw:
        while not stop.is_set() and time.monotonic() < ends and draw().lower() != "q":
            check()
            watcher.read()
    return one_line(watcher.figures)


@contextmanager
def _screen(console: Console, watcher: StreamWatcher, title: str) -> Iterator[Callable[[], str]]:
    """Yields what draws the view and returns the key that was pressed, empty for none."""
    before = termios.tcgetattr(sys.stdin)
    try:
        tty.setcbreak(sys.stdin)
        with Live(console=console, auto_refresh=False, screen=True) as live:

            def draw() -> str:
                live.update(render_view(watcher.figures, watcher.reasons, title), refresh=True)
                pressed = select.select([sys.stdin], [], [], 0)[0]
                return os.read(sys.stdin.fileno(), 1).decode("latin-1") if pressed else ""

            yield draw
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)


@contextmanager
def _lines(console: Console, watcher: StreamWatcher) -> Iterator[Callable[[], str]]:
    """Yields what prints the figures, once a second."""
    printed = time.monotonic()

    def draw() -> str:
        nonlocal printed
        if time.monotonic() - printed >= 1:
            printed = time.monotonic()
            console.print(one_line(watcher.figures), soft_wrap=True, highlight=False)
        return ""

    yield draw


if __name__ == "__main__":
    sys.exit(main())
