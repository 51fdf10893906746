"""A thread of its own for calls that may hang: nothing else waits for them, not even the process's end.

asyncio's own executor does neither: all its users share a few threads, and Python joins them at the end.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future
from queue import Full, Queue
from threading import Thread
from typing import Any, TypeVar

Result = TypeVar("Result")
_Call = tuple[Future[Any], Callable[[], Any]]


class TooManyCallsError(Exception):
    """As many calls wait as may."""


class BackgroundThread:
    """Runs one call after another."""

    def __init__(self, name: str, *, limit: int) -> None:
        """Starts the thread; at most `limit` calls wait while one runs."""
        self._calls: Queue[list[_Call]] = Queue(limit)
        Thread(target=self._run, name=name, daemon=True).start()

    async def run(self, function: Callable[[], Result]) -> Result:
        """Calls a function on the thread, and returns or raises what it does.

        A call that is cancelled while it waits is never made.

        Raises:
            TooManyCallsError: too many wait.
        """
        future: Future[Result] = Future()
        call: list[_Call] = [(future, function)]
        # If it is cancelled it stays in the queue, but keeps nothing in memory.
        future.add_done_callback(lambda _: call.clear())
        del function
        try:
            self._calls.put_nowait(call)
        except Full:
            raise TooManyCallsError from None
        return await asyncio.wrap_future(future)

    def _run(self) -> None:
        while True:
            _make(self._calls.get())


def _make(call: list[_Call]) -> None:
    for future, function in tuple(call):
        if not future.set_running_or_notify_cancel():
            return
        try:
            result = function()
        except BaseException as error:  # noqa: BLE001 - whoever waits for the call gets it
            future.set_exception(error)
        else:
            future.set_result(result)
