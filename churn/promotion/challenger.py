"""A challenger against the champion; against floors where there is no champion yet."""

from __future__ import annotations

from collections.abc import Mapping

from churn.data.quality.quality_report import QualityReport
from churn.evaluation.comparison import PairedDifference
from churn.evaluation.gate_rows import GateRowsReport, evaluate_gate_rows
from churn.evaluation.plan import Floors, PromotionSettings
from churn.profile import DEMO
from churn.promotion.comparison_gates import (
    JUMP,
    PROFIT,
    RANKING,
    SLICES,
    jump_gate,
    profit_gate,
    ranking_gate,
    slices_gate,
)
from churn.promotion.contenders import (
    BundleCheck,
    Contender,
    FixedReference,
    GateRows,
    TrainingVerdict,
)
from churn.promotion.decision import FIRST_LOOK, Decision, Gate, Looks, decide, unknown_gate
from churn.promotion.evidence_gates import (
    bundle_gates,
    data_gate,
    labels_gate,
    protocol_gate,
    training_gate,
    unseen_rows_gate,
)
from churn.promotion.floor_gates import (
    PLAUSIBLE,
    RANKS_WELL,
    WELL_CALIBRATED,
    baseline_gate,
    calibration_gate,
    enough_rows_gate,
    plausibility_gate,
    ranking_floor_gate,
)
from churn.promotion.reference_gates import leads, reference_gates
from churn.promotion.slice_gates import LEAVERS, RATES, rates_gate, reach_gate


def judge_challenger(
    challenger: Contender,
    champion: Contender | None,
    rows: GateRows,
    *,
    training: TrainingVerdict | None,
    quality: QualityReport | None,
    bundle: BundleCheck | None,
    floors: Floors,
    settings: PromotionSettings,
    against_baseline: PairedDifference | None = None,
    fixed: FixedReference | None = None,
    looks: Looks = FIRST_LOOK,
    hashes: Mapping[str, str] | None = None,
) -> Decision:
    """Judges a challenger by every gate; missing evidence and NaN hold it back.

    An exception means that there is no decision, and without one nothing may be promoted; `hold_on_error`
    makes it a decision to hold.

    Args:
        challenger: the challenger, with its scores of the gate rows.
        champion: the model in production, with its scores of the same rows; None where there is none.
        rows: the rows that judge.
        training: what the challenger's training decided, and with which profile; a person may override
            both.
        quality: the quality report of the data that the rows come from.
        bundle: results of trying the challenger's bundle.
        floors: what every model must clear.
        settings: margins, fixed before the two were compared.
        against_baseline: the challenger's paired difference to the plain baseline over
            cross-validation splits; judged only where there is no champion. None where it is the
            baseline itself; without splits in `training`, None is not known and holds it.
        fixed: what no number of promotions may sink below; None where nothing was in production.
        looks: which look at these rows it is; the level of the comparisons is spent by that.
        hashes: digests of what else was compared, for the record (the snapshot, the models).

    Examples:
        >>> import numpy as np
        >>> from churn.contract import load_contract
        >>> from churn.root import ROOT
        >>> contract = load_contract(ROOT / "data/contracts/telco.yaml")
        >>> left = (np.arange(200) % 4 == 0).astype(np.int8)
        >>> columns = {column.name: np.zeros(200) for column in contract.features}
        >>> decision = judge_challenger(
        ...     Contender("version 2", 12.0 * left - 6.0),
        ...     champion=None,
        ...     rows=GateRows(columns, left, contract),
        ...     training=None,
        ...     quality=None,
        ...     bundle=None,
        ...     floors=Floors(),
        ...     settings=PromotionSettings(),
        ... )
        >>> decision.status, decision.gates[0].sentence
        ('held back', 'What training decided about the challenger is not known.')
    """
    gates = [
        training_gate(training),
        protocol_gate(training, settings),
        data_gate(quality, training),
        *_fitting_rows(challenger, champion, rows),
    ]
    gates += _against_floors(challenger, rows, floors, settings)
    if champion is not None:
        gates += _against_champion(challenger, champion, rows, settings, looks.here)
    elif against_baseline is not None or training is None or not training.splits:
        gates.append(baseline_gate(against_baseline, floors))
    if fixed is not None:
        gates += reference_gates(challenger, fixed, rows, settings, look=looks.ever)
    gates += bundle_gates(bundle, settings)
    decision = decide(
        gates,
        challenger=challenger.name,
        champion=champion.name if champion else None,
        basis=_basis(champion, rows, fixed, looks),
        hashes={**(hashes or {}), "gate_rows": rows.sha256},
    )
    lead = fixed is not None and leads(challenger, fixed.best, rows)
    demo = training is not None and training.profile == DEMO
    more = {"gate_rows": rows.sample, "looks": looks, "leads": lead, "demonstration": demo}
    return decision.model_copy(update=more)


