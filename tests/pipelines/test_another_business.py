"""Another business: its contract and its table, and nothing else, make a model in production."""

from __future__ import annotations

import base64
import html
import re
import shutil

import pytest

from churn.contract import Role, load_contract
from churn.explain.counterfactuals import CounterfactualSearch
from churn.explain.reasons import ReasonCodes
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


PICTURE = re.compile(r"data:image/svg\+xml;base64,([A-Za-z0-9+/=]+)")
LABELS = re.compile(r"Contract[\s|]+mlc_churn|Contract's digest")  # what the card calls the file
ABSENCES = ("is left out", "the data contract has no", "the data contract declares no", "sets no")


def words_of(page):
    """What a person reads on a page: its text, its charts' text and their descriptions."""
    content = page.read_text(encoding="utf-8")
    charts = [base64.b64decode(found).decode() for found in PICTURE.findall(content)]
    if page.suffix == ".html":
        content = re.sub(r"<style.*?</style>", "", content, flags=re.DOTALL)
        alternatives = re.findall(r'alt="(.*?)"', content, re.DOTALL)
        content = re.sub(r"<[^>]*>", "|", content) + "|".join(alternatives)
    # Letters are drawn as paths; what they spell stands in a comment beside each.
    drawn = [text for chart in charts for text in re.findall(r"<!--(.*?)-->", chart, re.DOTALL)]
    text = LABELS.sub("", html.unescape("|".join([content, *drawn])))
    sentences = re.split(r"[|\n]|(?<=\.) ", text)
    return "\n".join(
        each for each in sentences if not any(said in each.lower() for said in ABSENCES)
    ), drawn


def test_no_report_and_no_chart_speaks_of_the_shipped_business(trained_elsewhere, promoted, root):
    telco = load_contract(root / "data" / "contracts" / "telco.yaml")
    ours = load_contract(root / CONTRACT)
    columns = {name for name in telco.names if name not in {"Churn", "tenure"}}
    roles = {role.value for role in Role if not ours.with_role(role)}
    phrases = {text for column in telco.coded for text in column.phrases}
    names = {name.replace("_", " ") for name in roles} | roles
    words = {*phrases, *names, "telco", "IBM", "USD", "euro", "gender", "fibre", "shipped table"}
    patterns = [rf"(?i:\b{re.escape(word)}\b)" for word in sorted(words)]
    patterns += [rf"\b{re.escape(name)}\b" for name in sorted(columns)]

    pages = [*trained_elsewhere.output.glob("reports/*.html"), *promoted.output.rglob("*.md")]

    assert len(pages) >= 4
    charts = []
    for page in pages:
        text, drawn = words_of(page)
        charts += drawn
        found = {m[0] for pattern in patterns for m in re.finditer(pattern, text)}
        assert not found, f"{page.name}: {found}"
    assert "total_day_minutes" in " ".join(charts)


def test_an_answer_speaks_of_the_contract_s_columns_and_of_offers_that_it_has(promoted, root):
    scorer = Scorer.load(promoted.output / "production" / "mlc-churn-demo")
    header, first = (root / "data" / "raw" / "mlc_churn.csv").read_text("utf-8").splitlines()[:2]
    customer = dict(zip(header.split(","), first.split(","), strict=True))
    del customer["churn"]

    values, score = scorer.values(customer), scorer.score_one(customer)
    offered = CounterfactualSearch(scorer.row_scorer).customer(values, score.logit)
    reasons = ReasonCodes(scorer.row_scorer.features, scorer.contract, scorer.row_scorer.names)
    found = reasons.customer(values, scorer.row_scorer.contributions(values), 5).reasons

    assert all(each.sentence.startswith(f"{each.column} ") for each in found)
    assert offered.found == ()
    assert offered.sentence.startswith("The data contract names no offers, so none was tried")


def test_its_customers_are_monitored(command_line, promoted, root):
    table = root / "data" / "raw" / "mlc_churn.csv"
    contract = ("--set", f"data.contract={CONTRACT}")

    run = command_line.run("monitoring", promoted.output, *contract, "--set", f"batch={table}")
    without = command_line.run("monitoring", promoted.output, *contract)

    assert (run.code, run.result["verdict"]) == (0, "ok"), run.stderr
    assert run.result["metrics"]["rows"] == 5000
    assert run.result["metrics"]["estimated_roc_auc"] > 0.8
    assert run.result["report"].endswith("-monitoring.html")
    assert (promoted.output / "metrics" / "churn-mlc-churn-demo-batch.prom").is_file()
    assert (without.code, without.result["verdict"]) == (3, "cannot tell")
    assert "keep_inputs" in without.stderr
