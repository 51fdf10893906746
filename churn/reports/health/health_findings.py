"""What the pictures of a model's health show, each in a sentence."""

from __future__ import annotations

from churn.reports.health.model_health import ModelHealth


def headline(health: ModelHealth) -> str:
    """The state in one sentence, the title of the page."""
    if incident := health.open_incident:
        since = f"An alarm is open since {incident.raised.checked_at:%Y-%m-%d}"
        return f"{since}: {_names(incident.moved)} moved" if incident.moved else since
    newest = health.checks[-1]
    if newest.result.finding == "ok":
        return f"No alarm is open, and the check of {newest.checked_at:%Y-%m-%d} found nothing"
    return (
        f"No alarm is open; the check of {newest.checked_at:%Y-%m-%d} says {newest.result.finding}"
    )


def drift_finding(health: ModelHealth) -> str:
    """How often the customers differed from the training rows."""
    watched = sum(check.result.finding == "watch" for check in health.checks)
    alarms = len(health.incidents)
    return (
        f"{watched} of {len(health.checks)} windows differ from the training rows; "
        f"{alarms} {'alarm' if alarms == 1 else 'alarms'}"
    )


def score_finding(health: ModelHealth) -> str:
    """Where the scores lie, and where they lay."""
    first, last = health.periods[0].median, health.periods[-1].median
    if len(health.periods) == 1:
        return f"Half of the customers score below {last:.0%}"
    return f"The median score was {first:.0%} in the first week and is {last:.0%} in the last"


def outcome_finding(health: ModelHealth) -> str:
    """Whether as many leave as was predicted."""
    off, known = sum(each.off for each in health.known), len(health.known)
    if not off:
        return f"As many left as was predicted, in all {known} weeks whose outcomes are known"
    return (
        f"In {off} of {known} weeks another share left than was predicted; chance alone gives one "
        "in 20"
    )


def auc_finding(health: ModelHealth) -> str:
    """Whether the model ranks as its scores say; those are blind to changes of behaviour."""
    if not health.judged:
        return "No outcomes yet: the ROC-AUC by the scores, if customers behave as before"
    worst = min(health.judged, key=lambda each: each.roc_auc.area if each.roc_auc else 1.0)
    assert worst.roc_auc is not None  # noqa: S101 - judged weeks have one
    said = f"ROC-AUC was lowest in the week of {worst.start}: {worst.roc_auc.area:.2f}"
    if worst.estimated is None:
        return said
    return f"{said}; by the scores {worst.estimated.value:.2f} was expected"


def _names(moved: tuple[str, ...]) -> str:
    shown = ", ".join(moved[:2])
    return shown if len(moved) <= 2 else f"{shown} and {len(moved) - 2} more"  # noqa: PLR2004
