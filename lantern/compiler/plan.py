"""What is computed in one pass over memory, and the plan of such passes that a graph becomes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from .ir import Graph, Value
from .looks import Look


class Unsupported(Exception):
    """A graph has something that native code cannot do; it is interpreted instead."""


@dataclass(frozen=True)
class Picked:
    """How elements are found by index: along `dim` of `base`, at what `index` says.

    `index_strides` and `base_strides` go along the kernel's space; `adds` is for scattering.
    """

    base: Value
    index: Value
    dim: int
    index_strides: tuple[int, ...]
    base_strides: tuple[int, ...]
    stride: int
    size: int
    adds: bool = False
    wraps: bool = True  # whether negative numbers count from the end
    known: bool = False  # whether an earlier kernel has found the numbers to be in range


@dataclass(eq=False)
class Kernel:
    """A pass over `space`: values computed per element, reductions over `dims`, and stores.

    `kind` is `loop`, `matmul` or `conv` (then `values` finish its result) or `call`.
    """

    kind: str
    space: tuple[int, ...]
    index: int
    dims: tuple[int, ...] | None = None
    values: list[Value] = field(default_factory=list)
    reductions: list[Value] = field(default_factory=list)
    stores: list[tuple[Value, Look]] = field(default_factory=list)
    product: Value | None = None  # of a matmul or conv
    factors: list[Value] = field(default_factory=list)
    call: Value | None = None
    picked: dict[Value, Picked] = field(default_factory=dict)  # values that are gathered
    scatter: Picked | None = None  # where the only store of the kernel goes
    adds: bool = False  # whether the only store adds to what is there
    along_batch: bool = False  # whether a convolution's vectors run along the batch
    moment: int = -1  # the place in the order of running; kernels of a region share one

    def summary(self) -> str:
        """Returns one line on what the kernel computes, and from which lines of the program."""
        first = [each for each in (self.call, self.product) if each is not None]
        made = [*first, *self.values, *self.reductions] or [source for source, _ in self.stores]
        names = ", ".join(each.name if each.number >= 0 else "copy" for each in made)
        places = ", ".join(dict.fromkeys(each.place for each in made if each.place))
        return f"{self.kind} over {list(self.space)}: {names}" + (f"  # {places}" if places else "")

    @property
    def picks(self) -> bool:
        """Says whether elements are found by index."""
        return bool(self.picked) or self.scatter is not None

    @property
    def is_open(self) -> bool:
        """Says whether the kernel may store more: one that adds or scatters does so with all."""
        return self.scatter is None and not self.adds

    @property
    def checks(self) -> bool:
        """Says whether an index may turn out to be out of range."""
        picked = [*self.picked.values(), *([self.scatter] if self.scatter is not None else [])]
        return not all(each.known for each in picked)

    def __str__(self) -> str:
        over = f" reducing {self.dims}" if self.dims else ""
        lines = [f"kernel {self.index}: {self.kind} over {list(self.space)}{over}"]
        inner = [each for each in (self.call, self.product) if each is not None]
        lines += [f"  {_text(each)}" for each in (*inner, *self.values, *self.reductions)]
        for source, target in self.stores:
            where = "" if target.leaf is source else f" into {target.leaf!r} at {target.offset}"
            lines.append(f"  store %{source.number}{where}")
        return "\n".join(lines)


def _text(value: Value) -> str:
    args = ", ".join(f"%{a.number}" if isinstance(a, Value) else repr(a) for a in value.args)
    return f"{value!r} = {value.name}({args})"


@dataclass
class Plan:
    """The kernels of a graph in order, and how each output is seen."""

    graph: Graph
    kernels: list[Kernel]
    looks: dict[Value, Look]
    outputs: dict[Value, Look]
    constants: list[Value]
    stored: set[Value] = field(default_factory=set)  # what some kernel reads from memory
    region: Any = None

    def __str__(self) -> str:
        parts = [*self.kernels, *([self.region] if self.region is not None else [])]
        return "\n".join(map(str, parts))
