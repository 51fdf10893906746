"""Settings of the retraining loop."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from churn.frozen_model import FrozenSettings
from churn.monitoring.policy import RetrainingPolicy
from churn.profile import Profile, require_own_registry
from churn.settings.features import Day
from churn.settings.pipelines import ApprovalSettings, DataSettings, NamedModel, OutputSettings
from churn.settings.retraining_rules import LoopRules


class RunSettings(FrozenSettings):
    """What the pipelines of a loop get besides what the loop itself says, by their own keys.

    Attributes:
        features: whether, and how, features are built; None: they are not.
        training: such as `{candidates: [logistic, gbm]}`.
        promotion: such as `{latency_budget_ms: 10}`.
        deployment: such as `{target: compose}`.
    """

    features: dict[str, Any] | None = None
    training: dict[str, Any] = Field(default_factory=dict)
    promotion: dict[str, Any] = Field(default_factory=dict)
    deployment: dict[str, Any] = Field(default_factory=dict)


class RetrainingSettings(FrozenSettings):
    """Settings of the retraining loop.

    Attributes:
        profile: as training has it.
        data: the new labelled snapshot; a shift against the accepted table is news.
        as_of: the day of the snapshot, where its rows have no date; empty: not known.
        outcome_days: how many days after a row's date its outcome is known.
        model: which model.
        trigger: `by hand`, because a person asks; or `policy`, where the policy's rules decide.
        person: who asks by hand; empty: who is logged in.
        policy: which rules ask for a retraining, and how often there may be one.
        switches: the file with kill switch and maintenance windows, relative to the project.
        rules: shadow, canary, approval and probation.
        approve: a person's approval of the challenger.
        runs: more settings of the pipelines that a loop runs.
        ledger: a database address; empty for the stack's, or SQLite in the output folder.
        output: where files go.
    """

    profile: Profile = "full"
    data: DataSettings = DataSettings(on_shift="report")
    as_of: Day = ""
    outcome_days: Annotated[int, Field(ge=0, le=3660)] = 0
    model: NamedModel = NamedModel()
    trigger: Literal["by hand", "policy"] = "by hand"
    person: str = ""
    policy: RetrainingPolicy = RetrainingPolicy()
    switches: Annotated[str, Field(min_length=1)] = "configs/switches/retraining.yaml"
    rules: LoopRules = LoopRules()
    approve: ApprovalSettings = ApprovalSettings()
    runs: RunSettings = RunSettings()
    ledger: str = ""
    output: OutputSettings = OutputSettings()

    @model_validator(mode="after")
    def _demo_keeps_apart(self) -> Self:
        require_own_registry(self.profile, self.model.name)
        return self
