"""Risk bands: four names for a probability, from the bundle's threshold and its training scores.

- `low`: below the threshold,
- `medium`: at or above the threshold, among the lower half of the training customers there,
- `high`: above that half,
- `very_high`: above four of five of the training customers at or above the threshold.

So all bands but `low` are exactly the customers whose decision is positive, and each of them has
customers wherever the threshold is.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from churn.errors import BundleError
from churn.scoring.address import reason
from churn.scoring.manifest import REFERENCE
from churn.scoring.reference_file import open_reference

Band = Literal["low", "medium", "high", "very_high"]
NAMES: tuple[Band, ...] = get_args(Band)
_HIGH, _VERY_HIGH = 0.5, 0.8  # shares of the training customers at or above the threshold


@dataclass(frozen=True)
class Bands:
    """Where one band ends and the next begins.

    Attributes:
        cuts: three probabilities, rising; each is the first of the higher band.
    """

    cuts: tuple[float, float, float]

    @classmethod
    def from_quantiles(cls, threshold: float, quantiles: list[float]) -> Bands:
        """Bands of a threshold and of the training scores' quantiles at every thousandth."""
        last = len(quantiles) - 1
        begins = min(bisect_left(quantiles, threshold), last)
        high, very_high = (
            max(quantiles[begins + round(share * (last - begins))], threshold)
            for share in (_HIGH, _VERY_HIGH)
        )
        if not 0 <= quantiles[0] <= threshold <= high <= very_high <= 1:  # NaN is not
            raise ValueError("the scores' quantiles are no probabilities")
        return cls((threshold, high, very_high))

    @classmethod
    def read(cls, bundle: Path, threshold: float) -> Bands:
        """Bands of a bundle.

        Raises:
            BundleError: its reference cannot be read.
        """
        try:
            with open_reference(bundle / REFERENCE) as arrays:
                return cls.from_quantiles(threshold, arrays["scores/quantiles"].tolist())
        except Exception as error:  # noqa: BLE001 - a broken archive may fail in any way
            raise BundleError(
                f"The bundle {bundle} has a {REFERENCE} without the training scores: "
                f"{reason(error)}. Write the bundle anew."
            ) from None

    def __call__(self, probability: float) -> Band:
        """The name of a probability's band."""
        return NAMES[bisect_right(self.cuts, probability)]

    def bounds(self) -> dict[str, list[float]]:
        """Each band's bounds: the first included, the last not, but for 1."""
        edges = [0.0, *self.cuts, 1.0]
        return {name: edges[place : place + 2] for place, name in enumerate(NAMES)}
