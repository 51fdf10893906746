"""What this project's alerters have in common: whatever goes wrong is a line in the log."""

from __future__ import annotations

import logging
from abc import abstractmethod

from zenml.alerter.base_alerter import BaseAlerter, BaseAlerterStepParameters

from churn.alert import Alert, Level

_LOG = logging.getLogger("churn.progress")


class AlertParameters(BaseAlerterStepParameters):
    """What a step can add to its message.

    Attributes:
        title: What happened, in a few words.
        level: Severity.
        run: Name of the run.
        pipeline: Name of its pipeline.
        dashboard: URL of the run.
    """

    title: str = "Churn platform"
    level: Level = "info"
    run: str | None = None
    pipeline: str | None = None
    dashboard: str | None = None


class OwnAlerter(BaseAlerter):
    """An alerter that takes whole alerts; a failed delivery is never an error."""

    @abstractmethod
    def send(self, alert: Alert) -> bool:
        """Sends an alert, and returns whether it was delivered; logs why it was not.

        Raises:
            KeyError: ZenML does not have a secret that the settings name.
        """

    def deliver(self, alert: Alert) -> bool:
        """Sends an alert; returns whether it was delivered."""
        try:
            return self.send(alert)
        except KeyError:
            # ZenML's own message contains the whole component, so it is not logged.
            _LOG.warning(
                f"The alert was not delivered: alerter '{self.name}' names a secret or a key that "
                "ZenML does not have; make it with `zenml secret create`. No run depends on it.",
                extra={"step": "alert", "event": "warned"},
            )
            return False

    def post(self, message: str, params: BaseAlerterStepParameters | None = None) -> bool:
        """Sends a message; called by ZenML. Parameters of another alerter are ignored."""
        more = params if isinstance(params, AlertParameters) else AlertParameters()
        return self.deliver(Alert(text=message, **more.model_dump()))

    def ask(self, question: str, params: BaseAlerterStepParameters | None = None) -> bool:
        """Raises NotImplementedError with the command that approves: no answer comes back."""
        raise NotImplementedError(
            f"Alerter '{self.name}' cannot be answered, so it cannot ask for an approval; give it with "
            "`python run.py --pipeline promotion --set approve.person=NAME --set "
            "approve.version=VERSION`."
        )
