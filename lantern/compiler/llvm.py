"""Prints kernels as LLVM assembly; nothing here knows what they compute.

The text holds one function per kernel and one per segment, a run of kernels between two calls of
the NumPy backend. Addresses come from the global `@table`, which the runtime fills in, so that
compiled code can be kept on disk.
"""

from __future__ import annotations

from .builder import Function
from .pool import STATE
from .printer import Printer

PYTHON_ENTRY = """
define ptr @call{n}(ptr %self, ptr %args) {{
  call void @segment{n}()
  %none = load ptr, ptr @python
  %hold = load ptr, ptr getelementptr (ptr, ptr @python, i64 1)
  call void %hold(ptr %none)
  ret ptr %none
}}
"""


def module(
    functions: list[Function],
    segments: list[list[str]],
    slots: int,
    checks: frozenset[str],
) -> str:
    """Returns the text of a module with a function per segment and one to call it from Python.

    A segment ends early after a kernel in `checks` that has met an error.
    """
    declarations: dict[str, None] = {}
    parts = [_function(each, declarations) for each in functions]
    shared = {each.name for each in functions if each.parts > 1}
    if shared:
        parts.append(_SHARED)
    calls = {each.name: _calls(each) for each in functions}
    for n, names in enumerate(segments):
        parts.append(_segment(n, names, checks, calls, not shared.isdisjoint(names)))
        parts.append(PYTHON_ENTRY.format(n=n))
    head = [
        f"@table = global [{max(slots, 1)} x ptr] zeroinitializer",
        "@python = global [2 x ptr] zeroinitializer",
        "@error = global i64 0",
        "@stamp = global i64 0",
        "@busy = global i64 0",
        "declare void @llvm.memcpy.p0.p0.i64(ptr, ptr, i64, i1 immarg)",
        *declarations,
    ]
    return "\n".join([*head, "", *parts])


def _function(function: Function, declarations: dict[str, None]) -> str:
    """Returns a kernel; one with parts of two sizes is two, and a third that chooses.

    Kernels that share code are the addresses that it starts from, beside the code of the first.
    """
    name, rest = function.name, function.rest
    both = [function] if rest is None else [function, rest]
    if not (function.base or function).shared:
        if rest is None:
            return Printer(function, declarations).text(name)
        bodies = [
            Printer(each, declarations).text(f"{name}.{part}")
            for each, part in zip(both, ("whole", "rest"), strict=True)
        ]
        return "".join(bodies) + _CHOICE.format(name=name, larger=function.larger)
    pointers = [pair for each in both for pair in each.pointers]
    numbers = ", ".join(f"i64 {each}" for pair in pointers for each in pair)
    places = f"@{name}.places = internal constant [{2 * len(pointers)} x i64] [{numbers}]\n"
    if function.base is not None:
        return places
    bodies = [Printer(each, declarations).text(f"{each.name}.body") for each in both]
    if function.parts > 1:
        facts = {"larger": function.larger, "count": 2 * len(function.pointers)}
        choice = "" if rest is None else _GIVEN_CHOICE.format(rest=rest.name, **facts)
        bodies.append(_GIVEN.format(name=name, choice=choice))
    return places + "".join(bodies)


def _calls(function: Function) -> list[str]:
    """Returns the lines that run a kernel."""
    base, name = function.base or function, function.name
    if function.parts <= 1:
        rest = f".body(i64 0, ptr @{name}.places)" if base.shared else "(i64 0)"
        return [f"call void @{base.name}{rest}"]
    lines = [f"store ptr @{name}.places, ptr @given"] if base.shared else []
    return [*lines, f"call void @share(ptr @{base.name}, i64 {function.parts})"]


_CHOICE = """define internal void @{name}(i64 %part) {{
  %small = icmp uge i64 %part, {larger}
  br i1 %small, label %rest, label %whole
rest:
  call void @{name}.rest(i64 %part)
  ret void
whole:
  call void @{name}.whole(i64 %part)
  ret void
}}
"""

# The addresses that shared code starts from lie in `@given` until all parts are done.
_GIVEN = """define internal void @{name}(i64 %part) {{
  %places = load ptr, ptr @given
{choice}  call void @{name}.body(i64 %part, ptr %places)
  ret void
}}
"""
_GIVEN_CHOICE = """  %small = icmp uge i64 %part, {larger}
  br i1 %small, label %rest, label %whole
rest:
  %others = getelementptr i64, ptr %places, i64 {count}
  call void @{rest}.body(i64 %part, ptr %others)
  ret void
whole:
"""

# Runs all parts of a kernel, with the helpers of `pool.py` where there are some.
_SHARED = """@pool = global [3 x ptr] zeroinitializer
@given = internal global ptr null
define internal void @share(ptr %f, i64 %parts) {
entry:
  %helper = load ptr, ptr @pool
  %none = icmp eq ptr %helper, null
  br i1 %none, label %serial, label %helped
serial:
  %i = phi i64 [0, %entry], [%next, %serial]
  call void %f(i64 %i)
  %next = add i64 %i, 1
  %more = icmp ult i64 %next, %parts
  br i1 %more, label %serial, label %end
helped:
  call void %helper(ptr %f, i64 %parts)
  br label %end
end:
  ret void
}
define internal void @mark(ptr %state, i64 %which) {
  %place = getelementptr ptr, ptr @pool, i64 %which
  %helper = load ptr, ptr %place
  %none = icmp eq ptr %helper, null
  br i1 %none, label %end, label %call
call:
  call void %helper(ptr %state)
  br label %end
end:
  ret void
}
"""


def _segment(
    number: int, names: list[str], checks: frozenset[str], calls: dict[str, list[str]], timed: bool
) -> str:
    lines = [f"define void @segment{number}() {{"]
    if timed:
        lines.insert(0, f"@state{number} = global {STATE}")
        lines.append(f"  call void @mark(ptr @state{number}, i64 1)")
    for i, name in enumerate(names):
        lines += [f"  {each}" for each in calls[name]]
        if name in checks:
            lines.append(f"  %e{i} = load i64, ptr @error")
            lines.append(f"  %bad{i} = icmp ne i64 %e{i}, 0")
            lines.append(f"  br i1 %bad{i}, label %end, label %on{i}")
            lines.append(f"on{i}:")
    lines += ["  br label %end", "end:"]
    if timed:
        lines.append(f"  call void @mark(ptr @state{number}, i64 2)")
    lines += ["  ret void", "}", ""]
    return "\n".join(lines)
