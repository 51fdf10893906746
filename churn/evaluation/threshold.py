"""From which probability on a customer is contacted: chosen on out-of-fold scores, judged elsewhere.

The choice uses development rows only, each scored by models that were not fitted on it; its profit
is then measured once on the gate rows. Every profit rests on assumptions about money, which stay
with the report.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy.special import expit

from churn.evaluation.intervals import Interval, percentile_interval
from churn.evaluation.metrics import validate_predictions
from churn.evaluation.recalibration import Recalibration
from churn.evaluation.threshold_cutoffs import Cutoffs
from churn.evaluation.threshold_gate import Campaign, judge_campaigns, measure_campaigns
from churn.evaluation.threshold_report import ProfitCurve, ThresholdChoice, ThresholdReport
from churn.evaluation.threshold_sensitivity import sensitivities
from churn.evaluation.weighted import Floats, Labels
from churn.retention.maximum_profit import expected_maximum_profit
from churn.retention.profit import break_even, check_worth, contact_value
from churn.retention.value_settings import Rule, ThresholdSettings, ValueSettings

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
    recalibration: Recalibration,
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
        recalibration: the corrections tried on these scores; the applied one comes first.
        base: customers that a campaign chooses from, which `capacity_customers` is a share of;
            default n.

    Raises:
        InputError: only one outcome occurs, or no customer is worth more than the offer.
        ValueError: the arrays do not match.

    Examples:
        >>> from churn.evaluation.recalibration import recalibrate
        >>> generator = np.random.default_rng(1)
        >>> logit = generator.normal(-1.0, 1.5, size=400)
        >>> left = (generator.random(400) < expit(logit)).astype(np.int8)
        >>> settings = ThresholdSettings(rule="break_even", bootstrap_samples=100)
        >>> report = choose_threshold(
        ...     "blend",
        ...     left,
        ...     logit,
        ...     np.full(400, 200.0),
        ...     value=ValueSettings(),
        ...     settings=settings,
        ...     recalibration=recalibrate(left, logit, settings),
        ... )
        >>> round(report.threshold, 4)
        0.1642
    """
    check_worth(clv, value)
    truth, probability = validate_predictions(target, expit(recalibration.map.apply(logit)))
    cutoffs = Cutoffs.from_scores(
        truth, probability, contact_value(truth, clv, value).profit_at(value.acceptance.mean)
    )
    capacity = _capacity(settings, base or len(truth))
    even = break_even(float(clv.mean()), value)
    thresholds = _thresholds(cutoffs, settings, capacity, even)
    campaigns = measure_campaigns(
        {rule: thresholds[rule][0] for rule in RULES}, truth, probability, clv, value, settings
    )
    empc = expected_maximum_profit(truth, probability, clv, value)
    return ThresholdReport(
        model=model,
        value=value,
        settings=settings,
        rows=len(truth),
        positives=int(truth.sum()),
        recalibration=recalibration,
        choices=_choices(thresholds, campaigns, settings, capacity),
        expected_maximum_profit=empc.profit,
        expected_maximum_share=empc.share,
        curve=_curve(cutoffs),
        sensitivity=sensitivities(
            truth, probability, clv, value, thresholds[settings.rule][0], settings
        ),
    )


def _choices(
    thresholds: Mapping[Rule, tuple[float, Interval]],
    campaigns: Mapping[Rule, Campaign],
    settings: ThresholdSettings,
    capacity: float,
) -> tuple[ThresholdChoice, ...]:
    return tuple(
        ThresholdChoice(
            rule=rule,
            basis=_basis(rule, settings, capacity),
            campaign=campaign,
            interval=thresholds[rule][1],
        )
        for rule, campaign in campaigns.items()
    )


def _thresholds(
    cutoffs: Cutoffs, settings: ThresholdSettings, capacity: float, even: float
) -> dict[Rule, tuple[float, Interval]]:
    """Every rule's threshold with its interval; `even` is the break-even probability."""
    picking: tuple[Rule, ...] = tuple(rule for rule in RULES if rule != "break_even")
    exact = Interval(lower=even, upper=even, method="follows from the assumptions alone")
    return {
        rule: (cutoffs.threshold_for(rule, settings, capacity), percentile_interval(drawn))
        for rule, drawn in cutoffs.resampled_thresholds(picking, settings, capacity).items()
    } | {"break_even": (even, exact)}


def judge_threshold(
    report: ThresholdReport, target: Labels, logit: Floats, clv: Floats
) -> ThresholdReport:
    """Adds the judgement on the gate rows, which had no part in the choice.

    `logit` has the final model's log-odds as it serves them: its recalibration is part of it.

    Raises:
        InputError: only one outcome occurs.
    """
    truth, probability = validate_predictions(target, expit(logit))
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


def _basis(rule: Rule, settings: ThresholdSettings, capacity: float) -> str:
    """How a rule chooses, in words."""
    limit = settings.capacity_customers
    most = f"{capacity:.1%} of the customers" if limit is None else f"{limit:,} customers"
    bases: dict[Rule, str] = {
        "profit": "chosen to earn most under the assumptions about money",
        "break_even": (
            "the probability at which a contact pays for itself under the assumptions about money, "
            "if probabilities are calibrated"
        ),
        "capacity": f"chosen so that at most {most} are contacted, the riskiest first",
        "f_beta": f"chosen for the highest F-beta (beta {settings.beta:g}), which knows no money",
    }
    return bases[rule]


def _curve(cutoffs: Cutoffs) -> ProfitCurve:
    totals = cutoffs.totals()
    rows = len(cutoffs.profit)
    keep = np.unique(np.linspace(0, len(cutoffs.thresholds) - 1, _CURVE_POINTS).round().astype(int))
    return ProfitCurve(
        threshold=tuple(cutoffs.thresholds[keep].tolist()),
        share=tuple((totals.contacted[keep, 0] / rows).tolist()),
        profit=tuple((totals.profit[keep, 0] / rows).tolist()),
    )
