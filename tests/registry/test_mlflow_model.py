"""MLflow's copy of the model: the table that training reads is scored with the scorer's bits."""

from __future__ import annotations

import io
import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from mlflow.exceptions import MlflowException

from churn.scoring import Scorer
from tests.servers.published import published_store, trained

__all__ = ["published_store", "trained"]
ROWS = 400


@pytest.fixture(scope="module")
def logged(trained, root, tmp_path_factory):
    """The model as a training run logs it, loaded by MLflow."""
    import mlflow

    from registry.mlflow_tracking import model_signature

    folder = tmp_path_factory.mktemp("mlflow")
    trained["1"].save(folder / "model")
    mlflow.pyfunc.save_model(
        str(folder / "logged"),
        python_model=str(root / "registry" / "mlflow_model.py"),
        artifacts={"model": str(folder / "model")},
        signature=model_signature(),
        pip_requirements=[],
    )
    return mlflow.pyfunc.load_model(str(folder / "logged"))


@pytest.fixture(scope="module")
def table(telco):
    """The first customers as training reads them, one of them without charges so far."""
    frame = telco.frame.head(ROWS).copy()
    frame.loc[7, ["tenure", "TotalCharges"]] = [0, 0.0]
    return frame


@pytest.fixture(scope="module")
def as_csv(table):
    """The same customers as CSV, where what is not charged yet is a blank."""
    text = table.astype({"TotalCharges": object})
    text.loc[7, "TotalCharges"] = " "
    return text.to_csv(index=False)


@pytest.fixture(scope="module")
def expected(published_store, table, contract):
    """The scorer's probabilities."""
    from churn.features.encoding import encode

    return Scorer.load(published_store).score_many(encode(table, contract)).probability


def parquet_round_trip(table):
    buffer = io.BytesIO()
    table.to_parquet(buffer)
    return pd.read_parquet(buffer)


def with_wide_types(table):
    return table.astype({"tenure": "float64", "SeniorCitizen": "int64", "TotalCharges": "float64"})


def with_nullable_types(table):
    return table.astype(object).convert_dtypes().astype({"tenure": "Int64", "gender": "string"})


def with_flags_as_booleans(table):
    flags = {name: table[name] == "Yes" for name in ("Partner", "Dependents", "PhoneService")}
    return table.assign(**flags, SeniorCitizen=table["SeniorCitizen"].astype(str) == "1")


def with_nothing_where_allowed(table):
    changed = table.astype({"TotalCharges": object})
    changed.loc[7, "TotalCharges"] = np.nan
    return changed


def shuffled(table):
    return table[[*reversed(table.columns)]]


def features_alone(table):
    return table.drop(columns=["customerID", "Churn"])


@pytest.mark.parametrize(
    "change",
    [
        lambda table: table, parquet_round_trip, with_wide_types, with_nullable_types,
        with_flags_as_booleans, with_nothing_where_allowed, shuffled, features_alone,
        lambda table: table.to_dict(orient="list"), lambda table: table.to_dict(orient="records"),
    ],
    ids=["as parsed", "parquet", "wide types", "nullable types", "booleans", "blank", "shuffled",
         "features alone", "columns", "records"],
)  # fmt: skip
def test_the_product_s_own_table_is_scored_with_the_scorers_bits(logged, table, expected, change):
    assert logged.predict(change(table))["probability"].tolist() == expected.tolist()


def test_a_recalibrated_model_is_scored_with_its_two_numbers(trained, table, contract, tmp_path):
    from scipy.special import expit

    from churn.features.encoding import encode
    from registry.mlflow_model import ChurnModel

    model = trained["2"].model
    line, logit = model.map, model.fitted.logit(encode(table, contract))
    trained["2"].save(tmp_path / "model")
    copy = ChurnModel()
    copy.load_context(SimpleNamespace(artifacts={"model": str(tmp_path / "model")}))

    answer = copy.predict(None, table)["probability"]

    assert answer.tolist() == expit(line.slope * logit + line.intercept).tolist()


def test_a_csv_file_as_pandas_reads_it_is_scored_alike(logged, as_csv, expected):
    for options in ({}, {"dtype": str, "keep_default_na": False}, {"dtype_backend": "pyarrow"}):
        read = pd.read_csv(io.StringIO(as_csv), **options)
        assert logged.predict(read)["probability"].tolist() == expected.tolist()


def test_the_answer_has_the_index_of_the_input(logged, table, expected):
    some = table.iloc[[5, 3]].set_index(pd.Index(["b", "a"]))

    answer = logged.predict(some)

    assert answer["probability"].to_dict() == {"b": expected[5], "a": expected[3]}


