"""Whatever libraries and Python write to stderr is one JSON object a line, without the text of an exception."""

import json
import subprocess
import sys

import pytest

from tests.servers.logged_process import ROOT

SECRET = "7590-VHVEG"

START = f"""
import asyncio, gc, logging, sys, threading, warnings
from service.core.library_logs import log_libraries
log_libraries()
SECRET = {SECRET!r}
def fail():
    raise ValueError("customer " + SECRET + "\\nsecond line")
"""


def lines_of(code):
    """What a process writes to stderr, line by line, and its exit code."""
    ended = subprocess.run(
        [sys.executable, "-c", START + code],
        cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert SECRET not in ended.stderr
    return [json.loads(line) for line in ended.stderr.splitlines()], ended.returncode


def test_a_librarys_lines_are_ours_from_warnings_on():
    lines, _ = lines_of(
        "logging.getLogger('uvicorn.error').warning('Invalid HTTP request received.')\n"
        "logging.getLogger('a').error('of %d in %s', 3, 'two\\nlines')\n"
        "logging.getLogger('a').info('nothing to see')\n"
        "logging.getLogger('a').error('%d', 'no number')\n"
        "logging.getLogger('a').error('')\n"
    )

    said = [(line["level"], line["event"], line["logger"], line["message"]) for line in lines]
    assert said == [
        ("warning", "library", "uvicorn.error", "Invalid HTTP request received."),
        ("error", "library", "a", "of 3 in two"),
        ("error", "library", "a", "%d"),
        ("error", "library", "a", ""),
    ]


def test_a_traceback_is_its_type_and_its_places():
    [line], _ = lines_of(
        "try:\n    fail()\nexcept ValueError:\n"
        "    logging.getLogger('uvicorn.error').exception('Exception in ASGI application\\n')\n"
    )

    assert line["message"] == "Exception in ASGI application"
    assert line["error"] == "ValueError"
    assert line["trace"][-1].endswith(" fail")


def test_a_traceback_that_is_the_message_itself_loses_its_text_too():
    [line], _ = lines_of(
        "import traceback\n"
        "try:\n    fail()\nexcept ValueError:\n"
        "    logging.getLogger('uvicorn.error').error(traceback.format_exc())\n"
    )

    assert line["error"] == "ValueError"
    assert line["trace"][-1].endswith(" in fail")


def test_a_warning_of_python_is_a_line():
    [line], _ = lines_of("warnings.warn('old\\nand dusty', RuntimeWarning)\n")

    assert line["logger"] == "py.warnings"
    assert "RuntimeWarning: old" in line["message"]


@pytest.mark.parametrize(
    ("code", "event"),
    [
        ("threading.Thread(target=fail, name='ledger').start()\n", "thread_crashed"),
        ("class A:\n    def __del__(self): fail()\nA()\n", "exception_ignored"),
    ],
)
def test_an_exception_that_nobody_caught_is_a_line(code, event):
    [line], _ = lines_of(code)

    assert (line["event"], line["error"]) == (event, "ValueError")
    assert line["trace"][-1].endswith(" fail")


def test_a_process_that_crashes_says_so_in_a_line_and_in_its_exit_code():
    [line], code = lines_of("fail()\n")

    assert (line["level"], line["event"], line["error"]) == ("critical", "crashed", "ValueError")
    assert code == 1


def test_a_task_that_fails_unseen_is_a_line():
    [line], _ = lines_of(
        "async def work():\n"
        "    async def failing(): fail()\n"
        "    task = asyncio.create_task(failing())\n"
        "    await asyncio.sleep(0.01)\n"
        "    del task\n"
        "    gc.collect()\n"
        "asyncio.run(work())\n"
    )

    assert (line["logger"], line["error"]) == ("asyncio", "ValueError")
    assert line["message"] == "Task exception was never retrieved"


def test_ctrl_c_is_no_crash():
    lines, code = lines_of("raise KeyboardInterrupt\n")

    assert lines == []
    assert code != 0
