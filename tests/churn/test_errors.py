"""The texts that errors are made of: one line, the reason, and the name that was meant."""

from __future__ import annotations

import pytest

from churn.errors import did_you_mean, error_reason, one_line


def test_any_text_becomes_one_line():
    assert one_line(ValueError(" a\n  b\tc \n")) == "a b c"
    assert one_line(7) == "7"


@pytest.mark.parametrize(
    ("error", "longest", "reason"),
    [
        (ValueError("No such\n file."), None, "No such file"),
        (ValueError(""), None, "ValueError"),
        (OSError("  "), 5, "OSError"),
        (ValueError("one two three"), 7, "one two"),
        (ValueError("one. two"), 4, "one"),
    ],
)
def test_a_reason_is_one_line_without_a_full_stop_or_else_the_errors_type(error, longest, reason):
    assert error_reason(error, longest=longest) == reason


def test_the_name_that_was_meant_is_the_nearest_one_that_is_near():
    assert did_you_mean("tranining", ["training", "promotion"]) == "training"
    assert did_you_mean("weather", ["training", "promotion"]) is None
    assert did_you_mean("gate", ["gate_fraction", "seed"], cutoff=0.4) == "gate_fraction"
    assert did_you_mean("training", iter(())) is None
