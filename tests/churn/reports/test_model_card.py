import re
from html.parser import HTMLParser
from types import SimpleNamespace

import numpy as np
import pytest
from pydantic import ValidationError
from scipy.special import expit

from churn.evaluation.plan import SliceSettings
from churn.evaluation.recalibration import recalibrate
from churn.evaluation.slices import evaluate_slices
from churn.evaluation.threshold import choose_threshold, judge_threshold
from churn.reports.model_card.card import MISUSE, ModelCard, Provenance, Purpose
from churn.reports.model_card.card_page import markdown_text, model_card_markdown, render_model_card
from churn.reports.model_card.card_section import CardSection, format_cell, summary_section
from churn.reports.model_card.card_sections import card_sections
from churn.retention.value_settings import ThresholdSettings, ValueSettings

HOSTILE = "<script>alert(1)</script> | `x` [y](http://z) & *bold*"


@pytest.fixture(scope="module")
def threshold():
    generator = np.random.default_rng(3)
    score = generator.normal(-1.1, 1.6, size=1200)
    target = (generator.random(1200) < expit(score)).astype(np.int8)
    value = ValueSettings(clv=150.0, currency="USD")
    clv = np.full(1200, value.clv)
    settings = ThresholdSettings(bootstrap_samples=100)
    chosen = choose_threshold(
        "blend",
        target[:900],
        score[:900],
        clv[:900],
        value=value,
        settings=settings,
        recalibration=recalibrate(target[:900], score[:900], settings),
    )
    return judge_threshold(chosen, target[900:], score[900:], clv[900:])


@pytest.fixture(scope="module")
def slices(telco_columns, contract):
    generator = np.random.default_rng(7)
    chance = expit(np.array([0.0, -1.6, -3.2])[telco_columns["Contract"]])
    target = (generator.random(len(chance)) < chance).astype(np.int8)
    return evaluate_slices(
        telco_columns, contract, target, chance, 0.3, settings=SliceSettings(minimum_rows=1000)
    )


@pytest.fixture(scope="module")
def card(generated_report, threshold, slices):
    return ModelCard(
        report=generated_report,
        purpose=Purpose(
            description="Who leaves the gym.",
            owners="The retention team",
            audience="Its members' office",
            use_cases="Which customers to call",
            limitations="One gym only",
            trade_offs="Reasons over the last thousandth",
            ethics="Age is an input",
            license="Apache-2.0",
        ),
        provenance=Provenance(
            version="7",
            git_commit="c0ffee1",
            contract="gym 2",
            contract_digest="cd" * 32,
            libraries={"lightgbm": "4.7.0"},
            retrain="python run.py --pipeline training --set data.source=members.csv",
        ),
        threshold=threshold,
        slices=slices,
        explanations=CardSection(title="Explanations", sentences=("Age moves it most.",)),
        tuning=CardSection(title="Tuning", sentences=("20 trials gained nothing.",)),
        checks=CardSection(title="Further checks", sentences=("All suites passed.",)),
    )


@pytest.fixture(scope="module")
def page(card):
    return render_model_card(card)


@pytest.fixture(scope="module")
def text(card):
    return model_card_markdown(card)


class Page(HTMLParser):
    """Collects the tags of a page, whether they close in order, and what a reader reads."""

    VOID = frozenset({"meta", "img", "source", "link", "br"})

    def __init__(self, page):
        super().__init__()
        self.open, self.seen, self.words = [], [], []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)

    @property
    def read(self):
        return " ".join(" ".join(self.words).split())


def everything_said(card):
    """Every text of every section."""
    for section in card_sections(card):
        yield section.title
        yield from (*section.sentences, *section.assumptions, *section.missing)
        yield from (*section.facts, *section.facts.values(), *section.commands.values())
        for table in section.tables:
            yield from (table.caption, *table.header)
            yield from (value for row in table.rows for value in row)


def test_both_forms_say_everything_that_the_sections_say(card, page, text):
    read = Page(page).read
    sentences = list(everything_said(card))
    assert len(sentences) > 50
    for said in sentences:
        assert " ".join(said.split()) in read, said
        assert markdown_text(said) in text or said in text, said


