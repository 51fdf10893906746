"""The report as a value: its verdict, its sentences, and the page made from it."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from pydantic import ValidationError

from churn.data.quality import Check, QualityReport, require
from churn.errors import InputError
from churn.reports.quality_page import (
    TOPIC_TITLES,
    format_failing_rows,
    opening_sentence,
    render_quality_page,
)


def made_check(name: str, **changes) -> Check:
    held = {
        "name": name,
        "topic": "values",
        "expectation": "ExpectColumnValuesToBeInSet",
        "columns": ("Plan",),
        "severity": "critical",
        "success": True,
        "sentence": "Every Plan is one of Small, Large.",
        "observed": "all 900 rows",
        "expected": "Small, Large",
        "way_out": "Fix the file.",
    }
    return Check(**held | changes)


def made_report(*checks: Check, verdict: str, **changes) -> QualityReport:
    facts = {
        "contract": "shop",
        "contract_digest": "ab" * 32,
        "title": "Customers <of> a shop",
        "rows": 900,
        "columns": 3,
        "accepted_rows": None,
        "notes": ("Nothing <was> left out.",),
    }
    return QualityReport(**facts | {"checks": checks, "verdict": verdict} | changes)


HELD = made_check("categories of Plan")
WARNED = made_check(
    "distribution of Plan",
    topic="distribution",
    severity="warning",
    success=False,
    sentence="Column 'Plan': the distribution has shifted.",
    observed="PSI 0.200",
)
FAILED = made_check(
    "categories of <b>",
    success=False,
    sentence="Column 'Plan' rows 1, 2, 3, 4, 5 and 25 more: '<i>' is not among Small, Large.",
    observed="30 rows outside",
    failing_rows=tuple(range(1, 21)),
    failing_count=1030,
)
PASS = made_report(HELD, made_check("uniqueness of Shopper"), verdict="pass")
WARN = made_report(HELD, WARNED, verdict="warn", accepted_rows=7043)
FAIL = made_report(HELD, FAILED, WARNED, made_check("other", success=False), verdict="fail")


class Tags(HTMLParser):
    """Collects the tags of a page, and whether they close in order."""

    def __init__(self):
        super().__init__()
        self.open, self.seen, self.text = [], [], []

    def handle_starttag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


def parsed(report: QualityReport) -> Tags:
    tags = Tags()
    tags.feed(render_quality_page(report, "files/<new>.csv"))
    return tags


@pytest.mark.parametrize(
    ("report", "sentence", "first"),
    [
        (
            PASS,
            "900 customers, 2 checks: all hold.",
            "This table can be used: every one of 2 checks holds.",
        ),
        (
            WARN,
            "900 customers, 2 checks: 1 warning.",
            "This table can be used, but look at 1 warning among 2 checks.",
        ),
        (
            FAIL,
            "900 customers, 4 checks: 2 critical checks fail and 1 warning.",
            "This table is refused: 2 of 4 checks fail that a table must pass, and there is 1 warning.",
        ),
    ],
)
def test_a_report_and_its_page_open_with_what_was_found(report, sentence, first):
    page = render_quality_page(report, "bundled")

    assert report.sentence == sentence
    assert opening_sentence(report) == first
    assert page.index(first) < page.index("<table")
    assert f'<span class="tag {report.verdict}">{report.verdict}</span>' in page


def test_only_critical_failures_refuse_a_table():
    require(PASS)
    require(WARN)
    with pytest.raises(InputError) as caught:
        require(FAIL)

    assert str(caught.value) == (
        "The quality gate refuses the table at check 'categories of <b>' (1 other fails, too): "
        f"{FAILED.sentence} Fix the file."
    )
    assert WARN.failure_sentence() == ""


@pytest.mark.parametrize("verdict", ["pass", "warn"])
def test_a_verdict_that_contradicts_the_checks_cannot_be_made(verdict):
    with pytest.raises(ValidationError, match="contradicts the checks"):
        made_report(HELD, FAILED, verdict=verdict)


@pytest.mark.parametrize("report", [PASS, WARN, FAIL], ids=lambda report: report.verdict)
def test_the_page_is_well_formed_fetches_nothing_and_survives_json(report):
    tags = parsed(report)

    assert tags.open == []
    assert {tag for tag, _ in tags.seen}.isdisjoint({"script", "link", "img", "iframe", "i", "b>"})
    assert not [a for _, a in tags.seen if {"src", "href", "srcset", "style", "onclick"} & set(a)]
    again = QualityReport.model_validate_json(report.model_dump_json())
    assert again == report
    assert render_quality_page(again, "here") == render_quality_page(report, "here")


def test_text_from_outside_cannot_become_markup():
    page = render_quality_page(FAIL, "files/<new>.csv")

    for text in ("Customers <of> a shop", "categories of <b>", "'<i>'", "<new>", "<was>"):
        assert text not in page
    for text in ("Customers &lt;of&gt; a shop", "&lt;b&gt;", "&lt;i&gt;", "&lt;new&gt;"):
        assert text in page


def test_each_failure_is_shown_with_place_and_way_out_before_the_list_of_all_checks():
    page = render_quality_page(FAIL, "bundled")
    findings, everything = page.split("Every check</h2>")

    assert findings.count('<section class="finding') == 3
    assert findings.count('<section class="finding mild"') == 1
    assert "Row 1 is the first customer below the header." in findings
    assert f"<dd>{format_failing_rows(FAILED)}</dd>" in findings
    assert FAILED.way_out in findings
    assert "<code>ExpectColumnValuesToBeInSet</code>" in findings
    assert everything.count('<tr class="failed">') == 3


def test_a_table_that_holds_shows_no_findings():
    page = render_quality_page(PASS, "bundled")

    assert "What does not hold" not in page
    assert "Row 1 is the first customer" not in page


def test_failing_rows_are_named_up_to_a_limit_and_counted_beyond():
    assert format_failing_rows(FAILED).endswith("18, 19, 20 and 1,010 more")
    assert format_failing_rows(
        made_check("one", success=False, failing_rows=(7043,), failing_count=1)
    ) == ("7,043")
    assert format_failing_rows(WARNED) == ""


def test_the_page_says_where_the_table_and_the_rules_come_from():
    text = " ".join(parsed(WARN).text)

    for fact in ("files/<new>.csv", "ab" * 32, "the accepted table of 7,043 customers", "shop"):
        assert fact in text
    assert "Nothing <was> left out." in text
    assert "no accepted table" in " ".join(parsed(PASS).text)


def test_checks_stand_under_their_topic_and_no_topic_is_without_a_title():
    text = "".join(parsed(WARN).text)

    assert set(TOPIC_TITLES) == set(Check.model_fields["topic"].annotation.__args__)
    values, distribution = (text.index(TOPIC_TITLES[t]) for t in ("values", "distribution"))
    assert values < text.rindex("categories of Plan") < distribution
    assert text.rindex("distribution of Plan") > distribution
    assert TOPIC_TITLES["blanks"] not in text
