"""The final model's decision threshold: chosen on development rows, judged on gate rows."""

from __future__ import annotations

from churn.data import Dataset
from churn.data.split import Split
from churn.errors import InputError
from churn.evaluation.cross_validation import OutOfFold
from churn.evaluation.recalibration import Recalibration
from churn.evaluation.threshold import choose_threshold, judge_threshold
from churn.evaluation.threshold_report import ThresholdReport
from churn.features.encoding import encode, encode_target, take
from churn.models.trained import TrainedModel
from churn.retention.value import lifetime_values
from churn.retention.value_settings import ThresholdSettings, ValueSettings


def final_threshold(
    customers: Dataset,
    split: Split,
    out_of_fold: OutOfFold,
    recalibration: Recalibration,
    model: TrainedModel,
    *,
    value: ValueSettings,
    settings: ThresholdSettings,
) -> ThresholdReport:
    """Chooses the threshold on out-of-fold scores and judges the choice on the gate rows.

    The out-of-fold scores are the development rows'; the final model was fitted on all of these.

    Raises:
        InputError: only one outcome occurs, no customer is worth more than the offer, or the model
            does not serve the recalibration that the report would announce.
    """
    if model.recalibration != recalibration.map:
        raise InputError(
            f"The model '{model.recipe}' was not trained with the recalibration of its scores "
            f"({recalibration.applied}). Train it anew with run.py --pipeline training."
        )
    columns = encode(customers.frame, customers.contract)
    target = encode_target(customers.frame, customers.contract)
    worth = lifetime_values(columns, customers.contract, value)
    development, gate = split.development, split.gate
    chosen = choose_threshold(
        model.recipe,
        target[development],
        out_of_fold.mean_logit(model.recipe),
        worth[development],
        value=value,
        settings=settings,
        recalibration=recalibration,
        base=customers.rows,
    )
    return judge_threshold(chosen, target[gate], model.logit(take(columns, gate)), worth[gate])
