"""Retention's steps: a small table from scores to slides, without a stack."""

from __future__ import annotations

import json
import shutil
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import yaml
from pyarrow import csv

from churn.campaign.call_list import EXPORTED
from churn.errors import InputError
from churn.ledger.predictions import PredictionLedger
from tests.churn.campaign.experiment_files import leave_campaign, record_outcomes

CUSTOMERS = 800
BEGAN = "2026-11-30T23:59:00+00:00"
TODAY = datetime.fromisoformat(BEGAN).date()


@pytest.fixture(scope="session")
def campaign(root, published, customers, tmp_path_factory):
    """What the steps before the lists return, on some customers of the shipped table."""
    from churn.scoring import Scorer
    from steps.retention.allocate_offers import allocate_offers
    from steps.retention.form_cohorts import form_cohorts
    from steps.retention.measure_roi import measure_roi
    from steps.retention.score_customers import score_retention_customers as score_customers
    from steps.retention.value_customers import value_customers

    folder = tmp_path_factory.mktemp("campaign")
    lines = (root / "data" / "raw" / "telco.csv").read_text().splitlines()[: CUSTOMERS + 1]
    (folder / "customers.csv").write_text("\n".join(lines) + "\n")
    model = Scorer.load(published).manifest.model.name
    shutil.copytree(published, folder / "stores" / model)
    settings = {
        "profile": "demo",
        "model": {"name": model},
        "input": str(folder / "customers.csv"),
        "horizon": {"draws": 20},
        "roi": {"draws": 1000},
    }
    folders = {
        "bundles": str(folder / "stores"),
        "ledger": f"sqlite:///{folder}/ledger.db",
        "retention": str(folder / "retention"),
    }
    scored = score_customers.entrypoint(settings, folders)
    margin = value_customers.entrypoint(scored, customers, settings)
    plan = allocate_offers.entrypoint(scored, margin, settings, folders, BEGAN)
    return SimpleNamespace(
        settings=settings,
        folders=folders,
        scored=scored,
        margin=margin,
        cohorts=form_cohorts.entrypoint(scored, margin, settings),
        plan=plan,
        roi=measure_roi.entrypoint(scored, margin, plan, settings, folders, BEGAN),
    )


@pytest.fixture
def own(campaign, tmp_path):
    """Folders of the test's own."""
    return campaign.folders | {
        "ledger": f"sqlite:///{tmp_path}/ledger.db",
        "retention": str(tmp_path / "retention"),
    }


@pytest.fixture
def listed(campaign, own):
    """Writes the lists, as often as it is called."""
    from steps.retention.write_call_list import write_call_list

    def write(**settings):
        made = campaign
        return write_call_list.entrypoint(
            made.scored, made.margin, made.cohorts, made.plan, made.roi,
            made.settings | settings, own, BEGAN,
        )  # fmt: skip

    return write


def treatments(folders):
    with PredictionLedger(folders["ledger"]) as ledger:
        return ledger.treatments()


def test_customers_are_scored_valued_and_grouped(campaign):
    assert len(campaign.scored.risk) == CUSTOMERS
    assert (campaign.margin.expected > 0).all()
    assert sum(each.customers for each in campaign.cohorts.cohorts) == CUSTOMERS
    assert campaign.cohorts.last == ()
    assert 0 < campaign.plan.called.sum() < CUSTOMERS
    assert not campaign.plan.called[campaign.plan.holdout].any()


def test_renewals_take_the_place_of_tenures(campaign, customers):
    from steps.retention.value_customers import value_customers

    renewals = {"renewals": {"survivors": [1000, 869, 743, 653]}}
    found = value_customers.entrypoint(campaign.scored, customers, campaign.settings | renewals)

    assert (found.expected > 0).all()
    assert found.assumptions != campaign.margin.assumptions


def test_the_lists_are_written_and_the_ledger_knows_who_is_on_them(campaign, listed, own, tmp_path):
    report, lists = listed(export=str(tmp_path / "crm.csv"))

    assert report.folder == str(tmp_path / "retention" / "2026-11-30")
    called = csv.read_csv(f"{report.folder}/call-list.csv")["customer_id"].to_pylist()
    assert called == lists.called["customer_id"].to_pylist()
    exported = csv.read_csv(tmp_path / "crm.csv")
    assert exported["customer_id"].to_pylist() == called
    assert exported.column_names == list(EXPORTED)
    assert set(exported["listed_on"].to_pylist()) == {TODAY}
    assert report.called == len(called)
    kept = treatments(own)
    assert {each.customer for each in kept if each.treated} == set(called)
    ids = np.array(campaign.scored.texts["customer_id"].to_pylist())
    left_out = {each.customer for each in kept if not each.treated}
    assert left_out < set(ids[campaign.plan.holdout])  # those who would have been called
    assert len(left_out) == campaign.roi.holdout.held_out > 0


def test_a_second_run_on_the_same_day_records_nobody_again(campaign, listed, own):
    listed()
    first = treatments(own)
    listed()
    assert treatments(own) == first
    left_out = {each.customer for each in first if not each.treated}
    left_out = np.isin(campaign.scored.texts["customer_id"].to_pylist(), list(left_out))

    # Who is on today's second list only is new
    fewer = campaign.plan.chosen.copy()
    fewer[campaign.plan.called.argmax()] = -1
    one_less = SimpleNamespace(**vars(campaign.plan) | {"called": fewer >= 0})
    from steps.retention.write_call_list import _new_treatments

    now = datetime.fromisoformat(BEGAN)
    with PredictionLedger(own["ledger"]) as ledger:
        given = ledger, campaign.scored, one_less, left_out
        assert _new_treatments(*given, now) == []
        tomorrow = _new_treatments(*given, now + timedelta(1))
    assert len(tomorrow) == len(first) - 1


