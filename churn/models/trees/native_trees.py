"""LightGBM trees through the library's C interface: no pandas, no start-up cost, no copies.

`import lightgbm` loads pandas and scikit-learn; the shared library in its folder needs neither.
"""

from __future__ import annotations

import ctypes
import struct
import sys
from collections.abc import Sequence
from functools import cache, cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from churn.errors import BundleError
from churn.features.encoding import Floats
from churn.models.trees.compiled_trees import CompiledContributions, CompiledTrees
from churn.models.trees.tree_contributions import TreeContributions
from churn.models.trees.tree_text import rows_around, trees_in

_FLOAT64 = 1
_RAW = 1
_CONTRIBUTIONS = 3
_ALL = -1
_PROBES = 16
_COMPILED_PROBES = 1000  # more than one block
_NEAR = 1e-9  # log-odds; a rounding error is a million times smaller
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
        text: LightGBM's text, as it was read.
        features: number of columns that the trees read.
    """

    def __init__(self, text: str) -> None:
        """Reads the trees.

        Raises:
            ValueError: the text is not a LightGBM model of one outcome.
            BundleError: LightGBM is not installed.
        """
        self.text = text
        self._compiled: CompiledTrees | None = None
        self._compiled_parts: CompiledContributions | None = None
        self._booster = _Handle("LGBM_BoosterFree")
        rounds, counted = ctypes.c_int(), ctypes.c_int()
        _call("LGBM_BoosterLoadModelFromString", text.encode(), rounds, self._booster.pointer)
        _call("LGBM_BoosterGetNumClasses", self._booster.pointer, counted)
        if counted.value != 1:
            raise ValueError(f"the trees predict {counted.value} outcomes, not one")
        _call("LGBM_BoosterGetNumFeature", self._booster.pointer, counted)
        self.features = counted.value

    def compile(self, *, contributions: bool = False) -> bool:
        """Compiles the trees for many rows, if that can be done and gives the very same bits.

        Args:
            contributions: whether contributions are compiled, too.

        Returns:
            Whether all is compiled: not without llvmlite, and not deeper trees or other splits.
        """
        try:
            read = trees_in(self.text)
            probes = rows_around(read, self.features, _COMPILED_PROBES)
            if self._compiled is None:
                compiled = CompiledTrees(read)
                if not np.array_equal(compiled(probes), self.logits(probes)):
                    return False
                self._compiled = compiled
            if contributions and self._compiled_parts is None and self.tables is not None:
                parts = CompiledContributions(read, self.tables)
                if not np.array_equal(parts(probes), self.tables.many(probes)):
                    return False
                self._compiled_parts = parts
        except (ValueError, KeyError, IndexError, ImportError, OSError, RuntimeError):
            # Deeper trees, splits of another kind, or llvmlite is missing or cannot work here.
            return False
        return not contributions or self._compiled_parts is not None

    def logits(self, matrix: Floats) -> Floats:
        """Log-odds float64[n] of n customers, from float64[n, features].

        Raises:
            ValueError: the matrix has another width.
        """
        if self._compiled is not None and self._may_look_at(matrix):
            return self._compiled(matrix)
        return self._predict(matrix, _RAW, 1)[:, 0]

    def contributions(self, matrix: Floats) -> Floats:
        """Exact Shapley values of n customers, float64[n, features].

        They come from `tables` where there are some, otherwise from the library.
        """
        if self._compiled_parts is not None and self._may_look_at(matrix):
            return self._compiled_parts(matrix)
        if self.tables is not None:
            return self.tables.many(matrix)
        return self.library_contributions(matrix)[:, :-1]

    def library_contributions(self, matrix: Floats) -> Floats:
        """The library's Shapley values with the base behind them, float64[n, features + 1]."""
        return self._predict(matrix, _CONTRIBUTIONS, self.features + 1)

    @cached_property
    def tables(self) -> TreeContributions | None:
        """The trees' contributions as tables; None for deeper trees.

        Computed at first use, and compared with the library's values.
        """
        try:
            read = trees_in(self.text)
            tables = TreeContributions(read, self.features)
        except (ValueError, KeyError, IndexError, ZeroDivisionError):
            # Deeper trees, splits of another kind, or a text that does not count its rows.
            return None
        probes = rows_around(read, self.features, _PROBES)
        expected = self.library_contributions(probes)[:, :-1]
        close = np.allclose(tables.many(probes), expected, rtol=0, atol=_NEAR)
        return tables if close else None

    def single_row_logit(self) -> SingleRow:
        """A call for the log-odds of one customer; for one thread."""
        return SingleRow(self._booster, self.features, _RAW, 1)

    def single_row_contributions(self) -> SingleRow:
        """A call for the library's Shapley values of one customer and the base; for one thread."""
        return SingleRow(self._booster, self.features, _CONTRIBUTIONS, self.features + 1)

    def _may_look_at(self, matrix: Floats) -> bool:
        """Whether compiled trees can read a matrix: they know no missing values."""
        return matrix.shape[1] == self.features and not np.isnan(matrix).any()

    def _predict(self, matrix: Floats, what: int, width: int) -> Floats:
        matrix = np.ascontiguousarray(matrix, dtype=np.float64)
        rows, columns = matrix.shape
        if columns != self.features:
            raise ValueError(f"the trees look at {self.features} columns, not at {columns}")
        result = np.empty((rows, width))
        length = ctypes.c_int64()
        arguments = (
            self._booster.pointer, matrix.ctypes.data, _FLOAT64, rows, columns, _ROW_MAJOR,
            what, 0, _ALL, _PARAMETERS, length, result.ctypes.data,
        )  # fmt: skip
        if rows:
            _call("LGBM_BoosterPredictForMat", *arguments)
        return result


