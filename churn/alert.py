"""An alert about a run: one message, the same for every way of sending it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Literal, Protocol, runtime_checkable

Level = Literal["info", "warning", "error"]


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
    """

    title: str
    text: str
    level: Level = "info"
    run: str | None = None
    pipeline: str | None = None
    dashboard: str | None = None

    @property
    def whole(self) -> str:
        """Title, text and address as one text, for services that show one text only."""
        return "\n".join(filter(None, (self.title, self.text, self.dashboard)))

    def payload(self) -> dict[str, str | None]:
        """What is sent as JSON; chats that read `text` alone (Slack's webhooks) show all of it."""
        return asdict(self) | {"text": self.whole}


@runtime_checkable
class Alerting(Protocol):
    """An alerter that takes a whole alert, not only a text."""

    def deliver(self, alert: Alert) -> bool:
        """Sends it; False where that did not work. Never raises."""
        ...
