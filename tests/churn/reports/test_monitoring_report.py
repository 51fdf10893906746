"""What a monitoring run says where no alarm could be raised."""

from churn.monitoring.alarms import AlarmState, WindowCheck
from churn.reports.monitoring_report import monitoring_report
from churn.windows.window import WindowFacts
from tests.servers.monitoring_run import monitoring_run


def report_of(spent: float, p_value: float | None):
    """The report of a check that had so much to spend."""
    run = monitoring_run()
    check = WindowCheck(
        model=run.model, version=run.version, kind="batch", window="digest", number=53,
        checked_at=run.past[0].checked_at, spent=spent, raises_alarm=False,
        result=run.check.model_copy(update={"p_value": p_value}),
    )  # fmt: skip
    facts = WindowFacts(kind="batch", id="digest", place="customers.csv", rows=500)
    state = AlarmState(verdict="watch", check=check)
    return monitoring_report(state, [check], facts, levels=(0.001, 0.05))


def test_a_year_that_has_had_its_checks_is_said():
    assert "alarms.checks_per_year" in report_of(0.0, 1e-5).lines["no alarm"]


def test_a_check_with_a_part_to_spend_or_without_a_figure_says_no_such_thing():
    assert "no alarm" not in report_of(0.001, 1e-5).lines
    assert "no alarm" not in report_of(0.0, None).lines
