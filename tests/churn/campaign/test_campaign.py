from copy import copy
from datetime import UTC, date, datetime
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest

from churn.batch.given_places import open_table
from churn.campaign.call_list import call_list, not_called
from churn.campaign.campaign_plan import plan_campaign
from churn.campaign.earlier_lists import (
    CALL_LIST,
    NOT_CALLED,
    claim_folder,
    lists_folder,
    recently_called,
)
from churn.campaign.missed_leavers import audit_last_list
from churn.campaign.scored_customers import NO_REASON, score_customers
from churn.campaign.supported_offers import _best, supported_offers
from churn.campaign.suppression import read_suppressions
from churn.data.sources import open_sink
from churn.errors import InputError
from churn.experiments.assignment import hashed_share
from churn.ledger.prediction import Outcome
from churn.retention.cohorts import DO_NOT_DISTURB, all_at_risk, cohort_ids, cohorts
from churn.retention.hazards import fit_hazards
from churn.retention.offer_profit import offer_profits
from churn.retention.playbook_file import load_playbook
from churn.retention.value import RemainingMargin, remaining_margin
from churn.retention.value_settings import HorizonSettings, ValueSettings
from churn.scoring.store_follower import load_version

ROWS = 1_200
HORIZON = HorizonSettings(draws=20)


@pytest.fixture(scope="module")
def playbook(root, contract):
    whole = load_playbook(root / "data" / "playbooks" / "telco.yaml", contract)
    return whole.model_copy(update={"budget": 2_000.0, "contacts": 300})


@pytest.fixture(scope="module")
def scorer(published_store):
    bundle = load_version(str(published_store), "1")
    return bundle.scorer, bundle.bands


@pytest.fixture(scope="module")
def scored(root, contract, scorer, tmp_path_factory):
    path = tmp_path_factory.mktemp("table") / "customers.csv"
    lines = (root / "data" / "raw" / "telco.csv").read_text().splitlines()[: ROWS + 1]
    path.write_text("\n".join([*lines, lines[1]]) + "\n")  # the first customer stands there again
    return score_customers(open_table(str(path), contract), *scorer, model="telco-churn", reasons=2)


@pytest.fixture(scope="module")
def margin(scored, telco_columns, telco_target, contract):
    hazards = fit_hazards(telco_columns, telco_target, contract, draws=20, seed=7)
    return remaining_margin(scored.columns, contract, ValueSettings(), hazards, HORIZON)


@pytest.fixture(scope="module")
def holdout(scored):
    return hashed_share(scored.texts["customer_id"].to_pylist(), "no contact") < 0.1


@pytest.fixture(scope="module")
def plan(scored, margin, playbook, holdout):
    return plan_campaign(
        scored,
        margin,
        playbook,
        kept_out={0: "asked not to be"},
        holdout=holdout,
        money="USD",
        seed=7,
    )


def test_each_customer_is_scored_once_with_reasons(scored, scorer):
    assert len(scored.risk) == ROWS
    assert scored.set_aside == 1
    assert scored.texts["customer_id"][0].as_py() == "C00001"
    assert scored.texts["reasons"][0].as_py().startswith("Pays month to month: customers like this")
    assert scored.texts["main_reason"][0].as_py() == "Contract"
    assert NO_REASON in scored.text("main_reason")
    positive = scored.risk >= scored.threshold
    assert ((scored.text("risk_band") != "low") == positive).all()


@pytest.mark.parametrize("newest_first", [False, True])
def test_of_a_customer_with_several_rows_the_latest_day_counts(
    scorer, contract, root, tmp_path, newest_first
):
    day = {"name": "seen_on", "kind": "date", "meaning": "Day of the row"}
    first, *others = contract.model_dump()["columns"]
    dated = contract.model_validate(contract.model_dump() | {"columns": [first, day, *others]})
    follows = copy(scorer[0])
    follows.contract = dated
    head, *rows = (root / "data" / "raw" / "telco.csv").read_text().splitlines()[:51]
    tenure = head.split(",").index("tenure")
    lines = []
    for row in rows:
        fields = row.split(",")
        for number, seen in enumerate(("2025-01-31", "2025-02-28")):
            fields[tenure] = str(10 + number)
            lines.append(",".join([fields[0], seen, *fields[1:]]))
    path = tmp_path / "dated.csv"
    lines = lines[::-1] if newest_first else lines
    path.write_text("\n".join([head.replace(",", ",seen_on,", 1), *lines]) + "\n")

    found = score_customers(
        open_table(str(path), dated), follows, scorer[1], model="telco-churn", reasons=1
    )

    assert (len(found.risk), found.set_aside) == (50, 50)
    assert set(found.columns["tenure"]) == {11.0}


def test_the_formula_is_worked_out_by_hand_for_one_customer(scored, margin, playbook):
    offered = offer_profits(playbook, scored.contract, scored.columns, scored.risk, margin.expected)
    place = list(playbook.offers).index("one_year")
    row = int(np.flatnonzero(np.isfinite(offered.profit[place]))[0])
    risk, worth = scored.risk[row], margin.expected[row]
    incentive = 1.2 * scored.columns["MonthlyCharges"][row]

    earned = risk * 0.3 * (0.7 * worth - incentive) - (1 - risk) * 0.3 * incentive - 4.0

    assert offered.profit[place, row] == pytest.approx(earned)
    assert offered.cost[place, row] == pytest.approx(4.0 + 0.3 * incentive)


