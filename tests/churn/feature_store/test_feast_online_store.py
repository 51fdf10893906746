"""Feast reads and writes the online store that the service reads, with its rules: late rows lose, nulls do not erase."""

from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest

from churn.errors import InputError
from churn.feature_store.online.address import open_online_store
from churn.features.encoding import encode
from churn.features.feature_set import feature_set
from tests.servers.redis_server import running_redis

__all__ = ["running_redis"]

MONDAY = datetime(2026, 3, 2, tzinfo=UTC)
SERVICE = "churn.feature_store.feast_online_store.ChurnOnlineStore"
CUSTOMERS = 300


@pytest.fixture(params=["sqlite", "redis"])
def address(request, tmp_path):
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'online.db'}"
    return request.getfixturevalue("running_redis")


@pytest.fixture
def table(telco, contract):
    """Customers with fields and formulas, and the times that Feast asks for."""
    frame = telco.frame.head(CUSTOMERS)
    columns = encode(frame, contract)
    fields = {c.name: frame[c.name].astype(object) for c in contract.coded}
    fields |= {c.name: columns[c.name] for c in contract.numbers}
    engineered = feature_set(contract).compute(columns)
    times = {"event_timestamp": MONDAY, "created": MONDAY}
    return pd.DataFrame(
        {"customerID": frame["customerID"].astype(str)} | fields | engineered | times
    )


@pytest.fixture
def feast(root, contract, address, table, tmp_path):
    """A Feast store with one view of all fields and formulas, over a parquet file."""
    from feast import Entity, FeatureStore, FeatureView, Field, FileSource, RepoConfig, ValueType
    from feast.types import Float64, String

    table.to_parquet(tmp_path / "customers.parquet")
    config = RepoConfig(
        project="telco",
        provider="local",
        registry=str(tmp_path / "registry.db"),
        online_store={
            "type": SERVICE,
            "contract": str(root / "data/contracts/telco.yaml"),
            "address": address,
        },
        offline_store={"type": "file"},
        entity_key_serialization_version=3,
    )
    coded = {column.name for column in contract.coded}
    names = [n for n in table.columns if n not in {"customerID", "event_timestamp", "created"}]
    customer = Entity(name="customer", join_keys=["customerID"], value_type=ValueType.STRING)
    view = FeatureView(
        name="customers",
        entities=[customer],
        schema=[Field(name=n, dtype=String if n in coded else Float64) for n in names],
        source=FileSource(
            path=str(tmp_path / "customers.parquet"),
            timestamp_field="event_timestamp",
            created_timestamp_column="created",
        ),
    )
    store = FeatureStore(config=config)
    store.apply([customer, view])
    yield store
    store.teardown()


def read(feast, table, names, customers):
    rows = [{"customerID": customer} for customer in customers]
    answer = feast.get_online_features([f"customers:{name}" for name in names], rows).to_df()
    return answer.set_index("customerID").loc[list(customers), list(names)]


def test_materialised_rows_are_read_bit_for_bit_by_feast_and_by_the_service(
    feast, table, address, contract
):
    names = [n for n in table.columns if n not in {"customerID", "event_timestamp", "created"}]
    feast.materialize(MONDAY - timedelta(days=1), MONDAY + timedelta(days=1))

    found = read(feast, table, names, table["customerID"])

    expected = table.set_index("customerID")[names]
    pd.testing.assert_frame_equal(found, expected, check_exact=True, check_dtype=False)
    fields = [column.name for column in contract.features]
    with open_online_store(contract, address) as store:
        for customer, row in expected[fields].iterrows():
            assert store.read(customer).row == row.to_dict()


def test_a_late_row_changes_nothing_and_a_partial_one_erases_nothing(feast, table):
    feast.write_to_online_store("customers", table)
    first = table["customerID"][0]
    late = table.head(1).assign(tenure=99.0, event_timestamp=MONDAY - timedelta(days=1))
    partial = table.head(1).assign(event_timestamp=MONDAY + timedelta(days=1), tenure=7.0)
    partial["Contract"], partial["MonthlyCharges"] = None, float("nan")

    feast.write_to_online_store("customers", late)
    assert read(feast, table, ["tenure"], [first]).iloc[0]["tenure"] == table["tenure"][0]
    feast.write_to_online_store("customers", partial)

    found = read(feast, table, ["tenure", "Contract", "MonthlyCharges"], [first]).iloc[0]
    assert found.tolist() == [7.0, table["Contract"][0], table["MonthlyCharges"][0]]


def test_a_formula_follows_its_fields_at_once(feast, table, address, contract):
    from churn.feature_store.online.stored_customer import CustomerUpdate

    feast.write_to_online_store("customers", table)
    name = feature_set(contract).names[0]
    customer = table["customerID"][1]
    before = read(feast, table, [name], [customer]).iloc[0][name]
    with open_online_store(contract, address) as store:
        store.write([CustomerUpdate(customer, MONDAY + timedelta(days=2), {"tenure": 72})])
        row = store.read(customer).row

    after = read(feast, table, [name], [customer]).iloc[0][name]

    frame = pd.DataFrame([row]).assign(tenure=72)
    assert after == feature_set(contract).compute(encode(frame, contract))[name][0]
    assert after != before


def test_unknown_customers_have_nothing_and_incomplete_ones_no_formulas(
    feast, table, address, contract
):
    from churn.feature_store.online.stored_customer import CustomerUpdate

    with open_online_store(contract, address) as store:
        store.write([CustomerUpdate("partial", MONDAY, {"tenure": "5"})])

    name = feature_set(contract).names[0]
    found = read(feast, table, ["tenure", "Contract", name], ["partial", "nobody"])

    assert found.loc["partial", "tenure"] == 5.0
    assert found.loc["partial", ["Contract", name]].isna().all()
    assert found.loc["nobody"].isna().all()


def test_a_view_of_other_features_is_refused(feast, table):
    from feast import FeatureView, Field
    from feast.types import Float64

    view = feast.get_feature_view("customers")
    entity = feast.get_entity("customer")
    other = FeatureView(
        name="other", entities=[entity], schema=[Field(name="tenur", dtype=Float64)],
        source=view.batch_source,
    )  # fmt: skip
    feast.apply([other])

    with pytest.raises(InputError, match="did you mean 'tenure'"):
        feast.write_to_online_store("other", table.rename(columns={"tenure": "tenur"}))
