from pathlib import Path

import numpy as np
import pytest
from zenml.enums import VisualizationType

from churn.models.recipe_catalog import build_candidates
from churn.models.recipe_settings import default_recipes
from churn.models.trained import TrainedModel
from churn.reports.charts.importance_chart import importance_chart
from materializers.model_materializer import ModelMaterializer

PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture(scope="module")
def trained(contract, telco_columns, telco_target):
    recipes = default_recipes()
    return TrainedModel.train(
        build_candidates(["spline_logistic"], recipes, contract)["spline_logistic"],
        telco_columns,
        telco_target,
        contract=contract,
        data_sha256="cd" * 32,
        settings=recipes["spline_logistic"],
    )


@pytest.fixture
def materializer(session_zenml, tmp_path):
    """A materializer on a folder of its own, in an artifact store on this machine."""
    from zenml.artifact_stores import LocalArtifactStoreConfig
    from zenml.artifact_stores.local_artifact_store import LocalArtifactStore
    from zenml.enums import StackComponentType

    store = LocalArtifactStore(
        name="store",
        id="5ab2e7b3-7e0b-4a5c-9a41-2f61d9a0b001",
        config=LocalArtifactStoreConfig(path=str(tmp_path)),
        flavor="local",
        type=StackComponentType.ARTIFACT_STORE,
        user=None,
        created="2024-01-01T00:00:00",
        updated="2024-01-01T00:00:00",
    )
    return ModelMaterializer(uri=str(tmp_path / "artifact"), artifact_store=store)


def test_what_is_loaded_scores_as_what_was_saved(materializer, trained, telco_columns):
    materializer.save(trained)
    again = materializer.load(TrainedModel)
    assert np.array_equal(again.logit(telco_columns), trained.logit(telco_columns))
    assert again.importance == trained.importance


def test_the_metadata_says_what_it_is_and_where_it_comes_from(materializer, trained):
    assert materializer.extract_metadata(trained) == {
        "recipe": "spline_logistic",
        "rows": 7043,
        "data_sha256": "cd" * 32,
        "features": 20,
        "strongest_feature": "Contract",
    }


def test_the_dashboard_gets_a_picture(materializer, trained):
    materializer.save(trained)
    ((place, kind),) = materializer.save_visualizations(trained).items()
    assert kind == VisualizationType.IMAGE
    assert Path(place).read_bytes().startswith(PNG)
    assert materializer.load(TrainedModel).recipe == "spline_logistic"


def test_equal_models_have_equal_hashes_and_others_have_not(materializer, trained):
    from dataclasses import replace

    materializer.save(trained)
    loaded = materializer.load(TrainedModel)
    first = materializer.compute_content_hash(trained)
    assert materializer.compute_content_hash(loaded) == first
    other = replace(trained, data_sha256="ef" * 32)
    assert materializer.compute_content_hash(other) != first


def test_the_picture_ranks_the_columns_and_its_title_names_the_strongest():
    figure = importance_chart("gbm", {"a": 0.1, "b": 0.5, "c": 0.3})
    (axes,) = figure.axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["b", "c", "a"]
    assert [bar.get_width() for bar in axes.patches] == [0.5, 0.3, 0.1]
    title = figure.get_suptitle().replace("\n", " ")
    assert title == "b and c move gbm's scores most: by 0.50 and 0.30 on average"
    assert axes.get_xlabel().endswith("log-odds")


def test_a_lone_column_has_a_picture_too():
    assert "a alone moves" in importance_chart("gbm", {"a": 0.1}).get_suptitle()
