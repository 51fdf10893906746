"""The clients of a session, made from the settings: a consumer, a reader without a group, a producer."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import cache
from typing import Any

from kafka import KafkaConsumer, KafkaProducer, TopicPartition  # type: ignore[import-untyped]
from kafka.admin import KafkaAdminClient  # type: ignore[import-untyped]
from kafka.errors import KafkaError, KafkaTimeoutError  # type: ignore[import-untyped]
from kafka.net.transport import (  # type: ignore[import-untyped]
    KafkaSSLTransport,
    KafkaTCPTransport,
)

from churn.errors import InputError, error_reason
from service.stream.kafka_errors import certificate_error, passes
from service.stream.messages import Message
from service.stream.stream_settings import StreamSettings

ANSWER_SECONDS = 10
DELIVERY_SECONDS = 20
_BOOTSTRAP_SECONDS = 5


def silence_client_log() -> None:
    """Keeps kafka-python's own log off stderr: ten lines a second where no broker answers."""
    kafka = logging.getLogger("kafka")
    kafka.setLevel(logging.CRITICAL)
    kafka.propagate = False
    kafka.addHandler(logging.NullHandler())


def message_of(record: Any) -> Message:
    """Returns a record of kafka-python as a message."""
    return Message(
        record.topic, record.partition, record.offset, record.timestamp, record.key, record.value,
        tuple(record.headers),
    )  # fmt: skip


def open_consumer(settings: StreamSettings) -> KafkaConsumer:
    """Returns a member of the group that commits only when told to.

    Raises:
        KafkaError: no broker answers, or they refuse this worker.
    """
    return open_reader(
        settings,
        group_id=settings.group,
        group_instance_id=settings.instance,
        max_poll_records=settings.batch_messages,
        session_timeout_ms=round(settings.session_seconds * 1000),
        heartbeat_interval_ms=round(min(3.0, settings.session_seconds / 3) * 1000),
    )


def open_reader(settings: StreamSettings, **more: Any) -> KafkaConsumer:
    """Returns a consumer that is in no group, unless `more` names one.

    Raises:
        KafkaError: no broker answers, or they refuse this program.
    """
    options = {"auto_offset_reset": "earliest", **more}
    return _connect(
        KafkaConsumer,
        settings,
        enable_auto_commit=False,
        isolation_level="read_committed",
        metrics_enabled=False,
        **options,
    )


def open_admin(settings: StreamSettings) -> KafkaAdminClient:
    """Returns a client that makes and removes topics.

    Raises:
        KafkaError: no broker answers, or they refuse this program.
    """
    return _connect(KafkaAdminClient, settings)


def find_partitions(reader: KafkaConsumer, topic: str) -> list[TopicPartition]:
    """Returns a topic's partitions in their order, for a command that does not create topics.

    Raises:
        InputError: the topic does not exist.
        KafkaError: the brokers do not answer, or refuse this program.
    """
    numbers = reader.partitions_for_topic(topic)
    if not numbers:
        raise InputError(
            f"The topic '{topic}' does not exist, or this user must not see it. Create it, or name "
            "another one."
        )
    return [TopicPartition(topic, number) for number in sorted(numbers)]


def open_producer(settings: StreamSettings, **more: Any) -> KafkaProducer:
    """Returns an idempotent producer that waits for all replicas, with `more` options.

    Raises:
        KafkaError: no broker answers, or they refuse this program.
    """
    return _connect(
        KafkaProducer,
        settings,
        **more,
        acks="all",
        enable_idempotence=True,
        linger_ms=5,
        max_block_ms=ANSWER_SECONDS * 1000,
        delivery_timeout_ms=DELIVERY_SECONDS * 1000,
        metrics_enabled=False,
    )


