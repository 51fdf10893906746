"""The made-up business of `make demo-loop`: its folder, service, customers, and how its stages are printed."""

from __future__ import annotations

import json
import os
import shutil
import socket
import sys
import textwrap
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, redirect_stderr
from dataclasses import dataclass, field
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any

import httpx
import pandas as pd

from churn.contract import load_contract
from churn.data.sources import open_source, whole_table
from churn.errors import ChurnError
from churn.home import VARIABLE
from churn.ledger.drift_checks import DriftLedger
from churn.ledger.predictions import Outcome as CustomerOutcome
from churn.ledger.predictions import PredictionLedger, Role
from churn.monitoring.alarms import AlarmPolicy
from churn.reports.health.health_page import render_health_page
from churn.reports.health.model_health import read_health
from churn.retraining.record import LoopRecord
from churn.root import ROOT
from churn.scoring.bundle import address, store_of_model
from churn.scoring.current import read_current
from churn.windows.check_window import compare, record
from churn.windows.opened_window import load_monitored
from churn.windows.window import read_window
from runner.execute import execute
from runner.loop_run import as_yaml
from runner.outcome import Outcome
from runner.request import RunRequest

MODEL = "telco-churn-demo"
CONTRACT = ROOT / "data" / "contracts" / "telco.yaml"
WIDTH = 80
NOTE = "A demonstration: the customers are made up, the loop is the real one."
ROWS, WINDOW = 4_000, 1_000
RISE = "scenario=price_rise&strength=0.1"
LEAKED = 0.4
"""Share of those who left whose tenure was recorded anew after they had left."""
_AFTER = 6
# Wide, as a fifth of so few customers tells little; a broken model is far beyond all of them.
FLOORS = {"roc_auc_lower": 0.7, "ece_upper": 0.12, "baseline_margin": 0.09}
GATES = {
    "roc_auc_margin": 0.03,
    "total_roc_auc_margin": 0.03,
    "profit_margin": 0.4,
    "total_profit_margin": 0.4,
    "slice_margin": 0.2,
    "slice_tpr_margin": 0.4,
    "slice_calibration_margin": 0.2,
    "roc_auc_jump": 0.08,
}


@dataclass
class Stage:
    """One stage of the demonstration, as it is printed and left as a page."""

    title: str
    detected: str
    decided: str
    page: str = ""


