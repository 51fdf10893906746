"""Files of a ledger in SQLite."""

from datetime import UTC, datetime
from pathlib import Path


def current_month(ledger: Path) -> Path:
    """The file of the current month's predictions and outcomes."""
    return ledger.with_name(f"{ledger.stem}-{datetime.now(UTC):%Y-%m}{ledger.suffix}")
