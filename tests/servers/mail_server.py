"""A mail server: a real SMTP conversation on a free port. A folder's conftest imports its fixture."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest


@dataclass
class MailServer:
    """Keeps what it takes, and answers as a test says.

    Attributes:
        port: Its port.
        answers: Command -> its answers, one a use; the usual one when they run out.
        messages: What it took.
        commands: Every line of every conversation, without the messages.
        hold: Set to release a command whose answer is empty.
    """

    port: int = 0
    answers: dict[str, list[str]] = field(default_factory=dict)
    messages: list[str] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)
    hold: threading.Event = field(default_factory=threading.Event)

    def answer(self, command: str) -> str:
        """The answer to a command."""
        usual = {"": "220 mail.test", "EHLO": "250-mail.test\r\n250 AUTH PLAIN", "DATA": "354 go on",
                 "QUIT": "221 bye", "AUTH": "235 welcome"}  # fmt: skip
        prepared = self.answers.get(command)
        return prepared.pop(0) if prepared else usual.get(command, "250 fine")


@pytest.fixture
def mail_server() -> Iterator[MailServer]:
    """One for a single test."""
    kept = MailServer()

    class Handler(socketserver.StreamRequestHandler):
        def say(self, command: str) -> None:
            if said := kept.answer(command):
                self.wfile.write(f"{said}\r\n".encode())
            else:
                kept.hold.wait(60)

        def handle(self) -> None:
            self.say("")
            while line := self.rfile.readline().decode().rstrip():
                kept.commands.append(line)
                command = line.split()[0].upper()
                self.say(command)
                if command == "DATA":
                    lines = iter(lambda: self.rfile.readline().decode().rstrip("\r\n"), ".")
                    message = "\n".join(lines)
                    if (said := kept.answer("message"))[0] == "2":
                        kept.messages.append(message)
                    self.wfile.write(f"{said}\r\n".encode())
                if command == "QUIT":
                    return

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        allow_reuse_address = True

    with Server(("127.0.0.1", 0), Handler) as server:
        kept.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        yield kept
        kept.hold.set()
        server.shutdown()
        thread.join(10)
