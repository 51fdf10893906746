"""The validation report as a value and as a page."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from pydantic import ValidationError

from churn.checks.deepchecks.deepchecks_report import Finding, LeftOut, SuiteName, ValidationReport
from churn.reports.deepchecks_page import SUITE_TITLES, opening_sentence, render_deepchecks_page
from materializers.report_visualizations import summary_metadata, visualize


def made(check: str, verdict: str = "pass", **changes) -> Finding:
    facts = {
        "suite": "data_integrity",
        "check": check,
        "name": f"{check} <b>",
        "rows": "gate rows",
        "condition": "at most <i>5%</i>",
        "severity": "shown" if verdict == "warn" else "critical",
        "verdict": verdict,
        "sentence": f"{check} is {verdict}.",
        "reason": "harmless <here>" if verdict == "warn" else "",
    }
    return Finding(**facts | changes)


def report_of(*findings: Finding, verdict: str) -> ValidationReport:
    return ValidationReport(
        contract="shop",
        contract_digest="ab" * 32,
        title="Customers <of> a shop",
        recipe="blend",
        version="0.19.1",
        seed=7,
        table_rows=9000,
        development_rows=4000,
        gate_rows=1000,
        verdict=verdict,
        findings=findings,
        left_out=(LeftOut(suite="model_evaluation", check="Clock", reason="it reads a <clock>"),),
        seconds=dict.fromkeys(SUITE_TITLES, 1.25),
    )


PASS = report_of(made("Nulls"), made("Roc", suite="model_evaluation"), verdict="pass")
WARN = report_of(made("Nulls"), made("Pairs", "warn"), verdict="warn")
FAIL = report_of(
    made("Pairs", "warn"), made("Leak", "fail"), made("Roc", "fail"), made("Ok"), verdict="fail"
)
ALL = pytest.mark.parametrize("report", [PASS, WARN, FAIL], ids=lambda report: report.verdict)


class Tags(HTMLParser):
    """Collects the tags of a page, and whether they close in order."""

    def __init__(self):
        super().__init__()
        self.open, self.seen = [], []

    def handle_starttag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@pytest.mark.parametrize(
    ("report", "sentence", "first"),
    [
        (
            PASS,
            "2 conditions in 3 suites: all hold.",
            "Nothing speaks against this model: every one of 2 conditions holds.",
        ),
        (
            WARN,
            "2 conditions in 3 suites: 1 warning.",
            "Nothing speaks against this model, but look at 1 warning among 2 conditions.",
        ),
        (
            FAIL,
            "4 conditions in 3 suites: 2 critical ones fail and 1 warning.",
            "This model is held back: 2 of 4 conditions fail that must hold, and there is 1 warning.",
        ),
    ],
)
def test_a_report_and_its_page_open_with_what_was_found(report, sentence, first):
    page = render_deepchecks_page(report)

    assert report.sentence == sentence
    assert opening_sentence(report) == first
    assert page.index(first) < page.index("<table")


def test_only_a_critical_failure_holds_a_model_back():
    assert PASS.failure_sentence() == WARN.failure_sentence() == ""
    assert FAIL.failure_sentence() == (
        "Deepchecks refuses at 'Leak <b>' on gate rows (1 other fails, too): Leak is fail."
    )


@pytest.mark.parametrize("verdict", ["pass", "warn"])
def test_a_verdict_that_contradicts_the_findings_cannot_be_made(verdict):
    with pytest.raises(ValidationError, match="contradicts the findings"):
        report_of(made("Leak", "fail"), verdict=verdict)


@ALL
def test_the_page_is_well_formed_fetches_nothing_and_survives_json(report):
    tags = Tags()
    tags.feed(render_deepchecks_page(report))

    assert tags.open == []
    assert {tag for tag, _ in tags.seen}.isdisjoint({"script", "link", "img", "iframe", "b>", "i"})
    assert not [a for _, a in tags.seen if {"src", "href", "srcset", "style", "onclick"} & set(a)]
    again = ValidationReport.model_validate_json(report.model_dump_json())
    assert again == report
    assert render_deepchecks_page(again) == render_deepchecks_page(report)


def test_text_from_outside_cannot_become_markup():
    page = render_deepchecks_page(FAIL)

    for text in ("Customers <of>", "Leak <b>", "<i>5%", "<here>", "<clock>"):
        assert text not in page
    assert "Leak &lt;b&gt;" in page


def test_what_fails_comes_first_and_a_warning_says_why_it_stops_nothing():
    findings, everything = render_deepchecks_page(FAIL).split("Every condition</h2>")

    assert findings.count('<section class="finding') == 3
    assert findings.count('<section class="finding mild"') == 1
    assert findings.index("Leak is fail.") < findings.index("Pairs is warn.")
    assert "Harmless &lt;here&gt;." in findings
    assert everything.count('<tr class="failed">') == 3
    assert "<code>Clock</code>: it reads a &lt;clock&gt;." in everything


def test_every_suite_has_a_title():
    assert set(SUITE_TITLES) == set(SuiteName.__args__)


@ALL
def test_the_dashboard_shows_the_page_and_the_figures(report):
    assert visualize(report) == {"report.html": render_deepchecks_page(report).encode()}
    assert summary_metadata(report) == {
        "verdict": report.verdict,
        "conditions": len(report.findings),
        "held": report.held,
        "deepchecks": "0.19.1",
        "seconds": 3.75,
    }
