"""From campaigns' files and the ledger's outcomes to a readout, and to a playbook with what it measured."""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta

import pytest

from churn.campaign import campaign_experiment
from churn.campaign.campaign_experiment import (
    PLAN_NAME,
    earlier_offers,
    earlier_plan,
    guardrail_sentences,
    known_arms,
    read_campaigns,
    require_same_share,
    with_earlier_rows,
)
from churn.campaign.earlier_lists import require_nobody_forgotten
from churn.campaign.measured_playbook import measured_playbook, playbook_text
from churn.errors import InputError
from churn.experiments.assignment import HOLDOUT, TREATED
from churn.experiments.assignments import FILE_NAME, write_assignments
from churn.experiments.looks import taken_looks
from churn.ledger.customer_outcomes import customer_outcomes
from churn.ledger.predictions import Outcome, PredictionLedger, TreatmentRecord
from churn.retention.playbook_file import load_playbook
from tests.churn.campaign.experiment_files import (
    EXPERIMENT,
    leave_campaign,
    record_outcomes,
    write_call_list,
)

DAY = date(2026, 11, 1)
READ = datetime(2026, 12, 5, tzinfo=UTC)


@pytest.fixture(scope="module")
def campaign(tmp_path_factory):
    """Folder of the campaigns, the ledger's address, the assignments, and who left, by arm."""
    folder = tmp_path_factory.mktemp("campaign")
    rows = leave_campaign(folder / "retention", DAY)
    address = f"sqlite:///{folder / 'ledger.db'}"
    return folder / "retention", address, rows, record_outcomes(address, rows)


@pytest.fixture(scope="module")
def readout(campaign):
    folder, address, _, _ = campaign
    with PredictionLedger(address) as ledger:
        return read_campaigns(folder, EXPERIMENT, ledger, READ)[1]


@pytest.fixture(scope="module")
def playbook(root, contract):
    return load_playbook(root / "data" / "playbooks" / "telco.yaml", contract)


def read(folder, address="sqlite://", now=READ, experiment=EXPERIMENT):
    with PredictionLedger(address) as ledger:
        return read_campaigns(folder, experiment, ledger, now)


def test_the_ledgers_outcomes_are_counted_by_arm(campaign, readout):
    _, _, rows, left = campaign

    both = readout.comparison
    assert (both.holdout.left, both.treated.left) == (left[HOLDOUT], left[TREATED])
    assert both.holdout.known + both.treated.known == len(rows)
    assert both.treated_rate < both.holdout_rate
    assert readout.balanced
    assert readout.look == 1
    assert readout.decision == "not decided"  # one campaign of four, and the first look's bound
    assert readout.guardrail.endswith("leave in no group of customers.")


def test_the_measured_effect_replaces_the_assumed_one(readout, playbook, contract, tmp_path):
    found = measured_playbook(playbook, readout)

    effect, assumed = found.offers["one_year"].effect, playbook.offers["one_year"]
    share = 1 - readout.comparison.treated_rate / readout.comparison.holdout_rate
    assert effect.source == "measured in experiment telco-1"
    assert effect.mean == pytest.approx(share / assumed.acceptance.expected)
    assert found.offers["one_year"].acceptance.expected == pytest.approx(
        assumed.acceptance.expected
    )
    others = [name for name in playbook.offers if name != "one_year"]
    assert all(found.offers[name] == playbook.offers[name] for name in others)
    # And the file that is written is a playbook as any other
    path = tmp_path / "measured.yaml"
    path.write_text(playbook_text(found), encoding="utf-8")
    assert load_playbook(path, contract) == found


def test_what_is_saved_can_be_no_more_than_everybody(readout, playbook):
    saved = tuple(each.model_copy(update={"mean": 0.9}) for each in readout.saved)

    found = measured_playbook(playbook, readout.model_copy(update={"saved": saved}))

    assert found.offers["one_year"].effect.mean == 1.0


def test_what_cannot_be_believed_is_not_taken_over(readout, playbook):
    odd = readout.model_copy(update={"balanced": False, "imbalance": 1e-9})
    with pytest.raises(InputError, match=r"sizes that chance does not explain \(p = 1e-09\)"):
        measured_playbook(playbook, odd)
    with pytest.raises(InputError, match=r"too few outcomes of any offer of playbook 'telco'"):
        measured_playbook(playbook, readout.model_copy(update={"saved": ()}))


def test_it_is_read_from_its_first_look_on(campaign):
    folder, address, _, _ = campaign
    before = datetime(2026, 11, 30, 23, 59, tzinfo=UTC)

    with pytest.raises(InputError, match="read on 2026-11-30, before its first look is due on 2026-12-01"):  # fmt: skip
        read(folder, address, before)
    assert read(folder, address, before + timedelta(minutes=1))[1].look == 1


