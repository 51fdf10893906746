"""Seldon's wire formats around the real scorer: Core 2's V2 and Core 1's jsonData.

tests/service/seldon asks the real servers; this one takes their place where a rollout is tested. It serves
what the manifests that were applied last point to. Argument: the stand-in kubectl's folder.
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


def applied(folder: Path) -> str:
    """Where the bundle lies that the last applied manifests name."""
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
        self._say({})

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if "inputs" in asked:
            assert self.path == f"/v2/models/{self.headers['Seldon-Model']}/infer"
            scores = score_tensors(self.scorer, {x["name"]: x["data"] for x in asked["inputs"]})
            data = [float(each) + self.off_by for each in scores.probability]
            tensor = {"name": "probability", "shape": [len(data)], "datatype": "FP64", "data": data}
            told = {"bundle_version": scores.version}
            self._say({"model_version": "1", "parameters": told, "outputs": [tensor]})
            return
        assert self.path == "/api/v1.0/predictions"
        scores = score_document(self.scorer, asked["jsonData"])
        rows = [
            {"probability": float(each) + self.off_by, "version": scores.version}
            for each in scores.probability
        ]
        self._say({"jsonData": {"customers": rows}})

    def _say(self, content: Any) -> None:
        body = json.dumps(content).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Says nothing."""


if __name__ == "__main__":
    kept = Path(sys.argv[1])
    Handler.scorer = Scorer.load(applied(kept))
    Handler.off_by = float((kept / "off-by").read_text()) if (kept / "off-by").exists() else 0.0
    server = HTTPServer(("127.0.0.1", 0), Handler)
    told = {"event": "listening", "port": server.server_port}
    sys.stderr.write(json.dumps(told) + "\n")
    sys.stderr.flush()
    server.serve_forever()
