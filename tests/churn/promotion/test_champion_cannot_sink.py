"""Chains of promotions, each judged by every gate, on scores whose true ROC-AUC is known."""

import numpy as np
import pytest
from scipy.stats import norm

from churn.evaluation.delong import paired_delong
from churn.features.encoding import take
from churn.models.recipe_catalog import build_candidates
from churn.models.recipe_settings import LogisticSettings
from churn.promotion.contenders import Contender, FixedReference, GateRows
from churn.promotion.decision import Looks
from churn.promotion.digests import row_digests
from churn.promotion.earlier_decisions import EarlierDecision, best_versions, count_looks
from churn.promotion.reference_gates import leads
from tests.churn.promotion.test_promotion_challenger import FLOORS, SETTINGS, found, judge

QUICK = SETTINGS.model_copy(update={"bootstrap_samples": 100})
LOW = FLOORS.model_copy(update={"roc_auc_lower": 0.51, "ece_upper": 0.2})
BEST, BASELINE = "ranks no worse than the best so far", "ranks no worse than the frozen baseline"
PROFIT, BEST_PROFIT = "earns no less than the champion", "earns no less than the best so far"
RATE = 0.265


class Scores:
    """Gate rows, and calibrated log-odds of models whose true ROC-AUC is chosen."""

    def __init__(self, columns, contract, rows=1374):
        self.generator = np.random.default_rng(31)
        digests = row_digests(columns, contract).values
        _, first = np.unique(digests, axis=0, return_index=True)
        order = self.generator.permutation(first)
        self.others = row_digests(take(columns, order[rows : rows + 500]), contract)
        left = (np.arange(rows) < RATE * rows).astype(np.int8)
        self.rows = GateRows(take(columns, order[:rows]), left, contract)
        self.shared = self.generator.normal(size=rows)

    def model(self, name, auc, correlation=0.99, **fields):
        gap = np.sqrt(2) * norm.ppf(auc)
        own = self.generator.normal(size=self.rows.rows)
        score = np.sqrt(correlation) * self.shared + np.sqrt(1 - correlation) * own
        logit = gap * (score + gap * self.rows.target) - gap**2 / 2 + np.log(RATE / (1 - RATE))
        fields = {"profit": np.where(logit > -1, self.rows.target - 0.2, 0.0)} | fields
        return Contender(name, logit, trained_on=self.others, threshold=0.25, **fields)


@pytest.fixture(scope="module")
def scores(telco_columns, contract):
    return Scores(telco_columns, contract)


def run_chain(scores, aucs, floors=LOW, correlation=0.9963):
    """Judges a challenger a round, all on the same rows; version 0 is in production before.

    `aucs` are functions of the current champion's true ROC-AUC. Returns the true ROC-AUC of every
    champion and the decisions.
    """
    models = [scores.model("model 0", 0.854, correlation)]
    baseline, rows = scores.model("baseline", 0.85), scores.rows
    champions, earlier = [(0, 0.854)], []
    for version, auc in enumerate(aucs, 1):
        before, area = champions[-1]
        models.append(scores.model(f"model {version}", auc(area), correlation))
        best = models[int(best_versions(earlier, str(before))[0])]
        decision = judge(
            models[version],
            models[before],
            rows,
            floors=floors,
            settings=QUICK,
            fixed=FixedReference(best, baseline),
            looks=count_looks(earlier, (str(version), str(before), rows.sha256), rows.sample),
        )
        pair = {"version": str(version), "champion_version": str(before)}
        earlier.append(EarlierDecision(**pair, decision=decision))
        if decision.verdict == "promote":
            champions.append((version, auc(area)))
    return [area for _, area in champions], [each.decision for each in earlier]


def test_forty_steps_on_the_same_gate_rows_do_not_sink_the_champion(scores):
    # given challengers that are each worse than the champion by .00285: .854 to .740 in forty steps
    champions, decisions = run_chain(scores, [lambda area: area - 0.00285] * 40)
    assert champions[0] - champions[-1] <= 0.005
    assert [each.looks.here for each in decisions] == list(range(1, 41))
    assert "The best version so far is model 0." in decisions[-1].basis
    assert "look 40 at them, look 40 at gate rows in all" in decisions[-1].basis


def test_equal_models_go_on_being_promoted(scores):
    champions, _ = run_chain(scores, [lambda area: area] * 8, FLOORS)
    assert len(champions) >= 5


def test_a_better_model_becomes_the_reference(scores):
    champions, decisions = run_chain(scores, [lambda _: 0.864, lambda _: 0.855])
    assert champions == [0.854, 0.864]
    assert [each.leads for each in decisions] == [True, False]
    # then .855 is as good as the first one, and worse than the best so far
    assert "model 1" in found(decisions[1], BEST).sentence
    assert found(decisions[1], BEST).verdict != "pass"


