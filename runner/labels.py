"""What a list of a hundred runs shows of each: tags to scan and filter by, figures to compare.

A run's name tells pipeline, profile and time, and cannot change; what it came to is only known at
its end. So it is put beside the name then: tags for what has few values, metadata for figures.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from churn.errors import one_line
from runner.outcome import Outcome

if TYPE_CHECKING:
    from zenml import Tag
    from zenml.models import PipelineRunResponse

_LOG = logging.getLogger("churn.progress")
_PLACES = 4
_COLOURS = {
    "promote": "green",
    "promoted": "green",
    "deployed": "green",
    "restored": "blue",
    "hold": "yellow",
    "waiting": "yellow",
    "reject": "red",
    "kept back": "red",
    "rolled back": "red",
}


def label(run: PipelineRunResponse, outcome: Outcome) -> None:
    """Puts a run's outcome beside its name, and describes a fresh version.

    What the run came to stands, labels or no labels: where they cannot be put, that is only said.

    Args:
        run: The finished run.
        outcome: What it came to.
    """
    try:
        _label(run, outcome)
    except Exception as error:  # noqa: BLE001 - ZenML's own, and those of whatever keeps its data
        reason = one_line(f"{type(error).__name__}: {error}")
        _LOG.warning(
            "the run could not be labelled: %s", reason, extra={"step": "labels", "event": "warned"}
        )


def _label(run: PipelineRunResponse, outcome: Outcome) -> None:
    from zenml import log_metadata
    from zenml.client import Client
    from zenml.utils.tag_utils import add_tags

    add_tags(tags=[_tag(*each) for each in tags(outcome)], run=run.id)
    log_metadata(summary(outcome), run_id_name_or_prefix=run.id)
    report = outcome.training
    if report is None or outcome.model_version is None:
        return
    version = Client().get_model_version(report.model_name, outcome.model_version)
    # A fresh version only repeats what its model is; a cached rerun ends at one that says more.
    if version.description in (None, "", version.model.description):
        Client().update_model_version(
            report.model_name,
            version.id,
            description=describe(outcome),
            add_tags=[report.selection.chosen, report.profile],
        )


def tags(outcome: Outcome) -> list[tuple[str, str]]:
    """Kind and value of each tag; none has more values than a person can choose from."""
    found = [("stack", outcome.stack)]
    if outcome.training is not None:
        found.append(("model", outcome.training.selection.chosen))
    if outcome.promotion is not None:
        found.append(("outcome", outcome.promotion.status))
    elif outcome.decision is not None:
        found.append(("verdict", outcome.decision.verdict))
    if outcome.deployment is not None:
        found.append(("target", outcome.deployment.target))
        found.append(("outcome", outcome.deployment.status))
    return found


def summary(outcome: Outcome) -> dict[str, Any]:
    """The figures worth comparing, in the order in which they are read."""
    found: dict[str, Any] = {}
    report = outcome.training
    if report is not None:
        result = report.figure.result
        found["model"] = report.selection.chosen
        found["roc_auc"] = round(result.metrics.roc_auc, _PLACES)
        if result.roc_auc_interval is not None:
            found["roc_auc_interval"] = result.roc_auc_interval.span()
        found["gate_rows_roc_auc"] = round(report.gate_rows.metrics.roc_auc, _PLACES)
        found["calibration_error"] = round(report.gate_rows.metrics.ece, _PLACES)
        found["rows"] = report.data.rows
        found["data_sha256"] = report.data.sha256[:12]
    if outcome.decision is not None:
        found["verdict"] = outcome.decision.verdict
    ended = outcome.promotion or outcome.deployment
    if ended is not None:
        found["outcome"] = ended.status
        found["sentence"] = ended.sentence
    if outcome.model_version is not None:
        found["model_version"] = outcome.model_version
        found["stage"] = outcome.stage or "none"
    found["stack"] = outcome.stack
    found["seconds"] = round(outcome.seconds, 1)
    return found


def describe(outcome: Outcome) -> str:
    """A trained version in one line, for the list of versions."""
    report = outcome.training
    if report is None:
        return ""
    result = report.figure.result
    span = f" ({result.roc_auc_interval.span()})" if result.roc_auc_interval else ""
    return (
        f"{report.selection.chosen}: ROC-AUC {result.metrics.roc_auc:.4f}{span}, "
        f"verdict {report.decision.verdict}; profile {report.profile}, "
        f"{report.data.rows:,} customers of data {report.data.sha256[:8]}"
    )


def _tag(kind: str, value: str) -> Tag:
    from zenml import Tag
    from zenml.enums import ColorVariants

    return Tag(name=f"{kind}: {value}", color=ColorVariants(_COLOURS.get(value, "grey")))
