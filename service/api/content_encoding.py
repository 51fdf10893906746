"""Compressed request bodies: gzip and zstd, within the limit of what they hold.

A small body can hold a very large one, so no more is decompressed than the limit allows, and one byte.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence

import zstandard

from churn.contract.refusals import quote_value
from service.api.problems import ProblemError
from service.api.request_body import body_too_large

ACCEPTED = "gzip, zstd"
_MOST_CODINGS = 3
_MOST_PARTS = 256
"""Members or frames of one body; each costs a copy of what follows it."""
_GZIP_FORMAT = 31  # zlib's name for a gzip member with the largest window
_LARGEST_WINDOW = 2**23  # bytes; RFC 9659 allows no larger one for HTTP
_STEP = 65_536


def read_codings(value: bytes) -> tuple[str, ...]:
    """Returns the codings of a `Content-Encoding` header, in the order in which they were applied.

    Raises:
        ProblemError: 415, one of them is not taken, or there are too many.
    """
    names = [name.strip().lower() for name in value.decode("latin-1").split(",")]
    codings = tuple(
        name.removeprefix("x-") if name == "x-gzip" else name
        for name in names
        if name not in ("", "identity")
    )
    if len(codings) > _MOST_CODINGS or any(name not in _DECODERS for name in codings):
        given = quote_value(value.decode("latin-1"))
        raise ProblemError(
            415, f"The Content-Encoding {given} is not taken. Send gzip, zstd or no coding.",
            value=given, allowed=ACCEPTED, headers={"accept-encoding": ACCEPTED},
        )  # fmt: skip
    return codings


def decode_body(body: bytes, codings: Sequence[str], limit: int) -> bytes:
    """Returns what a body holds.

    Args:
        body: compressed.
        codings: in the order in which they were applied.
        limit: bytes that it may hold.

    Raises:
        ProblemError: 413, it holds more; 400, it is not what its header says, or not complete.
    """
    for coding in reversed(codings):
        body = _DECODERS[coding](body, limit)
    return body


def _decode_gzip(body: bytes, limit: int) -> bytes:
    parts, left, rest = [], limit, body
    for _ in range(_MOST_PARTS):
        member = zlib.decompressobj(_GZIP_FORMAT)
        try:
            parts.append(member.decompress(rest, left + 1))
        except zlib.error:
            raise _not_valid("gzip") from None
        left -= len(parts[-1])
        if left < 0:
            raise body_too_large(limit)
        if not member.eof:
            raise _not_valid("gzip")
        rest = member.unused_data
        if not rest.strip(b"\0"):  # gzip allows zeros behind the last member
            return b"".join(parts)
    raise _not_valid("gzip")


def _decode_zstd(body: bytes, limit: int) -> bytes:
    decompressor = zstandard.ZstdDecompressor(max_window_size=_LARGEST_WINDOW)
    try:
        # A first pass only counts, as one call of the second decompresses a whole frame.
        with decompressor.stream_reader(body, read_across_frames=True) as counted:
            left = limit
            while size := len(counted.read(_STEP)):
                left -= size
                if left < 0:
                    raise body_too_large(limit)
        parts, rest = [], body
        for _ in range(_MOST_PARTS):
            frame = decompressor.decompressobj()
            parts.append(frame.decompress(rest))
            if not frame.eof:
                raise _not_valid("zstd")
            rest = frame.unused_data
            if not rest:
                return b"".join(parts)
    except zstandard.ZstdError:
        raise _not_valid("zstd") from None
    raise _not_valid("zstd")


def _not_valid(coding: str) -> ProblemError:
    return ProblemError(
        400, f"The body is no complete {coding} data, which its Content-Encoding says it is."
    )


_DECODERS: dict[str, Callable[[bytes, int], bytes]] = {"gzip": _decode_gzip, "zstd": _decode_zstd}
