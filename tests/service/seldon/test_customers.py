"""Tables, documents and tensors mean the same customers, and what is none is refused in a sentence."""

import numpy as np
import pytest

from churn.errors import InputError
from churn.scoring import Scorer
from service.seldon import customers
from service.seldon.customers import score_document, score_rows, score_table, score_tensors
from service.seldon.seldon_message import require_customers


@pytest.fixture(scope="module")
def scorer(shop):
    return Scorer.load(shop.store)


def test_every_way_in_gives_the_same_bits(shop, scorer):
    names = list(shop.rows[0])
    raw = np.array([[row[name] for name in names] for row in shop.rows], dtype=object)
    codes = np.column_stack([shop.codes[name] for name in names]).astype(np.float64)
    tensors = {name: [row[name] for row in shop.rows] for name in names}

    results = [
        score_document(scorer, shop.rows),
        score_table(scorer, raw, names),
        score_table(scorer, codes, names),
        score_tensors(scorer, tensors),
    ]

    for scores in results:
        assert np.array_equal(scores.probability, shop.expected["7"])
        assert np.array_equal(scores.decision, shop.expected["7"] >= 0.31)
        assert scores.version == "7"


def test_a_customer_alone_gets_the_bits_it_gets_among_others(shop, scorer):
    alone = [score_document(scorer, row).probability[0] for row in shop.rows[:50]]
    assert np.array_equal(alone, shop.expected["7"][:50])


def test_texts_in_bytes_and_flags_as_doubles_are_what_they_stand_for(shop, scorer):
    row = shop.rows[20]
    tensors = {
        name: [value.encode() if isinstance(value, str) else float(value)]
        for name, value in row.items()
    }
    assert score_tensors(scorer, tensors).probability[0] == shop.expected["7"][20]
    texts = row | {"SeniorCitizen": f"{row['SeniorCitizen']}.0"}
    assert score_document(scorer, texts).probability[0] == shop.expected["7"][20]


@pytest.mark.parametrize("value", [0.5, float("nan"), float("inf"), "Yes", "0.5", "0.0.0"])
def test_a_flag_that_is_neither_is_refused(shop, scorer, value):
    with pytest.raises(InputError, match=r"Field 'SeniorCitizen': .* is not one of 0, 1\."):
        score_document(scorer, shop.rows[0] | {"SeniorCitizen": value})


def test_a_code_that_is_none_is_refused_with_its_row(shop, scorer):
    names = list(shop.codes)
    codes = np.column_stack([shop.codes[name] for name in names]).astype(np.float64)
    codes[3, names.index("Contract")] = 3.0
    with pytest.raises(InputError, match=r"Column 'Contract' row 4: code 3 is none of its 3"):
        score_table(scorer, codes, names)
    with pytest.raises(InputError, match="Column 'Churn' is not a feature of contract 'telco'"):
        score_table(scorer, codes[:, :1], ["Churn"])


@pytest.mark.parametrize("document", [[], None, 3, "x", [3], [[1]], [{}, 3]])
def test_a_document_without_customers_is_refused(scorer, document):
    with pytest.raises(InputError, match=r"has no customer|is not an object|are missing"):
        score_document(scorer, document)


def test_more_customers_than_a_request_may_bring_are_refused(shop, scorer, monkeypatch):
    monkeypatch.setattr(customers, "MOST_CUSTOMERS", 3)
    assert len(score_document(scorer, shop.rows[:3]).probability) == 3
    with pytest.raises(InputError, match="has 4 customers; at most 3 are allowed"):
        score_document(scorer, shop.rows[:4])
    with pytest.raises(InputError, match="has 4 customers"):
        score_tensors(scorer, {name: [1] * 4 for name in shop.rows[0]})


def test_tensors_of_unlike_length_or_of_no_text_are_refused(shop, scorer):
    tensors = {name: [value] for name, value in shop.rows[0].items()}
    with pytest.raises(
        InputError, match=r"'tenure' has 2 values|has 1 values where 'tenure' has 2"
    ):
        score_tensors(scorer, tensors | {"tenure": [1, 2]})
    with pytest.raises(InputError, match="Input 'gender' holds bytes that are not UTF-8"):
        score_tensors(scorer, tensors | {"gender": [b"\xff"]})
    with pytest.raises(InputError, match="has no customer"):
        score_tensors(scorer, {})


@pytest.mark.parametrize(
    "message",
    [
        {"jsonData": {}},
        {"data": {"names": ["a", "b"], "ndarray": [[1, "x"], [None, 2]]}},
        {"data": {"names": ["a", "b"], "tensor": {"shape": [2, 2], "values": [1, 2, 3, 4.5]}}},
    ],
)
def test_an_envelope_with_customers_is_let_through(message):
    require_customers(message)


@pytest.mark.parametrize(
    ("message", "sentence"),
    [
        ([], "is not an object"),
        ({"data": None, "jsonData": {}}, "has no customers"),
        ({"data": {"names": "ab", "ndarray": []}}, "has no names"),
        ({"data": {"names": [1], "ndarray": []}}, "has no names"),
        ({"data": {"names": ["a"], "tftensor": {}}}, "has no customers"),
        ({"data": {"names": ["a"], "ndarray": {"a": 1}}}, "is not a list"),
        ({"data": {"names": ["a"], "ndarray": [[1], 2]}}, "Row 2 of ndarray is not a list"),
        ({"data": {"names": ["a"], "ndarray": [[1], [1, 2]]}}, "Row 2 has 2 values and 1"),
        ({"data": {"names": ["a"], "ndarray": [[{}]]}}, "holds a list or an object"),
        ({"data": {"names": ["a"], "tensor": None}}, "not a table of numbers"),
        ({"data": {"names": ["a"], "tensor": {"shape": [1], "values": [1]}}}, "not a table"),
        ({"data": {"names": ["a"], "tensor": {"shape": [2, 1], "values": [1]}}}, "not a table"),
        ({"data": {"names": ["a"], "tensor": {"shape": [1, 1], "values": ["1"]}}}, "not a table"),
        ({"data": {"names": ["a"], "tensor": {"shape": [1, 2], "values": [1, 2]}}}, "2 values"),
    ],
)
def test_an_envelope_without_customers_is_refused_in_a_sentence(message, sentence):
    with pytest.raises(InputError) as error:
        require_customers(message)
    assert sentence in str(error.value)


def test_a_missing_field_is_named_as_missing(shop, scorer):
    row = {name: value for name, value in shop.rows[0].items() if name != "gender"}

    with pytest.raises(InputError, match="Field 'gender' is missing"):
        score_rows(scorer, [row])
