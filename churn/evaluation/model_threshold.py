"""The decision threshold on the scale of the model itself, where a bundle applies it."""

from __future__ import annotations

from scipy.special import expit, logit

from churn.evaluation.threshold import ThresholdReport


def model_threshold(report: ThresholdReport) -> float:
    """The model's own probability that corresponds to the chosen threshold.

    The threshold was chosen after recalibration, which is a rising line on the log-odds; going back
    along that line contacts exactly the same customers.
    """
    correction = report.recalibration.map
    if correction.identity:
        return report.threshold
    raw = (logit(report.threshold) - correction.intercept) / correction.slope
    return float(expit(raw))
