"""IBM's own file loads, and is the shipped table in every column but the id.

The original is not shipped. Who has it names it in CHURN_ORIGINAL_CSV; what is odd about it is
tested without it, too.
"""

from __future__ import annotations

import os
from pathlib import Path

import pandas as pd
import pytest

from churn.data import acquire, parse, read_raw

ORIGINAL = os.environ.get("CHURN_ORIGINAL_CSV", "")


@pytest.mark.optional
@pytest.mark.skipif(not ORIGINAL, reason="CHURN_ORIGINAL_CSV does not name IBM's file")
def test_the_shipped_table_is_the_original_but_for_the_ids(telco, contract, root, tmp_path):
    original = acquire(ORIGINAL, contract, root=root, cache=tmp_path)
    shipped = (root / contract.snapshot.path).read_text(encoding="utf-8").splitlines()
    theirs = Path(ORIGINAL).read_text(encoding="utf-8").splitlines()

    pd.testing.assert_frame_equal(
        original.frame.drop(columns="customerID"), telco.frame.drop(columns="customerID")
    )
    assert [line.partition(",")[2] for line in shipped] == [
        line.partition(",")[2] for line in theirs
    ]
    assert not set(original.frame["customerID"]) & set(telco.frame["customerID"])


def test_what_is_odd_in_the_original_is_odd_in_the_shipped_table(telco, contract, root):
    lines = (root / contract.snapshot.path).read_text(encoding="utf-8").splitlines()
    cells = pd.DataFrame([line.split(",") for line in lines[1:]], columns=lines[0].split(","))

    blank = cells[cells["TotalCharges"].str.strip() == ""]
    assert set(blank["TotalCharges"]) == {" "}
    assert set(blank["tenure"]) == {"0"}
    assert len(blank) == 11
    assert set(cells["SeniorCitizen"]) == {"0", "1"}
    assert not cells["MonthlyCharges"].str.endswith(".0").any()
    assert (telco.frame["TotalCharges"][blank.index] == 0.0).all()


def test_a_row_written_as_ibm_writes_it_loads(contract):
    text = (
        "customerID,gender,SeniorCitizen,Partner,Dependents,tenure,PhoneService,MultipleLines,"
        "InternetService,OnlineSecurity,OnlineBackup,DeviceProtection,TechSupport,StreamingTV,"
        "StreamingMovies,Contract,PaperlessBilling,PaymentMethod,MonthlyCharges,TotalCharges,Churn\n"
        "0000-AAAAA,Female,1,Yes,Yes,0,No,No phone service,DSL,Yes,No,Yes,Yes,Yes,No,Two year,Yes,"
        "Bank transfer (automatic),52.55, ,No\n"
    )

    frame = parse(read_raw(text.encode(), "original.csv")[0], contract)

    customer = frame.iloc[0]
    assert customer["customerID"] == "0000-AAAAA"
    assert customer["SeniorCitizen"] == "1"
    assert customer["tenure"] == 0
    assert customer["MonthlyCharges"] == 52.55
    assert customer["TotalCharges"] == 0.0
