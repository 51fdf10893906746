"""Ids of customers who are made up: whatever file they reach, they can be told from real ones."""

from __future__ import annotations

import pandas as pd

ID_PREFIX = "synthetic-"
"""What the id of every generated customer begins with."""


def is_synthetic(customer_id: object) -> bool:
    """Whether a customer's id says that the customer is made up."""
    return isinstance(customer_id, str) and customer_id.startswith(ID_PREFIX)


def any_synthetic(ids: pd.Series) -> bool:
    """Whether one of a column's ids says so."""
    return any(map(is_synthetic, ids))
