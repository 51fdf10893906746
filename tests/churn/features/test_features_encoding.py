"""Categories of a table are read like those of a request."""

import numpy as np
import pandas as pd
import pytest

from churn.errors import InputError
from churn.features.encoding import encode


@pytest.mark.parametrize("values", [[0, 1], ["0", " 1 "], np.array([0, 1], np.int64)])
def test_a_category_of_digits_may_be_a_whole_number(contract, values):
    frame = pd.DataFrame({"SeniorCitizen": values})

    assert encode(frame, contract, only=["SeniorCitizen"])["SeniorCitizen"].tolist() == [0, 1]


@pytest.mark.parametrize(("value", "shown"), [(7, "7"), (0.5, "0.5"), ("maybe", "'maybe'")])
def test_another_value_is_shown_as_it_is_with_the_way_out(contract, value, shown):
    frame = pd.DataFrame({"SeniorCitizen": [value]})
    said = f"^Column 'SeniorCitizen' row 1: {shown} is not one of 0, 1. Correct the cell.$"

    with pytest.raises(InputError, match=said):
        encode(frame, contract, only=["SeniorCitizen"])
