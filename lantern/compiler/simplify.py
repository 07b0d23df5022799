"""Makes a graph smaller without changing any number: one value per computation, none unused.

Constants are folded, equal values shared, movements that move nothing dropped, chains of
movements merged. Arithmetic is touched only where the result is the same to the last bit.
"""

from __future__ import annotations

from typing import Any

from ..backends import default
from ..backends.vocabulary import GATHER, MOVEMENT, POINTWISE, VOCABULARY
from ..dtypes import bfloat16, dtype
from .ir import INPUT, Graph, Value
from .scalar import fits


def simplify(graph: Graph) -> Graph:
    """Returns a graph with the same inputs and outputs and no needless value."""
    result = Graph()
    new: dict[Value, Value] = {}
    known: dict[Any, Value] = {}
    needed = reachable(graph)
    for value in graph.values:
        if value.name == INPUT:
            new[value] = result.input(value.shape, value.dtype)
        elif value in needed:
            args = graph.map(value.args, new.__getitem__)
            new[value] = _make(result, known, value.name, args, value.place)
    result.outputs = [new[each] for each in graph.outputs]
    return _without_unused(result)


def reachable(graph: Graph) -> set[Value]:
    """Returns the values that an output needs, and those that do more than give a value."""
    needed: set[Value] = set()
    stack = [*graph.outputs, *filter(acts, graph.values)]
    while stack:
        value = stack.pop()
        if value not in needed:
            needed.add(value)
            stack.extend(value.operands())
    return needed


def acts(value: Value) -> bool:
    """Says whether a value moves a random state, or raises for an index out of range."""
    if value.name in ("getitem", "put", "put_add"):
        return any(isinstance(each, Value) for each in value.args[1])
    return value.name == "draw" or value.name != INPUT and VOCABULARY[value.name].kind == GATHER


def _without_unused(graph: Graph) -> Graph:
    needed = reachable(graph)
    result = Graph()
    new: dict[Value, Value] = {}
    for value in graph.values:
        if value.name == INPUT:
            new[value] = result.input(value.shape, value.dtype)
        elif value in needed:
            args = graph.map(value.args, new.__getitem__)
            new[value] = result.copy(value, args)
    result.outputs = [new[each] for each in graph.outputs]
    return result


def _make(graph: Graph, known: dict, name: str, args: tuple, place: str) -> Value:
    """Returns the value of a primitive: an operand, one that is there already, or a new one."""
    args = _canonical(name, args)
    found = _rewritten(graph, known, name, args, place)
    if found is not None:
        return found
    if name == "draw":
        return graph.add(name, args, place)
    key = (name, _frozen(args))
    value = known.get(key)
    if value is None:
        value = known[key] = graph.add(name, args, place)
    return value


def _frozen(arg: Any) -> Any:
    """Returns a hashable stand-in for an argument that tells 0.0 from -0.0 and 1 from True."""
    kind = type(arg)
    if kind is Value or kind is dtype:
        return arg
    if kind is tuple or kind is list:
        return tuple([_frozen(each) for each in arg])
    return (kind, repr(arg))


def constant(value: Any) -> Any:
    """Returns the number that a value holds everywhere, or None."""
    if isinstance(value, Value) and value.name == "full" and not isinstance(value.args[1], Value):
        return value.args[1]
    return None


def _canonical(name: str, args: tuple) -> tuple:
    """Returns the arguments with constants as plain numbers where that keeps the shape."""
    if name not in POINTWISE_TWO or all(constant(each) is None for each in args):
        return args
    if not all(_is_operand(each) for each in args):
        return args
    rule = VOCABULARY[name].rule
    shape, kind = rule(*args)
    for i, each in enumerate(args):
        number = constant(each)
        if number is None or name == "where" and i == 0:
            continue
        if each.dtype is bfloat16:  # NumPy's bfloat16 becomes float32 beside a Python float
            continue
        trial = (*args[:i], number, *args[i + 1 :])
        others = [
            t
            for j, t in enumerate(trial)
            if isinstance(t, Value) and not (name == "where" and j == 0)
        ]
        if others and fits(number, each.dtype) and rule(*trial) == (shape, kind):
            args = trial
    return args


