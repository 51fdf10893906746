"""Seldon's wire formats around the real scorer: Core 2's V2 and Core 1's jsonData.

tests/service/seldon tests the real servers; this one replaces them in tests of a rollout. It serves
the bundle that the manifests applied last point to. Argument: folder of the fake kubectl.
"""

from __future__ import annotations

import json
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import yaml

from churn.scoring import Scorer
from service.seldon.customers import score_document, score_tensors


def applied_bundle(folder: Path) -> str:
    """Returns the address of the bundle that the manifests applied last point to."""
    number = max(int(path.name[6:]) for path in folder.glob("stdin-*"))
    for each in yaml.safe_load_all((folder / f"stdin-{number}").read_text(encoding="utf-8")):
        if each["kind"] == "Model":
            return f"{each['spec']['storageUri']}/bundle"
        if each["kind"] == "SeldonDeployment":
            (parameter,) = each["spec"]["predictors"][0]["graph"]["parameters"]
            return str(parameter["value"])
    raise LookupError(f"nothing applied in {folder} serves")


class Handler(BaseHTTPRequestHandler):
    """Answers as Seldon would."""

    scorer: Scorer
    off_by: float

    def do_GET(self) -> None:
        self._respond({})

    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if "inputs" in request:
            assert self.path == f"/v2/models/{self.headers['Seldon-Model']}/infer"
            scores = score_tensors(self.scorer, {x["name"]: x["data"] for x in request["inputs"]})
            data = [float(each) + self.off_by for each in scores.probability]
            tensor = {"name": "probability", "shape": [len(data)], "datatype": "FP64", "data": data}
            parameters = {"bundle_version": scores.version}
            self._respond({"model_version": "1", "parameters": parameters, "outputs": [tensor]})
            return
        assert self.path == "/api/v1.0/predictions"
        scores = score_document(self.scorer, request["jsonData"])
        rows = [
            {"probability": float(each) + self.off_by, "version": scores.version}
            for each in scores.probability
        ]
        self._respond({"jsonData": {"customers": rows}})

    def _respond(self, content: Any) -> None:
        body = json.dumps(content).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Logs nothing."""


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    Handler.scorer = Scorer.load(applied_bundle(folder))
    Handler.off_by = float((folder / "off-by").read_text()) if (folder / "off-by").exists() else 0.0
    server = HTTPServer(("127.0.0.1", 0), Handler)
    event = {"event": "listening", "port": server.server_port}
    sys.stderr.write(json.dumps(event) + "\n")
    sys.stderr.flush()
    server.serve_forever()
