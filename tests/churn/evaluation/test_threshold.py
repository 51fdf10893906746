import numpy as np
import pytest
from scipy.special import expit, logit

from churn.data.split import split_rows
from churn.errors import InputError
from churn.evaluation.cross_validation import cross_validate
from churn.evaluation.plan import ProtocolPlan
from churn.evaluation.recalibration import recalibrate
from churn.evaluation.threshold import choose_threshold, judge_threshold
from churn.evaluation.threshold_cutoffs import NOBODY
from churn.evaluation.threshold_report import ThresholdReport
from churn.features.encoding import take
from churn.models.recipe_catalog import build_candidates
from churn.models.recipe_settings import default_recipes
from churn.reports.charts.chart_style import DARK, as_png
from churn.reports.charts.threshold_charts import campaigns_chart, profit_chart
from churn.retention.profit import break_even, campaign_profit
from churn.retention.value_settings import ThresholdSettings, ValueSettings

VALUE = ValueSettings(currency="USD")
QUICK = ThresholdSettings(bootstrap_samples=200)


@pytest.fixture(scope="module")
def rows(telco, telco_columns, telco_target, contract):
    """Out-of-fold log-odds of the real development rows, and the gate rows' from a model of them."""
    split = split_rows(telco.frame, contract, gate_fraction=0.2, seed=11)
    recipe = build_candidates(["logistic"], default_recipes(), contract)
    columns, target = take(telco_columns, split.development), telco_target[split.development]
    plan = ProtocolPlan(folds=5, repeats=1, seed=11, bootstrap_samples=0)
    scored = cross_validate(recipe, columns, target, plan)
    model = recipe["logistic"].fit(columns, target)
    gate = model.logit(take(telco_columns, split.gate))
    return (target, scored.mean_logit("logistic")), (telco_target[split.gate], gate)


def choose(target, score, *, value=VALUE, settings=QUICK, **more) -> ThresholdReport:
    clv = np.full(len(target), value.clv)
    tried = recalibrate(target, score, settings)
    return choose_threshold(
        "logistic", target, score, clv, value=value, settings=settings, recalibration=tried, **more
    )


def judge(report, target, score) -> ThresholdReport:
    served = report.recalibration.map.apply(score)
    return judge_threshold(report, target, served, np.full(len(target), report.value.clv))


@pytest.fixture(scope="module")
def report(rows) -> ThresholdReport:
    return judge(choose(*rows[0]), *rows[1])


def profit_at(threshold, target, score, value=VALUE):
    clv = np.full(len(target), value.clv)
    return campaign_profit(target, expit(score), threshold, clv, value).mean()


def test_no_threshold_earns_more_on_the_rows_that_chose_it(rows, report):
    target, score = rows[0]
    every = [profit_at(threshold, target, score) for threshold in (*np.unique(expit(score)), 1.0)]

    assert report.chosen.campaign.profit == pytest.approx(max(every), abs=1e-12)
    assert profit_at(report.threshold, target, score) == pytest.approx(max(every), abs=1e-12)


def test_the_gate_rows_have_no_say_in_the_choice(rows, report):
    # Given gate rows whose outcomes are turned round
    (target, score), (gate_target, gate_score) = rows

    other = judge(choose(target, score), 1 - gate_target, gate_score)

    # Then only the judgement differs
    assert other.model_copy(update={"gate": None}) == report.model_copy(update={"gate": None})
    assert other.gate.chosen.profit != report.gate.chosen.profit


def test_capacity_is_filled_and_never_exceeded(rows):
    target, score = rows[0]
    capacity = 300
    settings = ThresholdSettings(
        rule="capacity", capacity_customers=capacity, bootstrap_samples=100, recalibration="none"
    )

    report = choose(target, score, settings=settings, base=len(target))

    # By brute force: the lowest threshold that no more than 300 reach
    fits = [t for t in np.unique(expit(score)) if (expit(score) >= t).sum() <= capacity]
    assert report.threshold == min(fits)
    assert report.chosen.campaign.contacted <= capacity
    assert "at most 300 customers" in report.chosen.basis
    assert report.chosen.interval.covers(report.threshold)


def test_a_capacity_of_customers_is_a_share_of_the_base(rows):
    settings = ThresholdSettings(rule="capacity", capacity_customers=700, bootstrap_samples=100)

    report = choose(*rows[0], settings=settings, base=7000)

    assert report.chosen.campaign.share == pytest.approx(0.1, abs=0.001)


@pytest.mark.parametrize("beta", [0.5, 1.0, 2.0])
def test_f_beta_is_the_highest_there_is(rows, beta):
    from sklearn.metrics import fbeta_score

    target, score = rows[0]
    settings = ThresholdSettings(rule="f_beta", beta=beta, bootstrap_samples=100)

    report = choose(target, score, settings=settings)

    chance = expit(score)
    at = [fbeta_score(target, chance >= t, beta=beta) for t in np.unique(chance)[::50]]
    assert fbeta_score(target, chance >= report.threshold, beta=beta) >= max(at) - 1e-12


def test_break_even_needs_no_rows_and_has_no_interval(report):
    even = report.choice("break_even")

    assert even.threshold == break_even(VALUE.clv, VALUE)
    assert even.interval.lower == even.interval.upper == even.threshold


