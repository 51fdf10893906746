"""What every test may ask for: the shipped data under its contract, and a state of its own.

The rooms are imported inside the fixtures, so that a room that breaks fails its own tests only.
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
    from churn.dataset import Dataset

ROOT = Path(__file__).resolve().parents[1]

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
    from churn.dataset import acquire

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
