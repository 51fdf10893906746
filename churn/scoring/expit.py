"""SciPy's `expit` without the rest of `scipy.special`, whose import takes longer than to score 100,000 customers.

The function lies in a library of its own, which loads in a millisecond. It is the very same function,
so probabilities have the bits that SciPy gives everywhere else.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.machinery import PathFinder
from importlib.util import find_spec, module_from_spec
from typing import Any

_LIBRARY = "scipy.special._special_ufuncs"


def _expit() -> Callable[..., Any]:
    package = find_spec("scipy")
    folders = package.submodule_search_locations if package else None
    spec = PathFinder.find_spec(_LIBRARY, [f"{folder}/special" for folder in folders or ()])
    if spec is not None and spec.loader is not None:
        library = module_from_spec(spec)
        spec.loader.exec_module(library)
        if hasattr(library, "expit"):
            found: Callable[..., Any] = library.expit
            return found
    from scipy.special import expit  # another release of SciPy has it elsewhere

    return expit


expit = _expit()
