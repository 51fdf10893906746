"""Receivers of a webhook's and of mail for the tests of alerts."""

from tests.servers.mail_server import mail_server
from tests.servers.webhook_receiver import lasting_receiver, receiver

__all__ = ["lasting_receiver", "mail_server", "receiver"]
