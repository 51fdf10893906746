"""The next offset of each partition: tells whether the brokers deleted messages before they were read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from service.core.log import log

Partition = tuple[str, int]
"""Topic and number."""


class NextOffsets:
    """Where a session goes on in each of its partitions.

    A client goes on with the oldest message where the next one is gone, and says nothing.
    """

    def __init__(self, find_start: Callable[[Partition], int]) -> None:
        """Takes what asks the brokers for a partition's oldest offset."""
        self._find_start = find_start
        self._next: dict[Partition, int] = {}
        self._lost = 0

    def keep(self, assigned: Iterable[Partition]) -> list[Partition]:
        """Forgets the partitions that are not assigned any more, and returns those that are new."""
        now = set(assigned)
        self._next = {each: offset for each, offset in self._next.items() if each in now}
        return sorted(now - self._next.keys())

    def begin(self, partition: Partition, committed: int | None, start: int, end: int) -> None:
        """Begins a partition at the group's commit; None where it has none."""
        self._next[partition] = expected = committed or 0
        if not start <= expected <= end:
            self._next[partition] = start
            self._say(partition, expected, start, is_loss=committed is not None)

    def read(self, partition: Partition, offsets: Sequence[int]) -> None:
        """Takes over the offsets of messages that were read."""
        expected = self._next.get(partition, offsets[0])
        self._next[partition] = offsets[-1] + 1
        if offsets[-1] - expected < len(offsets):
            return
        # Some are left out. The marks of transactions and a compacted topic do that, too.
        start = self._find_start(partition)
        for offset in offsets:
            if expected < min(start, offset):
                self._say(partition, expected, min(start, offset))
                return
            expected = offset + 1

    def count_lost(self) -> int:
        """Returns how many offsets were lost since the last call, marks of transactions among them."""
        lost, self._lost = self._lost, 0
        return lost

    def _say(
        self, partition: Partition, expected: int, start: int, *, is_loss: bool = True
    ) -> None:
        topic, number = partition
        log("error", "start_lost", topic=topic, partition=number, expected=expected, goes_on_at=start,
            reason="The topic does not hold the next message any more.")  # fmt: skip
        if is_loss:
            self._lost += max(0, start - expected)
