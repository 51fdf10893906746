"""Bodies of requests that are as large as may be and made to cost as much as can be."""

from __future__ import annotations

from collections.abc import Callable, Mapping

NDJSON = "application/x-ndjson"


def repeated(start: bytes, part: bytes, end: bytes, size: int) -> bytes:
    """Returns as many parts as fit between start and end, filled up with blanks to the size."""
    count = (size - len(start) - len(end)) // len(part)
    return (start + part * count).ljust(size - len(end)) + end


def many_keys(size: int) -> bytes:
    """Returns an object of many different keys."""
    keys = b",".join(b'"%x":1' % number for number in range(size // 11))
    return b"{" + keys.ljust(size - 2) + b"}"


BODIES: Mapping[str, Callable[[int], bytes]] = {
    "ones": lambda size: repeated(b"[1", b",1", b"]", size),
    "ones, then NaN": lambda size: repeated(b"[1", b",1", b",NaN]", size),
    "empty arrays": lambda size: repeated(b"[[]", b",[]", b"]", size),
    "empty objects": lambda size: repeated(b"[{}", b",{}", b"]", size),
    "empty texts": lambda size: repeated(b'[""', b',""', b"]", size),
    "newlines": lambda size: b"\n" * size,
    "short lines": lambda size: b"1\n" * (size // 2),
    "blanks": lambda size: b" " * size,
    "one text": lambda size: repeated(b'["', b"a", b'"]', size),
    "one text of escapes": lambda size: repeated(b'["', rb"\u0041", b'"]', size),
    "a text without an end": lambda size: repeated(b'["', b"a", b"", size),
    "quotes": lambda size: b'"' * size,
    "one number": lambda size: repeated(b"[1", b"1", b"]", size),
    "one fraction": lambda size: repeated(b"[0.", b"1", b"]", size),
    "deep arrays": lambda size: b"[" * (size // 2) + b"]" * (size // 2),
    "deep objects": lambda size: repeated(b"", b'{"a":', b"1", size),
    "brackets without an end": lambda size: b"[" * size,
    "many keys": many_keys,
    "one key many times": lambda size: repeated(b'[{"a":1', b',"a":1', b"}]", size),
    "rows at fault": lambda size: repeated(b'[{"a":NaN}', b',{"a":NaN}', b"]", size),
    "long rows at fault": lambda size: repeated(
        b"[0", b',{"a":[' + b"[]," * 20_000 + b"NaN]}", b"]", size
    ),
    "tensors that are none": lambda size: repeated(b'{"inputs":[[]', b",[]", b",NaN]}", size),
    "many tensors": lambda size: repeated(
        b'{"inputs":[{}', b',{"name":"a","data":[]}', b"]}", size
    ),
    "a tensor of ones": lambda size: repeated(
        b'{"inputs":[{"name":"tenure","datatype":"INT64","shape":[9],"data":[1', b",1", b"]}]}", size
    ),
    "a tensor of empty arrays": lambda size: repeated(
        b'{"inputs":[{"name":"tenure","datatype":"INT64","shape":[9],"data":[1', b",[]", b"]}]}", size
    ),
}  # fmt: skip
"""Name -> the body of a given size."""
