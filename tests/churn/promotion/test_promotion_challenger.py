import numpy as np
import pytest
from pydantic import ValidationError
from scipy.special import expit

from churn.data.quality.quality_report import Check, QualityReport
from churn.errors import InputError
from churn.evaluation.comparison import PairedDifference
from churn.evaluation.intervals import Interval
from churn.evaluation.plan import Floors, PromotionSettings, SliceSettings
from churn.features.encoding import take
from churn.promotion.challenger import judge_challenger
from churn.promotion.contenders import BundleCheck, Contender, GateRows, TrainingVerdict
from churn.promotion.decision import Decision, hold_on_error
from churn.promotion.digests import row_digests

FLOORS = Floors()
SETTINGS = PromotionSettings(bootstrap_samples=200)
BUNDLE = BundleCheck(
    loads=True, golden_max_difference=0.0, latency_ms_median=0.2, latency_budget_ms=5
)
RANKING, PROFIT = "ranks no worse than the champion", "earns no less than the champion"
SLICES, CALIBRATED = "no slice collapses", "well calibrated"
JUMP, PLAUSIBLE = "gains no more than is believed", "not too good to be true"
LEAVERS, RATES = "no slice reaches fewer leavers", "no slice's predicted rate is off"
KEPT = ("name", "logit", "profit", "trained_on", "threshold")
MINE, THEIRS = "challenger has not seen the gate rows", "champion has not seen the gate rows"


def quality(*, success=True):
    check = Check(
        name="tenure within range",
        topic="values",
        expectation="expect_column_values_to_be_between",
        columns=("tenure",),
        severity="critical",
        success=success,
        sentence="Column 'tenure' row 3 is -1.",
        observed="-1",
        expected="0 to 240",
        way_out="Fix the file.",
    )
    return QualityReport(
        contract="telco",
        contract_digest="0" * 64,
        title="customers",
        rows=1500,
        columns=21,
        accepted_rows=None,
        verdict="pass" if success else "fail",
        checks=(check,),
    )


@pytest.fixture(scope="module")
def world(telco_columns, contract):
    """1,500 real customers with outcomes drawn from a known risk, and 1,500 others."""
    generator = np.random.default_rng(17)
    # given rows that repeat no other row's features, so that the two groups are disjoint
    digests = row_digests(telco_columns, contract).values
    _, first = np.unique(digests, axis=0, return_index=True)
    order = generator.permutation(first)
    columns = take(telco_columns, order[:1500])
    risk = 1.6 * generator.normal(size=1500) - 1.3 - 0.02 * (columns["tenure"] - 32)
    target = (generator.random(1500) < expit(risk)).astype(np.int8)
    rows = GateRows(columns=columns, target=target, contract=contract)
    return rows, risk, row_digests(take(telco_columns, order[1500:3000]), contract)


def earned(rows, logit):
    """What contacting everybody above 20% earns: 50 for one who would leave, else -10."""
    return np.where(expit(logit) >= 0.2, np.where(rows.target == 1, 50.0, -10.0), 0.0)


@pytest.fixture(scope="module")
def contenders(world):
    """A champion with a little noise on the true risk, and a challenger with other noise."""
    rows, risk, others = world
    generator = np.random.default_rng(29)

    def contender(name, noise):
        logit = risk + noise * generator.normal(size=rows.rows)
        return Contender(name, logit, profit=earned(rows, logit), trained_on=others, threshold=0.2)

    return {"good": contender("blend 5", 0.1), "champion": contender("blend 4", 0.1)}


def changed(contender, **changes):
    kept = {name: getattr(contender, name) for name in KEPT}
    return Contender(**kept | changes)


def judge(challenger, champion, rows, **changes):
    arguments = {
        "training": TrainingVerdict("promote", profile="full", splits=50),
        "quality": quality(),
        "bundle": BUNDLE,
        "floors": FLOORS,
        "settings": SETTINGS,
    }
    return judge_challenger(challenger, champion, rows, **arguments | changes)


def verdicts(decision):
    return {gate.name: gate.verdict for gate in decision.gates}


def found(decision, name):
    return next(gate for gate in decision.gates if gate.name == name)


def test_a_challenger_as_good_as_the_champion_is_cleared_for_production(world, contenders):
    decision = judge(contenders["good"], contenders["champion"], world[0])
    assert decision.verdict == "promote", decision.sentence
    assert len(decision.gates) == 19
    cleared = "blend 5 is cleared for production: 19 of 19 gates passed. It was compared with"
    assert decision.sentence.startswith(cleared)
    assert (decision.challenger, decision.champion) == ("blend 5", "blend 4")
    assert "compared with blend 4 on the same 1,500 customers" in decision.sentence
    assert found(decision, RANKING).interval.level == pytest.approx(0.9392, abs=1e-4)
    assert found(decision, SLICES).interval.level == pytest.approx(0.9)
    assert found(decision, RANKING).threshold == -0.01


