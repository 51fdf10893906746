"""Compares the columns of a file with the contract, before any cell is read."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from churn.contract import DataContract
from churn.contract.names import is_index, listed, nearest, respelt, respelt_as
from churn.contract.refusals import quote_text
from churn.errors import InputError


def in_contract_order(table: Any, contract: DataContract, optional: Collection[str] = ()) -> Any:
    """A raw pyarrow table's columns under the contract's names, in its order.

    Spaces around the table's names do not count. A number that may be blank may be left out, and so
    may the `optional` columns. What the contract leaves out is dropped, and what it does not know,
    where it says so.

    Raises:
        InputError: a column is missing, unknown, misspelt or there twice.
    """
    found = [name.strip() for name in table.column_names]
    _require([name for name in found if name not in contract.left_out], contract, optional)
    kept = [name for name in contract.names if name in found]
    return table.rename_columns(found).select(kept)


def _require(found: list[str], contract: DataContract, may_lack: Collection[str]) -> None:
    expected, file = contract.names, contract_file(contract)
    known = set(found) & set(expected)
    pairs = respelt(found, expected)
    # Without a header the first customer would stand here, and customers are not for messages.
    if 2 * (len(known) + len(pairs)) < len(set(expected) - set(may_lack)):
        raise InputError(
            f"The first line holds {len(known)} of the {len(expected)} column names of contract "
            f"'{contract.name}': start the file with the header that {file} describes."
        )
    twice = [name for name in expected if found.count(name) > 1]
    if twice:
        raise InputError(f"{_columns(twice)} there twice in the header. Keep one.")
    if len(pairs) > 1:
        raise InputError(
            f"The header spells {len(pairs)} columns of contract '{contract.name}' otherwise: "
            f"{respelt_as(pairs)}. Rename them in the file as {file} spells them."
        )
    extra = [name for name in dict.fromkeys(found) if name not in known]
    missing = [name for name in expected if name not in known]
    strict = contract.reading.extra == "strict"
    if strict:
        _require_no_index(extra, found)
    for name in (each for each in missing if each not in may_lack):
        near = nearest(name, extra)
        if near is not None:
            raise InputError(
                f"Column '{name}' is missing, but the file has {quote_text(near)}, which looks like "
                f"it. Rename it to '{name}' in the header."
            )
    optional = {column.name for column in contract.numbers if column.blank} | set(may_lack)
    missing = [name for name in missing if name not in optional]
    _require_equal(extra if strict else [], missing, contract)


def _require_no_index(extra: list[str], found: list[str]) -> None:
    if found[-1] == "" and found.count("") == 1:
        raise InputError(
            f"Column {len(found)}, the last, has no name: a comma ends the lines. Delete it."
        )
    for name in extra:
        if is_index(name):
            which = f"{quote_text(name)}" if name else f"{found.index(name) + 1}, without a name,"
            raise InputError(
                f"Column {which} looks like an index of the rows, which pandas and R write along. "
                "Write the file without it (index=False, row.names=FALSE), or delete the column."
            )


def _require_equal(extra: list[str], missing: list[str], contract: DataContract) -> None:
    file = contract_file(contract)
    stranger = f"{_columns(extra)} not in contract '{contract.name}'" if extra else ""
    gap = f"{_columns(missing, len(missing))} missing from the file" if missing else ""
    if stranger and gap:
        raise InputError(
            f"{stranger}, and c{gap[1:]}. Rename or leave out the former and add the latter; {file} "
            "says what they mean."
        )
    if stranger:
        raise InputError(
            f"{stranger}. Leave it out of the file, describe it in {file}, or write `reading: "
            "{extra: ignore}` there."
        )
    if gap:
        raise InputError(f"{gap}. Add what is missing; {file} says what it means.")


def contract_file(contract: DataContract) -> str:
    """The file that a contract of that name is kept in."""
    return f"data/contracts/{contract.name}.yaml"


def name_file(sentence: str, contract: DataContract, path: str) -> str:
    """The same sentence with the file that the contract was read from, where that is another one."""
    return sentence.replace(contract_file(contract), path)


def _columns(names: Sequence[str], most: int = 3) -> str:
    """Columns in quotes, how many more than `most` there are, and the verb."""
    return f"Column {listed(names)} is" if len(names) == 1 else f"Columns {listed(names, most)} are"
