import numpy as np
import pytest
from pydantic import ValidationError
from scipy.special import expit, logit
from scipy.stats import binom, norm

from churn.evaluation.plan import PromotionSettings, SliceSettings
from churn.evaluation.slice_losses import LeaversReached, PredictedRate
from churn.features.encoding import take
from churn.promotion.comparison_gates import slices_gate
from churn.promotion.contenders import Contender, GateRows
from churn.promotion.slice_gates import rates_gate, reach_gate

SETTINGS = PromotionSettings()
HELD, PASSED = "insufficient evidence", "pass"
ROWS, RATE = 1400, 0.25


@pytest.fixture(scope="module")
def rows(telco_columns, contract):
    """1,400 real customers; a quarter left in every slice as far as counts allow."""
    columns = take(telco_columns, np.arange(ROWS))
    target = np.zeros(ROWS, dtype=np.int8)
    order = np.lexsort([columns["gender"], columns["Partner"], columns["Dependents"]])
    target[order[::4]] = 1
    return GateRows(columns=columns, target=target, contract=contract)


def leavers(rows, column, code):
    return np.flatnonzero((rows.columns[column] == code) & (rows.target == 1))


def with_dependents(rows, left, *, reached, of_champion, gained=0):
    """Rows where `left` customers with dependents left, and two models that reach some of them."""
    slice_rows = np.flatnonzero(rows.columns["Dependents"] == 1)
    target = rows.target.copy()
    target[slice_rows] = 0
    target[slice_rows[:left]] = 1
    one, other = np.full(ROWS, logit(0.6)), np.full(ROWS, logit(0.6))
    one[slice_rows[: left - reached]] = logit(0.1)
    other[slice_rows[left - of_champion - gained : left - gained]] = logit(0.6)
    other[slice_rows[: left - of_champion]] = logit(0.1)
    judged = GateRows(columns=rows.columns, target=target, contract=rows.contract)
    return (
        judged,
        Contender("version 2", one, threshold=0.3),
        Contender("version 1", other, threshold=0.3),
    )


def reach(rows, challenger, champion, settings=SETTINGS):
    return reach_gate(challenger, champion, rows, settings)


def line(gate, name):
    return next(each for each in gate.details if each.startswith(name))


def test_a_slice_whose_leavers_are_reached_less_often_holds_and_is_named(rows):
    # given that of 58 leavers with dependents 39 are reached instead of 48: 83% and then 67%
    gate = reach(*with_dependents(rows, 58, reached=39, of_champion=48))
    assert gate.verdict == HELD
    assert gate.figure == pytest.approx(-9 / 58)
    assert gate.threshold == -0.10
    assert gate.interval.upper < 0
    assert "Dependents = Yes (67.2% of 58 leavers, before 82.8%: -15.5 points" in gate.sentence
    assert "Dependents = No" not in gate.sentence


def test_a_loss_that_is_large_but_not_shown_is_printed_and_holds_nobody(rows):
    # given the same loss among 31 leavers, where the standard error is .07 and chance gives as much
    gate = reach(*with_dependents(rows, 31, reached=21, of_champion=26))
    assert gate.verdict == PASSED
    assert gate.figure == pytest.approx(-5 / 31)
    found = line(gate, "Dependents = Yes")
    assert "67.7% of 31 leavers, before 83.9%" in found
    assert "a true difference of 31.3 points is found in 4 of 5 cases" in found


@pytest.mark.parametrize(("lost", "verdict"), [(20, PASSED), (21, HELD)])
def test_a_loss_must_be_larger_than_the_margin(rows, lost, verdict):
    # given 200 leavers with dependents; 20 of them are exactly the margin of 10 points
    gate = reach(*with_dependents(rows, 200, reached=180 - lost, of_champion=180))
    assert gate.interval.upper < 0  # shown, either way
    assert gate.verdict == verdict


def test_every_slice_more_makes_a_loss_harder_to_show(rows):
    # given seven leavers lost and none gained, with p = .004
    given = with_dependents(rows, 58, reached=41, of_champion=48)
    assert reach(*given).verdict == PASSED
    # when only slices with 300 leavers are judged, which leaves fewer
    judged, one, other = with_dependents(rows, 300, reached=250, of_champion=300)
    few = SETTINGS.model_copy(update={"slices": SliceSettings(minimum_each=300)})
    all_of_them = reach(judged, one, other).interval
    assert reach(judged, one, other, few).interval.upper < all_of_them.upper < 0


