"""A compiled program told to people: its passes over memory, what each computes, and why."""

from __future__ import annotations

from collections import Counter
from typing import Any

from ..backends.vocabulary import REDUCE, VOCABULARY
from .ir import INPUT, Value
from .plan import Kernel, Plan

# Why NumPy computes a primitive between native passes.
_REASONS = {
    "draw": "random numbers come from the generator that eager programs use",
    "sort": "sorting has no native form",
    "argsort": "sorting has no native form",
}


def told(plan: Plan, times: list[float | None], scratch: int, copies: list) -> str:
    """Returns the text; `times` has the seconds of each kernel, None where they are not known."""
    known = [each for each in times if each is not None]
    total = sum(known)
    lines = [
        f"{len(plan.kernels)} passes over memory, {total * 1e6:.1f} µs in native code, "
        f"{scratch / 1024:.0f} KiB of scratch memory"
    ]
    numbers = {kernel: i for i, kernel in enumerate(plan.kernels, 1)}
    homes = {made: kernel for kernel in plan.kernels for made in _made(kernel)}
    region = plan.region
    for i, (kernel, taken) in enumerate(zip(plan.kernels, times, strict=True), 1):
        if region is not None and kernel is region.kernels[0]:
            lines.append(
                f"passes {_span(numbers, region)} go through the batch together, in blocks"
            )
            lines.append(f"    of {region.block} rows whose values stay in the processor's cache:")
        time = "         " if taken is None else f"{taken * 1e6:6.2f} µs"
        lines.append(f"{i:3} {time}  {_work(kernel)}{_lines_of(kernel)}")
        why = _reason(kernel, homes, numbers)
        if why:
            lines.append(f"               {why}")
    if copies:
        some = "number is" if len(copies) == 1 else "values are"
        lines.append(
            f"    at the end {len(copies)} {some} put in place of the old, which were read"
        )
    return "\n".join(lines)


def _span(numbers: dict[Kernel, int], region: Any) -> str:
    found = [numbers[each] for each in region.kernels]
    return f"{min(found)} to {max(found)}"


def _made(kernel: Kernel) -> list[Value]:
    first = [each for each in (kernel.call, kernel.product) if each is not None]
    return [*first, *kernel.values, *kernel.reductions]


def _work(kernel: Kernel) -> str:
    """Returns what a pass computes."""
    size = " x ".join(map(str, kernel.space)) or "single numbers"
    inner = _names([*kernel.values, *kernel.reductions])
    if kernel.call is not None:
        return f"{kernel.call.name} of {size}, by NumPy: " + _REASONS.get(
            kernel.call.name, f"{kernel.call.name} has no native form for these operands"
        )
    if kernel.product is not None:
        what = "matrix product" if kernel.kind == "matmul" else "convolution"
        text = f"{what} of {size}"
        return f"{text}; while its results are in registers: {inner}" if inner else text
    if not inner:
        return f"copy of {size}" if kernel.scatter is None else f"scatter of {size} by index"
    over = f", reduced along dimension {', '.join(map(str, kernel.dims))}" if kernel.dims else ""
    return f"loop over {size}{over}: {inner}"


def _names(values: list[Value]) -> str:
    counts = Counter(each.name for each in values if each.number >= 0)
    return ", ".join(name if n == 1 else f"{name} ({n} times)" for name, n in counts.items())


def _lines_of(kernel: Kernel) -> str:
    places = list(dict.fromkeys(each.place for each in _made(kernel) if each.place))
    return f"   [{', '.join(places[:3])}{', ...' if len(places) > 3 else ''}]" if places else ""


def _reason(kernel: Kernel, homes: dict[Value, Kernel], numbers: dict[Kernel, int]) -> str:
    """Returns why a pass is not part of the one before it that makes what it reads."""
    if kernel.call is not None:
        return ""
    own = set(_made(kernel))
    read = [x for each in _made(kernel) for x in each.operands() if x not in own]
    read += [source for source, _ in kernel.stores]
    factors = [] if kernel.product is None else [_origin(x) for x in kernel.product.operands()]
    found = [(homes[o], o) for o in map(_origin, read) if homes.get(o, kernel) is not kernel]
    for home, origin in sorted(found, key=lambda pair: -numbers[pair[0]]):
        n = numbers[home]
        if origin in factors:
            return f"not part of pass {n}: a product reads each value of {origin.name} many times"
        if home.call is not None:
            return f"not part of pass {n}: NumPy gives {origin.name} as a whole"
        if VOCABULARY[origin.name].kind == REDUCE:
            return f"not part of pass {n}: it needs {origin.name} finished before it can begin"
        if kernel.picks:
            return f"not part of pass {n}: it looks {origin.name} up by index, in any order"
        if home.space != kernel.space:
            return f"not part of pass {n}: that runs over {list(home.space)}"
    return ""


def _origin(value: Value) -> Value:
    """Returns the value whose memory a movement shows."""
    while value.name in ("reshape", "permute", "expand", "getitem", "diagonal") and value.args:
        inner = value.args[0]
        if not isinstance(inner, Value) or inner.name == INPUT:
            break
        value = inner
    return value
