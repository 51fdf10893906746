"""Settings of the stream worker, from the environment; docs/streaming-worker.md has the table."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, FilePath, SecretStr, field_validator, model_validator

from churn.errors import error_reason
from churn.feature_store.online.address import REDIS
from service.core.environment_settings import (
    NONE,
    InputSettings,
    LedgerSettings,
    OnlineStoreSettings,
    StoreSettings,
    home_path,
    read_environment,
    split_commas,
)

_SERVER = r"^[^\s,:]+:[0-9]{1,5}$"
TOPIC_PATTERN = r"^[A-Za-z0-9._-]{1,249}$"


class StreamSettings(OnlineStoreSettings, InputSettings, LedgerSettings, StoreSettings):
    """How the worker runs.

    Attributes:
        transport: Kafka by kafka-python or by confluent-kafka, or Redis Streams.
        kafka_servers: brokers to begin with, host:port, comma-separated.
        kafka_security: how the brokers are spoken to.
        kafka_mechanism: how the worker logs in, where `kafka_security` says SASL.
        kafka_user: who it logs in as.
        kafka_password: with which password.
        kafka_ca_file: certificates that brokers are held against, where it says SSL; None for the
            system's own.
        kafka_certificate_file: the worker's own certificate, for brokers that ask for one.
        kafka_key_file: the key of that certificate, without a password.
        input_topic: customers, as JSON.
        output_topic: their scores, keyed by customer.
        dead_letter_topic: what could not be scored, with the reason.
        group: workers of one group share the partitions.
        instance: this worker's own name in the group, where it has one that no other has: started
            again within `session_seconds`, it goes on with its partitions at once.
        batch_messages: scored at once, at most.
        max_message_bytes: max message bytes of a message and its key; larger ones are rejected.
        transactions: whether a batch's scores are written and its messages committed in one
            transaction, where the brokers have them.
        stream_redis: address of the Redis whose streams are the topics, for the transport `redis`.
        stream_max_length: entries that a stream in Redis keeps of what is done.
        session_seconds: a worker that is silent for so long loses its partitions to the others.
        redis: address of the latest scores, or `none`.
        redis_ttl_seconds: how long a score stays there.
        online_store: where the fields are that a message leaves out, or `none`.
        ledger: database of predictions, or `none`.
        host: address of the probes and figures.
        port: theirs; 0 takes a free one.
        stall_seconds: a worker that does not move for so long is no longer alive.
    """

    transport: Literal["kafka", "confluent", "redis"] = "kafka"
    kafka_servers: tuple[Annotated[str, Field(pattern=_SERVER)], ...] = ("127.0.0.1:9092",)
    kafka_security: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    kafka_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = "SCRAM-SHA-512"
    kafka_user: str | None = None
    kafka_password: SecretStr | None = None
    kafka_ca_file: FilePath | None = None
    kafka_certificate_file: FilePath | None = None
    kafka_key_file: FilePath | None = None
    input_topic: str = Field("churn-customers", pattern=TOPIC_PATTERN)
    output_topic: str = Field("churn-scores", pattern=TOPIC_PATTERN)
    dead_letter_topic: str = Field("churn-rejected", pattern=TOPIC_PATTERN)
    group: str = Field("churn-stream", min_length=1, max_length=200)
    instance: str | None = Field(None, pattern=TOPIC_PATTERN)
    batch_messages: int = Field(500, ge=1, le=10_000)
    # Kafka's own limit is 1 MiB with everything; a rejected message goes back with its reason.
    max_message_bytes: int = Field(256 * 2**10, ge=1024, le=900 * 2**10)
    transactions: bool = True
    stream_redis: SecretStr = SecretStr(NONE)
    stream_max_length: int = Field(1_000_000, ge=1000)
    session_seconds: float = Field(45.0, ge=6, le=300)
    redis: SecretStr = SecretStr(NONE)  # an address may hold a password
    redis_ttl_seconds: int = Field(7 * 24 * 3600, ge=1)
    online_store: SecretStr = SecretStr(NONE)
    ledger: SecretStr = Field(
        default_factory=lambda settings: SecretStr(home_path("ledger.db", "sqlite:///")(settings))
    )
    host: str = Field("127.0.0.1", min_length=1)
    port: int = Field(8001, ge=0, le=65535)
    stall_seconds: float = Field(120.0, ge=60, le=3600)

    @property
    def topics(self) -> tuple[str, str, str]:
        """Input, output, dead letters."""
        return self.input_topic, self.output_topic, self.dead_letter_topic

    @field_validator("kafka_servers", mode="before")
    @classmethod
    def _split_servers(cls, value: Any) -> Any:
        return split_commas(value) or ("",)

    @field_validator("kafka_ca_file")
    @classmethod
    def _require_certificates(cls, value: Path | None) -> Path | None:
        # One client would take it for a broker that does not answer, the other would not begin.
        try:
            ssl.create_default_context(cafile=value)
        except OSError as error:
            reason = error_reason(error)
            raise ValueError(f"the file holds no certificates in PEM ({reason})") from None
        return value

    @model_validator(mode="after")
    def _require_own_certificate(self) -> Self:
        certificate, key = self.kafka_certificate_file, self.kafka_key_file
        if (certificate is None) != (key is None):
            raise ValueError(
                "a kafka_certificate_file needs a kafka_key_file, and the other way round; one file "
                "may hold both"
            )
        if certificate is None:
            return self
        if not self.kafka_security.endswith("SSL"):
            raise ValueError("a kafka_certificate_file needs a kafka_security of SSL or SASL_SSL")
        try:
            ssl.create_default_context().load_cert_chain(certificate, key, password=str)
        except OSError as error:
            raise ValueError(
                "the kafka_certificate_file and the kafka_key_file are no certificate in PEM and its "
                f"key without a password ({error_reason(error)})"
            ) from None
        return self

    @model_validator(mode="after")
    def _require_agreement(self) -> Self:
        if len(set(self.topics)) != 3:  # noqa: PLR2004
            raise ValueError("the three topics must be three: what is written must not be read")
        if self.kafka_security.startswith("SASL") and not (self.kafka_user and self.kafka_password):
            raise ValueError("SASL needs a kafka_user and a kafka_password")
        address = self.stream_redis.get_secret_value()
        if self.transport == "redis" and not address.startswith(REDIS):
            raise ValueError("the transport redis needs a stream_redis such as redis://host:6379/0")
        return self


def read_settings(environment: Mapping[str, str], **options: Any) -> StreamSettings:
    """Returns the settings that the environment sets; options of a command override it unless None.

    Raises:
        InputError: a `CHURN_` variable is unknown, or a value is not allowed.
    """
    return read_environment(
        StreamSettings,
        environment,
        program="the stream worker",
        page="docs/streaming-worker.md",
        **options,
    )
