"""Where the figures of a run go for Prometheus."""

from __future__ import annotations

from churn.frozen_model import FrozenSettings


class PrometheusSettings(FrozenSettings):
    """Where a run's figures go for Prometheus, besides MLflow.

    Attributes:
        folder: that node_exporter's textfile collector reads; empty for `metrics` in the output
            folder.
        pushgateway: address of a Pushgateway, such as http://127.0.0.1:9091; empty for none.
    """

    folder: str = ""
    pushgateway: str = ""
