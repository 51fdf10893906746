"""Compressed bodies: what they hold counts, and no more of it is decompressed than is allowed."""

import gzip
import tracemalloc

import pytest
import zstandard

from service.api.content_encoding import decode_body, read_codings
from service.api.problems import ProblemError

_MIB = 2**20
_skippable = b"\x50\x2a\x4d\x18\x02\x00\x00\x00ab"


def zstd(data, **parameters):
    return zstandard.ZstdCompressor(**parameters).compress(data)


COMPRESS = {"gzip": gzip.compress, "zstd": zstd}
codings = pytest.mark.parametrize("coding", COMPRESS)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b"", ()),
        (b"identity", ()),
        (b"gzip", ("gzip",)),
        (b"X-GZip", ("gzip",)),
        (b" ZSTD ", ("zstd",)),
        (b"gzip, identity,, zstd", ("gzip", "zstd")),
        (b"gzip,gzip,gzip", ("gzip",) * 3),
    ],
)
def test_codings_are_read(value, expected):
    assert read_codings(value) == expected


@pytest.mark.parametrize(
    "value", [b"br", b"deflate", b"gzip, br", b"gzip;q=1", b"*", b"x-zstd", b"\xff", b"gzip," * 4]
)
def test_any_other_coding_is_refused_and_those_that_are_taken_are_named(value):
    with pytest.raises(ProblemError) as refused:
        read_codings(value)

    assert refused.value.status == 415
    assert refused.value.headers == {"accept-encoding": "gzip, zstd"}


@codings
@pytest.mark.parametrize("data", [b"", b"a", b"ab" * 500])
def test_a_body_is_decoded_up_to_its_limit(coding, data):
    compressed = COMPRESS[coding](data)

    assert decode_body(compressed, [coding], len(data)) == data
    if data:
        with pytest.raises(ProblemError) as refused:
            decode_body(compressed, [coding], len(data) - 1)
        assert refused.value.status == 413


@codings
def test_a_body_of_several_parts_is_one(coding):
    parts = [COMPRESS[coding](data) for data in (b"one, ", b"", b"two")]

    assert decode_body(b"".join(parts), [coding], 8) == b"one, two"
    with pytest.raises(ProblemError) as refused:
        decode_body(b"".join(parts), [coding], 7)
    assert refused.value.status == 413


@pytest.mark.parametrize("tail", [b"\0", b"\0" * 1000])
def test_gzip_may_end_with_zeros(tail):
    assert decode_body(gzip.compress(b"data") + tail, ["gzip"], 4) == b"data"


def test_zstd_may_have_frames_to_skip():
    assert decode_body(_skippable + zstd(b"data") + _skippable, ["zstd"], 4) == b"data"


@codings
@pytest.mark.parametrize(
    "spoil",
    [
        lambda data: data[:-1],
        lambda data: data[:1],
        lambda data: data[: len(data) // 2],
        lambda data: data + b"x",
        lambda data: data + data[:-1],
        lambda data: b"x" + data,
        lambda data: b'{"tenure": 1}',
        lambda data: data * 257,
    ],
)
def test_a_body_that_is_cut_off_or_something_else_is_refused(coding, spoil):
    compressed = COMPRESS[coding](b"0123456789" * 20)

    with pytest.raises(ProblemError) as refused:
        decode_body(spoil(compressed), [coding], _MIB)

    assert refused.value.status == 400
    assert coding in refused.value.detail


def test_a_changed_byte_is_noticed():
    for coding, compressed in (
        ("gzip", gzip.compress(b"0123456789" * 20)),
        ("zstd", zstandard.ZstdCompressor(write_checksum=True).compress(b"0123456789" * 20)),
    ):
        changed = compressed[:-2] + bytes([compressed[-2] ^ 1]) + compressed[-1:]
        with pytest.raises(ProblemError, match="no complete"):
            decode_body(changed, [coding], _MIB)


def test_several_codings_are_undone_from_the_last():
    twice = zstd(gzip.compress(b"data"))

    assert decode_body(twice, ["gzip", "zstd"], 100) == b"data"
    with pytest.raises(ProblemError):
        decode_body(twice, ["zstd", "gzip"], 100)


def large_frame():
    """A frame of 1 GiB that does not say how much it holds: a few bytes for each 128 KiB."""
    block = ((131_072 << 3) | (1 << 1)).to_bytes(3, "little") + b"\0"
    last = ((131_072 << 3) | (1 << 1) | 1).to_bytes(3, "little") + b"\0"
    return b"\x28\xb5\x2f\xfd\x00\x58" + block * 8191 + last


@pytest.mark.parametrize(
    ("coding", "bomb"),
    [
        ("gzip", lambda: gzip.compress(bytes(512 * _MIB), 1)),
        ("zstd", lambda: zstd(bytes(512 * _MIB))),
        ("zstd", large_frame),
    ],
)
def test_a_bomb_is_stopped_at_the_limit(coding, bomb):
    body = bomb()

    tracemalloc.start()
    try:
        with pytest.raises(ProblemError) as refused:
            decode_body(body, [coding], _MIB)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert refused.value.status == 413
    assert peak < 8 * _MIB


def test_a_frame_that_claims_a_window_beyond_http_is_refused():
    parameters = zstandard.ZstdCompressionParameters(window_log=24)
    compressor = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    body = compressor.compress(b"a" * 100) + compressor.flush()

    with pytest.raises(ProblemError, match="no complete zstd"):
        decode_body(body, ["zstd"], _MIB)
