"""What a caller may let stand in a row without its being read."""

from __future__ import annotations

import pytest

from churn.contract import DataContract
from service.api.score_options import ScoreOptions, parse_options


@pytest.mark.parametrize(
    ("query", "left"), [(b"ignore=target", {"tenure"}), (b"", {"Churn", "seen_on", "tenure"})]
)
def test_target_and_day_of_a_row_are_ignored_where_that_is_asked(contract, query, left):
    day = {"name": "seen_on", "kind": "date", "meaning": "Day of the row"}
    content = contract.model_dump()
    dated = DataContract.model_validate(content | {"columns": [*content["columns"], day]})
    row = {"Churn": "No", "seen_on": "2025-01-01", "tenure": 3}

    found = parse_options(query, ScoreOptions).without_ignored(dict(row), dated)
    undated = parse_options(query, ScoreOptions).without_ignored(dict(row), contract)

    assert set(found) == left
    assert "seen_on" in undated
