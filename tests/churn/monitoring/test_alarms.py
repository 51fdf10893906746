import pytest
from pydantic import ValidationError

from churn.monitoring.alarms import LEAST_LEVEL, AlarmPolicy, spend
from churn.monitoring.drift_check import CheckResult


def result(p_value):
    return CheckResult(
        finding="cannot tell" if p_value is None else "ok",
        reason="", rows=500, reference_rows=7043, p_value=p_value,
    )  # fmt: skip


def test_a_years_level_is_spent_in_equal_parts():
    policy = AlarmPolicy(one_false_alarm_in_years=10, checks_per_year=52)
    assert policy.alarm_level == pytest.approx(0.1 / 52)
    assert spend(result(0.5), 0, policy) == policy.alarm_level
    assert spend(result(0.5), 51, policy) == policy.alarm_level
    assert spend(result(0.5), 52, policy) == 0  # the year has had its checks
    assert spend(result(None), 0, policy) == 0


def test_a_level_that_no_check_could_reach_is_refused():
    most = int(1 / LEAST_LEVEL / 20)
    assert AlarmPolicy(checks_per_year=most).alarm_level >= LEAST_LEVEL
    with pytest.raises(ValidationError, match=f"Check at most {most} times a year"):
        AlarmPolicy(checks_per_year=most + 1)


@pytest.mark.parametrize(
    "wrong",
    [
        {"one_false_alarm_in_years": 0.9},
        {"checks_per_year": 0},
        {"watch_level": 0.0},
        {"level": 0.05},
    ],
)
def test_a_policy_that_means_nothing_is_refused(wrong):
    with pytest.raises(ValidationError):
        AlarmPolicy(**wrong)
