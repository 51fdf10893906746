"""One loop at a time: the newest event of a model names who is at work, with a lease that ends.

A process of this machine has the lock for as long as it lives, whatever the clock says, and loses it
when it is dead. Of a process elsewhere, in another container too, only its lease is known: it ends by
the database's clock, two minutes after it was last renewed. Whoever was overtaken learns it at its
next event, because the number of that event is taken.
"""

from __future__ import annotations

import os
import socket
import threading
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Self

import psutil

from churn.errors import ChurnError
from churn.ledger.retraining_events import (
    EventKind,
    OvertakenError,
    RetrainingEvent,
    RetrainingLedger,
)

LEASE = timedelta(seconds=120)
_RENEWALS = 3  # in a lease
_SAME_SECONDS = 0.05  # a start time is kept with two digits


def this_process() -> str:
    """This process, told from every other: machine, process id and when it was born."""
    return f"{_here()} {os.getpid()} {_born(psutil.Process()):.2f}"


def _here() -> str:
    """Where a process id means one process: host name; on Linux its start and PID namespace, too.

    Two machines may have one name, and so have the containers on a host's network.
    """
    parts = [socket.gethostname()]
    with suppress(OSError):
        parts.append(Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip())
        parts.append(str(Path("/proc/self/ns/pid").readlink()))
    return "/".join(parts)


def _born(process: psutil.Process) -> float:
    """When a process was born; on Linux since the machine's start, as its time of day moves with the clock."""
    since: float = psutil.boot_time() if psutil.LINUX else 0.0
    return float(process.create_time()) - since


def is_held(event: RetrainingEvent, now: datetime) -> bool:
    """Whether the holder of the newest event is still at work."""
    if not event.holder:
        return False
    host, pid, born = event.holder.rsplit(" ", 2)
    if host == _here():
        return _lives(int(pid), float(born))
    # A lease that ends later than any can: a clock was set back, and it means nothing.
    return now < event.lease_until <= now + LEASE


def _lives(pid: int, born: float) -> bool:
    try:
        process = psutil.Process(pid)
        same = abs(_born(process) - born) < _SAME_SECONDS
        return bool(same and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return False


class HeldLoop:
    """The lock of a model while a loop is at work; a context manager that renews the lease."""

    def __init__(
        self,
        ledger: RetrainingLedger,
        model: str,
        *,
        holder: str = "",
        lease: timedelta = LEASE,
    ) -> None:
        """Takes nothing yet.

        Raises:
            ChurnError: a loop of the model is at work.
            InputError: the ledger cannot be used.
        """
        self._ledger = ledger
        self._model = model
        self._holder = holder or this_process()
        self._events = ledger.events(model)
        self._require_free()
        self._lease = lease
        self._adding = threading.Lock()
        self._over = threading.Event()
        self._renewing = threading.Thread(target=self._renew, name="loop-lease", daemon=True)

    @property
    def every_event(self) -> tuple[RetrainingEvent, ...]:
        """The events of all loops, oldest first."""
        return tuple(self._events)

    @property
    def loop(self) -> int:
        """Number of the newest loop; 0 before the first."""
        return self._events[-1].loop if self._events else 0

    @property
    def events(self) -> tuple[RetrainingEvent, ...]:
        """The events of the newest loop, oldest first."""
        return tuple(each for each in self._events if each.loop == self.loop)

    def __enter__(self) -> Self:
        """Begins to renew the lease; the lock is taken by the first event."""
        self._renewing.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stops renewing."""
        self._over.set()
        self._renewing.join()

    def add(self, kind: EventKind, facts: dict[str, Any] | None = None) -> RetrainingEvent:
        """Keeps what was found, and the lock with it; `released` and `closed` give it up.

        Raises:
            ChurnError: another process has the lock by now; nothing was kept.
            InputError: the ledger cannot be used.
        """
        with self._adding:
            return self._add(kind, facts or {})

    def _require_free(self) -> datetime:
        """Returns the time at which no other process had the lock."""
        now = self._ledger.clock()
        newest = self._events[-1] if self._events else None
        if newest is not None and newest.holder != self._holder and is_held(newest, now):
            place, pid, _ = newest.holder.rsplit(" ", 2)
            host = place.partition("/")[0]
            raise ChurnError(
                f"A retraining of '{self._model}' is at work already (process {pid} on {host}, loop "
                f"{newest.loop}); one at a time. Wait until it is done, and start this one again."
            )
        return now

    def _add(self, kind: EventKind, facts: dict[str, Any]) -> RetrainingEvent:
        now = self._require_free()
        newest = self._events[-1] if self._events else None
        at_work = kind not in ("released", "closed")
        event = RetrainingEvent(
            model=self._model,
            number=newest.number + 1 if newest else 1,
            loop=self.loop + (kind == "opened"),
            kind=kind,
            holder=self._holder if at_work else "",
            lease_until=now + self._lease if at_work else now,
            facts=facts,
            recorded_at=now,
        )
        try:
            self._ledger.add(event)
        except OvertakenError:
            raise ChurnError(
                f"Another retraining of '{self._model}' was started meanwhile, so this one stops; what "
                "it has found so far is kept, and the other goes on from there."
            ) from None
        self._events.append(event)
        return event

    def _renew(self) -> None:
        while not self._over.wait(self._lease.total_seconds() / _RENEWALS):
            with self._adding:
                mine = bool(self._events) and self._events[-1].holder == self._holder
                if mine and not self._over.is_set():
                    self._try_to_renew()

    def _try_to_renew(self) -> None:
        try:
            self._add("renewed", {})
        except ChurnError:
            return  # the next event says why
