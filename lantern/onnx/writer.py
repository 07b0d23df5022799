"""Writes an ONNX graph: nodes, constants, and sizes that are computed when the model runs."""

from __future__ import annotations

import struct
from typing import Any

import lantern

from ..compiler.ir import Value
from ..dtypes import dtype
from ..tensor import Tensor
from .capture import Captured
from .errors import UnsupportedOperatorError
from .sizes import OneOver, Size

TYPES = {
    "bool": "BOOL", "uint8": "UINT8", "uint16": "UINT16", "uint32": "UINT32", "uint64": "UINT64",
    "int8": "INT8", "int16": "INT16", "int32": "INT32", "int64": "INT64", "float16": "FLOAT16",
    "bfloat16": "BFLOAT16", "float32": "FLOAT", "float64": "DOUBLE",
}  # fmt: skip
FORMS = {"bool": "?", "uint8": "B", "int8": "b", "int16": "h", "int32": "i", "int64": "q",
         "uint16": "H", "uint32": "I", "uint64": "Q", "float32": "f", "float64": "d"}  # fmt: skip
END, START = 2**63 - 1, -(2**63)  # to the end, and before the beginning, of an axis


def library() -> Any:
    """Returns the library `onnx`; raises ModuleNotFoundError with the extra that brings it."""
    try:
        import onnx
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            "exporting to ONNX needs the library: pip install 'lantern-dl[onnx]'", name=error.name
        ) from None
    return onnx


