"""Sixty real customers in the formats that people have."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from churn.data.intake.parquet_text import as_texts
from churn.data.sources import TableSource


def whole(source: TableSource, rows: int = 1 << 16) -> Any:
    """A source's chunks as one table of texts."""
    return pa.concat_tables([as_texts(chunk.table) for chunk in source.chunks(rows)])


@pytest.fixture(scope="session")
def text(root, contract) -> str:
    """The header and 60 customers as the shipped table has them."""
    lines = (root / contract.snapshot.path).read_text(encoding="utf-8").splitlines()[:61]
    return "\n".join(lines) + "\n"


@pytest.fixture
def csv_file(text, tmp_path) -> Path:
    """They as CSV."""
    path = tmp_path / "customers.csv"
    path.write_text(text, encoding="utf-8")
    return path
