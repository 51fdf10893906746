"""Sends one JSON message to a webhook: signed, retried where that can help, never raising.

The URL of a webhook is a secret (Slack's contains its key), so a log contains only its host name.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPException, InvalidURL
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from stacks.flavors.delivery import deliver

SIGNATURE = "X-Churn-Signature"

_TOO_MANY_REQUESTS = 429
_SERVER_ERROR = 500


@dataclass(frozen=True)
class Webhook:
    """Settings of a delivery.

    Attributes:
        url: The URL.
        secret: Key of the signature; None sends no signature.
        timeout_seconds: Timeout of one attempt.
        retries: Number of attempts after a failed one.
        backoff_seconds: Delay before the first of them; it doubles each time.
    """

    url: str
    secret: str | None = None
    timeout_seconds: float = 5.0
    retries: int = 2
    backoff_seconds: float = 0.5


def signature(secret: str, body: bytes) -> str:
    """Returns `sha256=` and the HMAC-SHA256 of the body, in hex.

    Example:
        >>> signature("key", b"{}")[:15]
        'sha256=a777724d'
    """
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def send(webhook: Webhook, payload: Mapping[str, Any]) -> bool:
    """POSTs the payload; returns whether it was delivered, and logs one line where it was not.

    A refusal (4xx, except 429) is not retried: it would be refused again.
    """
    body = json.dumps(payload, ensure_ascii=False, allow_nan=False).encode()
    headers = {"Content-Type": "application/json; charset=utf-8"}
    if webhook.secret:
        headers[SIGNATURE] = signature(webhook.secret, body)
    return deliver(
        lambda: _attempt(webhook, body, headers),
        f"the webhook at {_host(webhook.url)}",
        retries=webhook.retries,
        backoff_seconds=webhook.backoff_seconds,
    )


class _NoRedirect(HTTPRedirectHandler):
    """Redirects are errors: a message is sent only to the configured URL."""

    def redirect_request(self, *_: Any) -> None:
        """Follows no redirect."""


def _attempt(webhook: Webhook, body: bytes, headers: Mapping[str, str]) -> tuple[str, bool]:
    """Returns the problem, empty for none, and whether another attempt may succeed.

    Uses the standard library, because httpx and urllib3 log whole URLs.
    """
    timed_out = f"gave no answer within {webhook.timeout_seconds:g} s"
    if not webhook.url.startswith(("http://", "https://")):
        return "is no http or https address", False
    try:
        request = Request(webhook.url, data=body, headers=dict(headers), method="POST")  # noqa: S310
        with build_opener(_NoRedirect).open(request, timeout=webhook.timeout_seconds):
            return "", False
    except HTTPError as error:
        with error:
            again = error.code == _TOO_MANY_REQUESTS or error.code >= _SERVER_ERROR
            return f"answered {error.code}", again
    except TimeoutError:
        return timed_out, True
    except (InvalidURL, ValueError):
        return "is no http or https address", False
    except (OSError, HTTPException) as error:
        reason = getattr(error, "reason", error)
        if isinstance(reason, TimeoutError):
            return timed_out, True
        return f"could not be reached ({type(reason).__name__})", True


def _host(url: str) -> str:
    """Returns the host name alone: path and query of a webhook's URL contain its key."""
    try:
        return urlsplit(url).hostname or "an address without a host"
    except ValueError:
        return "an address that is none"
