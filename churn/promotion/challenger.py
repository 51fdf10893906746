"""A challenger against the champion; against floors where there is no champion yet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from churn.data.quality.quality_report import QualityReport
from churn.evaluation.comparison import PairedDifference
from churn.evaluation.gate_rows import GateRowsReport, evaluate_gate_rows
from churn.evaluation.plan import Floors, PromotionSettings
from churn.evaluation.weighted import Floats
from churn.features.encoding import Columns
from churn.promotion.absolute import (
    RANKS_WELL,
    WELL_CALIBRATED,
    enough_rows,
    not_worse,
    ranks_well,
    well_calibrated,
)
from churn.promotion.comparison import (
    PROFIT,
    RANKING,
    SLICES,
    profit_gate,
    ranking_gate,
    slices_gate,
)
from churn.promotion.decision import Decision, Gate, decide, unknown
from churn.promotion.evidence import BundleCheck, Contender, GateRows
from churn.promotion.soundness import bundle_gates, data_accepted, labels_sane, unseen

if TYPE_CHECKING:
    from churn.models.candidate import FittedModel


def judge_challenger(
    challenger: Contender,
    champion: Contender | None,
    rows: GateRows,
    *,
    quality: QualityReport | None,
    bundle: BundleCheck | None,
    floors: Floors,
    settings: PromotionSettings,
    against_baseline: PairedDifference | None = None,
    hashes: Mapping[str, str] | None = None,
) -> Decision:
    """Asks every gate. Missing evidence and NaN hold; nothing passes by accident.

    An exception means that there is no decision, and without one nothing may be promoted; `safely`
    turns it into a decision to hold.

    Args:
        challenger: what it made of the gate rows.
        champion: what the model in production made of the same rows; None where there is none.
        rows: the rows that judge.
        quality: what the quality gate said of the data they come from.
        bundle: what trying the challenger's bundle showed.
        floors: what a first model must clear; the least number of rows and the ceiling of the
            calibration error hold with a champion, too.
        settings: margins, fixed before the two were compared.
        against_baseline: the challenger's paired difference to the plain baseline over
            cross-validation splits; asked only where there is no champion.
        hashes: digests of what else was compared, for the record (the snapshot, the models).
    """
    gates = [
        data_accepted(quality),
        labels_sane(rows),
        unseen(challenger, rows, role="challenger", otherwise="fail"),
    ]
    if champion is None:
        basis = "There is no champion yet, so the absolute floors apply instead of a comparison."
        gates += _against_floors(challenger, rows, floors, settings)
        if against_baseline is not None:
            gates.append(not_worse(against_baseline, floors))
    else:
        basis = f"It was compared with {champion.name} on the same {rows.rows:,} customers."
        # A champion that knows the rows is flattered by them: that is no fault of the challenger.
        gates.append(unseen(champion, rows, role="champion", otherwise="insufficient evidence"))
        gates += _against_champion(challenger, champion, rows, floors, settings)
    gates += bundle_gates(bundle, settings)
    return decide(
        gates,
        challenger=challenger.name,
        champion=champion.name if champion else None,
        basis=basis,
        hashes={**(hashes or {}), "gate_rows": rows.sha256},
    )


def _against_floors(
    challenger: Contender, rows: GateRows, floors: Floors, settings: PromotionSettings
) -> list[Gate]:
    enough = enough_rows(rows.rows, floors)
    broken = rows.unusable() or challenger.unusable(rows.rows)
    if broken:
        return [
            enough,
            unknown(RANKS_WELL, floors.roc_auc_lower, broken),
            unknown(WELL_CALIBRATED, floors.ece_upper, broken),
        ]
    report = _measured(challenger, rows, settings)
    return [enough, ranks_well(report, floors), well_calibrated(report, floors)]


def _against_champion(
    challenger: Contender,
    champion: Contender,
    rows: GateRows,
    floors: Floors,
    settings: PromotionSettings,
) -> list[Gate]:
    enough = enough_rows(rows.rows, floors)
    ours = rows.unusable() or challenger.unusable(rows.rows)
    either = ours or champion.unusable(rows.rows)
    calibrated = (
        unknown(WELL_CALIBRATED, floors.ece_upper, ours)
        if ours
        else well_calibrated(_measured(challenger, rows, settings), floors)
    )
    if either:
        return [
            enough,
            unknown(RANKING, -settings.roc_auc_margin, either),
            unknown(PROFIT, float("nan"), either),
            calibrated,
            unknown(SLICES, -settings.slice_margin, either),
        ]
    return [
        enough,
        ranking_gate(challenger, champion, rows, settings),
        profit_gate(challenger, champion, rows, settings),
        calibrated,
        slices_gate(challenger, champion, rows, settings),
    ]


@dataclass(frozen=True, eq=False)
class _Answered:
    """Stands in for a model whose scores are known."""

    scores: Floats

    def logit(self, _columns: Columns) -> Floats:
        return self.scores


def _measured(challenger: Contender, rows: GateRows, settings: PromotionSettings) -> GateRowsReport:
    return evaluate_gate_rows(
        challenger.name,
        cast("FittedModel", _Answered(challenger.logit)),
        rows.columns,
        rows.target,
        bootstrap_samples=settings.bootstrap_samples,
        seed=settings.seed,
    )
