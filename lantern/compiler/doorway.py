"""The function that Python calls for a whole step: it asks, takes arrays, computes, gives results.

What must still hold is a list of words in memory and what each must be: the fields of objects that
a record depends on. The function compares them, looks into the arrays it is given as NumPy lays
them out, runs the code and copies results into arrays made by the caller. All of that happens
without a Python instruction between, so no lock is needed. Where objects are not laid out as
expected (that is tried out once) there is no such function.
"""

from __future__ import annotations

import ctypes
import types
from functools import cache
from typing import Any, NamedTuple

from ..backends import default

_word = ctypes.c_size_t.from_address
HEAD = object.__basicsize__


class Result(NamedTuple):
    """An output as it lies in memory: the slot of the pointer table, the offset, its bytes."""

    slot: int
    offset: int
    size: int


class Argument(NamedTuple):
    """An input that comes with each call: the slot it goes to, its shape and bytes per element."""

    slot: int
    shape: tuple[int, ...]
    item: int


@cache
def field(kind: type, name: str) -> int | None:
    """Returns where objects of a type keep a slot or a cell its content; None if not found."""
    mark = object()
    if kind is types.CellType:
        probe: Any = types.CellType(mark)
    else:
        probe = object.__new__(kind)
        setattr(probe, name, mark)
    places = range(HEAD, kind.__basicsize__, ctypes.sizeof(ctypes.c_size_t))
    found = [place for place in places if _word(id(probe) + place).value == id(mark)]
    return found[0] if len(found) == 1 else None


def word(owner: Any, name: str, value: Any) -> tuple[int, int] | None:
    """Returns the address of a field and what it must hold; None where that cannot be told."""
    place = field(type(owner), name)
    if place is None or _word(id(owner) + place).value != id(value):
        return None
    return id(owner) + place, id(value)


def text(arguments: list[Argument], results: list[Result] | None) -> str:
    """Returns the function as LLVM assembly; it answers True, or None where something differs.

    Without `results` it checks and takes the arguments, and leaves the rest to its caller.
    """
    fields = default().array_fields()
    lines = [_GUARDS.replace("COUNT", str(len(arguments) + 1))]
    for n, each in enumerate(arguments):
        lines.append(_argument(n, each, fields))
    for n, each in enumerate(arguments):
        lines.append(
            f"  %to{n} = getelementptr ptr, ptr @table, i64 {each.slot}\n"
            f"  store ptr %data{n}, ptr %to{n}"
        )
    if results is not None:
        lines.append(_RUN)
    for n, each in enumerate(results or (), len(arguments)):
        lines.append(_RESULT.format(n=n, data=fields.data, **each._asdict()))
    lines.append("  br label %given" if results is None else _COUNT)
    return "\n".join([*lines, _ANSWERS])


def _argument(n: int, each: Argument, fields: Any) -> str:
    lines = [_TYPE.format(n=n)]
    facts = [("i32", fields.ndim, len(each.shape), "")]
    facts.append(("ptr", fields.dtype, f"%descr{n}", ""))
    step = each.item
    for d in reversed(range(len(each.shape))):
        facts.append(("i64", fields.shape, each.shape[d], d))
        if each.shape[d] != 1 and 0 not in each.shape:
            facts.append(("i64", fields.strides, step, d))
        step *= each.shape[d]
    lines.append(f"  %k{n} = getelementptr ptr, ptr @kinds, i64 {n + 1}")
    lines.append(f"  %descr{n} = load ptr, ptr %k{n}")
    for i, (element, place, wanted, d) in enumerate(facts):
        at = f"%f{n}.{i}"
        lines.append(f"  {at} = getelementptr i8, ptr %array{n}, i64 {place}")
        if d != "":
            lines.append(f"  {at}.all = load ptr, ptr {at}")
            lines.append(f"  {at}.one = getelementptr i64, ptr {at}.all, i64 {d}")
        source = f"{at}.one" if d != "" else at
        lines.append(f"  {at}.is = load {element}, ptr {source}")
        lines.append(f"  {at}.good = icmp eq {element} {at}.is, {wanted}")
        lines.append(f"  br i1 {at}.good, label %on{n}.{i}, label %miss\non{n}.{i}:")
    size = each.item
    for extent in each.shape:
        size *= extent
    lines.append(_RANGES.format(n=n, data=fields.data, size=max(size, 1), slot=each.slot))
    return "\n".join(lines)


# Compares words in memory with what they must hold, up to an address of zero.
_GUARDS = """
@guards = global ptr null
@ranges = global ptr null
@counts = global ptr null
@kinds = global [COUNT x ptr] zeroinitializer
define ptr @door(ptr %self, ptr %args, i64 %count) {
  %list = load ptr, ptr @guards
  br label %guard
guard:
  %at = phi ptr [%list, %0], [%next, %compare]
  %where = load ptr, ptr %at
  %end = icmp eq ptr %where, null
  br i1 %end, label %pass, label %compare
compare:
  %is = load ptr, ptr %where
  %second = getelementptr ptr, ptr %at, i64 1
  %must = load ptr, ptr %second
  %next = getelementptr ptr, ptr %at, i64 2
  %good = icmp eq ptr %is, %must
  br i1 %good, label %guard, label %miss
pass:"""

