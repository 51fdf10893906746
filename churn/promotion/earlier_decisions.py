"""What earlier decisions mean for the next: which look at the gate rows it is, and which version is the best so far."""

from __future__ import annotations

from collections.abc import Sequence

from churn.frozen_model import FrozenModel
from churn.promotion.decision import Decision, Looks
from churn.promotion.row_sample import RowSample

_OVERLAP = 0.5


class EarlierDecision(FrozenModel):
    """A decision with the versions that it was about.

    Attributes:
        version: the challenger's version.
        champion_version: the champion's; None where there was none.
    """

    version: str
    champion_version: str | None
    decision: Decision

    @property
    def comparison(self) -> tuple[str, str | None, str]:
        """Challenger, champion and digest of the gate rows; doing the same again shows nothing new."""
        return self.version, self.champion_version, self.decision.hashes["gate_rows"]

    @property
    def rolled_back(self) -> bool:
        """Whether it was a rollback: the champion was to be taken out of production for `version`."""
        return self.decision.verdict == "promote" and not self.decision.judged


def count_looks(
    earlier: Sequence[EarlierDecision], comparison: tuple[str, str | None, str], rows: RowSample
) -> Looks:
    """Counts the looks at gate rows up to a comparison.

    Every decision that looked counts, whatever its verdict. One whose gate rows are not known may
    have looked at these, and counts as if it had. A comparison that is done again is the look that
    it was the first time.

    Args:
        earlier: oldest first.
        comparison: of this decision, as `EarlierDecision.comparison`.
        rows: its gate rows.

    Examples:
        >>> count_looks([], ("2", "1", "ab" * 32), RowSample(layout="", complete=True, digests=""))
        Looks(here=1, ever=1)
    """
    first: dict[tuple[str, str | None, str], EarlierDecision] = {}
    for each in earlier:
        if each.decision.judged:
            first.setdefault(each.comparison, each)
    made = list(first)
    before = made[: made.index(comparison)] if comparison in first else made
    here = sum(_overlaps(first[each].decision.gate_rows, rows) for each in before)
    return Looks(here=1 + here, ever=1 + len(before))


def best_versions(earlier: Sequence[EarlierDecision], champion: str | None) -> list[str]:
    """Returns the best version so far, then those that were the best before it, the first one last.

    The first version in production is the best until one goes into production that leads it by more
    than one standard error, and so on: the Ladder of Blum & Hardt 2015 (ICML, "The Ladder"). A lucky
    draw of the gate rows moves it too rarely to let the level sink, and a version that is only as
    good leaves it where it is. What was taken back out of production is no longer the best; a rollback
    that was undone took nothing back, as the champion of the next decision shows.

    Args:
        earlier: oldest first.
        champion: the version in production now.
    """
    champions = [*(each.champion_version for each in earlier), champion]
    best: list[str] = []
    for each, champion_after in zip(earlier, champions[1:], strict=True):
        before = each.champion_version
        if each.rolled_back and champion_after == each.version:
            best = [version for version in best if version != before]
        elif not best and before is not None:
            best.append(before)
        is_champion = each.decision.verdict == "promote" and each.version in champions
        if is_champion and (not best or each.decision.leads):
            best = [*(version for version in best if version != each.version), each.version]
    if not best and champion is not None:
        best.append(champion)
    return best[::-1]


def _overlaps(theirs: RowSample | None, ours: RowSample) -> bool:
    share = None if theirs is None else ours.share_among(theirs)
    return share is None or share >= _OVERLAP