def test_an_unknown_experiment_and_one_without_its_plan_are_refused(campaign, tmp_path):
    with pytest.raises(InputError, match=r"assigned in experiment 'other-1': 1 files"):
        read(campaign[0], experiment="other-1")
    leave_campaign(tmp_path, DAY)
    place = tmp_path / DAY.isoformat() / PLAN_NAME
    place.write_text("{")
    with pytest.raises(InputError, match=rf"{PLAN_NAME} is no plan of an experiment: not valid"):
        read(tmp_path)
    place.unlink()
    with pytest.raises(InputError, match="left the plan of experiment 'telco-1'"):
        read(tmp_path)


def test_a_crossover_between_campaigns_names_file_and_line(tmp_path):
    rows = leave_campaign(tmp_path, DAY)
    later = tmp_path / "2026-11-20"
    later.mkdir()
    other = {HOLDOUT: TREATED, TREATED: HOLDOUT}[rows[1].arm]
    changed = rows[1].model_copy(update={"arm": other})
    write_assignments(later / FILE_NAME, [rows[0], changed])

    with pytest.raises(InputError, match=rf"2026-11-20/{FILE_NAME}:3: .* in the arm '{other}'"):
        read(tmp_path)
    # A campaign finds it, too, before it writes anything
    with pytest.raises(InputError, match="crossover"):
        known_arms(tmp_path, EXPERIMENT)


def test_a_contacted_customer_of_the_holdout_is_refused(tmp_path):
    rows = leave_campaign(tmp_path, DAY)
    held = next(row for row in rows if row.arm == HOLDOUT)
    write_call_list(tmp_path, DAY, [held.customer])

    with pytest.raises(InputError, match="was contacted, but is in the holdout"):
        read(tmp_path)


def test_a_contact_of_the_holdout_that_the_ledger_knows_is_refused(tmp_path):
    rows = leave_campaign(tmp_path / "retention", DAY)
    held = next(row.customer for row in rows if row.arm == HOLDOUT)
    address, begun = f"sqlite:///{tmp_path / 'ledger.db'}", datetime.combine(DAY, time(), UTC)

    def record(at, *, treated=True):
        with PredictionLedger(address) as ledger:
            ledger.record_treatments([TreatmentRecord(at, treated=treated, customer=held)])

    record(begun - timedelta(seconds=1))
    record(begun + timedelta(31))
    record(begun, treated=False)
    with pytest.raises(InputError, match="has no outcome of anybody"):
        read(tmp_path / "retention", address)
    record(begun + timedelta(30))
    with pytest.raises(InputError, match=rf"{FILE_NAME}:\d+: .* was contacted, but is in the hold"):
        read(tmp_path / "retention", address)


def test_an_outcome_before_the_assignment_is_refused(tmp_path):
    (row, *_) = leave_campaign(tmp_path / "retention", DAY)
    address = f"sqlite:///{tmp_path / 'ledger.db'}"
    with PredictionLedger(address) as ledger:
        early = datetime(2026, 10, 1, tzinfo=UTC)
        ledger.record_outcomes([Outcome(early, churned=True, customer=row.customer)])

    with pytest.raises(InputError, match="left on 2026-10-01, but was assigned"):
        read(tmp_path / "retention", address)


def test_later_campaigns_know_arms_and_offers_of_earlier_ones(campaign):
    folder, _, rows, _ = campaign

    # A run on the same day, too: who was called in the morning is not held out in the afternoon
    assert known_arms(folder, EXPERIMENT) == {row.customer: row.arm for row in rows}
    assert known_arms(folder / "nothing here", EXPERIMENT) == {}
    # Be it in another experiment: the treated are left alone after any call list, too
    assert len(earlier_offers(folder, DAY + timedelta(30), 30)) == len(rows)
    assert earlier_offers(folder, DAY + timedelta(31), 30) == {}


def test_a_plan_stays_and_so_does_the_share_of_the_holdout(campaign):
    folder, _, _, _ = campaign
    after = DAY + timedelta(1)

    assert earlier_plan(folder, EXPERIMENT, DAY) is None
    assert earlier_plan(folder, EXPERIMENT, after).begins == DAY
    assert earlier_plan(folder, "other-1", after) is None
    require_same_share(folder, 0.2)
    require_same_share(folder / "nothing here", 0.1)
    with pytest.raises(InputError, match=r"holdout.share is 0.1, but .* Set holdout.share=0.2"):
        require_same_share(folder, 0.1)


def test_a_second_run_on_a_day_keeps_the_rows_of_customers_it_does_not_know(tmp_path):
    rows = leave_campaign(tmp_path, DAY)
    path = tmp_path / DAY.isoformat() / FILE_NAME
    now = [row.model_copy(update={"risk": 0.9}) for row in rows[1:]]

    merged = with_earlier_rows(now, path)

    assert merged[:-1] == now
    assert merged[-1].model_copy(update={"place": ""}) == rows[0]
    assert with_earlier_rows(now, tmp_path / "none.csv") == now


