"""Elements of a tensor of the Open Inference Protocol, from JSON or raw bytes, and back.

They are decoded only after it is known that there are as many as the tensor's shape says.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

import msgspec
import numpy as np

from service.api.problems import ProblemError
from service.api.request_body import parse_json

LARGEST_FRAME = 65_536
"""Bytes of a request without its tensors' data."""
_BYTES = "BYTES"
_WIDTHS = {"FP16": "<f2", "FP32": "<f4", "FP64": "<f8", "BOOL": "?"} | {
    f"{sign}INT{bits}": f"<{kind}{bits // 8}"
    for sign, kind in (("", "i"), ("U", "u"))
    for bits in (8, 16, 32, 64)
}
DATATYPES = frozenset([_BYTES, *_WIDTHS])

_Element = str | int | float | bool | None
_flat = msgspec.json.Decoder(list[_Element])
_nested = msgspec.json.Decoder(list[tuple[_Element]])
_ELEMENT = re.compile(
    rb'[\s\[\],]{0,4096}+("[^"\\]*+(?:\\.[^"\\]*+)*+"|[^\s\[\],"]++)?'
)  # takes what stands before an element along, which would cost more to search through


def fault(field: str, what: str) -> ProblemError:
    """Returns the problem of a tensor, or of another part of the request: 422."""
    return ProblemError(422, f"'{field[:40]}' {what}.", field=field[:40])


def not_json(text: bytes) -> ProblemError:
    """Returns the problem of what is no strict JSON; what is at fault is looked for in a short text."""
    if len(text) <= LARGEST_FRAME:
        try:
            parse_json(text)
        except ProblemError as problem:
            return problem
    return ProblemError(400, "The body is not strict JSON. Send a JSON object.")


def read_json(name: str, raw: bytes, size: int) -> list[Any]:
    """Returns the elements of a list of JSON, or of a list of lists of one.

    Raises:
        ProblemError: there are more or fewer, or one is an object or a longer list.
    """
    if not raw.startswith(b"["):
        raise fault(name, "has no list of data")
    # Counted first only where there may be more: counting costs more than decoding.
    if raw.count(b",") >= size:
        _require_count(
            name,
            sum(each[1] is not None for each in islice(_ELEMENT.finditer(raw), size + 1)),
            size,
        )
    elements = _decode(name, raw)
    _require_count(name, len(elements), size)
    return elements


def _decode(name: str, raw: bytes) -> list[Any]:
    try:
        return _flat.decode(raw)
    except msgspec.ValidationError:
        pass
    except (msgspec.DecodeError, ValueError):
        raise not_json(raw) from None
    try:
        return [element for (element,) in _nested.decode(raw)]
    except (msgspec.DecodeError, ValueError):
        raise fault(name, "holds an element that is no text, number, boolean or null") from None


def read_bytes(name: str, datatype: str, raw: bytes, size: int) -> list[Any]:
    """Returns the elements that raw bytes hold.

    Raises:
        ProblemError: there are more or fewer, or one is no UTF-8 text.
    """
    if datatype == _BYTES:
        texts = list(islice(_texts(name, raw), size + 1))
        found = len(texts)
    else:
        width = np.dtype(_WIDTHS[datatype]).itemsize
        found, rest = divmod(len(raw), width)
        if rest:
            raise fault(name, f"has {len(raw):,} bytes, which are no whole {datatype} elements")
    _require_count(name, found, size)
    if datatype == _BYTES:
        return texts
    numbers: list[Any] = np.frombuffer(raw, _WIDTHS[datatype]).tolist()
    return numbers


def _require_count(name: str, found: int, size: int) -> None:
    if found != size:
        many = f"{found:,}" if found < size else "more"
        raise fault(name, f"has {many} elements where its shape says {size:,}")


def _texts(name: str, raw: bytes) -> Iterator[str]:
    place = 0
    while place < len(raw):
        start = place + 4
        place = start + int.from_bytes(raw[place:start], "little")
        if place > len(raw):
            raise fault(name, "ends within an element; each is four bytes of length and its text")
        try:
            yield raw[start:place].decode()
        except UnicodeDecodeError:
            raise fault(name, "holds an element that is not UTF-8 text") from None


def as_bytes(datatype: str, values: Sequence[Any]) -> bytes:
    """Returns elements as raw bytes."""
    if datatype == _BYTES:
        texts = [value.encode() for value in values]
        return b"".join(len(text).to_bytes(4, "little") + text for text in texts)
    return np.array(values, _WIDTHS[datatype]).tobytes()
