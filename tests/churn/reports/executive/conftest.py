"""One campaign over the shipped table, and what an executive reads of it."""

from __future__ import annotations

from collections import Counter
from datetime import date

import numpy as np
import pyarrow as pa
import pytest

from churn.campaign.campaign_experiment import guardrail_sentences, plan_of_campaign
from churn.campaign.campaign_plan import plan_campaign
from churn.campaign.contacts import (
    assigned_customers,
    campaign_holdout,
    holdout_offers,
    offer_contacts,
)
from churn.campaign.retention_report import CohortReport, RetentionReport
from churn.campaign.scored_customers import ScoredCustomers
from churn.contract import load_contract
from churn.data import acquire
from churn.experiments.experiment_settings import ExperimentSettings
from churn.features.encoding import encode
from churn.reports.executive.evidence import Evidence
from churn.retention.cohorts import all_at_risk, cohort_ids, cohorts
from churn.retention.playbook_file import load_playbook
from churn.retention.roi_report import RunReference
from churn.retention.roi_summary import roi_report
from churn.retention.value import RemainingMargin

DAY = date(2026, 11, 30)
MOST_ROWS = {"telco": 7043, "mlc_churn": 1200}
TENURE = {"telco": "tenure", "mlc_churn": "account_length"}


@pytest.fixture(scope="session")
def campaigns(root, tmp_path_factory):
    """Makes a campaign of a business: scored customers, margin, plan and the holdout's offers."""
    folder = tmp_path_factory.mktemp("campaigns")
    made: dict[str, tuple] = {}

    def campaign(business: str):
        if business not in made:
            contract = load_contract(root / "data" / "contracts" / f"{business}.yaml")
            table = acquire("bundled", contract, root=root, cache=folder)
            made[business] = _campaign(root, business, table)
        return made[business]

    return campaign


def _campaign(root, business, table):
    frame = table.frame.head(MOST_ROWS[business])
    columns = dict(encode(frame, table.contract))
    time = columns[TENURE[business]].astype(float)
    rng = np.random.default_rng(1)
    risk = np.clip(0.75 * np.exp(-time / time.mean()) + rng.uniform(0, 0.1, len(time)), 0.01, 0.95)
    texts = pa.table(
        {
            "customer_id": frame[table.contract.id.name].astype(str).tolist(),
            "risk_band": np.array(["low", "medium", "high", "very high"])[
                np.searchsorted([0.2, 0.4, 0.6], risk)
            ],
            "main_reason": [TENURE[business]] * len(risk),
            "reasons": ["Is a new customer."] * len(risk),
        }
    )
    scored = ScoredCustomers(
        contract=table.contract, model=f"{business}-model", version="3", threshold=0.3,
        columns=columns, risk=risk, texts=texts, set_aside=2,
    )  # fmt: skip
    worth = rng.uniform(100, 900, len(risk))
    drawn = (worth[:, None] * rng.normal(1, 0.1, 40)).astype(np.float32)
    margin = RemainingMargin(worth, drawn, ("A customer brings 30% of the own charge (assumed).",))
    playbook = load_playbook(root / "data" / "playbooks" / f"{business}.yaml", table.contract)
    holdout = campaign_holdout(scored, margin, 0.1, "no contact", {})
    plan = plan_campaign(
        scored, margin, playbook, kept_out={}, holdout=holdout, money="USD", seed=7
    )
    return scored, margin, plan, holdout_offers(scored, margin, plan, kept_out={}, seed=7)


def evidence_of(campaign, folder, readout=None) -> Evidence:
    """The artifacts that the pipeline would make of a campaign."""
    scored, margin, plan, would_get = campaign
    ids = cohort_ids(
        scored.text("risk_band"),
        margin.expected,
        scored.text("main_reason"),
        plan.pays,
        smallest=30,
    )
    found = CohortReport(
        model=scored.model,
        money="USD",
        cohorts=cohorts(ids, scored.risk, margin, seed=7),
        at_risk=all_at_risk(scored.risk, margin, seed=7),
    )
    roi = roi_report(
        offer_contacts(scored, margin, plan.playbook, plan.chosen),
        offer_contacts(scored, margin, plan.playbook, would_get),
        RunReference(
            day=DAY, model=scored.model, version="3", playbook=plan.playbook.name,
            playbook_digest="c0ffee" * 10 + "c0ff", draws=4000, seed=7,
        ),
        "USD",
    )  # fmt: skip
    report = RetentionReport(
        status="planned", sentence="planned", model=scored.model, version=scored.version,
        money="USD", customers=len(scored.risk), set_aside=2, called=int(plan.called.sum()),
        holdout=int(plan.holdout.sum()), bands=dict(Counter(scored.texts["risk_band"].to_pylist())),
        cohorts=found, allocation=plan.facts, profit=roi.profit, assumptions=margin.assumptions, folder=str(folder),
    )  # fmt: skip
    assigned = assigned_customers(scored, margin, plan, would_get, experiment="first", day=DAY)
    experiment = plan_of_campaign(
        scored, plan, assigned, ExperimentSettings(), begins=DAY, share=0.1
    )
    assert experiment.guardrails == guardrail_sentences(plan.playbook)
    return Evidence(scored.contract, report, roi, experiment, readout)
