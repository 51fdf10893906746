"""Who is reported what: steps and hooks speak to the stack's alerter, and nothing depends on it."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass, field
from types import SimpleNamespace

import pytest

from churn.alert import Alert
from churn.errors import InputError
from steps import alerting, hooks


@dataclass
class Whole:
    """An alerter of this project's kind."""

    alerts: list[Alert] = field(default_factory=list)

    def deliver(self, alert: Alert) -> bool:
        self.alerts.append(alert)
        return True


@dataclass
class Refusing(Whole):
    """An alerter that cannot deliver."""

    def deliver(self, alert: Alert) -> bool:
        super().deliver(alert)
        return False


@dataclass
class TextAlone:
    """An alerter of another kind."""

    texts: list[str] = field(default_factory=list)

    def post(self, message: str, params: object = None) -> bool:  # noqa: ARG002
        self.texts.append(message)
        return True


class Broken:
    """An alerter whose own library fails."""

    def post(self, message: str, params: object = None) -> bool:  # noqa: ARG002
        raise RuntimeError("token xoxb-123 is not valid")


@pytest.fixture
def stack_with(monkeypatch, tmp_path):
    """Makes a step run on a stack with that alerter."""

    monkeypatch.setenv("CHURN_HOME", str(tmp_path))

    def made(alerter: object) -> None:
        run = SimpleNamespace(name="night-1", pipeline=SimpleNamespace(name="training"))
        context = SimpleNamespace(
            pipeline_run=run,
            pipeline=run.pipeline,
            step_run=SimpleNamespace(name="check_quality"),
        )
        client = SimpleNamespace(active_stack=SimpleNamespace(alerter=alerter))
        monkeypatch.setattr(alerting, "Client", lambda: client)
        monkeypatch.setattr(alerting, "in_step", lambda: True)
        for module in (alerting, hooks):
            monkeypatch.setattr(module, "get_step_context", lambda: context)
        monkeypatch.setattr("zenml.utils.dashboard_utils.get_run_url", lambda run: "https://z/r")

    return made


@pytest.fixture
def said(caplog, monkeypatch):
    logger = logging.getLogger("churn.progress")
    logger.addHandler(caplog.handler)
    monkeypatch.setattr(logger, "propagate", False)
    yield caplog
    logger.removeHandler(caplog.handler)


def test_an_alert_says_which_run_of_what_and_where_to_look(stack_with) -> None:
    stack_with(alerter := Whole())

    alerting.send_alert("Held", "A gate held it.", "warning")

    assert alerter.alerts == [
        Alert("Held", "A gate held it.", "warning", "night-1", "training", "https://z/r")
    ]


def test_another_kind_of_alerter_gets_it_as_one_text(stack_with) -> None:
    stack_with(alerter := TextAlone())

    alerting.send_alert("Held", "A gate held it.")

    assert alerter.texts == ["Held\nA gate held it.\nhttps://z/r"]


def lines_of(folder):
    return [json.loads(line) for line in (folder / "alerts.jsonl").read_text().splitlines()]


def test_log_and_file_have_every_alert_without_an_alerter(stack_with, said, tmp_path) -> None:
    said.set_level(logging.INFO, "churn.progress")
    stack_with(None)

    alerting.send_alert("Held", "A gate held it.")
    alerting.send_alert("Möglich", "It is on.", "error", runbook="docs/runbooks.md#run-stopped")

    assert [record.getMessage() for record in said.records] == [
        "Held. A gate held it.",
        "Möglich. It is on.",
    ]
    first, second = lines_of(tmp_path)
    assert first.pop("at")
    assert first == {
        "title": "Held", "text": "Held\nA gate held it.\nhttps://z/r", "level": "info",
        "run": "night-1", "pipeline": "training", "dashboard": "https://z/r",
    }  # fmt: skip
    assert second["runbook"] == "docs/runbooks.md#run-stopped"
    assert "What to do: docs/runbooks.md#run-stopped" in second["text"]
    assert (tmp_path / "alerts.jsonl").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("alerter", [Refusing, Broken])
def test_a_channel_that_fails_is_reported_on_the_others_and_not_on_itself(
    stack_with, said, tmp_path, alerter
) -> None:
    stack_with(failing := alerter())

    alerting.send_alert("Held", "A gate held it.", "error")

    reported = lines_of(tmp_path)
    assert [each["title"] for each in reported] == ["Held", "An alert was not delivered"]
    assert reported[1]["text"].startswith(
        "An alert was not delivered\nthe stack's alerter did not take: Held"
    )
    assert "An alert was not delivered. the stack's alerter did not take: Held" in said.text
    assert len(getattr(failing, "alerts", [1])) == 1


