"""`make demo-monitoring`: half a year of made-up windows, checked as real ones are, on a health page.

Evidently, where it is installed, compares the last window as well. The customers are synthetic and say so; ledger and page lie in a folder of the demonstration's own.
"""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from churn.checks.validators.evidently_validation import validate
from churn.checks.validators.validator_settings import EvidentlySettings
from churn.contract import DataContract, load_contract
from churn.data.generator import GeneratedCustomers, GeneratedRows, GeneratorSettings
from churn.errors import ChurnError, InputError
from churn.home import home
from churn.ledger.changes import ProductionChange
from churn.ledger.drift_checks import DriftLedger
from churn.ledger.predictions import Outcome, Prediction, PredictionLedger
from churn.ledger.records import Ledger
from churn.models.recipe_catalog import build_candidates
from churn.models.recipe_settings import default_recipes
from churn.models.trained import TrainedModel
from churn.monitoring.alarms import AlarmPolicy
from churn.monitoring.drift_check import check_drift
from churn.monitoring.drift_reference import DriftReference, build_reference
from churn.reports.health.health_page import render_health_page
from churn.reports.health.model_health import read_health
from churn.reports.validator_page import render_validator_page
from churn.root import ROOT
from churn.windows.validated_tables import validated_tables
from churn.windows.window import Window, WindowFacts

MODEL, KIND, FOLDER = "telco-churn-demo", "batch", "demo-monitoring"
WEEKS, ROWS = 26, 2_000
POLICY = AlarmPolicy()
NOTE = (
    "A demonstration: the customers, the model and the dates are made up. Checks, alarms and figures "
    "come from the functions that check real customers."
)
_THRESHOLD = 0.3
_TRAINING_ROWS = 7_000
_PERSON = "demonstration"


class Episode(NamedTuple):
    """A drift of some weeks, at whose end its alarm, if there is one, is resolved."""

    first: int
    last: int
    scenario: str
    column: str = ""
    resolved: str = ""


EPISODES = (
    Episode(7, 9, "price_rise", resolved="a wrong price list was taken back"),
    Episode(12, 14, "fibre_rollout", resolved="a trial of fibre has ended"),
    Episode(18, 20, "behaviour"),
    Episode(24, 26, "broken_join", column="MonthlyCharges"),
)
_NEW_VERSION_IN = 16


@dataclass(frozen=True)
class _Version:
    """A model with the reference of its training rows."""

    name: str
    model: TrainedModel
    reference: DriftReference

    @classmethod
    def train(cls, name: str, contract: DataContract) -> _Version:
        rows = _customers(contract, _TRAINING_ROWS, seed=100 + int(name)).rows()
        recipe = default_recipes()["gbm"]
        model = TrainedModel.train(
            build_candidates(["gbm"], {"gbm": recipe}, contract)["gbm"],
            rows.columns,
            rows.target,
            contract=contract,
            data_sha256="0" * 64,
            settings=recipe,
        )
        reference = build_reference(rows.columns, model.probability(rows.columns), contract)
        return cls(name, model, reference)


def main() -> int:
    """Makes the history and its page anew, says where it lies, and returns the exit code."""
    began = time.monotonic()
    try:
        page, second = replay(home() / FOLDER)
    except ChurnError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    sys.stdout.write(f"{page}\n{WEEKS} weeks in {time.monotonic() - began:.0f} s\n{second}\n")
    return 0


