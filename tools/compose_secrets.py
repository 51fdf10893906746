"""Generates the secrets of docker-compose.yml: passwords, and an API key of which it keeps the digest.

    python tools/compose_secrets.py

No library does it: Compose reads secrets and makes none. Writes compose.env into the state
folder (CHURN_HOME, or .churn), readable for its owner alone, and never over an existing one:
databases remember the passwords they were made with.
Standard library only.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
EXAMPLE = ROOT / ".env.example"
_BLANK = re.compile(r"^([A-Z_]+)=$", re.MULTILINE)


def main(out: Path | None = None) -> int:
    """Writes the file and prints the key once."""
    out = out or _state() / "compose.env"
    if out.exists():
        print(f"{out} is there already and stays: databases remember its passwords.")
        return 2
    key = "churn_" + secrets.token_urlsafe(32)
    generated = {"CHURN_API_KEYS": hashlib.sha256(key.encode()).hexdigest()}
    text = _BLANK.sub(
        # Hexadecimal: two of them stand inside addresses, where other characters mean something.
        lambda name: f"{name[1]}={generated.get(name[1]) or secrets.token_hex(32)}",
        EXAMPLE.read_text(encoding="utf-8"),
    )
    out.parent.mkdir(parents=True, exist_ok=True)
    # Opened with its mode: nobody else can read it, not even for a moment.
    handle = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
    print(f"Wrote {out}. The API key is shown this once: {key}")
    return 0


def _state() -> Path:
    sys.path.insert(0, str(ROOT))
    from churn.home import home

    return home()


if __name__ == "__main__":
    sys.exit(main())
