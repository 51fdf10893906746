"""An alert about a run: one message, the same for every way of sending it."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Literal, Protocol, runtime_checkable

from churn.home import home

Level = Literal["info", "warning", "error"]
IncidentState = Literal["opened", "updated", "resolved"]
_FILE = "alerts.jsonl"
_OF_INCIDENTS = ("incident", "state", "runbook")


@dataclass(frozen=True)
class Alert:
    """A message about a run. It names runs, versions and checks, never customers or secrets.

    Attributes:
        title: What happened, in a few words.
        text: What was found, in a sentence.
        level: info is good to know, warning waits for a person, error needs one.
        run: The run's name; None outside of runs.
        pipeline: Its pipeline.
        dashboard: The run's page, where a ZenML server is connected.
        incident: What all messages about one incident have in common; None for a message by itself.
        state: What has become of the incident.
        runbook: Where it is written what to do.
    """

    title: str
    text: str
    level: Level = "info"
    run: str | None = None
    pipeline: str | None = None
    dashboard: str | None = None
    incident: str | None = None
    state: IncidentState | None = None
    runbook: str | None = None

    @property
    def whole(self) -> str:
        """Title, text and addresses as one text, for services that show one text only."""
        todo = f"What to do: {self.runbook}" if self.runbook else None
        return "\n".join(filter(None, (self.title, self.text, todo, self.dashboard)))

    def payload(self) -> dict[str, str | None]:
        """What is sent as JSON; chats that read `text` alone (Slack's webhooks) show all of it."""
        said = asdict(self) | {"text": self.whole}
        return {
            name: value
            for name, value in said.items()
            if value is not None or name not in _OF_INCIDENTS
        }


@runtime_checkable
class Alerting(Protocol):
    """An alerter that takes a whole alert, not only a text."""

    def deliver(self, alert: Alert) -> bool:
        """Sends it; False where that did not work. Never raises."""
        ...


def append_alert(alert: Alert) -> None:
    """Adds a line to alerts.jsonl; one write, so that two runs at once do not mix their lines.

    Raises:
        OSError: it cannot be written.
    """
    line = json.dumps({"at": datetime.now(UTC).isoformat(), **alert.payload()}, ensure_ascii=False)
    folder = home()
    folder.mkdir(parents=True, exist_ok=True)
    handle = os.open(folder / _FILE, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(handle, f"{line}\n".encode())
    finally:
        os.close(handle)
