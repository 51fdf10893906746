"""Another business: its contract and its table, and nothing else, make a model in production."""

from __future__ import annotations

import re
import shutil

import pytest
import yaml

from churn.scoring import Scorer

pytestmark = pytest.mark.slow

CONTRACT = "data/contracts/mlc_churn.yaml"


@pytest.fixture(scope="module")
def trained_elsewhere(command_line, trained, root, tmp_path_factory):
    """A demonstration on a copy of the table, in a folder of its own."""
    assert trained.code == 0  # only one run at a time, and this one first makes the folder
    folder = tmp_path_factory.mktemp("mlc")
    table = shutil.copy(root / "data" / "raw" / "mlc_churn.csv", folder / "customers.csv")
    return command_line.train(
        folder / "out", "--set", f"data.contract={CONTRACT}", "--set", f"data.source={table}"
    )


@pytest.fixture(scope="module")
def promoted(command_line, trained_elsewhere):
    return command_line.run(
        "promotion", trained_elsewhere.output, "--set", f"data.contract={CONTRACT}"
    )


def test_it_trains_under_a_name_of_its_own(trained_elsewhere):
    assert trained_elsewhere.code == 0, trained_elsewhere.stderr
    found = trained_elsewhere.result
    assert (found["model_version"], found["stage"]) == ("1", "staging")


def test_it_is_promoted_and_scores_a_customer(promoted, root):
    assert promoted.code == 0, promoted.stderr
    scorer = Scorer.load(promoted.output / "production" / "mlc-churn-demo")
    header, first = (root / "data" / "raw" / "mlc_churn.csv").read_text("utf-8").splitlines()[:2]
    customer = dict(zip(header.split(","), first.split(","), strict=True))
    del customer["churn"]

    assert 0 < scorer.score_one(customer).probability < 1


def test_what_is_left_out_for_want_of_a_role_is_said(trained_elsewhere):
    (report,) = trained_elsewhere.output.glob("reports/*-training.html")

    text = report.read_text(encoding="utf-8")

    assert "within_first_term" in text
    assert "is left out" in text


def test_no_report_speaks_of_the_shipped_business(trained_elsewhere, promoted, root):
    telco = yaml.safe_load((root / "data" / "contracts" / "telco.yaml").read_text("utf-8"))
    ours = {"Contract", "tenure"}  # a heading of the card, and the name of a role
    columns = {column["name"] for column in telco["columns"]} - ours
    phrases = {phrase for column in telco["columns"] for phrase in column.get("phrases", ())}
    words = {*columns, *phrases, "telco", "IBM", "USD", "euro", "gender", "fibre", "shipped table"}

    pages = [*trained_elsewhere.output.glob("reports/*.html"), *promoted.output.rglob("*.md")]

    assert len(pages) >= 4
    for page in pages:
        text = re.sub(r"data:image[^\"]*", "", page.read_text(encoding="utf-8"))
        found = {
            word for word in words if re.search(rf"\b{re.escape(word)}\b", text, re.IGNORECASE)
        }
        found -= {"Churn"}  # what all of this is about
        assert not found, f"{page.name}: {found}"