def test_only_who_is_eligible_is_offered_anything_and_every_limit_is_kept(plan, scored, playbook):
    term, tenure = scored.columns["Contract"], scored.columns["tenure"]
    one_year = plan.actions == "one_year"

    assert one_year.any()
    assert (term[one_year] == 0).all()
    assert (tenure[one_year] >= 6).all()
    assert plan.called.sum() <= 300
    assert plan.cost.sum() <= 2_000
    assert all(each.used <= each.bound + 1e-6 for each in plan.facts.limits)
    assert plan.facts.profit == pytest.approx(plan.profit.sum())


def test_who_is_kept_out_or_in_the_holdout_is_never_called_and_everybody_has_a_reason(
    plan, holdout
):
    why = plan.why["why"].to_pylist()

    assert not plan.called[holdout].any()
    assert why[0] == "not called: asked not to be"
    assert all(
        each.startswith("expected to save") for each, c in zip(why, plan.called, strict=True) if c
    )
    assert all(
        each.startswith("not called: ") for each, c in zip(why, plan.called, strict=True) if not c
    )
    assert any("costs more than it saves" in each for each in why)
    assert any(" used up" in each for each in why)


def test_lists_hold_everybody_once_and_the_call_list_is_ranked(plan, scored, margin, scorer):
    ids = cohort_ids(
        scored.text("risk_band"),
        margin.expected,
        scored.text("main_reason"),
        plan.pays,
        smallest=30,
    )
    supported = supported_offers(scored, scorer[0], plan.playbook, np.flatnonzero(plan.called))

    called = call_list(scored, margin, plan, ids, supported)
    others = not_called(scored, margin, plan, ids)

    both = called["customer_id"].to_pylist() + others["customer_id"].to_pylist()
    assert sorted(both) == sorted(scored.texts["customer_id"].to_pylist())
    profit = called["expected_profit"].to_pylist()
    assert profit == sorted(profit, reverse=True)
    assert called["rank"].to_pylist() == list(range(1, len(profit) + 1))
    # What the model supports is beside what earns most, and need not be the same
    said = called["model_supports"].to_pylist()
    assert any(
        each.startswith("one_year: With a one-year contract the risk falls") for each in said
    )
    assert others["holdout"].to_pylist().count(True) == plan.holdout.sum()


def test_cohorts_hold_everybody_once_with_one_cell_that_is_left_alone(plan, scored, margin):
    ids = cohort_ids(
        scored.text("risk_band"),
        margin.expected,
        scored.text("main_reason"),
        plan.pays,
        smallest=30,
    )

    found = cohorts(ids, scored.risk, margin, seed=7)

    assert sum(each.customers for each in found) == ROWS
    (alone,) = [each for each in found if each.id == DO_NOT_DISTURB]
    assert alone.customers == (~plan.pays).sum()
    assert sum(each.at_risk.expected for each in found) == pytest.approx(
        scored.risk @ margin.expected
    )
    for each in found:
        assert each.at_risk.lower < each.at_risk.expected < each.at_risk.upper
        assert each.id in (DO_NOT_DISTURB, f"{each.band}/{each.value_third}/{each.reason}")
    together = all_at_risk(scored.risk, margin, seed=7)
    assert together.expected == pytest.approx(sum(each.at_risk.expected for each in found))
    assert together.lower < together.expected < together.upper
    assert alone.words == "do not disturb"
    assert all("_" not in each.words.partition(":")[0] for each in found)
    assert found == cohorts(ids, scored.risk, margin, seed=7)


def test_a_reason_may_have_a_slash_in_its_name():
    margin = RemainingMargin(np.ones(2), np.ones((2, 20), np.float32), ())

    (found,) = cohorts(np.full(2, "high/alike/Calls/day"), np.full(2, 0.5), margin, seed=7)

    assert (found.value_third, found.reason) == ("alike", "Calls/day")


def test_of_two_offers_of_one_change_the_one_open_to_the_customer_is_named():
    change = SimpleNamespace(column="Contract", after="One year", follows=False)
    possible = (SimpleNamespace(risk=0.2, changes=(change,), sentence="the risk falls"),)
    apart = {
        ("Contract", "One year"): [
            ("young", np.array([True, False, False])),
            ("old", np.array([False, True, False])),
        ]
    }

    said = [_best(row, possible, apart) for row in range(3)]

    assert said == ["young: the risk falls", "old: the risk falls", ""]


def test_who_was_called_within_the_quiet_days_is_left_alone(tmp_path):
    for day, customer in (("2026-11-01", "a"), ("2026-11-20", "b"), ("2026-11-30", "c")):
        (tmp_path / day).mkdir()
        open_sink(str(tmp_path / day / CALL_LIST)).write([pa.table({"customer_id": [customer]})])

    found = recently_called(tmp_path, date(2026, 11, 30), days=10)

    assert found == {"b": "was on the call list of 2026-11-20"}
    assert recently_called(tmp_path / "none", date(2026, 11, 30), days=10) == {}


