"""The chaos run judges what it says, and the same seed makes the same bytes."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest

from benchmarks.evidence_chaos import Result, table
from benchmarks.fuzzed_requests import fuzzed_request, fuzzed_stream

CUSTOMERS = [b'{"customerID": "a", "tenure": 1}', b'{"customerID": "b", "tenure": 72}']
MET = Result("an attack", 7, 300, 0, "", p99=0.25, peak=512.0, left=50.0)


def test_a_result_at_its_limits_is_met_and_beyond_any_of_them_missed():
    assert MET.met
    for fault in ({"p99": 0.251}, {"peak": 513.0}, {"left": 50.1}, {"lost": 1}, {"fault": "died"}):
        assert not replace(MET, **fault).met, fault


def test_the_table_has_a_line_an_attack_with_its_verdict():
    lines = table([MET, replace(MET, fault="it died")]).splitlines()

    assert lines[2].endswith("| 0 | 250 | 512 | +50 | met |")
    assert lines[3].endswith("MISSED it died |")


@pytest.mark.parametrize("framed", [True, False])
def test_the_same_seed_makes_the_same_requests_and_streams(framed):
    def made(seed):
        chance = Random(seed)
        return [
            fuzzed_request(chance, CUSTOMERS, "key", framed=framed) for _ in range(200)
        ] + fuzzed_stream(chance, CUSTOMERS, "key")

    assert made(1) == made(1)
    assert made(1) != made(2)
    assert len(set(made(1))) > 150


def test_a_framed_request_says_truly_how_long_its_body_is():
    chance = Random(3)
    for _ in range(300):
        head, _, body = fuzzed_request(chance, CUSTOMERS, "key", framed=True).partition(b"\r\n\r\n")
        if b"Content-Length: %d\r\n" % len(body) not in head + b"\r\n":
            assert b"Transfer-Encoding: chunked" in head
            assert body.startswith(b"0\r\n") or b"\r\n0\r\n" in body
