"""Odd things of a table: blanks, repeated rows, constants, repeated facts, a column that gives away."""

import pytest

from churn.exploration.breakdown import break_down
from churn.exploration.data_findings import find_data_findings, target_copies
from churn.exploration.uses import column_uses, meaning
from churn.features.encoding import encode_target


def sentences(frame, contract) -> str:
    return " ".join(each.found for each in find_data_findings(frame, contract))


def test_the_shipped_table_has_eleven_blanks_and_73_repeated_rows(telco):
    found = sentences(telco.frame, telco.contract)

    assert "where tenure is 0: 11 rows, 11 of which were read as 0" in found
    assert "73 rows share all their features with another row; in 42 of them" in found
    assert "InternetService = No (1,526 rows) is repeated in OnlineSecurity, OnlineBackup" in found


def test_a_table_without_repeated_rows_says_so(telco):
    features = [column.name for column in telco.contract.features]
    distinct = telco.frame.drop_duplicates(features, keep=False)

    assert "No two rows are alike in every feature." in sentences(distinct, telco.contract)


def test_a_column_of_one_value_is_named(telco):
    spoilt = telco.frame.assign(tenure=12)

    assert "tenure has one value in all rows." in sentences(spoilt, telco.contract)
    assert "one value" not in sentences(telco.frame, telco.contract)


def test_a_column_that_gives_the_outcome_away_is_named(telco):
    target = encode_target(telco.frame, telco.contract)
    spoilt = telco.frame.assign(TotalCharges=target * 100.0)

    worst = find_data_findings(spoilt, telco.contract)[-1]
    usual = find_data_findings(telco.frame, telco.contract)[-1]

    assert worst.found.startswith(
        "TotalCharges alone ranks the customers best, at a ROC-AUC of 1.000"
    )
    assert "find out when it is written" in worst.meaning
    assert usual.meaning == "No column gives the outcome away."


def test_a_column_of_few_values_with_one_outcome_each_is_the_target_in_other_words(telco):
    left = telco.frame["Churn"] == "Yes"
    tenure = telco.frame["tenure"]
    spoilt = telco.frame.assign(
        tenure=left.map({False: 1, True: 2}),
        MonthlyCharges=(left * 100 + tenure % 3).astype(float),  # six values
        TotalCharges=range(telco.rows),  # of a row each
    )

    found = [column.name for column in target_copies(spoilt, telco.contract)]

    assert found == ["tenure", "MonthlyCharges"]
    assert target_copies(telco.frame, telco.contract) == ()
    one_more = spoilt.assign(tenure=spoilt["tenure"].where(spoilt.index != left.idxmax(), 1))
    assert [c.name for c in target_copies(one_more, telco.contract)] == ["MonthlyCharges"]
    assert target_copies(spoilt[~left], telco.contract) == ()


def test_no_finding_needs_both_outcomes(telco):
    stayed = telco.frame[telco.frame["Churn"] == "No"]

    assert "ROC-AUC" not in sentences(stayed, telco.contract)


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        ("Contract", "An offer can be made: a one-year contract, a two-year contract."),
        ("gender", "Alone it says nothing clear; it may still count beside others. Sensitive"),
        ("tenure", "Nobody can change it"),
        ("MonthlyCharges", "The business can change it."),
    ],
)
def test_a_column_means_what_the_contract_and_the_table_say(
    telco, telco_columns, telco_target, column, expected
):
    use = {each.column: each for each in column_uses(telco.contract)}[column]
    found = break_down(telco_columns, telco_target, telco.contract.column(column))

    assert expected in meaning(found, use)


def test_every_engineered_feature_is_listed_at_the_columns_it_reads(telco):
    uses = {each.column: each.features for each in column_uses(telco.contract)}

    assert "service_count" in uses["OnlineSecurity"]
    assert "service_count" not in uses["tenure"]
    assert uses["gender"] == ()
