"""The worker's settings, from the environment: CHURN_ and the name of a field, in capitals."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import (
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)

from churn.errors import InputError, did_you_mean
from churn.frozen_model import FrozenModel

PREFIX = "CHURN_"
NOTHING = "none"
_SERVER = r"^[^\s,:]+:[0-9]{1,5}$"
_TOPIC = r"^[A-Za-z0-9._-]{1,249}$"
_VERSION = r"^[A-Za-z0-9][A-Za-z0-9._+-]{0,99}$"


class Settings(FrozenModel):
    """How the worker runs; docs/streaming.md has the table.

    Attributes:
        kafka_servers: brokers to begin with, host:port, comma-separated.
        kafka_security: how the brokers are spoken to.
        kafka_mechanism: how the worker logs in, where `kafka_security` says SASL.
        kafka_user: who it logs in as.
        kafka_password: with which password.
        kafka_ca_file: certificates that brokers are held against, where it says SSL; None for the
            system's own.
        input_topic: customers, as JSON.
        output_topic: their scores, keyed by customer.
        dead_letter_topic: what could not be scored, with the reason.
        group: workers of one group share the partitions.
        instance: this worker's own name in the group, where it has one that no other has: started
            again within `session_seconds`, it goes on with its partitions at once.
        batch_messages: scored at once, at most.
        max_message_bytes: of a message and its key; larger ones are rejected.
        session_seconds: a worker that is silent for so long loses its partitions to the others.
        redis: address of the latest scores, or `none`.
        redis_ttl_seconds: how long a score stays there.
        store: bundle store whose production version scores: a folder, or a URI for fsspec.
        poll_seconds: how often the store is looked at.
        canary_version: of the store; scores `canary_percent` of the customers.
        canary_percent: share of the customers that the canary scores.
        shadow_version: of the store; scores every customer for the ledger alone.
        ledger: database of predictions, or `none`.
        host: address of the probes and figures.
        port: theirs; 0 takes a free one.
        stall_seconds: a worker that does not move for so long is no longer alive.
    """

    kafka_servers: tuple[Annotated[str, Field(pattern=_SERVER)], ...] = ("127.0.0.1:9092",)
    kafka_security: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    kafka_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = "SCRAM-SHA-512"
    kafka_user: str | None = None
    kafka_password: SecretStr | None = None
    kafka_ca_file: str | None = None
    input_topic: str = Field("churn-customers", pattern=_TOPIC)
    output_topic: str = Field("churn-scores", pattern=_TOPIC)
    dead_letter_topic: str = Field("churn-rejected", pattern=_TOPIC)
    group: str = Field("churn-stream", min_length=1, max_length=200)
    instance: str | None = Field(None, pattern=_TOPIC)
    batch_messages: int = Field(500, ge=1, le=10_000)
    # Kafka's own limit is 1 MiB with everything; a rejected message goes back with its reason.
    max_message_bytes: int = Field(256 * 2**10, ge=1024, le=900 * 2**10)
    session_seconds: float = Field(45.0, ge=6, le=300)
    redis: SecretStr = SecretStr(NOTHING)  # an address may hold a password
    redis_ttl_seconds: int = Field(7 * 24 * 3600, ge=1)
    store: str = Field(".churn/production", min_length=1)
    poll_seconds: float = Field(1.0, ge=0.05, le=3600)
    canary_version: Annotated[str, Field(pattern=_VERSION)] | None = None
    canary_percent: float = Field(0.0, ge=0, le=100)
    shadow_version: Annotated[str, Field(pattern=_VERSION)] | None = None
    ledger: SecretStr = SecretStr("sqlite:///.churn/ledger.db")
    host: str = Field("127.0.0.1", min_length=1)
    port: int = Field(8001, ge=0, le=65535)
    stall_seconds: float = Field(120.0, ge=60, le=3600)

    @field_validator("kafka_servers", mode="before")
    @classmethod
    def _listed(cls, value: Any) -> Any:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip()) or ("",)
        return value

    @model_validator(mode="after")
    def _agreeing(self) -> Settings:
        if len({self.input_topic, self.output_topic, self.dead_letter_topic}) != 3:  # noqa: PLR2004
            raise ValueError("the three topics must be three: what is written must not be read")
        if self.canary_percent and self.canary_version is None:
            raise ValueError("a canary_percent needs a canary_version")
        if self.kafka_security.startswith("SASL") and not (self.kafka_user and self.kafka_password):
            raise ValueError("SASL needs a kafka_user and a kafka_password")
        return self


def read_settings(environment: Mapping[str, str]) -> Settings:
    """The settings that the environment names.

    Args:
        environment: variables; those that do not begin with CHURN_ are not looked at.

    Raises:
        InputError: a variable is unknown, or a value is not allowed.
    """
    found: dict[str, Any] = {}
    for name, value in environment.items():
        if not name.startswith(PREFIX):
            continue
        field = name[len(PREFIX) :].lower()
        if field not in Settings.model_fields or name != PREFIX + field.upper():
            raise InputError(_unknown(name))
        found[field] = value
    try:
        return Settings.model_validate(found)
    except ValidationError as error:
        first = error.errors()[0]
        field = str(first["loc"][0]) if first["loc"] else ""
        name = f"{PREFIX}{field.upper()}" if field else "The settings"
        raise InputError(
            f"{name} cannot be used: {first['msg']}. docs/streaming.md lists every setting and what "
            "it allows."
        ) from None


def _unknown(name: str) -> str:
    known = [PREFIX + field.upper() for field in Settings.model_fields]
    near = did_you_mean(name.upper(), known)
    hint = f"did you mean {near}?" if near else f"known are {', '.join(known)}."
    return f"The environment sets {name}, which is no setting of the stream worker; {hint}"
