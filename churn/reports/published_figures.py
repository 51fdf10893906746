"""A run's figures on their way to Prometheus: a file for node_exporter, a push to a Pushgateway, or both."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from prometheus_client import CollectorRegistry, push_to_gateway, write_to_textfile

from churn.errors import error_reason
from churn.settings.prometheus import PrometheusSettings

_SECONDS = 10.0


@dataclass(frozen=True)
class PublishedFigures:
    """The figures of a run.

    Attributes:
        job: of the Pushgateway.
        key: of the figures within the job; those of another key stay.
        name: of the file, without its ending.
        registry: the figures.
    """

    job: str
    key: Mapping[str, str]
    name: str
    registry: CollectorRegistry

    def publish(self, settings: PrometheusSettings, folder: str) -> str:
        """Writes the file, and pushes where a gateway is named.

        A place that cannot be reached is named, and costs the run nothing: it has its result already.

        Args:
            settings: name the places.
            folder: for the file where the settings name none.

        Returns:
            Where the figures went, in a sentence.
        """
        said = []
        try:
            path = self.write(Path(settings.folder or folder).expanduser())
            said.append(f"written to {path}")
        except OSError as error:
            said.append(f"not written: {error_reason(error)}")
        if settings.pushgateway:
            try:
                self.push(settings.pushgateway)
                said.append(f"pushed to {settings.pushgateway}")
            except (OSError, ValueError) as error:
                said.append(f"not pushed to {settings.pushgateway}: {error_reason(error)}")
        return "; ".join(said)

    def write(self, folder: Path) -> Path:
        """Writes the file, whole or not at all.

        Raises:
            OSError: it cannot be written.
        """
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{self.name}.prom"
        write_to_textfile(str(path), self.registry)
        return path

    def push(self, gateway: str) -> None:
        """Pushes the figures.

        Raises:
            OSError: the gateway does not answer, or refuses.
        """
        push_to_gateway(
            gateway,
            job=self.job,
            grouping_key=dict(self.key),
            registry=self.registry,
            timeout=_SECONDS,
        )
