"""Arrow files, partitioned folders, buckets and Delta tables."""

from __future__ import annotations

import pyarrow as pa
import pytest
from pyarrow import csv as arrow_csv
from pyarrow import dataset, feather, parquet

from churn.contract import DataContract
from churn.data import acquire, parse
from churn.data.sources import open_source, whole_table
from churn.errors import InputError
from tests.servers import cloud_servers


@pytest.fixture
def table(csv_file):
    """The customers as a program holds them."""
    return arrow_csv.read_csv(csv_file)


@pytest.fixture
def expected(csv_file, contract):
    """The customers, typed."""
    return parse(whole_table(open_source(str(csv_file))), contract)


@pytest.fixture(scope="module")
def server():
    """An S3 server with an empty bucket."""
    with cloud_servers.bucket() as started:
        yield started


@pytest.fixture
def bucket(server, monkeypatch):
    """The bucket's file system, its keys in the environment."""
    s3fs = pytest.importorskip("s3fs")
    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)
    s3fs.S3FileSystem.clear_instance_cache()
    yield s3fs.S3FileSystem()
    s3fs.S3FileSystem.clear_instance_cache()


@pytest.mark.parametrize("compression", ["uncompressed", "lz4", "zstd"])
@pytest.mark.parametrize("rows", [1, 7, 100])
def test_a_feather_file_is_read(table, expected, contract, tmp_path, compression, rows):
    path = tmp_path / "customers.feather"
    feather.write_feather(table, path, compression=compression, chunksize=23)
    source = open_source(str(path), contract)

    chunks = [chunk.table for chunk in source.chunks(rows)]

    assert parse(whole_table(source), contract).equals(expected)
    assert all(chunk.num_rows == rows for chunk in chunks[:-1])
    assert source.format == "arrow"


def test_an_arrow_stream_is_read(table, expected, contract, tmp_path):
    path = tmp_path / "customers.arrows"
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_stream(file, table.schema) as writer:
        writer.write_table(table)

    assert parse(whole_table(open_source(str(path), contract)), contract).equals(expected)


def test_a_damaged_feather_file_is_refused(table, tmp_path):
    path = tmp_path / "customers.feather"
    feather.write_feather(table, path)
    path.write_bytes(path.read_bytes()[:-50])

    with pytest.raises(InputError, match=r"customers\.feather is not a whole Arrow file"):
        list(open_source(str(path)).chunks())


def test_the_folders_of_a_partitioned_table_are_columns(table, expected, contract, tmp_path):
    scheme = dataset.partitioning(pa.schema([("Contract", pa.string())]), flavor="hive")
    dataset.write_dataset(table, tmp_path / "parts", format="parquet", partitioning=scheme)
    (tmp_path / "parts" / "manifest.json").write_text("{}")

    typed = parse(whole_table(open_source(str(tmp_path / "parts"), contract)), contract)

    assert typed.sort_values("customerID", ignore_index=True).equals(expected)


@pytest.mark.parametrize("column", ["Contract", "PaymentMethod"])
def test_rows_of_a_partitioned_table_train_as_the_file_does(
    table, expected, contract, root, tmp_path, column
):
    scheme = dataset.partitioning(pa.schema([(column, pa.string())]), flavor="hive")
    backwards = table.take(pa.array(range(len(table) - 1, -1, -1)))
    dataset.write_dataset(backwards, tmp_path / "parts", format="parquet", partitioning=scheme)

    found = acquire(str(tmp_path / "parts"), contract, root=root, cache=tmp_path)

    stored = parse(whole_table(open_source(str(tmp_path / "parts"), contract)), contract)
    assert not stored.equals(expected)
    assert found.frame.equals(expected)
    assert found.as_stored.equals(stored)  # the quality gate names rows by their number there


def test_a_customer_s_rows_are_ordered_by_day(table, contract, root, tmp_path):
    day = {"name": "seen_on", "kind": "date", "meaning": "Day of the row"}
    first, *others = contract.model_dump()["columns"]
    dated = DataContract.model_validate(contract.model_dump() | {"columns": [first, day, *others]})
    folder = tmp_path / "parts"
    folder.mkdir()
    for part, date in enumerate(["2026-01-02", "2026-01-03", "2026-01-01"]):
        dates = pa.array([date] * len(table))
        parquet.write_table(table.append_column("seen_on", dates), folder / f"part-{part}.parquet")

    found = acquire(str(folder), dated, root=root, cache=tmp_path)

    assert found.frame["seen_on"].tolist() == ["2026-01-01", "2026-01-02", "2026-01-03"] * 60
    assert found.frame["customerID"].is_monotonic_increasing
    assert found.as_stored["seen_on"].tolist()[::60] == ["2026-01-02", "2026-01-03", "2026-01-01"]


