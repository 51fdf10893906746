"""What a run came to, as plain values: for the table at its end and for `--json`."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from churn.checks.validators.validator_report import ValidatorReport
    from churn.deployment.deployment_record import Deployment
    from churn.promotion import Decision
    from churn.promotion.pair import PromotionOutcome
    from churn.reports.training.training_report import TrainingReport

Status = Literal["completed", "held", "refused", "failed", "interrupted"]

_TOLD = (
    "pipeline",
    "status",
    "run_id",
    "stack",
    "seconds",
    "model_version",
    "stage",
    "metrics",
    "artifacts",
    "dashboard",
    "error",
)


@dataclass(frozen=True)
class Outcome:
    """A run's end.

    Attributes:
        pipeline: Which pipeline ran.
        status: completed; held by a gate; refused because of the input; failed; interrupted.
        run_id: ZenML's id of the run; None where none was started.
        run_name: ZenML's name of it.
        stack: The stack it ran on.
        seconds: Wall seconds from the start of the run itself, imports left out.
        model_version: The registered version.
        stage: Its stage on the Model Control Plane.
        metrics: Figures by dotted name.
        artifacts: Artifact name -> id, version, uri.
        dashboard: The run's page, where a ZenML server is connected.
        error: Why it did not complete.
        report: The page to read.
        training: What a training run found; not part of the JSON object.
        decision: What the promotion gates came to; not part of it either.
        promotion: What followed from a promotion or a rollback; not part of it either.
        validated: What the stack's data validator found; not part of it either.
        validator_page: The page about that.
        deployment: What a deployment came to; not part of it either.
        tracking: Where the stack's tracker keeps the run; not part of the JSON object.
        cached: Steps that came from the cache, with what they had found; not part of it either.
    """

    pipeline: str
    status: Status
    stack: str
    run_id: str | None = None
    run_name: str | None = None
    seconds: float = 0.0
    model_version: str | None = None
    stage: str | None = None
    metrics: dict[str, float] = field(default_factory=dict)
    artifacts: dict[str, dict[str, str]] = field(default_factory=dict)
    dashboard: str | None = None
    error: str | None = None
    report: Path | None = None
    training: TrainingReport | None = None
    decision: Decision | None = None
    promotion: PromotionOutcome | None = None
    deployment: Deployment | None = None
    validated: ValidatorReport | None = None
    validator_page: Path | None = None
    tracking: str | None = None
    cached: dict[str, str] = field(default_factory=dict)

    @property
    def exit_code(self) -> int:
        """What the process ends with."""
        return {"completed": 0, "failed": 1, "refused": 2, "held": 3, "interrupted": 130}[
            self.status
        ]

    def as_json(self) -> dict[str, Any]:
        """The object that `--json` prints."""
        shown = {name: getattr(self, name) for name in _TOLD}
        return shown | {
            "seconds": round(self.seconds, 3),
            "report": str(self.report) if self.report else None,
        }
