"""The experiment that a campaign is part of: its files, its plan, and what the ledger says of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
from pydantic import ValidationError

from churn.campaign.campaign_plan import CampaignPlan
from churn.campaign.earlier_lists import recently_called
from churn.campaign.scored_customers import ScoredCustomers
from churn.campaign.suppression import read_suppressions
from churn.errors import InputError
from churn.experiments.assignment import HOLDOUT, TREATED
from churn.experiments.assignments import FILE_NAME, Assigned, observe, read_assignments, read_rows
from churn.experiments.experiment_settings import ExperimentSettings
from churn.experiments.looks import (
    keep_look,
    one_look_at_a_time,
    require_own_looks,
    taken_looks,
)
from churn.experiments.plan import ExperimentPlan, plan_experiment
from churn.experiments.readout import Readout, read_out
from churn.frozen_model import first_fault
from churn.ledger.customer_outcomes import customer_outcomes
from churn.ledger.predictions import PredictionLedger
from churn.retention.playbook import Playbook
from churn.settings.retention import RetentionSettings

PLAN_NAME = "experiment.json"
_ALL_DAYS = 36_500
_PAGE = 10_000


def experiment_name(settings: ExperimentSettings, playbook: Playbook) -> str:
    """The experiment that a campaign with this playbook belongs to."""
    return settings.name or f"{playbook.name}-1"


def known_arms(folder: Path, experiment: str) -> dict[str, str]:
    """The arm of each customer in a campaign's file; they keep it, also in a second run on one day.

    Raises:
        InputError: a file is at fault, or a customer changes the arm within the experiment.
    """
    files = list(_files(folder))
    read_assignments(files, experiment)
    return {row.customer: row.arm for path in files for row in read_rows(path)}


def with_earlier_rows(rows: list[Assigned], path: Path) -> list[Assigned]:
    """Today's assignments, and those of an earlier run of today for customers who are not in the table now.

    Raises:
        InputError: the earlier run's file is at fault.
    """
    if not path.is_file():
        return rows
    mine = {row.customer for row in rows}
    return [*rows, *(row for row in read_rows(path) if row.customer not in mine)]


def earlier_offers(folder: Path, today: date, days: int) -> dict[str, str]:
    """Customer of the holdout -> why not selected: who would have been contacted in the last so many days.

    Be it in another experiment: quiet days keep who was contacted then out of this one, too.
    """
    found: dict[str, str] = {}
    since = (today - timedelta(days)).isoformat()
    for path in _files(folder):
        if since <= path.parent.name < today.isoformat():
            found |= {row.customer: "selected before" for row in read_rows(path) if row.offer}
    return found


def plan_of_campaign(
    scored: ScoredCustomers,
    plan: CampaignPlan,
    assigned: list[Assigned],
    settings: ExperimentSettings,
    *,
    begins: date,
    share: float,
) -> ExperimentPlan:
    """The plan, by the customers that this campaign selects.

    Raises:
        InputError: nobody is selected, or nobody of the holdout.
    """
    selected = np.array([bool(row.offer) for row in assigned])
    sizes = Counter(row.arm for row in assigned if row.offer)
    rate = float(scored.risk[selected].mean()) if selected.any() else 0.0
    return plan_experiment(
        assigned[0].experiment,
        begins,
        rate,
        sizes,
        settings,
        shares={HOLDOUT: share, TREATED: 1 - share},
        campaign_days=max(plan.playbook.quiet_days, 1),
        guardrails=guardrail_sentences(plan.playbook),
    )


def guardrail_sentences(playbook: Playbook) -> tuple[str, ...]:
    """When an offer is to be stopped, a sentence for each guardrail; its limit is the playbook's, not a measured one."""
    found: dict[tuple[str, float], list[str]] = {}
    for offer in playbook.offers.values():
        for rail in offer.guardrails:
            found.setdefault((rail.measure, rail.at_most), []).append(offer.title)
    return tuple(
        f"Stop above {limit:g} {measure} (assumed limit, not measured here): {', '.join(titles)}."
        for (measure, limit), titles in found.items()
    )


