"""Page of a retraining loop: what was decided at each step, and what it rests on."""

from __future__ import annotations

from churn.reports.html_page import render_page
from churn.retraining.record import LoopRecord


def render_retraining_page(record: LoopRecord) -> str:
    """Renders the page; the same record gives the same page."""
    found = record.inputs
    return render_page(
        "retraining.html.j2",
        record=record,
        decision=record.decision,
        found=found,
        gates=found.gates.gates if found.gates else (),
        news=found.training.news if found.training else (),
    )
