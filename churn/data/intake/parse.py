"""Parsing: a raw text table becomes a typed one, exactly as the contract says, or is refused.

Only what makes a typed table impossible is refused here: columns, types, categories, blanks.
Whether a possible table is a *plausible* one (ranges, repeated ids, the target's share, rules
between columns, distributions) is the quality gate's to say.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from churn.contract import DataContract
from churn.data.intake.header import in_contract_order
from churn.data.intake.typed_columns import ColumnTyper
from churn.errors import InputError

if TYPE_CHECKING:
    import pandas as pd


def parse(table: Any, contract: DataContract) -> pd.DataFrame:
    """Types a raw table by its contract.

    Args:
        table: A pyarrow table of texts, as `churn.data.read_raw` returns it, its columns in
            any order.
        contract: The contract.

    Returns:
        The contract's columns in the contract's order, rows numbered from 0: the id as text
        (object), a category, flag or target as categorical with exactly the contract's categories
        in their order, a number as float64, a whole number as int64, a date as text (object),
        YYYY-MM-DD.

    Examples:
        >>> from pathlib import Path
        >>> from churn.contract import load_contract
        >>> from churn.data import read_raw
        >>> contract = load_contract(Path("data/contracts/telco.yaml"))
        >>> content = Path(contract.snapshot.path).read_bytes()
        >>> table, _ = read_raw(content, "mine.csv")
        >>> parse(table, contract)["tenure"].head(3).tolist()
        [1, 34, 2]
        >>> table, _ = read_raw(content.replace(b"Two year", b"Biennial"), "mine.csv")
        >>> parse(table, contract)  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        churn.errors.InputError: Column 'Contract' row 12 and 1,694 more rows: 'Biennial' is not ...

    Raises:
        InputError: the table cannot be typed; the sentence names column and row (1 is the first
            customer below the header), never a customer.
    """
    import pandas as pd

    ordered = in_contract_order(table, contract)
    if ordered.num_rows == 0:
        raise InputError("The file has a header but no customers. Take one with rows.")
    typer = ColumnTyper.of_table(ordered, contract)
    return pd.DataFrame({column.name: typer.column(column) for column in contract.columns})
