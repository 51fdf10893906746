"""A webhook as a stack's alerter: messages are sent as signed JSON; no run depends on them."""

from __future__ import annotations

import logging
from dataclasses import fields
from typing import Annotated, cast

from pydantic import ConfigDict, Field
from zenml.alerter.base_alerter import (
    BaseAlerter,
    BaseAlerterConfig,
    BaseAlerterFlavor,
    BaseAlerterStepParameters,
)
from zenml.utils.secret_utils import SecretField

from churn.alert import Alert, Level
from stacks.flavors.webhook_delivery import Webhook, send

_LOG = logging.getLogger("churn.progress")


class WebhookConfig(BaseAlerterConfig):
    """Settings of the webhook.

    Attributes:
        url: The URL; a secret, so `{{secret.key}}`.
        secret: Key of the signature, `{{secret.key}}` as well; messages are not signed without it.
        timeout_seconds: Timeout of one attempt.
        retries: Number of attempts after a failed one.
        backoff_seconds: Delay before the first of them; it doubles each time.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: str = SecretField()
    secret: str | None = SecretField(default=None)
    timeout_seconds: Annotated[float, Field(gt=0, le=60)] = 5.0
    retries: Annotated[int, Field(ge=0, le=10)] = 2
    backoff_seconds: Annotated[float, Field(ge=0, le=60)] = 0.5


class WebhookParameters(BaseAlerterStepParameters):
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


class WebhookFlavor(BaseAlerterFlavor):
    """The flavor `churn-webhook`."""

    @property
    def name(self) -> str:
        """Name in a stack file."""
        return "churn-webhook"

    @property
    def display_name(self) -> str:
        """Name on the dashboard."""
        return "Webhook (signed JSON)"

    @property
    def config_class(self) -> type[WebhookConfig]:
        """Class of its settings."""
        return WebhookConfig

    @property
    def implementation_class(self) -> type[WebhookAlerter]:
        """Class of its component."""
        return WebhookAlerter


class WebhookAlerter(BaseAlerter):
    """Posts messages; a failed delivery is a line in the log and never an error."""

    @property
    def config(self) -> WebhookConfig:
        """The settings."""
        return cast(WebhookConfig, self._config)

    def deliver(self, alert: Alert) -> bool:
        """Sends an alert; returns whether it was delivered."""
        try:
            # Attribute by attribute: that is how ZenML resolves the references to secrets.
            webhook = Webhook(
                **{each.name: getattr(self.config, each.name) for each in fields(Webhook)}
            )
        except KeyError:
            # ZenML's own message contains the whole component, so it is not logged.
            _LOG.warning(
                f"The alert was not delivered: alerter '{self.name}' names a secret or a key that "
                "ZenML does not have; make it with `zenml secret create`. No run depends on it.",
                extra={"step": "alert", "event": "warned"},
            )
            return False
        return send(webhook, alert.payload())

    def post(self, message: str, params: BaseAlerterStepParameters | None = None) -> bool:
        """Sends a message; called by ZenML. Parameters of another alerter are ignored."""
        more = params if isinstance(params, WebhookParameters) else WebhookParameters()
        return self.deliver(Alert(text=message, **more.model_dump()))

    def ask(self, question: str, params: BaseAlerterStepParameters | None = None) -> bool:
        """Raises NotImplementedError with the command that approves: a webhook returns no answer."""
        raise NotImplementedError(
            "A webhook cannot be answered, so it cannot ask for an approval; give it with "
            "`python run.py --pipeline promotion --set approve.person=NAME --set "
            "approve.version=VERSION`."
        )
