"""A customer's reasons by the fast way are those of the table's way: the same bits, the same words."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from churn.errors import InputError
from churn.explain.grouping import Contributions
from churn.explain.one_customer import CustomerReasons
from churn.explain.reasons import ReasonCodes
from churn.features.encoding import take
from churn.models.recipe_catalog import build_candidates
from churn.models.recipe_settings import GbmSettings, SplineLogisticSettings, default_recipes
from churn.scoring.encoder import RowEncoder

EVERYTHING = ("tenure", "commitment", "revenue", "services")


@pytest.fixture(scope="module")
def codes(contract, telco_columns, telco_target):
    recipes = default_recipes() | {
        "gbm": GbmSettings(trees=20, features=EVERYTHING),
        "spline_logistic": SplineLogisticSettings(features=EVERYTHING),
    }
    model = build_candidates(["blend"], recipes, contract)["blend"].fit(telco_columns, telco_target)
    return ReasonCodes.of(model, contract)


@pytest.fixture(scope="module")
def names(contract):
    return RowEncoder(contract).names


def one_and_table(codes, names, columns, row, top, parts=None):
    """The same customer's reasons by both ways."""
    customer = take(columns, np.array([row]))
    if parts is None:
        parts = codes.model.contributions(customer)[0]
    grouped = codes.grouping(parts[np.newaxis])
    table = codes.told(Contributions(0.0, codes.grouping.columns, grouped), customer, top)
    values = [customer[name][0].item() for name in names]
    return CustomerReasons(codes, names)(values, parts.tolist(), top), table


@pytest.mark.parametrize("row", range(0, 7043, 401))
@pytest.mark.parametrize("top", [1, 3, 20])
def test_real_customers_get_the_tables_reasons(codes, names, telco_columns, row, top):
    told, table = one_and_table(codes, names, telco_columns, row, top)

    assert told.reasons == [reason.model_dump(mode="json") for reason in table.of(0)]
    assert told.withheld == table.withheld[0]


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_any_contributions_give_the_tables_reasons(codes, names, telco_columns, data):
    # Many are alike, or as large as a border between two strengths: ties and edges count.
    sizes = st.sampled_from([0.0, 0.05, 0.2, 0.5, 0.1, 0.049999999]) | st.floats(0, 2)
    signed = st.tuples(sizes, st.sampled_from([1.0, -1.0])).map(lambda pair: pair[0] * pair[1])
    width = len(codes.model.features)
    parts = np.array(data.draw(st.lists(signed, min_size=width, max_size=width)))
    row, top = data.draw(st.integers(0, 7042)), data.draw(st.integers(1, 6))

    told, table = one_and_table(codes, names, telco_columns, row, top, parts)

    assert told.reasons == [reason.model_dump(mode="json") for reason in table.of(0)]
    assert told.withheld == table.withheld[0]


def test_no_reasons_at_all_cannot_be_asked_for(codes, names):
    with pytest.raises(InputError, match="Asked for 0 reasons"):
        CustomerReasons(codes, names)([], [], 0)
