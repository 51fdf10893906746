"""Data intake: a table from the shipped file, a file of one's own or a URL, typed by a contract."""

from churn.data.dataset import Dataset, Source
from churn.data.intake.acquire import BUNDLED, acquire, fingerprint
from churn.data.intake.parse import parse
from churn.data.intake.raw import read_raw
from churn.data.snapshot import accepted_snapshot, take_snapshot

__all__ = [
    "BUNDLED",
    "Dataset",
    "Source",
    "accepted_snapshot",
    "acquire",
    "fingerprint",
    "parse",
    "read_raw",
    "take_snapshot",
]
