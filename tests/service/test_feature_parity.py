"""Features are the same bits wherever they are made: offline, online, in the service and in the stream.

For every customer of both contracts, and for customers at every edge that a contract has.
"""

from __future__ import annotations

import json
import math
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from churn.contract import DataContract, load_contract
from churn.data import Dataset, acquire, parse
from churn.feature_store.build import BuildContext, build_features
from churn.feature_store.materialize import materialize
from churn.feature_store.offline_store import OfflineStore
from churn.feature_store.online.address import open_online_store
from churn.feature_store.typed_fields import TypedFields
from churn.features.feature_set import feature_set
from churn.scoring.encoder import RowEncoder
from churn.scoring.fast.row_formulas import row_formula
from service.stream.messages import Message, parse_event

NOW = datetime(2026, 11, 20, tzinfo=UTC)


def edge_rows(contract: DataContract, base: dict[str, Any]) -> list[dict[str, Any]]:
    """One customer's raw values, changed to each edge of each column: ends, the numbers beside them, blanks."""
    changes: list[dict[str, Any]] = []
    for column in contract.coded:
        changes += [{column.name: each} for each in column.categories]
    for column in contract.numbers:
        low, high = column.minimum, column.maximum
        beside = (math.nextafter(low, high), math.nextafter(high, low))
        values = {low, high, *((low + 1, high - 1) if column.integer else beside)}
        if low <= 0 <= high:
            changes.append({column.name: -0.0})
        changes += [{column.name: each} for each in sorted(values)]
        if column.blank is not None:
            rule = column.blank
            changes.append({column.name: None, rule.only_when: rule.equals})
    # All numbers at one end together.
    changes += [
        {column.name: getattr(column, end) for column in contract.numbers}
        for end in ("minimum", "maximum")
    ]
    key = contract.id.name
    return [base | change | {key: f"EDGE{place}"} for place, change in enumerate(changes)]


def as_table(rows: list[dict[str, Any]], contract: DataContract) -> pa.Table:
    """The rows as a file would have them: every cell a text."""

    def cell(value: Any) -> str:
        return "" if value is None else repr(value) if isinstance(value, float) else str(value)

    return pa.table({name: [cell(row[name]) for row in rows] for name in contract.names})


@pytest.fixture(scope="module", params=["telco", "mlc_churn"])
def customers(request, root, tmp_path_factory) -> tuple[Dataset, list[dict[str, Any]]]:
    """All customers of a contract and those at its edges: the table, and the rows as JSON has them."""
    contract = load_contract(root / f"data/contracts/{request.param}.yaml")
    whole = acquire("bundled", contract, root=root, cache=tmp_path_factory.mktemp("cache"))
    plain = json.loads(whole.frame.to_json(orient="records", double_precision=15))
    # JSON's own digits, not pandas': each float as Python writes it.
    for column in contract.numbers:
        for row, value in zip(plain, whole.frame[column.name].tolist(), strict=True):
            row[column.name] = value
    rows = [*plain, *edge_rows(contract, plain[0])]
    frame = parse(as_table(rows, contract), contract)
    source = replace(whole.source, sha256="e" * 64)
    unscored = {contract.target.name}
    return Dataset(frame, contract, source), [
        {name: value for name, value in row.items() if name not in unscored} for row in rows
    ]


@pytest.fixture(scope="module")
def stores(customers, tmp_path_factory):
    """The offline and the online store that the features pipeline's code has filled."""
    dataset, _ = customers
    folder = tmp_path_factory.mktemp("parity")
    offline = OfflineStore(folder / "home")
    made = build_features(dataset, offline, BuildContext(created=NOW)).provenance
    online = open_online_store(dataset.contract, f"sqlite:///{folder / 'online.db'}")
    with online:
        materialize(made, offline, online, locks=folder)
        yield offline.read(made), online


@pytest.fixture(scope="module")
def offline_bits(customers, stores):
    """Codes, numbers and engineered columns of every customer, as the parquet files have them."""
    dataset, _ = customers
    rows, _ = stores
    columns = []
    for name in names_of(dataset.contract):
        values = rows[name].combine_chunks()
        values = values.indices if pa.types.is_dictionary(values.type) else values
        columns.append(values.to_numpy(zero_copy_only=False).astype(np.float64))
    return bits(np.stack(columns, axis=1).tolist())


def names_of(contract: DataContract) -> tuple[str, ...]:
    """Names in the order of a row's values: coded columns, numbers, formulas."""
    return (*RowEncoder(contract).names, *feature_set(contract).names)


def bits(rows: list[list[float]]) -> np.ndarray:
    """The very bits of the numbers: -0.0 is not 0.0, and a NaN is itself."""
    return np.array(rows, dtype=np.float64).view(np.int64)


def by_row(contract: DataContract, rows: list[dict[str, Any]]) -> np.ndarray:
    """What service and stream compute of each row alone."""
    encoder, features = RowEncoder(contract), feature_set(contract)
    places = {name: place for place, name in enumerate(names_of(contract))}
    formulas = [row_formula(bound, contract, places) for bound in features.formulas]
    found = []
    for row in rows:
        values = encoder.encode(row)
        for formula in formulas:
            values.append(formula(values))
        found.append(values)
    return bits(found)


def test_there_are_edges_of_every_column(customers):
    dataset, rows = customers
    contract = dataset.contract
    edges = [row for row in rows if row[contract.id.name].startswith("EDGE")]

    for column in contract.coded:
        assert {row[column.name] for row in edges} == set(column.categories)
    for column in contract.numbers:
        values = {row[column.name] for row in edges}
        assert {column.minimum, column.maximum} <= values
        assert (None in values) is (column.blank is not None)


def test_a_request_s_features_are_the_offline_ones(customers, offline_bits):
    dataset, rows = customers

    assert np.array_equal(by_row(dataset.contract, json.loads(json.dumps(rows))), offline_bits)


def test_a_stream_message_s_features_are_the_offline_ones(customers, offline_bits):
    dataset, rows = customers
    messages = [
        Message("in", 0, n, 0, None, json.dumps(row).encode()) for n, row in enumerate(rows)
    ]

    parsed = [parse_event(each, dataset.contract, 100_000).row for each in messages]

    assert np.array_equal(by_row(dataset.contract, parsed), offline_bits)


def test_a_stored_customer_s_features_are_the_offline_ones(customers, stores, offline_bits):
    dataset, rows = customers
    _, online = stores
    contract = dataset.contract
    stored = [online.read(row[contract.id.name]).row for row in rows]

    assert np.array_equal(by_row(contract, stored), offline_bits)


def test_features_read_online_are_the_offline_ones(customers, stores, offline_bits):
    dataset, rows = customers
    _, online = stores
    contract = dataset.contract
    names = names_of(contract)
    codes = {c.name: {text: n for n, text in enumerate(c.categories)} for c in contract.coded}

    typed = TypedFields(contract).typed(
        [online.read(row[contract.id.name]).row for row in rows], names
    )

    found = [
        [codes[name][row[name]] if name in codes else row[name] for name in names] for row in typed
    ]
    assert np.array_equal(bits(found), offline_bits)
