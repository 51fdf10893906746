"""Customers and elements beyond what is allowed are refused without being looked at."""

import json

import pytest

from service.api import tensor_elements
from service.api.problems import ProblemError
from tests.service.api.test_open_inference import read, tensor


@pytest.mark.parametrize("count", [9, 10, 11])
def test_as_many_customers_as_allowed_are_taken_and_one_more_is_refused(count):
    body = json.dumps({"inputs": [tensor(shape=[count], data=["x"] * count)]}).encode()

    if count <= 10:
        assert read(body, None, 10)[1] == {"a": ["x"] * count}
        return
    with pytest.raises(ProblemError, match="hold 11 customers; 10 are allowed") as refused:
        read(body, None, 10)
    assert refused.value.status == 413


def test_no_element_is_counted_behind_one_too_many(monkeypatch):
    found = []

    class Noting:
        def finditer(self, text):
            for each in element.finditer(text):
                found.append(each[1])
                yield each

    element = tensor_elements._ELEMENT
    monkeypatch.setattr(tensor_elements, "_ELEMENT", Noting())

    with pytest.raises(ProblemError, match="has more elements"):
        read(json.dumps({"inputs": [tensor(data=list("abcdefgh"))]}).encode(), None, 10)

    assert len(found) == 3
