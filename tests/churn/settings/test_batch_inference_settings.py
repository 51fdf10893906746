"""Settings of a batch: a share of rows and a number of rows are told apart by the point."""

from __future__ import annotations

import math

import pytest
from pydantic import ValidationError

from churn.errors import InputError
from churn.settings.batch_inference import BatchInferenceSettings
from churn.settings.settings_file import load_settings


@pytest.mark.parametrize("most", [0, 1, 70, 0.0, 0.01, 1.0])
def test_a_share_or_a_number_of_rows_is_taken_as_it_is(most):
    found = BatchInferenceSettings(max_bad_rows=most).max_bad_rows

    assert (found, type(found)) == (most, type(most))


@pytest.mark.parametrize("most", [-1, -0.1, 1.5, math.nan, math.inf, "abc", "1%", True, None])
def test_what_is_neither_is_refused(most):
    with pytest.raises(ValidationError, match="must be a share from 0 to 1, such as"):
        BatchInferenceSettings(max_bad_rows=most)


def test_a_word_is_refused_under_the_name_of_the_setting(root):
    with pytest.raises(InputError) as caught:
        load_settings(
            BatchInferenceSettings, root / "configs/batch_inference.yaml", ["max_bad_rows=abc"]
        )

    assert str(caught.value) == (
        "Setting 'max_bad_rows' in --set must be a share from 0 to 1, such as 0.01, or a whole number "
        "of rows, not 'abc'."
    )
