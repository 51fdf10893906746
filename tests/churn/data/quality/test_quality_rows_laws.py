"""Whatever is wrong in a small table, the gate names the rows that a plain loop finds."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from churn.contract import DataContract
from churn.data.quality import QualityReport, check
from churn.data.quality.quality_report import NAMED_ROWS

CONTRACT = DataContract.model_validate(
    {
        "name": "gym",
        "version": 1,
        "title": "Members of a gym",
        "columns": [
            {"name": "member", "kind": "id", "meaning": "Member"},
            {
                "name": "months",
                "kind": "number",
                "meaning": "Months",
                "unit": "months",
                "minimum": 0,
                "maximum": 9,
                "integer": True,
            },
            {"name": "sauna", "kind": "flag", "meaning": "Uses the sauna"},
            {"name": "left", "kind": "target", "meaning": "Left"},
        ],
        "snapshot": {"path": "gym.csv", "sha256": "0" * 64},
        "expectations": {
            "rows": {"minimum": 1, "maximum": 50},
            "target_rate": {"minimum": 0.2, "maximum": 0.8},
            "psi_warning": 0.1,
            "psi_critical": 0.5,
        },
    }
)

members = st.tuples(
    st.sampled_from([f"member-{n}" for n in range(200)]),
    st.integers(-2, 11),
    st.sampled_from(["No", "Yes", "Maybe", None]),
    st.sampled_from(["No", "Yes"]),
)


def plainly(rows) -> dict[str, list[int]]:
    """Failing rows by check, found one cell at a time."""
    ids = [row[0] for row in rows]
    return {
        "uniqueness of member": [n for n, row in enumerate(rows, 1) if ids.count(row[0]) > 1],
        "range of months": [n for n, row in enumerate(rows, 1) if not 0 <= row[1] <= 9],
        "blanks in sauna": [n for n, row in enumerate(rows, 1) if row[2] is None],
        "categories of sauna": [n for n, row in enumerate(rows, 1) if row[2] == "Maybe"],
    }


@settings(max_examples=10)
@given(st.lists(members, min_size=1, max_size=60))
def test_the_rows_it_names_are_those_of_a_plain_loop(rows):
    frame = pd.DataFrame(rows, columns=list(CONTRACT.names)).astype({"sauna": object})

    report = check(frame, CONTRACT, None)

    found = {each.name: each for each in report.checks}
    for name, expected in plainly(rows).items():
        assert found[name].success == (not expected), name
        assert list(found[name].failing_rows) == expected[:NAMED_ROWS], name
        assert found[name].failing_count == len(expected), name
    share = sum(row[3] == "Yes" for row in rows) / len(rows)
    assert found["share of left"].success == (0.2 <= share <= 0.8)
    assert found["number of rows"].success == (len(rows) <= 50)
    assert found["both outcomes of left"].success == (0 < share < 1)
    assert report.verdict == ("pass" if report.held == len(report.checks) else "fail")
    assert "member-" not in report.model_dump_json()
    assert QualityReport.model_validate_json(report.model_dump_json()) == report


@pytest.mark.parametrize("cells", [[], [[1, 2], [3, 4]]])
def test_any_table_at_all_is_reported_on(cells):
    report = check(pd.DataFrame(cells), CONTRACT, pd.DataFrame(cells))

    assert report.verdict == "fail"
    assert report.failures[0].name == "columns"
