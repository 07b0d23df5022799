"""Whole formulas over large arrays in one pass, by native kernels where there are any.

NumPy makes a pass over memory, and a new array, for each step of a formula. A kernel is compiled
for a block of fixed size, so that it serves arrays of any; what is left over goes through it in a
block of its own. Arrays smaller than `LEAST`, or not row-major, stay with NumPy.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from .. import dtypes
from . import NAMESPACES, native

LEAST = 1 << 16  # elements from which a kernel is worth its compilation
BLOCK = 1 << 15  # elements that a kernel takes at a time, about

PLAIN = frozenset({bool, int, float, str})  # settings that a formula can be recorded with


def one_pass(formula: Callable, operands: tuple, together: int, *settings: Any) -> Any:
    """Returns `formula(xp, *operands, *settings)`, an array or several.

    The formula computes row by row: rows are what the last `together` dimensions hold. Operands
    with as many dimensions as the first are cut into rows with it; others all rows share.
    """
    first = operands[0]
    if first.size >= LEAST and first.dtype.char in "fd" and PLAIN.issuperset(map(type, settings)):
        result = _by_blocks(formula, operands, first.ndim - together, settings)
        if result is not None:
            return result
    return formula(NAMESPACES[np.ndarray], *operands, *settings)


def _by_blocks(formula: Callable, operands: tuple, outer: int, settings: tuple) -> Any:
    first = operands[0]
    lead, kind = first.shape[:outer], first.dtype
    rows = math.prod(lead)
    count = max(1, BLOCK * rows // first.size)
    if count > rows or not outer:
        return None
    dtype = dtypes.float32 if kind.char == "f" else dtypes.float64
    cut, facts, arrays = [], [], []
    for each in operands:
        if not each.flags.c_contiguous or each.dtype is not kind:
            return None
        is_cut = each.ndim == first.ndim
        if is_cut and each.shape[:outer] != lead:
            return None
        cut.append(is_cut)
        arrays.append(each.reshape(rows, *each.shape[outer:]) if is_cut else each)
        facts.append(((count, *each.shape[outer:]) if is_cut else each.shape, dtype))
    found = native.find_formula(formula, tuple(facts), settings)
    if found is None:
        return None
    results = [np.empty((rows, *shape[1:]), kind) for shape in found.shapes]
    cut += [True] * len(results)
    _run(found.run, arrays + results, cut, rows, count)
    results = [each.reshape(*lead, *each.shape[1:]) for each in results]
    return results[0] if found.single else tuple(results)


def _run(run: Callable, arrays: list, cut: list, rows: int, count: int) -> None:
    """Hands a kernel `count` rows at a time; the last few lie in a block of their own."""
    pairs = list(zip(cut, arrays, strict=True))
    left = rows % count
    for start in range(0, rows - left, count):
        run([each[start : start + count] if c else each for c, each in pairs])
    if left:
        whole = [np.zeros((count, *x.shape[1:]), x.dtype) if c else x for c, x in pairs]
        for block, (c, each) in zip(whole, pairs, strict=True):
            if c:
                block[:left] = each[rows - left :]
        run(whole)
        for block, (c, each) in zip(whole, pairs, strict=True):
            if c:
                each[rows - left :] = block[:left]
