"""The loops of a kernel as data: instructions in single assignment, and loops that carry values.

`Function` offers what `scalar.py`, `loops.py` and `matmul.py` write with. Operands are names of
earlier results or Python numbers; each instruction works on `lanes` elements at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from .. import dtypes
from .scalar import ELEMENT


class Instruction:
    """One operation: the name of its result, what it does, the element type and lanes, operands."""

    __slots__ = ("result", "what", "element", "lanes", "args", "extra")

    def __init__(
        self, result: str, what: str, element: str, lanes: int, args: tuple, extra: Any = None
    ):
        self.result, self.what, self.element = result, what, element
        self.lanes, self.args, self.extra = lanes, args, extra

    def __str__(self) -> str:
        kind = self.element if self.lanes == 1 else f"{self.lanes} x {self.element}"
        args = ", ".join(map(str, self.args))
        left = f"{self.result} = " if self.result else ""
        return f"{left}{self.what} {kind} {args}" + (
            "" if self.extra is None else f" [{self.extra}]"
        )


class Loop:
    """A counted loop; `carried` names hold the values that go round, `results` the last of them.

    Where it starts and stops may be names; such a loop may have nothing to do.
    """

    def __init__(self, number: int, start: int | str, stop: int | str, step: int):
        self.number, self.start, self.stop, self.step = number, start, stop, step
        self.index = f"%i{number}"
        self.types: list[tuple[str, int]] = []
        self.first: list[Any] = []
        self.carried: list[str] = []
        self.next: list[Any] = []
        self.results: list[str] = []
        self.body: list[Instruction | Loop] = []

    def __str__(self) -> str:
        head = f"for {self.index} in range({self.start}, {self.stop}, {self.step})"
        carried = ", ".join(f"{c} = {f}" for c, f in zip(self.carried, self.first, strict=True))
        lines = [head + (f" carrying {carried}:" if carried else ":")]
        lines += ["    " + line for each in self.body for line in str(each).split("\n")]
        if self.carried:
            lines.append("    next " + ", ".join(map(str, self.next)))
        return "\n".join(lines)


class Function:
    """A kernel being written."""

    def __init__(self, name: str):
        self.name = name
        self.body: list[Instruction | Loop] = []
        self.lanes = 1
        self.live: int | None = None  # lanes that count, where not all do
        self.parts = 1  # that threads can share; the number of one is "%part"
        self.larger = 1  # how many parts, the first, this code is for
        self.rest: Function | None = None  # writes the others, which are smaller
        self.pointers: list[tuple[int, int]] = []  # slots and offsets, as the code asks for them
        self.shared = False  # whether other kernels run this code
        self.base: Function | None = None  # whose code this one runs, on other pointers
        self.apart: tuple[int, int] | None = None  # offset and size of memory that each part has
        self._count = 0
        self._loops = 0
        self._blocks = [self.body]

    def __str__(self) -> str:
        if self.base is not None:
            return f"{self.name}: as {self.base.name} on {self.pointers}"
        return f"{self.name}:\n" + "\n".join(
            "  " + line for each in self.body for line in str(each).split("\n")
        )

    def _emit(self, what: str, element: str, *args: Any, extra: Any = None, lanes: int = 0) -> str:
        self._count += 1
        name = f"%v{self._count}"
        self._blocks[-1].append(Instruction(name, what, element, lanes or self.lanes, args, extra))
        return name

    # --- numbers
    def op(self, what: str, element: str, *args: Any) -> str:
        """Writes an instruction that maps operands of one type to a result."""
        return self._emit(what, element, *args)

    def select(self, condition: str, element: str, x: Any, y: Any) -> str:
        """Writes the choice of `x` where the condition holds, else `y`."""
        return self._emit("select", element, condition, x, y)

    def convert(self, what: str, source: str, target: str, x: Any) -> str:
        """Writes a conversion between element types."""
        return self._emit(what, source, x, extra=target)

    def intrinsic(self, name: str, element: str, *args: Any) -> str:
        """Writes a function that the machine has."""
        return self._emit("intrinsic", element, *args, extra=name)

    def scaled(self, x: str, whole: str, n: str | None) -> str:
        """Writes `x * 2**n` of a float for an n that is given as a float and as an i32.

        Where there are tables the float is enough, and rounded down.
        """
        return self._emit("scaled", "float", x, whole, n)

    @property
    def has_tables(self) -> bool:
        """Says whether `looked_up` has an instruction: vectors of 64 bytes are AVX-512's."""
        return self.lanes == 16

    def looked_up(self, element: str, places: str, numbers: tuple[float, ...]) -> str:
        """Writes the choice among 16 numbers by the low four bits of each lane of `places`."""
        return self._emit("looked up", element, places, extra=numbers)

    def library(self, name: str, element: str, *args: Any) -> str:
        """Writes a call of the C library for each live lane."""
        return self._emit("library", element, *args, extra=(name, self.live or self.lanes))

    def splat(self, element: str, number: Any) -> str:
        """Writes a number repeated in all lanes."""
        return self._emit("constant", element, number)

    def spread(self, element: str, x: str) -> str:
        """Writes a single element repeated in all lanes."""
        return x if self.lanes == 1 else self._emit("spread", element, x)

    def mask(self, count: int) -> str:
        """Writes the condition that holds in the first `count` lanes."""
        return self._emit("mask", "i1", count)

    def across(self, join: Callable[[str, str], str], element: str, x: str) -> str:
        """Writes the join of all lanes, in halves; returns a single element."""
        lanes = self.lanes
        while self.lanes > 1:
            self.lanes //= 2
            low = self._emit("part", element, x, extra=(0, self.lanes * 2))
            high = self._emit("part", element, x, extra=(self.lanes, self.lanes * 2))
            x = join(low, high)
        self.lanes = lanes
        return x

    def part(self, element: str, x: str, start: int, count: int) -> str:
        """Writes the choice of `count` lanes of a vector."""
        return self._emit("part", element, x, extra=(start, self.lanes), lanes=count)

    def transposed_sum(self, join: Callable[[str, str], str], element: str, xs: list[str]) -> str:
        """Writes a vector whose lane i is the join of all lanes of the vector `xs[i]`."""
        size = self.lanes  # partial results per vector that are still to be joined
        while size > 1:
            size //= 2
            joined = []
            for x, y in zip(xs[::2], xs[1::2], strict=True):
                groups = range(0, 2 * self.lanes, 2 * size)
                low = [i + j for i in groups for j in range(size)]
                high = [i + size + j for i in groups for j in range(size)]
                joined.append(
                    join(self._shuffle(element, x, y, low), self._shuffle(element, x, y, high))
                )
            xs = joined
        return xs[0]

    def transposed(self, element: str, rows: list[str]) -> list[str]:
        """Writes the vectors whose lane j, of vector i, is lane i of the vector `rows[j]`."""
        size, rows = self.lanes // 2, list(rows)
        while size:
            for i in range(self.lanes):
                if i & size:
                    continue
                x, y = rows[i], rows[i + size]
                low = [j if not j & size else self.lanes + j - size for j in range(self.lanes)]
                high = [j + size if not j & size else self.lanes + j for j in range(self.lanes)]
                rows[i] = self._shuffle(element, x, y, low)
                rows[i + size] = self._shuffle(element, x, y, high)
            size //= 2
        return rows

    def _shuffle(self, element: str, x: str, y: str, places: list[int]) -> str:
        return self._emit("shuffle", element, x, y, extra=tuple(places))

    # --- memory
    def pointer(self, slot: int, offset: int) -> str:
        """Writes the address at an offset in a slot of the pointer table."""
        self.pointers.append((slot, offset))
        number = len(self.pointers) - 1
        place = self._emit("pointer", "ptr", slot, offset, extra=number, lanes=1)
        if self.apart is not None and slot == 0:
            start, size = self.apart
            if start <= offset < start + size:
                return self.advance(place, "%part", size)
        return place

    def advance(self, pointer: str, index: Any, stride: int) -> str:
        """Writes the address `index * stride` bytes further."""
        if index == 0 or stride == 0:
            return pointer
        return self._emit("advance", "ptr", pointer, index, stride, lanes=1)

    def load(self, kind: dtypes.dtype, pointer: str, stride: int, count: int | None) -> str:
        """Writes a read of `lanes` elements `stride` bytes apart, of which `count` count."""
        element = memory_element(kind)
        if self.lanes == 1 or stride == 0:
            x = self._emit("load", element, pointer, lanes=1)
            x = self._truth(kind, x, 1)
            return self.spread(ELEMENT[kind], x)
        if stride == kind.itemsize:
            x = self._emit("load", element, pointer, extra=count)
        else:
            x = self._emit("gather", element, pointer, stride, extra=count or self.lanes)
        return self._truth(kind, x, self.lanes)

    def load_span(
        self, kind: dtypes.dtype, pointer: str, stride: int, span: tuple[int, int]
    ) -> str:
        """Writes a read of the lanes of a span, `stride` bytes apart; the others are zero."""
        element = memory_element(kind)
        if stride == kind.itemsize:
            return self._emit("load", element, pointer, extra=span)
        return self._emit("gather", element, pointer, stride, extra=span)

    def wrapped(self, index: str, size: int) -> str:
        """Writes an index in which negative numbers have been counted from the end."""
        below = self._emit("icmp slt", "i64", index, 0)
        return self.select(below, "i64", self._emit("add", "i64", index, size), index)

    def checked(self, index: str, size: int, count: int | None) -> str:
        """Writes an index brought into range; one that lies outside is noted as an error."""
        outside = self._emit("icmp uge", "i64", index, size)
        if count is not None and self.lanes > 1:
            outside = self._emit("and", "i1", outside, self.mask(count))
        self._emit("error", "i1", outside)
        return self.select(outside, "i64", 0, index)

    def load_at(
        self, kind: dtypes.dtype, pointer: str, stride: int, offset: str, count: int | None
    ) -> str:
        """Writes a read of elements, each at an offset of its own besides its stride."""
        return self._emit(
            "pick", memory_element(kind), pointer, stride, offset, extra=count or self.lanes
        )

    def _truth(self, kind: dtypes.dtype, x: str, lanes: int) -> str:
        return self._emit("icmp ne", "i8", x, 0, lanes=lanes) if kind.kind == "b" else x

    def store(
        self, kind: dtypes.dtype, pointer: str, stride: int, x: Any, count: int | None
    ) -> None:
        """Writes `lanes` elements to places `stride` bytes apart; only the first `count`."""
        if kind.kind == "b":
            x = self._emit("zext", "i1", x, extra="i8")
        element = memory_element(kind)
        if self.lanes == 1 or stride == kind.itemsize:
            self._emit("store", element, x, pointer, extra=count)
        else:
            self._emit("scatter", element, x, pointer, stride, extra=count or self.lanes)

    def prefetch(self, pointer: str, writes: bool) -> None:
        """Writes the wish to have a line of memory near, and alone if it will be written."""
        self._emit("prefetch", "i8", pointer, extra=writes, lanes=1)

    # --- loops
    @contextmanager
    def loop(
        self, start: int | str, stop: int | str, step: int, carried: list[tuple[str, str]]
    ) -> Iterator[Loop]:
        """Opens a loop; `carried` are (element, first value); set `next` before it closes."""
        self._loops += 1
        loop = Loop(self._loops, start, stop, step)
        for i, (element, first) in enumerate(carried):
            loop.types.append((element, self.lanes))
            loop.first.append(first)
            loop.carried.append(f"%c{loop.number}.{i}")
            loop.results.append(f"%r{loop.number}.{i}")
        self._blocks[-1].append(loop)
        self._blocks.append(loop.body)
        yield loop
        self._blocks.pop()
        if len(loop.next) != len(loop.carried):
            raise ValueError(
                f"loop {loop.number} carries {loop.carried} but goes on with {loop.next}"
            )


def memory_element(kind: dtypes.dtype) -> str:
    """Returns the LLVM type of an element in memory, where a bool takes a byte."""
    return "i8" if kind.kind == "b" else ELEMENT[kind]