POINTWISE_TWO = frozenset(
    n
    for n, p in VOCABULARY.items()
    if p.kind in POINTWISE and len(p.parameters.split(",")) > 1 and n != "cast"
)


def _is_operand(arg: Any) -> bool:
    return isinstance(arg, (Value, bool, int, float))


def _rewritten(graph: Graph, known: dict, name: str, args: tuple, place: str) -> Value | None:
    kind = VOCABULARY[name].kind
    x = args[0] if args and isinstance(args[0], Value) else None
    if x is None:
        return None
    if constant(x) is not None and not any(each is not x for each in _values(args)):
        found = _folded(graph, known, name, kind, args, place)
        if found is not None:
            return found
    if kind == MOVEMENT or name in ("getitem", "cast"):
        return _moved(graph, known, name, args, place)
    if kind == "reduce" and name in ("sum", "prod", "amax", "amin"):
        dims = range(x.ndim) if args[1] is None else args[1]
        dims = (dims,) if isinstance(dims, int) else dims
        if (
            x.ndim
            and all(x.shape[d] == 1 for d in dims)
            and x.dtype.kind in "iuf"
            and _is_exact(name, x)
        ):
            shape, _ = VOCABULARY[name].rule(*args)
            return _make(graph, known, "reshape", (x, tuple(shape)), place)
    return _neutral(name, args)


def _is_exact(name: str, x: Value) -> bool:
    return not (name == "sum" and x.dtype.kind == "f")  # 0.0 + -0.0 is 0.0


def _values(args: tuple) -> list[Value]:
    found = []
    for arg in args:
        if isinstance(arg, Value):
            found.append(arg)
        elif isinstance(arg, (tuple, list)):
            found.extend(each for each in arg if isinstance(each, Value))
    return found


def _folded(
    graph: Graph, known: dict, name: str, kind: str, args: tuple, place: str
) -> Value | None:
    """Returns the constant that a primitive makes of a constant."""
    x = args[0]
    shape, element = VOCABULARY[name].rule(*args)
    number = constant(x)
    if kind in POINTWISE:
        xp = default()
        single = tuple(xp.full((), number, x.dtype) if each is x else each for each in args)
        number = xp.to_list(xp.asarray(getattr(xp, name)(*single)))
        if not fits(number, element):
            return None
    elif name not in ("reshape", "permute", "expand", "flip", "getitem", "clone", "contiguous"):
        return None
    return _make(graph, known, "full", (tuple(shape), number, element), place)


def _moved(graph: Graph, known: dict, name: str, args: tuple, place: str) -> Value | None:
    """Returns the value of a movement that moves nothing or joins the one before it."""
    x = args[0]
    if name in ("clone", "contiguous"):
        return x
    if name == "cast":
        return x if args[1] is x.dtype else None
    if name in ("reshape", "expand") and tuple(args[1]) == x.shape:
        return x
    if name == "permute":
        if tuple(args[1]) == tuple(range(x.ndim)):
            return x
        if x.name == "permute":
            dims = tuple(x.args[1][d] for d in args[1])
            return _make(graph, known, "permute", (x.args[0], dims), place)
    if name == x.name and name in ("reshape", "expand"):
        return _make(graph, known, name, (x.args[0], tuple(args[1])), place)
    if name == "getitem":
        whole = all(
            isinstance(each, slice) and each.indices(size) == (0, size, 1)
            for each, size in zip(args[1], x.shape, strict=False)
        )
        return x if whole and len(args[1]) <= x.ndim else None
    return None


def _neutral(name: str, args: tuple) -> Value | None:
    """Returns the operand that a primitive gives back bit by bit."""
    x = args[0]
    other = args[1] if len(args) > 1 else None
    if isinstance(other, (int, float)) and x.dtype.kind != "b":
        if name in ("mul", "div") and other == 1 and (name == "mul" or x.dtype.kind == "f"):
            return x
        if name == "sub" and other == 0 and str(other) != "-0.0":
            return x
        if name == "add" and other == 0 and x.dtype.kind != "f":
            return x
    if name == "neg" and x.name == "neg":
        return x.args[0]
    return None
