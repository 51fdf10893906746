"""A customer table as an artifact: it comes back equal, and shows no customer on its page."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import numpy as np
import pandas as pd
import pytest
from zenml.artifact_stores import LocalArtifactStore, LocalArtifactStoreConfig
from zenml.enums import StackComponentType, VisualizationType

from churn.data import Dataset
from materializers.dataset_materializer import DatasetMaterializer


@pytest.fixture
def store(tmp_path) -> LocalArtifactStore:
    """A local artifact store that belongs to no stack."""
    now = datetime.now(UTC)
    return LocalArtifactStore(
        name="here",
        id=uuid4(),
        config=LocalArtifactStoreConfig(path=str(tmp_path)),
        flavor="local",
        type=StackComponentType.ARTIFACT_STORE,
        user=None,
        created=now,
        updated=now,
    )


@pytest.fixture(params=["local", "remote"])
def materializer(request, store, tmp_path, monkeypatch) -> DatasetMaterializer:
    """Writes straight into the store's folder, or uploads as to a bucket."""
    made = DatasetMaterializer(str(tmp_path / "customers"), store)
    (tmp_path / "customers").mkdir()
    if request.param == "remote":
        monkeypatch.setattr(made, "_is_local", lambda: False)
    return made


def test_a_table_comes_back_equal(telco, materializer):
    materializer.save(telco)

    back = materializer.load(Dataset)

    assert back == telco
    pd.testing.assert_frame_equal(back.frame, telco.frame, check_exact=True)
    assert back.contract == telco.contract
    assert back.source == telco.source
    assert sorted(path.name for path in Path(materializer.uri).iterdir()) == [
        "contract.json",
        "customers.parquet",
        "source.json",
    ]


def test_rows_that_were_ordered_keep_their_places_in_the_source(telco, materializer):
    places = np.arange(telco.rows)[::-1].copy()
    ordered = replace(telco, places=places)
    materializer.save(ordered)

    back = materializer.load(Dataset)

    assert (back.places == places).all()
    assert back.as_stored.equals(telco.frame[::-1].reset_index(drop=True))
    hashed = materializer.compute_content_hash
    assert hashed(ordered) != hashed(telco)


def test_a_category_that_no_customer_has_keeps_its_place(telco, materializer):
    few = replace(telco, frame=telco.frame.head(3))

    materializer.save(few)

    back = materializer.load(Dataset)
    assert back == few
    assert list(back.frame["PaymentMethod"].cat.categories) == list(
        telco.contract.column("PaymentMethod").categories
    )


def test_its_metadata_distinguishes_tables(telco, store):
    metadata = DatasetMaterializer("unused", store).extract_metadata(telco)

    assert metadata == {
        "rows": 7043,
        "target_rate": 0.26537,
        "sha256": telco.source.sha256,
        "location": "bundled",
        "contract": "telco 1",
    }


def test_its_page_speaks_of_columns_and_of_no_customer(telco, materializer):
    (uri,) = (pages := materializer.save_visualizations(telco))

    page = Path(uri).read_text(encoding="utf-8")
    assert pages[uri] == VisualizationType.HTML
    assert "7,043 customers; 26.5% of them left" in page
    assert "Month-to-month 55.0%, One year 20.9%, Two year 24.1%" in page
    assert "lowest 18.25, quarter 35.5, median 70.35, three quarters 89.85, highest 118.75" in page
    assert telco.source.sha256 in page
    assert not [customer for customer in telco.frame["customerID"] if customer in page]


def test_a_page_is_safe_whatever_the_file_is_called(telco, materializer):
    odd = replace(telco, source=replace(telco.source, location="<script>alert(1)</script>.csv"))

    (uri,) = materializer.save_visualizations(odd)

    assert "<script>" not in Path(uri).read_text(encoding="utf-8")


def test_equal_content_has_an_equal_hash_and_other_content_another(telco, store):
    hashed = DatasetMaterializer("unused", store).compute_content_hash
    changed = telco.frame.copy()
    changed.loc[5, "MonthlyCharges"] += 0.05
    swapped = telco.frame.iloc[[1, 0, *range(2, telco.rows)]].reset_index(drop=True)
    others = [
        replace(telco, frame=changed),
        replace(telco, frame=swapped),
        replace(telco, source=replace(telco.source, location="elsewhere.csv")),
        replace(telco, contract=telco.contract.model_copy(update={"version": 2})),
    ]

    assert hashed(replace(telco, frame=telco.frame.copy())) == hashed(telco)
    assert len({hashed(each) for each in [telco, *others]}) == 5
