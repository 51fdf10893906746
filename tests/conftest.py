"""Fixtures of all tests: the shipped data under its contract, and environments of their own.

Packages are imported inside the fixtures, so that one that breaks fails its own tests only.
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    import numpy as np

    from churn.contract import DataContract
    from churn.data import Dataset
    from churn.reports.training.training_report import TrainingReport

ROOT = Path(__file__).resolve().parents[1]

pytest_plugins = ["tests.suite"]

os.environ["MPLBACKEND"] = "Agg"  # charts are files here; no display is ever needed
for switch in ("ZENML_ANALYTICS_OPT_IN", "GX_ANALYTICS_ENABLED"):
    os.environ[switch] = "false"  # a test run phones nobody
os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
# Set before ZenML is imported by anything: tests never see the developer's own configuration.
os.environ["ZENML_CONFIG_PATH"] = tempfile.mkdtemp(prefix="churn-tests-zenml-")
atexit.register(shutil.rmtree, os.environ["ZENML_CONFIG_PATH"], ignore_errors=True)

_quiet = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
settings.register_profile("local", deadline=None, suppress_health_check=_quiet)
settings.register_profile("ci", deadline=None, derandomize=True, suppress_health_check=_quiet)
settings.load_profile("ci" if os.environ.get("CI") else "local")


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository's root folder."""
    return ROOT


@pytest.fixture(scope="session")
def contract(root: Path) -> DataContract:
    """The shipped data contract."""
    from churn.contract import load_contract

    return load_contract(root / "data" / "contracts" / "telco.yaml")


@pytest.fixture(scope="session")
def telco(root: Path, contract: DataContract, tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """The 7,043 real customers, parsed under the shipped contract; do not write to its frame."""
    from churn.data import acquire

    return acquire("bundled", contract, root=root, cache=tmp_path_factory.mktemp("downloads"))


@pytest.fixture(scope="session")
def telco_columns(telco: Dataset) -> dict[str, np.ndarray]:
    """The real customers as models see them: numbers as float64[n], codes as int8[n]."""
    from churn.features.encoding import encode

    return dict(encode(telco.frame, telco.contract))


@pytest.fixture(scope="session")
def telco_target(telco: Dataset) -> np.ndarray:
    """Who left: int8[n], 1 for a customer who left."""
    from churn.features.encoding import encode_target

    return encode_target(telco.frame, telco.contract)


@pytest.fixture(scope="session")
def isolated_environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """An environment for `run.py` subprocesses that cannot see the developer's own ZenML.

    Session-wide, because creating ZenML's database takes seconds. A test that needs an untouched
    one copies this and sets `ZENML_CONFIG_PATH` to a folder of its own.

    Coverage is not measured in them: importing ZenML and MLflow takes half as long again with a
    tracer, and what the steps do is measured where tests call them.
    """
    home = tmp_path_factory.mktemp("home")
    drop = ("ZENML_", "MLFLOW_", "COVERAGE_", "VIRTUAL_ENV", "PYTHONPATH", "PYTHONDONTWRITE")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(drop)}
    return kept | {
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home / ".config"),
        "ZENML_CONFIG_PATH": str(home / "zenml"),
        "ZENML_ANALYTICS_OPT_IN": "false",
        "GX_ANALYTICS_ENABLED": "false",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "MPLBACKEND": "Agg",
        "COLUMNS": "100",
        "NO_COLOR": "1",
    }


@pytest.fixture(scope="session")
def session_zenml() -> Path:
    """This process's own ZenML configuration folder.

    Session-wide, because ZenML's configuration is a singleton that reads the variable once.
    """
    return Path(os.environ["ZENML_CONFIG_PATH"])


@pytest.fixture(scope="session")
def generated_report() -> TrainingReport:
    """Two candidates and the baseline on 900 customers whose risk is known; made in a second."""

    import numpy as np
    from scipy.special import expit
    from sklearn.model_selection import StratifiedKFold

    from churn.evaluation.cross_validation import Fold, OutOfFold
    from churn.evaluation.gate_rows import evaluate_gate_rows
    from churn.evaluation.plan import Floors, ProtocolPlan, SelectionPlan
    from churn.evaluation.protocol import protocol_figure, summarise_folds
    from churn.evaluation.selection import select_candidate
    from churn.promotion.floor_gates import judge_first_model
    from churn.reports.training.training_report import DataFacts, QualityFacts, TrainingReport

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
    protocol = summarise_folds(OutOfFold(plan, target, folds), baseline="logistic")
    visits = {"visits": np.round(score)}
    gate = evaluate_gate_rows("blend", score, target, bootstrap_samples=100, columns=visits)
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
        selection=select_candidate(protocol, SelectionPlan()),
        protocol=protocol,
        figure=figure,
        gate_rows=gate,
        decision=judge_first_model(gate, floors, against_baseline=figure.result.against_baseline),
    )