def test_each_model_selects_at_its_own_threshold(rows):
    # given two models with the same scores, of which one asks for more
    score = np.full(ROWS, logit(0.35))
    champion = Contender("version 1", score, threshold=0.35 - 1e-9)
    strict = Contender("version 2", score, threshold=0.36)
    gate = reach(rows, strict, champion)
    assert gate.verdict == HELD
    assert gate.figure == -1
    assert reach(rows, champion, strict).figure == 1
    assert reach(rows, champion, strict).verdict == PASSED


def test_a_customer_exactly_at_the_threshold_is_selected(rows):
    even = np.zeros(ROWS)  # a probability of exactly .5
    at, above = (Contender(f"from {t}", even, threshold=t) for t in (0.5, 0.6))
    assert reach(rows, at, above).figure == 1
    assert reach(rows, above, at).figure == -1


def test_who_reaches_as_many_but_others_is_not_held(rows):
    target = leavers(rows, "Dependents", 1)
    one, other = np.full(ROWS, 1.0), np.full(ROWS, 1.0)
    one[target[::2]], other[target[1::2]] = -5, -5
    gate = reach(rows, Contender("a", one, threshold=0.5), Contender("b", other, threshold=0.5))
    assert gate.verdict == PASSED
    assert abs(gate.figure) < 0.1


@pytest.mark.parametrize("threshold", [None, float("nan"), 1.5, -0.1])
@pytest.mark.parametrize("who", ["challenger", "champion"])
def test_a_threshold_that_is_not_known_holds(rows, who, threshold):
    known = Contender("known", np.zeros(ROWS), threshold=0.5)
    unknown = Contender("version 9", np.zeros(ROWS), threshold=threshold)
    pair = (unknown, known) if who == "challenger" else (known, unknown)
    gate = reach(rows, *pair)
    assert gate.verdict == HELD
    assert gate.sentence == "version 9's decision threshold is not known."


def test_a_slice_with_too_few_leavers_says_so_and_holds_nobody(rows):
    # given 29 leavers, all of them lost
    gate = reach(*with_dependents(rows, 29, reached=0, of_champion=29))
    assert line(gate, "Dependents = Yes") == "Dependents = Yes: too few to tell (29 leavers)."
    thirty = reach(*with_dependents(rows, 30, reached=0, of_champion=30))
    assert "of 30 leavers" in line(thirty, "Dependents = Yes")
    assert thirty.verdict == HELD


def test_where_no_slice_is_large_enough_nobody_is_held(rows):
    none = SETTINGS.model_copy(
        update={"slices": SliceSettings(minimum_each=ROWS, minimum_rows=ROWS + 1)}
    )
    contender = Contender("version 2", np.zeros(ROWS), threshold=0.5)
    for gate in (reach(rows, contender, contender, none), rates_gate(contender, rows, none)):
        assert gate.verdict == PASSED
        assert np.isnan(gate.figure)
        assert gate.sentence.startswith(
            "None of 17 slices is large enough to tell whether version 2"
        )
        assert len(gate.details) == 17


def test_a_contract_without_a_role_for_groups_holds_nobody_for_want_of_them(rows):
    columns = tuple(each.model_copy(update={"roles": ()}) for each in rows.contract.columns)
    bare = rows.contract.model_copy(update={"columns": columns})
    judged = GateRows(columns=rows.columns, target=rows.target, contract=bare)
    contender = Contender("version 2", np.zeros(ROWS), threshold=0.5)

    for gate in (
        slices_gate(contender, contender, judged, SETTINGS),
        reach(judged, contender, contender),
        rates_gate(contender, judged, SETTINGS),
    ):
        assert (gate.verdict, gate.details) == (PASSED, ())
        assert gate.sentence.startswith("No groups were compared: no column of the data contract")


def scored(rows, shift=0.0, member=None, seed=5):
    """A model whose probabilities are true, but for those of `member`, which are shifted."""
    generator = np.random.default_rng(seed)
    true = generator.normal(-1.3, 1.4, size=rows.rows)
    target = (generator.random(rows.rows) < expit(true)).astype(np.int8)
    member = np.zeros(rows.rows, bool) if member is None else member
    judged = GateRows(columns=rows.columns, target=target, contract=rows.contract)
    return judged, Contender("version 2", true + shift * member, threshold=0.2)


