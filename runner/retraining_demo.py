"""`make demo-loop`: half a year of a retraining loop in minutes, with the faults that it is there for.

The customers are made up, and everything else is the real loop: its trainings, gates, service,
ledger, probation and rollback, in a registry and a store of its own.
"""

from __future__ import annotations

import sys
import time

from churn.errors import ChurnError
from churn.home import home
from churn.reports.html_page import render_page
from churn.retraining.record import LoopRecord
from runner.demonstration import FLOORS, NOTE, RISE, ROWS, Demonstration, leaky_table, opened
from runner.silence import set_environment_defaults

FOLDER = "demo-loop"
SHADOWED, WATCHED = 300, 2_500
PROBATION = 0.0001
"""Days of the good challenger's probation: 9 seconds, in three starts at least."""
_MOST_STARTS = 20
SMALL = {
    "candidates": ["logistic", "gbm"],
    "protocol": {"repeats": 1, "frozen_recipe": "gbm"},
    "explanation": {"samples": 1},
    "floors": FLOORS,
}
BROKEN = {
    "candidates": ["gbm"],
    "recipes": {"gbm": {"kind": "gbm", "trees": 10, "depth": 1}},
    "protocol": {"repeats": 1, "frozen_recipe": "gbm", "baseline": "gbm"},
    "explanation": {"samples": 1},
    "floors": {"roc_auc_lower": 0.55, "ece_upper": 0.5, "baseline_margin": 0.05},
}


def main() -> int:
    """Runs the demonstration, says where its page lies, and returns the exit code."""
    began = time.monotonic()
    set_environment_defaults()
    try:
        with opened(home() / FOLDER) as demo:
            _first_version(demo)
            _weeks(demo)
            _broken_challenger(demo)
            _good_challenger(demo)
            _bad_one_slips_through(demo)
            page = demo.folder / "demo-loop.html"
            page.write_text(
                render_page("demo_loop.html.j2", stages=demo.stages, note=NOTE), encoding="utf-8"
            )
    except ChurnError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    sys.stdout.write(f"{page}\n{len(demo.stages)} stages in {time.monotonic() - began:.0f} s\n")
    return 0


def _first_version(demo: Demonstration) -> None:
    demo.run("training", **{"data.source": f"generated:{ROWS}?seed=1"}, **SMALL)
    promoted = demo.run("promotion", floors=FLOORS)
    served = demo.run("deployment", local={"port": demo.port})
    demo.report(
        "A first version",
        promoted.promotion.sentence if promoted.promotion else "",
        served.deployment.sentence if served.deployment else "",
        served.report,
    )


def _weeks(demo: Demonstration) -> None:
    healthy = [demo.check_week(week, "") for week in (1, 2, 3)]
    demo.report("Healthy weeks", "; ".join(healthy), "nothing to do", demo.health_page("healthy"))
    risen = [demo.check_week(week, f"&{RISE}") for week in (4, 5)]
    demo.report(
        "Prices rise by 10%", "; ".join(risen), "an alarm is open", demo.health_page("risen")
    )


def _broken_challenger(demo: Demonstration) -> None:
    outcome, found = demo.loop(
        f"generated:{ROWS}?seed=31&{RISE}",
        **{"trigger": "policy", "runs.training": BROKEN, "rules.probation.days": 0},
    )
    demo.report(
        "Retraining, and a broken challenger",
        found.decision.judged[0].sentence,
        f"{found.decision.reason} Version {found.decision.serving} stays.",
        outcome.report,
    )
    _require(found, outcome="kept")


def _good_challenger(demo: Demonstration) -> None:
    rules = {
        "trigger": "policy",
        "runs.training": SMALL,
        "rules.shadow.predictions": SHADOWED,
        "rules.probation": {"days": PROBATION, "timing": {"horizon_days": 0, "delay_days": 0}},
    }
    source = f"generated:{ROWS}?seed=32&{RISE}"
    outcome, found = demo.loop(source, **rules)
    news = found.inputs.training.news if found.inputs.training else ()
    demo.report("A good challenger", " ".join(news[:1]), found.decision.reason, outcome.report)
    _require(found, next="shadow")
    demo.wait_for(lambda versions: "shadow" in versions)
    demo.serve_customers(51, SHADOWED, role="shadow")
    outcome, found = demo.loop(source, **rules)
    judged = {each.name: each.sentence for each in found.decision.judged}
    demo.report(
        "It is promoted and served", judged["shadow"], judged.get("deployment", ""), outcome.report
    )
    demo.serve_customers(52, WATCHED, outcomes=True)
    for _ in range(_MOST_STARTS):
        outcome, found = demo.loop(source, **rules)
        if found.decision.next != "watch":
            break
        time.sleep(1)
    demo.report(
        "Its probation ends",
        found.decision.reason,
        f"version {found.decision.serving} stays in production",
        outcome.report,
    )
    _require(found, outcome="promoted")


def _bad_one_slips_through(demo: Demonstration) -> None:
    rules = {
        "person": "demonstration",
        "runs.training": SMALL,
        "rules.probation": {"days": 30, "timing": {"horizon_days": 0, "delay_days": 0}},
    }
    source = str(leaky_table(demo.folder))
    outcome, found = demo.loop(source, **rules)
    demo.report(
        "A bad one slips through",
        "in its snapshot, tenure was recorded anew after customers had left; no gate can see that",
        found.decision.reason,
        outcome.report,
    )
    _require(found, next="watch")
    demo.serve_customers(53, WATCHED, outcomes=True)
    outcome, found = demo.loop(source, **rules)
    judged = {each.name: each.sentence for each in found.decision.judged}
    demo.report(
        "It is rolled back by itself",
        judged["probation"],
        judged.get("rollback", found.decision.reason),
        outcome.report,
    )
    _require(found, outcome="rolled back")


def _require(found: LoopRecord, **expected: str) -> None:
    """Ends a demonstration that goes another way than it is there to show."""
    if any(getattr(found.decision, name) != value for name, value in expected.items()):
        raise ChurnError(f"The demonstration went another way. {found.sentence}")


if __name__ == "__main__":
    sys.exit(main())
