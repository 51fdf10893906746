"""Results of scoring, each with the version of the model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from churn.features.encoding import Floats


class Score(NamedTuple):
    """One customer's score; a tuple, because making it is part of every request's cost.

    Attributes:
        probability: of leaving.
        logit: its log-odds.
        decision: whether the probability reaches the threshold.
        version: version of the model.
    """

    probability: float
    logit: float
    decision: bool
    version: str


@dataclass(frozen=True)
class Scores:
    """Many customers' scores.

    Attributes:
        probability: of leaving, float64[n].
        logit: its log-odds, float64[n].
        decision: whether the probability reaches the threshold, bool[n].
        version: version of the model.
    """

    probability: Floats
    logit: Floats
    decision: NDArray[np.bool_]
    version: str


@dataclass(frozen=True)
class Explanation:
    """One customer's score and its parts.

    Attributes:
        score: the score.
        base: log-odds of the average training customer.
        contributions: feature -> what it adds; with the base they sum to the score's logit.
    """

    score: Score
    base: float
    contributions: dict[str, float]
