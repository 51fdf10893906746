"""Alerts: a line in the log, a line in a file, and the stack's alerter; no run ever fails for one."""

import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from zenml import get_step_context
from zenml.client import Client

from churn.alert import Alert, Alerting, Level, append_alert
from registry.step_context import in_step

_LOG = logging.getLogger("churn.progress")


def send_alert(title: str, text: str, level: Level = "info", *, runbook: str | None = None) -> None:
    """Sends a message, which must not name a customer; does nothing outside of runs."""
    send_alerts(Alert(title=title, text=text, level=level, runbook=runbook))


def send_alerts(*alerts: Alert) -> None:
    """Sends messages on every channel; what one channel does not take is reported on the others.

    Does nothing outside of runs.
    """
    if not in_step():
        return
    for alert in alerts:
        try:
            message = _in_this_run(alert)
            channels = _channels()
        except Exception as error:  # noqa: BLE001 - whatever ZenML does, no run depends on it
            _warn(f"The alert was not sent: {type(error).__name__} came before any channel")
            continue
        failed = {name for name, send in channels.items() if not _sent(name, send, message)}
        if failed:
            reported = replace(
                message,
                title="An alert was not delivered",
                text=f"{' and '.join(sorted(failed))} did not take: {message.title}",
                level="warning",
            )
            for name, send in channels.items():
                if name not in failed:
                    _sent(name, send, reported)


def _channels() -> dict[str, Callable[[Alert], bool]]:
    """Name of a channel -> how it is sent to; the stack's alerter comes last."""
    channels: dict[str, Callable[[Alert], bool]] = {"the log": _log, "the file": _append}
    alerter: Any = Client().active_stack.alerter
    if isinstance(alerter, Alerting):
        channels["the stack's alerter"] = alerter.deliver
    elif alerter is not None:
        channels["the stack's alerter"] = lambda alert: bool(alerter.post(alert.whole))
    return channels


def _sent(name: str, send: Callable[[Alert], bool], alert: Alert) -> bool:
    try:
        return send(alert)
    except Exception as error:  # noqa: BLE001 - whatever an alerter does, no run depends on it
        _warn(f"The alert was not sent: {name} broke off with {type(error).__name__}")
        return False


def _warn(sentence: str) -> None:
    _LOG.warning(f"{sentence}; no run depends on it.", extra={"step": "alert", "event": "warned"})


def _log(alert: Alert) -> bool:
    levels = {"info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}
    _LOG.log(
        levels[alert.level],
        f"{alert.title}. {alert.text}",
        extra={"step": "alert", "event": "alert"},
    )
    return True


def _append(alert: Alert) -> bool:
    append_alert(alert)
    return True


def _in_this_run(alert: Alert) -> Alert:
    from zenml.utils.dashboard_utils import get_run_url

    run = get_step_context().pipeline_run
    return replace(
        alert,
        run=run.name,
        pipeline=run.pipeline.name if run.pipeline else None,
        dashboard=get_run_url(run),
    )
