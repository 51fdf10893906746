"""The transports by their names in CHURN_TRANSPORT: each session imports its own client."""

from __future__ import annotations

from service.stream.session import PermanentError, Session
from service.stream.stream_settings import StreamSettings


def open_session(settings: StreamSettings) -> Session:
    """Returns a session of the transport that the settings name.

    Raises:
        SessionError: nobody answers.
        PermanentError: waiting would not mend it.
    """
    # Here and not above: each needs a client that the others do not.
    if settings.transport == "redis":
        from service.stream.redis_session import RedisSession

        return RedisSession(settings)
    if settings.transport == "confluent":
        try:
            from service.stream.confluent_session import ConfluentSession
        except ImportError:
            raise PermanentError(
                "CHURN_TRANSPORT=confluent needs confluent-kafka, which is not installed. Run `pip "
                "install confluent-kafka`, or leave CHURN_TRANSPORT out."
            ) from None

        return ConfluentSession(settings)
    from service.stream.kafka_session import KafkaSession

    return KafkaSession(settings)
