"""Writes the record of a loop and its page into the output folder; the ledger has all of it already."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from churn.durable import replace_text
from churn.errors import error_reason
from churn.reports.retraining_page import render_retraining_page
from churn.retraining.record import LoopRecord, build_record

if TYPE_CHECKING:
    from runner.loop_run import LoopRun

_LOG = logging.getLogger("churn.progress")


class RecordPaths(NamedTuple):
    """Where a record and its page lie."""

    record: Path
    page: Path


def write_record(loop: LoopRun) -> tuple[LoopRecord, RecordPaths]:
    """Writes the record and its page into the output folder; the ledger has all of it already."""
    record = build_record(loop.held.events)
    name = f"retraining-{loop.model}-{loop.held.loop}"
    paths = RecordPaths(
        loop.state / "retraining" / f"{name}.json", loop.state / "reports" / f"{name}.html"
    )
    try:
        for path, text in zip(paths, (record.text(), render_retraining_page(record)), strict=True):
            path.parent.mkdir(parents=True, exist_ok=True)
            replace_text(path, text)
    except OSError as error:
        _LOG.warning(
            f"the record could not be written: {error_reason(error)}",
            extra={"step": "record", "event": "warned"},
        )
    return record, paths
