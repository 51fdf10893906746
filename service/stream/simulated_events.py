"""What happens to simulated customers: whole rows, updates of some fields, and all that goes wrong."""

from __future__ import annotations

import itertools
import random
from collections import deque
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import msgspec

from service.stream.poison_messages import POISON
from service.stream.simulated_customers import SimulatedCustomers
from service.stream.simulator_settings import UPDATES, SimulatorSettings

KIND_HEADER = "churn-simulated"
"""Says of which kind a message is; the worker hands it on with the score or the rejection."""
KINDS = ("full", *UPDATES, "duplicated", "poison", "unreadable")
"""Of events; an unreadable one has a value from the scenario that the contract does not allow."""
SCHEMA = ("churn-schema", b"1")
_LATE_SECONDS = (600.0, 7200.0)
_REPEATABLE = 50  # events of which one is sent again
_encode = msgspec.json.Encoder().encode


class SimulatedEvent(NamedTuple):
    """A message to be sent `due` seconds after the start."""

    kind: str
    due: float
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]


def simulate_events(
    customers: SimulatedCustomers, settings: SimulatorSettings, start: datetime
) -> Iterator[SimulatedEvent]:
    """Yields the events in the order in which they are sent: equal arguments give equal bytes."""
    simulation = _Simulation(customers, settings, start)
    for number, due in enumerate(_due_times(settings, random.Random(settings.seed))):  # noqa: S311
        if number == settings.events or (settings.seconds and due >= settings.seconds):
            return
        yield simulation.next_event(due)


class _Simulation:
    """One run: what each customer is by now."""

    def __init__(
        self, customers: SimulatedCustomers, settings: SimulatorSettings, start: datetime
    ) -> None:
        self._customers, self._settings, self._start = customers, settings, start
        self._id = customers.contract.id.name
        self._draw = random.Random(settings.seed + 1)  # noqa: S311 - to be repeated, not secret
        self._rows = list(customers.rows)
        self._changed_at: dict[int, datetime] = {}
        self._recent: deque[SimulatedEvent] = deque(maxlen=_REPEATABLE)
        self._poison = itertools.cycle(POISON)

    def next_event(self, due: float) -> SimulatedEvent:
        """The next event, after which the customers are what it says."""
        kind, number = self._draw_kind(), self._draw.randrange(len(self._rows))
        if kind == "poison":
            key, value, headers = next(self._poison)(self._customers.contract, self._rows[number])
            return SimulatedEvent(kind, due, key, value, (*headers, _kind_header(kind)))
        if kind == "duplicated" and self._recent:
            again = self._draw.choice(self._recent)
            return again._replace(kind=kind, due=due, headers=(SCHEMA, _kind_header(kind)))
        if not self._customers.readable[number]:
            kind, content = "unreadable", self._rows[number]
        elif kind in UPDATES:
            kind, content = self._update(kind, number, due)
        else:
            kind, content = "full", self._rows[number]
        key = self._rows[number][self._id].encode()
        event = SimulatedEvent(kind, due, key, _encode(content), (SCHEMA, _kind_header(kind)))
        if kind != "unreadable":
            self._recent.append(event)
        return event

    def _draw_kind(self) -> str:
        drawn = self._draw.random()
        for kind in (*UPDATES, "duplicated", "poison"):
            drawn -= getattr(self._settings, kind)
            if drawn < 0:
                return kind
        return "full"

    def _update(self, kind: str, number: int, due: float) -> tuple[str, dict[str, Any]]:
        """The kind that it becomes, and the message."""
        changes, at = self._customers.draw_changes(self._draw), self._start + timedelta(seconds=due)
        before = self._changed_at.get(number)
        if kind == "late":
            at -= timedelta(seconds=self._draw.uniform(*_LATE_SECONDS))
        elif kind == "out_of_order" and before is not None:
            at = before - timedelta(milliseconds=self._draw.randint(1, 1000))
        else:
            kind, self._changed_at[number] = "partial", at
            self._rows[number] = self._rows[number] | changes
        return kind, {self._id: self._rows[number][self._id], "changes": changes, "at": _text(at)}


def _due_times(settings: SimulatorSettings, draw: random.Random) -> Iterator[float]:
    """Seconds after the start: each second's bursts at one moment of it, the rest evenly."""
    count = max(1, round(settings.rate))
    together = round(settings.bursts * count)
    evenly = [(place + 0.5) / (count - together) for place in range(count - together)]
    for window in itertools.count():
        moment = draw.random()
        for part in sorted([*evenly, *[moment] * together]):
            yield (window + part) * count / settings.rate


def _kind_header(kind: str) -> tuple[str, bytes]:
    return KIND_HEADER, kind.encode()


def _text(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
