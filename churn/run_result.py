"""What a run has done, for pipelines whose outcome is no model: features and batch scoring."""

from __future__ import annotations

from churn.frozen_model import FrozenModel


class RunResult(FrozenModel):
    """The base of such results: what the runner prints, and what `--json` has under `result`.

    Attributes:
        status: one word, such as `built` or `unchanged`; a tag of the run.
        sentence: what was done, in one sentence.
    """

    status: str
    sentence: str

    @property
    def figures(self) -> dict[str, float]:
        """Figures by name, for `metrics` of `--json` and the run's metadata."""
        return {}

    @property
    def lines(self) -> dict[str, str]:
        """More lines of the summary on the terminal: label -> text, a path for example."""
        return {}
