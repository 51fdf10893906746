import numpy as np
import pytest
from pydantic import ValidationError

from churn.contract import DataContract
from churn.errors import InputError
from churn.retention.value import lifetime_values
from churn.retention.value_settings import AcceptanceSettings, ThresholdSettings, ValueSettings


def test_every_amount_is_named_an_assumption_with_its_basis():
    assumptions = " ".join(ValueSettings(currency="USD").assumptions)

    for amount in ("200.00 USD", "10.00 USD", "1.00 USD", "30%", "Beta(6, 14)", "100%"):
        assert amount in assumptions
    assert assumptions.count("Verbraken, Verbeke & Baesens 2013") == 5
    assert "not measured here" in assumptions


def test_an_amount_of_ones_own_is_no_longer_the_papers():
    assumptions = ValueSettings(clv=350.0, currency="EUR", free_riders=0.5).assumptions

    assert assumptions[0] == (
        "A customer who stays is worth 350.00 EUR, the same for all (as set in the configuration, "
        "not measured)."
    )
    assert "50% take the offer, too (as set in the configuration" in " ".join(assumptions)


@pytest.mark.parametrize(
    "wrong",
    [
        {"clv": 0.0},
        {"clv": "200"},
        {"clv": float("inf")},
        {"incentive": -1.0},
        {"margin": 1.2},
        {"free_riders": 1.1},
        {"currency": "dollars"},
        {"churn_cost": 3.0},
        {"acceptance": {"alpha": 0.0, "beta": 14.0}},
    ],
)
def test_what_cannot_be_an_amount_is_refused(wrong):
    with pytest.raises(ValidationError):
        ValueSettings.model_validate(wrong)


def test_settings_survive_json_and_cannot_be_changed():
    value = ValueSettings(clv_months=12.0, acceptance=AcceptanceSettings(alpha=2.0))

    assert ValueSettings.model_validate_json(value.model_dump_json()) == value
    with pytest.raises(ValidationError):
        value.clv = 1.0
    with pytest.raises(ValidationError):
        ThresholdSettings.model_validate({"rule": "cost"})


def test_worth_is_one_amount_or_follows_the_monthly_charge(telco, telco_columns, contract):
    flat = lifetime_values(telco_columns, contract, ValueSettings(clv=180.0))
    own = lifetime_values(telco_columns, contract, ValueSettings(clv_months=10.0, margin=0.4))

    assert flat.tolist() == [180.0] * telco.rows
    assert own == pytest.approx(4 * telco.frame["MonthlyCharges"].to_numpy())


def test_worth_by_monthly_charge_needs_one(telco_columns, contract):
    fields = contract.model_dump()
    for column in fields["columns"]:
        column["roles"] = [r for r in column.get("roles", ()) if r != "monthly_charge"]
    chargeless = DataContract.model_validate(fields)

    with pytest.raises(InputError, match=r"monthly_charge, but contract 'telco' has 0; set value"):
        lifetime_values(telco_columns, chargeless, ValueSettings(clv_months=12.0))
    assert len(lifetime_values(telco_columns, chargeless, ValueSettings())) == 7043


def test_scaling_one_assumption_leaves_the_others():
    value = ValueSettings(clv_months=12.0)

    assert value.times("clv", 2.0).clv_months == 24
    assert value.times("contact", 0.5).contact == 0.5
    doubled = value.times("acceptance", 2.0).acceptance
    assert (doubled.mean, doubled.alpha + doubled.beta) == (pytest.approx(0.6), 20)
    assert value.times("acceptance", 4.0) is None
    assert np.isclose(value.acceptance.mean, 0.3)