def test_on_calibrated_scores_most_profit_lies_near_break_even():
    generator = np.random.default_rng(2)
    score = generator.normal(-1.2, 1.5, size=40_000)
    target = (generator.random(40_000) < expit(score)).astype(np.int8)

    report = choose(target, score, settings=ThresholdSettings(bootstrap_samples=100))

    even = report.choice("break_even")
    assert report.threshold == pytest.approx(even.threshold, abs=0.03)
    assert report.chosen.campaign.profit == pytest.approx(even.campaign.profit, abs=0.05)


def test_the_judgement_is_the_sum_over_gate_rows(rows, report):
    target, score = rows[1]
    found = report.gate

    assert found.chosen.profit == pytest.approx(profit_at(report.threshold, target, score))
    everybody = next(each for each in found.campaigns if each.name == "everybody")
    assert everybody.contacted == len(target)
    assert everybody.profit == pytest.approx(profit_at(0.0, target, score))
    against = {each.reference: each for each in found.differences}
    assert set(against) == {"break_even", "capacity", "f_beta", "everybody", "nobody"}
    for name, each in against.items():
        rival = next(c for c in found.campaigns if c.name == name)
        assert each.difference == pytest.approx(found.chosen.profit - rival.profit)
        assert each.interval.covers(each.difference)
    assert against["everybody"].sure
    assert against["nobody"].sure
    assert found.hindsight >= found.chosen.profit


def test_pairing_makes_a_difference_surer_than_its_parts(report):
    chosen = report.gate.chosen.profit_interval
    even = next(each for each in report.gate.differences if each.reference == "break_even")

    assert even.interval.upper - even.interval.lower < (chosen.upper - chosen.lower) / 2


def test_where_no_campaign_pays_nobody_is_contacted(rows):
    report = judge(choose(*rows[0], value=ValueSettings(contact=190.0)), *rows[1])

    assert report.threshold == NOBODY
    assert report.chosen.campaign.contacted == report.gate.chosen.contacted == 0
    assert report.gate.chosen.profit == 0
    assert as_png(profit_chart(report))


def test_a_changed_assumption_is_answered_with_the_best_threshold_then(rows, report):
    target, score = rows[0]
    found = {(each.assumption, each.change): each for each in report.sensitivity}
    poorer = found["a customer's worth", "halved"]
    other = ValueSettings(clv=100.0)

    assert len(found) == 8
    assert all(each.forgone >= -1e-12 for each in found.values())
    assert poorer.threshold > report.threshold
    assert poorer.profit == pytest.approx(profit_at(poorer.threshold, target, score, other))
    assert poorer.profit_unchanged == pytest.approx(
        profit_at(report.threshold, target, score, other)
    )


def test_every_figure_of_money_stands_beside_its_assumptions(report):
    assert report.assumptions == VALUE.assumptions
    for assumption in report.assumptions:
        assert assumption in report.basis
    text = " ".join(report.sentences)
    assert f"{report.gate.chosen.profit:.2f} USD per customer" in text
    assert "under the assumptions" in text
    assert f"{report.threshold:.1%}" in report.sentences[0]
    assert report.figures["gate.profit"] == report.gate.chosen.profit


def test_an_unjudged_threshold_says_so(rows):
    report = choose(*rows[0])

    assert "was not judged" in report.headlines[1]
    assert "gate.profit" not in report.figures
    with pytest.raises(ValueError, match="not judged"):
        campaigns_chart(report)


def test_the_report_survives_json_and_the_same_rows_give_the_same_report(rows, report):
    assert ThresholdReport.model_validate_json(report.model_dump_json()) == report
    assert judge(choose(*rows[0]), *rows[1]) == report


def test_charts_name_their_axes_with_units_and_state_the_finding(report):
    for chart, figure in ((profit_chart, report.chosen.campaign), (campaigns_chart, None)):
        drawn = chart(report, DARK)
        profit = (figure or report.gate.chosen).profit
        assert f"{profit:.2f} USD" in drawn.get_suptitle().replace("\n", " ")
        assert "if the assumptions hold" in drawn.get_suptitle().replace("\n", " ")
        assert "USD per customer" in drawn.axes[0].get_xlabel() + drawn.axes[0].get_ylabel()
        assert as_png(drawn).startswith(b"\x89PNG")


def test_rows_that_cannot_choose_are_refused_in_words(rows):
    target, score = rows[0]

    with pytest.raises(InputError, match="All 100 customers to be judged stayed"):
        choose(np.zeros(100, dtype=np.int8), score[:100])
    with pytest.raises(InputError, match="worth more than the offer"):
        choose(target, score, value=ValueSettings(clv=9.0))


def test_probabilities_are_corrected_before_the_threshold(rows):
    # Given scores whose chances are three times too high in odds
    (target, score), (gate_target, gate_score) = rows
    plain = judge(choose(target, score), gate_target, gate_score)

    ruined = judge(choose(target, score + np.log(3)), gate_target, gate_score + np.log(3))

    # Then the same customers are contacted, at nearly the same corrected probability
    assert plain.recalibration.applied == "none"
    assert ruined.recalibration.applied == "shift"
    assert ruined.recalibration.map.intercept == pytest.approx(-np.log(3), abs=0.05)
    assert ruined.gate.chosen.contacted == plain.gate.chosen.contacted
    assert logit(ruined.threshold) == pytest.approx(logit(plain.threshold), abs=0.05)
