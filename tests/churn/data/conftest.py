"""Thirty real customers, as the tests of reading files spoil them."""

import pandas as pd
import pytest

from churn.data import parse, read_raw


@pytest.fixture(scope="module")
def text(root, contract) -> str:
    """The header and the first 30 real customers."""
    lines = (root / contract.snapshot.path).read_text(encoding="utf-8").splitlines()[:31]
    return "\n".join(lines) + "\n"


@pytest.fixture(scope="module")
def rows(text) -> list[list[str]]:
    """The same, as lists of cells."""
    return [line.split(",") for line in text.splitlines()]


@pytest.fixture(scope="module")
def frame(text, contract) -> pd.DataFrame:
    """The same, typed."""
    return parse(read_raw(text.encode(), "mine.csv")[0], contract)
