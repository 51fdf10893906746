"""Splits and reports as artifacts: they come back equal, are described, drawn, and known again."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import numpy as np
import pytest
from pydantic import BaseModel
from zenml.artifact_stores import LocalArtifactStore, LocalArtifactStoreConfig
from zenml.enums import StackComponentType, VisualizationType

from churn.data.quality import check
from churn.data.split import Split, split_rows
from materializers.folder_materializer import DRAWING_SECONDS
from materializers.report_materializer import ReportMaterializer
from materializers.report_visualizations import summary_metadata, visualize
from materializers.split_materializer import SplitMaterializer


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
def materialize(request, store, tmp_path, monkeypatch):
    """Makes a materializer that writes into the store's folder, or uploads as to a bucket."""

    def make(kind):
        made = kind(str(tmp_path / "artifact"), store)
        (tmp_path / "artifact").mkdir()
        if request.param == "remote":
            monkeypatch.setattr(made, "_is_local", lambda: False)
        return made

    return make


@pytest.fixture(scope="module")
def split(telco) -> Split:
    return split_rows(telco.frame, telco.contract, gate_fraction=0.2, seed=11)


@pytest.fixture(scope="module")
def quality(telco):
    """A report with a finding: a customer of minus three months."""
    few = telco.frame.head(600).copy()
    few.loc[7, "tenure"] = -3
    return check(few, telco.contract, None)


@pytest.fixture(params=["quality", "selection", "protocol", "gate_rows", "decision", "training"])
def report(request, generated_report, quality) -> BaseModel:
    if request.param == "quality":
        return quality
    if request.param == "training":
        return generated_report
    return getattr(generated_report, request.param)


def test_a_split_comes_back_equal(split, materialize):
    materializer = materialize(SplitMaterializer)
    materializer.save(split)

    back = materializer.load(Split)

    assert np.array_equal(back.development, split.development)
    assert np.array_equal(back.gate, split.gate)
    assert back.gate.dtype == np.int64
    assert [path.name for path in Path(materializer.uri).iterdir()] == ["split.npz"]


def test_a_split_is_described_by_its_sides(split, store):
    metadata = SplitMaterializer("unused", store).extract_metadata(split)

    assert metadata == {"development_rows": 5669, "gate_rows": 1374, "gate_share": 0.1951}


def test_equal_splits_have_equal_hashes_and_others_have_not(split, store):
    hashed = SplitMaterializer("unused", store).compute_content_hash
    copy = Split(development=split.development.copy(), gate=split.gate.copy())
    fewer = Split(development=split.development[1:], gate=split.gate)
    swapped = Split(development=split.gate, gate=split.development)

    assert hashed(copy) == hashed(split)
    assert len({hashed(each) for each in (split, fewer, swapped)}) == 3


def test_a_report_comes_back_equal(report, materialize):
    materializer = materialize(ReportMaterializer)
    materializer.save(report)

    back = materializer.load(type(report))

    assert type(back) is type(report)
    assert back == report
    assert [path.name for path in Path(materializer.uri).iterdir()] == ["report.json"]


def test_every_kind_of_report_has_something_to_show(report, materialize):
    materializer = materialize(ReportMaterializer)

    drawn = materializer.save_visualizations(report)

    starts = {
        VisualizationType.HTML: b"<!doctype html>",
        VisualizationType.IMAGE: b"\x89png",
        VisualizationType.MARKDOWN: b"**",
    }
    assert drawn
    for uri, kind in drawn.items():
        assert Path(uri).parent == Path(materializer.uri)
        assert Path(uri).read_bytes()[:200].lower().startswith(starts[kind]), uri


def test_every_kind_of_report_is_described_in_few_figures(report, store):
    metadata = ReportMaterializer("unused", store).extract_metadata(report)

    assert 2 <= len(metadata) <= 12
    assert None not in metadata.values()


def test_only_a_drawn_artifact_reports_what_drawing_took(generated_report, split, materialize):
    drawn = materialize(ReportMaterializer)
    drawn.save(generated_report.selection)
    drawn.save_visualizations(generated_report.selection)
    bare = SplitMaterializer(drawn.uri, drawn.artifact_store)
    bare.save(split)

    metadata = drawn.extract_full_metadata(generated_report.selection)

    assert 0 < metadata[DRAWING_SECONDS] < 60
    assert set(metadata) > set(summary_metadata(generated_report.selection))
    assert DRAWING_SECONDS not in bare.extract_full_metadata(split)


def test_a_report_that_was_loaded_has_the_hash_of_the_one_saved(report, store):
    hashed = ReportMaterializer("unused", store).compute_content_hash
    again = type(report).model_validate_json(report.model_dump_json())

    assert hashed(again) == hashed(report)


def test_a_figure_that_moves_changes_the_hash(generated_report, store):
    hashed = ReportMaterializer("unused", store).compute_content_hash
    moved = generated_report.model_copy(update={"profile": "quick"})

    assert hashed(moved) != hashed(generated_report)


def test_the_headlines_are_the_reports_own_figures(generated_report, quality):
    protocol = generated_report.protocol
    best = protocol.result("blend").metrics.roc_auc

    assert summary_metadata(quality)["verdict"] == "fail"
    assert summary_metadata(quality)["held"] == quality.held < summary_metadata(quality)["checks"]
    assert summary_metadata(protocol)["roc_auc"]["blend"] == round(best, 5)
    assert summary_metadata(protocol)["splits"] == 3
    assert summary_metadata(generated_report.selection)["chosen"] == "blend"
    assert summary_metadata(generated_report.gate_rows)["model"] == "blend"
    assert summary_metadata(generated_report)["roc_auc"] == round(best, 5)
    assert summary_metadata(generated_report.decision) == {
        "verdict": "promote",
        "status": "cleared for staging",
        "challenger": "blend",
        "champion": "none",
        "gates": {gate.name: "pass" for gate in generated_report.decision.gates},
    }


def test_the_decision_shows_every_gate_in_words(generated_report):
    (page,) = visualize(generated_report.decision).values()

    assert len(generated_report.decision.gates) > 1
    assert page.startswith(b"**cleared for staging**: blend is cleared for staging")
    for gate in generated_report.decision.gates:
        assert gate.sentence in page.decode()


def test_a_quality_page_names_the_row_and_no_customer(quality, telco):
    (page,) = visualize(quality).values()

    assert "row 8" in page.decode()
    assert telco.frame["customerID"].iloc[7] not in page.decode()


class _Unknown(BaseModel):
    pass


def test_a_report_of_an_unknown_kind_is_an_error_of_ours():
    with pytest.raises(TypeError, match="no way to show a _Unknown"):
        visualize(_Unknown())
    with pytest.raises(TypeError, match="no summary_metadata of a _Unknown"):
        summary_metadata(_Unknown())
