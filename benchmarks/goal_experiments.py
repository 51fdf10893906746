"""Planned looks seldom find what is not there, and a return's interval holds what campaigns earn."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from benchmarks.evidence_experiments import LOOKS, TESTS, coverage, false_findings
from benchmarks.goals import Figure
from benchmarks.trainings import Trainings
from churn.experiments.sequential import equal_information, lan_demets

FALSE_LIMIT = 5.5
MISSED_LIMIT = 7.0
_SEED = 7
_RATE, _HOLDOUT, _TREATED = 0.265, 842, 842


def measure(trainings: Trainings) -> Iterator[Figure]:
    """False findings of A/A experiments, and campaigns outside their interval."""
    del trainings  # simulations train nothing
    rng = np.random.default_rng(_SEED)
    bounds = lan_demets(equal_information(LOOKS)).tolist()
    false = 100 * false_findings(rng, bounds, _RATE, _HOLDOUT, _TREATED)
    how = f"{TESTS:,} experiments, {LOOKS} looks with {_HOLDOUT:,} more customers an arm at each"
    yield Figure("A/A experiments that find something", FALSE_LIMIT, "%", (false,), how)
    known = coverage(rng, "truth drawn from the playbook", 1.0)
    half = coverage(rng, "offers keep half of it", 0.5)
    how = (
        f"{known.campaigns} campaigns whose truth the playbook's assumptions draw; "
        f"{1 - half.covered:.1%} where offers keep half of what is assumed"
    )
    missed = 100 * (1 - known.covered)
    yield Figure("campaigns outside the 95% interval", MISSED_LIMIT, "%", (missed,), how)
