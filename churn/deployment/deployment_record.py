"""What a deployment is to do, and what it came to: plain values for the record."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import AwareDatetime

from churn.deployment.deployment_settings import TargetName
from churn.deployment.smoke import SmokeReport
from churn.frozen_model import FrozenModel

Status = Literal["deployed", "rolled back", "dry run", "stopped"]


class DeploymentPlan(FrozenModel):
    """What is about to be done.

    Attributes:
        model: its name on the control plane.
        version: in production there.
        target: where it is to be served.
        place: the target's address, for people.
        actions: what will be done, in order: sentences and commands.
        manifests: what a cluster will be told, YAML; empty for other targets.
    """

    model: str
    version: str
    target: TargetName
    place: str
    actions: tuple[str, ...]
    manifests: str = ""

    @property
    def sentence(self) -> str:
        """The plan in words."""
        return f"{self.model} version {self.version} to {self.target}, {self.place}"


class Deployment(FrozenModel):
    """What a deployment came to.

    Attributes:
        status: deployed; rolled back because the version did not pass; what a dry run would do;
            or stopped because that was asked for.
        model: its name on the control plane.
        version: this is about; empty where a target was only stopped.
        target: where it is served.
        place: the target's address, for people.
        serving: the version that serves there now; None where none does, or nobody knows.
        at: when it ended, UTC.
        seconds: from the first change to the verdict.
        actions: what was done, in order.
        manifests: what a cluster was told, YAML.
        smoke: the smoke test; None where it did not come to that.
        reason: why it was rolled back; empty otherwise.
        sentence: all of it in words.
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

    @property
    def figures(self) -> dict[str, float]:
        """Its figures by name; empty where nothing was asked."""
        if self.smoke is None:
            return {}
        found: dict[str, float | None] = {
            "smoke_rows": self.smoke.rows,
            "smoke_faults": len(self.smoke.faults),
            "smoke_largest_difference": self.smoke.largest,
            "seconds": self.seconds,
        }
        for route in self.smoke.routes:
            found[f"smoke_median_ms{route.path.replace('/', '_')}"] = route.median_ms
        return {name: float(figure) for name, figure in found.items() if figure is not None}

    @property
    def metadata(self) -> dict[str, Any]:
        """What the model version remembers of it."""
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


def ended(plan: DeploymentPlan, at: datetime, **found: Any) -> Deployment:
    """The record of a plan that was carried out."""
    return Deployment(
        **{
            "model": plan.model,
            "version": plan.version,
            "target": plan.target,
            "place": plan.place,
            "manifests": plan.manifests,
            "at": at,
            **found,
        }
    )
