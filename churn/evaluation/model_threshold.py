"""The decision threshold on the scale of the model itself, where a bundle applies it."""

from __future__ import annotations

from scipy.special import expit, logit

from churn.evaluation.threshold import ThresholdReport

_MARGIN = 1e-12


def model_threshold(report: ThresholdReport) -> float:
    """Returns the model's own probability that corresponds to the chosen threshold.

    The threshold was chosen after recalibration, which is a rising line on the log-odds; going back
    along that line contacts exactly the same customers.
    """
    correction = report.recalibration.map
    if correction.identity:
        return report.threshold
    raw = (logit(report.threshold) - correction.intercept) / correction.slope
    # Both conversions round; the margin keeps a customer exactly at the threshold selected.
    return float(expit(raw)) * (1 - _MARGIN)
