"""Settings of a batch: a share of rows and a number of rows are told apart by the point."""

from __future__ import annotations

import math

import pytest
from pydantic import ValidationError

from churn.settings.batch_inference import BatchInferenceSettings


@pytest.mark.parametrize("most", [0, 1, 70, 0.0, 0.01, 1.0])
def test_a_share_or_a_number_of_rows_is_taken_as_it_is(most):
    found = BatchInferenceSettings(max_bad_rows=most).max_bad_rows

    assert (found, type(found)) == (most, type(most))


@pytest.mark.parametrize("most", [-1, -0.1, 1.5, math.nan, math.inf])
def test_what_is_neither_is_refused(most):
    with pytest.raises(ValidationError, match="must be a share from 0 to 1, such as"):
        BatchInferenceSettings(max_bad_rows=most)
