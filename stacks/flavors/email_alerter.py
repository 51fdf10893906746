"""E-mail as a stack's alerter, by SMTP; no run depends on it."""

from __future__ import annotations

from dataclasses import fields
from typing import Annotated, cast

from pydantic import ConfigDict, Field
from zenml.alerter.base_alerter import BaseAlerterConfig, BaseAlerterFlavor
from zenml.utils.secret_utils import SecretField

from churn.alert import Alert
from stacks.flavors.email_delivery import Mailbox, Security, send_email
from stacks.flavors.own_alerter import OwnAlerter


class EmailConfig(BaseAlerterConfig):
    """Settings of the mail server.

    Attributes:
        host: Its name.
        port: Its port: 587 for STARTTLS, 465 for TLS.
        security: `starttls`, `tls`, or `none` for a server of this machine; the certificate is checked.
        sender: Address of the sender.
        recipients: Addresses, with commas between them.
        user: Name to log in with; nobody logs in without it.
        password: Its password; a secret, so `{{secret.key}}`.
        timeout_seconds: Timeout of each answer of the server.
        retries: Number of attempts after a failed one.
        backoff_seconds: Delay before the first of them; it doubles each time.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    host: Annotated[str, Field(min_length=1)]
    port: Annotated[int, Field(ge=1, le=65535)] = 587
    security: Security = "starttls"
    sender: Annotated[str, Field(pattern=r"^[^\s@,]+@[^\s@,]+$")]
    recipients: Annotated[str, Field(pattern=r"^[^\s@,]+@[^\s@,]+(, *[^\s@,]+@[^\s@,]+)*$")]
    user: str | None = None
    password: str | None = SecretField(default=None)
    timeout_seconds: Annotated[float, Field(gt=0, le=60)] = 5.0
    retries: Annotated[int, Field(ge=0, le=10)] = 2
    backoff_seconds: Annotated[float, Field(ge=0, le=60)] = 0.5


class EmailFlavor(BaseAlerterFlavor):
    """The flavor `churn-email`."""

    @property
    def name(self) -> str:
        """Name in a stack file."""
        return "churn-email"

    @property
    def display_name(self) -> str:
        """Name on the dashboard."""
        return "E-mail (SMTP)"

    @property
    def config_class(self) -> type[EmailConfig]:
        """Class of its settings."""
        return EmailConfig

    @property
    def implementation_class(self) -> type[EmailAlerter]:
        """Class of its component."""
        return EmailAlerter


class EmailAlerter(OwnAlerter):
    """Sends messages as plain text; those about one incident are one thread."""

    @property
    def config(self) -> EmailConfig:
        """The settings."""
        return cast(EmailConfig, self._config)

    def send(self, alert: Alert) -> bool:
        """Sends an alert."""
        # Attribute by attribute: that is how ZenML resolves the references to secrets.
        mailbox = Mailbox(
            **{each.name: getattr(self.config, each.name) for each in fields(Mailbox)}
        )
        return send_email(mailbox, alert)
