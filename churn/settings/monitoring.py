"""Settings of the monitoring pipeline."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from churn.frozen_model import FrozenSettings
from churn.ledger.settled_outcomes import OutcomeSettings
from churn.monitoring.alarms import AlarmPolicy
from churn.profile import Profile, require_own_registry
from churn.retention.value_settings import ValueSettings
from churn.settings.pipelines import ContractSettings, NamedModel, OutputSettings, VersionName
from churn.settings.prometheus import PrometheusSettings


class ResolveSettings(FrozenSettings):
    """Who closes the open alarm before the window is checked, and why.

    Attributes:
        person: their name; empty: nobody.
        note: why.
    """

    person: str = ""
    note: str = ""


class MonitoringSettings(FrozenSettings):
    """Which window is compared with which version, and how often an alarm may be false.

    Attributes:
        profile: `demo` for a model that was trained with it.
        data: the business, by which an empty model name is found.
        model: which model.
        version: of the model; empty for the one in production.
        batch: address of a table, as docs/sources.md lists them; empty for the inputs that were kept.
        days: of the kept inputs, the last so many whole days in UTC.
        source: of the kept inputs: `service`, `stream` or `batch`; empty for all.
        inputs: where inputs are kept; empty for `inputs` in the output folder.
        alarms: the year's level.
        classifier: whether to train a classifier as well.
        value: what the estimated consequence in money assumes.
        outcomes: which predictions are measured by their outcomes.
        resolve: who closes the open alarm.
        prometheus: where the figures go.
        ledger: a database address; empty for the stack's, or SQLite in the output folder.
        output: where files go.
    """

    profile: Profile = "full"
    data: ContractSettings = ContractSettings()
    model: NamedModel = NamedModel()
    version: VersionName = ""
    batch: str = ""
    days: Annotated[int, Field(ge=1, le=366)] = 7
    source: Literal["", "service", "stream", "batch"] = ""
    inputs: str = ""
    alarms: AlarmPolicy = AlarmPolicy()
    classifier: bool = True
    value: ValueSettings = ValueSettings()
    outcomes: OutcomeSettings = OutcomeSettings()
    resolve: ResolveSettings = ResolveSettings()
    prometheus: PrometheusSettings = PrometheusSettings()
    ledger: str = ""
    output: OutputSettings = OutputSettings()

    @model_validator(mode="after")
    def _demo_keeps_apart(self) -> Self:
        require_own_registry(self.profile, self.model.name)
        return self
