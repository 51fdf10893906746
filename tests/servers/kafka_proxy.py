"""Stands between a client and a broker, and answers or alters what a test tells it to."""

from __future__ import annotations

import socket
import socketserver
import struct
import threading
from collections.abc import Callable
from typing import Any

from kafka.protocol.metadata import FindCoordinatorResponse, MetadataResponse
from kafka.protocol.producer import ProduceRequest, ProduceResponse


class KafkaProxy:
    """The only broker that its clients see.

    Attributes:
        address: host and port.
        answers: request class -> function that answers such a request, or returns None to hand it on.
        changes: response class -> function that changes such a response of the broker.
        last: request classes after whose answer the connection is closed; both arrive together.
    """

    def __init__(self, address: str) -> None:
        host, port = address.split(":")
        self._broker = host, int(port)
        self.answers: dict[Any, Callable[[Any], Any]] = {}
        self.changes: dict[Any, Callable[[Any], None]] = {}
        self.last: set[Any] = set()
        serve = self._serve

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                serve(self.request)

        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._host, self._port = self._server.server_address
        self.address = f"{self._host}:{self._port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _serve(self, client: socket.socket) -> None:
        with socket.create_connection(self._broker) as broker:
            while request := _read_frame(client):
                api, version, correlation = struct.unpack(">hhi", request[:8])
                answer = self._answer(api, version, correlation, request)
                if answer is None:
                    _write_frame(broker, request)
                    answer = self._change(api, version, _read_frame(broker))
                if not answer:
                    return
                if is_last := any(api == kind.API_KEY for kind in self.last):
                    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 1)
                _write_frame(client, answer)
                if is_last:
                    return

    def _answer(self, api: int, version: int, correlation: int, request: bytes) -> bytes | None:
        for kind, answer in list(self.answers.items()):
            if api == kind.API_KEY:
                response = answer(kind.decode(request, version=version, header=True))
                if response is not None:
                    response.API_VERSION = version
                    response.with_header(correlation)
                    return response.encode(header=True)
        return None

    def _change(self, api: int, version: int, answer: bytes) -> bytes:
        own = {MetadataResponse: self._take_place, FindCoordinatorResponse: self._take_place}
        for kind, change in [*own.items(), *self.changes.items()]:
            if answer and api == kind.API_KEY:
                response = kind.decode(answer, version=version, header=True)
                change(response)
                answer = response.encode(header=True)
        return answer

    def _take_place(self, response: Any) -> None:
        """Puts the proxy's address where a response names the broker's."""
        places = response.brokers if isinstance(response, MetadataResponse) else [response]
        for place in getattr(response, "coordinators", None) or places:
            place.host, place.port = self._host, self._port


def refuse_messages(topic: str, code: int) -> dict[Any, Callable[[Any], Any]]:
    """Answers of a broker that refuses every message for a topic, with an error's code."""

    def answer(request: Any) -> Any:
        if all(each.name != topic for each in request.topic_data):
            return None
        kind = ProduceResponse.TopicProduceResponse
        return ProduceResponse(
            responses=[
                kind(
                    name=each.name,
                    partition_responses=[
                        kind.PartitionProduceResponse(
                            index=part.index, error_code=code, base_offset=-1, record_errors=[]
                        )
                        for part in each.partition_data
                    ],
                )
                for each in request.topic_data
            ],
            throttle_time_ms=0,
        )

    return {ProduceRequest: answer}


def _read_frame(connection: socket.socket) -> bytes:
    """One message of the protocol; empty at the end of the connection."""
    size = _read(connection, 4)
    return _read(connection, struct.unpack(">i", size)[0]) if size else b""


def _write_frame(connection: socket.socket, content: bytes) -> None:
    connection.sendall(struct.pack(">i", len(content)) + content)


def _read(connection: socket.socket, count: int) -> bytes:
    content = b""
    while len(content) < count:
        try:
            part = connection.recv(count - len(content))
        except OSError:
            return b""
        if not part:
            return b""
        content += part
    return content
