"""Why a database refused, in words that may be shown."""

from __future__ import annotations

from sqlalchemy import URL


def database_reason(error: BaseException, url: URL) -> str:
    """The driver's first line, without what the address keeps secret."""
    cause = getattr(error, "orig", None) or error
    strerror = cause.strerror if isinstance(cause, OSError) else None
    said = cause.args[1] if len(cause.args) > 1 and isinstance(cause.args[1], str) else str(cause)
    text = (strerror or said or type(cause).__name__).strip().partition("\n")[0]
    secrets = [
        url.password,
        *(value for values in url.normalized_query.values() for value in values),
    ]
    for secret in filter(None, secrets):
        text = text.replace(str(secret), "***")
    return text.rstrip(". ")
