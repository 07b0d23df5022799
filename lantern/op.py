"""`Op`: a function of tensors, written once over a namespace `xp`.

Calling an op unwraps its tensors, brings them to a common dtype by the op's declared kind, runs the
forward in the namespace that their values belong to, wraps the result and, where a gradient is
wanted, puts one node on the tape. The formulas of the op say by their parameter names what that
node saves. While a trace is active values are symbols, and the same call is recorded instead.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from types import FunctionType
from typing import Any, NoReturn

from . import dtypes
from .autograd.graph import Edge, Node, OpNode
from .autograd.mode import active, mode
from .autograd.plan import OUT, SHAPE, Plan
from .autograd.views import rederive
from .backends import NAMESPACES
from .shape import broadcast_shapes
from .storage import Storage
from .tensor import Tensor, _new, current_node, wrap

# How operands are brought together before the forward; each kind names the dtype codes it takes
# as they are. Half types are in none: they are computed in float32 and rounded once per op.
SAME, FLOAT, BOOL, INT_TO_LONG, KEEP = "same", "float", "bool", "int_to_long", "keep"
BOOL_TO_LONG = "bool_to_long"
_PLAIN = {SAME: "?bBhHiIlLfd", FLOAT: "fd", BOOL: "?bBhHiIlLfd", INT_TO_LONG: "lfd"}
_PLAIN[BOOL_TO_LONG] = "bBhHiIlLfd"
_PLAIN[KEEP] = "?bBhHiIlLfdeE"

# Parameters of these names are tensors; all others are plain Python values.
TENSOR_NAMES = frozenset(
    "input other weight bias mat1 mat2 mat vec vec1 vec2 batch1 batch2 tensor1 tensor2 target end "
    "tensor condition src index mask value source x y indices running_mean running_var".split()
)
# These are tensors that take no part in promotion and have no gradient.
APART = frozenset("condition index indices mask".split())
# NumPy's names for PyTorch's parameters.
ALIASES = {"axis": "dim", "keepdims": "keepdim", "x": "input", "x1": "input", "x2": "other"}
ALIASES["A"] = "input"  # as `linalg` calls it

NUMBERS = frozenset({int, float})

REGISTRY: dict[str, Op] = {}


class Op:
    """A differentiable function of tensors; `name`, `parameters` and `formulas` describe it."""

    composite = False  # runs over tensors; autograd sees its parts
    view = False  # its result shares the memory of its input
    overlaps = False  # as a view: several elements of its result may share a place
    uniform = False  # its result has one value everywhere, so elements may share a place

    def __init__(
        self,
        forward: Callable[..., Any],
        promote: str = SAME,
        numbers: str = "",
        differentiable: bool = True,
        dunder: str = "",
        variadic: str = "",
        grad_name: str | Callable[[OpNode], str] = "",
        method: bool = True,
        function: bool = True,
        inplace: bool = False,
        public: bool = True,
        check: tuple[str, Callable[..., Any]] | None = None,
        exact: bool = False,
        lacks: str | tuple[str, Callable[..., str]] = "",
        asked: Callable[[dtypes.dtype], None] | None = None,
        tensors: str = "",
        aliases: str = "",
        label: Callable[..., str] | None = None,
    ):
        self.forward = _positional(forward)
        self.name = self.__name__ = forward.__name__.rstrip("_")
        self.signature = inspect.signature(forward)
        self.__doc__ = forward.__doc__
        self.__module__ = forward.__module__
        self.promote = promote
        self.plain = _PLAIN[promote]
        if check is not None:  # operands of these dtypes take the slow path, where they are checked
            self.plain = "".join(code for code in self.plain if code not in check[0])
        self.check = None if check is None else check[1]
        # "?HIL abs_cpu": dtypes that it refuses, and the kernel that lacks them
        self.kernel: str | Callable[..., str]
        codes, self.kernel = (lacks + " ").split(" ")[:2] if isinstance(lacks, str) else lacks
        self.lacks = frozenset(codes)
        self.asked = asked  # checks a `dtype=` that a call asks for
        self.plain = "".join(code for code in self.plain if code not in self.lacks)
        self.aliases = aliases.split()
        self.label = label  # names the node by the arguments of a call
        self.differentiable = differentiable
        self.dunder = dunder.split()
        self.method, self.function, self.inplace = method, function, inplace
        self.public = public
        self.exact = exact  # formulas return gradients in the shape of their inputs
        self._grad_name = grad_name or _camel(self.name) + "Backward0"
        self._read_signature(numbers.split(), variadic, TENSOR_NAMES.union(tensors.split()))
        self.formulas: dict[str, tuple[Callable[..., Any], tuple[str, ...]]] = {}
        self.joint: tuple[tuple[str, ...], Callable[..., Any], tuple[str, ...]] | None = None
        self._plans: dict[int, Plan] = {}

    def _read_signature(self, numbers: list[str], variadic: str, tensors: frozenset) -> None:
        full = list(self.signature.parameters.values())[1:]
        self.parameters = tuple(each.name for each in full)
        self.keyword_only = frozenset(p.name for p in full if p.kind is p.KEYWORD_ONLY)
        self.defaults = {p.name: p.default for p in full if p.default is not p.empty}
        self.arity = len(full)
        self.positional = self.arity - len(self.keyword_only)
        self.numbers = frozenset(numbers)
        self.variadic = self.parameters.index(variadic) if variadic else None
        self.tails = {} if variadic else self._read_tails()
        self.typed = "dtype" in self.keyword_only
        apart = {each[1:] for each in tensors if each[0] == "-"}
        names = [n for n in self.parameters if n in tensors and n not in apart]
        self.first = next((self.parameters.index(n) for n in names if n not in APART), 0)
        self.tensors = tuple(
            (0 if n in APART else 1 << i, self.parameters.index(n), n in self.numbers)
            for i, n in enumerate(names)
        )
        self.tensor_names = tuple(names)
        self.__signature__ = inspect.Signature(full)

    def _read_tails(self) -> dict[int, tuple]:
        """Returns the defaults that complete a call with so many positional arguments."""
        required = sum(n not in self.defaults for n in self.parameters)
        if any(n in self.keyword_only and n not in self.defaults for n in self.parameters):
            return {}
        return {
            n: tuple(self.defaults[name] for name in self.parameters[n:])
            for n in range(required, self.positional + 1)
        }

    def grad_name(self, node: OpNode) -> str:
        """Returns the name that PyTorch gives to the node of this call."""
        return self._grad_name if isinstance(self._grad_name, str) else self._grad_name(node)

    def vjp(self, **formulas: Callable[..., Any]) -> Op:
        """Declares, per differentiable parameter, the vector-Jacobian product.

        A formula's parameters are taken by name from: `g` (the gradient of the output), `out`,
        `xp`, and the op's own parameters. What it names is what a call saves. Of an op with
        several outputs `g` is a list, and `out1`, `out2`, ... are those after the first.
        """
        for name, formula in formulas.items():
            self.formulas[name] = (formula, _names(formula))
        return self

    def vjp_together(self, *names: str) -> Callable[[Callable[..., Any]], Op]:
        """Declares one formula that returns the gradients of several parameters at once.

        It may ask for `needs`, a tuple that says which of them are wanted.
        """

        def declare(formula: Callable[..., Any]) -> Op:
            self.joint = (names, formula, _names(formula))
            return self

        return declare

    def __repr__(self) -> str:
        return f"<op {self.name}{self.__signature__}>"

    def __reduce__(self) -> str:
        return self.name

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else _bound(self, instance)

    # --- the call
    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Computes the op, and records it where a gradient is wanted."""
        if kwargs or len(args) != self.arity:
            tail = None if kwargs else self.tails.get(len(args))
            if tail is not None:
                args += tail
            elif "out" in kwargs:
                return self._call_out(args, kwargs)
            elif self.typed and kwargs.get("dtype") is not None:
                return self._call_typed(args, kwargs)
            else:
                args = self.bind(args, kwargs)
        values = list(args)
        mask = 0
        dtype = None
        easy = True
        trace = active.trace
        for bit, position, numeric in self.tensors:
            arg = args[position]
            if isinstance(arg, Tensor):
                base = arg._base
                if base is not None and base._node is not arg._seen:
                    rederive(arg)
                value = values[position] = arg._array if trace is None else trace.read(arg)
                if arg._node is not None:
                    mask |= bit
                if bit and value.dtype is not dtype:
                    if dtype is None:
                        dtype = value.dtype
                    else:
                        easy = False
            elif arg is not None and not (
                numeric and type(arg) in NUMBERS and dtype is not None and dtype.char in "fd"
            ):
                easy = False
        if dtype is None or not easy or dtype.char not in self.plain:
            converted = self._promote(args, values)
        else:
            converted = None
        kind = type(values[self.first])
        xp = NAMESPACES[kind]
        try:
            out = self.forward(xp, *values)
        except ValueError:
            self._refuse_shapes(args)
            raise
        except AttributeError:
            self._refuse_missing(args)
            raise
        if trace is not None:
            trace.called(self, values, out)
        if type(out) is tuple:
            return self._finish_several(args, values, out, mask, converted, xp)
        if type(out) is not kind:
            out = xp.asarray(out)  # NumPy gives scalars where arrays have no dimensions
        if converted is not None and converted.half is not None and out.dtype.char == "f":
            out = xp.cast(out, converted.half)
        tensor = _new(Tensor)
        tensor._array = out
        tensor._storage = Storage(out)
        if mask and mode.enabled:
            self._record(args, values, out, mask, converted, tensor)
        return tensor

    def _record(
        self,
        args: tuple,
        values: list,
        out: Any,
        mask: int,
        converted: Any,
        tensor: Tensor,
        outs: tuple = (),
    ) -> None:
        if not self.differentiable or out.dtype.char not in "fdeE":
            return
        plan = self._plans.get(mask) or self.plan(mask)
        saved: list[Any] = []
        kept: list[Any] = []
        checks: list[Any] = []
        for position in plan.saves:
            if position < 0:
                each = tensor if position == OUT else outs[OUT - position]
                storage = each._storage
                saved.append(storage)
                kept.append(each._array)
                checks.append((storage, 0))
            elif position < SHAPE:
                arg = args[position]
                saved.append(arg)
                if not isinstance(arg, Tensor):
                    kept.append(arg)  # a number, even if the forward was given an array of it
                else:
                    kept.append(values[position])
                    storage = arg._storage
                    checks.append((storage, storage.version))
            else:
                saved.append(None)
                kept.append(plan.described(position, args, values))
        edges: list[Edge] = [(args[p]._node, args[p]._index) for p in plan.inputs]
        facts = None
        if converted is not None or not (self.exact or plan.same_shape(values, out)):
            facts = plan.facts(args, values, converted)
        node = tensor._node = OpNode(plan, edges, saved, kept, checks, facts)
        if self.label is not None:
            node.label = self.label(*args)

    def _finish_several(
        self, args: tuple, values: list, outs: tuple, mask: int, converted: Any, xp: Any
    ) -> tuple:
        tensors = []
        for out in outs:
            out = xp.asarray(out)
            if converted is not None and converted.half is not None and out.dtype.char == "f":
                out = xp.cast(out, converted.half)
            tensors.append(wrap(out))
        floating = [t for t in tensors if t._array.dtype.char in "fdeE"]
        if mask and mode.enabled and self.differentiable and floating:
            first = floating[0]
            self._record(args, values, first._array, mask, converted, first, tuple(tensors))
            node = first._node
            assert node is not None
            node.outputs = len(tensors)
            for index, tensor in enumerate(tensors):
                if tensor._array.dtype.char in "fdeE":
                    tensor._node, tensor._index = node, index
        return tuple(tensors)

    def plan(self, mask: int) -> Plan:
        """Returns (and remembers) what a call with these tracked tensors saves and computes."""
        found = self._plans[mask] = Plan(self, mask)
        return found

    # --- arguments
    def bind(self, args: tuple, kwargs: dict) -> tuple:
        """Returns one value per parameter; raises TypeError with torch's sentences."""
        if self.variadic is not None and len(args) > self.variadic:
            head, rest = args[: self.variadic], args[self.variadic :]
            if rest and (len(rest) > 1 or hasattr(rest[0], "__index__")):
                if all(hasattr(each, "__index__") for each in rest):
                    args = (*head, rest)
        if len(args) > self.positional:
            raise TypeError(
                f"{self.name}() takes {self.positional} positional arguments but {len(args)} "
                "were given"
            )
        bound = list(args)
        used = 0
        for name in self.parameters[len(args) :]:
            if name in kwargs:
                bound.append(kwargs[name])
                used += 1
            elif name in self.defaults:
                bound.append(self.defaults[name])
            else:
                bound.append(self._alias(name, kwargs))
                used += 1
        if used != len(kwargs):
            return self._bind_aliases(args, kwargs)
        return tuple(bound)

    def _alias(self, name: str, kwargs: dict) -> Any:
        for alias in kwargs:
            if ALIASES.get(alias) == name:
                return kwargs[alias]
        raise TypeError(f'{self.name}() missing 1 required positional arguments: "{name}"')

    def _bind_aliases(self, args: tuple, kwargs: dict) -> tuple:
        """Binds once more, with NumPy's names for parameters replaced by PyTorch's."""
        renamed = {
            n if n in self.parameters else ALIASES.get(n, n): value for n, value in kwargs.items()
        }
        if len(renamed) == len(kwargs) and renamed.keys() != kwargs.keys():
            return self.bind(args, renamed)
        self._refuse_keyword(kwargs, len(args))
        raise TypeError(f"{self.name}() got repeated arguments {sorted(kwargs)}")

    def _refuse_keyword(self, kwargs: dict, given: int) -> None:
        for name in kwargs:
            known = name if name in self.parameters else ALIASES.get(name)
            if known in self.parameters[:given]:
                raise TypeError(f"{self.name}() got multiple values for argument '{name}'")
            if known not in self.parameters:
                raise TypeError(f"{self.name}() got an unexpected keyword argument '{name}'")

    def _call_out(self, args: tuple, kwargs: dict) -> Any:
        from .autograd.views import check_cast, write_out

        kwargs = dict(kwargs)
        out = kwargs.pop("out")
        if out is None:
            return self(*args, **kwargs)
        with_grad = mode.enabled
        try:
            result = self(*args, **kwargs)
        except NotImplementedError as error:
            if hasattr(error, "dtype") and isinstance(out, Tensor):
                check_cast(error.dtype, out.dtype)
            raise
        several = isinstance(result, tuple)
        results, outs = (result, out) if several else ((result,), (out,))
        for value, target in zip(results, outs, strict=True):
            if with_grad and (value.requires_grad or target.requires_grad):
                raise RuntimeError(
                    f"{self.name}(): functions with out=... arguments don't support automatic "
                    "differentiation, but one of the arguments requires grad."
                )
            write_out(target, value)
        return out

    def _call_typed(self, args: tuple, kwargs: dict) -> Any:
        """Runs the op in the dtype asked for: `input` is cast before it, the result after."""
        dtype = kwargs["dtype"]
        if not isinstance(dtype, dtypes.dtype):
            raise TypeError(
                f"{self.name}(): argument 'dtype' must be torch.dtype, not {type(dtype).__name__}"
            )
        if self.asked is not None:
            self.asked(dtype)
        input, *rest = self.bind(args, {**kwargs, "dtype": None})
        if not isinstance(input, Tensor):
            self._refuse(0, input)
        cast = NAMESPACES[Tensor].cast
        result = self(input if input.dtype is dtype else cast(input, dtype), *rest)
        return result if result.dtype is dtype else cast(result, dtype)

    def _refuse_missing(self, args: tuple) -> None:
        """Raises TypeError if an operand that cannot be left out is None."""
        for name, (_, position, _) in zip(self.tensor_names, self.tensors, strict=True):
            if args[position] is None and self.defaults.get(name, self) is not None:
                self._refuse(position, None)

    def _refuse_shapes(self, args: tuple) -> None:
        """Raises RuntimeError with torch's sentence if the operands cannot be broadcast."""
        operands = [args[position] for _, position, _ in self.tensors]
        broadcast_shapes(*(tuple(each.shape) for each in operands if isinstance(each, Tensor)))

    def _refuse(self, position: int, arg: Any) -> NoReturn:
        name = self.parameters[position]
        raise TypeError(
            f"{self.name}(): argument '{name}' (position {position + 1}) must be Tensor, not "
            f"{type(arg).__name__}"
        )

    # --- promotion
    def _promote(self, args: tuple, values: list) -> Converted | None:
        """Brings the operands in `values` to a common dtype by the op's kind."""
        if self.check is not None:
            self.check(*args)
        first = self.first
        ranks: tuple[list, list, list] = ([], [], [])
        places = []
        namespace = None
        for bit, position, _ in self.tensors:
            arg = args[position]
            if isinstance(arg, Tensor):
                if not bit:
                    continue
                value = values[position]
                xp = NAMESPACES[type(value)]
                ranks[0 if value.ndim else 1].append(xp.dtype_of(value))
                if namespace is None:
                    namespace, first = xp, position
                elif xp is not namespace:
                    self._refuse_devices(args)
                places.append(position)
            elif arg is None:
                continue
            elif self.parameters[position] in self.numbers and _is_number(arg):
                ranks[2].append(dtypes.of_number(arg))
                places.append(position)
            else:
                self._refuse(position, arg)
        if namespace is None:
            self._refuse_numbers(args, places)
        if self.promote is KEEP and not self.lacks:
            return None
        common = dtypes.combine(*ranks)
        if common.char in self.lacks:
            self._refuse_dtype(common, args)
        if self.promote is KEEP:
            return None
        target = _TARGET[self.promote](common)
        half = target if target.char in "eE" else None
        compute = dtypes.float32 if half is not None else target
        changed = False
        for position in places:
            value = values[position]
            if isinstance(args[position], Tensor):
                if namespace.dtype_of(value) is not compute:
                    values[position] = namespace.cast(value, compute)
                    changed = True
            else:
                values[position] = _fit(args[position], compute)
        if first != self.first:
            values[self.first] = namespace.asarray(values[self.first], compute)
        return Converted(half) if changed or half is not None else None

    def _refuse_dtype(self, common: dtypes.dtype, args: tuple) -> None:
        kernel = self.kernel if isinstance(self.kernel, str) else self.kernel(common, *args)
        if kernel:
            error = NotImplementedError(f"\"{kernel}\" not implemented for '{common.legacy}'")
            error.dtype = common  # type: ignore[attr-defined]  # of the result there would be
            raise error

    def _refuse_numbers(self, args: tuple, places: list) -> NoReturn:
        if not places:
            raise TypeError(f"{self.name}() needs at least one Tensor argument")
        raise TypeError(
            f"{self.name}(): argument '{self.parameters[places[0]]}' (position {places[0] + 1}) "
            f"must be Tensor, not {type(args[places[0]]).__name__}"
        )

    def _refuse_devices(self, args: tuple) -> None:
        named = [
            f"{self.parameters[p]} on {args[p].device}"
            for _, p, _ in self.tensors
            if isinstance(args[p], Tensor)
        ]
        places = [each.rsplit(" ", 1)[1] for each in named]
        raise RuntimeError(
            "Expected all tensors to be on the same device, but found at least two devices, "
            f"{places[0]} and {next(p for p in places if p != places[0])}! "
            f"({self.name}: {', '.join(named)})"
        )


