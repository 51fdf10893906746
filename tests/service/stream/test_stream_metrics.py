"""What the worker does not know at the moment, its page does not show."""

import pytest

from service.stream import stream_metrics
from service.stream.stream_metrics import StreamMetrics


def waiting(metrics):
    lines = metrics.render().decode().splitlines()
    return [float(line.split()[1]) for line in lines if line.startswith("churn_stream_waiting ")]


def test_what_waits_is_absent_before_it_is_known_and_where_it_is_unknown_again(tmp_path):
    metrics = StreamMetrics(tmp_path)
    before = waiting(metrics)
    metrics.waiting.set(0)
    zero = waiting(metrics)
    metrics.waiting.set(17)
    known = waiting(metrics)
    metrics.waiting.set(None)

    assert (before, zero, known, waiting(metrics)) == ([], [0], [17], [])


@pytest.mark.parametrize(("age", "shown"), [(29.9, [17]), (30.1, [])])
def test_what_waited_half_a_minute_ago_is_not_shown(tmp_path, monkeypatch, age, shown):
    metrics = StreamMetrics(tmp_path)
    clock = [1000.0]
    monkeypatch.setattr(stream_metrics.time, "monotonic", lambda: clock[0])
    metrics.waiting.set(17)

    clock[0] += age

    assert waiting(metrics) == shown
