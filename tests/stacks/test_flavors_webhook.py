"""The webhook alerter against a real HTTP server: deliveries, retries, log lines."""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import socket
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from churn.alert import Alert, Alerting
from stacks.flavors.webhook_delivery import SIGNATURE

KEY = "of-the-address"


@pytest.fixture
def progress_log(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    """Records of the progress log."""
    logger = logging.getLogger("churn.progress")
    logger.addHandler(caplog.handler)
    before, logger.propagate = logger.propagate, False
    yield caplog
    logger.propagate = before
    logger.removeHandler(caplog.handler)


def _alerter(**configuration: Any) -> Any:
    from zenml.enums import StackComponentType

    from stacks.flavors.webhook_alerter import WebhookAlerter, WebhookConfig

    now = datetime.now(UTC)
    return WebhookAlerter(
        name="churn-webhook",
        id=uuid4(),
        config=WebhookConfig(**{"backoff_seconds": 0.01, **configuration}),
        flavor="churn-webhook",
        type=StackComponentType.ALERTER,
        user=None,
        created=now,
        updated=now,
    )


ALERT = Alert(
    title="telco-churn: hold",
    text="version 3 is kept back.",
    level="warning",
    run="promotion-20261125",
    pipeline="promotion",
    dashboard="https://zenml.example/runs/1",
)


def test_an_alert_arrives_as_json_that_a_chat_shows_whole(receiver) -> None:
    alerter = _alerter(url=receiver.url)

    assert isinstance(alerter, Alerting)
    assert alerter.deliver(ALERT)

    assert json.loads(receiver.bodies[0]) == {
        "text": "telco-churn: hold\nversion 3 is kept back.\nhttps://zenml.example/runs/1",
        "title": "telco-churn: hold",
        "level": "warning",
        "run": "promotion-20261125",
        "pipeline": "promotion",
        "dashboard": "https://zenml.example/runs/1",
    }
    assert receiver.headers[0]["Content-Type"] == "application/json; charset=utf-8"
    assert SIGNATURE not in receiver.headers[0]


def test_zenmls_own_way_in_takes_a_message_and_what_there_is_to_add(receiver) -> None:
    from stacks.flavors.own_alerter import AlertParameters

    alerter = _alerter(url=receiver.url)

    assert alerter.post("Möglich: 12 %")
    assert alerter.post("again", AlertParameters(title="Drift", level="error"))

    plain, more = map(json.loads, receiver.bodies)
    assert (plain["text"], plain["level"]) == ("Churn platform\nMöglich: 12 %", "info")
    assert (more["title"], more["level"]) == ("Drift", "error")


def test_a_signature_is_the_hmac_of_the_bytes_that_arrived(receiver) -> None:
    assert _alerter(url=receiver.url, secret="not for logs").deliver(ALERT)

    expected = hmac.new(b"not for logs", receiver.bodies[0], hashlib.sha256).hexdigest()
    assert receiver.headers[0][SIGNATURE] == f"sha256={expected}"


def test_no_library_writes_the_address_into_a_log(
    receiver, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)

    assert _alerter(url=receiver.url, secret="not for logs").deliver(ALERT)

    assert KEY not in caplog.text
    assert "not for logs" not in caplog.text


@pytest.mark.parametrize("trouble", [500, 503, 429])
def test_a_temporary_error_is_retried(receiver, progress_log, trouble: int) -> None:
    receiver.answers = [trouble, trouble]

    assert _alerter(url=receiver.url).deliver(ALERT)

    assert len(receiver.bodies) == 3
    assert not progress_log.records


def test_a_server_that_stays_broken_is_one_sentence_without_the_address(
    receiver, progress_log
) -> None:
    receiver.answers = [500] * 5

    assert not _alerter(url=receiver.url, secret="not for logs").deliver(ALERT)

    assert len(receiver.bodies) == 3
    (record,) = progress_log.records
    assert record.getMessage() == (
        "The alert was not delivered: the webhook at 127.0.0.1 was tried 3 times and answered "
        "500; no run depends on it."
    )
    assert not any(secret in progress_log.text for secret in (KEY, "not for logs", "kept back"))


@pytest.mark.parametrize("refusal", [400, 404, 302])
def test_a_refusal_is_not_retried(receiver, progress_log, refusal: int) -> None:
    receiver.answers = [refusal]

    assert not _alerter(url=receiver.url).deliver(ALERT)

    assert len(receiver.bodies) == 1
    assert f"was tried once and answered {refusal};" in progress_log.text


def test_a_server_that_is_down_is_one_sentence(progress_log) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]

    assert not _alerter(url=f"http://127.0.0.1:{port}/{KEY}").deliver(ALERT)

    assert (
        "was tried 3 times and could not be reached (ConnectionRefusedError)" in progress_log.text
    )
    assert KEY not in progress_log.text


def test_a_server_that_hangs_is_a_timeout(receiver, progress_log) -> None:
    receiver.answers = [0]

    assert not _alerter(url=receiver.url, timeout_seconds=0.2, retries=0).deliver(ALERT)

    assert "was tried once and gave no answer within 0.2 s" in progress_log.text


@pytest.mark.parametrize("url", ["slack", "ftp://there/x", "http://[::1/x"])
def test_an_invalid_address_is_one_sentence(progress_log, url: str) -> None:
    assert not _alerter(url=url).deliver(ALERT)

    assert len(progress_log.records) == 1
    assert "is no http or https address" in progress_log.text


def test_a_webhook_cannot_ask_for_an_approval(receiver) -> None:
    with pytest.raises(NotImplementedError, match="cannot ask for an approval; give it with"):
        _alerter(url=receiver.url).ask("May version 3 go out?")


def test_the_address_and_the_key_come_out_of_zenmls_secret_store(
    receiver, progress_log, session_zenml: Path
) -> None:
    from zenml.client import Client

    Client().create_secret("churn-alerts", {"url": receiver.url, "key": "from the store"})
    referring = {"url": "{{churn-alerts.url}}", "secret": "{{churn-alerts.key}}"}

    assert _alerter(**referring).deliver(ALERT)
    assert not _alerter(**referring | {"secret": "{{churn-alerts.gone}}"}).deliver(ALERT)
    assert not _alerter(url="{{never-made.url}}").deliver(ALERT)

    expected = hmac.new(b"from the store", receiver.bodies[0], hashlib.sha256).hexdigest()
    assert receiver.headers[0][SIGNATURE] == f"sha256={expected}"
    assert len(receiver.bodies) == 1
    assert (
        progress_log.text.count("alerter 'churn-webhook' names a secret or a key that ZenML does")
        == 2
    )