def _fitting_rows(challenger: Contender, champion: Contender | None, rows: GateRows) -> list[Gate]:
    gates = [
        labels_gate(rows),
        unseen_rows_gate(challenger, rows, role="challenger", otherwise="fail"),
    ]
    if champion is not None:
        # A champion that knows the rows is flattered by them, which is no fault of the challenger.
        gates.append(
            unseen_rows_gate(champion, rows, role="champion", otherwise="insufficient evidence")
        )
    return gates


def _basis(
    champion: Contender | None, rows: GateRows, fixed: FixedReference | None, looks: Looks
) -> str:
    if champion is None:
        basis = "There is no champion yet, so the absolute floors apply instead of a comparison."
    else:
        basis = (
            f"It was compared with {champion.name} on the same {rows.rows:,} customers: look "
            f"{looks.here} at them, look {looks.ever} at gate rows in all."
        )
        if rows.left_out:
            basis += (
                f" {rows.left_out:,} more gate rows are of customers that {champion.name} knows from "
                "an earlier day; they judge nobody."
            )
    if fixed is None:
        return basis
    held = f"{basis} The best version so far is {fixed.best.name}. {fixed.note}"
    return held.rstrip()


def _against_floors(
    challenger: Contender, rows: GateRows, floors: Floors, settings: PromotionSettings
) -> list[Gate]:
    enough = enough_rows_gate(rows.rows, int(rows.target.sum()), floors)
    broken = rows.problem() or challenger.score_problem(rows.rows)
    if broken:
        return [
            enough,
            unknown_gate(RANKS_WELL, floors.roc_auc_lower, broken),
            unknown_gate(WELL_CALIBRATED, floors.ece_upper, broken),
            unknown_gate(PLAUSIBLE, floors.column_roc_auc_upper, broken),
            unknown_gate(RATES, settings.slice_calibration_margin, broken),
        ]
    report = _measured(challenger, rows, settings)
    return [
        enough,
        ranking_floor_gate(report, floors),
        calibration_gate(report, floors),
        plausibility_gate(report, floors),
        rates_gate(challenger, rows, settings),
    ]


def _against_champion(
    challenger: Contender,
    champion: Contender,
    rows: GateRows,
    settings: PromotionSettings,
    look: int,
) -> list[Gate]:
    broken = (
        rows.problem() or challenger.score_problem(rows.rows) or champion.score_problem(rows.rows)
    )
    if broken:
        return [
            unknown_gate(RANKING, -settings.roc_auc_margin, broken),
            unknown_gate(JUMP, settings.roc_auc_jump, broken),
            unknown_gate(PROFIT, float("nan"), broken),
            unknown_gate(SLICES, -settings.slice_margin, broken),
            unknown_gate(LEAVERS, -settings.slice_tpr_margin, broken),
        ]
    return [
        ranking_gate(challenger, champion, rows, settings, look=look),
        jump_gate(challenger, champion, rows, settings),
        profit_gate(challenger, champion, rows, settings, look=look),
        slices_gate(challenger, champion, rows, settings),
        reach_gate(challenger, champion, rows, settings),
    ]


def _measured(challenger: Contender, rows: GateRows, settings: PromotionSettings) -> GateRowsReport:
    return evaluate_gate_rows(
        challenger.name,
        challenger.logit,
        rows.target,
        bootstrap_samples=settings.bootstrap_samples,
        seed=settings.seed,
        columns=rows.columns,
    )
