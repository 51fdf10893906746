"""Tries a delivery again where that can help; never raises, and logs one line where it gives up."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

Attempt = Callable[[], tuple[str, bool]]
"""Returns the problem, empty for none, and whether another attempt may succeed."""

_LOG = logging.getLogger("churn.progress")


def deliver(attempt: Attempt, place: str, *, retries: int, backoff_seconds: float) -> bool:
    """Returns whether it was delivered.

    Args:
        attempt: one attempt.
        place: where to, in words that no secret is in.
        retries: attempts after a failed one.
        backoff_seconds: delay before the first of them; it doubles each time.
    """
    problem, attempts = "", 0
    for attempts in range(1, retries + 2):
        problem, again = attempt()
        if not problem:
            return True
        if not again or attempts > retries:
            break
        time.sleep(backoff_seconds * 2 ** (attempts - 1))
    count = "once" if attempts == 1 else f"{attempts} times"
    _LOG.warning(
        f"The alert was not delivered: {place} was tried {count} and {problem}; no run depends on it.",
        extra={"step": "alert", "event": "warned"},
    )
    return False
