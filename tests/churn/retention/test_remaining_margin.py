import numpy as np
import pytest
from lifelines import KaplanMeierFitter

from churn.contract import Role
from churn.errors import InputError
from churn.exploration.survival import survival_curve
from churn.retention.hazards import HazardModel, fit_hazards
from churn.retention.renewals import fit_renewals, renewal_stays
from churn.retention.value import remaining_margin, require_used_settings
from churn.retention.value_settings import HorizonSettings, MarginSettings

HORIZON = HorizonSettings(draws=40)


@pytest.fixture(scope="module")
def hazards(telco_columns, telco_target, contract):
    return fit_hazards(telco_columns, telco_target, contract, draws=40, seed=7)


def test_the_curve_is_lifelines_and_the_published_one(telco_columns, telco_target):
    curve = survival_curve(telco_columns["tenure"], telco_target)
    theirs = KaplanMeierFitter().fit(telco_columns["tenure"], telco_target)

    published = {1: 0.94596, 12: 0.8432, 24: 0.78874, 48: 0.70884, 72: 0.59279}
    for months, share in published.items():
        assert curve.at(months) == pytest.approx(share, abs=5e-6)
        assert curve.at(months) == pytest.approx(float(theirs.predict(months)), abs=1e-12)


@pytest.mark.parametrize(
    ("survivors", "alpha", "beta", "log_likelihood"),
    [
        ([1000, 869, 743, 653, 593, 551, 517, 491], 0.6681, 3.8061, -1611.158),
        ([1000, 631, 468, 382, 326, 289, 262, 241], 0.7041, 1.1820, -1680.265),
    ],
)
def test_renewals_are_fader_and_hardies(survivors, alpha, beta, log_likelihood):
    fitted = fit_renewals(survivors)

    assert fitted.alpha == pytest.approx(alpha, abs=5e-5)
    assert fitted.beta == pytest.approx(beta, abs=5e-5)
    assert fitted.log_likelihood == pytest.approx(log_likelihood, abs=5e-4)


@pytest.mark.parametrize(
    ("survivors", "said"),
    [
        ([0, 0, 0], "empty"),
        ([10, 5], "two renewals"),
        ([10, 12, 3], "cannot rise, as they do from 10 to 12 at renewal 1"),
        ([10, 10, 10], "Nobody of the cohort has left"),
        ([10, -1, -2], "no number of customers"),
    ],
)
def test_what_is_no_cohort_is_refused(survivors, said):
    with pytest.raises(InputError, match=said):
        fit_renewals(survivors)


def test_without_covariates_a_stay_is_worked_out_by_hand():
    # Given a hazard of ln 2 a month, so that each month half of the customers stay
    model = HazardModel(
        tenure="tenure",
        design=(("flag", 1),),
        center=np.zeros(1),
        scale=np.ones(1),
        coefficients=np.zeros((1, 1)),
        hazards=np.full((1, 12), np.log(2)),
    )
    columns = {"tenure": np.array([0.0, 11.0, 40.0]), "flag": np.array([0, 1, 0])}

    months = model.expected_months(columns, horizon=3, yearly_discount=0.0)

    # Then 1/2 + 1/4 + 1/8 months are expected, beyond the longest tenure as well
    assert months == pytest.approx(np.full((1, 3), 0.875))
    # And a discount of 0.1 a year takes a twelfth root off each month
    discounted = model.expected_months(columns, horizon=1, yearly_discount=0.1)
    assert discounted == pytest.approx(np.full((1, 3), 0.5 / 1.1 ** (1 / 12)))


def test_customers_of_the_average_kind_stay_as_the_curve_says(hazards, telco_columns, telco_target):
    curve = survival_curve(telco_columns["tenure"], telco_target)
    new = {name: values.copy() for name, values in telco_columns.items()}
    new["tenure"] = np.zeros(len(telco_target))

    months = hazards.expected_months(new, horizon=24, yearly_discount=0.0)[0].mean()

    assert months == pytest.approx(sum(curve.at(m) for m in range(1, 25)), rel=0.05)


