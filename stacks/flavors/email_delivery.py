"""Sends an alert by SMTP: retried where that can help, never raising, nothing secret in a log."""

from __future__ import annotations

import hashlib
import smtplib
import ssl
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from typing import Literal

from churn.alert import Alert
from stacks.flavors.delivery import deliver

Security = Literal["starttls", "tls", "none"]

_PERMANENT = 500


@dataclass(frozen=True)
class Mailbox:
    """Settings of a delivery, as `stacks.flavors.email_alerter.EmailConfig` has them."""

    host: str
    port: int
    security: Security
    sender: str
    recipients: str
    user: str | None = None
    password: str | None = None
    timeout_seconds: float = 5.0
    retries: int = 2
    backoff_seconds: float = 0.5


def send_email(mailbox: Mailbox, alert: Alert) -> bool:
    """Sends an alert; returns whether the server took it, and logs one line where it did not."""
    message = compose(mailbox, alert)
    return deliver(
        lambda: _attempt(mailbox, message),
        f"the mail server at {mailbox.host}",
        retries=mailbox.retries,
        backoff_seconds=mailbox.backoff_seconds,
    )


def compose(mailbox: Mailbox, alert: Alert) -> EmailMessage:
    """The message; a retry sends the same one, by its id, so that a server can tell."""
    message = EmailMessage()
    # No line break of a name may end the header.
    state = f" ({alert.state})" if alert.state else ""
    message["Subject"] = " ".join(f"[{alert.level}] {alert.title}{state}".split())
    message["From"], message["To"] = mailbox.sender, mailbox.recipients
    message["Date"] = formatdate()
    domain = mailbox.sender.rpartition("@")[2]
    message["Message-ID"] = make_msgid(domain=domain)
    message["Auto-Submitted"] = "auto-generated"
    if alert.incident is not None:
        # All refer to one id that no message has, which makes them a thread in any order.
        digest = hashlib.sha256(alert.incident.encode()).hexdigest()[:32]
        message["References"] = message["In-Reply-To"] = f"<incident-{digest}@{domain}>"
    message.set_content(alert.whole, cte="quoted-printable")  # for servers that take ASCII alone
    return message


def _attempt(mailbox: Mailbox, message: EmailMessage) -> tuple[str, bool]:
    """Returns the problem, empty for none, and whether another attempt may succeed."""
    try:
        with _connected(mailbox) as server:
            if mailbox.user is not None:
                server.login(mailbox.user, mailbox.password or "")
            refused = server.send_message(message)
    except smtplib.SMTPRecipientsRefused as error:
        codes = sorted({code for code, _ in error.recipients.values()})
        return f"refused every recipient ({codes[0]})", codes[0] < _PERMANENT
    except smtplib.SMTPResponseException as error:
        return f"answered {error.smtp_code}", error.smtp_code < _PERMANENT
    except smtplib.SMTPNotSupportedError:
        return "does not offer what the settings ask for (STARTTLS or a login)", False
    except ssl.SSLError:
        return "has no certificate that this machine trusts", False
    except (TimeoutError, smtplib.SMTPServerDisconnected):  # smtplib has one name for both
        return f"gave no answer within {mailbox.timeout_seconds:g} s, or hung up", True
    except (OSError, smtplib.SMTPException) as error:
        return f"could not be reached ({type(error).__name__})", True
    if refused:
        return f"refused {len(refused)} of the recipients", False
    return "", False


def _connected(mailbox: Mailbox) -> smtplib.SMTP:
    """A connection, encrypted as the settings say."""
    context = ssl.create_default_context()
    if mailbox.security == "tls":
        return smtplib.SMTP_SSL(
            mailbox.host, mailbox.port, timeout=mailbox.timeout_seconds, context=context
        )
    server = smtplib.SMTP(mailbox.host, mailbox.port, timeout=mailbox.timeout_seconds)
    if mailbox.security == "starttls":
        try:
            server.starttls(context=context)
        except BaseException:
            server.close()
            raise
    return server
