"""A retraining takes a shift as news, and everything else as before."""

from __future__ import annotations

import pytest

from churn.data.quality import check


@pytest.fixture(scope="module")
def risen(telco):
    frame = telco.frame.copy()
    frame["MonthlyCharges"] = (frame["MonthlyCharges"] * 1.1).round(2)
    return frame


def test_a_price_rise_refuses_a_training_and_is_news_of_a_retraining(telco, risen, contract):
    refused = check(risen, contract, telco.frame)
    news = check(risen, contract, telco.frame, on_shift="report")

    assert (refused.verdict, news.verdict) == ("fail", "warn")
    assert [each.name for each in refused.failures] == ["distribution of MonthlyCharges"]
    assert [each.name for each in news.warnings] == ["distribution of MonthlyCharges"]
    assert news.warnings[0].sentence == refused.failures[0].sentence


@pytest.mark.parametrize(
    ("spoil", "name"),
    [
        (lambda frame: frame.assign(tenure=300), "range of tenure"),
        (lambda frame: frame.assign(customerID="one"), "customerID"),
        (lambda frame: frame.assign(TotalCharges=0.5), "TotalCharges against tenure"),
        (lambda frame: frame.assign(MonthlyCharges="much"), "MonthlyCharges"),
    ],
)
def test_types_ranges_relations_and_duplicates_refuse_it_all_the_same(
    telco, risen, contract, spoil, name
):
    report = check(spoil(risen), contract, telco.frame, on_shift="report")

    assert report.verdict == "fail"
    assert any(name in each.name or name in each.columns for each in report.failures)
