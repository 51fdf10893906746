"""What libraries and Python itself would write to stderr, as lines of our log.

uvicorn's and asyncio's lines, warnings, and exceptions that nobody caught: each is one JSON object on one
line. The text of an exception stays out, as it may hold a customer's values; its type and the places that
it passed stay in.
"""

from __future__ import annotations

import logging
import sys
import threading
import traceback
from types import TracebackType

from churn.errors import one_line
from service.core.log import log

_LONGEST = 300
_FRAMES = 20


class _LogHandler(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        """Writes a record as a line of our log."""
        try:
            text = record.getMessage()
        except Exception:  # noqa: BLE001 - the library's mistake costs its arguments, not the line
            text = str(record.msg)
        lines = text.splitlines()
        facts = _facts_of_text(lines)
        if record.exc_info:
            facts = describe(*record.exc_info[1:])
        level = record.levelname.lower()
        # What follows the first line is a traceback or asyncio's list of the objects at hand.
        message = one_line(lines[0])[:_LONGEST] if lines else ""
        log(level, "library", logger=record.name, message=message, **facts)


def log_libraries() -> None:
    """Sends to our log, from now on, what would be written to stderr in other forms."""
    logging.basicConfig(handlers=[_LogHandler()], level=logging.WARNING, force=True)
    logging.captureWarnings(True)
    logging.raiseExceptions = False
    sys.excepthook = _log_exception
    threading.excepthook = _log_thread
    sys.unraisablehook = _log_unraisable


def describe(error: BaseException | None, trace: TracebackType | None) -> dict[str, object]:
    """Returns an exception's type and the places that it passed, without its text."""
    frames = traceback.extract_tb(trace)[-_FRAMES:]
    places = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
    return {"error": type(error).__name__, "trace": places}


def _facts_of_text(lines: list[str]) -> dict[str, object]:
    """The same of a traceback that is the message itself, as uvicorn's about a failed start is."""
    if not lines or not lines[0].startswith("Traceback "):
        return {}
    places = [line.strip() for line in lines if line.startswith('  File "')]
    kind = next((line for line in lines[1:] if not line.startswith(" ")), "")
    return {"error": kind.partition(":")[0], "trace": places[-_FRAMES:]}


def _log_exception(
    _kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    if not isinstance(error, KeyboardInterrupt):
        log("critical", "crashed", **describe(error, trace))


def _log_thread(arguments: threading.ExceptHookArgs) -> None:
    name = arguments.thread.name if arguments.thread is not None else ""
    facts = describe(arguments.exc_value, arguments.exc_traceback)
    log("critical", "thread_crashed", thread=name, **facts)


def _log_unraisable(arguments: sys.UnraisableHookArgs) -> None:
    log("error", "exception_ignored", **describe(arguments.exc_value, arguments.exc_traceback))
