"""Data intake: a table from the shipped file, a file of one's own or a URL, typed by a contract."""

from churn.dataset.acquire import BUNDLED, acquire, fingerprint
from churn.dataset.page import render_html
from churn.dataset.parse import parse
from churn.dataset.raw import read_raw
from churn.dataset.snapshot import accepted_snapshot, take_snapshot
from churn.dataset.table import Dataset, Source

__all__ = [
    "BUNDLED",
    "Dataset",
    "Source",
    "accepted_snapshot",
    "acquire",
    "fingerprint",
    "parse",
    "read_raw",
    "render_html",
    "take_snapshot",
]
