"""The figures of a live view, and what they look like at 80 columns."""

from __future__ import annotations

import json
from io import StringIO
from itertools import count

import pytest
from rich.console import Console

from service.core.score_answer import ScoreAnswer
from service.stream.live_figures import SHOWN, HighRisk, LiveFigures, Scored
from service.stream.live_view import one_line, render_view
from service.stream.messages import Message
from service.stream.shown_reasons import ShownReasons
from service.stream.stream_settings import StreamSettings
from service.stream.stream_watcher import StreamWatcher


def message(offset, row=None, timestamp=1000):
    return Message("customers", 0, offset, timestamp, None, json.dumps(row or {}).encode())


def scored(message, *, after=5, band="low", probability=0.1, version="1", customer="c"):
    answer = ScoreAnswer(message.prediction_id, probability, False, band, version)
    return Scored(customer, answer, message.timestamp + after)


def rendered(figures, reasons):
    out = StringIO()
    console = Console(file=out, width=80, color_system=None, legacy_windows=False)
    console.print(render_view(figures, reasons, "Scored live (noida-db, a development broker)"))
    return out.getvalue()


@pytest.mark.parametrize("messages_first", [True, False])
def test_latency_is_from_a_message_to_its_score_whichever_is_read_first(messages_first):
    figures, events = LiveFigures(), [message(number) for number in range(100)]
    scores = [scored(each, after=number) for number, each in enumerate(events)]
    first, second = ((events, []), ([], scores)) if messages_first else (([], scores), (events, []))
    figures.add(*first, now=0.0)
    assert figures.latency(0.5) is None
    figures.add(*second, now=1.0)
    assert (figures.latency(0.5), figures.latency(0.99)) == (49.5, pytest.approx(98.01))


def test_throughput_is_that_of_the_last_seconds():
    figures = LiveFigures()
    assert figures.scores_a_second == 0
    for second in range(20):
        count = 100 if second < 10 else 300
        figures.add([], [scored(message(number)) for number in range(count)], now=float(second))
    assert figures.scores_a_second == 300
    assert figures.scored == 4000


def test_what_is_committed_while_the_lag_is_asked_for_is_not_less_than_none(
    stream, topics, monkeypatch
):
    """Each answer finds one message more, and all of them committed."""
    messages = count(5)
    with StreamWatcher(stream) as watcher:
        for name, answer in (
            ("end_offsets", lambda places, **_: dict.fromkeys(places, next(messages))),
            ("committed", lambda *_, **__: next(messages)),
        ):
            monkeypatch.setattr(watcher._reader, name, answer)
        watcher.read()

    assert watcher.figures.lag == 3 + 2 + 1


def test_the_risk_mix_is_of_the_scores():
    figures = LiveFigures()
    bands = ["low"] * 6 + ["medium"] * 3 + ["very_high"]
    figures.add([], [scored(message(n), band=band) for n, band in enumerate(bands)], now=0.0)
    assert figures.risk_mix() == {"low": 0.6, "medium": 0.3, "high": 0, "very_high": 0.1}


def test_the_latest_at_high_risk_come_first_and_only_they():
    figures, events = LiveFigures(), [message(number) for number in range(20)]
    bands = ["high" if number % 2 else "medium" for number in range(20)]
    for event, band in zip(events, bands, strict=True):
        figures.add([event], [scored(event, band=band, customer=f"c{event.offset}")], now=0.0)
    shown = [each.scored.customer for each in figures.high]
    assert shown == [f"c{number}" for number in (19, 17, 15, 13, 11)[:SHOWN]]


def test_of_those_that_are_read_at_once_the_latest_answer_comes_first():
    figures, events = LiveFigures(), [message(number) for number in range(20)]
    scores = [scored(event, band="high", customer=f"c{event.offset}") for event in events]
    figures.add(reversed(events), scores, now=0.0)
    shown = [each.scored.customer for each in figures.high]
    assert shown == [f"c{number}" for number in (19, 18, 17, 16, 15)[:SHOWN]]


def test_an_id_does_not_steer_the_terminal(published_store):
    figures, event = LiveFigures(), message(1)
    figures.add([event], [scored(event, band="high", customer="c\x1b[2Jd")], now=0.0)
    shown = rendered(figures, ShownReasons(StreamSettings(store=str(published_store))))
    assert "\x1b" not in shown
    assert "c?[2Jd" in shown


@pytest.fixture
def reasons(published_store):
    return ShownReasons(StreamSettings(store=str(published_store)))


@pytest.fixture
def riskiest(customers, scorers):
    """The customer of the first hundred with the highest risk, and the score of version 1."""
    scores = [scorers["1"].score_one(row).probability for row in customers[:100]]
    place = max(range(100), key=scores.__getitem__)
    return customers[place], scores[place]


def test_reasons_are_those_of_the_version_that_scored(reasons, riskiest):
    row, probability = riskiest
    event = message(0, row)
    found = reasons.sentences(HighRisk(scored(event, probability=probability), event))
    assert len(found) == 2
    assert all("leave" in sentence for sentence in found)


@pytest.mark.parametrize(
    ("version", "change"), [("2", {}), ("9", {}), ("1", {"tenure": 71}), ("1", {"tenure": "many"})]
)
def test_a_score_that_is_not_found_again_has_no_reasons(reasons, riskiest, version, change):
    row, probability = riskiest
    event = message(0, row | change)
    high = HighRisk(scored(event, probability=probability, version=version), event)
    assert reasons.sentences(high) == ()


def test_the_view_fits_80_columns_and_24_lines(reasons, riskiest):
    row, probability = riskiest
    figures, long = LiveFigures(lag=1234567, rejected=98765), "synthetic-7-" + "0" * 150
    for number in range(12):
        event = message(number, row)
        figures.add(
            [event],
            [scored(event, after=10**6, band="very_high", probability=probability, customer=long)],
            now=float(number),
        )
    lines = rendered(figures, reasons).splitlines()
    assert max(map(len, lines)) <= 80
    assert len(lines) <= 24
    text = "\n".join(lines)
    for part in ("q ends it", "1,234,567", "98,765", "1,000,000 ms", "very high risk", "100%"):
        assert part in text
    assert f"{probability:.0%}" in text


def test_nothing_is_known_before_the_first_message(reasons):
    text = rendered(LiveFigures(), reasons)
    assert text.count(" - ") >= 2
    assert one_line(LiveFigures()).startswith("0 scores/s, lag -, p50 -, p99 -, low 0%, ")
