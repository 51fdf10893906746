"""A whole training report on generated customers, for those who show, store or send reports."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from churn.training_report.report import TrainingReport


@pytest.fixture(scope="session")
def generated_report() -> TrainingReport:
    """Two candidates and the baseline on 900 customers whose risk is known; made in a second."""
    import numpy as np
    from scipy.special import expit
    from sklearn.model_selection import StratifiedKFold

    from churn.evaluation.cross_validation import Fold, OutOfFold
    from churn.evaluation.gate_rows import evaluate_gate_rows
    from churn.evaluation.plan import Floors, ProtocolPlan
    from churn.evaluation.protocol import protocol_figure, summarise
    from churn.evaluation.selection import choose
    from churn.promotion import judge_absolute
    from churn.training_report.report import DataFacts, QualityFacts, TrainingReport

    generator = np.random.default_rng(17)
    score = generator.normal(-1.2, 2.0, size=900)
    target = (generator.random(900) < expit(score)).astype(np.int8)
    noisy = score + generator.normal(scale=1.0, size=900)
    logits = {"logistic": noisy, "logistic_balanced": noisy + np.log(3), "blend": score}
    plan = ProtocolPlan(folds=3, repeats=1, bootstrap_samples=100)
    cuts = StratifiedKFold(n_splits=3, shuffle=True, random_state=0).split(noisy, target)
    folds = tuple(
        Fold(rows=rows, logits={name: each[rows] for name, each in logits.items()})
        for _, rows in cuts
    )
    protocol = summarise(OutOfFold(plan, target, folds), baseline="logistic")
    model = SimpleNamespace(kind="scored", logit=lambda columns: columns["score"])
    gate = evaluate_gate_rows("blend", model, {"score": score}, target, bootstrap_samples=100)
    figure = protocol_figure(protocol, "blend", frozen_recipe="blend")
    floors = Floors(minimum_rows=100, ece_upper=0.2, baseline_margin=0.05)
    return TrainingReport(
        model_name="gym-churn",
        created="2026-11-25 09:00 UTC",
        profile="full",
        data=DataFacts(
            title="Members of a gym",
            location="/there/members.csv",
            sha256="ab" * 32,
            rows=900,
            columns=21,
            churn_rate=float(target.mean()),
            development_rows=700,
            gate_rows=200,
        ),
        quality=QualityFacts(verdict="warn", passed=9, total=10, findings=("12 rows are odd.",)),
        selection=choose(protocol),
        protocol=protocol,
        figure=figure,
        gate_rows=gate,
        decision=judge_absolute(gate, floors, against_baseline=figure.result.against_baseline),
    )
