"""Whether the probabilities need a correction, and which one, by out-of-fold scores.

Three corrections are tried beside none: a shift of the log-odds, a line on them (Platt 1999, on
log-odds), and an isotonic step function (Zadrozny & Elkan 2002, KDD). Each is fitted on some folds
of the rows and judged on the rest. Only the shift and the line can be applied: an affine map of the
log-odds goes into the model and its bundle as two numbers, keeps the ranking, and reasons scaled by
its slope still sum to the score. Isotonic is there for comparison.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from scipy.special import expit

from churn.evaluation.calibration import Reliability, assess_calibration, calibration_line
from churn.evaluation.intervals import Interval, percentile_interval, resampled_weights
from churn.evaluation.metrics import row_log_loss, validate_predictions
from churn.evaluation.weighted import Floats, Labels
from churn.frozen_model import FrozenModel
from churn.models.recalibrated import LogitMap
from churn.retention.value_settings import ThresholdSettings

Method = Literal["none", "shift", "line", "isotonic"]
APPLICABLE: tuple[Method, ...] = ("shift", "line")

_STEEPEST = 10.0
_FLATTEST = 0.1


class RecalibrationTrial(FrozenModel):
    """One correction, judged on rows that it was not fitted on.

    Attributes:
        log_loss: mean, in nats.
        gain: log loss saved per customer against no correction; 0 for none itself.
        gain_interval: its 95% interval, customers resampled in pairs.
        reliability: calibration after it, with the noise floor.
    """

    method: Method
    log_loss: float
    gain: float
    gain_interval: Interval
    reliability: Reliability

    @property
    def helps(self) -> bool:
        """Whether it saves log loss beyond noise."""
        return self.gain_interval.lower > 0


class Recalibration(FrozenModel):
    """The corrections that were tried, and the one that is applied, fitted on all the rows."""

    trials: tuple[RecalibrationTrial, ...]
    applied: Method = "none"
    map: LogitMap = LogitMap()

    def trial(self, method: Method) -> RecalibrationTrial:
        """The trial of a method."""
        return next(each for each in self.trials if each.method == method)

    @property
    def served(self) -> RecalibrationTrial:
        """The trial of what is applied."""
        return self.trial(self.applied)

    @property
    def sentence(self) -> str:
        """The result and what is applied, in one sentence."""
        plain = self.trial("none").reliability
        judged = "within" if plain.within_noise else "beyond"
        verdict = "calibrated already" if plain.within_noise else "not calibrated"
        state = (
            f"The probabilities are {verdict}: out of fold they show a calibration error of "
            f"{plain.ece:.3f}, {judged} the {plain.noise_upper:.3f} that chance alone can show "
            f"(slope {plain.slope:.2f}, intercept {plain.intercept:+.2f})"
        )
        if self.applied == "none":
            best = max((self.trial(method) for method in APPLICABLE), key=lambda each: each.gain)
            return (
                f"{state}; no correction is applied: the better of a shift and a line changes the "
                f"log loss by {-best.gain:+.4f} (95% interval "
                f"{-best.gain_interval.upper:+.4f} to {-best.gain_interval.lower:+.4f})."
            )
        found = self.served
        return (
            f"{state}; a {self.applied} on the log-odds is applied (slope {self.map.slope:.3f}, "
            f"intercept {self.map.intercept:+.3f}): the log loss changes by {-found.gain:+.4f} "
            f"(95% interval {-found.gain_interval.upper:+.4f} to {-found.gain_interval.lower:+.4f})"
            f" and the error becomes {found.reliability.ece:.3f}."
        )


def recalibrate(target: Labels, logit: Floats, settings: ThresholdSettings) -> Recalibration:
    """Tries every correction and applies the one that helps beyond noise, if one does.

    A correction is applied where the interval of the log loss it saves lies above 0 and its
    calibration error is no larger than before; of two such, the one that saves more.

    Args:
        target: int8[n] of the development rows.
        logit: float64[n], their out-of-fold log-odds.
        settings: folds, resamplings, seed, and whether anything may be applied.

    Raises:
        InputError: only one outcome occurs.
    """
    truth, _ = validate_predictions(target, expit(logit))
    after = _held_out(truth, logit, settings)
    losses = np.stack([row_log_loss(truth, chance) for chance in after.values()])
    saved = losses[0] - losses
    means = np.concatenate(
        [
            saved @ weights / len(truth)
            for weights in resampled_weights(len(truth), settings.bootstrap_samples, settings.seed)
        ],
        axis=1,
    )
    trials = tuple(
        RecalibrationTrial(
            method=method,
            log_loss=float(losses[i].mean()),
            gain=float(saved[i].mean()),
            gain_interval=percentile_interval(means[i]),
            reliability=assess_calibration(truth, chance, seed=settings.seed),
        )
        for i, (method, chance) in enumerate(after.items())
    )
    found = Recalibration(trials=trials)
    plain = found.trial("none").reliability.ece
    tried = map(found.trial, APPLICABLE)
    helping = [each for each in tried if each.helps and each.reliability.ece <= plain]
    if settings.recalibration == "none" or not helping:
        return found
    best = max(helping, key=lambda each: each.gain).method
    return found.model_copy(update={"applied": best, "map": fitted_map(truth, logit, best)})


def fitted_map(target: Labels, logit: Floats, method: Method) -> LogitMap:
    """The shift or the line that fits best (maximum likelihood); any other method gives none.

    A slope is kept between 0.1 and 10, so that the ranking is never reversed.
    """
    if method not in APPLICABLE:
        return LogitMap()
    slope = calibration_line(target, expit(logit))[1] if method == "line" else 1.0
    slope = float(np.clip(slope, _FLATTEST, _STEEPEST))
    # With the slope held, the intercept that fits is calibration in the large.
    return LogitMap(slope=slope, intercept=calibration_line(target, expit(slope * logit))[0])


def _held_out(target: Labels, logit: Floats, settings: ThresholdSettings) -> dict[Method, Floats]:
    """Probabilities after each correction, float64[n]; no row helped to correct itself."""
    from sklearn.model_selection import StratifiedKFold

    after: dict[Method, Floats] = {
        method: np.asarray(expit(logit), dtype=np.float64)
        for method in ("none", *APPLICABLE, "isotonic")
    }
    folds = min(settings.folds, int(target.sum()), int((target == 0).sum()))
    if folds < 2:  # noqa: PLR2004 - nothing can be held out
        return after
    cuts = StratifiedKFold(n_splits=folds, shuffle=True, random_state=settings.seed)
    for seen, held_out in cuts.split(logit[:, None], target):
        for method in APPLICABLE:
            map_ = fitted_map(target[seen], logit[seen], method)
            after[method][held_out] = expit(map_.apply(logit[held_out]))
        after["isotonic"][held_out] = _isotonic(target[seen], logit[seen], logit[held_out])
    return after


def _isotonic(target: Labels, logit: Floats, unseen: Floats) -> Floats:
    from sklearn.isotonic import IsotonicRegression

    # Half a customer away from 0 and 1: a certain miss would cost an infinite log loss.
    edge = 0.5 / len(target)
    steps = IsotonicRegression(y_min=edge, y_max=1 - edge, out_of_bounds="clip")
    return np.asarray(steps.fit(logit, target).predict(unseen), dtype=np.float64)
