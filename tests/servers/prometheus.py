"""Debian's Prometheus with the shipped alert rules, hurried: what waits minutes there waits a second."""

from __future__ import annotations

import re
from pathlib import Path

import httpx
import yaml

from tests.servers.process import Server, free_port, program

RULES = Path(__file__).parents[2] / "deployment" / "manifests" / "prometheus" / "alerts.yml"
_INTERVAL = "250ms"
_FOR = "1s"
_RANGE = "4s"


class Prometheus:
    """It scrapes the servers of a test; its time series begin with them."""

    def __init__(self, folder: Path, **ports: int) -> None:
        """Starts it; `ports` are those of jobs, with `_` for `-`."""
        folder.mkdir()
        (folder / "alerts.yml").write_text(_hurry(RULES.read_text()))
        jobs = [
            {
                "job_name": job.replace("_", "-"),
                "static_configs": [{"targets": [f"127.0.0.1:{number}"]}],
            }
            for job, number in ports.items()
        ]
        times = {"scrape_interval": _INTERVAL, "evaluation_interval": _INTERVAL}
        settings = {"global": times, "rule_files": ["alerts.yml"], "scrape_configs": jobs}
        (folder / "prometheus.yml").write_text(yaml.safe_dump(settings))
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        command = [program("prometheus"), f"--config.file={folder / 'prometheus.yml'}",
                   f"--storage.tsdb.path={folder / 'data'}",
                   f"--web.listen-address=127.0.0.1:{port}"]  # fmt: skip
        self._server = Server("Prometheus", command, folder / "log")
        self._server.wait(self._answers)

    def firing(self) -> set[str]:
        """Names of the alerts that fire now."""
        answer = httpx.get(f"{self.url}/api/v1/alerts", timeout=30).json()
        alerts = answer["data"]["alerts"]
        return {each["labels"]["alertname"] for each in alerts if each["state"] == "firing"}

    def series(self, expression: str) -> int:
        """How many series an expression has now; its ranges are hurried, too."""
        answer = httpx.get(
            f"{self.url}/api/v1/query", params={"query": _hurry(expression)}, timeout=30
        ).json()
        assert answer["status"] == "success", f"{expression}: {answer['error']}"
        return len(answer["data"]["result"])

    def scraped(self) -> bool:
        """Whether every target was scraped and every rule evaluated since."""
        answer = httpx.get(f"{self.url}/api/v1/query?query=count_over_time(up[1m])", timeout=30)
        counts = [float(each["value"][1]) for each in answer.json()["data"]["result"]]
        return bool(counts) and min(counts) > 12

    def stop(self) -> None:
        self._server.stop()

    def _answers(self) -> bool:
        try:
            return httpx.get(f"{self.url}/-/ready", timeout=5).is_success
        except httpx.TransportError:
            return False


def _hurry(rules: str) -> str:
    hurried = re.sub(r"for: \d+m", f"for: {_FOR}", rules)
    return re.sub(r"\[\d+[mh]\]", f"[{_RANGE}]", hurried).replace(", 86400)", ", 10)")
