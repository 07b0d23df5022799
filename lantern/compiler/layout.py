"""Where Python keeps what objects are made of: found by trying, never taken for granted.

Native code may look into an object only where a trial with an object of that type has shown what
lies there. Where a trial fails, the way through Python is taken.
"""

from __future__ import annotations

import ctypes
import sys
import types
import weakref
from functools import cache
from typing import Any

from ..backends import default
from ..storage import Storage

NO_ARGUMENTS = 4  # METH_NOARGS
ARRAY_OF_ARGUMENTS = 0x80  # METH_FASTCALL
NAMED_ARGUMENTS = 2  # METH_KEYWORDS
HEAD = object.__basicsize__  # the count of references and the type come before all else

WORD = ctypes.sizeof(ctypes.c_size_t)
_word = ctypes.c_size_t.from_address


@cache
def known() -> bool:
    """Says whether native code can look into arrays and memory cells, and nobody else meanwhile."""
    locked = getattr(sys, "_is_gil_enabled", lambda: True)()
    probe: Any = object.__new__(Storage)
    typed = HEAD == 2 * WORD and _word(id(probe) + WORD).value == id(Storage)
    fields = field(Storage, "array"), field(Storage, "version")
    arrays = default().array_fields()
    return WORD == 8 and locked and typed and None not in fields and arrays is not None


@cache
def field(kind: type, name: str) -> int | None:
    """Returns where objects of a type keep a slot or a cell its content; None if not found."""
    mark = object()
    if kind is types.CellType:
        probe: Any = types.CellType(mark)
    else:
        probe = object.__new__(kind)
        setattr(probe, name, mark)
    places = range(HEAD, kind.__basicsize__, WORD)
    found = [place for place in places if _word(id(probe) + place).value == id(mark)]
    return found[0] if len(found) == 1 else None


def word(owner: Any, name: str, value: Any) -> tuple[int, int] | None:
    """Returns the address of a field and what it must hold; None where that cannot be told."""
    place = field(type(owner), name)
    if place is None or _word(id(owner) + place).value != id(value):
        return None
    return id(owner) + place, id(value)


@cache
def references() -> int | None:
    """Returns where objects keep the count of references to them; None if that is not plain."""
    probe = object.__new__(Storage)
    found = []
    for place in range(0, HEAD, WORD):
        count = ctypes.c_uint32.from_address(id(probe) + place)
        before = count.value
        more = [probe] * 5
        after = count.value
        del more
        if (before, after, count.value) == (1, 6, 1):
            found.append(place)
    return found[0] if len(found) == 1 else None


@cache
def weak_list(kind: type) -> int | None:
    """Returns where objects of a type keep their weak references; None if not found."""
    probe = object.__new__(kind)
    place = kind.__weakrefoffset__
    if not place:
        return None
    before = _word(id(probe) + place).value
    mark = weakref.ref(probe)
    found = before == 0 and _word(id(probe) + place).value == id(mark)
    del mark
    return place if found and _word(id(probe) + place).value == 0 else None


def words(values: list[int]) -> Any:
    """Returns words in memory."""
    return (ctypes.c_size_t * len(values))(*values)


_counting = ctypes.PYFUNCTYPE(None, ctypes.c_void_p)
_hold = _counting(("Py_IncRef", ctypes.pythonapi))
_drop = _counting(("Py_DecRef", ctypes.pythonapi))


def hold(address: int) -> None:
    """Takes a reference to an object, which native code may give back."""
    _hold(address)


def drop(address: int) -> None:
    """Gives a reference back; nothing to do for an address of zero."""
    _drop(address)


_thread_state = ctypes.PYFUNCTYPE(ctypes.c_void_p)(("PyThreadState_Get", ctypes.pythonapi))
_thread_number = ctypes.PYFUNCTYPE(ctypes.c_uint64, ctypes.c_void_p)(
    ("PyThreadState_GetID", ctypes.pythonapi)
)


def thread() -> int:
    """Returns the number of this thread, which no thread before it has had."""
    return _thread_number(_thread_state())


class _Definition(ctypes.Structure):
    """CPython's PyMethodDef."""

    _fields_ = (
        ("name", ctypes.c_char_p),
        ("address", ctypes.c_void_p),
        ("flags", ctypes.c_int),
        ("text", ctypes.c_char_p),
    )


@cache  # CPython reads them when a function goes, so they stay
def _definition(address: int, flags: int) -> _Definition:
    return _Definition(b"native", address, flags, None)


_function = ctypes.PYFUNCTYPE(ctypes.py_object, *[ctypes.c_void_p] * 3)(
    ("PyCFunction_NewEx", ctypes.pythonapi)
)


def function(address: int, flags: int, given: int = 0, kept: Any = None) -> Any:
    """Returns machine code as a Python function: the cheapest call there is.

    The code gets the number `given` as its first argument; `kept` lives as long as the function.
    """
    definition = _definition(address, flags)
    return _function(ctypes.addressof(definition), id(given), id(kept))
