import pytest

from churn.errors import InputError
from churn.settings.monitoring import MonitoringSettings
from churn.settings.settings_file import load_settings


def test_the_shipped_file_says_the_defaults(root):
    found = load_settings(MonitoringSettings, root / "configs" / "monitoring.yaml")
    assert found == MonitoringSettings()
    assert found.alarms.alarm_level == pytest.approx(0.05 / 52)


@pytest.mark.parametrize(
    ("override", "sentence"),
    [
        ("alarms.one_false_alarm_in_year=5", "Unknown setting"),
        ("alarms.checks_per_year=8760", "Check at most 600 times a year"),
    ],
)
def test_what_means_nothing_is_refused(root, override, sentence):
    with pytest.raises(InputError, match=sentence):
        load_settings(MonitoringSettings, root / "configs" / "monitoring.yaml", [override])
