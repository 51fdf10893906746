"""Scoring: a verified bundle, and the one formula from a raw customer to a score."""

from churn.scoring.current import Published, bundle_folder
from churn.scoring.fields import FieldError
from churn.scoring.golden_replay import GoldenRow, read_golden
from churn.scoring.manifest import Manifest, Threshold
from churn.scoring.score import Explanation, Score, Scores
from churn.scoring.scorer import Scorer

__all__ = [
    "Explanation",
    "FieldError",
    "GoldenRow",
    "Manifest",
    "Published",
    "Score",
    "Scorer",
    "Scores",
    "Threshold",
    "bundle_folder",
    "read_golden",
]