def _connect(client: type[Any], settings: StreamSettings, **more: Any) -> Any:
    """Returns a client that has found a broker.

    Raises:
        KafkaError: no broker answers, or they refuse this program.
        InputError: the settings name streams in Redis.
    """
    if settings.transport == "redis":
        raise InputError(
            "CHURN_TRANSPORT is redis, and this command speaks to Kafka alone. Leave CHURN_TRANSPORT "
            "out, and name the brokers in CHURN_KAFKA_SERVERS."
        )
    _hear_to_the_end()
    failures = _ConnectionFailures()
    try:
        with failures:
            return client(**_connection_options(settings), **more)
    except KafkaTimeoutError:
        if failures.permanent is not None:
            raise failures.permanent from None
        servers = ", ".join(settings.kafka_servers)
        why = f" ({error_reason(failures.last)})" if failures.last is not None else ""
        raise KafkaError(
            f"No broker answers at {servers}{why}. Start one, or set CHURN_KAFKA_SERVERS."
        ) from None


class _ConnectionFailures(logging.Handler):
    """Remembers why connections failed, which kafka-python logs and does not raise.

    Attributes:
        last: the last error; None if none failed.
        permanent: the last of those that waiting does not mend. The time that is left for the last
            connection may be too short to meet it again.
    """

    _logger = logging.getLogger("kafka.net.manager")

    def __init__(self) -> None:
        super().__init__()
        self.last: KafkaError | None = None
        self.permanent: KafkaError | None = None

    def __enter__(self) -> None:
        self._level = self._logger.level
        self._logger.addHandler(self)
        self._logger.setLevel(logging.WARNING)

    def __exit__(self, *_: object) -> None:
        self._logger.removeHandler(self)
        self._logger.setLevel(self._level)

    def emit(self, record: logging.LogRecord) -> None:
        for each in record.args if isinstance(record.args, tuple) else ():
            if isinstance(each, KafkaError) and not isinstance(each, KafkaTimeoutError):
                self.last = each
                if (kind := certificate_error(str(each))) is not None:
                    self.permanent = kind(error_reason(each))
                elif not passes(each):
                    self.permanent = each


def _connection_options(settings: StreamSettings) -> dict[str, Any]:
    options: dict[str, Any] = {
        "bootstrap_servers": list(settings.kafka_servers),
        "client_id": "churn-stream",
        "security_protocol": settings.kafka_security,
        "request_timeout_ms": ANSWER_SECONDS * 1000,
        "bootstrap_timeout_ms": _BOOTSTRAP_SECONDS * 1000,
        "reconnect_backoff_max_ms": 2_000,
    }
    if settings.kafka_ca_file is not None:
        options["ssl_cafile"] = str(settings.kafka_ca_file)
    if settings.kafka_certificate_file is not None:
        options["ssl_certfile"] = str(settings.kafka_certificate_file)
        options["ssl_keyfile"] = str(settings.kafka_key_file)
    if settings.kafka_security.startswith("SASL"):
        password = settings.kafka_password
        options |= {
            "sasl_mechanism": settings.kafka_mechanism,
            "sasl_plain_username": settings.kafka_user,
            "sasl_plain_password": password.get_secret_value() if password else None,
        }
    return options


@cache
def _hear_to_the_end() -> None:
    """Makes connections give on what they received before they say that the broker closed them; once.

    kafka-python 3.0.12 drops what arrives together with the end, and what arrived before a request that
    could not be sent any more. Kafka closes a connection right after it has said why it refuses a login
    or a certificate.
    """
    for transport in (KafkaTCPTransport, KafkaSSLTransport):
        transport._sock_recv = _content_first(transport._sock_recv)
    KafkaSSLTransport._sock_send = _reason_first(KafkaSSLTransport._sock_send)


def _content_first(receive: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def receive_first(self: Any) -> tuple[bytes, KafkaError | None]:
        content, error = receive(self)
        return content, None if content else error  # the next call meets the end again

    return receive_first


def _reason_first(send: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def send_or_read_why(self: Any) -> tuple[int, KafkaError | None]:
        sent, error = send(self)
        if error is not None and self._sock is not None:
            _, reason = self._sock_recv()  # TLS's alert, if the broker sent one
            error = reason or error
        return sent, error

    return send_or_read_why