def test_a_second_run_on_a_day_forgets_nobody_who_was_called(tmp_path):
    leave_campaign(tmp_path, DAY)
    write_call_list(tmp_path, DAY, ["c1", "c2", "c3"])

    require_nobody_forgotten(tmp_path, DAY, {"c1", "c2", "c3", "new"})
    require_nobody_forgotten(tmp_path, DAY + timedelta(1), {"new"})
    with pytest.raises(
        InputError, match=r"2 customers of today's call list .* not in this run's table"
    ):
        require_nobody_forgotten(tmp_path, DAY, {"c1"})


def test_a_look_is_taken_once(campaign, tmp_path):
    first_folder, address, _, _ = campaign
    folder = tmp_path / "retention"
    shutil.copytree(first_folder, folder, ignore=shutil.ignore_patterns("looks"))
    first = read(folder, address, READ)[1]
    plan = read(folder, address, READ)[0]

    # Given that other outcomes are in the ledger by now
    before_second = datetime.combine(plan.looks[1].due, time(), UTC) - timedelta(1)
    again = read(folder, "sqlite://", before_second)[1]

    # Then it shows the same look until the next is due, which has to know more than this one
    assert again == first
    assert again.read_on == READ.date()
    with pytest.raises(
        InputError, match=r"Look 2 of .* would know no more than look 1 of 2026-12-05"
    ):
        read(folder, address, before_second + timedelta(1))
    at_last = read(folder, address, datetime.combine(plan.ends, time(), UTC))[1]
    assert (at_last.look, at_last.information) == (len(plan.looks), 1.0)
    assert len(taken_looks(folder, EXPERIMENT)) == 2


def test_a_look_of_an_earlier_experiment_of_that_name_is_not_shown(campaign, tmp_path):
    folder = tmp_path / "retention"
    shutil.copytree(campaign[0], folder, ignore=shutil.ignore_patterns("looks"))
    read(folder, campaign[1])
    shutil.rmtree(folder / DAY.isoformat())
    leave_campaign(folder, date(2026, 12, 20))

    with pytest.raises(InputError, match=r"a look of 2026-12-05, but .* began on 2026-12-20"):
        read(folder, campaign[1], datetime(2027, 1, 25, tzinfo=UTC))


def test_of_two_readers_at_once_one_takes_the_look(campaign, tmp_path, monkeypatch):
    folder = tmp_path / "retention"
    shutil.copytree(campaign[0], folder, ignore=shutil.ignore_patterns("looks"))
    seen, readers = [], ThreadPoolExecutor(1)

    def fewer_for_the_first(ledger):
        outcomes = customer_outcomes(ledger)
        seen.append(len(outcomes))
        if len(seen) > 1:
            return outcomes
        second.append(readers.submit(read, folder, campaign[1]))
        with suppress(TimeoutError):  # it waits for this one
            second[0].result(timeout=0.5)
        return outcomes[::3]

    second = []
    monkeypatch.setattr(campaign_experiment, "customer_outcomes", fewer_for_the_first)

    first = read(folder, campaign[1])[1]

    assert second[0].result()[1] == first
    assert len(seen) == 1


def test_a_look_at_arms_of_the_wrong_sizes_may_be_taken_again(tmp_path):
    rows = leave_campaign(tmp_path / "retention", DAY)
    address = f"sqlite:///{tmp_path / 'ledger.db'}"
    held = [row for row in rows if row.arm == HOLDOUT]
    some = [row for row in rows if row.arm == TREATED] + held[: len(held) // 2]
    record_outcomes(address, some)

    odd = read(tmp_path / "retention", address)[1]

    assert not odd.balanced
    assert odd.decision == "not decided"
    assert taken_looks(tmp_path / "retention", EXPERIMENT) == []


def test_a_broken_look_is_named(campaign, tmp_path):
    folder = tmp_path / "retention"
    shutil.copytree(campaign[0], folder, ignore=shutil.ignore_patterns("looks"))
    read(folder, campaign[1])
    (folder / "looks" / EXPERIMENT / "1.json").write_text("{}")

    with pytest.raises(InputError, match=r"looks/telco-1/1\.json cannot be read as a look"):
        read(folder, campaign[1])


def test_a_guardrail_says_that_its_limit_is_assumed(playbook):
    phone, email = guardrail_sentences(playbook)

    assert phone.startswith("Stop above 3 complaints a hundred contacts (assumed limit, not meas")
    assert "20% off for three months" in phone
    assert email.startswith("Stop above 2 unsubscriptions a hundred e-mails (assumed limit")
