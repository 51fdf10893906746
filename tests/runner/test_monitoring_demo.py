"""The demonstration of monitoring: each drift is found as it should be, in a folder of its own."""

import sys
from datetime import UTC, datetime

import pytest

from churn.ledger.drift_checks import DriftLedger
from churn.reports.health.model_health import read_health
from runner import monitoring_demo
from runner.monitoring_demo import KIND, MODEL, main

END = datetime(2026, 7, 6, tzinfo=UTC)  # 26 weeks after the generator's first day


@pytest.mark.slow
def test_half_a_year_has_its_alarms_and_touches_nothing_else(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("CHURN_HOME", str(tmp_path))
    monkeypatch.setattr(monitoring_demo, "ROWS", 1_000)
    (tmp_path / "ledger.db").write_text("production's")

    assert main() == 0

    folder = tmp_path / "demo-monitoring"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["demo-monitoring", "ledger.db"]
    assert (tmp_path / "ledger.db").read_text() == "production's"
    assert capsys.readouterr().out.startswith(f"{folder / 'health.html'}\n26 weeks in ")
    assert "MonthlyCharges" in (folder / "evidently.html").read_text()
    health = read_health(f"sqlite:///{folder / 'ledger.db'}", MODEL, now=END)
    assert (len(health.checks), health.kind) == (26, KIND)
    assert [change.version for change in health.changes] == ["1", "2"]
    assert health.incidents[0].moved == ("MonthlyCharges",)
    assert health.open_incident is not None
    assert health.open_incident.raised.number >= 24
    reversed_weeks = [each.roc_auc.area for each in health.judged[17:20]]
    assert max(reversed_weeks) < 0.7 < min(each.roc_auc.area for each in health.judged[:17])
    assert "customers, the model and the dates are made up" in (folder / "health.html").read_text()
    with DriftLedger(f"sqlite:///{folder / 'ledger.db'}") as ledger:
        assert ledger.alarm_state(MODEL, KIND).verdict == "alarm"


@pytest.mark.slow
def test_without_evidently_the_demonstration_says_how_to_get_it(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("CHURN_HOME", str(tmp_path))
    monkeypatch.setattr(monitoring_demo, "ROWS", 100)
    monkeypatch.setitem(sys.modules, "evidently", None)

    assert main() == 0

    said = capsys.readouterr().out
    assert "Without Evidently's page of the last week" in said
    assert "make setup-stacks" in said
    assert not (tmp_path / "demo-monitoring" / "evidently.html").exists()
