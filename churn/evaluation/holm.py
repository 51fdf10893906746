"""Several tests at once: the probability of one false alarm or more stays at one level (Holm 1979)."""

from __future__ import annotations

from collections.abc import Sequence


def holm_errors(p_values: Sequence[float], error: float) -> list[float]:
    """Returns the error at which each test is judged, in the given order.

    The smallest p-value of m is judged at `error`/m, the next at `error`/(m-1), and so on; from the
    first that is not below its own on, the rest keep that one's. So a test is significant exactly
    where its p-value lies below what is returned, and an interval of that error agrees with it
    (Holm 1979, Scandinavian Journal of Statistics 6:65-70).

    Examples:
        >>> holm_errors([0.04, 0.01, 0.03], 0.06)
        [0.03, 0.02, 0.03]
    """
    errors = [error] * len(p_values)
    judged_at, stopped = error, False
    for rank, place in enumerate(sorted(range(len(p_values)), key=lambda each: p_values[each])):
        if not stopped:
            judged_at = error / (len(p_values) - rank)
            stopped = p_values[place] >= judged_at
        errors[place] = judged_at
    return errors