def test_a_second_run_on_a_day_holds_out_nobody_who_may_have_been_called(campaign, own, tmp_path):
    from steps.retention.allocate_offers import allocate_offers
    from steps.retention.plan_experiment import plan_retention_experiment as plan_experiment

    made, late = campaign, "2026-11-30T23:59:30+00:00"
    given = (made.scored, made.margin, made.plan, made.settings, own, BEGAN)
    plan_experiment.entrypoint(*given)
    other_salt = made.settings | {"holdout": {"salt": "another"}}

    again = allocate_offers.entrypoint(made.scored, made.margin, other_salt, own, late)

    assert (again.holdout == made.plan.holdout).all()
    # And nobody of the first list is forgotten
    here = tmp_path / "retention" / "2026-11-30"
    (here / "call-list.csv").write_text("customer_id\nsomebody else\n")
    with pytest.raises(InputError, match="1 customers of today's call list"):
        allocate_offers.entrypoint(made.scored, made.margin, made.settings, own, late)


def test_without_record_the_ledger_keeps_nothing(listed, own):
    listed(record=False)

    assert treatments(own) == []


def test_a_campaign_that_contacts_nobody_is_refused_before_anything_is_written(
    campaign, own, root, tmp_path
):
    from steps.retention.allocate_offers import allocate_offers

    costly = yaml.safe_load((root / "data" / "playbooks" / "telco.yaml").read_text())
    for offer in costly["offers"].values():
        offer["cost"]["contact"] = 10_000.0
    (tmp_path / "costly.yaml").write_text(yaml.safe_dump(costly))
    settings = campaign.settings | {"playbook": str(tmp_path / "costly.yaml")}

    with pytest.raises(InputError, match=rf"contacts none of {CUSTOMERS} customers, so nothing was wr.*\d+ costs more than it saves"):  # fmt: skip
        allocate_offers.entrypoint(campaign.scored, campaign.margin, settings, own, BEGAN)
    assert not (tmp_path / "retention").exists()
    assert not (tmp_path / "ledger.db").exists()


def test_return_experiment_and_slides_are_made_of_the_campaign(campaign, listed, own):
    from steps.retention.plan_experiment import plan_retention_experiment as plan_experiment
    from steps.retention.write_deliverables import (
        write_retention_deliverables as write_deliverables,
    )

    report, _ = listed()
    roi = campaign.roi
    experiment = plan_experiment.entrypoint(
        campaign.scored, campaign.margin, campaign.plan, campaign.settings, own, BEGAN
    )
    done = write_deliverables.entrypoint(report, roi, experiment, campaign.settings)

    assert roi.holdout.treated == experiment.treated == report.called
    # One expected profit has one interval, wherever it is told
    profit = roi.figure("profit")
    assert profit.value == pytest.approx(report.allocation.profit)
    assert report.figures["profit_lower"] == round(profit.lower, 2)
    assert report.figures["profit_upper"] == round(profit.upper, 2)
    assigned = csv.read_csv(f"{report.folder}/assignments.csv")
    assert assigned.num_rows == CUSTOMERS
    figures = json.loads((Path(report.folder) / "figures.json").read_text())
    assert figures["roi"]["figures"]["profit"]["value"] == roi.figure("profit").value
    assert set(done.files) == {"deck.pptx", "one-pager.pdf", "readout.html", "figures.json"}


def test_an_experiment_is_read_and_its_playbook_written(campaign, own, tmp_path):
    from steps.retention.read_experiment import read_experiment

    settings = campaign.settings | {"experiment": {"read": "telco-1"}}
    rows = leave_campaign(tmp_path / "retention", TODAY - timedelta(40))
    left = record_outcomes(own["ledger"], rows)

    found = read_experiment.entrypoint(settings, own, BEGAN)

    here = tmp_path / "retention" / TODAY.isoformat()
    assert found.comparison.treated.left == left["treated"]
    assert json.loads((here / "readout.json").read_text()) == found.model_dump(mode="json")
    measured = yaml.safe_load((here / "measured-playbook.yaml").read_text())
    assert measured["offers"]["one_year"]["effect"]["source"] == "measured in experiment telco-1"


def test_a_readout_without_outcomes_of_any_offer_is_written_without_a_playbook(
    campaign, own, tmp_path
):
    from steps.retention.read_experiment import read_experiment

    settings = campaign.settings | {"experiment": {"read": "telco-1"}}
    rows = leave_campaign(tmp_path / "retention", TODAY - timedelta(40), offer="retired_offer")
    record_outcomes(own["ledger"], rows)

    found = read_experiment.entrypoint(settings, own, BEGAN)

    here = tmp_path / "retention" / TODAY.isoformat()
    assert found.balanced
    assert json.loads((here / "readout.json").read_text()) == found.model_dump(mode="json")
    assert not (here / "measured-playbook.yaml").exists()


def test_an_experiment_before_its_time_leaves_nothing(campaign, own, tmp_path):
    from steps.retention.read_experiment import read_experiment

    settings = campaign.settings | {"experiment": {"read": "telco-1"}}
    leave_campaign(tmp_path / "retention", TODAY - timedelta(20))

    with pytest.raises(InputError, match="before its first look is due"):
        read_experiment.entrypoint(settings, own, BEGAN)
    assert not (tmp_path / "retention" / TODAY.isoformat()).exists()
