"""From which probability on a customer is contacted: chosen on out-of-fold scores, judged elsewhere.

Choosing sees development rows alone, each scored by models that had not seen it; the gate rows say
once what the choice earns. A profit rests on assumptions about money, which travel with the report.
"""

from __future__ import annotations

import numpy as np
from scipy.special import expit

from churn.evaluation.intervals import Interval, percentile_interval
from churn.evaluation.metrics import validate_predictions
from churn.evaluation.recalibration import recalibrate
from churn.evaluation.threshold_cutoffs import Cutoffs
from churn.evaluation.threshold_gate import judge_campaigns, measure_campaign
from churn.evaluation.threshold_report import ProfitCurve, ThresholdChoice, ThresholdReport
from churn.evaluation.threshold_sensitivity import sensitivities
from churn.evaluation.weighted import Floats, Labels
from churn.retention.maximum_profit import expected_maximum_profit
from churn.retention.profit import break_even, campaign_profit, check_worth, contact_value
from churn.retention.value_settings import Rule, ThresholdSettings, ValueSettings

__all__ = ["RULES", "ThresholdReport", "choose_threshold", "judge_threshold"]

RULES: tuple[Rule, ...] = ("profit", "break_even", "capacity", "f_beta")

_CURVE_POINTS = 200


def choose_threshold(
    model: str,
    target: Labels,
    logit: Floats,
    clv: Floats,
    *,
    value: ValueSettings,
    settings: ThresholdSettings,
    base: int | None = None,
) -> ThresholdReport:
    """Chooses the decision threshold by every rule.

    Args:
        model: the recipe.
        target: int8[n] of the development rows.
        logit: float64[n], their out-of-fold log-odds: no row scored by a model that saw it.
        clv: float64[n], what each customer is worth if kept.
        value: the assumptions.
        settings: which rule counts, capacity, beta, resamplings.
        base: customers that a campaign chooses from, which `capacity_customers` is a share of;
            default n.

    Raises:
        InputError: only one outcome occurs, or no customer is worth more than the offer.
        ValueError: the arrays do not match.
    """
    check_worth(clv, value)
    recalibration = recalibrate(target, logit, settings)
    truth, probability = validate_predictions(target, expit(recalibration.map.apply(logit)))
    profit = contact_value(truth, clv, value).at(value.acceptance.mean)
    cuts = Cutoffs.from_scores(truth, probability, profit)
    capacity = _capacity(settings, base or len(truth))
    picking: tuple[Rule, ...] = tuple(rule for rule in RULES if rule != "break_even")
    even = break_even(float(clv.mean()), value)
    thresholds = {rule: cuts.threshold_for(rule, settings, capacity) for rule in picking}
    thresholds["break_even"] = even
    intervals = {
        rule: percentile_interval(drawn)
        for rule, drawn in cuts.resampled_thresholds(picking, settings, capacity).items()
    }
    intervals["break_even"] = Interval(
        lower=even, upper=even, method="follows from the assumptions alone"
    )
    bases = _bases(settings, capacity)
    empc = expected_maximum_profit(truth, probability, clv, value)
    return ThresholdReport(
        model=model,
        value=value,
        settings=settings,
        rows=len(truth),
        positives=int(truth.sum()),
        recalibration=recalibration,
        choices=tuple(
            ThresholdChoice(
                rule=rule,
                basis=bases[rule],
                campaign=measure_campaign(
                    rule,
                    thresholds[rule],
                    truth,
                    probability,
                    campaign_profit(truth, probability, thresholds[rule], clv, value),
                    settings,
                ),
                interval=intervals[rule],
            )
            for rule in RULES
        ),
        expected_maximum_profit=empc.profit,
        expected_maximum_share=empc.share,
        curve=_curve(cuts),
        sensitivity=sensitivities(
            truth, probability, clv, value, thresholds[settings.rule], settings
        ),
    )


def judge_threshold(
    report: ThresholdReport, target: Labels, logit: Floats, clv: Floats
) -> ThresholdReport:
    """The same report with its judgement on rows that had no part in it.

    Args:
        report: the choice.
        target: int8[n] of the gate rows.
        logit: float64[n], the final model's log-odds before recalibration.
        clv: float64[n], what each customer is worth if kept.

    Raises:
        InputError: only one outcome occurs.
    """
    truth, probability = validate_predictions(target, expit(report.recalibration.map.apply(logit)))
    ordered = (report.chosen, *(each for each in report.choices if each is not report.chosen))
    judged = judge_campaigns(
        {each.rule: each.threshold for each in ordered},
        truth,
        probability,
        clv,
        report.value,
        report.settings,
    )
    return report.model_copy(update={"gate": judged})


def _capacity(settings: ThresholdSettings, base: int) -> float:
    if settings.capacity_customers is None:
        return settings.capacity_share
    return min(1.0, settings.capacity_customers / base)


def _bases(settings: ThresholdSettings, capacity: float) -> dict[Rule, str]:
    asked = settings.capacity_customers
    room = f"{capacity:.1%} of the customers" if asked is None else f"{asked:,} customers"
    return {
        "profit": "chosen to earn most under the assumptions about money",
        "break_even": (
            "the probability at which a contact pays for itself under the assumptions about money, "
            "if probabilities are calibrated"
        ),
        "capacity": f"chosen so that at most {room} are contacted, the riskiest first",
        "f_beta": f"chosen for the highest F-beta (beta {settings.beta:g}), which knows no money",
    }


def _curve(cuts: Cutoffs) -> ProfitCurve:
    reached = cuts.totals()
    rows = len(cuts.profit)
    keep = np.unique(np.linspace(0, len(cuts.thresholds) - 1, _CURVE_POINTS).round().astype(int))
    return ProfitCurve(
        threshold=tuple(cuts.thresholds[keep].tolist()),
        share=tuple((reached.contacted[keep, 0] / rows).tolist()),
        profit=tuple((reached.profit[keep, 0] / rows).tolist()),
    )
