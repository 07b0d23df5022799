"""Random small graphs for the compiler, with arrays to run them on.

Each value carries what may be asked of it: `exact` values must come out bit by bit, others (after a
transcendental function or a sum of rounded numbers) within a tolerance; `bound` limits the size of
whole numbers, whose sums are exact in any order; `signless` values may differ in the sign of zero.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from math import prod

import numpy as np

from lantern import dtypes
from lantern.backends.kinds import LANTERN_DTYPE
from lantern.compiler.ir import Graph, Value

SIZES = [1, 1, 2, 3, 5, 8, 16, 17, 31, 33, 40, 70, 131]
FLOATS = ["float32"] * 5 + ["float64"] * 2
OTHERS = ["int64", "int32", "int16", "int8", "uint8", "bool", "uint32"]
EXACT_UNARY = "neg abs sign square floor ceil trunc round sqrt isnan isinf isfinite signbit".split()
ROUGH_UNARY = "exp log tanh sigmoid rsqrt expm1 log1p sin cos atan exp2 log2 log10".split()
BINARY = "add sub mul div maximum minimum fmax fmin copysign remainder fmod floor_divide".split()
COMPARE = "eq ne lt le gt ge logical_and logical_or logical_xor".split()
INTEGER = "add sub mul maximum minimum bitwise_and bitwise_or bitwise_xor".split()
SIGN_MATTERS = frozenset("div copysign signbit remainder fmod floor_divide rsqrt atan".split())
WHOLE = 1 << 22


@dataclass
class Fact:
    exact: bool = True
    bound: float | None = None  # of whole numbers
    signless: bool = False
    scale: float = 1.0  # of the tolerance


class Programs:
    """Draws one graph from a seed: `graph`, `arrays` for its inputs, `facts` of its values."""

    def __init__(self, seed: int):
        self.random = random.Random(seed)
        self.numbers = np.random.default_rng(seed)
        self.graph = Graph()
        self.facts: dict[Value, Fact] = {}
        self.arrays: list[np.ndarray] = []
        self.base = [self.random.choice(SIZES) for _ in range(self.random.choice([1, 2, 2, 3]))]
        if self.random.random() < 0.03:
            self.base[0] = 0
        for _ in range(self.random.randint(1, 4)):
            self.input()
        for _ in range(self.random.randint(1, 14)):
            self.step()
        self.finish()

    # --- inputs
    def shape(self) -> tuple[int, ...]:
        start = self.random.randint(0, len(self.base))
        shape = self.base[start if self.random.random() < 0.4 else 0 :]
        return tuple(1 if self.random.random() < 0.15 else size for size in shape)

    def input(self) -> None:
        name = self.random.choice(FLOATS if self.random.random() < 0.7 else OTHERS)
        kind = np.dtype(name)
        shape = self.shape()
        bound = None
        if kind.kind == "b":
            array = self.numbers.random(shape) < 0.5
        elif kind.kind in "iu":
            array = self.numbers.integers(-100 if kind.kind == "i" else 0, 100, shape).astype(kind)
        elif self.random.random() < 0.6:
            bound = 4.0
            array = self.numbers.integers(-4, 5, shape).astype(kind)
        else:
            array = (self.numbers.standard_normal(shape) * 3).astype(kind)
            if self.random.random() < 0.3 and array.size:
                special = [np.nan, np.inf, -np.inf, -0.0, 0.0, 1e-40, 3e38]
                flat = array.reshape(-1)
                for _ in range(self.random.randint(1, 5)):
                    flat[self.random.randrange(flat.size)] = self.random.choice(special)
        value = self.graph.input(shape, LANTERN_DTYPE[array.dtype])
        self.facts[value] = Fact(bound=bound)
        self.arrays.append(self.disturbed(np.asarray(array)))

    def disturbed(self, array: np.ndarray) -> np.ndarray:
        """Returns the array in memory that lies otherwise: strided, reversed or transposed."""
        how = self.random.random()
        if how < 0.75 or not array.ndim:
            return array
        if how < 0.85:
            wide = np.zeros((*array.shape[:-1], array.shape[-1] * 2), array.dtype)
            wide[..., ::2] = array
            return wide[..., ::2]
        if how < 0.92:
            return np.ascontiguousarray(array[::-1])[::-1]
        return np.asfortranarray(array)

    # --- steps
    def pick(self, test=lambda value: True) -> Value | None:
        found = [each for each in self.facts if test(each)]
        recent = found[-6:] if self.random.random() < 0.7 else found
        return self.random.choice(recent) if recent else None

    def add(self, name: str, args: tuple, fact: Fact) -> None:
        self.facts[self.graph.add(name, args, "")] = fact

    def step(self) -> None:
        kinds = [self.unary, self.binary, self.binary, self.compare, self.select, self.cast]
        kinds += [self.reduce, self.reduce, self.move, self.move, self.product, self.number]
        kinds += [self.assemble, self.pick_out, self.pick_out]
        self.random.choice(kinds)()

    def joined(self, *values: Value) -> Fact:
        facts = [self.facts[each] for each in values]
        return Fact(
            all(f.exact for f in facts),
            None,
            any(f.signless for f in facts),
            max(f.scale for f in facts),
        )

    def unary(self) -> None:
        x = self.pick(lambda v: v.dtype.kind == "f" and self.facts[v].exact)
        if x is None:
            return
        name = self.random.choice(EXACT_UNARY + ROUGH_UNARY)
        fact = self.joined(x)
        if name in SIGN_MATTERS and fact.signless:
            return
        if name in ROUGH_UNARY:
            fact.exact = False
        elif name in ("neg", "abs", "sign", "floor", "ceil", "trunc", "round"):
            fact.bound = self.facts[x].bound
        self.add(name, (x,), fact)

    def partner(self, x: Value) -> Value | None:
        def fits(value: Value) -> bool:
            if value.dtype is not x.dtype or not self.facts[value].exact:
                return False
            try:
                return prod(np.broadcast_shapes(value.shape, x.shape)) < 50_000
            except ValueError:
                return False

        return self.pick(fits)

    def binary(self) -> None:
        x = self.pick(lambda v: self.facts[v].exact)
        y = None if x is None else self.partner(x)
        if y is None:
            return
        fact = self.joined(x, y)
        bounds = self.facts[x].bound, self.facts[y].bound
        if x.dtype.kind == "f":
            name = self.random.choice(BINARY)
            if name in SIGN_MATTERS and fact.signless:
                return
            if name in ("maximum", "minimum", "fmax", "fmin"):
                fact.signless = True
            if None not in bounds and name in ("add", "sub", "mul", "maximum", "minimum"):
                total = bounds[0] * bounds[1] if name == "mul" else bounds[0] + bounds[1]
                fact.bound = total if total < WHOLE else None
        elif x.dtype.kind == "b":
            name = self.random.choice(["bitwise_and", "bitwise_or", "bitwise_xor", "mul", "add"])
        else:
            name = self.random.choice(INTEGER)
        args = (x, y) if self.random.random() < 0.5 else (y, x)
        self.add(name, args, fact)

    def number(self) -> None:
        x = self.pick(lambda v: self.facts[v].exact and v.dtype.kind in "if")
        if x is None:
            return
        fact = self.joined(x)
        if x.dtype.kind == "f":
            number = self.random.choice([0, 1, 2, -1, 0.5, 3, 1.0, 0.1, -0.0])
            name = self.random.choice(
                ["add", "sub", "mul", "div", "maximum", "minimum", "gt", "le"]
            )
            fact.signless = fact.signless or name in ("maximum", "minimum")
        else:
            number = self.random.choice([1, 2, 3, 7, -3])
            names = ["add", "mul", "floor_divide", "remainder", "fmod", "eq", "lt"]
            name = self.random.choice([*names, "bitwise_left_shift", "bitwise_right_shift"])
            if "shift" in name:
                number = abs(number)
        swap = self.random.random() < 0.3 and name in ("add", "sub", "mul", "maximum")
        self.add(name, (number, x) if swap else (x, number), fact)

    def compare(self) -> None:
        x = self.pick(lambda v: self.facts[v].exact)
        y = None if x is None else self.partner(x)
        if y is not None:
            self.add(self.random.choice(COMPARE), (x, y), Fact())

    def select(self) -> None:
        condition = self.pick(lambda v: v.dtype.kind == "b")
        x = self.pick(lambda v: self.facts[v].exact)
        y = None if x is None else self.partner(x)
        if condition is None or y is None:
            return
        try:
            shape = np.broadcast_shapes(condition.shape, x.shape, y.shape)
        except ValueError:
            return
        if prod(shape) < 50_000:
            self.add("where", (condition, x, y), self.joined(x, y))

    def cast(self) -> None:
        x = self.pick(lambda v: self.facts[v].exact)
        if x is None:
            return
        fact = self.facts[x]
        if x.dtype.kind == "f" and fact.bound is None:
            target = self.random.choice(["float32", "float64", "bool"])
            if x.dtype is dtypes.float32 and self.random.random() < 0.3:
                target = self.random.choice(["float16", "bfloat16"])
        elif x.dtype.kind == "f" and fact.bound < 100:
            target = self.random.choice(["float32", "int64", "int32", "int8", "bool"])
        else:
            target = self.random.choice(["float32", "float64"])
        kept = fact.bound if target.startswith("float") and target != "float16" else None
        if x.dtype.kind in "iu" and x.name == "input":
            kept = 200.0 if target.startswith("float") else None
        half = target in ("float16", "bfloat16")
        self.add(
            "cast", (x, dtypes.BY_NAME[target]), Fact(True, None if half else kept, fact.signless)
        )
        if half:
            last = next(reversed(self.facts))
            self.add("cast", (last, dtypes.float32), Fact(True, None, fact.signless))
            del self.facts[last]

    def reduce(self) -> None:
        x = self.pick(lambda v: v.ndim > 0 and self.facts[v].exact)
        if x is None:
            return
        count = self.random.randint(1, x.ndim)
        dims = tuple(sorted(self.random.sample(range(x.ndim), count)))
        dims = None if count == x.ndim and self.random.random() < 0.5 else dims
        names = ["any", "all"]
        size = prod(x.shape[d] for d in (dims or range(x.ndim)))
        if x.dtype.kind == "f" or x.dtype is dtypes.int64:  # ops cast others to int64 before
            names += ["sum"] * 5 + ["prod"]
        if size:
            names += ["amax", "amin"]
        name = self.random.choice(names)
        fact = self.reduced_fact(name, x, size)
        if fact is not None:
            self.add(name, (x, dims, self.random.random() < 0.5), fact)

    def reduced_fact(self, name: str, x: Value, size: int) -> Fact | None:
        old = self.facts[x]
        if name in ("any", "all"):
            return Fact()
        if name in ("amax", "amin"):
            return Fact(True, old.bound, True)
        if x.dtype.kind in "iu":
            return Fact()
        if old.bound is not None and name == "sum" and old.bound * size < WHOLE:
            return Fact(True, old.bound * size, True)
        if name == "prod" and (old.bound is None or size > 8 or old.bound**size > WHOLE):
            return None if size > 8 else Fact(False, None, True)
        return Fact(name == "prod", None, True, 10.0 + size)

    def move(self) -> None:
        x = self.pick(lambda v: v.ndim > 0)
        if x is None:
            return
        fact = self.joined(x)
        fact.bound = self.facts[x].bound
        name = self.random.choice(["permute", "reshape", "expand", "flip", "getitem", "diagonal"])
        args = getattr(self, "_" + name)(x)
        if args is not None:
            self.add(name, (x, *args), fact)

    def _permute(self, x: Value) -> tuple:
        dims = list(range(x.ndim))
        self.random.shuffle(dims)
        return (tuple(dims),)

    def _reshape(self, x: Value) -> tuple:
        if x.ndim > 1 and self.random.random() < 0.7:
            at = self.random.randrange(x.ndim - 1)
            return ((*x.shape[:at], x.shape[at] * x.shape[at + 1], *x.shape[at + 2 :]),)
        size = x.shape[-1]
        for k in (2, 3, 5):
            if size and size % k == 0:
                return ((*x.shape[:-1], k, size // k),)
        return ((*x.shape, 1),)

    def _expand(self, x: Value) -> tuple:
        shape = tuple(3 if size == 1 else size for size in x.shape)
        return ((2, *shape) if self.random.random() < 0.3 and prod(shape) < 10_000 else shape,)

    def _flip(self, x: Value) -> tuple:
        return ((self.random.randrange(x.ndim),),)

    def _getitem(self, x: Value) -> tuple:
        return (self.index(x.shape),)

    def index(self, shape: tuple[int, ...]) -> tuple:
        result: list = []
        for size in shape:
            draw = self.random.random()
            if draw < 0.15 and size:
                result.append(self.random.randrange(-size, size))
            elif draw < 0.7:
                start = self.random.randint(0, size)
                result.append(
                    slice(start, self.random.randint(start, size), self.random.choice([1, 1, 2]))
                )
            else:
                result.append(slice(None))
            if self.random.random() < 0.1:
                result.append(None)
        return tuple(result)

    def _diagonal(self, x: Value) -> tuple | None:
        if x.ndim < 2:
            return None
        first, second = self.random.sample(range(x.ndim), 2)
        return (self.random.randint(-1, 1), first, second)

    def product(self) -> None:
        x = self.pick(lambda v: v.ndim > 0 and v.dtype.kind == "f" and self.facts[v].exact)
        if x is None:
            return

        def fits(value: Value) -> bool:
            inner = value.shape[-2] if value.ndim > 1 else (value.shape or (-1,))[0]
            return value.dtype is x.dtype and self.facts[value].exact and inner == x.shape[-1]

        y = self.pick(fits)
        if y is None:
            return
        try:
            from lantern.backends.vocabulary import VOCABULARY

            shape, _ = VOCABULARY["matmul"].rule(x, y)
        except (RuntimeError, ValueError):
            return
        size = x.shape[-1]
        bounds = self.facts[x].bound, self.facts[y].bound
        whole = None not in bounds and bounds[0] * bounds[1] * size < WHOLE
        if prod(shape) < 50_000:
            total = bounds[0] * bounds[1] * max(size, 1) if whole else None
            self.add("matmul", (x, y), Fact(whole, total, True, 10.0 + size))

    def assemble(self) -> None:
        x = self.pick(lambda v: v.ndim > 0 and self.facts[v].exact)
        if x is None:
            return
        y = self.pick(lambda v: v.dtype is x.dtype and v.shape == x.shape and self.facts[v].exact)
        if self.random.random() < 0.4 and y is not None:
            self.add("cat", ((x, y, x), self.random.randrange(x.ndim)), self.joined(x, y))
            return
        index = self.index(x.shape)
        part = self.graph.add("getitem", (y if y is not None else x, index), "")
        if self.random.random() < 0.3 and part.ndim and part.shape[0]:
            part = self.graph.add("getitem", (part, (slice(0, 1),)), "")
        self.add("put", (x, index, part), self.joined(x, y if y is not None else x))

    def pick_out(self) -> None:
        """Gathers or scatters by an index array, which becomes an input."""
        x = self.pick(lambda v: v.ndim > 0 and v.dtype.kind in "fi" and self.facts[v].exact)
        if x is None or 0 in x.shape:
            return
        dim = self.random.randrange(x.ndim)
        size = x.shape[dim]
        name = self.random.choice(["gather", "getitem", "put_add", "scatter", "scatter_add"])
        by_place = name in ("getitem", "put_add")
        shape = [self.random.randint(1, each) for each in x.shape]
        shape[dim] = self.random.choice([1, 3, 20])
        if by_place:
            shape = [self.random.choice([1, 2, 5, 18]) for _ in range(self.random.randint(1, 2))]
        if prod(shape) * x.size > 200_000:
            return
        array = self.numbers.integers(-size if by_place else 0, size, shape)
        index = self.graph.input(tuple(shape), dtypes.int64)
        self.arrays.append(np.asarray(array))
        fact = self.facts[x]
        places = (*(slice(None),) * dim, index)
        if name == "getitem":
            self.add(name, (x, places), Fact(True, fact.bound, fact.signless))
        elif name == "gather":
            self.add(name, (x, dim, index), Fact(True, fact.bound, fact.signless))
        else:
            self.scattered(name, x, dim, index, places)

    def scattered(self, name: str, x: Value, dim: int, index: Value, places: tuple) -> None:
        if name == "put_add":
            source = self.graph.add("getitem", (x, places), "")
            self.add(name, (x, places, source), self.joined(x))
            return
        wide = tuple(max(a, b) for a, b in zip(index.shape, x.shape, strict=True))
        if wide != x.shape:
            return
        self.add(name, (x, dim, index, x), self.joined(x))

    # --- outputs
    def finish(self) -> None:
        """Chooses outputs, and inputs that some of them replace."""
        made = list(self.facts)
        count = self.random.randint(1, min(4, len(made)))
        outputs = self.random.sample(made, count)
        if made[-1] not in outputs:
            outputs.append(made[-1])
        self.writes = []
        for place, value in enumerate(self.graph.inputs):
            same = [v for v in made if v.shape == value.shape and v.dtype is value.dtype]
            same = [v for v in same if v is not value]
            if same and self.random.random() < 0.5:
                outputs.append(self.random.choice(same))
                self.writes.append((len(outputs) - 1, place))
        self.graph.outputs = outputs
