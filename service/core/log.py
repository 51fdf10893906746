"""Log of the service and the stream worker: JSON, one object a line on stderr, nothing about customers."""

from __future__ import annotations

import json
import os
import sys
from datetime import UTC, datetime
from typing import Any


def log(level: str, event: str, **facts: Any) -> None:
    """Writes a line; `facts` never hold a customer's values or id, and never a key."""
    line = {
        "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "level": level,
        "event": event,
        "pid": os.getpid(),
        **facts,
    }
    # One write a line, so that the lines of several workers do not run into each other.
    sys.stderr.write(json.dumps(line, ensure_ascii=False, default=str) + "\n")
    sys.stderr.flush()