@pytest.mark.parametrize("place", ["customers.parquet", "parts/part-0.parquet"])
def test_a_file_keeps_its_own_order(table, expected, contract, root, tmp_path, place):
    backwards = table.take(pa.array(range(len(table) - 1, -1, -1)))
    (tmp_path / place).parent.mkdir(exist_ok=True)
    parquet.write_table(backwards, tmp_path / place)

    found = acquire(str(tmp_path / place.partition("/")[0]), contract, root=root, cache=tmp_path)

    assert found.frame.equals(expected[::-1].reset_index(drop=True))
    assert found.places is None


def test_a_partition_without_a_value_is_a_blank(tmp_path):
    place = tmp_path / "parts" / "region=__HIVE_DEFAULT_PARTITION__"
    place.mkdir(parents=True)
    parquet.write_table(pa.table({"a": [1]}), place / "part-0.parquet")

    assert whole_table(open_source(str(tmp_path / "parts"))).to_pylist() == [
        {"a": "1", "region": None}
    ]


@pytest.mark.parametrize("kind", ["csv", "parquet", "folder"])
def test_a_bucket_gives_what_the_file_gives(
    bucket, kind, csv_file, table, contract, root, tmp_path
):
    address = f"s3://{cloud_servers.BUCKET}/{kind}"
    if kind == "csv":
        bucket.pipe(f"{address}/customers.csv", csv_file.read_bytes())
        local, address = csv_file, f"{address}/customers.csv"
    else:
        local = tmp_path / "parts"
        local.mkdir()
        parquet.write_table(table[:40], local / "part-0.parquet")
        parquet.write_table(table[40:], local / "part-1.parquet")
        local = local if kind == "folder" else local / "part-0.parquet"
        place = address if kind == "folder" else f"{address}/part-0.parquet"
        bucket.put(str(local), place, recursive=True)
        address = place

    stored = acquire(address, contract, root=root, cache=tmp_path)

    plain = acquire(str(local), contract, root=root, cache=tmp_path)
    assert stored.frame.equals(plain.frame)
    assert (stored.source.sha256, stored.source.size) == (plain.source.sha256, plain.source.size)
    assert stored.source.location == address


def test_an_object_that_is_replaced_while_it_is_read_is_refused(bucket, csv_file):
    address = f"s3://{cloud_servers.BUCKET}/replaced.csv"
    bucket.pipe(address, csv_file.read_bytes())
    chunks = open_source(address).chunks(10)
    next(chunks)
    bucket.pipe(address, csv_file.read_bytes().replace(b"Male", b"Mole"))

    with pytest.raises(InputError, match=r"replaced\.csv changed while it was read"):
        list(chunks)


def test_what_a_bucket_refuses_is_one_sentence(bucket, monkeypatch):
    missing = f"s3://{cloud_servers.BUCKET}/nothing.csv"
    with pytest.raises(InputError, match=r"nothing\.csv cannot be read: there is none\."):
        open_source(missing)
    with pytest.raises(InputError, match=r"^s3://bucket/x\.csv has keys in its address") as caught:
        open_source("s3://key:secret@bucket/x.csv")
    assert "secret" not in str(caught.value)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    type(bucket).clear_instance_cache()
    with pytest.raises(InputError, match=r"nothing\.csv cannot be read: Could not connect"):
        open_source(missing)


def test_a_store_without_tags_is_hashed_again(csv_file):
    import fsspec

    store = fsspec.filesystem("memory")
    store.pipe("/customers.csv", csv_file.read_bytes())
    try:
        source = open_source("memory://customers.csv")
        assert source.digest() == open_source(str(csv_file)).digest()
        assert whole_table(source).equals(whole_table(open_source(str(csv_file))))
    finally:
        store.rm("/customers.csv")


def test_a_delta_table_is_read_as_it_was_opened(table, expected, contract, tmp_path):
    deltalake = pytest.importorskip("deltalake")
    place = str(tmp_path / "delta")
    deltalake.write_deltalake(place, table)
    source = open_source(place, contract)
    deltalake.write_deltalake(place, table[:3], mode="overwrite")

    assert parse(whole_table(source), contract).equals(expected)
    assert [chunk.table.num_rows for chunk in source.chunks(25)] == [25, 25, 10]
    later = open_source(place, contract)
    assert sum(chunk.table.num_rows for chunk in later.chunks()) == 3
    assert later.digest() != source.digest()


def test_a_delta_table_without_the_package_names_the_command(tmp_path, monkeypatch):
    import sys

    (tmp_path / "delta" / "_delta_log").mkdir(parents=True)
    monkeypatch.setitem(sys.modules, "deltalake", None)

    with pytest.raises(
        InputError, match=r"deltalake is not installed\. `make setup-data` installs"
    ):
        open_source(str(tmp_path / "delta"))


def test_an_empty_delta_log_is_one_sentence(tmp_path):
    pytest.importorskip("deltalake")
    (tmp_path / "delta" / "_delta_log").mkdir(parents=True)

    with pytest.raises(InputError, match=r"The Delta table .*delta cannot be read: .*\."):
        open_source(str(tmp_path / "delta"))


def test_a_web_address_is_read_by_nothing_but_training():
    with pytest.raises(InputError, match=r"is not read from where it is\. Download it"):
        open_source("https://example.org/customers.csv")