class Converted:
    """Says that operands were cast before the forward, and to which half type results go back."""

    __slots__ = ("half",)

    def __init__(self, half: dtypes.dtype | None):
        self.half = half


def _to_float(dtype: dtypes.dtype) -> dtypes.dtype:
    return dtype if dtype.kind == "f" else dtypes.get_default_dtype()


def _to_long(dtype: dtypes.dtype) -> dtypes.dtype:
    return dtype if dtype.kind == "f" else dtypes.int64


_TARGET = {SAME: lambda d: d, BOOL: lambda d: d, FLOAT: _to_float, INT_TO_LONG: _to_long}
_TARGET[BOOL_TO_LONG] = lambda d: dtypes.int64 if d.kind == "b" else d


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) or (
        not isinstance(value, (str, list, tuple, Tensor))
        and hasattr(value, "__float__")
        and not getattr(value, "shape", ())
    )


def _fit(number: Any, dtype: dtypes.dtype) -> Any:
    """Returns a Python number as the dtype holds it: integers wrap around, as torch's do.

    Raises OverflowError for an integer of more than 64 bits, where the dtype is no float.
    """
    if isinstance(number, int) and not -(1 << 63) <= number < 1 << 64:
        raise OverflowError(
            "int too big to convert" if number > 0 else "can't convert negative int to unsigned"
        )
    if dtype.kind == "f":
        return float(number)
    if dtype.kind == "b":
        return bool(number)
    number = int(number)
    bits = dtype.itemsize * 8
    number &= (1 << bits) - 1
    return number - (1 << bits) if dtype.kind == "i" and number >> (bits - 1) else number


