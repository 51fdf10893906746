"""The e-mail alerter against a real SMTP conversation: messages, threads, retries, log lines."""

from __future__ import annotations

import logging
import socket
from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_string
from email.policy import default
from typing import Any
from uuid import uuid4

import pytest

from churn.alert import Alert, Alerting

ALERT = Alert(
    title="telco-churn: drift alarm",
    text="The batch windows raised an alarm. Möglich.",
    level="warning",
    run="monitoring-1",
    incident="telco-churn/batch/7",
    state="opened",
    runbook="docs/runbooks.md#churndriftalarm",
)


@pytest.fixture
def progress_log(caplog):
    logger = logging.getLogger("churn.progress")
    logger.addHandler(caplog.handler)
    before, logger.propagate = logger.propagate, False
    yield caplog
    logger.propagate = before
    logger.removeHandler(caplog.handler)


def _alerter(port: int, **configuration: Any) -> Any:
    from zenml.enums import StackComponentType

    from stacks.flavors.email_alerter import EmailAlerter, EmailConfig

    now = datetime.now(UTC)
    settings = {
        "host": "127.0.0.1", "port": port, "security": "none", "sender": "churn@here.example",
        "recipients": "ada@here.example, bob@here.example", "backoff_seconds": 0.01,
    }  # fmt: skip
    return EmailAlerter(
        name="churn-email", id=uuid4(), config=EmailConfig(**settings | configuration),
        flavor="churn-email", type=StackComponentType.ALERTER, user=None, created=now, updated=now,
    )  # fmt: skip


def taken(mail_server):
    return [message_from_string(text, policy=default) for text in mail_server.messages]


def test_an_alert_arrives_at_everyone_as_plain_text(mail_server):
    alerter = _alerter(mail_server.port)

    assert isinstance(alerter, Alerting)
    assert alerter.deliver(ALERT)

    (message,) = taken(mail_server)
    assert message["Subject"] == "[warning] telco-churn: drift alarm (opened)"
    assert message["From"] == "churn@here.example"
    assert message["To"] == "ada@here.example, bob@here.example"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message.get_content().splitlines() == [
        "telco-churn: drift alarm",
        "The batch windows raised an alarm. Möglich.",
        "What to do: docs/runbooks.md#churndriftalarm",
    ]
    recipients = [line for line in mail_server.commands if line.upper().startswith("RCPT")]
    assert len(recipients) == 2


def test_the_messages_of_one_incident_are_one_thread(mail_server):
    alerter = _alerter(mail_server.port)
    for alert in (
        ALERT,
        replace(ALERT, state="resolved"),
        replace(ALERT, incident="telco-churn/batch/9"),
        replace(ALERT, incident=None, state=None),
    ):
        assert alerter.deliver(alert)

    first, second, other, alone = taken(mail_server)
    assert first["References"] == second["References"] == second["In-Reply-To"]
    assert other["References"] != first["References"]
    assert alone["References"] is None
    assert len({each["Message-ID"] for each in taken(mail_server)}) == 4


def test_a_title_with_line_breaks_makes_no_header_of_its_own(mail_server):
    assert _alerter(mail_server.port).deliver(
        replace(ALERT, title="Held\r\nBcc: eve@there.example")
    )

    (message,) = taken(mail_server)
    assert message["Bcc"] is None
    assert message["Subject"] == "[warning] Held Bcc: eve@there.example (opened)"


@pytest.mark.parametrize(
    ("command", "trouble"),
    [("", "421 later"), ("MAIL", "451 later"), ("RCPT", "450 later"), ("message", "452 full")],
)
def test_a_temporary_refusal_is_retried_with_the_same_message(
    mail_server, progress_log, command, trouble
):
    # Both recipients are refused, or some server would have it already.
    mail_server.answers = {command: [trouble] * (2 if command == "RCPT" else 1)}

    assert _alerter(mail_server.port).deliver(ALERT)

    assert len(mail_server.messages) == 1
    assert not progress_log.records


def test_a_server_that_stays_full_is_one_sentence_without_addresses(mail_server, progress_log):
    mail_server.answers = {"message": ["452 full"] * 5}

    assert not _alerter(mail_server.port).deliver(ALERT)

    (record,) = progress_log.records
    assert record.getMessage() == (
        "The alert was not delivered: the mail server at 127.0.0.1 was tried 3 times and answered "
        "452; no run depends on it."
    )
    assert "ada@" not in progress_log.text


@pytest.mark.parametrize(
    ("command", "refusals", "said"),
    [
        ("MAIL", ["550 no"], "was tried once and answered 550"),
        ("RCPT", ["550 no", "550 no"], "was tried once and refused every recipient (550)"),
        ("RCPT", ["550 no"], "was tried once and refused 1 of the recipients"),
        ("AUTH", ["535 wrong"], "was tried once and answered 535"),
    ],
)
def test_a_refusal_is_not_retried_and_names_no_secret(
    mail_server, progress_log, command, refusals, said
):
    mail_server.answers = {command: list(refusals)}
    alerter = _alerter(mail_server.port, user="churn", password="not for logs")

    assert not alerter.deliver(ALERT)

    assert said in progress_log.text
    assert "not for logs" not in progress_log.text


def test_a_login_is_made_where_a_user_is_named(mail_server):
    assert _alerter(mail_server.port, user="churn", password="secret").deliver(ALERT)
    assert any(line.startswith("AUTH") for line in mail_server.commands)


def test_nothing_is_sent_unencrypted_where_encryption_is_asked_for(mail_server, progress_log):
    alerter = _alerter(mail_server.port, security="starttls", user="churn", password="secret")

    assert not alerter.deliver(ALERT)

    assert "does not offer what the settings ask for" in progress_log.text
    assert [line.split()[0].upper() for line in mail_server.commands] == ["EHLO"]


def test_a_server_that_is_down_or_hangs_is_one_sentence(mail_server, progress_log):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    mail_server.answers = {"": [""]}

    assert not _alerter(port).deliver(ALERT)
    assert not _alerter(mail_server.port, timeout_seconds=0.2, retries=0).deliver(ALERT)

    assert (
        "was tried 3 times and could not be reached (ConnectionRefusedError)" in progress_log.text
    )
    assert "was tried once and gave no answer within 0.2 s, or hung up" in progress_log.text


@pytest.mark.parametrize(
    "wrong",
    [
        {"sender": "nobody"},
        {"recipients": "a@b.example; c@d.example"},
        {"security": "ssl"},
        {"hots": 1},
    ],
)
def test_settings_that_cannot_be_are_refused(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        _alerter(25, **wrong)


def test_mail_cannot_ask_for_an_approval(mail_server):
    with pytest.raises(NotImplementedError, match="cannot be answered"):
        _alerter(mail_server.port).ask("May version 3 go out?")
