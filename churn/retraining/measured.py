"""Measures a challenger by the predictions and outcomes in the ledger."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np

from churn.ledger.predictions import Prediction, PredictionLedger, Role
from churn.ledger.read_outcomes import read_settled
from churn.ledger.settled_outcomes import OutcomeTiming
from churn.monitoring.estimated_performance import estimate_performance
from churn.monitoring.realised_performance import measure_realised
from churn.retraining.evidence import Compared, ProbationFacts

_DAY = timedelta(days=1)
_BATCH = "batch"
_AHEAD = timedelta(days=1)  # a prediction of a clock that is ahead counts, too


def compare_beside(
    ledger: str, *, model: str, version: str, role: Role, since: datetime, now: datetime
) -> Compared:
    """Compares a shadow or a canary with the version in production.

    Args:
        ledger: address of the ledger.
        model: its name.
        version: of the challenger.
        role: what it is beside the champion.
        since: when it began.
        now: the time.
    """
    own: dict[str, Prediction] = {}
    champion: dict[str, Prediction] = {}
    with PredictionLedger(ledger) as predictions:
        for each, _ in predictions.predictions_with_outcomes(since, now + _AHEAD):
            if each.model not in (None, model):
                continue
            if each.role == role and each.version == version:
                own[each.prediction_id] = each
            elif each.role == "production":
                champion[each.prediction_id] = each
    if role == "shadow":
        # Rows of a batch job with the challenger have no answer of the champion beside them.
        own = {name: each for name, each in own.items() if name in champion}
        missing = _missing(own, champion)
        champion = {name: champion[name] for name in own}
    else:
        missing = 0
    return Compared(
        predictions=len(own),
        missing=missing,
        mean=_mean(own),
        champion_mean=_mean(champion),
        days=(now - since) / _DAY,
    )


def _missing(own: dict[str, Prediction], champion: dict[str, Prediction]) -> int:
    """Answers that the shadow did not score since its first one; a batch job has no shadow."""
    if not own:
        return 0
    first = min(each.predicted_at for each in own.values())
    return sum(
        name not in own and each.predicted_at >= first and each.source != _BATCH
        for name, each in champion.items()
    )


def _mean(found: dict[str, Prediction]) -> float | None:
    return float(np.mean([each.probability for each in found.values()])) if found else None


def measure_probation(
    ledger: str, *, model: str, version: str, since: datetime, now: datetime, timing: OutcomeTiming
) -> ProbationFacts:
    """Measures what a version has answered in production since it was promoted."""
    with PredictionLedger(ledger) as predictions:
        settled = read_settled(predictions, since, now + _AHEAD, now=now, timing=timing)
        scores = np.array(
            [
                each.probability
                for each, _ in predictions.predictions_with_outcomes(since, now + _AHEAD)
                if _answered(each, model, version)
            ]
        )
    ours = np.array(
        [_answered(each, model, version) for each in settled.predictions], dtype=np.bool_
    )
    known = np.array([each.probability for each in settled.predictions])[ours]
    realised = measure_realised(settled.target[ours], known).untreated
    estimated = estimate_performance(scores).roc_auc
    area, rate = realised.roc_auc, realised.churn_rate
    return ProbationFacts(
        outcomes=realised.rows,
        roc_auc=area.value if area else None,
        roc_auc_upper=area.interval.upper if area else None,
        churn_rate=rate.value if rate else None,
        churn_rate_lower=rate.interval.lower if rate else None,
        churn_rate_upper=rate.interval.upper if rate else None,
        mean=realised.expected_churn_rate,
        estimated=estimated.value if estimated else None,
        estimated_upper=estimated.interval.upper if estimated else None,
        days=(now - since) / _DAY,
    )


def _answered(prediction: Prediction, model: str, version: str) -> bool:
    ours = prediction.model in (None, model) and prediction.version == version
    return ours and prediction.role == "production"
