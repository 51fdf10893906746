"""Whether a snapshot may start a loop: newer than the last, and not one that was judged before."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import numpy as np
import pandas as pd

from churn.contract import DataContract
from churn.data import Dataset, accepted_snapshot
from churn.data.snapshot import TABLE
from churn.errors import InputError
from churn.evaluation.delong import delong
from churn.features.encoding import encode, encode_target
from churn.models.recipe_catalog import build_candidates
from churn.models.recipe_settings import default_recipes
from churn.monitoring.stale_snapshot import measure_stale_snapshot
from churn.monitoring.staleness import StaleMonth
from churn.promotion.evidence_gates import contract_gate
from churn.retention.value import lifetime_values
from churn.retention.value_settings import ValueSettings
from churn.retraining.evidence import SnapshotFacts
from churn.scoring.scorer import Scorer

_CHANCE = 0.5
_RECIPE = "spline_logistic"
"""What stands for a newly trained model: it costs a second and loses little against the best."""
_FEWEST = 20
"""Of either outcome; with fewer nobody can tell what a newly trained model would have earned."""


def snapshot_facts(dataset: Dataset, *, source: str, digest: str, as_of: str) -> SnapshotFacts:
    """What a loop keeps of a snapshot; `digest` is that of how the contract has tables read."""
    return SnapshotFacts(
        location=dataset.source.location,
        source=source,
        sha256=dataset.source.sha256,
        contract=digest,
        rows=dataset.rows,
        latest=latest_day(dataset, dataset.contract) or as_of,
    )


def latest_day(dataset: Dataset, contract: DataContract) -> str:
    """The newest day of a snapshot's date column; empty where it has none."""
    if contract.date is None or not dataset.rows:
        return ""
    return str(dataset.frame[contract.date.name].astype(str).max())[:10]


def is_same(snapshot: SnapshotFacts, earlier: SnapshotFacts) -> bool:
    """Whether two snapshots are one table, read in one way."""
    return (snapshot.sha256, snapshot.contract) == (earlier.sha256, earlier.contract)


def require_newer(snapshot: SnapshotFacts, judged: Sequence[SnapshotFacts]) -> None:
    """Refuses a snapshot that is older than the last one that was judged; `judged` are oldest first.

    Raises:
        InputError: it is older by its date, or was judged before a newer one.
    """
    if any(is_same(snapshot, earlier) for earlier in judged[:-1]):
        raise InputError(
            f"The snapshot {snapshot.location} is older than the last one: an earlier loop has judged "
            f"it already, and {judged[-1].location} came after it. Bring a newer one."
        )
    days = [each.latest for each in judged if each.latest]
    if snapshot.latest and days and snapshot.latest < max(days):
        raise InputError(
            f"The snapshot {snapshot.location} is of {snapshot.latest}, older than the last one, of "
            f"{max(days)}. Bring a newer one."
        )


def require_closed(
    snapshot: SnapshotFacts, *, outcome_days: int, today: date, by_as_of: bool = False
) -> None:
    """Refuses a snapshot with rows whose outcome is not known yet: those who stay so far may still leave.

    `by_as_of`: its rows have no date, and the setting as_of names their day.

    Raises:
        InputError: the newest row's outcome window is open.
    """
    if not snapshot.latest:
        return
    known = date.fromisoformat(snapshot.latest) + timedelta(days=outcome_days)
    if known > today:
        named = "as_of says that" if by_as_of else "The newest row of"
        way_out = "Correct as_of, bring" if by_as_of else "Bring"
        raise InputError(
            f"{named} {snapshot.location} is of {snapshot.latest}, and its outcome is known on {known} "
            f"({outcome_days} days later), not by {today}. {way_out} rows whose outcome window is closed, "
            "or check this computer's clock."
        )


def require_own_labels(dataset: Dataset, champion: Scorer) -> None:
    """Refuses labels that have nothing to do with the customers, and customers of another contract.

    Whatever has drifted, a champion ranks customers better than chance; where its ROC-AUC may be 0.5,
    labels and rows were joined wrongly.

    Raises:
        InputError: they have nothing to do with each other, or champion and snapshot do not.
    """
    under_one = contract_gate(dataset.contract, champion.contract)
    if under_one.verdict != "pass":
        raise InputError(under_one.sentence)
    target = encode_target(dataset.frame, dataset.contract)
    if not 0 < target.sum() < len(target):
        raise InputError(
            f"Every customer of {dataset.source.location} has the same outcome, so nothing can be learned "
            "from them. Are their outcomes known yet? Bring a snapshot whose outcome window is closed."
        )
    scores = champion.score_many(encode(dataset.frame, dataset.contract)).probability
    area = delong(target, scores)
    interval = area.interval()
    if interval.lower <= _CHANCE:
        raise InputError(
            f"The version in production ranks the outcomes of {dataset.source.location} no better than "
            f"chance (ROC-AUC {area.area:.2f}, at least {interval.lower:.2f}), as if they were those of "
            "other customers. Check how outcomes were joined to the rows; the champion stays."
        )


def new_rows(dataset: Dataset, champion_sha256: str, *, snapshots: Path, root: Path) -> int:
    """Counts the rows that the champion has not seen: by customer id, with the day where rows have one.

    Where ids are surrogates, the number of rows alone tells.

    A champion whose table is not kept here counts as having seen all: rows of unknown news ask for
    nothing.
    """
    contract = dataset.contract
    if contract.snapshot is not None and contract.snapshot.sha256 == champion_sha256:
        seen = accepted_snapshot(contract, root=root)
    else:
        kept = snapshots / champion_sha256[:12] / TABLE
        seen = pd.read_parquet(kept) if kept.is_file() else None
    if seen is None:
        return 0
    if contract.id.surrogate:
        return max(0, dataset.rows - len(seen))
    by = [contract.id.name]
    if contract.date is not None and contract.date.name in seen:
        by.append(contract.date.name)
    rows, known = (pd.MultiIndex.from_frame(each[by].astype(str)) for each in (dataset.frame, seen))
    return int((~rows.isin(known)).sum())


def month_end(snapshot: SnapshotFacts, *, outcome_days: int, now: datetime) -> datetime:
    """The end of the month that a snapshot's outcomes are of: of the day on which the newest is known."""
    if not snapshot.latest:
        return now
    known = date.fromisoformat(snapshot.latest) + timedelta(days=outcome_days + 1)
    return min(now, datetime.combine(known, time(), UTC))


def stale_month(
    dataset: Dataset, champion: Scorer, value: ValueSettings, *, until: datetime
) -> StaleMonth | None:
    """What the champion lost on a snapshot's customers, who stand for a month's.

    Where rows have a date, they are those of the newest month.

    Returns:
        The loss; None where too few customers of an outcome could say so.

    Raises:
        InputError: the assumptions about money need a column that the contract has not.
    """
    frame, dated = dataset.frame, dataset.contract.date
    if dated is not None:
        months = frame[dated.name].astype(str).str[:7]
        frame = frame[months == months.max()]
    columns = encode(frame, dataset.contract)
    target = encode_target(frame, dataset.contract)
    if min(np.bincount(target, minlength=2)) < _FEWEST:
        return None
    return measure_stale_snapshot(
        columns,
        target,
        champion.score_many(columns).decision,
        build_candidates([_RECIPE], default_recipes(), dataset.contract)[_RECIPE],
        clv=lifetime_values(columns, dataset.contract, value),
        value=value,
        until=until,
    )
