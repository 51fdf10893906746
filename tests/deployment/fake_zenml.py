"""A deployer that stands in for ZenML's: the same command, the real scorer behind the same route."""

from __future__ import annotations

import argparse
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from churn.errors import ChurnError
from deployment.load_scorer import load_scorer
from deployment.zenml_deployments import ZenmlDeployment


class FakeZenml:
    """What ZenML has deployed, and what the command was told.

    Attributes:
        deployments: by name.
        told: every command, in order.
        off_by: what is added to each probability from the next deployment on.
        broken: whether the next deployment fails.
    """

    def __init__(self) -> None:
        self.deployments: dict[str, ZenmlDeployment] = {}
        self.told: list[str] = []
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

    def program(self, python: str, *first: str, called: str) -> FakeZenml:
        """In the place of `Program`: asked for a command, it is itself the program."""
        assert python
        self._spoken = (called, *first)
        return self

    def spoken(self, *words: str) -> str:
        return "$ " + " ".join((*self._spoken, *words))

    def run(self, *words: str) -> str:
        self.told.append(" ".join(words))
        parser = argparse.ArgumentParser()
        for option in ("--stack", "--store", "--name", "--state"):
            parser.add_argument(option)
        parser.add_argument("--port", type=int, default=0)
        parser.add_argument("--keyed", action="store_true")
        asked = parser.parse_args(words[1:])
        self.stop(asked.name)
        if self.broken:
            raise ChurnError("The command failed: it is broken.")
        self._serve(asked)
        return ""

    def close(self) -> None:
        for name in list(self.deployments):
            self.stop(name)

    def _serve(self, asked: argparse.Namespace) -> None:
        key = f"key-{len(self.told)}" if asked.keyed else None
        scorer, off_by = load_scorer(asked.store), self.off_by

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._answer(200, None)

            def do_POST(self) -> None:
                if key and self.headers["Authorization"] != f"Bearer {key}":
                    return self._answer(401, {"detail": "no key"})
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                answer = scorer.answer(body["parameters"]["customer"])
                answer["probability"] += off_by
                return self._answer(200, {"success": True, "outputs": {"customer_score": answer}})

            def log_message(self, *words: Any) -> None: ...

            def _answer(self, status: int, content: Any) -> None:
                sent = json.dumps(content).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(sent)))
                self.end_headers()
                self.wfile.write(sent)

        server = ThreadingHTTPServer(("127.0.0.1", asked.port), Handler)
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        self._servers[asked.name] = server
        self.deployments[asked.name] = ZenmlDeployment(
            name=asked.name,
            address=f"http://127.0.0.1:{server.server_port}",
            key=key,
            store=asked.store,
            stack=asked.stack,
            running=True,
        )
