"""How long and how much the ledger keeps is set alike for the service and the stream worker."""

import pytest

from churn.errors import InputError
from service.api import service_settings
from service.stream import stream_settings


@pytest.fixture(params=[service_settings, stream_settings], ids=["service", "stream"])
def read(request):
    return request.param.read_settings


def test_a_year_and_the_current_month_are_kept_without_a_limit_of_bytes(read):
    settings = read({})

    assert (settings.ledger_retention_months, settings.ledger_max_bytes) == (13, 0)


@pytest.mark.parametrize("name", ["CHURN_LEDGER_RETENTION_MONTHS", "CHURN_LEDGER_MAX_BYTES"])
@pytest.mark.parametrize("value", ["0", "1", "1200"])
def test_a_value_within_its_range_is_taken(read, name, value):
    settings = read({name: value})

    assert getattr(settings, name.removeprefix("CHURN_").lower()) == int(value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CHURN_LEDGER_RETENTION_MONTHS", "-1"),
        ("CHURN_LEDGER_RETENTION_MONTHS", "1201"),
        ("CHURN_LEDGER_RETENTION_MONTHS", "all"),
        ("CHURN_LEDGER_MAX_BYTES", "-1"),
        ("CHURN_LEDGER_MAX_BYTES", "1.5"),
    ],
)
def test_a_value_beyond_its_range_is_refused_by_name(read, name, value):
    with pytest.raises(InputError, match=f"^{name} cannot be used"):
        read({name: value})
