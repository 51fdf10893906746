"""What ranks better than retraining or an honest column can is held, with its name."""

import numpy as np
import pytest
from scipy.special import expit

from churn.evaluation.gate_rows import evaluate_gate_rows
from churn.evaluation.plan import Floors, PromotionSettings
from churn.promotion.comparison_gates import jump_gate
from churn.promotion.contenders import Contender, GateRows
from churn.promotion.floor_gates import plausibility_gate


@pytest.fixture(scope="module")
def customers():
    """Log-odds of 2,000 customers and who left."""
    generator = np.random.default_rng(3)
    score = generator.normal(-1.3, 2.0, size=2000)
    return score, (generator.random(2000) < expit(score)).astype(np.int8)


def test_a_column_that_copies_the_outcome_but_for_three_percent_is_held_by_its_name(customers):
    score, left = customers
    wrong = np.random.default_rng(4).random(len(left)) < 0.03
    columns = {"visits": np.round(score), "survey": np.where(wrong, 1 - left, left)}
    report = evaluate_gate_rows("blend", score, left, bootstrap_samples=100, columns=columns)
    gate = plausibility_gate(report, Floors())
    assert gate.verdict == "insufficient evidence"
    assert gate.figure > 0.95
    assert gate.sentence.startswith("Column 'survey' alone reaches ROC-AUC 0.9")
    del columns["survey"]
    report = evaluate_gate_rows("blend", score, left, bootstrap_samples=100, columns=columns)
    assert plausibility_gate(report, Floors()).verdict == "pass"


def test_a_lead_beyond_what_retraining_gains_is_held(customers, contract):
    score, left = customers
    rows = GateRows(columns={"visits": score}, target=left, contract=contract)
    noise = np.random.default_rng(5).normal(scale=2.0, size=len(left))
    strong, weak = Contender("version 2", score), Contender("version 1", score + noise)
    gained = jump_gate(strong, weak, rows, PromotionSettings()).figure
    assert gained > 0.05
    for believed, verdict in ((gained, "pass"), (gained - 1e-9, "insufficient evidence")):
        gate = jump_gate(strong, weak, rows, PromotionSettings(roc_auc_jump=believed))
        assert gate.verdict == verdict
    assert "raise gates.roc_auc_jump" in gate.sentence
    assert jump_gate(weak, strong, rows, PromotionSettings()).verdict == "pass"
