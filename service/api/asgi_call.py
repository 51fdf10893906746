"""A whole request as a call of an ASGI application, whose answer goes to the connection."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, cast

from starlette.requests import Request

from service.api.http_connection import HttpConnection
from service.api.http_request import Answer, HttpRequest, encode_head

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
AsgiApplication = Callable[[Scope, Receive, Send], Awaitable[None]]


class AsgiCall:
    """One call.

    Attributes:
        scope: of the request; its state holds `request_id`, and `own_id` for a prediction.
        status: of the answer; 0 until it has begun.
        is_complete: whether the answer has been sent.
    """

    def __init__(self, connection: HttpConnection, request: HttpRequest) -> None:
        self._connection = connection
        self._request = request
        self._was_received = False
        self._headers: list[tuple[bytes, bytes]] = []
        self._head_was_sent = self._is_chunked = False
        self.status = 0
        self.is_complete = False
        self.scope: Scope = {
            "type": "http",
            # From 2.4 on `send` raises OSError if the caller is gone, so nothing need watch for it.
            "asgi": {"version": "3.0", "spec_version": "2.4"},
            "http_version": request.version,
            # A head is a GET's answer without the body, which is left out below.
            "method": "GET" if request.method == "HEAD" else request.method,
            "scheme": "http",
            "path": request.path,
            "raw_path": request.url.partition(b"?")[0],
            "query_string": request.query,
            "root_path": "",
            "headers": request.headers,
            "client": None,
            "server": None,
            "state": {"request_id": request.request_id, "own_id": request.own_id},
        }

    async def receive(self) -> Message:
        """Gives the whole body, then waits until the caller is gone."""
        if not self._was_received:
            self._was_received = True
            return {"type": "http.request", "body": self._request.body, "more_body": False}
        await self._connection.gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        """Sends the answer, or a part of it.

        Raises:
            OSError: the caller is gone.
        """
        if self._connection.is_lost:
            raise OSError("The caller is gone.")
        if self.is_complete:
            return
        if message["type"] == "http.response.start":
            self.status = message["status"]
            identity = (b"x-request-id", self._request.request_id.encode())
            self._headers = [*message["headers"], identity]
            return
        body, more = message.get("body", b""), message.get("more_body", False)
        if more or self._head_was_sent:
            await self._send_part(body, more=more)
            return
        if b"content-length" not in dict(self._headers):
            self._headers.append((b"content-length", b"%d" % len(body)))
        self._connection.send_answer(Answer(self.status, self._headers, body))
        self.is_complete = True

    async def _send_part(self, body: bytes, *, more: bool) -> None:
        head = b"" if self._head_was_sent else self._begin()
        if self._request.method == "HEAD":
            body = b""
        elif self._is_chunked:
            body = b"%x\r\n%b\r\n" % (len(body), body) if body else b""
            body += b"" if more else b"0\r\n\r\n"
        self._connection.send(head + body)
        if more:
            await self._connection.drain()
        else:
            self.is_complete = True
            self._connection.finish()

    def _begin(self) -> bytes:
        """Returns the head; an answer of unknown length comes in chunks, or ends with the connection."""
        self._head_was_sent = True
        if self._request.version == "1.1" and b"content-length" not in dict(self._headers):
            self._is_chunked = True
            self._headers.append((b"transfer-encoding", b"chunked"))
        return encode_head(self.status, self._connection.completed_headers(self._headers))


async def read_body(request: Request) -> bytes:
    """Returns the body of a request, which an `AsgiCall` gives whole; Starlette would put parts together."""
    return cast(bytes, (await request.receive())["body"])
