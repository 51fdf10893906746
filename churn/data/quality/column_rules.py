"""Rules about the table's shape and about single cells: what the contract says of each column."""

from __future__ import annotations

from collections.abc import Iterator

from churn.contract import Column, DataContract, DateColumn, IdColumn, NumberColumn
from churn.contract.id_mask import HiddenValue
from churn.contract.values import NumberReader
from churn.data.quality.rule import ExpectationResult, Rule, critical, listed, quoted, rows_in_words

_TYPES = {
    "text": ["str"],
    "a number": ["float", "float32", "int", "int32"],
    "a whole number": ["int", "int32"],
}
_SHOWN_NAMES = 5


def table_rules(contract: DataContract) -> Iterator[Rule]:
    """Rules about the table as a whole: its columns and its size."""
    names, size = contract.names, contract.expectations.rows
    yield Rule(
        name="columns",
        topic="table",
        columns=names,
        expectations=critical(
            "ExpectTableColumnsToMatchOrderedList",
            f"{len(names)} columns in the contract's order",
            column_list=list(names),
        ),
        success=lambda _: f"The table has the contract's {len(names)} columns, in its order.",
        failure=lambda result: column_difference(names, tuple(result.observed or ())),
        observed=lambda result: f"{len(result.observed or ()):,} columns",
        way_out=f"Make the header that of contract '{contract.name}', or change the contract.",
    )
    limit = f"{size.minimum:,.0f} to {size.maximum:,.0f} rows"
    yield Rule(
        name="number of rows",
        topic="table",
        columns=(),
        expectations=critical(
            "ExpectTableRowCountToBeBetween",
            limit,
            min_value=int(size.minimum),
            max_value=int(size.maximum),
        ),
        success=lambda result: f"The table has {rows_in_words(result.observed)}.",
        failure=lambda result: f"{rows_in_words(result.observed)}, but {limit} are expected",
        observed=lambda result: rows_in_words(result.observed),
        way_out=f"Take a fuller table, or change expectations.rows in contract '{contract.name}'.",
    )


def column_rules(contract: DataContract) -> Iterator[Rule]:
    """Rules about single cells: type, blank, allowed values; for the id, no repetition.

    All types come first, then all blanks, then all values: the first failure is then the one
    that explains the others.
    """
    for column in contract.columns:
        yield _typed(contract, column)
    for column in contract.columns:
        yield _filled(column)
    for column in contract.columns:
        if isinstance(column, IdColumn):
            yield _unique(column, contract.date)
        elif isinstance(column, NumberColumn):
            yield _within(contract, column)
        elif not isinstance(column, DateColumn):  # read from any text that is a day
            yield _known(contract, column.name, column.categories)


def column_difference(expected: tuple[str, ...], found: tuple[str, ...]) -> str:
    """In which way a header is not the expected one.

    A header that shares no name with the contract is not quoted: it may be a customer's row.
    """
    missing = [name for name in expected if name not in found]
    if len(missing) == len(expected):
        return "none of the contract's columns is there, so the first line may not be a header"
    extra = list(dict.fromkeys(name for name in found if name not in expected))
    twice = list(dict.fromkeys(name for name in expected if found.count(name) > 1))
    parts = [
        f"{_few(names)} {'is' if len(names) == 1 else 'are'} {what}"
        for names, what in ((missing, "missing"), (extra, "unknown"), (twice, "there twice"))
        if names
    ]
    if parts:
        return ", ".join(parts)
    moved = next(here for here, there in zip(expected, found, strict=True) if here != there)
    return f"the columns are in another order, from {moved!r} on"


def _few(names: list[str]) -> str:
    shown = [quoted(name) for name in names[:_SHOWN_NAMES]]
    if len(names) > len(shown):
        shown.append(f"{len(names) - len(shown)} more")
    return listed(shown)


