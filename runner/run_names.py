"""Names of runs, which have to fit ZenML's list of runs.

That list cuts a name after some 27 characters in a window 1,280 pixels wide, and has columns of its
own for stack and time. So a name is pipeline, subject of the run, month, day and time; only the
letters at its end, which make it unique, may be cut.
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
    """Returns a name that no other run has; `now` is in UTC, None takes the present."""
    letters = "".join(secrets.choice(ascii_lowercase + digits) for _ in range(_LETTERS))
    words = (pipeline, _subject(settings), f"{now or datetime.now(UTC):%m%d-%H%M}", letters)
    return "-".join(filter(None, words))


def _subject(settings: Any) -> str:
    """Returns what distinguishes the run from others of its pipeline, in one word; '' for nothing."""
    if getattr(settings, "dry_run", False):
        return "dry"
    if getattr(settings, "action", "") == "stop":
        return "stop"
    target = getattr(settings, "target", "")
    if target:
        return _SHORT.get(target, target)
    challenger = getattr(settings, "challenger", "")
    if re.fullmatch(r"[A-Za-z0-9]{1,8}", challenger):  # the name of a run is also a file's
        return f"v{challenger}"
    return "" if settings.profile == "full" else str(settings.profile)