def test_the_absolute_floor_is_asked_with_a_champion_too(scores):
    champion, challenger = (scores.model(f"of {auc}", auc) for auc in (0.580, 0.578))
    decision = judge(challenger, champion, scores.rows, floors=FLOORS)
    assert decision.verdict == "reject"
    assert found(decision, "ranks well").verdict == "fail"
    assert found(decision, "ranks no worse than the champion").verdict == "pass"


def test_a_worse_baseline_stops_nobody_and_a_better_one_does(scores):
    champion, challenger = scores.model("model 1", 0.85), scores.model("model 2", 0.85)
    for auc, verdict in ((0.84, "pass"), (0.89, "fail")):
        fixed = FixedReference(champion, scores.model("plain", auc, correlation=0.96))
        decision = judge(challenger, champion, scores.rows, fixed=fixed, floors=LOW)
        assert found(decision, BASELINE).verdict == verdict


def test_profit_has_a_total_margin_that_steps_of_5_percent_do_not_pass(scores):
    best = scores.model("model 1", 0.85)
    less = {
        share: scores.model(f"{share}", 0.85, profit=best.profit * share) for share in (0.97, 0.94)
    }
    for challenger, champion, verdict in ((0.97, 0.97, "pass"), (0.94, 0.97, "fail")):
        decision = judge(
            less[challenger], less[champion], scores.rows, fixed=FixedReference(best, best)
        )
        assert found(decision, "earns no less than the champion").verdict == "pass"
        assert found(decision, BEST_PROFIT).verdict == verdict
        assert found(decision, BEST_PROFIT).threshold == pytest.approx(-0.05 * best.profit.mean())


def test_the_profit_margin_of_a_champion_that_loses_money_is_a_margin_still(scores):
    earned = scores.model("model 1", 0.85)
    losses = earned.profit - earned.profit.mean() - 10.0
    champion = scores.model("model 1", 0.85, profit=losses)
    for lost, verdict in ((0.0, "pass"), (0.49, "pass"), (0.51, "fail")):
        challenger = scores.model("model 2", 0.85, profit=losses - lost)
        gate = found(judge(challenger, champion, scores.rows), PROFIT)
        assert gate.verdict == verdict
        assert gate.threshold == pytest.approx(-0.5)


@pytest.mark.parametrize("knows", ["the rows", "unknown rows"])
def test_a_reference_that_learned_from_the_rows_can_hold_and_not_reject(scores, knows):
    champion = scores.model("model 2", 0.85)
    digests = scores.rows.digests if knows == "the rows" else None
    far, near = (scores.model("model 1", auc) for auc in (0.90, 0.84))
    for flattered, verdict in ((far, "insufficient evidence"), (near, "pass")):
        object.__setattr__(flattered, "trained_on", digests)
        fixed = FixedReference(flattered, scores.model("plain", 0.84))
        decision = judge(scores.model("model 3", 0.85), champion, scores.rows, fixed=fixed)
        assert found(decision, BEST).verdict == verdict


def test_a_reference_that_learned_from_the_rows_cannot_reject_for_its_profit_either(scores):
    best = scores.model("model 1", 0.85)
    object.__setattr__(best, "trained_on", scores.rows.digests)
    less = scores.model("model 3", 0.85, profit=best.profit * 0.9)
    fixed = FixedReference(best, scores.model("plain", 0.84))
    gate = found(judge(less, less, scores.rows, fixed=fixed), BEST_PROFIT)
    assert gate.interval.upper < gate.threshold
    assert gate.verdict == "insufficient evidence"
    assert "model 1 learned from" in gate.sentence


def test_each_reference_has_its_own_margin(scores):
    one, other = scores.model("model 1", 0.85), scores.model("model 2", 0.85)
    settings = QUICK.model_copy(update={"total_profit_margin": 0.02})
    fixed = FixedReference(one, other)
    decision = judge(other, one, scores.rows, fixed=fixed, settings=settings)
    margins = [found(decision, name).threshold for name in (BEST, BASELINE, BEST_PROFIT, PROFIT)]
    earned = one.profit.mean()
    assert margins == pytest.approx([-0.005, -0.01, -0.02 * earned, -0.05 * earned])


def test_a_version_leads_from_one_standard_error_on(scores):
    best = scores.model("model 0", 0.85)
    ratios = []
    for number in range(24):
        challenger = scores.model(f"model {number}", 0.851)
        paired = paired_delong(scores.rows.target, challenger.logit, best.logit)
        ratios.append(paired.difference / paired.standard_error)
        assert leads(challenger, best, scores.rows) == (ratios[-1] > 1)
    # then some lie between every two of the bounds that could be mistaken for another
    assert [sum(a < each < b for each in ratios) > 0 for a, b in ((0, 1), (1, 1.64))] == [True] * 2


