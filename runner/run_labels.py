"""Labels of runs for long lists: tags to filter by, metadata with the figures to compare.

A run's name has pipeline, profile and time, and cannot change; the outcome is only known at its end.
So it is added then: tags for what has few values, metadata for figures.
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
    "unchanged": "blue",
    "hold": "yellow",
    "waiting": "yellow",
    "reject": "red",
    "kept back": "red",
    "rolled back": "red",
}


def label_run(run: PipelineRunResponse, outcome: Outcome) -> None:
    """Adds tags and metadata to a run, and a description to a new model version.

    If that fails, the run keeps its outcome, and a warning is logged.
    """
    try:
        _label_run(run, outcome)
    except Exception as error:  # noqa: BLE001 - ZenML's own, and those of whatever keeps its data
        reason = one_line(f"{type(error).__name__}: {error}")
        _LOG.warning(
            "the run could not be labelled: %s", reason, extra={"step": "labels", "event": "warned"}
        )


def _label_run(run: PipelineRunResponse, outcome: Outcome) -> None:
    from zenml import log_metadata
    from zenml.client import Client
    from zenml.utils.tag_utils import add_tags

    add_tags(tags=[_tag(*each) for each in run_tags(outcome)], run=run.id)
    log_metadata(metadata=run_metadata(outcome), run_id_name_or_prefix=run.id)
    report = outcome.training
    if report is None or outcome.model_version is None:
        return
    version = Client().get_model_version(report.model_name, outcome.model_version)
    # A new version repeats its model's description; a cached rerun ends at one that says more.
    if version.description in (None, "", version.model.description):
        Client().update_model_version(
            report.model_name,
            version.id,
            description=version_description(outcome),
            add_tags=[report.selection.chosen, report.profile],
        )


def run_tags(outcome: Outcome) -> list[tuple[str, str]]:
    """Returns kind and value of each tag; none has more values than a person can choose from."""
    tags = [("stack", outcome.stack)]
    if outcome.training is not None:
        tags.append(("model", outcome.training.selection.chosen))
    if outcome.promotion is not None:
        tags.append(("outcome", outcome.promotion.status))
    elif outcome.decision is not None:
        tags.append(("verdict", outcome.decision.verdict))
    if outcome.deployment is not None:
        tags.append(("target", outcome.deployment.target))
        tags.append(("outcome", outcome.deployment.status))
    if outcome.result is not None:
        tags.append(("outcome", outcome.result.status))
    return tags


def run_metadata(outcome: Outcome) -> dict[str, Any]:
    """Returns the figures worth comparing, in the order in which they are read."""
    metadata: dict[str, Any] = {}
    report = outcome.training
    if report is not None:
        figure = report.figure.result
        metadata["model"] = report.selection.chosen
        metadata["roc_auc"] = round(figure.metrics.roc_auc, _PLACES)
        if figure.roc_auc_interval is not None:
            metadata["roc_auc_interval"] = figure.roc_auc_interval.span()
        metadata["gate_rows_roc_auc"] = round(report.gate_rows.metrics.roc_auc, _PLACES)
        metadata["calibration_error"] = round(report.gate_rows.metrics.ece, _PLACES)
        metadata["rows"] = report.data.rows
        metadata["data_sha256"] = report.data.sha256[:12]
    if outcome.decision is not None:
        metadata["verdict"] = outcome.decision.verdict
        metadata["outcome"] = outcome.decision.status
    metadata |= outcome.result.figures if outcome.result is not None else {}
    result = outcome.promotion or outcome.deployment or outcome.result
    if result is not None:
        metadata["outcome"] = result.status
        metadata["sentence"] = result.sentence
    if outcome.model_version is not None:
        metadata["model_version"] = outcome.model_version
        metadata["stage"] = outcome.stage or "none"
    metadata["stack"] = outcome.stack
    metadata["seconds"] = round(outcome.seconds, 1)
    return metadata


def version_description(outcome: Outcome) -> str:
    """Returns a trained version in one line, for the list of versions."""
    report = outcome.training
    if report is None:
        return ""
    result = report.figure.result
    span = f" ({result.roc_auc_interval.span()})" if result.roc_auc_interval else ""
    return (
        f"{report.selection.chosen}: ROC-AUC {result.metrics.roc_auc:.4f}{span}, "
        f"{report.decision.status}; profile {report.profile}, "
        f"{report.data.rows:,} customers of data {report.data.sha256[:8]}"
    )


def _tag(kind: str, value: str) -> Tag:
    from zenml import Tag
    from zenml.enums import ColorVariants

    return Tag(name=f"{kind}: {value}", color=ColorVariants(_COLOURS.get(value, "grey")))
