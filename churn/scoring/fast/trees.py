"""LightGBM trees through the library's C interface: no pandas, no start-up cost, no copies.

`import lightgbm` loads pandas and scikit-learn; the shared library in its folder needs neither.
One customer's score comes from masks of the leaves where trees are shallow. What these cannot do
goes through a single-row-fast handle; it has one buffer, so each thread has its own (LightGBM's
c_api.h, `LGBM_BoosterPredictForMatSingleRowFastInit`).
"""

from __future__ import annotations

import ctypes
import struct
import sys
import threading
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from churn.errors import BundleError
from churn.models.candidate import Floats
from churn.models.trees.tree_text import trees_in
from churn.scoring.encoder import Values
from churn.scoring.fast.leaf_masks import LeafMasks

_FLOAT64 = 1
_RAW = 1
_CONTRIBUTIONS = 3
_ALL = -1
_PROBES = 256
_ROW_MAJOR = 1
_PARAMETERS = b"num_threads=1 verbosity=-1"  # a thread pool costs one row five times its price
_NAMES = {"darwin": "lib_lightgbm.dylib", "win32": "lib_lightgbm.dll"}

_pointer = ctypes.c_void_p
_out_handle = ctypes.POINTER(ctypes.c_void_p)
_integer = ctypes.c_int
_SIGNATURES: dict[str, list[Any]] = {
    "LGBM_BoosterLoadModelFromString": [
        ctypes.c_char_p, ctypes.POINTER(_integer), _out_handle
    ],
    "LGBM_BoosterFree": [_pointer],
    "LGBM_BoosterGetNumFeature": [_pointer, ctypes.POINTER(_integer)],
    "LGBM_BoosterGetNumClasses": [_pointer, ctypes.POINTER(_integer)],
    "LGBM_BoosterPredictForMat": [
        _pointer, _pointer, _integer, ctypes.c_int32, ctypes.c_int32, _integer, _integer,
        _integer, _integer, ctypes.c_char_p, ctypes.POINTER(ctypes.c_int64), _pointer,
    ],
    "LGBM_BoosterPredictForMatSingleRowFastInit": [
        _pointer, _integer, _integer, _integer, _integer, ctypes.c_int32, ctypes.c_char_p,
        _out_handle,
    ],
    "LGBM_BoosterPredictForMatSingleRowFast": [_pointer, _pointer, _pointer, _pointer],
    "LGBM_FastConfigFree": [_pointer],
}  # fmt: skip


class NativeTrees:
    """Trees read from LightGBM's own text.

    Attributes:
        features: how many columns they look at.
    """

    def __init__(self, text: str) -> None:
        """Reads them.

        Raises:
            ValueError: the text is no LightGBM model of one outcome.
            BundleError: LightGBM is not installed.
        """
        self._booster = _Owned("LGBM_BoosterFree")
        self._threads = threading.local()
        rounds, counted = ctypes.c_int(), ctypes.c_int()
        _ask("LGBM_BoosterLoadModelFromString", text.encode(), rounds, self._booster.handle)
        _ask("LGBM_BoosterGetNumClasses", self._booster.handle, counted)
        if counted.value != 1:
            raise ValueError(f"the trees tell {counted.value} outcomes apart, not one")
        _ask("LGBM_BoosterGetNumFeature", self._booster.handle, counted)
        self.features = counted.value
        self._text = text
        self._masks = self._tried(text)

    def model_to_string(self) -> str:
        """LightGBM's text, as it was read."""
        return self._text

    def predict(
        self,
        matrix: Floats,
        *,
        raw_score: bool = False,
        pred_contrib: bool = False,
        num_threads: int = 1,
    ) -> Floats:
        """What `lightgbm.Booster.predict` gives, on one thread.

        Args:
            matrix: float64[n, features], C-contiguous.
            raw_score: asks for log-odds, float64[n].
            pred_contrib: asks for Shapley values and the base, float64[n, features + 1].
            num_threads: 1.

        Raises:
            ValueError: it is asked for anything else, or the matrix has another width.
        """
        if num_threads != 1 or raw_score == pred_contrib:
            raise ValueError("asks for either raw_score or pred_contrib, on one thread")
        matrix = np.ascontiguousarray(matrix, dtype=np.float64)
        rows, width = matrix.shape
        if width != self.features:
            raise ValueError(f"the trees look at {self.features} columns, not at {width}")
        wide = width + 1 if pred_contrib else 1
        found = np.empty((rows, wide))
        length = ctypes.c_int64()
        if rows:
            _ask(
                "LGBM_BoosterPredictForMat",
                self._booster.handle, matrix.ctypes.data, _FLOAT64, rows, width, _ROW_MAJOR,
                _CONTRIBUTIONS if pred_contrib else _RAW, 0, _ALL, _PARAMETERS, length,
                found.ctypes.data,
            )  # fmt: skip
        return found if pred_contrib else found[:, 0]

    def logit(self, values: Values) -> float:
        """One customer's log-odds, bit for bit those among many.

        Args:
            values: the trees' columns, all finite.
        """
        if self._masks is not None:
            return self._masks.logit(values)
        try:
            row = self._threads.logit
        except AttributeError:
            row = self._threads.logit = _Row(self._booster, self.features, _RAW, 1)
        answer: float = row(values)[0]
        return answer

    def logits(self, rows: Sequence[Values]) -> list[float]:
        """Many customers' log-odds, each the bits of a `logit` of its own.

        Args:
            rows: the trees' columns of each, all finite.
        """
        if self._masks is not None and rows:
            return self._masks.logits(rows)
        found: list[float] = self.predict(_matrix(rows, self.features), raw_score=True).tolist()
        return found

    def logits_changed(
        self,
        values: Values,
        changes: Sequence[Mapping[int, float]],
        places: Sequence[int],
    ) -> list[float]:
        """One customer's log-odds with some values changed, each the bits of a `logit` of its own.

        Args:
            values: the customer's, all finite.
            changes: for each copy of the customer, the new values by their places.
            places: where the trees' columns stand among the values.
        """
        if self._masks is not None and changes:
            return self._masks.logits_changed(values, changes, places)
        rows = [[change.get(place, values[place]) for place in places] for change in changes]
        found: list[float] = self.predict(_matrix(rows, self.features), raw_score=True).tolist()
        return found

    def contributions(self, values: Values) -> list[float]:
        """One customer's Shapley values as the library walks for them, without the base."""
        try:
            row = self._threads.contributions
        except AttributeError:
            row = _Row(self._booster, self.features, _CONTRIBUTIONS, self.features + 1)
            self._threads.contributions = row
        return list(row(values)[:-1])

    def _tried(self, text: str) -> LeafMasks | None:
        """The trees as masks, where these can be had and give the library's very bits."""
        try:
            masks = LeafMasks(trees_in(text), self.features)
        except (ValueError, KeyError, IndexError):  # deeper trees, or another release's text
            return None
        probes = masks.probes(_PROBES)
        expected = self.predict(probes, raw_score=True).tolist()
        one, *others = probes.tolist()
        alone = [masks.logit(row) for row in (one, *others)]
        together = masks.logits([one, *others])
        changes = [dict(enumerate(row)) for row in others]
        changed = masks.logits_changed(one, changes, range(self.features))
        return masks if alone == together == expected and changed == expected[1:] else None


