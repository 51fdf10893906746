"""The plan of an experiment, its file, and what may be read from it when."""

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from scipy.stats import norm
from statsmodels.stats.proportion import confint_proportions_2indep

from churn.errors import InputError
from churn.experiments.arm_comparison import (
    ArmRate,
    Observed,
    adjusted_difference,
    compare_rates,
    sample_ratio_p,
    saved_share,
)
from churn.experiments.assignment import HOLDOUT, TREATED
from churn.experiments.assignments import Assigned, observe, read_assignments, write_assignments
from churn.experiments.experiment_settings import ExperimentSettings
from churn.experiments.plan import plan_experiment
from churn.experiments.readout import read_out
from churn.experiments.sequential import lan_demets
from churn.ledger.prediction import Outcome

BEGINS = date(2026, 11, 30)
SHARES = {HOLDOUT: 0.2, TREATED: 0.8}
SIZES = {HOLDOUT: 1000, TREATED: 4000}


def plan(**settings):
    return plan_experiment(
        "telco-1", BEGINS, 0.4, SIZES, ExperimentSettings(**settings), shares=SHARES
    )


def simulated(effect, *, holdout=0.4, seed=2, count=5000):
    """Outcomes of an experiment in which the offer keeps that share of the leavers."""
    rng = np.random.default_rng(seed)
    arm = np.where(np.arange(count) < count // 5, HOLDOUT, TREATED)
    risk = rng.beta(4, 6, count) * holdout / 0.4
    left = rng.random(count) < risk * np.where(arm == TREATED, 1 - effect, 1)
    return Observed(
        arm=arm, left=left, risk=risk, stratum=np.where(np.arange(count) % 2, "high", "low"),
        offer=np.full(count, "call"), assigned={HOLDOUT: count // 5, TREATED: count - count // 5},
    )  # fmt: skip


def test_a_plan_says_how_many_campaigns_the_looks_take():
    found = plan()

    assert found.holdout_needed == 1444
    assert found.treated_needed == 4 * 1444
    assert found.campaigns == 2  # 1,444 x 1.025 held out, 1,000 a campaign
    assert [look.information for look in found.looks] == [0.5, 1.0]
    assert [look.due for look in found.looks] == [date(2026, 12, 30), date(2027, 1, 29)]
    assert found.ends == found.looks[-1].due
    assert found.treated_rate == pytest.approx(0.36)
    assert found.detectable_rate < 0.36
    assert found.power < 0.8


def test_more_campaigns_have_as_many_looks_as_asked_for():
    found = plan(least_reduction=0.03)

    assert found.campaigns > 5
    assert len(found.looks) == 5
    assert len({look.due for look in found.looks}) == 5
    assert all(a.bound > b.bound for a, b in zip(found.looks, found.looks[1:], strict=False))


def test_treating_nobody_is_refused_and_a_holdout_of_nobody_is_planned_for():
    with pytest.raises(InputError, match="treats nobody"):
        plan_experiment("x", BEGINS, 0.4, {HOLDOUT: 10}, ExperimentSettings(), shares=SHARES)

    alone = plan_experiment("x", BEGINS, 0.4, {TREATED: 4}, ExperimentSettings(), shares=SHARES)

    assert alone.campaigns > 1000
    assert alone.detectable_rate is None


def test_an_effect_is_found_with_its_interval_and_what_the_playbook_takes_over():
    found = read_out(plan(), simulated(0.3), date(2027, 1, 29))

    assert found.decision == "fewer leave"
    assert found.comparison.interval.covers(-0.12)
    assert found.adjusted.variance_ratio < 1
    everybody, call = found.saved
    assert (everybody.offer, call.offer) == ("", "call")
    assert call.mean == pytest.approx(0.3, abs=3 * call.standard_deviation)
    assert found.harmed == ()
    assert found.balanced


def test_no_effect_is_not_decided_and_harm_is_named():
    assert read_out(plan(), simulated(0.0), date(2027, 1, 29)).decision == "not decided"

    harmful = read_out(plan(), simulated(-0.5), date(2027, 1, 29))

    assert harmful.decision == "more leave"
    assert harmful.harmed == ("high", "low")


def test_an_early_look_has_a_wider_bound():
    early = read_out(plan(), simulated(0.3), date(2027, 1, 28))

    assert early.look == 1
    assert early.bound > read_out(plan(), simulated(0.3), date(2027, 1, 29)).bound > 1.959


def test_it_is_not_read_before_its_time():
    with pytest.raises(InputError, match=r"'telco-1' is read on 2026-12-29, before .* 2026-12-30"):
        read_out(plan(), simulated(0.3), date(2026, 12, 29))
    with pytest.raises(InputError, match="outcomes are complete 37 days after the assignment"):
        read_out(plan(delay_days=7), simulated(0.3), date(2026, 12, 29))


def test_arms_of_the_wrong_size_decide_nothing():
    # Given as many assigned as planned, but a fifth of the holdout's outcomes never came
    seen = simulated(0.3)
    kept = np.arange(len(seen.arm)) >= 200
    parts = {n: getattr(seen, n)[kept] for n in ("arm", "left", "risk", "stratum", "offer")}
    lost = Observed(**parts, assigned=seen.assigned)

    found = read_out(plan(), lost, date(2027, 1, 29))

    assert not found.balanced
    assert found.decision == "not decided"
    assert found.imbalance < 0.001


def test_an_arm_without_outcomes_is_refused():
    seen = simulated(0.3)
    mine = seen.arm == TREATED
    only = {name: getattr(seen, name)[mine] for name in ("arm", "left", "risk", "stratum", "offer")}

    with pytest.raises(InputError, match="no outcome of anybody in the arm 'holdout'"):
        read_out(plan(), Observed(**only, assigned=seen.assigned), date(2027, 1, 29))


def test_a_later_look_spends_what_earlier_ones_have_left():
    seen, first, last = simulated(0.3), date(2026, 12, 30), date(2027, 1, 29)
    early = read_out(plan(), seen, first)

    alone, after = read_out(plan(), seen, last), read_out(plan(), seen, last, [early])

    assert early.information == pytest.approx(0.5)
    assert alone.bound == pytest.approx(1.96, abs=0.001)  # who never looked has spent nothing
    assert after.bound == pytest.approx(lan_demets([0.5, 1.0])[1])
    with pytest.raises(
        InputError, match=r"no more than look 1 of 2026-12-30 did: 50% of the planned"
    ):
        read_out(plan(), seen, date(2027, 1, 28), [early])


def test_a_share_saved_of_everybody_has_a_spread_too():
    nobody_left = ArmRate(assigned=50, known=50, left=0)
    all_left = ArmRate(assigned=50, known=50, left=50)

    assert saved_share(nobody_left, all_left).mean == 1
    assert 0 < saved_share(nobody_left, all_left).standard_deviation < 0.1
    assert 0 < saved_share(all_left, all_left).standard_deviation < 0.1


def test_the_share_saved_and_its_spread():
    rng = np.random.default_rng(5)
    drawn = 1 - rng.binomial(4000, 0.28, 4000) / 4000 / (rng.binomial(1000, 0.4, 4000) / 1000)

    found = saved_share(
        ArmRate(assigned=4000, known=4000, left=1120), ArmRate(assigned=1000, known=1000, left=400)
    )

    assert found.mean == pytest.approx(0.3)
    assert found.standard_deviation == pytest.approx(drawn.std(), rel=0.05)
    assert (
        saved_share(ArmRate(assigned=9, known=9, left=1), ArmRate(assigned=9, known=9, left=0))
        is None
    )


def test_the_adjusted_difference_needs_a_risk_that_varies():
    seen = simulated(0.2, count=100)
    flat = Observed(**{**seen.__dict__, "risk": np.full(100, 0.3)})

    assert adjusted_difference(flat) is None


def test_a_published_randomised_incentive():
    """Thornton 2008: 1,745 of 2,211 who were offered money came, 211 of 623 others did."""
    found = compare_rates(
        ArmRate(assigned=2211, known=2211, left=1745), ArmRate(assigned=623, known=623, left=211)
    )

    assert round(found.treated.rate, 6) == 0.789236
    assert round(found.holdout.rate, 6) == 0.338684
    assert found.interval.span(".3f") == "0.409 to 0.490"


@pytest.mark.parametrize("bound", [1.96, 4.87])
@pytest.mark.parametrize("counts", [(0, 10, 3, 9), (1745, 2211, 211, 623), (5, 5, 0, 7)])
def test_the_interval_equals_statsmodels(counts, bound):
    left, known, held, of = counts

    found = compare_rates(
        ArmRate(assigned=known, known=known, left=left),
        ArmRate(assigned=of, known=of, left=held),
        bound,
    )

    error = 2 * norm.sf(bound)
    same = confint_proportions_2indep(left, known, held, of, method="newcomb", alpha=error)
    assert (found.interval.lower, found.interval.upper) == pytest.approx(same, abs=1e-9)


def assigned(customer, arm=TREATED, day=BEGINS):
    return Assigned(
        experiment="telco-1", customer=customer, assigned_on=day, arm=arm, stratum="high",
        offer="call", risk=0.5,
    )  # fmt: skip


def left_on(customer, day, *, churned=True):
    return Outcome(datetime.combine(day, datetime.min.time(), UTC), churned, customer=customer)


NOW = datetime(2027, 1, 29, tzinfo=UTC)


def test_a_file_comes_back_as_it_was_written(tmp_path):
    rows = [assigned("a"), assigned('b,"c"\n', HOLDOUT)]
    write_assignments(tmp_path / "one.csv", rows)

    found = read_assignments([tmp_path / "one.csv"], "telco-1")

    assert [each.model_dump() for each in found.values()] == [each.model_dump() for each in rows]


def test_the_first_assignment_counts_and_a_crossover_names_file_and_line(tmp_path):
    later = BEGINS + timedelta(30)
    write_assignments(tmp_path / "one.csv", [assigned("a"), assigned("b", HOLDOUT)])
    write_assignments(tmp_path / "two.csv", [assigned("a", day=later), assigned("b", day=later)])

    with pytest.raises(InputError, match=r"two.csv:3: the customer is in the arm 'treated'"):
        read_assignments([tmp_path / "one.csv", tmp_path / "two.csv"], "telco-1")
    write_assignments(tmp_path / "two.csv", [assigned("a", day=later)])
    both = read_assignments([tmp_path / "one.csv", tmp_path / "two.csv"], "telco-1")
    assert both["a"].assigned_on == BEGINS


def test_who_is_first_selected_by_a_later_campaign_counts_from_that_one(tmp_path):
    later, last = BEGINS + timedelta(30), BEGINS + timedelta(60)
    files = [tmp_path / name for name in ("one.csv", "three.csv", "two.csv")]
    unselected = assigned("a").model_copy(update={"offer": ""})
    write_assignments(files[0], [unselected, unselected.model_copy(update={"customer": "b"})])
    write_assignments(files[1], [assigned("a", day=later)])
    write_assignments(files[2], [assigned("a", day=last)])

    found = read_assignments(files, "telco-1")

    assert (found["a"].assigned_on, found["a"].offer) == (later, "call")
    assert (found["b"].assigned_on, found["b"].offer) == (BEGINS, "")
    seen, _ = observe(found, [left_on("a", later + timedelta(10))], plan(), NOW + timedelta(60))
    assert seen.left.tolist() == [True]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("customer\na\n", "one.csv:2: not valid at experiment"),
        ("experiment,customer,assigned_on,arm,stratum,offer,risk\ntelco-1,a,2026-11-30,control,x,call,0.5\n", "at arm"),
        ("experiment,customer,assigned_on,arm,stratum,offer,risk\ntelco-1,a,2026-11-30,holdout,x,call,1.5\n", "at risk"),
    ],
)  # fmt: skip
def test_a_broken_file_is_refused(tmp_path, text, words):
    (tmp_path / "one.csv").write_text(text)

    with pytest.raises(InputError, match=words):
        read_assignments([tmp_path / "one.csv"], "telco-1")


