"""Fake of ZenML's deployer: the same command, the real scorer behind the same route."""

from __future__ import annotations

import argparse
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from churn.errors import ChurnError
from deployment.production_scorer import load_scorer
from deployment.zenml_deployments import ZenmlDeployment


class FakeZenml:
    """Deployments and commands of the fake.

    Attributes:
        deployments: by name.
        commands: every command, in order.
        off_by: what is added to each probability from the next deployment on.
        broken: whether the next deployment fails.
    """

    def __init__(self) -> None:
        self.deployments: dict[str, ZenmlDeployment] = {}
        self.commands: list[str] = []
        self.off_by = 0.0
        self.broken = False
        self._servers: dict[str, ThreadingHTTPServer] = {}

    def find(self, name: str) -> ZenmlDeployment | None:
        return self.deployments.get(name)

    def stop(self, name: str) -> bool:
        server = self._servers.pop(name, None)
        if server is not None:
            server.shutdown()
            server.server_close()
        return self.deployments.pop(name, None) is not None

    def program(self, python: str, *first: str, display_name: str) -> FakeZenml:
        """Replaces the class `Program`; the fake is the program itself."""
        assert python
        self._prefix = (display_name, *first)
        return self

    def command_line(self, *arguments: str) -> str:
        return "$ " + " ".join((*self._prefix, *arguments))

    def run(self, *arguments: str) -> str:
        self.commands.append(" ".join(arguments))
        parser = argparse.ArgumentParser()
        for option in ("--stack", "--store", "--name", "--state"):
            parser.add_argument(option)
        parser.add_argument("--port", type=int, default=0)
        parser.add_argument("--keyed", action="store_true")
        options = parser.parse_args(arguments[1:])
        self.stop(options.name)
        if self.broken:
            raise ChurnError("The command failed: it is broken.")
        self._serve(options)
        return ""

    def close(self) -> None:
        for name in list(self.deployments):
            self.stop(name)

    def _serve(self, options: argparse.Namespace) -> None:
        key = f"key-{len(self.commands)}" if options.keyed else None
        scorer, off_by = load_scorer(options.store), self.off_by

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._respond(200, None)

            def do_POST(self) -> None:
                if key and self.headers["Authorization"] != f"Bearer {key}":
                    return self._respond(401, {"detail": "no key"})
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                answer = scorer.answer(body["parameters"]["customer"])
                answer["probability"] += off_by
                return self._respond(200, {"success": True, "outputs": {"customer_score": answer}})

            def log_message(self, *arguments: Any) -> None: ...

            def _respond(self, status: int, content: Any) -> None:
                sent = json.dumps(content).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(sent)))
                self.end_headers()
                self.wfile.write(sent)

        server = ThreadingHTTPServer(("127.0.0.1", options.port), Handler)
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        self._servers[options.name] = server
        self.deployments[options.name] = ZenmlDeployment(
            name=options.name,
            address=f"http://127.0.0.1:{server.server_port}",
            key=key,
            store=options.store,
            stack=options.stack,
            running=True,
        )