def test_the_run_own_figures_stand_in_the_card_with_their_intervals(card, text):
    report, money = card.report, card.threshold
    result, gate = report.figure.result, report.gate_rows
    for figure in (
        f"{result.metrics.roc_auc:.4f} | {result.roc_auc_interval.span()}",
        *(f"{gate.metrics.figures[n]:.4f}" for n in ("roc_auc", "pr_auc", "log_loss", "brier")),
        gate.intervals["ece"].span(),
        f"{gate.metrics.lift_at_10:.2f} | {gate.intervals['lift_at_10'].span('.2f')}",
        f"slope {gate.reliability.slope:.3f}",
        report.data.sha256,
        f"{report.data.rows:,} customers",
        f"{money.threshold:.4f} | {money.chosen.interval.span()}",
        *(f"{each.contacted:,} | {each.leavers_reached:.1%}" for each in money.gate.campaigns),
        *(each.roc_auc.text(".3f") for each in card.slices.slices if each.roc_auc),
        *(each.name for each in report.decision.gates),
        *(each.name for each in report.protocol.candidates),
    ):
        assert figure in text


def test_money_never_stands_without_its_assumptions(card):
    found = [s for s in card_sections(card) if "USD" in " ".join(s.sentences)]

    assert [section.title for section in found] == ["In short", "Decision threshold"]
    assert all(section.assumptions == card.threshold.assumptions for section in found)


def test_use_misuse_commands_and_origin_can_be_found(text):
    for misuse in MISUSE:
        assert f"- {misuse}" in text
    assert "\n    python run.py --pipeline training --set data.source=members.csv\n" in text
    assert "\n    python run.py --pipeline rollback\n" in text
    assert "\n    python run.py --pipeline rollback --set dry_run=true\n" in text
    assert "| lightgbm | 4.7.0 |" in text
    assert "| Code | c0ffee1 |" in text


def test_a_full_card_misses_nothing_and_a_bare_one_says_what(card, text, generated_report):
    bare = model_card_markdown(ModelCard(report=generated_report))

    assert "**Missing:**" not in text
    gaps = re.findall(r"\*\*Missing:\*\* (.*)", bare)
    assert "Owners" not in "".join(gaps)  # a word of the business that nobody asks every run for
    for gap in (
        "Limitations: not given.",
        "Version: not given.",
        "Libraries: not recorded.",
        "No threshold was chosen in this run: the scores rank, nobody is selected.",
        "How the model does in groups of customers was not measured.",
        "What moves the scores was not examined in this run.",
        "No search for settings was reported in this run.",
    ):
        assert gap in gaps
    assert "USD" not in bare
    assert Page(render_model_card(ModelCard(report=generated_report))).open == []


def test_an_unjudged_threshold_is_said_to_be_missing(card, threshold):
    unjudged = card.model_copy(update={"threshold": threshold.model_copy(update={"gate": None})})

    assert "**Missing:** The threshold was not judged on the gate rows." in model_card_markdown(
        unjudged
    )
    assert Page(render_model_card(unjudged)).open == []


def test_the_page_is_well_formed_and_fetches_nothing(page):
    found = Page(page)

    assert found.open == []
    assert {tag for tag, _ in found.seen}.isdisjoint({"script", "link", "iframe"})
    pictures = [a.get("src") or a.get("srcset") for t, a in found.seen if t in ("img", "source")]
    assert len(pictures) == 10  # five pictures, by day and by night
    assert all(source.startswith("data:image/svg+xml;base64,") for source in pictures)
    assert all(a["alt"] for t, a in found.seen if t == "img")
    assert not re.search(r"https?://|url\(", re.sub(r"base64,[\w+/=]+", "", page))
    goals = {a["href"] for t, a in found.seen if t == "a"}
    assert goals == {f"#{a['id']}" for t, a in found.seen if t == "section"}


