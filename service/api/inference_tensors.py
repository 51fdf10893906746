"""Tensors of the Open Inference Protocol (V2): as JSON, or as raw bytes behind the JSON.

The second form is the protocol's extension for binary tensor data, which Triton's clients use by
default.
"""

from __future__ import annotations

import asyncio
import json
import re
from codecs import BOM_UTF8
from collections.abc import Mapping, Sequence
from math import prod
from typing import Any

import msgspec

from service.api.problems import ProblemError
from service.api.request_body import repeated_key, require_no_wrapper
from service.api.tensor_elements import (
    DATATYPES,
    LARGEST_FRAME,
    as_bytes,
    fault,
    not_json,
    read_bytes,
    read_json,
)
from service.core.json_keys import RepeatedKeyError, refuse_repeated_keys

JSON_LENGTH = "inference-header-content-length"
"""Header that says how many bytes of a body are JSON; raw tensors follow."""
_DIGITS = 19  # of a length in bytes; Python refuses to read thousands
_DATA_KEY = re.compile(rb'"data"\s*:\s*')


class _Data(msgspec.Struct):
    data: msgspec.Raw = msgspec.Raw(b"")


class _Inputs(msgspec.Struct):
    inputs: list[_Data]


_find_data = msgspec.json.Decoder(_Inputs).decode


async def read_request(
    body: bytes, json_length: str | None, limit: int
) -> tuple[Any, dict[str, Any]]:
    """Returns a request without its data, and its data by tensor.

    Args:
        body: the whole body.
        json_length: value of the header `Inference-Header-Content-Length`; None if it is missing.
        limit: customers at most.

    Raises:
        ProblemError: the request does not follow the protocol, or has too many customers.
    """
    size = len(body)
    if json_length is not None:
        is_number = json_length.isascii() and json_length.isdigit()
        if not is_number or len(json_length) > _DIGITS or int(json_length) > size:
            raise ProblemError(
                400, f"The header Inference-Header-Content-Length is no number up to {size:,}, the "
                "length of the body.",
            )  # fmt: skip
        size = int(json_length)
    content, data = _split(body[:size].removeprefix(BOM_UTF8))
    return content, await _columns(content["inputs"], data, body[size:], limit)


def write_tensors(
    columns: Mapping[str, tuple[str, Sequence[Any]]], binary: Mapping[str, bool]
) -> tuple[list[dict[str, Any]], bytes]:
    """Returns tensors, and the bytes of those that are to be binary.

    Args:
        columns: name -> datatype and elements.
        binary: name -> whether it is to be binary.
    """
    tensors, tail = [], b""
    for name, (datatype, values) in columns.items():
        tensor: dict[str, Any] = {"name": name, "datatype": datatype, "shape": [len(values)]}
        if binary[name]:
            raw = as_bytes(datatype, values)
            tensor["parameters"] = {"binary_data_size": len(raw)}
            tail += raw
        else:
            tensor["data"] = values
        tensors.append(tensor)
    return tensors, tail


def _split(body: bytes) -> tuple[Any, list[bytes]]:
    """Returns the JSON with every tensor's data left out, and the data, not decoded.

    Raises:
        ProblemError: it is no JSON object with tensors, or an object in it repeats a key.
    """
    if body.count(b"{") > LARGEST_FRAME:
        raise _frame_too_large()
    try:
        data = [bytes(each.data) for each in _find_data(body).inputs]
    except msgspec.ValidationError:
        require_no_wrapper(body, own="inputs")
        raise fault("inputs", "is no list of tensors in a JSON object") from None
    except (msgspec.DecodeError, RecursionError, ValueError):
        raise not_json(body) from None
    frame = _frame(body, data)
    try:
        return json.loads(frame, object_pairs_hook=refuse_repeated_keys), data
    except RepeatedKeyError as error:
        raise repeated_key(error.key) from None
    except (ValueError, RecursionError):
        raise not_json(frame) from None


def _frame(body: bytes, data: list[bytes]) -> bytes:
    """Returns the JSON without the data, each of which stands in it once and in this order."""
    frame, end = b"", 0
    for each in filter(None, data):
        keys = _DATA_KEY.finditer(body, end, end + LARGEST_FRAME - len(frame))
        # Looking for a long text would cost more than comparing it.
        place = next((key.end() for key in keys if body.startswith(each, key.end())), -1)
        if place < 0:
            raise _frame_too_large()
        frame, end = frame + body[end:place] + b"[]", place + len(each)
    frame += body[end : end + LARGEST_FRAME + 1]
    if len(frame) > LARGEST_FRAME:
        raise _frame_too_large()
    return frame


def _frame_too_large() -> ProblemError:
    return ProblemError(
        413, f"The request without its tensors' data is larger than {LARGEST_FRAME:,} bytes. Send "
        "the customers' fields alone.", field="inputs", allowed=f"{LARGEST_FRAME} bytes",
    )  # fmt: skip


async def _columns(inputs: Any, data: list[bytes], tail: bytes, limit: int) -> dict[str, Any]:
    if not inputs:
        raise fault("inputs", "has no tensor")
    columns: dict[str, list[Any]] = {}
    length, used = -1, 0
    for tensor, raw in zip(inputs, data, strict=True):
        await asyncio.sleep(0)  # a tensor takes milliseconds; others are answered in between
        name, datatype, size = _description(tensor, limit)
        if name in columns:
            raise fault(name, "appears among the inputs twice")
        if length not in (-1, size):
            raise fault(name, f"has {size:,} elements where others have {length:,}")
        length, width = size, tensor.get("parameters", {}).get("binary_data_size")
        if width is None:
            columns[name] = read_json(name, raw, size)
            continue
        if raw or type(width) is not int or not 0 <= width <= len(tail) - used:
            raise fault(
                name, "needs either data or a binary_data_size within what follows the JSON; the "
                "header Inference-Header-Content-Length says where that begins"
            )  # fmt: skip
        columns[name] = read_bytes(name, datatype, tail[used : used + width], size)
        used += width
    if used != len(tail):
        raise fault("inputs", f"leaves {len(tail) - used:,} bytes behind the JSON to no tensor")
    return columns


def _description(tensor: Any, limit: int) -> tuple[str, str, int]:
    """Returns name, datatype and number of elements."""
    name, shape, datatype = tensor.get("name"), tensor.get("shape"), tensor.get("datatype")
    if not isinstance(name, str):
        raise fault("inputs", "holds a tensor without a name")
    if not isinstance(datatype, str) or datatype not in DATATYPES:
        raise fault(name, f"has a datatype that is none of {', '.join(sorted(DATATYPES))}")
    valid = isinstance(shape, list) and all(type(size) is int and size >= 0 for size in shape)
    if not valid or not shape or prod(shape[1:]) != 1:
        raise fault(name, "has a shape that is not one element for each customer; give [customers]")
    parameters = tensor.setdefault("parameters", {})
    if not isinstance(parameters, dict):
        raise fault(name, "has parameters that are no object")
    if "shared_memory_region" in parameters:
        raise fault(name, "lies in shared memory, which is not read here. Send the data")
    if shape[0] > limit:
        raise ProblemError(
            413, f"The tensors hold {shape[0]:,} customers; {limit:,} are allowed at once.",
            field="inputs", allowed=f"{limit} elements",
        )  # fmt: skip
    return name, datatype, shape[0]