_TYPE = """
  %a{n} = getelementptr ptr, ptr %args, i64 {n}
  %array{n} = load ptr, ptr %a{n}
  %t{n} = getelementptr ptr, ptr %array{n}, i64 1
  %type{n} = load ptr, ptr %t{n}
  %wanted{n} = load ptr, ptr @kinds
  %right{n} = icmp eq ptr %type{n}, %wanted{n}
  br i1 %right{n}, label %is{n}, label %miss
is{n}:"""

# An array of other memory than last time must not meet what the code writes.
_RANGES = """
  %d{n} = getelementptr i8, ptr %array{n}, i64 {data}
  %data{n} = load ptr, ptr %d{n}
  %h{n} = getelementptr ptr, ptr @table, i64 {slot}
  %had{n} = load ptr, ptr %h{n}
  %same{n} = icmp eq ptr %data{n}, %had{n}
  %low{n} = ptrtoint ptr %data{n} to i64
  %high{n} = add i64 %low{n}, {size}
  %spans{n} = load ptr, ptr @ranges
  br label %ready{n}
ready{n}:
  br i1 %same{n}, label %clear{n}, label %span{n}
span{n}:
  %p{n} = phi ptr [%spans{n}, %ready{n}], [%q{n}, %meet{n}]
  %from{n} = load i64, ptr %p{n}
  %o{n} = getelementptr i64, ptr %p{n}, i64 1
  %to{n}.end = load i64, ptr %o{n}
  %last{n} = icmp eq i64 %to{n}.end, 0
  br i1 %last{n}, label %clear{n}, label %meet{n}
meet{n}:
  %q{n} = getelementptr i64, ptr %p{n}, i64 2
  %before{n} = icmp ult i64 %low{n}, %to{n}.end
  %after{n} = icmp ult i64 %from{n}, %high{n}
  %both{n} = and i1 %before{n}, %after{n}
  br i1 %both{n}, label %miss, label %span{n}
clear{n}:"""

_RESULT = """
  %r{n} = getelementptr ptr, ptr %args, i64 {n}
  %out{n} = load ptr, ptr %r{n}
  %s{n} = getelementptr i8, ptr %out{n}, i64 {data}
  %target{n} = load ptr, ptr %s{n}
  %m{n} = getelementptr ptr, ptr @table, i64 {slot}
  %base{n} = load ptr, ptr %m{n}
  %source{n} = getelementptr i8, ptr %base{n}, i64 {offset}
  call void @llvm.memcpy.p0.p0.i64(ptr %target{n}, ptr %source{n}, i64 {size}, i1 false)"""

_RUN = """
  call void @segment0()
  %mark = load i64, ptr @error
  %failed = icmp ne i64 %mark, 0
  br i1 %failed, label %miss, label %give
give:"""

# Raises the whole numbers in a list of fields by one. Those of one run are often one object.
_COUNT = """
  %fields = load ptr, ptr @counts
  %p.as = getelementptr ptr, ptr @python, i64 4
  %as = load ptr, ptr %p.as
  %p.of = getelementptr ptr, ptr @python, i64 5
  %of = load ptr, ptr %p.of
  %p.keep = getelementptr ptr, ptr @python, i64 1
  %keep = load ptr, ptr %p.keep
  %p.drop = getelementptr ptr, ptr @python, i64 3
  %drop = load ptr, ptr %p.drop
  br label %field
field:
  %c = phi ptr [%fields, %give], [%c.next, %put]
  %old.last = phi ptr [null, %give], [%old, %put]
  %new.last = phi ptr [null, %give], [%new, %put]
  %spot = load ptr, ptr %c
  %over = icmp eq ptr %spot, null
  br i1 %over, label %given, label %raise
raise:
  %old = load ptr, ptr %spot
  %known = icmp eq ptr %old, %old.last
  br i1 %known, label %again, label %make
again:
  call void %keep(ptr %new.last)
  br label %put
make:
  %number = call i64 %as(ptr %old)
  %higher = add i64 %number, 1
  %made = call ptr %of(i64 %higher)
  br label %put
put:
  %new = phi ptr [%new.last, %again], [%made, %make]
  store ptr %new, ptr %spot
  call void %drop(ptr %old)
  %c.next = getelementptr ptr, ptr %c, i64 1
  br label %field"""

_ANSWERS = """
given:
  br label %done
miss:
  br label %done
done:
  %which = phi i64 [0, %miss], [2, %given]
  %from = getelementptr ptr, ptr @python, i64 %which
  %object = load ptr, ptr %from
  %h = getelementptr ptr, ptr @python, i64 1
  %hold = load ptr, ptr %h
  call void %hold(ptr %object)
  ret ptr %object
}
"""
