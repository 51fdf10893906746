"""The loops over trees in machine code: built instruction by instruction, compiled by LLVM.

Customers go through the trees `AT_ONCE` side by side, and nothing branches on their values. LLVM may
rearrange no sum, so each keeps the bits that it has elsewhere. Both loops compile in a tenth of a
second. llvmlite is in the extra `batch`, and imported only here.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import numpy as np

AT_ONCE = 64
"""Customers side by side; arrays of customers hold whole blocks of them."""
SPLITS = 7
LEAVES = 8
PATTERNS = 128

Loop = Callable[..., None]


@cache
def leaves_loop() -> Loop:
    """Compiles what adds every tree's leaf to every customer's total.

    Its arguments: n and the number of trees, neither 0; rows float64[features, n]; columns
    int64[trees, 7] and cuts float64[trees, 7] of complete trees from the root down; leaves
    float64[trees, 8] from left to right; total float64[n].

    Raises:
        ImportError: llvmlite is not installed.
    """
    return _compiled(_add_leaves, sizes=2, arrays="fifff")


@cache
def contributions_loop() -> Loop:
    """Compiles what adds every tree's contributions to every customer's.

    Its arguments: n, the number of trees and k, none 0; rows float64[features, n]; columns
    int64[trees, 7] and cuts float64[trees, 7] of the splits by their numbers; how many columns each
    tree looks at int64[trees], not 0; which int64[trees, k]; what each adds for each pattern of
    splits that say "right" float64[trees, k, 128]; total float64[columns, n].

    Raises:
        ImportError: llvmlite is not installed.
    """
    return _compiled(_add_contributions, sizes=3, arrays="fifiiff")


def _add_leaves(code: Any, count: Any, trees: Any, *arrays: Any) -> None:
    rows, columns, cuts, leaves, total = arrays
    with _each(code, count, AT_ONCE) as start, _each(code, trees) as tree:
        left = [
            code.fcmp_ordered("<=", _column(code, rows, count, column, start), cut)
            for column, cut in _splits(code, tree, columns, cuts)
        ]
        values = [_same(code, leaves, each) for each in _inside(code, tree, LEAVES)]
        for first in (3, 1, 0):  # the splits of a level, from the leaves up to the root
            pairs = zip(values[::2], values[1::2], strict=True)
            values = [code.select(left[first + at], *pair) for at, pair in enumerate(pairs)]
        _add(code, total, start, values[0])


def _add_contributions(code: Any, count: Any, trees: Any, wide: Any, *arrays: Any) -> None:
    from llvmlite import ir

    rows, columns, cuts, used, slots, table, total = arrays
    whole = ir.VectorType(ir.IntType(64), AT_ONCE)
    kept = code.alloca(whole)
    with _each(code, count, AT_ONCE) as start, _each(code, trees) as tree:
        pattern = whole(None)
        for split, (column, cut) in enumerate(_splits(code, tree, columns, cuts)):
            right = code.fcmp_ordered(">", _column(code, rows, count, column, start), cut)
            bit = code.shl(code.zext(right, whole), whole([split] * AT_ONCE))
            pattern = code.or_(pattern, bit)
        code.store(pattern, kept)
        with _each(code, _whole(code, used, tree)) as at:
            slot = code.add(code.mul(tree, wide), at)
            own = _place(code, table, code.mul(slot, slot.type(PATTERNS)))
            where = code.add(code.mul(_whole(code, slots, slot), count), start)
            _add(code, total, where, _looked_up(code, own, code.load(kept, typ=whole)))


# What the loops are made of. `code` is an llvmlite.ir.IRBuilder; a place in an array is an index of 64 bits.


@contextmanager
def _each(code: Any, count: Any, step: int = 1) -> Iterator[Any]:
    """Repeats what is built inside for 0, step, ... below a count that is not 0."""
    from llvmlite import ir

    outside, inside = code.block, code.append_basic_block()
    code.branch(inside)
    code.position_at_end(inside)
    at = code.phi(ir.IntType(64))
    at.add_incoming(at.type(0), outside)
    yield at
    following = code.add(at, at.type(step))
    at.add_incoming(following, code.block)
    behind = code.append_basic_block()
    code.cbranch(code.icmp_unsigned("<", following, count), inside, behind)
    code.position_at_end(behind)


def _inside(code: Any, row: Any, width: int) -> list[Any]:
    """Indices of a row's values in an array of rows."""
    first = code.mul(row, row.type(width))
    return [code.add(first, row.type(at)) for at in range(width)]