def test_text_from_outside_cannot_become_markup(card):
    hostile = card.model_copy(
        update={
            "purpose": Purpose(description=HOSTILE, owners="# me\n\n<b>"),
            "provenance": Provenance(
                version=HOSTILE, libraries={HOSTILE: HOSTILE}, retrain="echo\n</code><script>"
            ),
            "tuning": CardSection(title=HOSTILE, sentences=(HOSTILE,)),
        }
    )
    page, text = render_model_card(hostile), model_card_markdown(hostile)

    assert {tag for tag, _ in Page(page).seen}.isdisjoint({"script", "b"})
    assert "<script>" not in text.replace("    echo </code><script>", "")
    assert "\n# me" not in text
    rendered = markdown_html(text)
    assert {tag for tag, _ in Page(rendered).seen}.isdisjoint({"script", "b", "a", "em"})
    assert HOSTILE in Page(rendered).read


def markdown_html(text):
    import markdown

    return markdown.markdown(text, extensions=["tables"])


def test_the_markdown_reads_as_tables_lists_and_code(card, text):
    found = Page(markdown_html(text))
    tables = [table for section in card_sections(card) for table in section.tables]
    rows = sum(len(table.rows) + 1 for table in tables)
    facts = [section.facts for section in card_sections(card) if section.facts]

    tags = [tag for tag, _ in found.seen]
    assert tags.count("table") == len(tables) + len(facts)
    assert tags.count("tr") == rows + sum(len(each) + 1 for each in facts)
    assert tags.count("pre") == 3
    assert tags.count("h2") == len(card_sections(card))
    assert not any(line.endswith(" ") for line in text.splitlines())


@pytest.mark.parametrize(
    ("given", "written"),
    [
        ("logistic_balanced", "logistic_balanced"),
        ("_emphasis_", r"\_emphasis\_"),
        ("a | b", r"a \| b"),
        ("# heading", r"\# heading"),
        ("- item", r"\- item"),
        ("-0.1 to +0.2", "-0.1 to +0.2"),
        ("1. first", r"1\. first"),
        ("0.85", "0.85"),
        ("a\nb", "a b"),
        ("<b>&", "&lt;b>&amp;"),
    ],
)
def test_markdown_text_is_one_line_without_markup(given, written):
    assert markdown_text(given) == written


def test_a_lesser_profile_is_announced_first(card):
    quick = card.model_copy(update={"report": card.report.model_copy(update={"profile": "quick"})})

    assert "not the protocol's" in card_sections(quick)[0].sentences[0]
    assert "not the protocol" not in " ".join(card_sections(card)[0].sentences)


def test_the_summary_says_each_sentence_once_where_the_report_has_the_threshold_too(card):
    report = card.report.model_copy(update={"threshold": card.threshold})
    sentences = card_sections(card.model_copy(update={"report": report}))[0].sentences

    assert set(card.threshold.headlines) <= set(sentences)
    assert len(set(sentences)) == len(sentences)


def test_the_same_card_gives_the_same_files_also_after_json(card, page, text):
    again = ModelCard.model_validate_json(card.model_dump_json())

    assert again == card
    assert render_model_card(again) == page
    assert model_card_markdown(again) == text
    with pytest.raises(ValidationError):
        card.report = None


def test_a_report_that_speaks_becomes_a_section():
    rows = [{"trial": n, "log_loss": 0.41234567, "note": None} for n in range(30)]
    report = SimpleNamespace(sentence="30 trials.", table=lambda: rows, assumptions=("iid",))

    found = summary_section("Tuning", report, most_rows=3)

    assert found.sentences == ("30 trials.", "The table shows 3 of 30 rows.")
    assert found.tables[0].header == ("trial", "log loss", "note")
    assert found.tables[0].rows[1] == ("1", "0.4123", "")
    assert found.assumptions == ("iid",)
    assert [format_cell(v) for v in (True, 12000, "x")] == ["True", "12,000", "x"]
    own = summary_section("Explanations", SimpleNamespace(sentences=("a", "b")), rows=rows[:1])
    assert (own.sentences, len(own.tables[0].rows)) == (("a", "b"), 1)
    with pytest.raises(TypeError, match="neither sentences nor a sentence"):
        summary_section("Silent", SimpleNamespace())
