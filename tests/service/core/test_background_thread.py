"""A background thread makes one call after another; a limit bounds those that wait, and nothing waits for a hung one."""

import asyncio
import gc
import subprocess
import sys
import threading
import weakref

import pytest

from service.core.background_thread import BackgroundThread, TooManyCallsError


class Held:
    """A call that hangs until it is let go."""

    def __init__(self):
        self.begun, self.go = threading.Event(), threading.Event()

    def __call__(self):
        self.begun.set()
        assert self.go.wait(30)
        return "done"


async def begin(thread, call):
    """Hands a call to the thread: its task, once the thread has it or it waits."""
    task = asyncio.create_task(thread.run(call))
    await asyncio.sleep(0)
    return task


def test_it_returns_and_raises_what_the_calls_do_and_survives_them():
    def exit_():
        raise SystemExit(3)

    async def work():
        thread = BackgroundThread("test", limit=1)
        with pytest.raises(ZeroDivisionError):
            await thread.run(lambda: 1 / 0)
        with pytest.raises(SystemExit):
            await thread.run(exit_)
        return await thread.run(lambda: threading.current_thread().name)

    assert asyncio.run(work()) == "test"


def test_as_many_calls_wait_as_may_and_one_more_is_refused():
    async def work():
        thread, held = BackgroundThread("test", limit=2), Held()
        running = await begin(thread, held)
        await asyncio.to_thread(held.begun.wait, 30)
        waiting = [await begin(thread, lambda: "waited") for _ in range(2)]
        with pytest.raises(TooManyCallsError):
            await thread.run(lambda: "one too many")
        held.go.set()
        return [await each for each in (running, *waiting)]

    assert asyncio.run(work()) == ["done", "waited", "waited"]


def test_a_cancelled_call_is_never_made_holds_nothing_and_still_counts():
    class Big:
        def __call__(self):
            pytest.fail("it was cancelled")

    async def work():
        thread, held, big = BackgroundThread("test", limit=1), Held(), Big()
        gone = weakref.ref(big)
        running = await begin(thread, held)
        await asyncio.to_thread(held.begun.wait, 30)
        waiting = await begin(thread, big)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        del big, waiting
        gc.collect()
        assert gone() is None
        with pytest.raises(TooManyCallsError):  # or a hung thread's queue would grow without end
            await thread.run(lambda: "one too many")
        held.go.set()
        assert await running == "done"
        return await thread.run(lambda: "after it")

    assert asyncio.run(work()) == "after it"


def test_a_call_that_hangs_does_not_keep_the_process_from_ending():
    code = (
        "import asyncio, threading\n"
        "from service.core.background_thread import BackgroundThread\n"
        "async def work():\n"
        "    call = BackgroundThread('hung', limit=1).run(threading.Event().wait)\n"
        "    await asyncio.wait_for(call, 0.01)\n"
        "try:\n"
        "    asyncio.run(work())\n"
        "except TimeoutError:\n"
        "    print('ended')\n"
    )

    ended = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )

    assert (ended.returncode, ended.stdout) == (0, "ended\n")