class Writer:
    """The graph that is being written; handlers of primitives and ops call its methods.

    A name is a string: the output of a node, an input or an initializer.
    """

    def __init__(self, captured: Captured, opset: int):
        self.captured = captured
        self.opset = opset
        self.onnx = library()
        self.nodes: list[Any] = []
        self.initializers: list[Any] = []
        self.names: dict[Value, str] = {}
        self.taken: set[str] = set()
        self.lengths: dict[str, tuple[str, int]] = {}  # of an open axis: an input and its dimension
        self.now: Value | None = None  # what is being written
        self._constants: dict[tuple, str] = {}

    # --- nodes and names
    def node(self, kind: str, *inputs: str, outputs: int = 1, **attributes: Any) -> Any:
        """Adds a node and returns the name of its output, or a tuple of names."""
        names = [self.fresh(kind) for _ in range(outputs)]
        self.add(kind, inputs, names, attributes)
        return names[0] if outputs == 1 else tuple(names)

    def add(self, kind: str, inputs: Any, outputs: list[str], attributes: dict) -> None:
        """Adds a node whose outputs have names already."""
        known = {name: each for name, each in attributes.items() if each is not None}
        name = outputs[0] if outputs[0] else kind
        self.nodes.append(
            self.onnx.helper.make_node(kind, list(inputs), outputs, f"node_{name}", **known)
        )

    def fresh(self, stem: str) -> str:
        """Returns a name that is not taken yet."""
        stem = stem.lower() if stem.isidentifier() else stem
        name, count = stem, 0
        while name in self.taken:
            count += 1
            name = f"{stem}_{count}"
        self.taken.add(name)
        return name

    def __call__(self, arg: Any, like: dtype | None = None) -> str:
        """Returns the name of an operand: a value, or a number as an element of type `like`."""
        if isinstance(arg, Value):
            return self.names[arg]
        if like is None:
            raise self.unsupported("an operand is a number where a tensor belongs")
        return self.number(arg, like)

    def unsupported(self, why: str, name: str = "") -> UnsupportedOperatorError:
        """Returns the error that says what of the present primitive cannot be written."""
        now = self.now
        assert now is not None
        return UnsupportedOperatorError(name or now.name, now.place, self.opset, why)

    # --- constants
    def type_of(self, kind: dtype) -> int:
        """Returns ONNX's number of a dtype."""
        return getattr(self.onnx.TensorProto, TYPES[kind.name])

    def tensor(self, tensor: Tensor, name: str = "") -> str:
        """Adds an initializer with the elements of a tensor."""
        packed: Any = tensor.detach().contiguous()
        start = packed.storage_offset() * packed.element_size()
        size = packed.numel() * packed.element_size()
        content = bytes(packed.untyped_storage().buffer()[start : start + size])
        return self._initializer(packed.dtype, tuple(packed.shape), content, name)

    def constant(self, values: Any, kind: dtype, shape: tuple[int, ...] | None = None) -> str:
        """Adds an initializer of numbers in row-major order, once; one number has no dimension."""
        single = not isinstance(values, (list, tuple))
        numbers = [values] if single else list(values)
        shape = (() if single else (len(numbers),)) if shape is None else shape
        if kind.name not in FORMS:
            wide = self.constant(values, lantern.float32, shape)
            return self.node("Cast", wide, to=self.type_of(kind))
        cast = bool if kind.kind == "b" else float if kind.kind == "f" else int
        content = struct.pack(f"<{len(numbers)}{FORMS[kind.name]}", *map(cast, numbers))
        key = kind, shape, content
        if key not in self._constants:
            self._constants[key] = self._initializer(kind, shape, content, "")
        return self._constants[key]

    def _initializer(self, kind: dtype, shape: tuple, content: bytes, name: str) -> str:
        name = self.fresh(name or "constant")
        self.initializers.append(
            self.onnx.helper.make_tensor(name, self.type_of(kind), shape, content, raw=True)
        )
        return name

    # --- sizes
    def number(self, value: Any, kind: dtype) -> str:
        """Returns the name of a number, which may be a Size."""
        if not isinstance(value, Size):
            return self.constant(value, kind)
        whole = self.node("Squeeze", self._length(value), self.constant([0], lantern.int64))
        name = self.node("Cast", whole, to=self.type_of(kind))
        return self.node("Reciprocal", name) if isinstance(value, OneOver) else name

    def integers(self, values: Any) -> str:
        """Returns the name of a row of integers, some of which may be Sizes."""
        if not any(isinstance(each, Size) for each in values):
            return self.constant([int(each) for each in values], lantern.int64)
        parts = [self._length(each) for each in values]
        return parts[0] if len(parts) == 1 else self.node("Concat", *parts, axis=0)

    def _length(self, value: Any) -> str:
        """Returns the name of a row of one integer."""
        if not isinstance(value, Size):
            return self.constant([int(value)], lantern.int64)
        key = ("size", value)
        if key in self._constants:
            return self._constants[key]
        total = ""
        for names, coefficient in sorted(value.terms.items()):
            if coefficient.denominator != 1:
                raise self.unsupported(f"it needs the length {value}")
            parts = [self._axis(name) for name in names]
            if coefficient != 1 or not parts:
                parts.append(self.constant([int(coefficient)], lantern.int64))
            term = parts[0]
            for part in parts[1:]:
                term = self.node("Mul", term, part)
            total = self.node("Add", total, term) if total else term
        self._constants[key] = total
        return total

    def _axis(self, name: str) -> str:
        key = ("axis", name)
        if key not in self._constants:
            source, dim = self.lengths[name]
            shape = self.node("Shape", source)
            where = self.constant([dim], lantern.int64)
            self._constants[key] = self.node("Gather", shape, where, axis=0)
        return self._constants[key]

    def static(self, value: Any, what: str) -> int:
        """Returns an int as it is; raises for a Size, where ONNX wants a number."""
        if isinstance(value, Size):
            raise self.unsupported(f"its {what} depends on an open axis ({value})")
        return int(value)

    # --- what many handlers need
    def shape(self, value: Value) -> tuple:
        """Returns the shape, with a Size for each length that is open."""
        return self.captured.shape(value)

    def cast(self, name: str, kind: dtype) -> str:
        """Returns a name cast to a dtype."""
        return self.node("Cast", name, to=self.type_of(kind))

    def reshape(self, name: str, shape: Any) -> str:
        """Reshapes to integers and Sizes, of which one alone is left to be inferred."""
        shape = list(shape)
        unknown = [i for i, each in enumerate(shape) if isinstance(each, Size)]
        if len(unknown) == 1 and 0 not in shape:
            shape[unknown[0]] = -1
        return self.node("Reshape", name, self.integers(shape), allowzero=1 if 0 in shape else None)

    def slice(self, name: str, axis: int, start: Any, stop: Any, step: Any = 1) -> str:
        """Takes a part of one axis."""
        bounds = [self.integers([each]) for each in (start, stop, axis, step)]
        return self.node("Slice", name, *bounds)

    def transpose(self, name: str, order: Any) -> str:
        """Permutes the dimensions, where they change at all."""
        order = list(order)
        return name if order == sorted(order) else self.node("Transpose", name, perm=order)

    def squeeze(self, name: str, axes: list[int]) -> str:
        """Takes dimensions of length 1 away."""
        return self.node("Squeeze", name, self.integers(axes)) if axes else name

    def unsqueeze(self, name: str, axes: list[int]) -> str:
        """Adds dimensions of length 1 at places of the result."""
        return self.node("Unsqueeze", name, self.integers(axes)) if axes else name

    def expand(self, name: str, shape: Any) -> str:
        """Repeats dimensions of length 1."""
        if 0 in shape:  # nothing is left of them
            assert self.now is not None
            zero = self.onnx.helper.make_tensor("", self.type_of(self.now.dtype), (1,), [0])
            return self.node("ConstantOfShape", self.integers(shape), value=zero)
        return self.node("Expand", name, self.integers(shape))

    def index(self, value: Value) -> str:
        """Returns the name of an index as int64."""
        name = self(value)
        if value.dtype.name in ("int64", "int32"):
            return name
        if value.dtype.kind == "b":
            raise self.unsupported("an index is a mask, whose count is not known")
        return self.cast(name, lantern.int64)
