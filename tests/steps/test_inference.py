"""A customer's answer, from the scorer that a deployed pipeline holds."""

from __future__ import annotations

import shutil
from types import SimpleNamespace

import pytest

from churn.errors import ChurnError, InputError
from churn.scoring import FieldError, Scorer, read_golden


@pytest.fixture
def deployed(monkeypatch, published):
    """What a deployed pipeline's run knows: its own id, and the scorer that its hook has loaded."""
    from deployment.production_scorer import load_scorer
    from steps.inference import score_customer

    here = SimpleNamespace(
        pipeline_run=SimpleNamespace(id="run-1"), pipeline_state=load_scorer(str(published))
    )
    monkeypatch.setattr(score_customer, "step_context", lambda: here)


def test_score_customer_gives_the_scorers_own_answer(deployed, published):
    from steps.inference.score_customer import score_customer

    golden = read_golden(published / "bundles" / "1")[0]

    answer = score_customer.entrypoint(dict(golden.row))

    assert answer["prediction_id"] == "run-1"
    assert answer["probability"] == Scorer.load(published).score_one(golden.row).probability


def test_score_customer_refuses_a_customer_that_the_contract_does_not_allow(deployed, published):
    from steps.inference.score_customer import score_customer

    customer = dict(read_golden(published / "bundles" / "1")[0].row) | {"Contract": "Biennial"}

    with pytest.raises(FieldError, match="Biennial"):
        score_customer.entrypoint(customer)


def test_score_customer_says_where_it_can_be_asked():
    from steps.inference.score_customer import score_customer

    with pytest.raises(ChurnError, match="deploy it with"):
        score_customer.entrypoint({})


@pytest.fixture
def batch(published, tmp_path, monkeypatch, root):
    """Scores the shipped table with the version that the tests have published."""
    from steps.inference.score_batch import score_batch

    monkeypatch.setenv("CHURN_HOME", str(tmp_path / "home"))
    model = Scorer.load(published).manifest.model.name
    stores = tmp_path / "stores"
    shutil.copytree(published, stores / model)

    def score(**settings):
        given = {"profile": "demo", "model": {"name": model}, "output": str(tmp_path / "out")}
        given |= {"input": str(root / "data" / "raw" / "telco.csv"), "max_bad_rows": 0}
        folders = {"bundles": str(stores), "ledger": f"sqlite:///{tmp_path}/ledger.db"}
        return score_batch.entrypoint(given | settings, folders)

    return score


def test_score_batch_scores_a_table_and_reports_it(batch, tmp_path):
    report = batch()

    assert report.status == "scored"
    assert report.figures["accepted"] == report.figures["ledger_rows"] == 7043
    assert (tmp_path / "out" / "scores" / "part-00000.parquet").exists()
    assert batch().status == "unchanged"


def test_score_batch_keeps_the_records_of_a_table_in_the_state_folder(batch, tmp_path):
    report = batch(output=f"sqlite:///{tmp_path}/scores.db?table=scores", record_predictions=False)

    assert report.figures["ledger_rows"] == 0
    assert report.records.startswith(str(tmp_path / "home" / "batch"))
    assert (tmp_path / "scores.db").exists()


def test_a_table_that_is_refused_for_its_rows_has_its_counts(batch, tmp_path, root):
    path = tmp_path / "bad.csv"
    lines = (root / "data" / "raw" / "telco.csv").read_text().splitlines()[:101]
    path.write_text("\n".join([*lines, lines[1]]) + "\n")

    with pytest.raises(InputError) as caught:
        batch(input=str(path))

    report = caught.value.result
    assert type(caught.value) is InputError
    assert (report.status, report.sentence) == ("refused", str(caught.value))
    assert (report.figures["rows"], report.figures["repeated"]) == (101, 1)
