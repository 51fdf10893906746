"""Another business's table, tables that other tools wrote, and databases that cannot be read."""

from __future__ import annotations

import sqlite3

import pytest
from pyarrow import csv, parquet

from churn.contract import load_contract
from churn.errors import InputError
from tests.churn.batch.conftest import files


def test_another_business_goes_through(root, tmp_path):
    from churn.batch.output_folder import output_folder
    from churn.batch.run_batch import BatchRequest, run_batch
    from churn.data import acquire
    from churn.data.sources import open_source
    from churn.features.encoding import encode, encode_target
    from churn.models.recipe_catalog import build_candidates
    from churn.models.recipe_settings import default_recipes
    from churn.models.trained import TrainedModel
    from churn.scoring.bundle import Threshold, publish, write_bundle

    contract = load_contract(root / "data" / "contracts" / "mlc_churn.yaml")
    table = root / "data" / "raw" / "mlc_churn.csv"
    customers = acquire(str(table), contract, root=root, cache=tmp_path / "downloads")
    columns = encode(customers.frame, contract)
    recipe = default_recipes()["logistic"]
    trained = TrainedModel.train(
        build_candidates(["logistic"], {"logistic": recipe}, contract)["logistic"],
        columns,
        encode_target(customers.frame, contract),
        contract=contract,
        data_sha256=customers.source.sha256,
        settings=recipe,
    )
    write_bundle(
        tmp_path / "store" / "bundles" / "1", trained, columns, name="mlc-churn", version="1",
        threshold=Threshold(value=0.3, basis="chosen for the tests"), metrics={},
    )  # fmt: skip
    publish(tmp_path / "store", "1")

    result = run_batch(
        BatchRequest(tmp_path / "store", "mlc-churn", in_ledger=False, explain=2),
        output_folder(tmp_path / "out"),
        lambda mine: open_source(str(table), mine, optional=(*mine.unscored, mine.id.name)),
    )

    rows = len(customers.frame)
    assert (result.manifest.accepted, result.manifest.rejected) == (rows, 0)
    assert parquet.read_table(tmp_path / "out" / "scores").num_rows == rows


def test_a_table_of_a_database_is_scored_as_its_file_is(score, customers_file, tmp_path, output):
    table = csv.read_csv(customers_file)
    with sqlite3.connect(tmp_path / "customers.db") as connection:
        names = ", ".join(f'"{name}"' for name in table.column_names)
        connection.execute(f"CREATE TABLE customers ({names})")
        places = ", ".join("?" * table.num_columns)
        rows = [tuple(row.values()) for row in table.to_pylist()]
        connection.executemany(f"INSERT INTO customers VALUES ({places})", rows)

    score(f"sqlite:///{tmp_path}/customers.db?table=customers")
    score(customers_file, into=tmp_path / "from_file")

    named = {}
    for place in (output, tmp_path / "from_file"):
        found = parquet.read_table(place / "scores")
        ids, probabilities = found["customer_id"], found["probability"]
        named[place] = dict(zip(ids.to_pylist(), probabilities.to_pylist(), strict=True))
    assert named[output] == named[tmp_path / "from_file"]


def test_a_table_that_is_not_there_leaves_nothing(score, tmp_path, output):
    sqlite3.connect(tmp_path / "empty.db").execute("CREATE TABLE other (a)")

    with pytest.raises(InputError, match="customers"):
        score(f"sqlite:///{tmp_path}/empty.db?table=customers")

    assert not output.exists()


def test_a_database_that_does_not_answer_is_named_without_its_password(score, output, monkeypatch):
    monkeypatch.setenv("PGPASSWORD", "very-secret")

    with pytest.raises(InputError) as caught:
        score("postgresql://somebody@127.0.0.1:1/db?table=customers")

    assert "very-secret" not in str(caught.value)
    assert files(output) == {} or not output.exists()


def test_a_table_that_another_tool_wrote_is_translated_and_another_translation_is_another_job(
    score, raw_customers, root, tmp_path, output
):
    import yaml

    names = ["months" if name == "tenure" else name for name in raw_customers.column_names]
    table = tmp_path / "theirs.csv"
    csv.write_csv(raw_customers.slice(0, 400).rename_columns(names), table)
    file = tmp_path / "telco.yaml"
    content = yaml.safe_load((root / "data" / "contracts" / "telco.yaml").read_text())
    file.write_text(yaml.safe_dump(content | {"reading": {"rename": {"months": "tenure"}}}))

    assert score(table, contract_file=file).manifest.accepted == 400

    reading = {"rename": {"months": "tenure"}, "extra": "ignore"}
    file.write_text(yaml.safe_dump(content | {"reading": reading}))
    with pytest.raises(InputError, match="another job: contract differs"):
        score(table, contract_file=file)
