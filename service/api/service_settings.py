"""Settings of the HTTP service, from the environment; docs/service.md has the table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator

from churn.errors import InputError
from service.core.environment_settings import (
    InputSettings,
    LedgerSettings,
    OnlineStoreSettings,
    StoreSettings,
    home_path,
    read_environment,
    split_commas,
)

_ORIGIN = r"^https?://[a-z0-9.\-\[\]:]+$"  # as browsers send it: no path, no star, lower case
_DIGEST = r"^[0-9a-f]{64}$"


class ServiceSettings(OnlineStoreSettings, InputSettings, LedgerSettings, StoreSettings):
    """How the service runs.

    Attributes:
        environment: outside development no start without an API key.
        host: address to listen on.
        port: to listen on; 0 takes a free one.
        workers: processes that answer.
        api_keys: SHA-256 digests of the keys of callers, comma-separated.
        api_key_file: a file of such digests, one a line; read again when it changes.
        max_body_bytes: most bytes of a request about one customer.
        max_batch_bytes: most bytes of a batch, of outcomes or of tensors.
        max_batch_rows: customers in a batch.
        max_outcome_requests: requests in one worker that wait until their outcomes are written; more
            are answered 503.
        max_concurrency: requests that one worker answers at once; more are answered 503.
        max_connections: connections of one worker; beyond, the one that was waited for longest goes.
        head_seconds: how long the head of a request may take.
        body_seconds: how long a body may take, and how long a caller may not read its answer.
        short_path: whether scores take the short path; their answers are the same without it.
        ledger: database of predictions and outcomes, or `none`.
        ledger_queue: predictions that may wait to be written; more are dropped and counted.
        ledger_flush_seconds: how long a prediction waits at most before it is written.
        drain_seconds: how long a worker goes on answering after SIGTERM before it closes.
        stop_seconds: how long it then waits for requests that have begun.
        access_log: whether successful requests are logged, too.
        cors_origins: origins of web pages that may ask, comma-separated.
    """

    environment: Literal["development", "production"] = "development"
    host: str = Field("127.0.0.1", min_length=1)
    port: int = Field(8000, ge=0, le=65535)
    workers: int = Field(1, ge=1, le=64)
    api_keys: tuple[Annotated[str, Field(pattern=_DIGEST)], ...] = ()
    api_key_file: str | None = Field(None, min_length=1)
    max_body_bytes: int = Field(64 * 2**10, ge=1024)
    max_batch_bytes: int = Field(8 * 2**20, ge=1024)
    max_batch_rows: int = Field(10_000, ge=1)
    max_concurrency: int = Field(256, ge=1)
    max_outcome_requests: int = Field(32, ge=1)
    max_connections: int = Field(512, ge=1)
    head_seconds: float = Field(10.0, ge=0.1, le=600)
    body_seconds: float = Field(30.0, ge=0.1, le=600)
    short_path: bool = True
    ledger: str = Field(default_factory=home_path("ledger.db", "sqlite:///"), min_length=1)
    ledger_queue: int = Field(20_000, ge=1)
    ledger_flush_seconds: float = Field(0.25, ge=0.01, le=60)
    drain_seconds: float = Field(0.0, ge=0, le=300)
    stop_seconds: float = Field(20.0, ge=0.1, le=600)
    access_log: bool = False
    cors_origins: tuple[Annotated[str, Field(pattern=_ORIGIN)], ...] = ()

    _split_origins = field_validator("cors_origins", mode="before")(split_commas)

    @field_validator("api_keys", mode="before")
    @classmethod
    def _split_keys(cls, value: Any) -> Any:
        keys = split_commas(value)
        if isinstance(value, str) and not keys:
            # Whoever sets it wants keys; without this, everybody could ask.
            raise ValueError("it is set and lists no key; unset it where no key is needed")
        return keys

    @property
    def keyed(self) -> bool:
        """Whether callers need a key."""
        return bool(self.api_keys) or self.api_key_file is not None


def read_settings(environment: Mapping[str, str], **options: Any) -> ServiceSettings:
    """Returns the settings that the environment sets.

    `options` are fields set on the command line; they override the environment unless None.

    Raises:
        InputError: a `CHURN_` variable is unknown, a value is not allowed, or a key is needed and
            there is none.
    """
    settings = read_environment(
        ServiceSettings, environment, program="the service", page="docs/service.md", **options
    )
    if settings.environment != "development" and not settings.keyed:
        raise InputError(
            "Outside development the service does not start without an API key. Run `python -m "
            "service.keys new` and put the digest it prints into CHURN_API_KEYS or a file named by "
            "CHURN_API_KEY_FILE."
        )
    return settings
