"""Data intake: a table from the shipped file, a file of one's own or a URL, typed by a contract."""

from churn.contract import DataContract
from churn.data.dataset import Dataset, Source
from churn.data.intake.parse import parse
from churn.data.intake.raw import read_raw
from churn.data.snapshot import accepted_snapshot, take_snapshot
from churn.data.sources.opening import register
from churn.data.sources.table_source import TableSource
from churn.data.training_table import BUNDLED, acquire, fingerprint

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


def _generated(address: str, contract: DataContract | None) -> TableSource:
    from churn.data.generator.generated_source import GeneratedSource

    return GeneratedSource(address, contract)


register("generated", _generated)
