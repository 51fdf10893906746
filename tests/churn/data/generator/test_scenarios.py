"""Each drift changes what it says and nothing else."""

from __future__ import annotations

import numpy as np
import pytest

from churn.contract import load_contract
from churn.data import parse
from churn.data.generator import generate
from churn.data.generator.scenarios import SCENARIOS
from churn.data.intake.parquet_text import as_texts
from churn.errors import InputError

ROWS = 20_000


@pytest.fixture(scope="module")
def plain(contract):
    return generate(contract, ROWS)


def changed(plain, drifted) -> set[str]:
    """The columns that differ."""
    names = plain.columns
    return {n for n in names if not np.array_equal(plain.columns[n], drifted.columns[n])}


def test_a_price_rise_raises_the_bill_alone(contract, plain):
    risen = generate(contract, ROWS, scenario="price_rise")

    assert changed(plain, risen) == {"MonthlyCharges"}
    ratio = risen.columns["MonthlyCharges"] / plain.columns["MonthlyCharges"]
    assert np.abs(ratio - 1.05).max() < 0.0015  # rounded to 0.05
    assert not np.array_equal(plain.probability, risen.probability)


def test_fibre_replaces_a_share_of_dsl_at_its_price(contract, plain):
    rolled = generate(contract, ROWS, scenario="fibre_rollout", strength=0.5)

    assert changed(plain, rolled) == {"InternetService", "MonthlyCharges"}
    before, after = plain.columns["InternetService"], rolled.columns["InternetService"]
    moved = before != after
    assert set(before[moved]) == {0}
    assert set(after[moved]) == {1}
    assert moved[before == 0].mean() == pytest.approx(0.5, abs=0.02)
    more = rolled.columns["MonthlyCharges"] - plain.columns["MonthlyCharges"]
    assert np.allclose(more, np.where(moved, 25, 0))


def test_the_share_of_monthly_contracts_rises_by_ten_points(contract, plain):
    mixed = generate(contract, ROWS, scenario="contract_mix")

    assert changed(plain, mixed) == {"Contract"}
    shares = [np.mean(rows.columns["Contract"] == 0) for rows in (plain, mixed)]
    assert shares == pytest.approx([0.55, 0.65], abs=0.015)
    assert mixed.target.mean() > plain.target.mean()


def test_a_new_payment_method_is_refused_by_the_contract(contract, plain):
    paid = generate(contract, ROWS, scenario="new_payment")
    texts = as_texts(paid.table())

    assert changed(plain, paid) == {"PaymentMethod"}
    assert np.mean(paid.columns["PaymentMethod"] == -1) == pytest.approx(0.2, abs=0.01)
    assert texts["PaymentMethod"].to_pylist().count("Digital wallet") == pytest.approx(
        4000, abs=200
    )
    with pytest.raises(InputError, match="'Digital wallet' is not"):
        parse(texts, contract)


def test_a_broken_join_keeps_the_distribution_and_the_outcomes(contract, plain):
    broken = generate(contract, ROWS, scenario="broken_join", column="tenure")

    assert changed(plain, broken) == {"tenure"}
    before, after = plain.columns["tenure"], broken.columns["tenure"]
    assert np.mean(before != after) == pytest.approx(0.2, abs=0.015)
    assert after.mean() == pytest.approx(before.mean(), abs=0.6)
    assert np.array_equal(plain.target, broken.target)
    assert np.corrcoef(after, broken.columns["TotalCharges"])[0, 1] < (
        np.corrcoef(before, plain.columns["TotalCharges"])[0, 1] - 0.1
    )


@pytest.mark.parametrize("column", ["tenure", "Contract"])
def test_a_lost_join_leaves_blanks(contract, plain, column):
    lost = generate(contract, ROWS, scenario="lost_join", column=column)

    assert lost.table()[column].null_count == pytest.approx(4000, abs=200)
    assert np.array_equal(plain.target, lost.target)
    with pytest.raises(InputError, match=column):
        parse(as_texts(lost.table()), contract)


def test_behaviour_changes_who_leaves_and_no_column(contract, plain):
    behaving = generate(contract, ROWS, scenario="behaviour")
    monthly, two_years = (plain.columns["Contract"] == code for code in (0, 2))

    assert changed(plain, behaving) == set()
    assert plain.target[monthly].mean() > 5 * plain.target[two_years].mean()
    assert behaving.target[two_years].mean() > 2 * plain.target[two_years].mean()
    assert behaving.target[monthly].mean() < plain.target[monthly].mean() / 2


def test_a_drift_begins_in_its_week(contract):
    plain, drifted = (
        generate(contract, 4000, weeks=4, since=3, scenario=name) for name in ("", "price_rise")
    )
    late = drifted.observed >= np.datetime64("2026-01-19")
    bills = [rows.columns["MonthlyCharges"] for rows in (plain, drifted)]

    assert late.sum() == 2000
    assert np.array_equal(bills[0][~late], bills[1][~late])
    assert (bills[1][late] > bills[0][late]).all()


@pytest.mark.parametrize("scenario", ["price_rise", "fibre_rollout", "contract_mix", "new_payment"])
def test_a_scenario_whose_role_is_missing_is_refused(root, scenario):
    other = load_contract(root / "data" / "contracts" / "mlc_churn.yaml")

    with pytest.raises(InputError, match=f"'{scenario}' needs .* contract 'mlc_churn' has none"):
        generate(other, 10, scenario=scenario)


@pytest.mark.parametrize("scenario", ["broken_join", "lost_join", "behaviour"])
def test_scenarios_without_a_role_work_for_any_contract(any_contract, scenario):
    rows = generate(any_contract, 500, scenario=scenario)
    assert len(rows.target) == 500


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"scenario": "price_ris"}, "no drift scenario 'price_ris'. Did you mean 'price_rise'?"),
        ({"scenario": "nothing"}, f"There are {', '.join(SCENARIOS)}."),
        ({"scenario": "broken_join", "column": "Tenur"}, "Did you mean 'tenure'?"),
        ({"scenario": "broken_join", "column": "Churn"}, "no feature column 'Churn'"),
        ({"scenario": "price_rise", "column": "tenure"}, "no column can be named for it"),
        ({"column": "tenure"}, "names no scenario"),
        ({"strength": 0.1}, "names no scenario"),
        ({"rows": 0}, "rows is '0', but it should be greater than or equal to 1"),
        ({"seed": -1}, "seed is '-1', but it should be greater than or equal to 0"),
        ({"seed": 2**63}, "but it should be less than"),
        ({"scenario": "price_rise", "strength": 0}, "strength is '0'"),
        ({"scenario": "price_rise", "strength": 1.01}, "strength is '1.01'"),
        ({"weeks": 4, "since": 5}, "since week 5, after the last of 4"),
        ({"seeed": 1}, "knows no 'seeed'. Did you mean 'seed'?"),
    ],
)
def test_settings_that_are_not_possible_are_refused(contract, settings, sentence):
    with pytest.raises(InputError) as refused:
        generate(contract, **({"rows": 10} | settings))

    assert sentence in str(refused.value)
