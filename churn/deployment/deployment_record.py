"""Plan and record of a deployment: plain values for artifacts, metadata and the ledger."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal, Self

from pydantic import AwareDatetime

from churn.deployment.deployment_settings import TargetName
from churn.deployment.smoke import SmokeReport
from churn.frozen_model import FrozenModel

Status = Literal["deployed", "rolled back", "dry run", "stopped"]


class DeploymentPlan(FrozenModel):
    """What a deployment will do.

    Attributes:
        version: Version in production on the Model Control Plane.
        place: The target's address, for people.
        actions: What will be done, in order: sentences and commands.
        manifests: YAML that will be applied to a cluster; empty for other targets.
    """

    model: str
    version: str
    target: TargetName
    place: str
    actions: tuple[str, ...]
    manifests: str = ""

    @property
    def sentence(self) -> str:
        """The plan in a sentence."""
        return f"{self.model} version {self.version} to {self.target}, {self.place}"


class Deployment(FrozenModel):
    """Record of a deployment.

    Attributes:
        status: deployed; rolled back because the version did not pass; dry run, nothing changed;
            or stopped, as requested.
        version: Version that was deployed; empty where a target was only stopped.
        place: The target's address, for people.
        serving: Version that serves there now; None where none does, or nobody knows.
        at: When it ended, UTC.
        seconds: From the first change to the verdict.
        smoke: Smoke test; None where it was not run.
        reason: Why it was rolled back; empty otherwise.
    """

    status: Status
    model: str
    version: str
    target: TargetName
    place: str
    serving: str | None
    at: AwareDatetime
    seconds: float
    actions: tuple[str, ...]
    manifests: str = ""
    smoke: SmokeReport | None = None
    reason: str = ""
    sentence: str

    @classmethod
    def from_plan(cls, plan: DeploymentPlan, at: datetime, **result: Any) -> Self:
        """Returns the record of a plan that ended at `at`; `result` overrides what the plan says."""
        planned = plan.model_dump(exclude={"actions"})
        return cls(**{**planned, "at": at, **result})

    @property
    def figures(self) -> dict[str, float]:
        """Name -> figure of the smoke test; empty where it was not run."""
        if self.smoke is None:
            return {}
        figures: dict[str, float | None] = {
            "smoke_rows": self.smoke.rows,
            "smoke_faults": len(self.smoke.faults),
            "smoke_largest_difference": self.smoke.largest,
            "seconds": self.seconds,
        }
        for route in self.smoke.routes:
            figures[f"smoke_median_ms{route.path.replace('/', '_')}"] = route.median_ms
        return {name: float(figure) for name, figure in figures.items() if figure is not None}

    @property
    def metadata(self) -> dict[str, Any]:
        """Metadata of the model version."""
        return {
            "status": self.status,
            "target": self.target,
            "address": self.place,
            "version": self.version,
            "serving": self.serving or "nothing",
            "at": self.at.isoformat(timespec="seconds"),
            "smoke": self.figures,
            "reason": self.reason or "none",
        }
