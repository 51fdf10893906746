"""Measures a challenger by the predictions and outcomes in the ledger."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np

from churn.evaluation.delong import delong
from churn.evaluation.disparities import Estimate, wilson_interval
from churn.evaluation.intervals import LEVEL, normal_quantile
from churn.evaluation.plan import confidence_at_look
from churn.evaluation.weighted import Floats
from churn.ledger.predictions import Prediction, PredictionLedger, Role
from churn.ledger.read_outcomes import read_settled
from churn.ledger.settled_outcomes import SettledOutcomes
from churn.monitoring.estimated_performance import estimate_performance
from churn.monitoring.realised_performance import RealisedPerformance, Treatment, measure_realised
from churn.retraining.evidence import Compared, ProbationFacts
from churn.settings.retraining_rules import ProbationRules

_DAY = timedelta(days=1)
_BATCH = "batch"
_FEWEST_WATCHES, _GROWTH, _PARTS = 3, 1.5, 4
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
        missing = 0  # a batch job asks the champion alone, about other customers
        champion = {name: each for name, each in champion.items() if each.source != _BATCH}
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
    ledger: str,
    *,
    model: str,
    version: str,
    since: datetime,
    now: datetime,
    watched: datetime,
    rules: ProbationRules,
    before: ProbationFacts | None = None,
) -> ProbationFacts:
    """Measures what a version has answered in production since it was promoted.

    Args:
        ledger: address of the ledger.
        model: its name.
        version: of the challenger.
        since: when it was deployed.
        now: the time.
        watched: when it was measured before; `since` the first time.
        rules: how long it is watched, and when an outcome counts.
        before: what was found then.
    """
    before = before or ProbationFacts()
    days = before.days + _counted(now - watched, rules.days)
    scores: dict[str, float] = {}  # a customer scored every week is one customer
    with PredictionLedger(ledger) as predictions:
        settled = read_settled(
            predictions, since, now + _AHEAD, now=now, timing=rules.timing, model=model, version=version
        )  # fmt: skip
        for each, _ in predictions.predictions_with_outcomes(since, now + _AHEAD):
            if _answered(each, model, version):
                scores.setdefault(each.customer or each.prediction_id, each.probability)
    ours = [_answered(each, model, version) for each in settled.predictions]
    known = settled.where(np.array(ours, dtype=np.bool_)).first_of_each_customer()
    outcomes = int((~known.treated).sum())
    seen = before.model_copy(update={"days": days})
    if not _is_due(seen, outcomes, len(scores), rules):
        return seen if seen.look else _counts(outcomes, len(scores), days)
    return _look(known, np.array(list(scores.values())), look=before.look + 1, days=days)


def _counted(passed: timedelta, days: float) -> float:
    """Days that count as watched: of one break at most a third of them all, whatever a clock says."""
    return min(max(passed / _DAY, 0.0), days / _FEWEST_WATCHES)


def _counts(outcomes: int, predictions: int, days: float) -> ProbationFacts:
    """What is known before there is enough for a look."""
    return ProbationFacts(outcomes=outcomes, predictions=predictions, days=days)


def _is_due(seen: ProbationFacts, outcomes: int, predictions: int, rules: ProbationRules) -> bool:
    """Whether to look: half as much again is known as at the last look, or time is over.

    Each look spends a part of the level, so that one at every start would leave nothing for the last.
    """
    counts = ((outcomes, seen.outcomes), (predictions, seen.predictions))
    over = seen.days >= rules.days and (not seen.look or any(now > then for now, then in counts))
    return over or any(
        now >= max(rules.least_outcomes, _GROWTH * then * (seen.look > 0)) for now, then in counts
    )


def _look(known: SettledOutcomes, scores: Floats, *, look: int, days: float) -> ProbationFacts:
    """Three tests share the level of this look, each with a side to err on or two: four parts."""
    level = 1 - 2 * (1 - confidence_at_look(LEVEL, look)) / _PARTS
    treatment = Treatment(known.treated, known.holdout)
    performance = measure_realised(known.target, known.score, treatment=treatment)
    realised = performance.untreated
    rate = wilson_interval(realised.left, realised.rows, level) if realised.rows else None
    area, upper = _ranking(known, performance, level)
    estimated = estimate_performance(scores).roc_auc
    return ProbationFacts(
        look=look,
        outcomes=realised.rows,
        predictions=len(scores),
        roc_auc=area,
        roc_auc_upper=upper,
        churn_rate=realised.left / realised.rows if realised.rows else None,
        churn_rate_lower=rate.lower if rate else None,
        churn_rate_upper=rate.upper if rate else None,
        mean=realised.expected_churn_rate,
        estimated=estimated.value if estimated else None,
        estimated_upper=_upper(estimated, level),
        days=days,
    )


def _ranking(
    known: SettledOutcomes, performance: RealisedPerformance, level: float
) -> tuple[float | None, float | None]:
    """ROC-AUC and its upper limit: a campaign takes high scores away, and its holdout stands for them."""
    if known.treated.any():
        found = performance.roc_auc_if_untreated
        return found.value if found else None, _upper(found, level)
    if performance.untreated.roc_auc is None:
        return None, None
    ranked = delong(known.target, known.score)
    return ranked.area, ranked.interval(level).upper


def _upper(found: Estimate | None, level: float) -> float | None:
    """The upper limit of a level, from that of 95%."""
    if found is None:
        return None
    wider = normal_quantile(level) / normal_quantile()
    return found.value + wider * (found.interval.upper - found.value)


def _answered(prediction: Prediction, model: str, version: str) -> bool:
    ours = prediction.model in (None, model) and prediction.version == version
    return ours and prediction.role == "production"
