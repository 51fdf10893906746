"""How the suite is run: what stays on one worker, what counts for coverage, what may be skipped.

A plugin of pytest, loaded by tests/conftest.py. `make pytest` starts two workers of pytest-xdist.
"""

from __future__ import annotations

import os
import sys
import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

from churn.home import home

TESTS = Path(__file__).resolve().parent
NOT_TESTED = home() / "not-tested.txt"
"""Where the last run has written which tests were skipped, and why; `make test` ends with it."""

LONGEST_FIRST = (
    "pipelines",
    "churn/checks/test_deepchecks_suites.py",
    "deployment",
    "churn/checks/test_validator_libraries.py",
    "stacks",
    "service/api",
    "steps",
)
"""Groups that begin before all others, so that both workers are busy to the end."""

_PROJECT = tomllib.loads((TESTS.parent / "pyproject.toml").read_text(encoding="utf-8"))
MEASURED = frozenset(_PROJECT["tool"]["coverage"]["run"]["source"])
"""Folders whose tests count for coverage, unless they are slow or system tests.

A traced test takes up to twice as long, and the others call these packages in processes of their own.
"""


def group(test: str) -> str:
    """Name of the tests that one worker runs: those of a folder with a conftest, else of a file.

    What a conftest offers for a whole session (runs, servers, models) takes long to make.
    """
    path = TESTS.parent / test.partition("::")[0]
    place = path.parent if (path.parent / "conftest.py").exists() else path
    return place.relative_to(TESTS).as_posix()


class GroupScheduling(LoadScopeScheduling):
    """Gives a worker whole groups, in the order of the collected tests.

    Not `--dist loadgroup`: pytest-xdist 3.8 marks groups in an attribute that pytest 9.2 ignores.
    """

    def _split_scope(self, nodeid: str) -> str:
        return group(nodeid)


def pytest_configure() -> None:
    """Gives a worker's main module the file that pytest's own has, because ZenML asks for one.

    Tests do not see the developer's own CHURN_HOME.
    """
    os.environ.pop("CHURN_HOME", None)
    main = sys.modules["__main__"]
    if getattr(main, "__file__", None) is None:
        main.__file__ = str(Path(pytest.__file__).with_name("__main__.py"))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> GroupScheduling:
    """Schedules by groups, however many tests they have."""
    config.option.loadscopereorder = False
    return GroupScheduling(config, log)


@pytest.hookimpl(tryfirst=True)  # before `-m` selects
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Puts the longest groups first, and marks tests/system/ and the tests that count for coverage."""
    unmeasured = {"slow", "system"}
    rank = {name: place for place, name in enumerate(LONGEST_FIRST)}
    items.sort(key=lambda item: rank.get(group(item.nodeid), len(rank)))
    for item in items:
        folder = item.path.relative_to(TESTS).parts[0]
        if folder == "system":
            item.add_marker(pytest.mark.system)
        elif folder in MEASURED and unmeasured.isdisjoint(m.name for m in item.iter_markers()):
            item.add_marker(pytest.mark.measured)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """With CI set a skipped test has failed, unless it is marked as optional."""
    report = yield
    if report.skipped and os.environ.get("CI") and "optional" not in report.keywords:
        report.outcome = "failed"
        report.longrepr = f"Not tested: {_reason(report)}. Nothing may be skipped with CI set."
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Ends with one line about what was not tested, where anything was."""
    NOT_TESTED.unlink(missing_ok=True)
    skipped = terminalreporter.stats.get("skipped", [])
    reasons = Counter(_reason(each) for each in skipped if "optional" not in each.keywords)
    if reasons:
        listed = "; ".join(f"{count} tests: {reason}" for reason, count in reasons.items())
        line = f"NOT TESTED HERE, {reasons.total()} tests were skipped. {listed}."
        NOT_TESTED.parent.mkdir(parents=True, exist_ok=True)
        NOT_TESTED.write_text(f"{line}\n", encoding="utf-8")
        terminalreporter.write_line(line, red=True, bold=True)


def _reason(report: pytest.TestReport) -> str:
    text = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    return text.removeprefix("Skipped: ")