def test_a_challenger_that_ranks_surely_worse_is_rejected(world, contenders):
    rows = world[0]
    noisy = contenders["champion"].logit + 1.5 * np.random.default_rng(1).normal(size=rows.rows)
    decision = judge(changed(contenders["good"], logit=noisy), contenders["champion"], rows)
    assert decision.verdict == "reject"
    assert verdicts(decision)[RANKING] == "fail"
    assert "it is worse" in found(decision, RANKING).sentence
    assert found(decision, RANKING).interval.upper < -0.01


def test_a_challenger_that_may_be_worse_is_held(world, contenders):
    rows, champion = world[0], contenders["champion"]
    # given a margin inside the interval of the difference
    interval = found(judge(contenders["good"], champion, rows), RANKING).interval
    strict = SETTINGS.model_copy(update={"roc_auc_margin": -interval.lower / 2})
    decision = judge(contenders["good"], champion, rows, settings=strict)
    assert verdicts(decision)[RANKING] == "insufficient evidence"
    assert decision.verdict == "hold"
    assert "it may be worse" in decision.reasons[0]


def test_a_challenger_that_only_loses_money_is_rejected(world, contenders):
    rows, champion = world[0], contenders["champion"]
    poorer = changed(contenders["good"], profit=champion.profit - 1.0)
    decision = judge(poorer, champion, rows)
    assert verdicts(decision)[PROFIT] == "fail"
    assert found(decision, PROFIT).figure == pytest.approx(-1.0)
    assert {v for n, v in verdicts(decision).items() if n != PROFIT} == {"pass"}


def test_the_profit_margin_is_a_share_of_the_champions_profit(world, contenders):
    rows, champion = world[0], contenders["champion"]
    average = champion.profit.mean()
    for share, verdict in ((0.049, "pass"), (0.051, "fail")):
        poorer = changed(contenders["good"], profit=champion.profit - share * average)
        decision = judge(poorer, champion, rows)
        assert verdicts(decision)[PROFIT] == verdict
        assert found(decision, PROFIT).threshold == pytest.approx(-0.05 * average)


def test_the_same_customers_are_resampled_for_both(world, contenders):
    # given profits that swing wildly but alike
    rows, champion = world[0], contenders["champion"]
    swing = np.random.default_rng(3).normal(0, 1e6, size=rows.rows)
    wild = changed(champion, profit=champion.profit + swing)
    interval = found(judge(changed(wild, name="same"), wild, rows), PROFIT).interval
    assert (interval.lower, interval.upper) == (0, 0)


def test_a_slice_that_collapses_rejects_an_otherwise_good_challenger(world, contenders):
    rows, champion = world[0], contenders["champion"]
    seniors = rows.columns["SeniorCitizen"] == 1
    logit = contenders["good"].logit.copy()
    logit[seniors] = np.random.default_rng(4).permutation(logit[seniors])
    wide = SETTINGS.model_copy(update={"roc_auc_margin": 0.09, "profit_margin": 0.9})
    decision = judge(changed(contenders["good"], logit=logit), champion, rows, settings=wide)
    assert verdicts(decision)[SLICES] == "fail"
    assert verdicts(decision)[RANKING] == "pass"
    assert (
        "in SeniorCitizen = 1; the worst is SeniorCitizen = 1" in found(decision, SLICES).sentence
    )


def test_a_slice_with_too_few_rows_is_not_counted(world, contenders):
    rows, champion = world[0], contenders["champion"]
    few = SETTINGS.model_copy(update={"slices": SliceSettings(minimum_rows=700)})
    none = SETTINGS.model_copy(update={"slices": SliceSettings(minimum_rows=1501)})
    every = found(judge(contenders["good"], champion, rows), SLICES).sentence
    some = found(judge(contenders["good"], champion, rows, settings=few), SLICES).sentence
    counts = [int(sentence.split()[1]) for sentence in (every, some)]
    assert 0 < counts[1] < counts[0] <= 17
    decision = judge(contenders["good"], champion, rows, settings=none)
    assert verdicts(decision)[SLICES] == "insufficient evidence"


def test_ill_calibrated_probabilities_are_rejected_however_well_they_rank(world, contenders):
    off = changed(contenders["good"], logit=contenders["good"].logit + 1.5)
    decision = judge(off, contenders["champion"], world[0])
    assert verdicts(decision)[RANKING] == "pass"
    assert verdicts(decision)[CALIBRATED] == "fail"


