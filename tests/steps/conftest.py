"""Steps as plain functions: no stack, no ZenML database, no network; small models, the real table.

Each step of training runs once, in a fixture that bears its artifact's name, on what the steps
before it have returned.
"""

from __future__ import annotations

import os
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.steps.fake_control_plane import FakeControlPlane

HERE = Path(__file__).parent
MODEL = "telco-churn-demo"
SETTINGS = {
    "profile": "demo",
    "model": {"name": MODEL},
    "gates": {"bootstrap_samples": 100},
    "latency_budget_ms": 10_000.0,  # how fast this machine is, is none of this test's business
}


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[Any]:
    """While a test of this folder and its fixtures run, ZenML's client and the network refuse."""
    if HERE not in item.path.parents:  # pytest asks every conftest about every test
        return (yield)
    from zenml.client import ClientMetaClass
    from zenml.config.global_config import GlobalConfiguration

    def refuse(*arguments: Any, **more: Any) -> None:
        raise AssertionError(
            f"a step asked for ZenML or the network, though it has none: {arguments}"
        )

    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as folder:
        patch.setenv("ZENML_CONFIG_PATH", folder)
        patch.setenv("ZENML_LOCAL_STORES_PATH", f"{folder}/stores")
        patch.setattr(ClientMetaClass, "__call__", refuse)
        patch.setattr(GlobalConfiguration, "zen_store", property(refuse))
        patch.setattr(socket.socket, "connect", refuse)
        return (yield)


@pytest.fixture(autouse=True)
def zenml_folder() -> Iterator[Path]:
    """Where ZenML would keep what it is told: nothing, whatever the test has called."""
    folder = Path(os.environ["ZENML_CONFIG_PATH"])
    yield folder
    assert list(folder.rglob("*")) == []


@pytest.fixture(scope="session")
def settings(root) -> dict[str, Any]:
    """The shipped settings, with as little to do as each plan allows."""
    from churn.settings.business_settings import follow_contract
    from churn.settings.pipelines import TrainingSettings
    from churn.settings.settings_file import load_settings

    small = (
        "profile=demo",
        "selection.folds=2",
        "selection.repeats=1",
        "protocol.folds=2",
        "protocol.repeats=1",
        "protocol.bootstrap_samples=100",
        "evaluation.bootstrap_samples=100",
        "threshold.bootstrap_samples=100",
        "explanation.samples=2",
        "explanation.customers=200",
        "workers=1",
    )
    file = root / "configs" / "training.yaml"
    return follow_contract(load_settings(TrainingSettings, file, small), root).model_dump(
        mode="json"
    )


@pytest.fixture(scope="session")
def recipes() -> dict[str, Any]:
    """The plain baseline, and splines beside it."""
    return {
        "candidates": ["logistic", "spline_logistic"],
        "recipes": {
            "logistic": {"kind": "logistic"},
            "spline_logistic": {"kind": "spline_logistic"},
        },
    }


@pytest.fixture(scope="session")
def customers(root, settings, tmp_path_factory):
    from churn.settings.pipelines import DataSettings
    from runner.inputs import check_table
    from steps.data.acquire_data import acquire_data

    downloads = tmp_path_factory.mktemp("downloads")
    table = check_table(DataSettings(**settings["data"]), root=root, downloads=downloads)
    return acquire_data.entrypoint(**vars(table), cache_folder=str(downloads))


@pytest.fixture(scope="session")
def quality(customers):
    from steps.data.check_quality import check_quality

    return check_quality.entrypoint(customers, "refuse")


@pytest.fixture(scope="session")
def split(customers):
    from steps.data.split_rows import split_rows

    return split_rows.entrypoint(customers, gate_fraction=0.2, seed=11)


@pytest.fixture(scope="session")
def out_of_fold(customers, split, recipes, settings):
    from steps.modelling.score_candidates import score_candidates

    return score_candidates.entrypoint(customers, split, recipes, settings["selection"], 1)


@pytest.fixture(scope="session")
def selection(out_of_fold, settings):
    from steps.modelling.select_model import select_model

    return select_model.entrypoint(out_of_fold, "logistic", settings["selection"])


@pytest.fixture(scope="session")
def protocol(customers, recipes, settings):
    from steps.modelling.measure_protocol import measure_protocol

    plan = {**settings["protocol"]}
    baseline, frozen = plan.pop("baseline"), plan.pop("frozen_recipe")
    return measure_protocol.entrypoint(customers, recipes, plan, baseline, frozen, 1)


@pytest.fixture(scope="session")
def recalibration(out_of_fold, selection, settings):
    from steps.modelling.recalibrate_scores import recalibrate_scores

    return recalibrate_scores.entrypoint(out_of_fold, selection, settings["threshold"])


@pytest.fixture(scope="session")
def model(customers, split, selection, recalibration, recipes):
    from steps.modelling.train_model import train_model

    return train_model.entrypoint(customers, split, selection, recalibration, recipes)