def test_a_longer_contract_is_worth_more_and_the_interval_holds_the_estimate(
    hazards, telco_columns, contract
):
    margin = remaining_margin(telco_columns, contract, MarginSettings(), hazards, HORIZON)
    longer = {**telco_columns, "Contract": np.full_like(telco_columns["Contract"], 2)}
    of_longer = remaining_margin(longer, contract, MarginSettings(), hazards, HORIZON)
    lower, upper = margin.interval

    shorter = telco_columns["Contract"] == 0
    assert (of_longer.expected[shorter] > margin.expected[shorter]).all()
    assert ((lower < margin.expected) & (margin.expected < upper)).mean() > 0.95
    assert 0 < margin.expected.max() < 24 * 0.3 * telco_columns["MonthlyCharges"].max()


def test_nothing_that_grows_with_the_stay_explains_it(hazards, contract):
    named = {name for name, _ in hazards.design}

    assert not named & {
        c.name for role in (Role.TENURE, Role.TOTAL_CHARGE) for c in contract.with_role(role)
    }


def test_equal_seeds_give_equal_values(hazards, telco_columns, telco_target, contract):
    again = fit_hazards(telco_columns, telco_target, contract, draws=40, seed=7)

    assert np.array_equal(again.coefficients, hazards.coefficients)
    assert np.array_equal(again.hazards, hazards.hazards)


def test_without_a_monthly_charge_all_are_worth_the_assumed_amount(
    telco_columns, contract, hazards
):
    columns = tuple(
        c for c in contract.columns if Role.MONTHLY_CHARGE not in getattr(c, "roles", ())
    )
    without = contract.model_copy(update={"columns": columns})

    margin = remaining_margin(telco_columns, without, MarginSettings(clv=150.0), hazards, HORIZON)

    assert set(margin.expected) == {150.0}
    assert "150.00" in margin.assumptions[0]
    assert (
        "no single monthly charge, so margins and a horizon do not count" in margin.assumptions[1]
    )
    # And what says how long they stay, or what they pay, is refused where it does not count
    require_used_settings(without, MarginSettings(clv=150.0), ())
    with pytest.raises(
        InputError, match="has no single number column with the role monthly_charge"
    ):
        require_used_settings(without, MarginSettings(), (1000, 800, 700))


def test_one_worth_for_all_is_refused_where_each_customer_has_an_own(contract):
    require_used_settings(contract, MarginSettings(margin=0.4), (1000, 800, 700))
    with pytest.raises(InputError, match=r"'telco' has 'MonthlyCharges'. Leave it out"):
        require_used_settings(contract, MarginSettings(clv=200.0), ())
    years = [
        c.model_copy(update={"unit": "years"}) if c.name == "tenure" else c
        for c in contract.columns
    ]
    in_years = contract.model_copy(update={"columns": tuple(years)})
    require_used_settings(in_years, MarginSettings(clv=200.0), ())  # no stays: it counts
    with pytest.raises(InputError, match=r"value\.clv"):
        require_used_settings(in_years, MarginSettings(clv=200.0), (1000, 800, 700))


def test_renewals_without_a_tenure_count_everybody_as_new(telco_columns, contract):
    stays = renewal_stays([1000, 500, 300], None, 12, draws=20, seed=3)

    margin = remaining_margin(telco_columns, contract, MarginSettings(), stays, HORIZON)

    assert margin.assumptions[-1] == (
        "Every customer counts as new, because the contract has no tenure in months."
    )


def test_nobody_left_is_refused(telco_columns, telco_target, contract):
    with pytest.raises(InputError, match="Nobody in the table has left"):
        fit_hazards(telco_columns, np.zeros_like(telco_target), contract, draws=20, seed=1)


def test_renewals_count_the_months_until_the_next_one_whole():
    stays = renewal_stays([1000, 500, 300], "tenure", 12, draws=20, seed=3)
    columns = {"tenure": np.array([0.0, 11.0])}

    months = stays.expected_months(columns, horizon=12, yearly_discount=0.0)

    # Who is new pays the whole contract; who is in its last month pays that, and may leave then
    assert months[0][0] == pytest.approx(12)
    assert months[0][1] == pytest.approx(1 + 11 * stays.fitted.survival(1)[1])
    assert months.shape == (21, 2)