def test_fewer_rows_than_asked_decide_nothing(world, contenders):
    floors = FLOORS.model_copy(update={"minimum_rows": 1501})
    decision = judge(contenders["good"], contenders["champion"], world[0], floors=floors)
    assert decision.verdict == "hold"
    assert decision.reasons == ("1,500 customers were set aside, fewer than the 1,501 required.",)


def test_refused_data_and_unknown_data_judge_nobody(world, contenders):
    strong, champion = contenders["good"], contenders["champion"]
    refused = judge(strong, champion, world[0], quality=quality(success=False))
    assert refused.verdict == "hold"
    assert "refuses the table at check 'tenure within range'" in refused.reasons[0]
    assert judge(strong, champion, world[0], quality=None).verdict == "hold"


def test_labels_of_one_outcome_hold_whatever_else_is_right(world, contenders):
    rows = world[0]
    for target in (np.zeros(rows.rows, np.int8), np.full(rows.rows, 2, np.int8)):
        odd = GateRows(columns=rows.columns, target=target, contract=rows.contract)
        decision = judge(contenders["good"], contenders["champion"], odd)
        assert decision.verdict == "hold"
        verdict_by_gate = {n for n, v in verdicts(decision).items() if v == "insufficient evidence"}
        compared = {RANKING, JUMP, PROFIT, SLICES, LEAVERS}
        alone = {"labels are sane", "enough gate rows", "ranks well", CALIBRATED, PLAUSIBLE, RATES}
        assert verdict_by_gate == compared | alone


def test_a_churn_rate_outside_the_contract_holds(world, contenders):
    rows = world[0]
    target = rows.target.copy()
    target[np.flatnonzero(target == 0)[:700]] = 1
    odd = GateRows(columns=rows.columns, target=target, contract=rows.contract)
    gate = found(judge(contenders["good"], contenders["champion"], odd), "labels are sane")
    assert gate.verdict == "insufficient evidence"
    assert gate.figure > gate.threshold == 0.60
    assert "outside the 5% to 60%" in gate.sentence


def test_a_challenger_that_has_seen_a_gate_row_is_rejected(world, contenders):
    rows, _, others = world
    leaked = np.concatenate([others.values, rows.digests.values[:2]])
    seen = type(others)(layout=others.layout, values=leaked)
    decision = judge(changed(contenders["good"], trained_on=seen), contenders["champion"], rows)
    assert verdicts(decision)[MINE] == "fail"
    assert decision.verdict == "reject"
    assert "2 of the 1,500 gate rows are among the 1,502" in decision.reasons[0]


def test_a_champion_that_has_seen_a_gate_row_holds(world, contenders):
    rows = world[0]
    decision = judge(
        contenders["good"], changed(contenders["champion"], trained_on=rows.digests), rows
    )
    assert verdicts(decision)[THEIRS] == "insufficient evidence"
    assert decision.verdict == "hold"


def test_training_rows_that_are_unknown_or_differ_hold(world, contenders, contract):
    rows, _, others = world
    other = type(others)(layout="f" * 64, values=others.values)
    for trained_on, reason in ((None, "is not known"), (other, "under another contract")):
        decision = judge(
            changed(contenders["good"], trained_on=trained_on), contenders["champion"], rows
        )
        assert decision.verdict == "hold"
        assert reason in decision.reasons[0]


@pytest.mark.parametrize("who", ["good", "champion"])
@pytest.mark.parametrize("broken", ["nan", "short"])
def test_scores_that_cannot_be_compared_hold(world, contenders, who, broken):
    logit = contenders[who].logit.copy()
    logit[7] = np.nan
    logit = logit if broken == "nan" else logit[:-1]
    both = contenders | {who: changed(contenders[who], logit=logit)}
    decision = judge(both["good"], both["champion"], world[0])
    assert decision.verdict == "hold"
    verdict_by_gate = verdicts(decision)
    assert {verdict_by_gate[RANKING], verdict_by_gate[PROFIT], verdict_by_gate[SLICES]} == {
        "insufficient evidence"
    }
    assert verdict_by_gate[CALIBRATED] == ("insufficient evidence" if who == "good" else "pass")
    assert contenders[who].name in found(decision, RANKING).sentence


@pytest.mark.parametrize("profit", [None, np.full(1500, np.nan), np.zeros(3)])
def test_profit_that_is_missing_or_no_number_holds(world, contenders, profit):
    decision = judge(changed(contenders["good"], profit=profit), contenders["champion"], world[0])
    assert verdicts(decision)[PROFIT] == "insufficient evidence"
    assert decision.verdict == "hold"