def _positional(function: Callable[..., Any]) -> Callable[..., Any]:
    """Returns the function with its keyword-only parameters made positional.

    An op binds every parameter before it calls its forward, and a call by position is the fastest.
    """
    code = function.__code__
    if not code.co_kwonlyargcount:
        return function
    count = code.co_argcount + code.co_kwonlyargcount
    code = code.replace(co_argcount=count, co_kwonlyargcount=0)
    return FunctionType(code, function.__globals__, function.__name__, None, function.__closure__)


def _names(formula: Callable[..., Any]) -> tuple[str, ...]:
    return tuple(inspect.signature(formula).parameters)


def _camel(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))


def _bound(op: Op, instance: Any) -> Callable[..., Any]:
    def method(*args: Any, **kwargs: Any) -> Any:
        return op(instance, *args, **kwargs)

    method.__name__ = op.name
    method.__doc__ = op.__doc__
    return method


def op(forward: Callable[..., Any] | None = None, **options: Any) -> Any:
    """Declares an op that runs on arrays and is one node on the tape; see `Op` for the options."""
    return _declare(Op, forward, options)


def composite(forward: Callable[..., Any] | None = None, **options: Any) -> Any:
    """Declares an op that runs over tensors, so that autograd sees its parts."""
    return _declare(Composite, forward, options)


