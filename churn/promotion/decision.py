"""The decision that follows from gates: promote, hold or reject.

A gate has three results: a model that fails is rejected, and one that is not known well enough is
held until there is more evidence. Anything that cannot be compared, NaN included, counts as not
known, so nothing passes by accident.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

from pydantic import ConfigDict, Field

from churn.errors import one_line
from churn.evaluation.intervals import Interval
from churn.frozen_model import FrozenModel
from churn.promotion.row_sample import RowSample

GateVerdict = Literal["pass", "fail", "insufficient evidence"]
Verdict = Literal["promote", "hold", "reject"]

NON_INFERIORITY: dict[GateVerdict, str] = {
    "pass": "it is not worse",
    "fail": "it is worse",
    "insufficient evidence": "it may be worse",
}
"""What a verdict on non-inferiority means, in words."""

_LONGEST_REASON = 300


class Gate(FrozenModel):
    """One condition of promotion.

    Attributes:
        figure: what was measured; NaN where nothing could be.
        threshold: the limit that the figure is compared with.
        interval: where the figure plausibly lies, for a gate that judges by it.
        details: a sentence for each part that was judged, such as a slice.
        overridden: whether it passes by a person's word alone.
    """

    # As text, because JSON has no NaN and a gate that measured nothing must survive a round trip.
    model_config = ConfigDict(ser_json_inf_nan="strings")

    name: str
    figure: float
    threshold: float
    verdict: GateVerdict
    sentence: str
    interval: Interval | None = None
    details: tuple[str, ...] = ()
    overridden: bool = False


class Looks(FrozenModel):
    """How often gate rows were looked at, this decision included.

    Attributes:
        here: decisions on gate rows that hold at least half of these.
        ever: decisions about the model, on whatever gate rows.
    """

    here: int = Field(default=1, ge=1)
    ever: int = Field(default=1, ge=1)


FIRST_LOOK = Looks()


class Decision(FrozenModel):
    """The decision and the gates it follows from.

    Attributes:
        reasons: sentences of the gates that held the model back; all of them if none did.
        challenger: the model judged.
        champion: the model in production it was compared with; None where there is none yet.
        basis: what the model was compared with, in a sentence; empty for a training.
        hashes: digests of what was compared, by name: `gate_rows`, and what the caller adds.
        gate_rows: which rows judged; None where none did, and in records of before 0.2.
        looks: which look at those rows it was.
        leads: whether the challenger ranks better than the best version so far by more than one
            standard error: if it goes into production, it is the best from then on.
        demonstration: whether the challenger was trained with profile=demo.
    """

    model_config = ConfigDict(ser_json_inf_nan="strings")

    verdict: Verdict
    gates: tuple[Gate, ...] = Field(min_length=1)
    reasons: tuple[str, ...]
    challenger: str
    champion: str | None = None
    basis: str = ""
    hashes: dict[str, str] = Field(default_factory=dict)
    gate_rows: RowSample | None = None
    looks: Looks = FIRST_LOOK
    leads: bool = False
    demonstration: bool = False

    @property
    def judged(self) -> bool:
        """Whether gate rows were looked at; a rollback or an error while comparing looks at none."""
        return "gate_rows" in self.hashes

    @property
    def passed(self) -> str:
        """How many gates passed, in words."""
        passed = sum(gate.verdict == "pass" for gate in self.gates)
        return f"{passed} of {len(self.gates)} gates passed"

    @property
    def status(self) -> str:
        """The verdict in words; only a model in production is called promoted.

        A training's gates clear a model for staging. A decision with a basis (a comparison with
        the champion, or a rollback) clears it for production; a demonstration never is.
        """
        cleared = f"cleared for {'production' if self.basis else 'staging'}"
        if self.demonstration:
            cleared = "cleared as a demonstration, not for production"
        return {"promote": cleared, "hold": "held back", "reject": "rejected"}[self.verdict]

    @property
    def sentence(self) -> str:
        """The decision in words: the verdict, how many gates passed, and what speaks against it."""
        text = f"{self.challenger} is {self.status}"
        if self.verdict == "promote":
            text = f"{text}: {self.passed}."
        else:
            text = f"{text} ({self.passed}): {' '.join(self.reasons)}"
        return f"{text} {self.basis}".rstrip()


def decide(
    gates: Sequence[Gate],
    *,
    challenger: str,
    champion: str | None = None,
    basis: str = "",
    hashes: dict[str, str] | None = None,
) -> Decision:
    """Any fail rejects; otherwise any insufficient evidence holds; otherwise the model is cleared.

    Raises:
        ValueError: there is no gate.

    Examples:
        >>> gate = Gate(
        ...     name="ranks well",
        ...     figure=0.84,
        ...     threshold=0.80,
        ...     verdict="pass",
        ...     sentence="The ROC-AUC is 0.84.",
        ... )
        >>> decide([gate], challenger="version 2").verdict
        'promote'
        >>> failed = gate.model_copy(update={"verdict": "fail"})
        >>> decide([gate, failed], challenger="version 2").verdict
        'reject'
    """
    if not gates:
        raise ValueError("a decision needs at least one gate")
    verdict: Verdict = "promote"
    against: GateVerdict = "pass"
    if any(gate.verdict == "fail" for gate in gates):
        verdict, against = "reject", "fail"
    elif any(gate.verdict != "pass" for gate in gates):
        verdict, against = "hold", "insufficient evidence"
    return Decision(
        verdict=verdict,
        gates=tuple(gates),
        reasons=tuple(gate.sentence for gate in gates if gate.verdict == against),
        challenger=challenger,
        champion=champion,
        basis=basis,
        hashes=hashes or {},
    )


def hold_on_error(
    judge: Callable[[], Decision], *, challenger: str, champion: str | None = None
) -> Decision:
    """Makes a decision; an exception while comparing holds the challenger.

    Gathering the evidence may be part of `judge`. The names go into the record if it fails.

    Returns:
        What `judge` returns, or a decision to hold whose only gate names the exception. Ctrl-C
        and other exits pass through.
    """
    try:
        return judge()
    except Exception as error:  # noqa: BLE001 - the champion stays, whatever the error
        reason = one_line(error)[:_LONGEST_REASON] or "no reason given"
        gate = unknown_gate(
            "comparison completes", 0, f"Comparing ended in {type(error).__name__}: {reason}"
        )
        return decide([gate], challenger=challenger, champion=champion)


def verdict_at_least(interval: Interval, threshold: float) -> GateVerdict:
    """Whether the whole interval lies at or above a threshold, below it, or on both sides of it."""
    if interval.lower >= threshold:
        return "pass"
    return "fail" if interval.upper < threshold else "insufficient evidence"


def unknown_gate(name: str, threshold: float, why: str) -> Gate:
    """Returns a gate that could not be judged; `why` is a sentence, with or without a full stop."""
    return Gate(
        name=name,
        figure=float("nan"),
        threshold=threshold,
        verdict="insufficient evidence",
        sentence=f"{why.rstrip('. ')}.",
    )
