import numpy as np
import pytest
from scipy.special import expit

from churn.data.split import split_rows
from churn.evaluation.column_ranking import ColumnRanking
from churn.evaluation.comparison import PairedDifference
from churn.evaluation.gate_rows import evaluate_gate_rows
from churn.evaluation.intervals import Interval
from churn.evaluation.plan import Floors, PromotionSettings
from churn.features.encoding import take
from churn.promotion.comparison_gates import ranking_gate
from churn.promotion.contenders import Contender, GateRows
from churn.promotion.decision import Decision, Gate, decide, hold_on_error
from churn.promotion.digests import row_digests
from churn.promotion.evidence_gates import unseen_rows_gate
from churn.promotion.floor_gates import enough_rows_gate, judge_first_model

FLOORS = Floors(roc_auc_lower=0.80, ece_upper=0.05, minimum_rows=1000, baseline_margin=0.002)


def gate_rows(*, rows=2000, spread=2.2, shift=0.0, seed=3):
    """A model whose scores spread the customers by `spread` and are off by `shift` log-odds."""
    generator = np.random.default_rng(seed)
    score = generator.normal(-1.3, spread, size=rows)
    target = (generator.random(rows) < expit(score)).astype(np.int8)
    columns = {"tenure": generator.integers(0, 72, size=rows).astype(np.float64)}
    return evaluate_gate_rows(
        "blend", score + shift, target, bootstrap_samples=200, columns=columns
    )


def gained(lower, upper):
    return PairedDifference(
        model="blend",
        reference="logistic",
        difference=(lower + upper) / 2,
        interval=Interval(lower=lower, upper=upper, method="given"),
        splits=50,
    )


BETTER = gained(0.002, 0.008)


@pytest.fixture(scope="module")
def strong():
    return gate_rows()


def verdicts(decision):
    return {gate.name: gate.verdict for gate in decision.gates}


def test_a_model_that_clears_every_floor_is_cleared_for_staging(strong):
    decision = judge_first_model(strong, FLOORS, against_baseline=BETTER)
    assert set(verdicts(decision).values()) == {"pass"}
    assert decision.verdict == "promote"
    assert decision.champion is None
    assert decision.sentence == "blend is cleared for staging: 5 of 5 gates passed."


def test_too_few_gate_rows_hold_a_good_model(strong):
    decision = judge_first_model(
        strong, FLOORS.model_copy(update={"minimum_rows": 2001}), against_baseline=BETTER
    )
    assert decision.verdict == "hold"
    assert verdicts(decision)["enough gate rows"] == "insufficient evidence"
    assert decision.reasons == ("2,000 customers were set aside, fewer than the 2,001 required.",)


def test_exactly_enough_gate_rows_are_enough(strong):
    decision = judge_first_model(
        strong, FLOORS.model_copy(update={"minimum_rows": 2000}), against_baseline=BETTER
    )
    assert decision.verdict == "promote"


FOLLOWING = Floors(roc_auc_lower=0.80, ece_upper=0.05)


@pytest.mark.parametrize(("rows", "left"), [(470, 125), (704, 187), (830, 118), (1044, 122)])
def test_as_many_gate_rows_as_the_floor_takes_are_enough(rows, left):
    gate = enough_rows_gate(rows, left, FOLLOWING)
    assert gate.verdict == "pass"
    assert gate.threshold <= rows


def test_fewer_gate_rows_say_how_many_it_takes_and_why():
    gate = enough_rows_gate(400, 106, FOLLOWING)
    assert gate.verdict == "insufficient evidence"
    assert gate.threshold == 469
    assert gate.sentence == (
        "400 customers were set aside, fewer than the 469 that it takes to tell a ROC-AUC of 0.8 to "
        "±0.05 where 26.5% leave; train on a table with 1.2 times as many customers, or set more of "
        "them aside (split.gate_fraction)."
    )


def test_the_rarer_the_leavers_the_more_gate_rows_it_takes():
    shares = (500, 265, 141, 50, 10)
    needed = [enough_rows_gate(1000, left, FOLLOWING).threshold for left in shares]
    assert needed == sorted(needed)
    verdicts = [enough_rows_gate(1000, left, FOLLOWING).verdict for left in shares]
    assert verdicts == ["pass"] * 3 + ["insufficient evidence"] * 2


@pytest.mark.parametrize(("rows", "left"), [(1, 0), (1, 1), (50, 0), (50, 50), (50, 100)])
def test_rows_without_both_outcomes_are_never_enough(rows, left):
    assert enough_rows_gate(rows, left, FOLLOWING).verdict == "insufficient evidence"


def test_a_ranking_whose_whole_interval_lies_below_the_floor_is_rejected():
    decision = judge_first_model(gate_rows(spread=0.7), FLOORS, against_baseline=BETTER)
    assert verdicts(decision)["ranks well"] == "fail"
    assert decision.verdict == "reject"
    assert "lies below the floor of 0.8" in decision.sentence