@pytest.fixture(scope="session")
def evaluation(customers, split, model, recipes, settings):
    from steps.modelling.evaluate_model import evaluate_model

    return evaluate_model.entrypoint(
        customers, split, model, recipes, "logistic", settings["evaluation"]
    )


@pytest.fixture(scope="session")
def threshold(customers, split, out_of_fold, recalibration, model, settings):
    from steps.modelling.choose_threshold import choose_threshold

    return choose_threshold.entrypoint(
        customers,
        split,
        out_of_fold,
        recalibration,
        model,
        settings["value"],
        settings["threshold"],
    )


@pytest.fixture(scope="session")
def slices(customers, split, model, threshold, settings):
    from steps.modelling.measure_slices import measure_slices

    return measure_slices.entrypoint(customers, split, model, threshold, settings["slices"])


@pytest.fixture(scope="session")
def explanation(customers, split, model):
    from steps.modelling.explain_model import explain_model

    return explain_model.entrypoint(customers, split, model)


@pytest.fixture(scope="session")
def stability(customers, split, model, recipes, settings):
    from steps.modelling.measure_stability import measure_stability

    return measure_stability.entrypoint(customers, split, model, recipes, settings["explanation"])


@pytest.fixture(scope="session")
def decision(evaluation, protocol, settings):
    from steps.promotion.decide_promotion import decide_promotion

    return decide_promotion.entrypoint(evaluation, protocol, settings["floors"])


@pytest.fixture(scope="session")
def write(  # noqa: PLR0917 - as many as the step has
    customers, quality, split, selection, evaluation, decision, threshold, slices, explanation,
    stability, recipes,
):  # fmt: skip
    """Writes the training report of a protocol, and of a nested one."""
    from steps.modelling.write_report import write_report

    return lambda protocol, nested=None: write_report.entrypoint(
        customers=customers, quality=quality, split=split, selection=selection, protocol=protocol,
        evaluation=evaluation, decision=decision, threshold=threshold, slices=slices,
        explanation=explanation, stability=stability, nested=nested,
        labels={
            "model_name": MODEL,
            "profile": "demo",
            "frozen_recipe": "spline_logistic",
            "recipes": recipes,
        },
    )  # fmt: skip


@pytest.fixture(scope="session")
def report(write, protocol):
    return write(protocol)


@pytest.fixture(scope="session")
def card(customers, report, settings):
    from steps.modelling.write_model_card import write_model_card

    return write_model_card.entrypoint(
        customers, report, settings["model"], settings["data"]["contract"]
    )


@pytest.fixture
def control_plane(monkeypatch) -> FakeControlPlane:
    """An empty control plane of the test's own, handed to whatever step asks for one."""
    from registry import control_plane

    made = FakeControlPlane()
    monkeypatch.setattr(control_plane, "ControlPlane", lambda: made)
    return made


@pytest.fixture(scope="session")
def published(model, customers, split, threshold, tmp_path_factory) -> Path:
    """A store with the trained model in production, as version 1."""
    from churn.features.encoding import encode, take
    from churn.scoring.bundle import Threshold, bundle_folder, publish, write_bundle

    store = tmp_path_factory.mktemp("store")
    columns = take(encode(customers.frame, customers.contract), split.development)
    write_bundle(
        bundle_folder(store, "1"), model, columns, name=MODEL, version="1", metrics={},
        threshold=Threshold(value=threshold.threshold, basis=threshold.basis),
    )  # fmt: skip
    publish(store, "1")
    return store


@pytest.fixture
def folders(tmp_path):
    return {
        "bundles": str(tmp_path / "production"),
        "ledger": f"sqlite:///{tmp_path / 'ledger.db'}",
    }


@pytest.fixture
def promoting():
    """A decision to promote, whoever is judged."""
    from churn.promotion.decision import Gate, decide

    gate = Gate(name="given", figure=1, threshold=1, verdict="pass", sentence="It is given.")
    return decide([gate], challenger="version 1", champion=None, basis="Given by a test.")


@pytest.fixture
def registered(control_plane, model, selection, protocol, evaluation, report, settings, promoting):
    """Registers the trained model, as often as it is called."""
    from steps.promotion.register_model import register_model

    def register(decision=promoting):
        return register_model.entrypoint(
            model, selection, protocol, evaluation, decision, report, settings["model"]
        )

    return register


@pytest.fixture
def linked(control_plane, model, customers, split, quality, protocol, threshold, card):
    """Links to every version what training links to it."""
    from registry.artifacts import Artifact

    def link() -> None:
        for version in control_plane.versions:
            version.artifacts = {
                Artifact.MODEL: model,
                Artifact.CUSTOMERS: customers,
                Artifact.SPLIT: split,
                Artifact.QUALITY_REPORT: quality,
                Artifact.PROTOCOL: protocol,
                Artifact.THRESHOLD: threshold,
                Artifact.MODEL_CARD: card,
            }

    return link
