import sys
from datetime import date

import pytest


@pytest.fixture
def tool(root, monkeypatch):
    monkeypatch.syspath_prepend(str(root / "tools"))
    import cdnow_table

    yield cdnow_table
    sys.modules.pop("cdnow_table")


LINES = [
    " customer_id  date number_of_cds  dollar_value",
    " 00001 19970301  1   10.00",
    " 00001 19970601  2   20.00",
    " 00001 19970629  1    6.00",
    " 00002 19970601  1   11.77",
    " 00002 19970928  1   12.00",
    " 00003 19970102  2   20.76",
    " 00004 19970601  1    5.00",
    " 00004 19970929  1    5.00",
    " 00005 19970701  1    5.00",
]


def test_features_are_of_before_and_the_outcome_is_of_90_days_from_the_day_on(tool):
    orders = tool.read_orders(iter(LINES))
    rows = tool.table(orders, date(1997, 7, 1), date(1997, 7, 1))
    by_customer = {row[0]: dict(zip(tool.HEADER, row, strict=True)) for row in rows}
    # 3 has not bought for half a year almost, 5 buys on the day itself: it was no customer before
    assert sorted(by_customer) == ["C00001", "C00002", "C00003", "C00004"]
    assert by_customer["C00001"] == {
        "customer_id": "C00001", "observed_on": "1997-07-01", "months_since_first": "4.01",
        "days_since_last": "2", "orders": "3", "orders_90_days": "2", "discs": "4",
        "spent": "36.00", "spent_90_days": "26.00", "mean_order": "12.00", "days_between": "60.0",
        "churned": "yes",
    }  # fmt: skip
    # 90 days from 1 July on end before 29 September
    assert (by_customer["C00002"]["churned"], by_customer["C00004"]["churned"]) == ("no", "yes")


def test_who_has_not_bought_for_half_a_year_is_left_out(tool):
    orders = tool.read_orders(iter(LINES))
    for day, there in ((date(1997, 7, 3), True), (date(1997, 7, 4), False)):
        assert ("C00003" in {row[0] for row in tool.table(orders, day, day)}) == there


def test_every_customer_stands_on_one_day(tool):
    orders = {f"{n:05d}": [tool.Order(date(1997, 6, 1), 1, 5.0)] for n in range(2_000)}
    rows = tool.table(orders, date(1997, 7, 1), date(1997, 7, 31))
    assert len({row[0] for row in rows}) == len(rows) == 2_000
    days = [row[1] for row in rows]
    assert days == sorted(days)
    assert all(330 < days.count(day) < 470 for day in set(days))
    assert set(days) == {f"1997-07-{day:02d}" for day in (1, 8, 15, 22, 29)}


def test_who_comes_last_in_one_table_comes_last_in_all(tool):
    orders = {f"{n:05d}": [tool.Order(date(1997, 6, 1), 1, 5.0)] for n in range(2_000)}

    def last(first, weeks):
        rows = tool.table(orders, first, first + (weeks - 1) * tool._WEEK)
        days = sorted({row[1] for row in rows})
        return {row[0] for row in rows if row[1] in days[weeks // 2 :]}

    late = last(date(1997, 7, 1), 4)
    assert 900 < len(late) < 1_100
    assert late == last(date(1997, 8, 5), 12)


def test_a_day_whose_outcome_is_not_known_is_refused(tool):
    assert tool.table({}, date(1998, 4, 2), date(1998, 4, 2)) == []
    with pytest.raises(SystemExit, match="up to 1998-04-02"):
        tool.table({}, date(1998, 4, 1), date(1998, 4, 3))
    with pytest.raises(SystemExit, match="lies after"):
        tool.table({}, date(1997, 8, 1), date(1997, 7, 1))
