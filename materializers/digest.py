"""Content hashes of artifacts: equal content, equal hash, whoever made it and when."""

import hashlib
import json
from typing import Any


def json_digest(content: Any) -> str:
    """SHA-256 of a JSON value, independent of the order of its keys."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