def test_a_ranking_whose_interval_straddles_the_floor_is_held(strong):
    floors = FLOORS.model_copy(update={"roc_auc_lower": strong.metrics.roc_auc})
    decision = judge_first_model(strong, floors, against_baseline=BETTER)
    assert verdicts(decision)["ranks well"] == "insufficient evidence"
    assert decision.verdict == "hold"
    assert "does not clear the floor" in decision.sentence


def test_probabilities_that_are_surely_off_are_rejected_however_well_they_rank():
    decision = judge_first_model(gate_rows(shift=1.5), FLOORS, against_baseline=BETTER)
    assert verdicts(decision)["ranks well"] == "pass"
    assert verdicts(decision)["well calibrated"] == "fail"
    assert decision.verdict == "reject"


@pytest.mark.parametrize(
    ("lower", "upper", "verdict"),
    [
        (0.0, 0.05, "pass"),
        (0.0, 0.0501, "insufficient evidence"),  # although the figure itself lies below the ceiling
        (0.05, 0.09, "insufficient evidence"),
        (0.0501, 0.09, "fail"),
    ],
)
def test_the_calibration_gate_judges_the_bounds_and_not_the_figure(strong, lower, upper, verdict):
    interval = Interval(lower=lower, upper=upper, method="given")
    report = strong.model_copy(update={"intervals": {**strong.intervals, "ece": interval}})
    decision = judge_first_model(report, FLOORS, against_baseline=BETTER)
    assert FLOORS.ece_upper == 0.05
    assert strong.reliability.ece < 0.05
    assert verdicts(decision)["well calibrated"] == verdict


@pytest.mark.parametrize(
    ("lower", "upper", "verdict"),
    [
        (0.001, 0.009, "pass"),
        (-0.0015, 0.006, "pass"),  # within the margin
        (-0.004, 0.006, "insufficient evidence"),
        (-0.009, -0.001, "insufficient evidence"),
        (-0.009, -0.003, "fail"),
        (float("nan"), float("nan"), "insufficient evidence"),
    ],
)
def test_the_baseline_gate_reads_the_whole_interval(strong, lower, upper, verdict):
    decision = judge_first_model(strong, FLOORS, against_baseline=gained(lower, upper))
    assert verdicts(decision)["not worse than the baseline"] == verdict


def test_the_baseline_itself_is_not_compared_with_itself(strong):
    decision = judge_first_model(strong, FLOORS, against_baseline=None)
    assert len(decision.gates) == 4
    assert decision.verdict == "promote"


def with_column(report, roc_auc):
    column = ColumnRanking(column="cancelled_on", roc_auc=roc_auc)
    return report.model_copy(update={"strongest_column": column})


@pytest.mark.parametrize(
    ("roc_auc", "verdict"), [(0.90, "pass"), (0.9001, "insufficient evidence")]
)
def test_a_column_that_ranks_too_well_alone_holds_the_model_by_its_name(strong, roc_auc, verdict):
    decision = judge_first_model(with_column(strong, roc_auc), FLOORS, against_baseline=BETTER)
    assert verdicts(decision)["not too good to be true"] == verdict
    assert ("'cancelled_on'" in decision.sentence) == (verdict != "pass")
    raised = FLOORS.model_copy(update={"column_roc_auc_upper": 0.95})
    decision = judge_first_model(with_column(strong, roc_auc), raised, against_baseline=BETTER)
    assert decision.verdict == "promote"


def test_a_model_that_ranks_too_well_is_held(strong):
    exactly = FLOORS.model_copy(update={"roc_auc_upper": strong.metrics.roc_auc})
    assert judge_first_model(strong, exactly, against_baseline=BETTER).verdict == "promote"
    below = FLOORS.model_copy(update={"roc_auc_upper": strong.metrics.roc_auc - 1e-6})
    decision = judge_first_model(strong, below, against_baseline=BETTER)
    assert decision.verdict == "hold"
    assert "floors.roc_auc_upper" in decision.sentence
    assert "column 'tenure' alone" in decision.sentence


def test_a_model_whose_columns_were_not_looked_at_is_held(strong):
    unknown = strong.model_copy(update={"strongest_column": None})
    decision = judge_first_model(unknown, FLOORS, against_baseline=BETTER)
    assert verdicts(decision)["not too good to be true"] == "insufficient evidence"


def gate(verdict, sentence="so it is."):
    return Gate(name="any", figure=1, threshold=0, verdict=verdict, sentence=sentence)


@pytest.mark.parametrize(
    ("found", "verdict"),
    [
        (["pass", "pass"], "promote"),
        (["pass", "insufficient evidence"], "hold"),
        (["insufficient evidence", "fail", "pass"], "reject"),
        (["fail"], "reject"),
    ],
)
def test_one_failure_outweighs_doubt_and_doubt_outweighs_success(found, verdict):
    decision = decide([gate(each) for each in found], challenger="b", champion="a")
    assert (decision.verdict, decision.challenger, decision.champion) == (verdict, "b", "a")