def test_leavers_of_value_who_were_not_called_are_counted_with_the_reason(tmp_path):
    # Given the lists of one day, and outcomes of three of the four customers who were not called;
    # of everybody's values, those called included, 100 is in the upper third
    (tmp_path / "2026-11-01").mkdir()
    called = pa.table({"customer_id": ["w", "x", "y", "z"], "value": [10.0] * 4})
    open_sink(str(tmp_path / "2026-11-01" / CALL_LIST)).write([called])
    listed = pa.table(
        {
            "customer_id": ["a", "b", "c", "d"],
            "value": [900.0, 800.0, 100.0, 50.0],
            "why": ["not called: costs more than it saves (x)", "not called: left out", "w", "w"],
        }
    )
    open_sink(str(tmp_path / "2026-11-01" / NOT_CALLED)).write([listed])
    at = datetime(2026, 11, 20, tzinfo=UTC)
    outcomes = {
        "a": Outcome(at, churned=True, customer="a"),
        "b": Outcome(at, churned=False, customer="b"),
        "c": Outcome(at, churned=True, customer="c"),
        "d": Outcome(
            datetime(2026, 10, 1, tzinfo=UTC), churned=True, customer="d"
        ),  # before the list
    }

    found, rows = audit_last_list(tmp_path, date(2026, 11, 30), outcomes)

    assert (found.with_outcome, found.left, found.missed, found.margin) == (3, 2, 2, 1000.0)
    assert found.reasons == {"costs more than it saves": 1, "w": 1}
    assert rows["customer_id"].to_pylist() == ["a", "c"]
    assert audit_last_list(tmp_path, date(2026, 11, 30), {}) is None


@pytest.mark.parametrize(
    ("others", "missed", "words"),
    [
        ([200.0] * 4, 3, "3 customers have left without a call, worth 600: "),
        ([100.0] * 4, 3, "3 customers of the upper third of the values have left without a call"),
        ([200.0, 200.0, 100.0, 100.0], 3, "3 customers of the upper third of the values have left"),
        ([200.0] * 3 + [300.0], 0, "0 customers of the upper third of the values have left"),
    ],
)
def test_who_is_worth_what_everybody_is_worth_is_in_no_upper_third(tmp_path, others, missed, words):
    (tmp_path / "2026-11-01").mkdir()
    called = pa.table({"customer_id": ["w", "x", "y", "z"], "value": others})
    open_sink(str(tmp_path / "2026-11-01" / CALL_LIST)).write([called])
    listed = pa.table({"customer_id": ["a", "b", "c"], "value": [200.0] * 3, "why": ["w"] * 3})
    open_sink(str(tmp_path / "2026-11-01" / NOT_CALLED)).write([listed])
    at = datetime(2026, 11, 20, tzinfo=UTC)

    found, rows = audit_last_list(
        tmp_path, date(2026, 11, 30), {each: Outcome(at, True, customer=each) for each in "abc"}
    )

    assert (found.missed, rows.num_rows) == (missed, missed)
    assert words in found.sentence


def test_a_suppression_list_names_the_line_at_fault(tmp_path):
    path = tmp_path / "stop.csv"
    path.write_text("customerID,reason\nC1,moved\nC2,\n")
    assert read_suppressions(path, "customerID") == {"C1": "moved", "C2": "on the suppression list"}

    path.write_text("customerID\nC1\n  \n")
    with pytest.raises(InputError, match="no 'customerID' in line 3"):
        read_suppressions(path, "customerID")
    path.write_text("id\nC1\n")
    with pytest.raises(InputError, match="no column 'customerID' in line 1"):
        read_suppressions(path, "customerID")
    with pytest.raises(InputError, match="cannot be read"):
        read_suppressions(tmp_path / "none.csv", "customerID")


def test_a_table_without_ids_or_customers_is_refused(tmp_path, root, contract, scorer):
    lines = (root / "data" / "raw" / "telco.csv").read_text().splitlines()
    path = tmp_path / "none.csv"
    path.write_text(lines[0] + "\n")
    with pytest.raises(InputError, match="has no customer that the contract"):
        score_customers(open_table(str(path), contract), *scorer, model="m", reasons=1)

    path.write_text("\n".join(line.partition(",")[2] for line in lines[:3]) + "\n")
    with pytest.raises(InputError, match="2 customers without 'customerID'"):
        score_customers(open_table(str(path), contract), *scorer, model="m", reasons=1)


def test_lists_of_two_models_lie_apart(tmp_path):
    assert lists_folder(tmp_path, "telco-churn") == tmp_path
    claim_folder(lists_folder(tmp_path, "telco-churn"), "telco-churn")

    assert lists_folder(tmp_path, "telco-churn") == tmp_path
    assert lists_folder(tmp_path, "mlc-churn") == tmp_path / "mlc-churn"
