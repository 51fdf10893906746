"""A key that stands twice in one object of JSON is found, however it is written."""

import json

import pytest

from service.core.json_keys import find_repeated_key


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("{}", None),
        ('{"a":1,"b":2}', None),
        ('{"a":1,"b":2,"a":1}', "a"),
        ('{"a":1,"\\u0061":2}', "a"),
        ('{"a" : 1, "b": 2, "b" :3}', "b"),
        ('{"":1,"":2}', ""),
        ('{"a":"x:y","b":":"}', None),
        ('{"a":"x:y","b":":","a":2}', "a"),
        ('{"a":":","a":":"}', "a"),
        ('{"a":{"b":1,"b":2}}', "b"),
        ('{"a":{"a":1},"b":[{"a":2}]}', None),
        ('{"a":[{"b":1},{"b":1,"c":2,"b":3}]}', "b"),
        ('[{"a":1},{"a":1}]', None),
        ('[{"a":1,"a":1}]', "a"),
        ('{"a":1,"a":' + "9" * 5000 + "}", "a"),
        ('"a:b"', None),
        ("7", None),
    ],
)
def test_a_repeated_key_is_found(text, key):
    content = json.loads(text, parse_int=float)

    assert find_repeated_key(text.encode(), content) == key