def test_a_file_that_cannot_be_written_is_reported_by_the_alerter(
    stack_with, said, tmp_path
) -> None:
    (tmp_path / "alerts.jsonl").mkdir()
    stack_with(alerter := Whole())

    alerting.send_alert("Held", "A gate held it.")

    assert [each.title for each in alerter.alerts] == ["Held", "An alert was not delivered"]
    assert "the file broke off with IsADirectoryError; no run depends on it." in said.text


def test_outside_of_runs_nothing_happens(stack_with, monkeypatch, tmp_path) -> None:
    stack_with(alerter := Whole())
    monkeypatch.setattr(alerting, "in_step", lambda: False)
    alerting.send_alert("Held", "A gate held it.")

    assert alerter.alerts == []
    assert list(tmp_path.iterdir()) == []


def test_an_alerter_that_breaks_is_one_sentence_without_its_words(stack_with, said) -> None:
    stack_with(Broken())

    alerting.send_alert("Held", "A gate held it.")

    assert "alerter broke off with RuntimeError; no run depends on it." in said.text
    assert "xoxb" not in said.text


def test_a_failed_step_is_reported_in_our_own_words_only(stack_with, said) -> None:
    stack_with(alerter := Whole())

    hooks.report_failure(InputError("Column 'tenure'\n is missing."))
    hooks.report_failure(KeyError("C00017 of 7590-VHVEG"))

    ours, theirs = alerter.alerts
    assert (ours.title, ours.level) == ("training stopped at check quality", "error")
    assert ours.text == "Column 'tenure' is missing."
    assert theirs.text == "It broke off with KeyError; the run's log says more."


def test_ctrl_c_is_nobodys_alert(stack_with, said) -> None:
    stack_with(alerter := Whole())

    hooks.report_failure(KeyboardInterrupt())

    assert alerter.alerts == []


@pytest.fixture
def slack(monkeypatch):
    """ZenML's own Slack alerter; only Slack's library is a stand-in, as it is not installed here."""
    import sys
    from datetime import UTC, datetime
    from types import ModuleType
    from uuid import uuid4

    from zenml.enums import StackComponentType

    posted: list[dict[str, object]] = []
    answer = {"ok": True}

    class WebClient:
        def __init__(self, token: str) -> None:
            assert token == "xoxb-1"

        def chat_postMessage(self, **message: object) -> dict[str, bool]:  # noqa: N802 - Slack's name
            posted.append(message)
            return answer

    library, errors = ModuleType("slack_sdk"), ModuleType("slack_sdk.errors")
    library.WebClient = WebClient
    errors.SlackApiError = type("SlackApiError", (Exception,), {})
    monkeypatch.setitem(sys.modules, "slack_sdk", library)
    monkeypatch.setitem(sys.modules, "slack_sdk.errors", errors)
    name = "zenml.integrations.slack.alerters.slack_alerter"
    monkeypatch.delitem(sys.modules, name, raising=False)
    from zenml.integrations.slack.alerters.slack_alerter import SlackAlerter
    from zenml.integrations.slack.flavors.slack_alerter_flavor import SlackAlerterConfig

    now = datetime.now(UTC)
    alerter = SlackAlerter(
        name="slack", id=uuid4(), flavor="slack", type=StackComponentType.ALERTER, user=None,
        config=SlackAlerterConfig(slack_token="xoxb-1", slack_channel_id="C1"),
        created=now, updated=now,
    )  # fmt: skip
    yield alerter, posted, answer
    sys.modules.pop(name, None)


def test_zenmls_own_slack_alerter_gets_the_whole_text(stack_with, slack) -> None:
    alerter, posted, _ = slack
    stack_with(alerter)

    alerting.send_alert("Held", "A gate held it.", runbook="docs/runbooks.md#run-stopped")

    (message,) = posted
    assert message["channel"] == "C1"
    assert message["text"] == (
        "Held\nA gate held it.\nWhat to do: docs/runbooks.md#run-stopped\nhttps://z/r"
    )


def test_what_slack_refuses_is_reported_by_the_file(stack_with, slack, tmp_path) -> None:
    alerter, _, answer = slack
    answer["ok"] = False
    stack_with(alerter)

    alerting.send_alert("Held", "A gate held it.", "error")

    assert [each["title"] for each in lines_of(tmp_path)] == ["Held", "An alert was not delivered"]
