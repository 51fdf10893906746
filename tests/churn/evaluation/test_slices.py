import numpy as np
import pytest
from scipy.special import expit
from sklearn.metrics import roc_auc_score

from churn.contract import Role
from churn.errors import InputError
from churn.evaluation.delong import delong
from churn.evaluation.disparities import wilson_interval
from churn.evaluation.plan import SliceSettings
from churn.evaluation.slices import SlicesReport, evaluate_slices
from churn.evaluation.slicing import declared_slices
from churn.features.tenure import BUCKET_NAMES

SETTINGS = SliceSettings()
THRESHOLD = 0.3


@pytest.fixture(scope="module")
def scored(telco_columns):
    """The real customers with outcomes drawn from the very probabilities they are judged by."""
    generator = np.random.default_rng(7)
    term = np.array([0.4, -1.6, -3.2])[telco_columns["Contract"]]
    chance = expit(generator.normal(-0.6, 1.2, size=len(term)) + term)
    return (generator.random(len(chance)) < chance).astype(np.int8), chance


@pytest.fixture(scope="module")
def report(telco_columns, contract, scored):
    return evaluate_slices(telco_columns, contract, *scored, THRESHOLD, settings=SETTINGS)


def found(report, column, value):
    return next(s for s in report.slices if (s.column, s.value) == (column, value))


def test_the_contracts_roles_and_the_stages_of_tenure_are_sliced(report, telco_columns):
    columns = list(dict.fromkeys(each.column for each in report.slices))
    assert columns == ["gender", "SeniorCitizen", "Partner", "Dependents", "Contract", "tenure"]
    assert [s.value for s in report.slices if s.column == "tenure"] == list(BUCKET_NAMES)
    for column in columns:
        rows = sum(each.rows for each in report.slices if each.column == column)
        assert rows == len(telco_columns["tenure"])
    assert found(report, "tenure", "under 6 months").rows == (telco_columns["tenure"] < 6).sum()
    assert report.notes == ()


def test_every_figure_is_that_of_the_slices_own_customers(report, telco_columns, scored):
    target, chance = scored
    senior = telco_columns["SeniorCitizen"] == 1
    part = found(report, "SeniorCitizen", "1")
    assert (part.rows, part.positives) == (senior.sum(), target[senior].sum())
    assert part.roc_auc.value == pytest.approx(roc_auc_score(target[senior], chance[senior]))
    assert part.roc_auc.interval == delong(target[senior], chance[senior]).interval()
    gap = (target[senior] - chance[senior]).mean()
    assert part.calibration_gap.value == pytest.approx(gap)
    assert part.selection_rate.value == (chance[senior] >= THRESHOLD).mean()
    assert part.true_positive_rate.value == (chance[senior & (target == 1)] >= THRESHOLD).mean()
    assert part.false_positive_rate.value == (chance[senior & (target == 0)] >= THRESHOLD).mean()
    assert part.verdict == "measured"


def test_customers_at_the_threshold_are_selected(telco_columns, contract, scored):
    target, _ = scored
    level = np.full(len(target), 0.3)
    found = evaluate_slices(telco_columns, contract, target, level, 0.3, settings=SETTINGS)
    assert {each.selection_rate.value for each in found.slices} == {1.0}


def test_a_predicted_rate_that_is_off_in_one_slice_is_distinguished_from_one_that_is_not(
    telco_columns, contract, scored
):
    target, chance = scored
    partner = telco_columns["Partner"] == 1
    off = np.where(partner, np.clip(chance + 0.1, 0, 1), chance)
    report = evaluate_slices(telco_columns, contract, target, off, THRESHOLD, settings=SETTINGS)
    wrong, right = found(report, "Partner", "Yes"), found(report, "Partner", "No")
    assert wrong.calibration_gap.interval.upper < 0 < wrong.roc_auc.value
    assert right.calibration_gap.interval.covers(0)
    assert "more than chance explains" in wrong.sentence
    assert "more than chance explains" not in right.sentence
    assert "Partner = Yes" in report.sentence


def test_too_few_rows_is_a_verdict_of_its_own(telco_columns, contract, scored):
    target, chance = scored
    # given 240 customers: some groups are tiny, and hardly anyone on two years leaves
    some = {name: values[:240] for name, values in telco_columns.items()}
    report = evaluate_slices(
        some, contract, target[:240], chance[:240], THRESHOLD, settings=SETTINGS
    )
    senior = found(report, "SeniorCitizen", "1")
    assert senior.rows < 100
    assert senior.verdict == "too few rows to tell"
    assert senior.roc_auc is senior.calibration_gap is senior.selection_rate is None
    assert senior.sentence.endswith("left): too few rows to tell.")
    compared = [d for d in report.disparities if (d.column, d.value) == ("SeniorCitizen", "1")]
    assert {d.verdict for d in compared} == {"too few rows to tell"}
    assert "at least 100 customers and 30 of each outcome" in report.sentence