def test_without_a_champion_the_best_so_far_still_counts(scores):
    best = scores.model("model 1", 0.87)
    fixed = FixedReference(best, best, "Version 7 was better, but is gone.")
    decision = judge(scores.model("model 2", 0.85), None, scores.rows, floors=LOW, fixed=fixed)
    assert decision.verdict != "promote"
    assert found(decision, BEST).verdict != "pass"
    assert decision.basis.endswith("is model 1. Version 7 was better, but is gone.")


@pytest.mark.parametrize("broken", ["challenger", "best", "baseline"])
def test_scores_that_cannot_be_compared_with_the_reference_hold(scores, broken):
    models = {name: scores.model(name, 0.85) for name in ("challenger", "best", "baseline")}
    object.__setattr__(models[broken], "logit", np.full(scores.rows.rows, np.nan))
    fixed = FixedReference(models["best"], models["baseline"])
    champion = scores.model("champion", 0.85)
    decision = judge(models["challenger"], champion, scores.rows, fixed=fixed, floors=LOW)
    assert decision.verdict == "hold"
    judged = {"best": [BEST], "baseline": [BASELINE]}.get(broken, [BEST, BASELINE, BEST_PROFIT])
    assert {found(decision, name).verdict for name in judged} == {"insufficient evidence"}
    assert not decision.leads


def test_the_level_is_spent_look_by_look(scores):
    champion, challenger = scores.model("model 1", 0.85), scores.model("model 2", 0.85)
    widths = []
    for look in (1, 2, 10):
        fixed = FixedReference(champion, champion)
        decision = judge(
            challenger, champion, scores.rows, fixed=fixed, looks=Looks(here=1, ever=look)
        )
        reference, ranking = (
            found(decision, BEST),
            found(decision, "ranks no worse than the champion"),
        )
        assert ranking.interval.level == pytest.approx(1 - 2 * 0.05 * 6 / np.pi**2)
        assert reference.interval.level == pytest.approx(1 - 2 * 0.05 * 6 / (np.pi * look) ** 2)
        assert found(decision, PROFIT).interval.level == ranking.interval.level
        assert found(decision, BEST_PROFIT).interval.level == reference.interval.level
        assert found(decision, BASELINE).interval.level == reference.interval.level
        widths.append(reference.interval.upper - reference.interval.lower)
    assert widths == sorted(widths)
    assert widths[0] < widths[1] < widths[2]


def test_models_of_labels_that_decay_every_month_are_stopped(telco_columns, telco_target, contract):
    """Each month 3.5% more of all outcomes are recorded wrongly, those of the gate rows, too."""
    generator = np.random.default_rng(3)
    _, first = np.unique(row_digests(telco_columns, contract).values, axis=0, return_index=True)
    order = generator.permutation(first)
    gate, development = order[:1400], order[1400:]
    recipe = build_candidates(["logistic"], {"logistic": LogisticSettings()}, contract)["logistic"]
    columns, wrong = take(telco_columns, gate), generator.random(len(telco_target))
    trained_on = row_digests(take(telco_columns, development), contract)
    clean = GateRows(columns, telco_target[gate], contract)

    def recorded(month):
        return np.where(wrong < 0.035 * month, 1 - telco_target, telco_target).astype(np.int8)

    def model(month):
        fitted = recipe.fit(take(telco_columns, development), recorded(month)[development])
        profit = np.ones(len(gate))
        return Contender(f"month {month}", fitted.logit(columns), profit, trained_on, 0.25)

    models = [model(month) for month in range(12)]
    areas = [
        found(judge(each, models[0], clean, settings=QUICK), "ranks well").figure for each in models
    ]
    assert areas[0] - areas[10] > 0.02  # what eleven promotions used to lose
    champion, earlier = 0, []
    for month in range(1, 12):
        rows = GateRows(columns, recorded(month)[gate], contract)
        best = models[int(best_versions(earlier, str(champion))[0])]
        decision = judge(
            models[month],
            models[champion],
            rows,
            floors=LOW,  # so that it is the reference that stops them; .80 would do so in the second month
            settings=QUICK,
            fixed=FixedReference(best, models[0]),
            looks=count_looks(earlier, (str(month), str(champion), rows.sha256), rows.sample),
        )
        pair = {"version": str(month), "champion_version": str(champion)}
        earlier.append(EarlierDecision(**pair, decision=decision))
        champion = month if decision.verdict == "promote" else champion
    assert areas[0] - areas[champion] <= 0.005
