"""A webhook as a stack's alerter: messages go out as signed JSON, and nothing depends on them."""

from __future__ import annotations

import logging
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
    """Where messages go, and how patiently.

    Attributes:
        url: The address; a secret, so `{{secret.key}}`.
        secret: What messages are signed with, `{{secret.key}}` as well; without one they are not.
        timeout_seconds: How long one try may take.
        retries: How many tries follow a failed one.
        backoff_seconds: The wait before the first of them; it doubles each time.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: str = SecretField()
    secret: str | None = SecretField(default=None)
    timeout_seconds: Annotated[float, Field(gt=0, le=60)] = 5.0
    retries: Annotated[int, Field(ge=0, le=10)] = 2
    backoff_seconds: Annotated[float, Field(ge=0, le=60)] = 0.5


class WebhookParameters(BaseAlerterStepParameters):
    """What a step can say besides its message.

    Attributes:
        title: What happened, in a few words.
        level: How much it matters.
        run: The run's name.
        pipeline: Its pipeline.
        dashboard: The run's page.
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
        """What a stack file calls it."""
        return "churn-webhook"

    @property
    def display_name(self) -> str:
        """What the dashboard calls it."""
        return "Webhook (signed JSON)"

    @property
    def config_class(self) -> type[WebhookConfig]:
        """Its settings."""
        return WebhookConfig

    @property
    def implementation_class(self) -> type[WebhookAlerter]:
        """Its component."""
        return WebhookAlerter


class WebhookAlerter(BaseAlerter):
    """Posts messages; one that does not arrive is a line in the log and never an error."""

    @property
    def config(self) -> WebhookConfig:
        """The settings."""
        return cast(WebhookConfig, self._config)

    def deliver(self, alert: Alert) -> bool:
        """Sends an alert; False where it did not arrive."""
        try:
            webhook = Webhook(
                url=self.config.url,
                secret=self.config.secret,
                timeout_seconds=self.config.timeout_seconds,
                retries=self.config.retries,
                backoff_seconds=self.config.backoff_seconds,
            )
        except KeyError:
            # ZenML's own words hold the whole component; which secret it was, its file says.
            _LOG.warning(
                f"The alert was not delivered: alerter '{self.name}' names a secret or a key that "
                "ZenML does not have; make it with `zenml secret create`. No run depends on it.",
                extra={"step": "alert", "event": "warned"},
            )
            return False
        return send(webhook, alert.payload())

    def post(self, message: str, params: BaseAlerterStepParameters | None = None) -> bool:
        """Sends a message; ZenML's way in.

        Args:
            message: The text.
            params: `WebhookParameters`, where there is more to say; another alerter's are not
                understood and passed over.
        """
        more = params if isinstance(params, WebhookParameters) else WebhookParameters()
        return self.deliver(Alert(text=message, **more.model_dump()))

    def ask(self, question: str, params: BaseAlerterStepParameters | None = None) -> bool:
        """Not possible: a webhook has no way back.

        Raises:
            NotImplementedError: always; says where approvals are given instead.
        """
        raise NotImplementedError(
            "A webhook cannot be answered, so it cannot ask for an approval; give it with "
            "`python run.py --pipeline promotion --set approve.person=NAME --set "
            "approve.version=VERSION`."
        )
