"""Compares the columns of a file with the contract, before any cell is read."""

from __future__ import annotations

from typing import Any

from churn.contract import DataContract
from churn.contract.refusals import quote_text
from churn.errors import InputError, did_you_mean

_NAMED = 3


def in_contract_order(table: Any, contract: DataContract) -> Any:
    """A raw pyarrow table's columns under the contract's names, in its order.

    Spaces around the table's names do not count.

    Raises:
        InputError: a column is missing, unknown, misspelt or there twice.
    """
    found = [name.strip() for name in table.column_names]
    _require(found, contract)
    return table.rename_columns(found).select(list(contract.names))


def _require(found: list[str], contract: DataContract) -> None:
    expected = contract.names
    known = set(found) & set(expected)
    # Without a header the first customer would stand here, and customers are not for messages.
    if 2 * len(known) < len(expected):
        raise InputError(
            f"The first line holds {len(known)} of the {len(expected)} column names of contract "
            f"'{contract.name}': start the file with the header that {contract_file(contract)} "
            "describes."
        )
    twice = [name for name in expected if found.count(name) > 1]
    if twice:
        raise InputError(f"{_columns(twice)} there twice in the header. Keep one.")
    missing = [name for name in expected if name not in known]
    extra = [name for name in found if name not in known]
    renamed = [(name, near) for name in missing if (near := _nearest(name, extra)) is not None]
    if renamed:
        name, near = renamed[0]
        raise InputError(
            f"Column '{name}' is missing, but the file has {quote_text(near)}, which looks like it. "
            f"Rename it to '{name}' in the header."
        )
    if missing:
        raise InputError(
            f"{_columns(missing)} missing from the file. Add what is missing; "
            f"{contract_file(contract)} says what it means."
        )
    if extra:
        raise InputError(
            f"{_columns(extra)} not in contract '{contract.name}'. Leave it out of the file, or "
            f"describe it in {contract_file(contract)}."
        )


def contract_file(contract: DataContract) -> str:
    """The file that a contract of that name is kept in."""
    return f"data/contracts/{contract.name}.yaml"


def _columns(names: list[str]) -> str:
    """The first few columns in quotes, how many more there are, and the verb."""
    if len(names) == 1:
        return f"Column {quote_text(names[0])} is"
    more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
    return f"Columns {', '.join(map(quote_text, names[:_NAMED]))}{more} are"


def _nearest(name: str, candidates: list[str]) -> str | None:
    plain = {_bare(candidate): candidate for candidate in candidates}
    near = did_you_mean(_bare(name), plain, cutoff=0.75)
    return plain[near] if near is not None else None


def _bare(name: str) -> str:
    return "".join(letter for letter in name.casefold() if letter.isalnum())
