"""Log of the service and the stream worker: one JSON object a line on stderr, nothing about customers.

On a terminal the same facts are written for a person.
"""

from __future__ import annotations

import json
import os
import sys
from datetime import UTC, datetime
from typing import Any


def log(level: str, event: str, **facts: Any) -> None:
    """Writes a line; `facts` never hold a customer's values or id, and never a key."""
    now = datetime.now(UTC)
    if sys.stderr.isatty():
        listed = " ".join(f"{name}={value}" for name, value in facts.items())
        line = f"{now.astimezone():%H:%M:%S} {level}: {event.replace('_', ' ')} {listed}".rstrip()
    else:
        time = now.isoformat(timespec="milliseconds")
        content = {"time": time, "level": level, "event": event, "pid": os.getpid(), **facts}
        line = json.dumps(content, ensure_ascii=False, default=str)
    # One write a line, so that the lines of several workers do not run into each other.
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()
