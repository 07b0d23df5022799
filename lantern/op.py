"""`Op`: a function of tensors, written once over a namespace `xp`.

Calling an op unwraps its tensors, brings them to a common dtype by the op's declared kind, runs the
forward in the namespace that their values belong to, wraps the result and, where a gradient is
wanted, puts one node on the tape. The formulas of the op say by their parameter names what that
node saves. While a trace is active values are symbols, and the same call is recorded instead.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

from . import dtypes
from .arranging import arranged
from .autograd import autocast
from .autograd.graph import Edge, OpNode
from .autograd.mode import active, mode
from .autograd.plan import OFTEN, OUT, SHAPE, Plan
from .autograd.views import check_cast, rederive, write_out
from .backends import NAMESPACES, gpu, restore, silence
from .binding import bind, names_of, positional, refuse, refuse_missing, refuse_shapes
from .moving import together
from .promotion import (  # noqa: F401  (the kinds are what ops are declared with)
    BOOL,
    BOOL_TO_LONG,
    FLOAT,
    INT_TO_LONG,
    KEEP,
    PLAIN,
    SAFE,
    SAME,
    Converted,
    is_number,
    promote,
)
from .quick import write_call, write_record
from .tensor import Tensor, wrap

# Parameters of these names are tensors; all others are plain Python values.
TENSOR_NAMES = frozenset(
    "input other weight bias mat1 mat2 mat vec vec1 vec2 batch1 batch2 tensor1 tensor2 target end "
    "tensor condition src index mask value source x y indices running_mean running_var".split()
)
# These are tensors that take no part in promotion and have no gradient.
APART = frozenset("condition index indices mask".split())

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
        fits: str = "",
        wide: str = "",
        rounds: str = "",
        steps: bool | Callable[..., bool] = False,
        packed: str = "",
    ):
        self.forward = positional(forward)
        self.name = self.__name__ = forward.__name__.rstrip("_")
        self.signature = inspect.signature(forward)
        self.__doc__, self.__module__ = forward.__doc__, forward.__module__
        self.dunder, self.aliases = dunder.split(), aliases.split()
        self.method, self.function, self.inplace, self.public = method, function, inplace, public
        self.differentiable = differentiable
        self.exact = exact  # formulas return gradients in the shape of their inputs
        self.label = label  # names the node by the arguments of a call
        self._grad_name = grad_name or _camel(self.name) + "Backward0"
        self.asked = asked  # checks a `dtype=` that a call asks for
        self.fits = fits  # numbers must be in range of the dtype; "wide": halves are float32 there
        # Of half types: operands that are not rounded to the type first where they are numbers or
        # hold one element ("name*": of any size), further numbers that are, and whether every step
        # is rounded (or a test of the call).
        self.wide, self.rounds, self.steps = frozenset(wide.split()), rounds.split(), steps
        self.packed = packed  # how its result lies in memory, where that is no matter of course
        self._read_dtypes(promote, check, lacks)
        self._read_signature(numbers.split(), variadic, TENSOR_NAMES.union(tensors.split()))
        self.formulas: dict[str, tuple[Callable[..., Any], tuple[str, ...]]] = {}
        self.joint: tuple[tuple[str, ...], Callable[..., Any], tuple[str, ...]] | None = None
        self._plans: dict[int, Plan] = {}
        self.calls = 0
        self.quick: Callable[..., Any] | None = None  # written after some calls
        self.records: dict[int, Callable[..., Any]] = {}
        self.methods: list[tuple[str, Callable[..., Any], Callable[..., Any] | None]] = []

    def _read_dtypes(
        self,
        promote: str,
        check: tuple[str, Callable[..., Any]] | None,
        lacks: str | tuple[str, Callable[..., str]],
    ) -> None:
        """Keeps what the op does with operands of which dtypes.

        `check` is a function of the arguments and the dtypes it is called for; `lacks` names
        those that are refused and the kernel that lacks them, as in "?HIL abs_cpu".
        """
        self.promote = promote
        self.check = None if check is None else check[1]
        self.kernel: str | Callable[..., str]
        codes, self.kernel = (lacks + " ").split(" ")[:2] if isinstance(lacks, str) else lacks
        self.lacks = frozenset(codes)
        asking = self.lacks.union("" if check is None else check[0])
        self.plain = "".join(code for code in PLAIN[promote] if code not in asking)

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
        # Others may be None, or fail as soon as something is asked of them.
        self.required = frozenset(
            position
            for _, position, numeric in self.tensors
            if (numeric or position == self.first)
            and self.defaults.get(self.parameters[position], self) is not None
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
            self.formulas[name] = (formula, names_of(formula))
        return self

    def vjp_together(self, *names: str) -> Callable[[Callable[..., Any]], Op]:
        """Declares one formula that returns the gradients of several parameters at once.

        It may ask for `needs`, a tuple that says which of them are wanted.
        """

        def declare(formula: Callable[..., Any]) -> Op:
            self.joint = (names, formula, names_of(formula))
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
        if self.quick is not None:
            return self.quick(*args, **kwargs)
        self.calls += 1
        if self.calls == OFTEN:
            self._quicken()
        return self.run(*args, **kwargs)

    def run(self, *args: Any, **kwargs: Any) -> Any:
        """Calls the op the general way."""
        if mode.autocast is not None and self.name in autocast.LISTED:
            return autocast.call(self, args, kwargs)
        if kwargs or len(args) != self.arity:
            tail = None if kwargs else self.tails.get(len(args))
            if tail is not None:
                args += tail
            elif "out" in kwargs:
                return self._call_out(args, kwargs)
            elif self.typed and kwargs.get("dtype") is not None:
                return self._call_typed(args, kwargs)
            else:
                args = bind(self, args, kwargs)
        token = silence()
        try:
            if gpu.kind is not None:
                return together(self, args, self._compute)
            return self._compute(args)
        finally:
            restore(token)

    def _compute(self, args: tuple) -> Any:
        values, mask, dtype = self._read(args)
        converted = None
        if dtype is None or dtype.char not in self.plain:
            converted = self._promote(args, values)
        kind = type(values[self.first])
        xp = NAMESPACES[kind]
        try:
            out = self.forward(xp, *values)
        except ValueError:
            refuse_shapes(self, args)
            raise
        except AttributeError:
            refuse_missing(self, args)
            raise
        if active.recording and active.trace:
            active.trace.called(self, values, out)
        if type(out) is tuple:
            return self._finish_several(args, values, out, mask, converted, xp)
        if type(out) is not kind:
            out = xp.asarray(out)  # NumPy gives scalars where arrays have no dimensions
        tensor = self._wrapped(xp, out, args, converted)
        if mask and mode.enabled:
            self._record(args, values, tensor._array, mask, converted, tensor)
        return tensor

    def _wrapped(self, xp: Any, out: Any, args: tuple, converted: Converted | None) -> Tensor:
        """Returns a result as a tensor, in the half type of the operands and the order declared."""
        if converted is not None and converted.half is not None and out.dtype.char == "f":
            out = xp.cast(out, converted.half)
        if self.packed and not xp.is_packed(out):
            out = arranged(self, out, args)
        return wrap(out)

    def _read(self, args: tuple) -> tuple[list, int, Any]:
        """Returns the values of the arguments, and which of the tensors are tracked, as bits.

        The third is the dtype that all of the tensors have; None where operands differ, or hold a
        number that has to be looked at.
        """
        values = list(args)
        mask = 0
        dtype = None
        easy = True
        trace = active.recording and active.trace
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
            elif arg is None:
                if position in self.required:
                    refuse(self, position, None)
            elif not (numeric and dtype is not None and dtype.char in "fd" and self.is_easy(arg)):
                easy = False
        return values, mask, dtype if easy else None

    def complete(self, args: tuple, kwargs: dict) -> tuple:
        """Returns one value per parameter for a call that leaves some out, or names them."""
        tail = None if kwargs else self.tails.get(len(args))
        return bind(self, args, kwargs) if tail is None else args + tail

    def is_easy(self, number: Any) -> bool:
        """Says whether a number can be computed with as it is, by floating point operands."""
        if type(number) is float:
            return not self.fits or -SAFE <= number <= SAFE
        return type(number) is int and -SAFE <= number <= SAFE

    def _promote(self, args: tuple, values: list) -> Converted | None:
        return promote(self, args, values)

    def _quicken(self) -> None:
        """Has the short way written, and puts it in the places of the methods, too."""
        if self.variadic is not None or not any(bit for bit, _, _ in self.tensors):
            return
        self.quick = write_call(self, self.run)
        cls: Any = type(self)
        if cls.__call__ is not Op.__call__:
            return  # it prepares the arguments, and calls this class after that
        self.__class__ = type(cls.__name__, (cls,), {"__call__": staticmethod(self.quick)})
        for name, method, slow in self.methods:
            if vars(Tensor).get(name) is method:
                made = self.quick if slow is None else write_call(self, slow)
                setattr(Tensor, name, functools.update_wrapper(made, method))

    def record_of(self, mask: int) -> Callable[..., Any]:
        """Returns (and remembers) the function that records a call with these tracked tensors."""
        found = self.records[mask] = write_record(self._plans.get(mask) or self.plan(mask))
        return found

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
            tensors.append(self._wrapped(xp, xp.asarray(out), args, converted))
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

    def _call_out(self, args: tuple, kwargs: dict) -> Any:
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
        input, *rest = bind(self, args, {**kwargs, "dtype": None})
        if not isinstance(input, Tensor):
            refuse(self, 0, input)
        cast = NAMESPACES[Tensor].cast
        result = self(input if input.dtype is dtype else cast(input, dtype), *rest)
        return result if result.dtype is dtype else cast(result, dtype)


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
    return declare(Op, forward, options)


def composite(forward: Callable[..., Any] | None = None, **options: Any) -> Any:
    """Declares an op that runs over tensors, so that autograd sees its parts."""
    return declare(Composite, forward, options)


def declare(cls: type, forward: Callable[..., Any] | None, options: dict) -> Any:
    """Declares an op of a class of its own, and enters it in the registry."""

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
        if mode.autocast is not None and self.name in autocast.LISTED:
            return autocast.call(self, args, kwargs)
        if kwargs or len(args) != self.arity:
            if "out" in kwargs and "out" not in self.parameters:
                return self._call_out(args, kwargs)
            args = bind(self, args, kwargs)
        for _, position, _ in self.tensors:
            arg = args[position]
            if not isinstance(arg, Tensor) and arg is not None:
                name = self.parameters[position]
                if not (name in self.numbers and is_number(arg)):
                    refuse(self, position, arg)
        if gpu.kind is not None:
            return together(self, args, lambda args: self.forward(NAMESPACES[Tensor], *args))
        return self.forward(NAMESPACES[Tensor], *args)
