"""The file by which people stop retraining says what is wrong in it, in the words of the project."""

from __future__ import annotations

import pytest

from churn.errors import InputError
from churn.retraining.switches import read_switches


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("stopp: audit", "(unknown setting 'stopp'; known: stop, maintenance)"),
        (
            "maintenance: [{start: 2026-12-24T00:00:00Z, end: 2026-12-27T00:00:00Z, why: audit}]",
            "(unknown setting 'maintenance.0.why'; known: start, end, reason)",
        ),
    ],
)
def test_an_unknown_setting_is_named_with_those_that_are_known(tmp_path, content, reason):
    path = tmp_path / "switches.yaml"
    path.write_text(content)

    with pytest.raises(InputError) as refused:
        read_switches(path)

    assert f"{path} cannot be read {reason}, so nothing is retrained." in str(refused.value)
