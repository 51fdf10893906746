"""Sends one JSON message to a webhook: signed, tried again where that can help, never raising.

An address of a webhook is a secret (Slack's carries its key), so no log ever holds more of it than
the host's name.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPException, InvalidURL
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

SIGNATURE = "X-Churn-Signature"

_LOG = logging.getLogger("churn.progress")
_BUSY = 429
_FAULT_OF_THE_SERVER = 500


@dataclass(frozen=True)
class Webhook:
    """Where to, and how patiently.

    Attributes:
        url: The address.
        secret: What the message is signed with; None leaves the signature out.
        timeout_seconds: How long one try may take.
        retries: How many tries follow a failed one.
        backoff_seconds: The wait before the first of them; it doubles each time.
    """

    url: str
    secret: str | None = None
    timeout_seconds: float = 5.0
    retries: int = 2
    backoff_seconds: float = 0.5


def signature(secret: str, body: bytes) -> str:
    """What the receiver compares: `sha256=` and the HMAC-SHA256 of the body, in hex."""
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def send(webhook: Webhook, payload: Mapping[str, Any]) -> bool:
    """POSTs the payload; False, and one line in the log, where it did not arrive.

    What the receiver refuses (4xx, except 429) is not tried again: it would refuse it again.
    """
    body = json.dumps(payload, ensure_ascii=False, allow_nan=False).encode()
    headers = {"Content-Type": "application/json; charset=utf-8"}
    if webhook.secret:
        headers[SIGNATURE] = signature(webhook.secret, body)
    trouble, wait = "", webhook.backoff_seconds
    tries = 0
    for tries in range(1, webhook.retries + 2):
        trouble, worth_it = _try(webhook, body, headers)
        if not trouble:
            return True
        if not worth_it or tries > webhook.retries:
            break
        time.sleep(wait)
        wait *= 2
    told = "once" if tries == 1 else f"{tries} times"
    _LOG.warning(
        f"The alert was not delivered: the webhook at {_host(webhook.url)} was tried {told} and "
        f"{trouble}; no run depends on it.",
        extra={"step": "alert", "event": "warned"},
    )
    return False


class _NoRedirect(HTTPRedirectHandler):
    """A webhook that moved is told of, not followed: a message goes where it was meant to."""

    def redirect_request(self, *_: Any) -> None:
        """Follows nowhere."""


def _try(webhook: Webhook, body: bytes, headers: Mapping[str, str]) -> tuple[str, bool]:
    """What went wrong, '' for nothing; and whether another try could go better.

    With the standard library, because httpx and urllib3 write whole addresses into their logs.
    """
    late = f"gave no answer within {webhook.timeout_seconds:g} s"
    if not webhook.url.startswith(("http://", "https://")):
        return "is no http or https address", False
    try:
        request = Request(webhook.url, data=body, headers=dict(headers), method="POST")  # noqa: S310
        with build_opener(_NoRedirect).open(request, timeout=webhook.timeout_seconds):
            return "", False
    except HTTPError as error:
        with error:
            again = error.code == _BUSY or error.code >= _FAULT_OF_THE_SERVER
            return f"answered {error.code}", again
    except TimeoutError:
        return late, True
    except (InvalidURL, ValueError):
        return "is no http or https address", False
    except (OSError, HTTPException) as error:
        reason = getattr(error, "reason", error)
        if isinstance(reason, TimeoutError):
            return late, True
        return f"could not be reached ({type(reason).__name__})", True


def _host(url: str) -> str:
    """The host's name alone: path and query of a webhook's address are its key."""
    try:
        return urlsplit(url).hostname or "an address without a host"
    except ValueError:
        return "an address that is none"
