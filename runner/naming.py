"""How a run is called: what ZenML's list of runs shows of it before it has come to anything.

That list cuts a name after some 27 characters on a window 1,280 pixels wide, and has columns of its
own for stack and time. So a name is pipeline, what the run is about, month, day and time; only the
letters at its end, which keep it apart from all others, may be cut.
"""

from __future__ import annotations

import re
import secrets
from datetime import UTC, datetime
from string import ascii_lowercase, digits
from typing import Any

_LETTERS = 4
_SHORT = {"kubernetes": "k8s"}


def run_name(pipeline: str, settings: Any, now: datetime | None = None) -> str:
    """A name that no other run has.

    Args:
        pipeline: Its name.
        settings: Its settings; what they lack is not told.
        now: The time, UTC.
    """
    letters = "".join(secrets.choice(ascii_lowercase + digits) for _ in range(_LETTERS))
    words = (pipeline, about(settings), f"{now or datetime.now(UTC):%m%d-%H%M}", letters)
    return "-".join(filter(None, words))


def about(settings: Any) -> str:
    """What sets a run apart from the others of its pipeline, in one word; empty where nothing does."""
    if getattr(settings, "dry_run", False):
        return "dry"
    if getattr(settings, "action", "") == "stop":
        return "stop"
    target = getattr(settings, "target", "")
    if target:
        return _SHORT.get(target, target)
    challenger = getattr(settings, "challenger", "")
    if re.fullmatch(r"[A-Za-z0-9]{1,8}", challenger):  # a name is also a file's
        return f"v{challenger}"
    return "" if settings.profile == "full" else str(settings.profile)
