import re
from html.parser import HTMLParser

import numpy as np
import pytest
from scipy.special import expit
from sklearn.model_selection import RepeatedStratifiedKFold

from churn.evaluation.cross_validation import Fold, OutOfFold
from churn.evaluation.gate_rows import evaluate_gate_rows
from churn.evaluation.plan import Floors, ProtocolPlan, SelectionPlan
from churn.evaluation.protocol import protocol_figure, summarise_folds
from churn.evaluation.selection import select_candidate
from churn.promotion.floor_gates import judge_first_model
from churn.reports.charts import evaluation_charts as charts
from churn.reports.charts.chart_style import DARK, as_png, as_svg
from churn.reports.training.training_page import render_training_page, report_charts
from churn.reports.training.training_report import DataFacts, QualityFacts, TrainingReport


@pytest.fixture(scope="module")
def report():
    """A whole report on generated customers; the balanced candidate is off by log 3."""
    generator = np.random.default_rng(53)
    score = generator.normal(-1.3, 2.0, size=1500)
    target = (generator.random(1500) < expit(score)).astype(np.int8)
    noisy = score + generator.normal(scale=1, size=1500)
    logits = {"logistic": noisy, "logistic_balanced": noisy + np.log(3), "blend": score}
    plan = ProtocolPlan(folds=3, repeats=2, bootstrap_samples=100)
    splits = RepeatedStratifiedKFold(n_splits=3, n_repeats=2, random_state=0).split(noisy, target)
    folds = tuple(
        Fold(rows=rows, logits={name: each[rows] for name, each in logits.items()})
        for _, rows in splits
    )
    protocol = summarise_folds(OutOfFold(plan, target, folds), baseline="logistic")
    tenure = {"tenure": np.round(score)}
    gate_rows = evaluate_gate_rows("blend", score, target, bootstrap_samples=100, columns=tenure)
    figure = protocol_figure(protocol, "blend", frozen_recipe="blend")
    return TrainingReport(
        model_name="telco-churn",
        created="2026-11-24 12:00 UTC",
        profile="full",
        data=DataFacts(
            title="Customers <of> a telco",
            location="bundled",
            sha256="ab" * 32,
            rows=1500,
            columns=21,
            churn_rate=0.27,
            development_rows=1200,
            gate_rows=300,
        ),
        quality=QualityFacts(verdict="warn", passed=9, total=10, findings=("12 rows are odd.",)),
        selection=select_candidate(protocol, SelectionPlan()),
        protocol=protocol,
        figure=figure,
        gate_rows=gate_rows,
        decision=judge_first_model(
            gate_rows, Floors(), against_baseline=figure.result.against_baseline
        ),
    )


@pytest.fixture(scope="module")
def page(report):
    return render_training_page(report)


class Tags(HTMLParser):
    """Collects the tags of a page and whether they close in order."""

    VOID = frozenset({"meta", "img", "source", "link", "br"})

    def __init__(self):
        super().__init__()
        self.open, self.seen = [], []

    def handle_starttag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in ("li", "p") or self.open[-1] == tag:
            assert self.open.pop() == tag


def test_the_page_is_well_formed_and_fetches_nothing(page):
    tags = Tags()
    tags.feed(page)
    assert tags.open == []
    assert {tag for tag, _ in tags.seen}.isdisjoint({"script", "link", "iframe"})
    sources = [a.get("src") or a.get("srcset") for t, a in tags.seen if t in ("img", "source")]
    assert len(sources) == 12  # six pictures, by day and by night
    assert all(source.startswith("data:image/svg+xml;base64,") for source in sources)
    assert "http://" not in re.sub(r"base64,[\w+/=]+", "", page)


def test_every_picture_says_in_words_what_it_shows(page, report):
    tags = Tags()
    tags.feed(page)
    texts = [attributes["alt"] for tag, attributes in tags.seen if tag == "img"]
    assert len(texts) == 6
    assert f"{report.gate_rows.metrics.roc_auc:.4f}" in " ".join(texts)


def test_the_page_shows_the_figures_with_intervals_gates_data_and_assumptions(page, report):
    result = report.figure.result
    for text in (
        f"{result.metrics.roc_auc:.4f}",
        result.roc_auc_interval.span(),
        report.gate_rows.intervals["pr_auc"].span(),
        report.protocol.plan.sentence,
        report.data.sha256,
        "9 of 10 checks held",
        "12 rows are odd.",
        "not worse than the baseline",
    ):
        assert text in page
    assert page.count("Assumption:") == len(report.assumptions) == 3


def test_text_from_outside_cannot_become_markup(page):
    assert "Customers &lt;of&gt; a telco" in page


def test_sentences_come_before_the_tables(page, report):
    assert 0 < page.index(report.decision.sentence) < page.index("<table")
    assert f'<span class="tag {report.decision.verdict}">{report.decision.status}</span>' in page


def test_ruined_probabilities_are_called_that(report):
    (note,) = report.calibration_notes
    assert note.startswith("logistic_balanced changes ROC-AUC by")
    assert "its percentages are not chances" in note


def test_a_lesser_profile_says_that_its_figures_are_not_the_protocols(report, page):
    quick = report.model_copy(update={"profile": "quick"})
    assert report.model_copy(update={"profile": "deep"}).profile_warning is None
    assert "these figures are not the protocol&#39;s" in render_training_page(quick)
    assert "not the protocol" not in page


def test_an_optimistic_figure_is_labelled_at_the_top(report, page):
    figure = protocol_figure(report.protocol, "blend", frozen_recipe="logistic")
    labelled = render_training_page(report.model_copy(update={"figure": figure}))
    assert labelled.index("Optimistic figure.") < labelled.index("<table")
    assert "Optimistic figure." not in page


def test_the_same_report_gives_the_same_page_also_after_json(report, page):
    again = TrainingReport.model_validate_json(report.model_dump_json())
    assert again == report
    assert render_training_page(again) == page


def test_charts_leave_pyplot_alone_and_become_files(report):
    import matplotlib.pyplot as plt

    drawn = report_charts(report, DARK)

    assert plt.get_fignums() == []
    assert list(drawn) == ["candidates", "differences", "roc", "gains", "reliability", "scores"]
    assert as_png(drawn["roc"]).startswith(b"\x89PNG")
    assert as_svg(drawn["roc"]) == as_svg(report_charts(report, DARK)["roc"])


@pytest.mark.parametrize(
    "name", ["candidates", "differences", "roc", "gains", "reliability", "scores"]
)
def test_every_chart_names_its_axis_and_states_a_figure(report, name):
    figure = report_charts(report)[name]
    axes = figure.axes[0]
    assert axes.get_xlabel()
    assert re.search(r"\d", figure.get_suptitle())


def test_a_chart_of_differences_without_rivals_says_so(report):
    alone = report.protocol.model_copy(update={"candidates": report.protocol.candidates[:1]})
    assert charts.differences_chart(alone).get_suptitle() == "logistic was the only candidate"


def test_a_chosen_candidate_that_does_not_lead_is_not_called_best(report):
    title = charts.candidates_chart(report.protocol, "logistic").get_suptitle()
    assert title.startswith("logistic was chosen")
    assert "blend ranks best here" in title.replace("\n", " ")
