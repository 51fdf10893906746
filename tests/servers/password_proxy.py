"""A reverse proxy that asks for a password in front of a server that asks for none; for tests.

Started by `python -m uvicorn password_proxy:app`. PROXY_BEHIND is the address of the server,
PROXY_USER and PROXY_PASSWORD are the only credentials that are accepted.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import httpx

Message = MutableMapping[str, Any]

_HOP = {b"connection", b"keep-alive", b"transfer-encoding", b"content-length", b"host"}
_client = httpx.AsyncClient(timeout=120, limits=httpx.Limits(max_connections=50))


async def app(
    scope: Message,
    receive: Callable[[], Awaitable[Message]],
    send: Callable[[Message], Awaitable[None]],
) -> None:
    """Forwards a request that carries the password; answers 401 to any other."""
    if scope["type"] != "http":
        return
    expected = f"{os.environ['PROXY_USER']}:{os.environ['PROXY_PASSWORD']}".encode()
    headers = dict(scope["headers"])
    known = headers.get(b"authorization") == b"Basic " + base64.b64encode(expected)
    if not known and scope["path"] != "/health":
        await _answer(send, 401, [(b"www-authenticate", b"Basic")], b"a password is needed")
        return
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            break
    query = f"?{scope['query_string'].decode()}" if scope["query_string"] else ""
    answer = await _client.request(
        scope["method"],
        f"{os.environ['PROXY_BEHIND']}{scope['raw_path'].decode()}{query}",
        headers=[(n, v) for n, v in scope["headers"] if n not in _HOP | {b"authorization"}],
        content=body,
    )
    kept = [(n.lower(), v) for n, v in answer.headers.raw if n.lower() not in _HOP]
    kept = [(n, v) for n, v in kept if n != b"content-encoding"]  # httpx has decoded it
    await _answer(send, answer.status_code, kept, answer.content)


async def _answer(
    send: Callable[[Message], Awaitable[None]],
    status: int,
    headers: list[tuple[bytes, bytes]],
    body: bytes,
) -> None:
    length = [(b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers + length})
    await send({"type": "http.response.body", "body": body})