def replay(folder: Path) -> tuple[Path, str]:
    """Replays the weeks into a ledger in the folder, whose earlier content goes.

    Returns:
        The health page, and where Evidently's page is, or why there is none.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    address = f"sqlite:///{folder / 'ledger.db'}"
    contract = load_contract(ROOT / "data" / "contracts" / "telco.yaml")
    version = None
    for week, rows, episode in _weeks(contract):
        if week in {1, _NEW_VERSION_IN}:
            version = _promote(address, contract, version, _time(rows))
        assert version is not None  # noqa: S101 - the first week has made one
        state = _check(address, version, week, rows)
        sys.stderr.write(f"week {week:2}: {state}\n")
        if episode is not None and episode.last == week and episode.resolved:
            _resolve(address, episode, _time(rows) + timedelta(days=3))
    page = folder / "health.html"
    health = read_health(address, MODEL, now=_end(rows))
    page.write_text(render_health_page(health, note=NOTE), encoding="utf-8")
    assert version is not None  # noqa: S101 - as above
    return page, _second_opinion(folder, contract, version, rows)


def _weeks(contract: DataContract) -> Iterator[tuple[int, GeneratedRows, Episode | None]]:
    for week in range(1, WEEKS + 1):
        episode = next((each for each in EPISODES if each.first <= week <= each.last), None)
        customers = _customers(
            contract,
            WEEKS * ROWS,
            scenario=episode.scenario if episode else "",
            column=episode.column if episode else "",
        )
        yield week, customers.week(week), episode


def _customers(
    contract: DataContract, rows: int, *, seed: int = 7, scenario: str = "", column: str = ""
) -> GeneratedCustomers:
    return GeneratedCustomers(
        contract,
        GeneratorSettings(rows=rows, seed=seed, scenario=scenario, column=column, weeks=WEEKS),
    )


def _time(rows: GeneratedRows) -> datetime:
    """The end of the window: its last day, at noon."""
    return datetime.fromisoformat(str(rows.observed[-1])).replace(hour=12, tzinfo=UTC)


def _promote(
    address: str, contract: DataContract, before: _Version | None, at: datetime
) -> _Version:
    new = _Version.train("2" if before else "1", contract)
    with Ledger(address) as ledger:
        ledger.record_change(
            ProductionChange(
                model=MODEL,
                version=new.name,
                version_before=before.name if before else None,
                stage_before="staging",
                command="promotion",
                status="done",
                person=_PERSON,
                reason="trained again on other customers" if before else "the first version",
                recorded_at=at - timedelta(days=6),
            )
        )
    return new


def _check(address: str, version: _Version, week: int, rows: GeneratedRows) -> str:
    """Scores, keeps and checks a window, and returns the verdict."""
    probability = version.model.probability(rows.columns)
    with PredictionLedger(address) as predictions:
        scored = [
            Prediction(
                predicted_at=datetime.fromisoformat(str(rows.observed[place])).replace(tzinfo=UTC),
                prediction_id=f"demo-{week}-{place}",
                customer=None,
                version=version.name,
                role="production",
                source=KIND,
                probability=float(each),
                decision=bool(each >= _THRESHOLD),
                input_hash="",
            )
            for place, each in enumerate(probability)
        ]
        predictions.record(scored)
        last = datetime.fromisoformat(str(rows.outcome_known[-1])).replace(tzinfo=UTC)
        if last <= _end(rows):
            predictions.record_outcomes(_outcomes(scored, rows))
    with DriftLedger(address) as checks:
        state = checks.record_check(
            check_drift(version.reference, rows.columns, probability),
            model=MODEL,
            version=version.name,
            kind=KIND,
            window=f"week-{week}",
            policy=POLICY,
            now=_time(rows),
        )
    return state.verdict


def _second_opinion(
    folder: Path, contract: DataContract, version: _Version, rows: GeneratedRows
) -> str:
    """Has Evidently compare a window, and says where its page is, or why there is none."""
    probability = version.model.probability(rows.columns)
    facts = WindowFacts(kind="batch", id="last", place="the last week", rows=len(probability))
    window = Window(facts, rows.columns, probability)
    tables = validated_tables(window, version.reference, contract, _THRESHOLD)
    if tables is None:
        return "The last week has no customers for Evidently to compare."
    try:
        report = validate(*tables, contract, EvidentlySettings(), target=contract.target.name)
    except InputError as error:
        return f"Without Evidently's page of the last week: {error}"
    page = folder / "evidently.html"
    page.write_text(render_validator_page(report), encoding="utf-8")
    return f"{page}\nEvidently on the last week: {report.sentence}"


def _end(rows: GeneratedRows) -> datetime:
    """When the half year ends; what becomes known later is not known yet."""
    return datetime.combine(rows.settings.start, datetime.min.time(), UTC) + timedelta(weeks=WEEKS)


def _outcomes(scored: list[Prediction], rows: GeneratedRows) -> list[Outcome]:
    return [
        Outcome(
            observed_at=datetime.fromisoformat(str(known)).replace(tzinfo=UTC),
            churned=bool(left),
            prediction_id=one.prediction_id,
        )
        for one, known, left in zip(scored, rows.outcome_known, rows.target, strict=True)
    ]


def _resolve(address: str, episode: Episode, at: datetime) -> None:
    with DriftLedger(address) as ledger:
        if ledger.alarm_state(MODEL, KIND).alarm is not None:
            ledger.resolve_alarm(MODEL, KIND, person=_PERSON, note=episode.resolved, now=at)


if __name__ == "__main__":
    sys.exit(main())
