"""Outcome of a run as plain values: for the summary at its end and for `--json`."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from churn.checks.validators.validator_report import ValidatorReport
    from churn.deployment.deployment_record import Deployment
    from churn.promotion.decision import Decision
    from churn.promotion.promotion_outcome import PromotionOutcome
    from churn.reports.training.training_report import TrainingReport
    from churn.run_result import RunResult

Status = Literal["completed", "held", "refused", "failed", "interrupted"]

_JSON_FIELDS = (
    "pipeline", "status", "run_id", "stack", "seconds", "model_version", "stage", "metrics",
    "artifacts", "dashboard", "error",
)  # fmt: skip


@dataclass(frozen=True)
class Outcome:
    """Outcome of a run; the fields up to `report` make the JSON object.

    Attributes:
        status: completed; held by a gate; refused because of the input; failed; interrupted.
        run_id: ZenML's id of the run; None if none was started.
        run_name: ZenML's name of the run; not part of the JSON object.
        seconds: Wall seconds from the start of the run itself, imports left out.
        stage: Stage of the registered model version on the Model Control Plane.
        metrics: Figures by dotted name.
        artifacts: Artifact name -> id, version, uri.
        dashboard: Address of the run's page, if a ZenML server is connected.
        error: Why it did not complete.
        report: The page to read.
        result: What a pipeline without a model has done.
        validated: Report of the stack's data validator; `validator_page` shows it.
        tracking: Address of the stack's experiment tracker.
        cached: Steps whose results came from the cache, with their findings.
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
    result: RunResult | None = None
    validated: ValidatorReport | None = None
    validator_page: Path | None = None
    tracking: str | None = None
    cached: dict[str, str] = field(default_factory=dict)

    @property
    def exit_code(self) -> int:
        """Exit code of the process."""
        codes = {"completed": 0, "failed": 1, "refused": 2, "held": 3, "interrupted": 130}
        return codes[self.status]

    def as_json(self) -> dict[str, Any]:
        """Returns the object that `--json` prints."""
        verdict = getattr(self.result, "verdict", None)
        return {name: getattr(self, name) for name in _JSON_FIELDS} | {
            "seconds": round(self.seconds, 3),
            "report": str(self.report) if self.report else None,
            "result": self.result.model_dump(mode="json") if self.result else None,
            **({"verdict": verdict} if verdict else {}),
        }