@pytest.mark.parametrize(
    ("changes", "verdict_by_gate"),
    [
        ({"loads": False}, ["fail", "insufficient evidence", "insufficient evidence"]),
        ({"golden_max_difference": 1e-3}, ["pass", "fail", "pass"]),
        ({"golden_max_difference": 1e-7}, ["pass", "pass", "pass"]),
        ({"golden_max_difference": np.nan}, ["pass", "insufficient evidence", "pass"]),
        ({"latency_ms_median": 5.1}, ["pass", "pass", "fail"]),
        ({"latency_ms_median": np.nan}, ["pass", "pass", "insufficient evidence"]),
        (None, ["insufficient evidence"] * 3),
    ],
)
def test_the_bundle_must_load_replay_and_be_fast(world, contenders, changes, verdict_by_gate):
    bundle = None if changes is None else BUNDLE.model_copy(update=changes)
    decision = judge(contenders["good"], contenders["champion"], world[0], bundle=bundle)
    names = ("bundle loads", "bundle replays its golden rows", "fast enough")
    assert [verdicts(decision)[name] for name in names] == verdict_by_gate
    expected = "reject" if "fail" in verdict_by_gate else "hold"
    assert decision.verdict == (expected if set(verdict_by_gate) != {"pass"} else "promote")


def test_without_a_champion_the_floors_apply_and_the_record_says_so(world, contenders):
    gained = PairedDifference(
        model="blend",
        reference="logistic",
        difference=0.005,
        interval=Interval(lower=0.002, upper=0.008, method="given"),
        splits=50,
    )
    low = FLOORS.model_copy(update={"roc_auc_lower": 0.6})
    decision = judge(contenders["good"], None, world[0], floors=low, against_baseline=gained)
    assert decision.verdict == "promote", decision.sentence
    assert decision.champion is None
    assert "There is no champion yet" in decision.sentence
    verdict_by_gate = verdicts(decision)
    assert {"ranks well", "not worse than the baseline", CALIBRATED, MINE, "fast enough"} <= set(
        verdict_by_gate
    )
    assert not {RANKING, PROFIT, SLICES, THEIRS} & set(verdict_by_gate)
    high = FLOORS.model_copy(update={"roc_auc_lower": 0.99})
    assert judge(contenders["good"], None, world[0], floors=high).verdict == "reject"
    broken = changed(contenders["good"], logit=np.full(1500, np.nan))
    assert judge(broken, None, world[0], floors=low).verdict == "hold"


def test_a_decision_survives_json_where_nothing_could_be_measured(world, contenders):
    decision = judge(
        changed(contenders["good"], profit=None), contenders["champion"], world[0], bundle=None
    )
    again = Decision.model_validate_json(decision.model_dump_json())
    assert again.model_dump_json() == decision.model_dump_json()
    assert np.isnan(found(again, PROFIT).figure)


def test_the_record_holds_digests_of_what_was_compared(world, contenders):
    rows = world[0]
    pair = contenders["good"], contenders["champion"]
    decision = judge(*pair, rows, hashes={"snapshot": "ab" * 32})
    assert decision.hashes == {"snapshot": "ab" * 32, "gate_rows": rows.sha256}
    flipped = rows.target.copy()
    flipped[0] = 1 - flipped[0]
    other = GateRows(columns=rows.columns, target=flipped, contract=rows.contract)
    assert other.sha256 != rows.sha256


def test_an_exception_while_comparing_ends_without_promotion(world, contenders, contract):
    rows = world[0]
    columns = {name: values for name, values in rows.columns.items() if name != "Contract"}
    broken = GateRows(columns=columns, target=rows.target, contract=contract)

    def compare():
        return judge(contenders["good"], contenders["champion"], broken)

    # then the comparison itself never returns a decision
    with pytest.raises(InputError, match="Column 'Contract' is missing"):
        compare()
    # and the safe way holds, naming what happened
    decision = hold_on_error(compare, challenger="blend 5", champion="blend 4")
    assert (decision.verdict, decision.champion) == ("hold", "blend 4")
    assert "InputError: Column 'Contract' is missing" in decision.sentence


def test_gate_rows_and_outcomes_must_match(world):
    with pytest.raises(ValueError, match="do not match"):
        GateRows(columns=world[0].columns, target=world[0].target[:-1], contract=world[0].contract)


@pytest.mark.parametrize(
    "values",
    [
        {"roc_auc_margin": 0.0},
        {"profit_margin": 1.0},
        {"slice_margin": -0.01},
        {"confidence": 0.5},
        {"bootstrap_samples": 10},
        {"slices": {"minimum_each": 1}},
        {"roc_margin": 0.01},
    ],
)
def test_margins_that_would_let_everything_or_nothing_through_are_refused(values):
    with pytest.raises(ValidationError):
        PromotionSettings.model_validate(values)
