"""What a notebook shows: charts of both themes with words for who cannot see them, and safe tables."""

import markdown

from churn.reports.charts.chart_style import blank_chart
from churn.reports.notebook_output import chart_html, folded, markdown_table, plain_markdown


def test_a_chart_has_both_themes_and_says_its_title():
    shown = chart_html(lambda theme: blank_chart('7% left at "A"', theme)[0])

    assert shown.count('alt="7% left at &quot;A&quot;"') == 2
    assert shown.count('#only-light"') == 1
    assert shown.count('#only-dark" hidden') == 1


def test_a_tables_words_are_never_markup():
    text = "a|b *c* <b>d</b> $e$ [f](g) `h` under_line_d # &amp;"
    table = folded("A & B", markdown_table(["x"], [[text]]))

    page = markdown.markdown(table, extensions=["tables", "md_in_html"])

    assert "<summary>A &amp; B</summary>" in page
    assert "<td>a|b *c* &lt;b&gt;d&lt;/b&gt;" in page.replace("&#124;", "|").replace(
        "&#42;", "*"
    ).replace("&#60;", "&lt;").replace("&#62;", "&gt;")
    assert page.count("<td>") == 1


def test_a_line_break_does_not_end_a_row():
    assert plain_markdown("two\nlines") == "two lines"
