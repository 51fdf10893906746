"""Stands between a client and a server, and goes away and comes back as a test tells it to."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress

_READ = 1 << 16


class Relay:
    """Hands bytes on in both directions, on an address that stays the same.

    Attributes:
        port: where clients find the server.
    """

    def __init__(self, port: int) -> None:
        self._behind = ("127.0.0.1", port)
        self._open: list[socket.socket] = []
        self._listener: socket.socket | None = None
        self.port = 0
        self.come_back()

    def go_away(self) -> None:
        """Cuts every connection and refuses new ones."""
        listener, self._listener = self._listener, None
        for each in filter(None, [listener, *self._open]):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()
        self._open.clear()

    def come_back(self) -> None:
        """Listens, where it did before."""
        self._listener = socket.create_server(("127.0.0.1", self.port))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def _accept(self, listener: socket.socket) -> None:
        with suppress(OSError):  # it was closed
            while True:
                client, _ = listener.accept()
                server = socket.create_connection(self._behind)
                self._open += [client, server]
                for ends in ((client, server), (server, client)):
                    threading.Thread(target=_hand_on, args=ends, daemon=True).start()


def _hand_on(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):  # either side was closed
        while data := source.recv(_READ):
            target.sendall(data)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)