@pytest.mark.parametrize(
    ("column", "value", "sentence"),
    [
        ("tenure", -5, "Row 4: Field 'tenure': -5 is outside 0 to "),
        ("tenure", 5000, "Row 4: Field 'tenure': 5000 is outside 0 to "),
        ("tenure", 1.5, "Row 4: Field 'tenure': 1.5 is not a whole number of "),
        ("tenure", np.inf, "Row 4: Field 'tenure': inf is not a finite number"),
        ("tenure", np.nan, "Row 4: Field 'tenure': "),
        ("tenure", pd.Timestamp("2026-01-01"), "Row 4: Field 'tenure': a Timestamp "),
        ("TotalCharges", " ", "Row 4: Field 'TotalCharges': "),
        ("Contract", "Biennial", "Row 4: Field 'Contract': 'Biennial' is not one of "),
        ("SeniorCitizen", 2, "Row 4: Field 'SeniorCitizen': 2 is not one of 0, 1"),
    ],
)
def test_what_the_contract_refuses_is_refused_in_its_sentence(
    logged, table, column, value, sentence
):
    wrong = table.head(8).astype({column: object})
    wrong.loc[3, column] = value

    with pytest.raises(MlflowException) as refused:
        logged.predict(wrong)

    assert str(refused.value).startswith(sentence)
    assert refused.value.error_code == "INVALID_PARAMETER_VALUE"


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda table: table.drop(columns=["tenure", "gender"]), "^Fields 'gender', 'tenure'"),
        (lambda table: table.rename(columns={"tenure": "Tenure"}), "did you mean 'tenure'"),
        (lambda table: table.assign(zip=1), "'zip' is not in the contract"),
        (lambda table: table.reset_index(names="Unnamed: 0"), "'Unnamed: 0' looks like an index"),
        (lambda table: table.rename(columns=str.lower), "spells fields otherwise"),
        (lambda table: table.set_axis(range(21), axis=1), "not in the contract"),
        (lambda table: pd.concat([table, table[["tenure"]]], axis=1), "'tenure' is there twice"),
        (lambda _: [1, [2]], "Field 0 is not in the contract"),
        (lambda _: "customers.csv", "The input is no table of customers"),
        (lambda _: {"tenure": [1, 2], "gender": ["Male"]}, "The input is no table of customers"),
    ],
)  # fmt: skip
def test_a_table_of_other_columns_is_refused_in_our_sentence(logged, table, change, sentence):
    with pytest.raises(MlflowException, match=sentence):
        logged.predict(change(table.head(8)))


def serve(logged, body, content_type="application/json"):
    """What `mlflow models serve` answers: its own function, without a server around it."""
    from mlflow.pyfunc.scoring_server import invocations

    answer = invocations(body, content_type, logged, logged.metadata.get_input_schema())
    return [row["probability"] for row in json.loads(answer.response)["predictions"]]


def test_the_day_of_a_row_may_stand_in_the_table(table, contract):
    from churn.contract import DataContract
    from registry.mlflow_model import ChurnModel

    day = {"name": "seen_on", "kind": "date", "meaning": "Day of the row"}
    content = contract.model_dump()
    dated = DataContract.model_validate(content | {"columns": [*content["columns"], day]})
    model = ChurnModel()
    model.model = SimpleNamespace(contract=dated, probability=lambda columns: columns["tenure"])

    answered = model.predict(None, table.assign(seen_on="2025-01-01"))

    assert answered["probability"].tolist() == table["tenure"].tolist()


def test_mlflows_server_scores_the_table_in_every_form_it_takes(logged, table, as_csv, expected):
    plain = json.loads(table.to_json(orient="split"))
    rows = json.loads(table.to_json(orient="records", double_precision=15))
    parquet = io.BytesIO()
    table.to_parquet(parquet)
    bodies = {
        "dataframe_split": {"dataframe_split": plain},
        "dataframe_records": {"dataframe_records": rows},
        "instances": {"instances": rows},
        "inputs": {"inputs": table.to_dict(orient="list")},
        "inputs by row": {"inputs": rows},
    }

    for form, body in bodies.items():
        assert serve(logged, json.dumps(body)) == expected.tolist(), form
    assert serve(logged, as_csv, "text/csv") == expected.tolist()
    assert serve(logged, parquet.getvalue(), "application/vnd.apache.parquet") == expected.tolist()


@pytest.mark.parametrize("form", ["dataframe_records", "inputs", "instances"])
@pytest.mark.parametrize(
    ("value", "fault"),
    [
        (-5, "Row 1: Field 'tenure': -5 is outside 0 to "),
        ([1, 2], "Field 'tenure': a .* is not a number|no table of customers: Per-column arrays"),
    ],
)
def test_mlflows_server_refuses_in_our_sentence(logged, table, form, value, fault):
    row = json.loads(table.head(1).to_json(orient="records"))[0] | {"tenure": value}

    with pytest.raises(MlflowException, match=fault) as why:
        serve(logged, json.dumps({form: [row]}))

    assert why.value.get_http_status_code() == 400


def test_the_model_s_page_says_what_each_field_may_be(contract, monkeypatch, trained):
    import mlflow

    from registry import mlflow_tracking

    logged = {}
    monkeypatch.setattr(mlflow.pyfunc, "log_model", lambda **options: logged.update(options))

    mlflow_tracking._log_model(trained["1"])

    fields = logged["metadata"]["fields"]
    assert [each["name"] for each in fields] == [column.name for column in contract.features]
    assert {"name": "Contract", "allowed": "Month-to-month, One year, Two year"} in fields
    assert Path(logged["python_model"]).name == "mlflow_model.py"
