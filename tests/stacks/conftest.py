"""A webhook's receiver for the tests of alerts."""

from tests.servers.webhook_receiver import lasting_receiver, receiver

__all__ = ["lasting_receiver", "receiver"]