def _declare(cls: type, forward: Callable[..., Any] | None, options: dict) -> Any:
    def make(function: Callable[..., Any]) -> Op:
        made = cls(function, **options)
        for name in (made.name, *made.aliases):
            if name in REGISTRY:
                raise ValueError(f"op {name} is declared twice")
            REGISTRY[name] = made
        return made

    return make if forward is None else make(forward)


class Composite(Op):
    """An op whose forward runs with `lantern.ops` as its namespace."""

    composite = True

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Runs the op over tensors."""
        if kwargs or len(args) != self.arity:
            if "out" in kwargs and "out" not in self.parameters:
                return self._call_out(args, kwargs)
            args = self.bind(args, kwargs)
        for _, position, _ in self.tensors:
            arg = args[position]
            if not isinstance(arg, Tensor) and arg is not None:
                name = self.parameters[position]
                if not (name in self.numbers and _is_number(arg)):
                    self._refuse(position, arg)
        return self.forward(NAMESPACES[Tensor], *args)


class SequenceOp(Op):
    """An op whose first argument is a sequence of tensors, such as `cat`."""

    empty: tuple[type[Exception], str] = (RuntimeError, "expected a non-empty list of Tensors")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Computes the op of a sequence, and records it where a gradient is wanted."""
        if kwargs or len(args) != self.arity:
            if "out" in kwargs:
                return self._call_out(args, kwargs)
            args = self.bind(args, kwargs)
        tensors = self._check(args[0])
        dtype = tensors[0].dtype
        if any(each.dtype is not dtype for each in tensors):
            ranks: tuple[list, list] = ([], [])
            for each in tensors:
                ranks[0 if each.ndim else 1].append(each.dtype)
            dtype = dtypes.combine(*ranks, [])
            tensors = [
                t if t.dtype is dtype else NAMESPACES[Tensor].cast(t, dtype) for t in tensors
            ]
        trace = active.trace
        values = [each._array if trace is None else trace.read(each) for each in tensors]
        xp = NAMESPACES[type(values[0])]
        if any(type(each) is not type(values[0]) for each in values):
            self._refuse_mixed(tensors)
        tensor = wrap(xp.asarray(self.forward(xp, values, *args[1:])))
        if mode.enabled and any(current_node(each) is not None for each in tensors):
            edges = [None if t._node is None else (t._node, t._index) for t in tensors]
            shapes = [value.shape for value in values]
            tensor._node = SequenceNode(self, edges, shapes, args[1:])
        return tensor

    def _check(self, tensors: Any) -> list:
        if isinstance(tensors, Tensor) or not isinstance(tensors, (list, tuple)):
            raise TypeError(
                f"{self.name}(): argument 'tensors' (position 1) must be tuple of Tensors, not "
                f"{type(tensors).__name__}"
            )
        for i, each in enumerate(tensors):
            if not isinstance(each, Tensor):
                raise TypeError(
                    f"expected Tensor as element {i} in argument 0, but got {type(each).__name__}"
                )
        if not tensors:
            kind, text = self.empty
            raise kind(text)
        return list(tensors)

    def _refuse_mixed(self, tensors: list) -> None:
        places = sorted({str(each.device) for each in tensors})
        raise RuntimeError(
            "Expected all tensors to be on the same device, but found at least two devices, "
            f"{places[0]} and {places[1]}! ({self.name}: argument 'tensors')"
        )


class SequenceNode(Node):
    """A recorded call of a `SequenceOp`; its formula returns one gradient per tensor."""

    def __init__(self, op: SequenceOp, edges: list[Edge], shapes: list, args: tuple):
        super().__init__(edges)
        self.op, self.shapes, self.args = op, shapes, args

    def name(self) -> str:
        """Returns PyTorch's name for the call."""
        return self.op.grad_name(self)  # type: ignore[arg-type]

    def backward(self, g: Any, create_graph: bool) -> Any:
        """Returns one gradient per tensor of the sequence."""
        formula, _ = self.op.formulas["tensors"]
        return formula(NAMESPACES[type(g)], g, self.shapes, *self.args)


def sequence_op(forward: Callable[..., Any] | None = None, **options: Any) -> Any:
    """Declares an op over a sequence of tensors; its formula is `(xp, g, shapes, *args)`."""
    return _declare(SequenceOp, forward, options)