class _Handle:
    """A handle of LightGBM's, freed when nothing refers to it any longer."""

    def __init__(self, free: str) -> None:
        self.pointer = ctypes.c_void_p()
        self._free = getattr(_library(), free)

    def __del__(self) -> None:
        if self.pointer.value:
            self._free(self.pointer)


class SingleRow:
    """LightGBM's fast call for one row, with buffers of its own: one for each thread.

    See `LGBM_BoosterPredictForMatSingleRowFastInit` in LightGBM's c_api.h.
    """

    def __init__(self, booster: _Handle, features: int, what: int, width: int) -> None:
        self._booster = booster  # the handle points into it, so it must outlive the handle
        self._config = _Handle("LGBM_FastConfigFree")
        arguments = (
            booster.pointer, what, 0, _ALL, _FLOAT64, features, _PARAMETERS, self._config.pointer
        )  # fmt: skip
        _call("LGBM_BoosterPredictForMatSingleRowFastInit", *arguments)
        self._predict = _single_row_call()
        self._pack = struct.Struct(f"{features}d").pack_into
        self._row = (ctypes.c_double * features)()
        self._result = (ctypes.c_double * width)()
        self._length = ctypes.c_int64()
        self._arguments = (
            self._config.pointer,
            ctypes.c_void_p(ctypes.addressof(self._row)),
            ctypes.c_void_p(ctypes.addressof(self._length)),
            ctypes.c_void_p(ctypes.addressof(self._result)),
        )

    def __call__(self, values: Sequence[float]) -> Any:
        """The result's buffer, valid until the next call."""
        self._pack(self._row, 0, *values)
        if self._predict(*self._arguments) != 0:
            raise ValueError("LightGBM refused a row")
        return self._result


def _call(name: str, *arguments: Any) -> None:
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
    """The single-row function, called without releasing the interpreter's lock.

    It takes microseconds; releasing the lock and winning it back under load takes longer.
    """
    call = ctypes.PyDLL(_path()).LGBM_BoosterPredictForMatSingleRowFast
    call.argtypes = _SIGNATURES["LGBM_BoosterPredictForMatSingleRowFast"]
    call.restype = ctypes.c_int
    return call
