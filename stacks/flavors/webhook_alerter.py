"""A webhook as a stack's alerter: messages are sent as signed JSON; no run depends on them."""

from __future__ import annotations

from dataclasses import fields
from typing import Annotated, cast

from pydantic import ConfigDict, Field
from zenml.alerter.base_alerter import BaseAlerterConfig, BaseAlerterFlavor
from zenml.utils.secret_utils import SecretField

from churn.alert import Alert
from stacks.flavors.own_alerter import OwnAlerter
from stacks.flavors.webhook_delivery import Webhook, send


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


class WebhookAlerter(OwnAlerter):
    """Posts messages; a failed delivery is a line in the log and never an error."""

    @property
    def config(self) -> WebhookConfig:
        """The settings."""
        return cast(WebhookConfig, self._config)

    def send(self, alert: Alert) -> bool:
        """Sends an alert."""
        # Attribute by attribute: that is how ZenML resolves the references to secrets.
        webhook = Webhook(
            **{each.name: getattr(self.config, each.name) for each in fields(Webhook)}
        )
        return send(webhook, alert.payload())
