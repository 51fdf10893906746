"""Settings of monitoring: whose model, and how often an alarm may be false."""

from __future__ import annotations

from churn.frozen_model import FrozenSettings
from churn.monitoring.alarms import AlarmPolicy
from churn.settings.pipelines import ContractSettings, OutputSettings


class MonitoringSettings(FrozenSettings):
    """Settings of monitoring.

    Attributes:
        data: the contract of the model that is watched.
        alarms: how often an alarm may be false.
        classifier: whether a classifier is trained to tell a window from the reference; it sees
            what no single column shows, and costs most of a check.
        output: where files go.
    """

    data: ContractSettings = ContractSettings()
    alarms: AlarmPolicy = AlarmPolicy()
    classifier: bool = True
    output: OutputSettings = OutputSettings()