@dataclass
class Demonstration:
    """The demonstration: its folder, its service, and what has happened so far."""

    folder: Path
    port: int
    stages: list[Stage] = field(default_factory=list)

    @property
    def ledger(self) -> str:
        """Address of its ledger."""
        return f"sqlite:///{self.folder / 'ledger.db'}"

    def report(self, title: str, detected: str, decided: str, page: Path | None = None) -> None:
        """Prints a stage, 80 columns wide."""
        shown = page.relative_to(self.folder).as_posix() if page else ""
        self.stages.append(Stage(title, detected, decided, shown))
        lines = [f"{len(self.stages)}. {title}"]
        for label, text in (("detected", detected), ("decided", decided), ("page", shown)):
            if text:
                lines += textwrap.wrap(
                    text, WIDTH, initial_indent=f"   {label:9} ", subsequent_indent=" " * 13
                )
        sys.stdout.write("\n".join(lines) + "\n")
        sys.stdout.flush()

    def run(self, pipeline: str, **settings: Any) -> Outcome:
        """Runs a pipeline, its progress unseen."""
        given = {"profile": "demo", "output.folder": str(self.folder), **settings}
        request = RunRequest(
            pipeline,
            stack="local",
            overrides=tuple(f"{name}={as_yaml(value)}" for name, value in given.items()),
        )
        with redirect_stderr(StringIO()):
            return execute(request, on_wait=lambda _: None)

    def loop(self, source: str, **settings: Any) -> tuple[Outcome, LoopRecord]:
        """One start of the retraining loop."""
        outcome = self.run(
            "retraining",
            **{
                "data.source": source,
                "runs.deployment": {"local": {"port": self.port}},
                "runs.promotion": {"floors": FLOORS, "gates": GATES},
                "policy.cooldown_days": 0,
                "policy.per_year": 12,
                **settings,
            },
        )
        if not isinstance(outcome.result, LoopRecord):
            why = outcome.result.sentence if outcome.result else outcome.error
            raise ChurnError(f"The loop did not start: {why}")
        return outcome, outcome.result

    def check_week(self, week: int, query: str) -> str:
        """Checks a week's customers against the reference of the version in production."""
        source = open_source(
            f"generated:{WINDOW}?seed={100 + week}{query}", load_contract(CONTRACT)
        )
        store = store_of_model(address(str(self.folder / "production")), MODEL)
        now = read_current(store)
        scorer, reference = load_monitored(store, now.version, now.digest)
        window = read_window(
            (chunk.table for chunk in source.chunks()),
            scorer,
            kind="batch",
            window_id=f"week-{week}",
            place=source.shown,
        )
        policy = AlarmPolicy()
        result = compare(window, reference, policy, classifier=False)
        with DriftLedger(self.ledger) as ledger:
            state, _ = record(
                ledger, window, result, model=MODEL, version=now.version, policy=policy
            )
        moved = (
            f"; {', '.join(state.check.moved)} moved" if state.check and state.check.moved else ""
        )
        return f"week {week}: {state.verdict}{moved}"

    def health_page(self, name: str) -> Path:
        """Writes the health page of the weeks so far."""
        page = self.folder / "reports" / f"weeks-{name}.html"
        text = render_health_page(read_health(self.ledger, MODEL), note=NOTE)
        page.write_text(text, encoding="utf-8")
        return page

    def serve_customers(
        self, seed: int, rows: int, *, role: Role = "production", outcomes: bool = False
    ) -> None:
        """Has the service score customers, and records what became of them if asked to.

        Returns once the ledger has what versions of that role answered.
        """
        table = whole_table(
            open_source(f"generated:{rows}?seed={seed}&{RISE}", load_contract(CONTRACT))
        )
        customers = table.to_pylist()
        answer = httpx.post(
            f"http://127.0.0.1:{self.port}/v1/score/batch?ignore=target",
            content="\n".join(json.dumps(each) for each in customers),
            headers={"content-type": "application/x-ndjson"},
            timeout=120,
        ).raise_for_status()
        ids = [json.loads(line)["prediction_id"] for line in answer.text.splitlines()]
        self._wait_for_predictions(set(ids), role)
        if not outcomes:
            return
        now = datetime.now(UTC)
        left = (each["Churn"] == "Yes" for each in customers)
        with PredictionLedger(self.ledger) as ledger:
            ledger.record_outcomes(
                [
                    CustomerOutcome(now, churned=churned, prediction_id=one)
                    for one, churned in zip(ids, left, strict=True)
                ]
            )

    def wait_for(self, what: Callable[[Mapping[str, Any]], bool], seconds: float = 30) -> None:
        """Waits until the service serves certain versions."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            ready = httpx.get(f"http://127.0.0.1:{self.port}/readyz", timeout=10).json()
            if what(ready["versions"]):
                return
            time.sleep(0.2)
        raise ChurnError(f"The service on port {self.port} does not follow the store in time.")

    def _wait_for_predictions(self, ids: set[str], role: Role, seconds: float = 30) -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            with PredictionLedger(self.ledger) as ledger:
                kept = ledger.predictions(limit=1_000_000)
            if ids <= {each.prediction_id for each in kept if each.role == role}:
                return
            time.sleep(0.2)
        raise ChurnError(f"Not all {len(ids):,} predictions of {role} reached the ledger in time.")


@contextmanager
def opened(folder: Path) -> Iterator[Demonstration]:
    """A demonstration in a folder that is emptied first, on a free port; what serves is stopped at the end."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    os.environ[VARIABLE] = str(folder)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        demo = Demonstration(folder, free.getsockname()[1])
    try:
        yield demo
    finally:
        demo.run("deployment", action="stop", local={"port": demo.port})


def leaky_table(folder: Path) -> Path:
    """Customers; the tenure of many that left was written after they had left."""
    contract = load_contract(CONTRACT)
    table: pd.DataFrame = whole_table(
        open_source(f"generated:{ROWS}?seed=33&{RISE}", contract)
    ).to_pandas()
    left = table["Churn"] == "Yes"
    long = pd.to_numeric(table["tenure"]) > _AFTER  # a source's values are texts
    late = left & long & (table.index % 100 < 100 * LEAKED)
    bill = pd.to_numeric(table.loc[late, "MonthlyCharges"])
    table.loc[late, "tenure"] = str(_AFTER)
    table.loc[late, "TotalCharges"] = (_AFTER * bill).round(2).astype(str)
    path = folder / "leaky.csv"
    table.to_csv(path, index=False)
    return path