@pytest.mark.parametrize(
    ("rows", "left", "verdict", "rated"),
    [
        (100, 30, "measured", True),
        (99, 30, "too few rows to tell", False),
        (100, 29, "too few rows to tell", True),
        (100, 71, "too few rows to tell", True),
    ],
)
def test_the_minimum_is_a_hundred_rows_and_thirty_of_each_outcome(
    telco_columns, contract, rows, left, verdict, rated
):
    women = np.flatnonzero(telco_columns["gender"] == 0)[:rows]
    men = np.flatnonzero(telco_columns["gender"] == 1)[:200]
    columns = {name: values[np.r_[women, men]] for name, values in telco_columns.items()}
    target = np.zeros(rows + 200, dtype=np.int8)
    target[:left] = 1
    target[rows : rows + 90] = 1
    chance = np.random.default_rng(2).random(len(target))
    report = evaluate_slices(columns, contract, target, chance, THRESHOLD, settings=SETTINGS)
    part = found(report, "gender", "Female")
    assert part.verdict == verdict
    assert (part.roc_auc is not None) == (verdict == "measured")
    assert (part.selection_rate is not None) == rated
    assert (part.true_positive_rate is not None) == (rated and left >= 30)
    assert (part.false_positive_rate is not None) == (rated and rows - left >= 30)


def test_slices_are_held_against_the_largest_of_their_column(report):
    against = {d.column: d.reference for d in report.disparities}
    assert against["Contract"] == "Month-to-month"
    assert against["SeniorCitizen"] == "0"
    months = [d for d in report.disparities if d.column == "Contract"]
    assert [d.value for d in months] == ["One year"] * 5 + ["Two year"] * 5
    rate = next(d for d in months if (d.value, d.metric) == ("Two year", "selection_rate"))
    assert rate.verdict == "differs"
    assert rate.difference.interval.upper < 0
    assert "Selection rate, Contract Two year against Month-to-month: -" in rate.sentence
    assert " points (-" in rate.sentence


def test_groups_that_are_treated_alike_differ_about_once_in_twenty(telco_columns, contract):
    # given scores and outcomes that know nothing of gender
    generator, differs = np.random.default_rng(13), 0
    for _ in range(60):
        chance = generator.beta(1.2, 3, size=7043)
        target = (generator.random(7043) < chance).astype(np.int8)
        report = evaluate_slices(
            telco_columns, contract, target, chance, THRESHOLD, settings=SETTINGS
        )
        gender = [d for d in report.disparities if d.column == "gender"]
        differs += sum(d.verdict == "differs" for d in gender)
    # then of 180 comparisons 9 are expected; 20 or more has probability below 1 in 1,000
    assert 1 <= differs < 20


def test_wilsons_interval_is_the_published_one():
    # Newcombe 1998 (Statistics in Medicine 17:857-872), table I: 81 of 263 and 0 of 20
    interval = wilson_interval(81, 263)
    assert (round(interval.lower, 4), round(interval.upper, 4)) == (0.2553, 0.3662)
    none = wilson_interval(0, 20)
    assert (none.lower, round(none.upper, 4)) == (0, 0.1611)
    with pytest.raises(ValueError, match="at least one row"):
        wilson_interval(0, 0)


def test_newcombes_interval_is_the_published_one():
    # Newcombe 1998 (Statistics in Medicine 17:873-890), table II: 56/70 less 48/80
    from churn.evaluation.disparities import Estimate, estimate_difference

    ours = Estimate(value=56 / 70, interval=wilson_interval(56, 70))
    theirs = Estimate(value=48 / 80, interval=wilson_interval(48, 80))
    interval = estimate_difference(ours, theirs).interval
    assert (round(interval.lower, 4), round(interval.upper, 4)) == (0.0524, 0.3339)


def test_the_report_survives_json(report):
    assert SlicesReport.model_validate_json(report.model_dump_json()) == report
    assert all(each.sentence.endswith(".") for each in (*report.slices, *report.disparities))


def test_a_tenure_in_other_units_has_no_bands_of_months(telco_columns, contract):
    in_years = tuple(
        column.model_copy(update={"unit": "years"}) if column.name == "tenure" else column
        for column in contract.columns
    )

    slices, notes = declared_slices(
        telco_columns, contract.model_copy(update={"columns": in_years})
    )

    assert "tenure" not in {each.column for each in slices}
    assert notes == ["Tenure bands are left out: 'tenure' is in years, not months."]


def test_a_contract_without_the_roles_says_what_is_left_out(telco_columns, contract):
    def plain(column):
        if column.name == "tenure":
            return column.model_copy(update={"roles": ()})
        if column.name == "MonthlyCharges":
            return column.model_copy(update={"roles": (Role.SENSITIVE,)})
        return column

    other = contract.model_copy(update={"columns": tuple(map(plain, contract.columns))})
    slices, notes = declared_slices(telco_columns, other)
    assert {each.column for each in slices} == {
        "gender",
        "SeniorCitizen",
        "Partner",
        "Dependents",
        "Contract",
    }
    assert len(notes) == 2
    assert "'MonthlyCharges' is left out" in notes[0]
    assert "Tenure bands are left out" in notes[1]


def test_what_does_not_fit_is_refused(telco_columns, contract, scored):
    target, chance = scored
    lacking = {name: values for name, values in telco_columns.items() if name != "Partner"}
    with pytest.raises(InputError, match="'Partner' is missing"):
        evaluate_slices(lacking, contract, target, chance, THRESHOLD, settings=SETTINGS)
    with pytest.raises(ValueError, match="do not match"):
        evaluate_slices(
            telco_columns, contract, target[:-1], chance[:-1], THRESHOLD, settings=SETTINGS
        )
    with pytest.raises(InputError, match="both outcomes"):
        evaluate_slices(
            telco_columns, contract, np.zeros_like(target), chance, THRESHOLD, settings=SETTINGS
        )