@pytest.mark.parametrize("shift", [-0.8, 0.8])
def test_a_predicted_rate_that_is_off_in_one_slice_holds_on_either_side(rows, shift):
    judged, challenger = scored(rows, shift, rows.columns["Dependents"] == 1)
    gate = rates_gate(challenger, judged, SETTINGS)
    assert gate.verdict == HELD
    assert np.sign(gate.figure) == np.sign(shift)
    assert abs(gate.figure) > gate.threshold == 0.05
    assert not gate.interval.covers(0)
    assert "Dependents = Yes" in gate.sentence
    assert "predicted" in gate.sentence
    assert "observed of" in gate.sentence


def test_true_probabilities_pass(rows):
    judged, challenger = scored(rows)
    gate = rates_gate(challenger, judged, SETTINGS)
    assert gate.verdict == PASSED
    assert gate.sentence.startswith("In none of ")


def test_an_error_within_the_margin_passes_however_sure_it_is(rows):
    # given a model that is off by exactly 4 points in every slice
    target = rows.target
    wide = SETTINGS.model_copy(update={"slice_calibration_margin": 0.2})
    off = Contender("version 2", np.full(ROWS, logit(RATE + 0.1)), threshold=0.3)
    assert rates_gate(off, rows, wide).verdict == PASSED
    assert rates_gate(off, rows, SETTINGS).verdict == HELD
    assert target.mean() == pytest.approx(RATE)


def test_the_slices_own_minimum_is_asked_of_rates(rows):
    contender = Contender("version 2", np.full(ROWS, 9.0), threshold=0.5)
    seniors = int((rows.columns["SeniorCitizen"] == 1).sum())
    for minimum, reported in ((seniors, False), (seniors + 1, True)):
        settings = SETTINGS.model_copy(update={"slices": SliceSettings(minimum_rows=minimum)})
        gate = rates_gate(contender, rows, settings)
        assert ("too few to tell" in line(gate, "SeniorCitizen = 1")) == reported


@pytest.mark.parametrize(
    ("size", "margin"), [(31, 0.10), (58, 0.10), (107, 0.10), (300, 0.10), (100, 0.29)]
)
def test_the_smallest_detectable_loss_is_found_in_four_of_five_cases(size, margin):
    slice_ = LeaversReached("any", np.zeros(size, bool), np.ones(size, bool))
    detectable = slice_.detectable(0.05 / 14, margin)
    # given what is lost by chance, where that is the true loss
    power = sum(
        binom.pmf(lost, size, detectable)
        for lost in range(size + 1)
        if lost / size > margin and reached_less(size, lost).p_value < 0.05 / 14
    )
    assert power == pytest.approx(0.8, abs=1e-6)


def test_a_rate_is_judged_on_both_sides_by_the_spread_of_its_predictions():
    # given 400 customers of .5 each, so a standard error of .025; 45% or 55% of them leave
    for left in (180, 220):
        rate = PredictedRate("any", np.full(400, 0.5), (np.arange(400) < left).astype(np.int8))
        assert rate.standard_error == pytest.approx(0.025)
        assert rate.p_value == pytest.approx(2 * norm.sf(2))
        interval = rate.interval(0.05)
        assert interval.upper - interval.lower == pytest.approx(2 * norm.isf(0.025) * 0.025)
        assert interval.level == pytest.approx(0.95)
        assert rate.detectable(0.05, 0.0) == pytest.approx((norm.isf(0.025) + norm.ppf(0.8)) / 40)
        assert rate.detectable(0.05, 0.2) == pytest.approx(0.2 + norm.ppf(0.8) / 40)


def reached_less(size, lost):
    ours = np.arange(size) >= lost
    return LeaversReached("any", ours, np.ones(size, bool))


def test_so_few_leavers_that_no_loss_can_be_shown_are_said_to_be():
    few = LeaversReached("any", np.zeros(7, bool), np.ones(7, bool))
    assert few.detectable(0.05 / 14, 0.10) is None


def test_probabilities_of_one_are_judged_without_a_spread():
    wrong = PredictedRate("any", np.ones(100), np.zeros(100, np.int8))
    assert (wrong.p_value, wrong.difference) == (0, 1)
    assert PredictedRate("any", np.ones(100), np.ones(100, np.int8)).p_value == 1


@pytest.mark.parametrize(
    "values",
    [
        {"slice_tpr_margin": -0.01},
        {"slice_tpr_margin": 1},
        {"slice_calibration_margin": -0.01},
        {"slice_calibration_margin": 1},
        {"slice_fpr_margin": 0.1},
    ],
)
def test_margins_outside_their_range_are_refused(values):
    with pytest.raises(ValidationError):
        PromotionSettings.model_validate(values)
