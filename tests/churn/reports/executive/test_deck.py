"""The slides, read back from the file: every figure equals the artifact's, every graphic has words."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from churn.experiments.arm_comparison import ArmRate, compare_rates
from churn.experiments.readout import Readout
from churn.reports.executive.deliverables import write_deliverables
from churn.reports.executive.experiment_slides import UNBALANCED
from churn.reports.executive.slides import slides
from tests.churn.reports.executive.conftest import DAY, evidence_of

NUMBER = re.compile(r"[-+]?\d[\d,]*(?:\.\d+)?%?")


@pytest.fixture(scope="module", params=["telco", "mlc_churn"])
def written(request, campaigns, tmp_path_factory):
    """A deck and what its artifacts are."""
    from pptx import Presentation

    folder = tmp_path_factory.mktemp("deliverables")
    seen = evidence_of(campaigns(request.param), folder)
    found = write_deliverables(folder, seen)
    return Presentation(str(folder / "deck.pptx")), seen, found


def texts(shape):
    if shape.has_text_frame:
        yield shape.text_frame.text
    if getattr(shape, "has_table", False) and shape.has_table:
        yield from (cell.text for row in shape.table.rows for cell in row.cells)


def known_words(seen):
    """Texts of the artifacts that may have digits of their own: names, days, digests."""
    words = [
        seen.contract.title,
        seen.roi.run.model,
        *seen.retention.assumptions,
        str(seen.roi.run),
    ]
    words += [offer.title for offer in seen.roi.offers] + list(seen.experiment.guardrails)
    words += [limit.name for limit in seen.retention.allocation.limits]
    words += [cohort.id for cohort in seen.retention.cohorts.cohorts]
    words += [str(look.due) for look in seen.experiment.looks] + [str(DAY)]
    return sorted((each for each in words if each), key=len, reverse=True)


def test_every_number_on_a_slide_is_a_figure_of_the_artifacts(written):
    deck, seen, _ = written
    stated = {each.text for each in seen.stated}
    stray = []
    for number, slide in enumerate(deck.slides, 1):
        for shape in slide.shapes:
            for text in texts(shape):
                left = re.sub(rf"^{number}   ", "", text)
                for word in known_words(seen):
                    left = left.replace(word, " ")
                left = re.sub(r"95% (?:of what|range)|\bversion 3\b", " ", left)
                stray += [(number, n) for n in NUMBER.findall(left) if n not in stated]

    assert stray == []


def test_every_stated_figure_is_read_from_its_place(written):
    _, seen, found = written

    assert len(found.statements) > 100
    for each in found.statements:
        assert seen.value(each.path) == each.value
        number = each.text.rstrip("%").replace(",", "")
        shown = None if each.text == "none" else float(number) / (100 if "%" in each.text else 1)
        size = 10.0 ** -len(number.partition(".")[2]) / (100 if "%" in each.text else 1)
        assert (shown is None) == (each.value is None)
        assert shown is None or abs(shown - each.value) <= size / 2 + 1e-9


def test_charts_are_native_and_hold_the_artifacts_values(written):
    deck, seen, _ = written
    charts = [s.chart for slide in deck.slides for s in slide.shapes if s.has_chart]
    made = [slide.chart for slide in slides(seen) if slide.chart is not None]

    assert len(charts) == len(made) >= 4
    for drawn, chart in zip(charts, made, strict=True):
        assert tuple(drawn.plots[0].categories) == chart.categories
        assert {s.name: tuple(s.values) for s in drawn.plots[0].series} == chart.series


def test_it_has_eight_to_twelve_slides_with_notes_and_alternative_texts(written):
    deck, seen, _ = written

    assert 8 <= len(deck.slides) <= 12
    for slide in deck.slides:
        assert slide.shapes.title.text
        assert slide.notes_slide.notes_text_frame.text
        for shape in slide.shapes:
            if shape.has_chart or getattr(shape, "has_table", False):
                assert len(shape._element.nvGraphicFramePr.cNvPr.get("descr")) > 20
    assert "Appendix" in deck.slides[-1].shapes.title.text
    assert deck.slides[0].shapes.title.text.startswith(seen.contract.title)


def test_what_is_assumed_is_labelled(written):
    deck, _, _ = written
    money = [
        s for s in deck.slides if any("Profit" in t for shape in s.shapes for t in texts(shape))
    ]

    assert money
    labelled = [any("Assumed" in t for shape in s.shapes for t in texts(shape)) for s in money[:2]]
    assert all(labelled)


def test_page_and_readout_stand_for_themselves(written):
    _, seen, found = written
    folder = Path(seen.retention.folder)

    content, html = (folder / "one-pager.pdf").read_bytes(), (folder / "readout.html").read_bytes()
    assert content.startswith(b"%PDF-")
    assert content.count(b"/Type /Page\n") == 1
    assert b"http://" not in html.replace(b"http://www.w3.org", b"")
    assert b"<script" not in html
    assert f"{seen.roi.figure('profit').value:,.0f}".encode() in html
    assert set(found.files) == {"deck.pptx", "one-pager.pdf", "readout.html", "figures.json"}


def test_a_measured_effect_replaces_what_was_expected_of_the_holdout(campaigns, tmp_path):
    arms = compare_rates(
        ArmRate(assigned=900, known=900, left=180), ArmRate(assigned=100, known=100, left=40), 2.0
    )
    readout = Readout(
        experiment="first", look=2, read_on=DAY, information=1.0, bound=2.0, comparison=arms,
        adjusted=None, imbalance=0.5, balanced=True, decision="fewer leave", saved=(), harmed=(),
    )  # fmt: skip

    titles = [s.title for s in slides(evidence_of(campaigns("telco"), tmp_path, readout))]

    assert "Measured: 20.0% of the treated left, 40.0% of the holdout" in titles
    assert not any(title.startswith("Expected:") for title in titles)

    # Arms of the wrong sizes are said to be so beside the figures
    odd = readout.model_copy(update={"balanced": False, "imbalance": 1e-9})
    shown = [
        s for s in slides(evidence_of(campaigns("telco"), tmp_path, odd)) if UNBALANCED in s.lines
    ]
    assert [s.title for s in shown] == ["Measured: 20.0% of the treated left, 40.0% of the holdout"]