def test_the_reasons_are_those_of_the_gates_that_decided():
    gates = [gate("pass", "fine."), gate("insufficient evidence", "unsure."), gate("fail", "bad.")]
    assert decide(gates, challenger="b").reasons == ("bad.",)


def test_nothing_is_decided_without_a_gate():
    with pytest.raises(ValueError, match="at least one gate"):
        decide([], challenger="b")


def test_a_decision_survives_json(strong):
    decision = judge_first_model(strong, FLOORS, against_baseline=BETTER)
    assert Decision.model_validate_json(decision.model_dump_json()) == decision


@pytest.mark.parametrize(
    "error", [ValueError("no\nsuch thing"), ZeroDivisionError(), KeyError("x")]
)
def test_whatever_is_raised_holds(error):
    def fails():
        raise error

    decision = hold_on_error(fails, challenger="b")
    assert decision.verdict == "hold"
    assert "\n" not in decision.sentence
    assert type(error).__name__ in decision.reasons[0]


def test_an_exit_is_no_decision():
    def interrupted():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        hold_on_error(interrupted, challenger="b")


def test_digests_know_rows_by_their_features_alone(telco_columns, contract):
    some = take(telco_columns, np.arange(100))
    turned = take(telco_columns, np.arange(100)[::-1])
    one, other = row_digests(some, contract), row_digests(turned, contract)
    assert one.found_in(other) == 100
    assert np.array_equal(one.values[::-1], other.values)
    # given one cent more for everybody
    dearer = dict(some, MonthlyCharges=some["MonthlyCharges"] + 0.01)
    assert row_digests(dearer, contract).found_in(one) == 0


def test_a_new_seed_makes_no_row_unseen(telco, telco_columns, contract):
    # given the gate rows under one seed, and a model fitted on the development rows under another
    first = split_rows(telco.frame, contract, gate_fraction=0.2, seed=11)
    second = split_rows(telco.frame, contract, gate_fraction=0.2, seed=12)
    rows = GateRows(
        columns=take(telco_columns, second.gate),
        target=np.zeros(len(second.gate), dtype=np.int8),
        contract=contract,
    )
    learned = row_digests(take(telco_columns, first.development), contract)
    model = Contender("version 1", np.zeros(rows.rows), trained_on=learned)
    gate = unseen_rows_gate(model, rows, role="challenger", otherwise="fail")
    # then it has seen four of five of them
    assert gate.verdict == "fail"
    assert 0.75 < gate.figure / rows.rows < 0.85


def test_the_ranking_gate_errs_as_seldom_as_it_promises(contract):
    # given 200 challengers that are worse by 0.016, and 200 that are exactly as good
    from benchmarks.evidence_promotion import simulate

    kind = {"trials": 200, "rows": 1374, "rate": 0.265, "seed": 5}
    worse = simulate(-0.016, 0.96, contract, **kind)
    equal = simulate(0.0, 0.96, contract, **kind)
    # then the worse are kept out, the equal let in, and hardly any called superior
    assert worse.verdicts["pass"] <= 4
    assert worse.verdicts["fail"] > 50
    assert equal.superior <= 14
    assert equal.verdicts["pass"] > 150
    assert equal.verdicts["fail"] == 0


def test_the_chains_of_the_benchmark_judge_as_the_gates_do(contract):
    from benchmarks.evidence_chains import LEAVERS, ROWS, Placements
    from benchmarks.evidence_chains import verdicts as chain_verdicts

    scores = np.random.default_rng(3).normal(size=(2, 4, ROWS))
    scores[:, :, :LEAVERS] += 1.4
    found = Placements.of(scores[0]).less(Placements.of(scores[1]))
    left = (np.arange(ROWS) < LEAVERS).astype(np.int8)
    settings = PromotionSettings()
    for run in range(4):
        ours, theirs = (Contender("model", side[run]) for side in scores)
        rows = GateRows({"none": left}, left, contract)
        for look in (1, 3, 50):
            gate = ranking_gate(ours, theirs, rows, settings, look=look, margin=0.02)
            assert found[0][run] == pytest.approx(gate.figure, abs=1e-12)
            assert chain_verdicts(found, 0.02, look)[run] == gate.verdict


def test_the_chains_promote_what_the_loop_would_promote():
    from benchmarks.evidence_chains import loop_promotes

    every = ("pass", "insufficient evidence", "fail")
    promoted = [(one, other) for one in every for other in every if loop_promotes(one, other)]

    assert promoted == [("pass", "pass")]


def test_chains_do_not_sink_and_would_without_the_best_so_far(monkeypatch):
    from benchmarks import evidence_chains

    def kept():
        customers = evidence_chains.Customers(40, 0.996, np.random.default_rng(9))
        found = evidence_chains.run_chains(customers, (-0.002, 0.0), rounds=25, fresh=True)
        return np.mean(found.lowest >= -0.005)

    assert kept() >= 0.95
    loose = evidence_chains.SETTINGS.model_copy(update={"total_roc_auc_margin": 0.09})
    monkeypatch.setattr(evidence_chains, "SETTINGS", loose)
    assert kept() <= 0.05