def read_campaigns(
    folder: Path, experiment: str, ledger: PredictionLedger, now: datetime
) -> tuple[ExperimentPlan, Readout]:
    """Reads an experiment out of the campaigns' files and the ledger's outcomes.

    A look that was taken before is returned as it was, until the next one is due.

    Raises:
        InputError: there is no such experiment, it is not due, or outcomes contradict assignments.
    """
    files = list(_files(folder))
    assigned = read_assignments(files, experiment)
    if not assigned:
        raise InputError(
            f"No customer was assigned in experiment '{experiment}': {len(files)} files of campaigns "
            f"below {folder} were read. Check its name, or run a campaign first."
        )
    plan = _plan(files, experiment)
    due = plan.look_on(now.date())
    with one_look_at_a_time(folder, experiment):
        taken = taken_looks(folder, experiment)
        require_own_looks(folder, plan, taken)
        if taken and taken[-1].look >= due.number:
            return plan, taken[-1]
        outcomes = customer_outcomes(ledger)
        called = set(recently_called(folder, now.date() + timedelta(1), _ALL_DAYS))
        called |= _recorded_contacts(ledger, assigned, plan.settings.horizon_days)
        observed, _ = observe(assigned, outcomes, plan, now, treated=dict.fromkeys(called, True))
        readout = read_out(plan, observed, now.date(), taken)
        if readout.balanced:  # else it decides nothing, and may be taken again
            keep_look(folder, readout)
    return plan, readout


def _recorded_contacts(
    ledger: PredictionLedger, assigned: Mapping[str, Assigned], horizon_days: int
) -> set[str]:
    """Selected customers whose contact within the horizon the ledger knows, by whichever campaign."""
    found: set[str] = set()
    after = 0
    while page := ledger.treatments(after=after, limit=_PAGE):
        for each in page:
            row = assigned.get(each.customer or "")
            if row is not None and row.offer and each.treated:
                days = (each.assigned_at.astimezone(UTC).date() - row.assigned_on).days
                if 0 <= days <= horizon_days:
                    found.add(row.customer)
        after += len(page)
    return found


def _files(folder: Path) -> Iterator[Path]:
    return iter(sorted(folder.glob(f"*/{FILE_NAME}")) if folder.is_dir() else [])


def earlier_plan(folder: Path, experiment: str, before: date) -> ExperimentPlan | None:
    """The plan of the experiment's first campaign, which no later one changes; None before the first."""
    files = [path for path in _files(folder) if path.parent.name < before.isoformat()]
    return next((plan for plan in _plans(files) if plan.name == experiment), None)


def require_same_share(folder: Path, share: float) -> None:
    """Checks that customers were assigned with this share before: they keep their arms for ever.

    Raises:
        InputError: they were assigned with another.
    """
    for plan in _plans(list(_files(folder))):
        known = plan.shares[HOLDOUT]
        if known != share:
            raise InputError(
                f"holdout.share is {share:g}, but experiment '{plan.name}' below {folder} has assigned "
                f"with {known:g} since {plan.begins}, and customers keep their arms: their sizes could "
                f"never agree with {share:g}. Set holdout.share={known:g}."
            )


def _plans(files: list[Path]) -> Iterator[ExperimentPlan]:
    for path in files:
        place = path.with_name(PLAN_NAME)
        if place.is_file():
            yield _read_plan(place)


def _read_plan(place: Path) -> ExperimentPlan:
    try:
        return ExperimentPlan.model_validate_json(place.read_bytes())
    except ValidationError as error:
        raise InputError(
            f"{place} is no plan of an experiment: {first_fault(error)}. Restore the file as the campaign "
            "wrote it."
        ) from None


def _plan(files: list[Path], experiment: str) -> ExperimentPlan:
    """The plan of the first campaign, which no later one changes."""
    for plan in _plans(files):
        if plan.name == experiment:
            return plan
    raise InputError(f"No campaign has left the plan of experiment '{experiment}' ({PLAN_NAME}).")


def campaign_kept_out(
    scored: ScoredCustomers,
    playbook: Playbook,
    options: RetentionSettings,
    folder: Path | str,
    today: date,
) -> dict[int, str]:
    """Row -> why a customer of the holdout would not have been selected, by the rules of the treated.

    Raises:
        InputError: the suppression list or a file of an earlier campaign is at fault.
    """
    reasons = earlier_offers(Path(folder), today, playbook.quiet_days)
    if options.suppression:
        reasons |= read_suppressions(options.suppression_file, scored.contract.id.name)
    ids = scored.texts["customer_id"].to_pylist()
    return {row: reasons[each] for row, each in enumerate(ids) if each in reasons}