def _typed(contract: DataContract, column: Column) -> Rule:
    kind = "text"
    if isinstance(column, NumberColumn):
        kind = "a whole number" if column.integer else "a number"

    def failure(result: ExpectationResult) -> str:
        if result.rows and not isinstance(column, IdColumn):
            return f"{result.failing_values} not {kind}"
        found = f" but {result.observed}" if result.observed else ""
        return f"not {kind}{found}"

    return Rule(
        name=f"type of {column.name}",
        topic="types",
        columns=(column.name,),
        expectations=critical(
            "ExpectColumnValuesToBeInTypeList", kind, column=column.name, type_list=_TYPES[kind]
        ),
        success=lambda _: f"Every {column.name} is {kind}.",
        failure=failure,
        observed=lambda result: kind if result.success else str(result.observed or "mixed"),
        way_out=f"Fix the file, or the column's kind in contract '{contract.name}'.",
    )


def _filled(column: Column) -> Rule:
    def failure(result: ExpectationResult) -> str:
        return "the cell is blank" if result.count == 1 else "the cells are blank"

    return Rule(
        name=f"blanks in {column.name}",
        topic="blanks",
        columns=(column.name,),
        expectations=critical("ExpectColumnValuesToNotBeNull", "none", column=column.name),
        success=lambda _: f"No {column.name} is blank.",
        failure=failure,
        observed=lambda result: f"{result.count:,} blank" if result.count else "none",
        way_out="Fill the cells, or leave those customers out of the file.",
    )


def _unique(column: IdColumn, date: DateColumn | None) -> Rule:
    """One row a customer; one a customer and day, where the contract has a date column."""
    columns: tuple[str, ...] = (column.name,)
    if date is None:
        one, shared = "one row per customer", "id"
        expected = critical("ExpectColumnValuesToBeUnique", one, column=column.name)
    else:
        one, shared = f"one row per customer and {date.name}", f"id and {date.name}"
        columns = (column.name, date.name)
        expected = critical("ExpectCompoundColumnsToBeUnique", one, column_list=list(columns))
    return Rule(
        name=f"uniqueness of {column.name}",
        topic="values",
        columns=columns,
        expectations=expected,
        success=lambda _: f"No two rows share a {' and a '.join(columns)}.",
        failure=lambda _: f"these rows share their {shared} with another row",
        observed=lambda result: (
            f"{rows_in_words(result.count)} share an {shared}"
            if result.count
            else f"no {shared} twice"
        ),
        way_out=f"Keep {one}.",
    )


def _within(contract: DataContract, column: NumberColumn) -> Rule:
    reader = NumberReader(column)
    limit = f"{column.minimum:,g} to {column.maximum:,g} {column.unit}"
    return Rule(
        name=f"range of {column.name}",
        topic="values",
        columns=(column.name,),
        expectations=critical(
            "ExpectColumnValuesToBeBetween",
            limit,
            column=column.name,
            min_value=reader.minimum,
            max_value=reader.maximum,
        ),
        success=lambda _: f"Every {column.name} lies within {limit}.",
        failure=lambda result: f"{result.failing_values} outside {limit}",
        way_out=f"Fix the file, or widen the range in contract '{contract.name}'.",
    )


def _known(contract: DataContract, name: str, categories: tuple[str, ...]) -> Rule:
    limit = ", ".join(categories)

    def failure(result: ExpectationResult) -> str:
        texts = all(isinstance(value, str | HiddenValue) for value in result.examples)
        return f"{result.failing_values} not among {limit if texts else f'the texts {limit}'}"

    return Rule(
        name=f"categories of {name}",
        topic="values",
        columns=(name,),
        expectations=critical(
            "ExpectColumnValuesToBeInSet", limit, column=name, value_set=list(categories)
        ),
        success=lambda _: f"Every {name} is one of {limit}.",
        failure=failure,
        way_out=f"Fix the file, or add the category to contract '{contract.name}'.",
    )
