"""Hashes of ids: equal for equal texts wherever they stand, and different for different ones."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from churn.batch.fingerprints import text_hashes


def test_a_text_has_the_same_hash_alone_and_among_longer_ones():
    texts = ["", "7", "12345678", "0001-ABCDE", "Zo\u00eb", "x" * 200]
    together = text_hashes(pa.array(texts)).tolist()

    assert together == [text_hashes(pa.array([text]))[0] for text in texts]
    assert together[1:4] == text_hashes(pa.array(texts).slice(1, 3)).tolist()


def test_different_texts_have_different_hashes():
    texts = [
        f"{number:04d}-{number % 7}{tail}" for number in range(100_000) for tail in ("AB", "BA")
    ]
    swapped = ["abcdefgh12345678", "12345678abcdefgh", "abcdefgh", "abcdefghabcdefgh"]

    assert len(np.unique(text_hashes(pa.array([*texts, *swapped])))) == len(texts) + len(swapped)


def test_no_texts_have_no_hashes():
    assert text_hashes(pa.array([], pa.string())).tolist() == []
