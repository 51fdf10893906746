"""The scoring pipeline deployed by ZenML's local deployer, asked over real HTTP, stopped again.

One deployment for all of these tests, in this session's own ZenML: it takes a quarter of a minute.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from churn.errors import BundleError, ChurnError, InputError
from deployment.zenml_deployments import ZenmlDeployment, stop_deployment
from runner.zenml_deployment import deploy_scoring, get_deployment, invoke_deployment
from stacks.spec import ExistingComponent, StackSpec, load_stack

pytestmark = pytest.mark.system

NAME = "churn-scoring-tested"
PATIENCE = 60


@pytest.fixture(scope="module")
def store(contract, telco_columns, telco_target, tmp_path_factory) -> Path:
    """Two small blends of the shipped customers, the first in production."""
    from churn.models.recipe_catalog import build_candidates
    from churn.models.recipe_settings import GbmSettings, default_recipes
    from churn.models.trained import TrainedModel
    from churn.scoring.bundle import Threshold, bundle_folder, publish, write_bundle

    place = tmp_path_factory.mktemp("store")
    recipes = default_recipes() | {"gbm": GbmSettings(trees=30)}
    candidate = build_candidates(["blend"], recipes, contract)["blend"]
    for version, rows in (("1", slice(0, 1500)), ("2", slice(1500, 3000))):
        some = {name: values[rows] for name, values in telco_columns.items()}
        trained = TrainedModel.train(
            candidate,
            some,
            telco_target[rows],
            contract=contract,
            data_sha256="ab" * 32,
            settings=recipes["blend"],
        )
        threshold = Threshold(value=0.3, basis="chosen for the tests")
        write_bundle(
            bundle_folder(place, version), trained, some, name="churn", version=version,
            threshold=threshold, metrics={},
        )  # fmt: skip
    publish(place, "1")
    return place


@pytest.fixture(scope="module")
def stack() -> StackSpec:
    """The local stack with ZenML's own deployer in it."""
    spec = load_stack("local")
    components = {**spec.components, "deployer": ExistingComponent(use="default")}
    return spec.model_copy(update={"name": "local-deployed", "components": components})


