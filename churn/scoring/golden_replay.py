"""Golden rows: made-up customers with the scores that the freshly trained model gave them.

A bundle that does not give the same scores here and now is not served, whatever its checksums say:
the library, the processor or the code may be another than where it was trained.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from churn.errors import BundleError, ChurnError, one_line
from churn.features.encoding import Columns
from churn.plain_files import read_json
from churn.scoring.encoder import Row
from churn.scoring.manifest import GOLDEN
from churn.scoring.score import Score, Scores

EXACT = 1e-9
"""How far a logit may be off where the model is additive, trees, or a blend of such."""

CLOSE = 1e-6
"""How far a logit may be off for other kinds: a network's runtime adds in another order."""


@dataclass(frozen=True)
class GoldenRow:
    """A customer and the expected score.

    Attributes:
        row: in the contract's raw values.
        logit: log-odds of leaving.
        probability: of leaving.
    """

    row: dict[str, Any]
    logit: float
    probability: float


class Scoring(Protocol):
    """What a replay needs of a scorer."""

    bitwise: bool

    def score_one(self, row: Row) -> Score:
        """One customer's score."""

    def score_many(self, columns: Columns) -> Scores:
        """Many customers' scores."""

    def columns(self, rows: list[Row]) -> Columns:
        """Raw customers as columns."""


def read_golden(folder: Path) -> tuple[GoldenRow, ...]:
    """The golden rows of a bundle; also the examples that a service can show or be tested with.

    Raises:
        BundleError: there are none, or they cannot be read.
    """
    try:
        content = read_json(folder / GOLDEN)
        rows = tuple(
            GoldenRow(dict(one["row"]), float(one["logit"]), float(one["probability"]))
            for one in content["rows"]
        )
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        reason = one_line(f"{type(error).__name__} {error}")
        raise BundleError(
            f"The bundle {folder} has a {GOLDEN} that cannot be read ({reason}). Write the bundle "
            "anew."
        ) from None
    if not rows:
        raise BundleError(
            f"The bundle {folder} has a {GOLDEN} without rows, so its scores cannot be checked. "
            "Write the bundle anew."
        )
    return rows


def replay(scorer: Scoring, rows: tuple[GoldenRow, ...], folder: Path) -> None:
    """Scores the golden rows one by one and together, and compares.

    Args:
        scorer: what is about to serve.
        rows: the expected scores.
        folder: named where it does not.

    Raises:
        BundleError: a row is refused or gets another score.
    """
    tolerance = EXACT if scorer.bitwise else CLOSE
    try:
        alone = [scorer.score_one(golden.row) for golden in rows]
        among = scorer.score_many(scorer.columns([golden.row for golden in rows]))
    except ChurnError as error:
        raise BundleError(
            f"The bundle {folder} cannot score its own {GOLDEN}: {error} Write the bundle anew."
        ) from None
    for place, (golden, score) in enumerate(zip(rows, alone, strict=True)):
        found = (
            ("logit", golden.logit, score.logit),
            ("probability", golden.probability, score.probability),
            ("logit among others", golden.logit, float(among.logit[place])),
        )
        for what, expected, got in found:
            if not abs(got - expected) <= tolerance:  # NaN is not
                raise BundleError(
                    f"The bundle {folder} does not score as it was trained: {GOLDEN} row "
                    f"{place + 1} has {what} {expected!r}, and here it comes out as {got!r}. Use "
                    "the library versions in its manifest, or write the bundle anew."
                )
