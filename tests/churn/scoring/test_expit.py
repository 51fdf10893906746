"""Probabilities come from SciPy's own function, wherever a release of SciPy keeps it."""

from __future__ import annotations

from importlib.machinery import PathFinder

import numpy as np
import scipy.special

from churn.scoring import expit as module


def test_it_is_scipys_own_function():
    assert module.expit is scipy.special.expit


def test_a_release_that_keeps_it_elsewhere_gives_the_same(monkeypatch):
    monkeypatch.setattr(PathFinder, "find_spec", lambda *_: None)

    found = module._expit()

    logits = np.array([-1e9, -40.0, -0.5, 0.0, 0.5, 40.0, 1e9, np.nan])
    assert np.array_equal(found(logits), module.expit(logits), equal_nan=True)
