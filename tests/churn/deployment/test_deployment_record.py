"""What a deployment leaves behind: in words, on its page, in the ledger, as an exit code."""

from __future__ import annotations

import io
from datetime import UTC, datetime

import pytest
from rich.console import Console
from sqlalchemy import create_engine, text
from sqlalchemy.exc import IntegrityError

from churn.deployment.deployment_record import Deployment, DeploymentPlan
from churn.deployment.smoke import RouteReport, SmokeReport
from churn.errors import InputError
from churn.ledger.deployments import DeploymentLedger
from churn.reports.deployment_page import render_deployment_page
from churn.settings.pipelines import DeploymentSettings
from churn.settings.settings_file import load_settings
from runner.outcome import Outcome
from runner.read_outcome import held_reason
from runner.run_summary import print_summary

PLAN = DeploymentPlan(
    model="telco-churn",
    version="7",
    target="kubernetes",
    place="service/churn-api in namespace churn",
    actions=("$ kubectl apply -k overlay",),
    manifests="kind: Deployment\nnote: <b>&\n",
)


@pytest.fixture
def failed():
    fault = "/v1/score on golden row 1: answered by version 6, not by 7."
    routes = (
        RouteReport(path="/v1/score", rows=10, largest=0.25, median_ms=1.5, faults=(fault,)),
        RouteReport(path="/v1/score/batch", rows=10, largest=None, median_ms=None),
    )
    smoke = SmokeReport(version="7", tolerance=1e-12, ready=True, routes=routes)
    return Deployment.from_plan(
        PLAN,
        datetime(2026, 11, 25, 12, 30, tzinfo=UTC),
        status="rolled back",
        serving="6",
        seconds=3.2,
        actions=(*PLAN.actions, "Version 6 serves again."),
        smoke=smoke,
        reason=smoke.sentence,
        sentence=f"version 7 was not deployed to kubernetes: {fault} Version 6 serves again.",
    )


def test_one_that_was_taken_back_ends_the_run_held_with_its_sentence(failed):
    error = held_reason(None, None, failed)
    outcome = Outcome("deployment", "held", "local", error=error, deployment=failed)

    assert error == failed.sentence
    assert outcome.exit_code == 3
    assert held_reason(None, None, failed.model_copy(update={"status": "deployed"})) is None


def test_the_summary_of_the_run_has_actions_and_smoke_test(failed):
    console = Console(file=io.StringIO(), width=160)

    print_summary(Outcome("deployment", "held", "local", run_name="r", deployment=failed), console)

    shown = console.file.getvalue()
    assert "1. $ kubectl apply -k overlay" in shown
    assert "Version 6 serves again." in shown
    assert "/v1/score: 10 golden rows, 1 fault" in shown


def test_the_page_shows_all_of_it_and_nothing_of_it_is_taken_for_markup(failed):
    page = render_deployment_page(failed)

    assert "rolled back" in page
    assert "answered by version 6, not by 7" in page
    assert "<code>kubectl apply -k overlay</code>" in page
    assert "&lt;b&gt;&amp;" in page
    assert "http" not in page.lower().replace("over http", "")


def test_figures_leave_out_what_was_not_measured(failed):
    assert failed.figures == {
        "smoke_rows": 20.0,
        "smoke_faults": 1.0,
        "smoke_largest_difference": 0.25,
        "seconds": 3.2,
        "smoke_median_ms_v1_score": 1.5,
    }


def test_the_ledger_gives_them_back_newest_first_and_only_grows(failed, tmp_path):
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    well = failed.model_copy(update={"status": "deployed", "serving": "7"})
    with DeploymentLedger(url) as ledger:
        ledger.record(failed)
        ledger.record(well)
        assert ledger.deployments("telco-churn") == [well, failed]
        assert ledger.deployments("nobody") == []
    engine = create_engine(url)
    with engine.begin() as connection, pytest.raises(IntegrityError, match="only grows"):
        connection.execute(text("UPDATE deployments SET status = 'deployed'"))
    engine.dispose()


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("target=laptop", "one of 'local', 'compose', 'kubernetes', 'seldon' or 'zenml'"),
        ("local.port=0", "at least 1"),
        ("smoke.tolerance=0.5", "at most 0.001"),
        ("seldon.name=Churn", "must match"),
        ("compos.env_file=x", "Did you mean 'compose'"),
    ],
)
def test_a_setting_that_will_not_do_is_named(root, override, message):
    with pytest.raises(InputError, match=message) as refused:
        load_settings(DeploymentSettings, root / "configs" / "deployment.yaml", [override])

    assert "\n" not in str(refused.value)


def test_only_what_serves_on_this_machine_is_stopped(root):
    overrides = ["action=stop", "target=kubernetes"]

    with pytest.raises(InputError, match="stops target=local and target=zenml alone"):
        load_settings(DeploymentSettings, root / "configs" / "deployment.yaml", overrides)