def _splits(code: Any, tree: Any, columns: Any, cuts: Any) -> Iterator[tuple[Any, Any]]:
    """Each split's column, and its cut as often as there are customers side by side."""
    for at in _inside(code, tree, SPLITS):
        yield _whole(code, columns, at), _same(code, cuts, at)


def _column(code: Any, rows: Any, count: Any, column: Any, start: Any) -> Any:
    """A column's values of the customers from `start` on."""
    return _block(code, _place(code, rows, code.add(code.mul(column, count), start)))


def _add(code: Any, total: Any, at: Any, values: Any) -> None:
    place = _place(code, total, at)
    code.store(code.fadd(_block(code, place), values), place, align=8)


def _looked_up(code: Any, table: Any, places: Any) -> Any:
    """The table's value at each of the places."""
    from llvmlite import ir

    values, lane = ir.VectorType(ir.DoubleType(), AT_ONCE)(ir.Undefined), ir.IntType(32)
    for at in range(AT_ONCE):
        value = code.load(
            _place(code, table, code.extract_element(places, lane(at))), typ=ir.DoubleType()
        )
        values = code.insert_element(values, value, lane(at))
    return values


def _same(code: Any, array: Any, at: Any) -> Any:
    """One float64 of an array, as often as there are customers side by side."""
    from llvmlite import ir

    floats, lane = ir.VectorType(ir.DoubleType(), AT_ONCE), ir.IntType(32)
    value = code.load(_place(code, array, at), typ=ir.DoubleType())
    alone = code.insert_element(floats(ir.Undefined), value, lane(0))
    everywhere = ir.VectorType(lane, AT_ONCE)(None)
    return code.shuffle_vector(alone, floats(ir.Undefined), everywhere)


def _block(code: Any, place: Any) -> Any:
    from llvmlite import ir

    return code.load(place, typ=ir.VectorType(ir.DoubleType(), AT_ONCE), align=8)


def _whole(code: Any, array: Any, at: Any) -> Any:
    from llvmlite import ir

    return code.load(_place(code, array, at), typ=ir.IntType(64))


def _place(code: Any, array: Any, at: Any) -> Any:
    from llvmlite import ir

    return code.gep(array, [at], source_etype=ir.DoubleType())  # whole numbers have 8 bytes, too


def _compiled(build: Callable[..., None], *, sizes: int, arrays: str) -> Loop:
    """A function of some sizes and arrays; it checks the arrays' types, and holds no lock of Python.

    Args:
        build: builds its instructions.
        sizes: how many whole numbers it takes.
        arrays: the arrays behind them: `f` for float64, `i` for int64.
    """
    from llvmlite import binding, ir

    whole, place = ir.IntType(64), ir.PointerType()
    kind = ir.FunctionType(ir.VoidType(), [*[whole] * sizes, *[place] * len(arrays)])
    function = ir.Function(ir.Module(), kind, "loop")
    for array in function.args[sizes:]:
        array.add_attribute("noalias")
    code = ir.IRBuilder(function.append_basic_block())
    build(code, *function.args)
    code.ret_void()

    binding.initialize_native_target()
    binding.initialize_native_asmprinter()
    machine = binding.Target.from_default_triple().create_target_machine(
        cpu=binding.get_host_cpu_name(), features=binding.get_host_cpu_features().flatten()
    )
    engine = binding.create_mcjit_compiler(binding.parse_assembly(str(function.module)), machine)
    engine.finalize_object()
    types = {"f": np.float64, "i": np.int64}
    takes = [np.ctypeslib.ndpointer(types[each], flags="C_CONTIGUOUS") for each in arrays]
    call = ctypes.CFUNCTYPE(None, *[ctypes.c_int64] * sizes, *takes)
    loop: Any = call(engine.get_function_address("loop"))
    loop.engine = engine  # which owns the code
    return loop  # type: ignore[no-any-return]