@pytest.fixture(scope="module")
def deployed(
    store: Path,
    stack: StackSpec,
    session_zenml: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[ZenmlDeployment]:
    """The deployment; callers must show a key."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ZENML_ACTIVE_STACK_ID", "")  # put back as it was when the tests end
        patch.chdir(tmp_path_factory.mktemp("elsewhere"))
        state = tmp_path_factory.mktemp("state")
        from zenml.client import Client

        Client().activate_stack("default")
        try:
            yield deploy_scoring(str(store), stack, name=NAME, keyed=True, state=state)
        finally:
            stop_deployment(NAME)


@pytest.fixture(scope="module")
def customers(telco) -> list[dict[str, Any]]:
    """Real customers in raw values, from all over the table."""
    names = [column.name for column in telco.contract.features]
    rows = telco.frame[names].iloc[::480].astype(object).to_dict(orient="records")
    return [
        {name: value.item() if hasattr(value, "item") else value for name, value in row.items()}
        for row in rows
    ]


def _runs() -> int:
    from zenml.client import Client

    return Client().list_pipeline_runs(pipeline="scoring", size=1).total


def test_every_score_over_http_is_the_scorers_to_the_last_bit(deployed, store, customers):
    from churn.scoring import Scorer, bundle_folder
    from churn.scoring.risk_bands import Bands

    scorer = Scorer.load(bundle_folder(store, "1"))
    bands = Bands.read(bundle_folder(store, "1"), scorer.threshold)
    expected = [scorer.score_one(row) for row in customers]

    answers = [invoke_deployment(deployed.address, row, key=deployed.key) for row in customers]

    assert len({score.probability for score in expected}) > 10
    assert [answer["probability"] for answer in answers] == [s.probability for s in expected]
    assert [answer["decision"] for answer in answers] == [s.decision for s in expected]
    assert [answer["risk_band"] for answer in answers] == [bands(s.probability) for s in expected]
    assert {answer["model_version"] for answer in answers} == {"1"}


def test_each_answer_is_a_run_that_zenml_keeps(deployed, customers):
    from zenml.client import Client

    before = _runs()
    plain = invoke_deployment(deployed.address, customers[0], key=deployed.key)
    kept = invoke_deployment(deployed.address, customers[0], key=deployed.key, keep=True)

    assert _runs() == before + 2
    runs = [Client().get_pipeline_run(each["prediction_id"]) for each in (plain, kept)]
    assert [run.status.value for run in runs] == ["completed", "completed"]
    stored = runs[1].steps["score_customer"].outputs["customer_score"][0].load()
    assert stored == kept


def test_a_refused_customer_is_a_sentence_and_no_run(deployed, customers):
    before = _runs()

    with pytest.raises(InputError, match="Field 'Contract': 'Biennial' is not one of"):
        invoke_deployment(
            deployed.address, customers[0] | {"Contract": "Biennial"}, key=deployed.key
        )

    assert _runs() == before


def test_a_request_that_is_none_is_refused_with_its_place(deployed):
    sent = {"parameters": {"customers": {}}}
    headers = {"Authorization": f"Bearer {deployed.key}"}

    answer = httpx.post(f"{deployed.address}/invoke", json=sent, headers=headers, timeout=PATIENCE)

    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["body", "parameters", "customer"]


@pytest.mark.parametrize("key", [None, "another"])
def test_who_does_not_show_the_key_is_refused(deployed, customers, key):
    with pytest.raises(InputError, match="asks for a key"):
        invoke_deployment(deployed.address, customers[0], key=key)


def test_the_stack_that_the_user_has_set_stays_set(deployed, customers, session_zenml):
    from zenml.client import Client

    invoke_deployment(deployed.address, customers[0], key=deployed.key)

    settled = yaml.safe_load((session_zenml / "config.yaml").read_text())
    assert settled["active_stack_id"] == str(Client().get_stack("default").id)


def test_no_other_page_may_ask_it(deployed):
    answer = httpx.get(
        f"{deployed.address}/health", headers={"Origin": "https://elsewhere.example"}
    )

    assert answer.status_code == 200
    assert "access-control-allow-origin" not in answer.headers


def test_a_promotion_reaches_it_without_a_restart(deployed, store, customers):
    from churn.scoring import Scorer
    from churn.scoring.bundle import bundle_folder, publish

    publish(store, "2")

    until = time.monotonic() + PATIENCE
    while (answer := invoke_deployment(deployed.address, customers[0], key=deployed.key))[
        "model_version"
    ] == "1":
        assert time.monotonic() < until
    expected = Scorer.load(bundle_folder(store, "2")).score_one(customers[0])
    assert answer["probability"] == expected.probability


def test_a_store_with_nothing_in_production_leaves_it_answering(
    deployed, store, stack, customers, tmp_path
):
    from churn.scoring.bundle import current

    with pytest.raises(BundleError, match="has nothing in production"):
        deploy_scoring(str(tmp_path), stack, name=NAME, state=tmp_path)

    assert get_deployment(NAME) == deployed
    answer = invoke_deployment(deployed.address, customers[0], key=deployed.key)
    assert answer["model_version"] == current(store).version


def test_once_stopped_it_is_gone_and_its_runs_stay(deployed, customers):
    runs = _runs()

    assert stop_deployment(NAME[:-1]) is False  # not by the beginning of its name
    assert stop_deployment(NAME) is True
    assert stop_deployment(NAME) is False

    assert _runs() == runs
    with pytest.raises(InputError, match=f"ZenML has no deployment '{NAME}'"):
        get_deployment(NAME)
    with pytest.raises(ChurnError, match="does not answer"):
        invoke_deployment(deployed.address, customers[0], key=deployed.key)
