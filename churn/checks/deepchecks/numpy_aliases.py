"""The numpy names that numpy 2 dropped and Deepchecks still uses.

Deepchecks 0.19.1 says `np.Inf` and `np.NINF` where numpy 2 has `np.inf` and
`-np.inf`, some of it in default arguments, so at import. This file can go with the first
Deepchecks that imports on numpy 2 by itself; nothing but `churn.checks.deepchecks.adapter` needs it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

ALIASES = {"Inf": np.inf, "PINF": np.inf, "NINF": -np.inf, "NaN": np.nan}
"""Old name -> its value."""


@contextmanager
def numpy_aliases() -> Iterator[None]:
    """Adds the missing names to numpy, and removes them at the end."""
    added = [name for name in ALIASES if not hasattr(np, name)]
    for name in added:
        setattr(np, name, ALIASES[name])
    try:
        yield
    finally:
        for name in added:
            delattr(np, name)
