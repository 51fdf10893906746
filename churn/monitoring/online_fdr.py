"""Which of a stream of hypotheses to reject, so that few of the rejected are false: LORD++.

A level for each hypothesis is known before its p-value is: each rejection earns wealth that later
hypotheses spend. The false discovery rate stays at or below `level` at every time, for independent
p-values (Ramdas, Yang, Wainwright & Jordan 2017, NeurIPS, "Online control of the false discovery
rate with decaying memory"; Javanmard & Montanari 2018, Annals of Statistics 46:526). The sequence
that the wealth is spent by is Javanmard and Montanari's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from churn.features.encoding import Floats

_TOTAL = 0.07720838  # makes the sequence sum to 1


@dataclass(frozen=True)
class Discoveries:
    """What LORD++ made of a stream.

    Attributes:
        levels: float64[n], of each hypothesis.
        rejected: bool per hypothesis, in order.
    """

    levels: Floats
    rejected: tuple[bool, ...]


def lord_plus_plus(
    p_values: Sequence[float], *, level: float = 0.05, start: float | None = None
) -> Discoveries:
    """Runs over a stream from its beginning.

    Args:
        p_values: in the order in which they came.
        level: the false discovery rate.
        start: wealth to begin with, above 0 and at most `level`; half of it where left out.
    """
    wealth = level / 2 if start is None else start
    count = len(p_values)
    spent = _spending(count)
    levels = wealth * spent
    rejected: list[bool] = []
    for place, p_value in enumerate(p_values):
        reject = bool(p_value <= levels[place])
        if reject:
            earned = level if any(rejected) else level - wealth
            levels[place + 1 :] += earned * spent[: count - place - 1]
        rejected.append(reject)
    return Discoveries(levels, tuple(rejected))


def _spending(count: int) -> Floats:
    """The share of a wealth that is spent 1, 2, ... hypotheses after it was earned."""
    after = np.arange(1, count + 1, dtype=np.float64)
    logarithm = np.log(np.maximum(after, 2))
    return np.asarray(_TOTAL * logarithm / (after * np.exp(np.sqrt(np.log(after)))))
