"""The service's settings, from the environment: CHURN_ and the name of a field, in capitals."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, field_validator, model_validator

from churn.errors import InputError, did_you_mean
from churn.frozen_model import FrozenModel

PREFIX = "CHURN_"
NO_LEDGER = "none"
_DIGEST = r"^[0-9a-f]{64}$"
_VERSION = r"^[A-Za-z0-9][A-Za-z0-9._+-]{0,99}$"


class Settings(FrozenModel):
    """How the service runs; docs/service.md has the table.

    Attributes:
        environment: outside development no start without an API key.
        host: address to listen on.
        port: to listen on; 0 takes a free one.
        workers: processes that answer.
        store: bundle store whose production version is served: a folder, or a URI for fsspec.
        poll_seconds: how often the store is looked at.
        canary_version: of the store; answers `canary_percent` of the customers.
        canary_percent: share of the customers that the canary answers.
        shadow_version: of the store; scores every customer for the ledger alone.
        api_keys: SHA-256 digests of the keys that are let in, comma-separated.
        api_key_file: a file of such digests, one a line; read again when it changes.
        max_body_bytes: of a request about one customer.
        max_batch_bytes: of a batch.
        max_batch_rows: customers in a batch.
        max_concurrency: requests at once in one worker; more are answered 503.
        ledger: database of predictions and outcomes, or `none`.
        ledger_queue: predictions that may wait to be written; more are dropped and counted.
        ledger_flush_seconds: how long a prediction waits at most before it is written.
        drain_seconds: how long a worker goes on answering after SIGTERM before it closes.
        stop_seconds: how long it then waits for requests that have begun.
        access_log: whether requests that went well are logged, too.
    """

    environment: Literal["development", "production"] = "development"
    host: str = Field("127.0.0.1", min_length=1)
    port: int = Field(8000, ge=0, le=65535)
    workers: int = Field(1, ge=1, le=64)
    store: str = Field(".churn/production", min_length=1)
    poll_seconds: float = Field(1.0, ge=0.05, le=3600)
    canary_version: Annotated[str, Field(pattern=_VERSION)] | None = None
    canary_percent: float = Field(0.0, ge=0, le=100)
    shadow_version: Annotated[str, Field(pattern=_VERSION)] | None = None
    api_keys: tuple[Annotated[str, Field(pattern=_DIGEST)], ...] = ()
    api_key_file: str | None = None
    max_body_bytes: int = Field(2 * 2**20, ge=1024)
    max_batch_bytes: int = Field(32 * 2**20, ge=1024)
    max_batch_rows: int = Field(10_000, ge=1)
    max_concurrency: int = Field(256, ge=1)
    ledger: str = Field("sqlite:///.churn/ledger.db", min_length=1)
    ledger_queue: int = Field(20_000, ge=1)
    ledger_flush_seconds: float = Field(0.25, ge=0.01, le=60)
    drain_seconds: float = Field(0.0, ge=0, le=300)
    stop_seconds: float = Field(20.0, ge=0.1, le=600)
    access_log: bool = False

    @field_validator("api_keys", mode="before")
    @classmethod
    def _listed(cls, value: Any) -> Any:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @model_validator(mode="after")
    def _agreeing(self) -> Settings:
        if self.canary_percent and self.canary_version is None:
            raise ValueError("a canary_percent needs a canary_version")
        return self

    @property
    def keyed(self) -> bool:
        """Whether callers need a key."""
        return bool(self.api_keys) or self.api_key_file is not None


def read_settings(environment: Mapping[str, str], **asked: Any) -> Settings:
    """The settings that the environment names, under those asked for on the command line.

    Args:
        environment: variables; those that do not begin with CHURN_ are not looked at.
        asked: fields of `Settings`; None where nothing was asked.

    Raises:
        InputError: a variable is unknown, a value is not allowed, or a key is needed and none is
            there.
    """
    found: dict[str, Any] = {}
    for name, value in environment.items():
        if not name.startswith(PREFIX):
            continue
        field = name[len(PREFIX) :].lower()
        if field not in Settings.model_fields or name != PREFIX + field.upper():
            raise InputError(_unknown(name))
        found[field] = value
    found |= {field: value for field, value in asked.items() if value is not None}
    try:
        settings = Settings.model_validate(found)
    except ValidationError as error:
        first = error.errors()[0]
        field = str(first["loc"][0]) if first["loc"] else ""
        name = f"{PREFIX}{field.upper()}" if field else "The settings"
        raise InputError(
            f"{name} cannot be used: {first['msg']}. docs/service.md lists every setting and what "
            "it allows."
        ) from None
    if settings.environment != "development" and not settings.keyed:
        raise InputError(
            "Outside development the service does not start without an API key. Run `python -m "
            "service.keys new` and put the digest it prints into CHURN_API_KEYS or a file named by "
            "CHURN_API_KEY_FILE."
        )
    return settings


def _unknown(name: str) -> str:
    known = [PREFIX + field.upper() for field in Settings.model_fields]
    near = did_you_mean(name.upper(), known)
    hint = f"did you mean {near}?" if near else f"known are {', '.join(known)}."
    return f"The environment sets {name}, which is no setting of the service; {hint}"