def test_outcomes_are_joined_by_customer_within_the_horizon():
    rows = {name: assigned(name, HOLDOUT if name in "ab" else TREATED) for name in "abcdef"}
    outcomes = [
        left_on("a", BEGINS + timedelta(30)),
        left_on("b", BEGINS + timedelta(31)),
        left_on("c", BEGINS + timedelta(40), churned=False),
        left_on("d", BEGINS + timedelta(10), churned=False),
        left_on("z", BEGINS + timedelta(10)),
    ]

    found, counts = observe(rows, outcomes, plan(), NOW)

    assert found.arm.tolist() == [HOLDOUT, HOLDOUT, TREATED]
    assert found.left.tolist() == [True, False, False]
    assert found.assigned == {HOLDOUT: 2, TREATED: 4}
    assert (counts.censored, counts.without_outcome, counts.unknown) == (1, 2, 1)


def test_outcomes_and_contacts_that_contradict_the_assignment_are_refused(tmp_path):
    write_assignments(tmp_path / "one.csv", [assigned("a"), assigned("b", HOLDOUT)])
    rows = read_assignments([tmp_path / "one.csv"], "telco-1")

    with pytest.raises(InputError, match=r"one.csv:2: the customer left on 2026-11-29, but was"):
        observe(rows, [left_on("a", BEGINS - timedelta(1))], plan(), NOW)
    with pytest.raises(
        InputError, match=r"one.csv:3: the customer was contacted, but is in the hold"
    ):
        observe(rows, [], plan(), NOW, treated={"b": True})
    seen, _ = observe(rows, [left_on("a", BEGINS)], plan(), NOW, treated={"a": True, "b": False})
    assert seen.left.tolist() == [True]


def test_nobody_assigned_cannot_be_read():
    with pytest.raises(InputError, match="Nobody is assigned"):
        sample_ratio_p({}, {HOLDOUT: 0.2, TREATED: 0.8})