def _matrix(rows: Sequence[Sequence[float]], width: int) -> Floats:
    """Customers as float64[n, width]; none of them are a matrix, too."""
    return np.array(rows, dtype=np.float64).reshape(len(rows), width)


class _Owned:
    """Something of LightGBM's that is freed when nobody holds it any longer."""

    def __init__(self, free: str) -> None:
        self.handle = ctypes.c_void_p()
        self._free = getattr(_library(), free)

    def __del__(self) -> None:
        if self.handle.value:
            self._free(self.handle)


class _Row:
    """One thread's way to the trees: a handle, a place for the row and one for the answer."""

    def __init__(self, booster: _Owned, features: int, what: int, wide: int) -> None:
        self._booster = booster  # what the handle points into outlives it
        self._config = _Owned("LGBM_FastConfigFree")
        _ask(
            "LGBM_BoosterPredictForMatSingleRowFastInit",
            booster.handle, what, 0, _ALL, _FLOAT64, features, _PARAMETERS, self._config.handle,
        )  # fmt: skip
        self._predict = _single_row_call()
        self._put = struct.Struct(f"{features}d").pack_into
        self._row = (ctypes.c_double * features)()
        self._answer = (ctypes.c_double * wide)()
        self._length = ctypes.c_int64()
        self._arguments = (
            self._config.handle,
            ctypes.c_void_p(ctypes.addressof(self._row)),
            ctypes.c_void_p(ctypes.addressof(self._length)),
            ctypes.c_void_p(ctypes.addressof(self._answer)),
        )

    def __call__(self, values: Values) -> Any:
        """The answer's buffer, good until the next call."""
        self._put(self._row, 0, *values)
        if self._predict(*self._arguments) != 0:
            raise ValueError("LightGBM refused a row")
        return self._answer


def _ask(name: str, *arguments: Any) -> None:
    if getattr(_library(), name)(*arguments) != 0:
        reason = _library().LGBM_GetLastError().decode(errors="replace")
        raise ValueError(f"LightGBM cannot read or use its trees ({reason})")


@cache
def _path() -> str:
    spec = find_spec("lightgbm")
    folders = list(spec.submodule_search_locations or []) if spec else []
    name = _NAMES.get(sys.platform, "lib_lightgbm.so")
    for folder in folders:
        for inner in ("lib", "bin", "."):
            path = Path(folder) / inner / name
            if path.is_file():
                return str(path)
    raise BundleError(
        "The bundle's model has LightGBM trees, but LightGBM is not installed here. Install "
        "lightgbm, or serve a bundle without trees."
    )


@cache
def _library() -> ctypes.CDLL:
    library = ctypes.CDLL(_path())
    for name, arguments in _SIGNATURES.items():
        function = getattr(library, name)
        function.argtypes, function.restype = arguments, ctypes.c_int
    library.LGBM_GetLastError.restype = ctypes.c_char_p
    return library


@cache
def _single_row_call() -> Any:
    """The same function, called without letting go of the interpreter.

    It takes microseconds; to hand the lock over and win it back under load takes longer.
    """
    call = ctypes.PyDLL(_path()).LGBM_BoosterPredictForMatSingleRowFast
    call.argtypes = _SIGNATURES["LGBM_BoosterPredictForMatSingleRowFast"]
    call.restype = ctypes.c_int
    return call
