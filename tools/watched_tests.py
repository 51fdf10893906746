"""A pytest plugin that writes down each test as it ends, for whoever runs several pytests at once.

    python -m pytest -p tools.watched_tests --watch-file FILE tests/unit

One JSON object a line: `{"tests": 12}` once they are counted, then one a test and phase.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Where to write; without it nothing is written."""
    parser.addoption("--watch-file", metavar="FILE", help="write each test's end as a JSON line")


def pytest_configure(config: pytest.Config) -> None:
    """Writes from now on."""
    if place := config.getoption("--watch-file"):
        config.pluginmanager.register(_Watch(Path(place)), "watched-tests")


class _Watch:
    def __init__(self, place: Path) -> None:
        self._place = place

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """So many tests will run."""
        self._write(tests=len(session.items))

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """A file that cannot be imported has failed like a test."""
        if report.failed:
            self._write(test=report.nodeid, phase="collect", outcome="failed", seconds=0.0)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """A test was set up, called or torn down."""
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else ""
        self._write(
            test=report.nodeid,
            phase=report.when,
            outcome=report.outcome,
            seconds=report.duration,
            reason=reason,
        )

    def _write(self, **told: Any) -> None:
        with self._place.open("a", encoding="utf-8") as file:
            file.write(json.dumps(told) + "\n")
