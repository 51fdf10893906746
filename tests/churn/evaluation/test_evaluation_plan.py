import subprocess
import sys

import pytest
from pydantic import ValidationError

from churn.evaluation.plan import Floors, ProtocolPlan, ProtocolSettings, SelectionPlan


@pytest.mark.parametrize(
    ("settings", "values"),
    [
        (ProtocolPlan, {"folds": 1}),
        (ProtocolPlan, {"repeats": 0}),
        (ProtocolPlan, {"bootstrap_samples": -1}),
        (ProtocolPlan, {"seed": -1}),
        (ProtocolPlan, {"folds": "5"}),
        (ProtocolPlan, {"repeat": 5}),
        (SelectionPlan, {"bootstrap_samples": 10}),
        (ProtocolSettings, {"baseline": "Plain Logistic"}),
        (Floors, {"roc_auc_lower": 0.4}),
        (Floors, {"ece_upper": 0}),
        (Floors, {"minimum_rows": 0}),
    ],
)
def test_settings_out_of_bounds_or_unknown_are_refused(settings, values):
    with pytest.raises(ValidationError):
        settings(**values)


def test_a_plan_says_what_it_does():
    plan = ProtocolPlan(folds=5, repeats=10, seed=7, bootstrap_samples=2000)
    assert plan.splits == 50
    assert "repeated 10 times" in plan.sentence
    assert "fitted 50 times" in plan.sentence
    assert "2,000 times" in plan.sentence
    assert "done once" in SelectionPlan(repeats=1).as_protocol().sentence


def test_reading_settings_loads_no_statistics_library(root):
    code = (
        "import sys, churn.evaluation.plan; print({'numpy', 'sklearn', 'scipy'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "set()"
