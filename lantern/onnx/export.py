"""`export`: a model as an ONNX file, from the record of one run of it."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import lantern

from ..compiler.ir import INPUT, Value
from ..serialization.atomic import replacing
from ..tensor import Tensor
from . import parts, pointwise, primitives  # noqa: F401  (each enters what it writes)
from .capture import Call, Captured, capture, tensors_in
from .errors import OnnxExporterError, UnsupportedOperatorError
from .layers import LAYERS
from .table import TABLE
from .writer import Writer, library

DEFAULT_OPSET, OPSETS = 18, range(18, 24)
EVAL, PRESERVE, TRAINING = 0, 1, 2
LARGEST = 2**31 - 2**24  # bytes of weights that a file in one piece can have
SMALL = 1 << 12


_exporting = False


def is_in_onnx_export() -> bool:
    """Says whether a model is being exported; models may compute more simply then.

    >>> is_in_onnx_export()
    False
    """
    return _exporting


class ONNXProgram:
    """An exported model: `model_proto` is the library's object, `save` writes it to a file."""

    def __init__(self, model_proto: Any):
        self.model_proto = model_proto

    def save(self, destination: str | os.PathLike) -> None:
        """Writes the model to a file, which takes its place when it is whole."""
        content = self.model_proto.SerializeToString()
        with replacing(os.fsdecode(destination)) as file:
            file.write(content)


def export(
    model: Callable[..., Any],
    args: tuple | Tensor = (),
    f: str | os.PathLike | None = None,
    *,
    kwargs: dict[str, Any] | None = None,
    verbose: bool | None = None,
    input_names: Sequence[str] | None = None,
    output_names: Sequence[str] | None = None,
    opset_version: int | None = None,
    dynamo: bool = True,
    external_data: bool = True,
    dynamic_shapes: Any = None,
    custom_translation_table: dict | None = None,
    report: bool = False,
    optimize: bool = True,
    verify: bool = False,
    profile: bool = False,
    dump_exported_program: bool = False,
    artifacts_dir: str | os.PathLike = ".",
    export_params: bool = True,
    keep_initializers_as_inputs: bool = False,
    dynamic_axes: Mapping[str, Mapping[int, str] | Sequence[int]] | None = None,
    training: int = EVAL,
    operator_export_type: int = 0,
    do_constant_folding: bool = True,
    custom_opsets: Mapping[str, int] | None = None,
    export_modules_as_functions: bool | Collection[type] = False,
    autograd_inlining: bool = True,
) -> ONNXProgram:
    """Writes a model, or a function of tensors, to an ONNX file and returns it as an object.

    The model is run once with `args`, in eval mode, and what it computes is written down; axes in
    `dynamic_axes` (`{"x": {0: "batch"}}`, by the names of inputs) may have another length later.
    Without a file the result's `save(path)` writes one. Raises UnsupportedOperatorError for an op
    that ONNX has no form of, naming it, OnnxExporterError for a model that computes other things at
    other lengths of an open axis, and NotImplementedError for options that are not here.

    >>> import lantern
    >>> model = lantern.nn.Sequential(lantern.nn.Linear(2, 3), lantern.nn.ReLU())
    >>> program = export(model, (lantern.ones(1, 2),), dynamic_axes={"input": {0: "batch"}})
    >>> [node.op_type for node in program.model_proto.graph.node]
    ['Gemm', 'Relu']
    """
    _refuse_options(
        custom_translation_table=custom_translation_table, custom_opsets=custom_opsets,
        export_modules_as_functions=export_modules_as_functions, export_params=not export_params,
        keep_initializers_as_inputs=keep_initializers_as_inputs, verify=verify, report=report,
        operator_export_type=operator_export_type, profile=profile,
        dump_exported_program=dump_exported_program,
    )  # fmt: skip
    opset = DEFAULT_OPSET if opset_version is None else opset_version
    if opset not in OPSETS:
        raise ValueError(
            f"Unsupported ONNX opset version: {opset}; Lantern writes {OPSETS[0]} to {OPSETS[-1]}"
        )
    library()  # says what to install before the model is run
    args = args if isinstance(args, tuple) else (args,)
    tensors = tensors_in((args, kwargs or {}))
    names = _input_names(model, args, kwargs or {}, tensors, input_names)
    axes = _open_axes(names, tensors, dynamic_axes, dynamic_shapes)
    with _mode_of(model, training):
        captured = capture(model, args, kwargs or {}, axes)
    proto = _Export(model, captured, names, axes, opset).model(output_names, dynamic_axes)
    if verbose:
        print(library().printer.to_text(proto))
    program = ONNXProgram(proto)
    if f is not None:
        program.save(f)
    return program


def _refuse_options(**options: Any) -> None:
    for name, value in options.items():
        if value:
            raise NotImplementedError(f"torch.onnx.export({name}=…) is not in Lantern yet")


@contextmanager
def _mode_of(model: Any, training: int) -> Any:
    """Puts a module into eval mode while it is recorded, unless its mode is to be kept."""
    global _exporting
    if int(training) not in (EVAL, PRESERVE):
        raise NotImplementedError("torch.onnx.export(training=TRAINING) is not in Lantern yet")
    modules = list(model.modules()) if isinstance(model, lantern.nn.Module) else []
    before = [each.training for each in modules]
    if modules and int(training) == EVAL:
        model.eval()
    _exporting = True
    try:
        yield
    finally:
        _exporting = False
        for each, mode in zip(modules, before, strict=True):
            if each.training is not mode:
                each.training = mode


# --- names and open axes
def _input_names(
    model: Any, args: tuple, kwargs: dict, tensors: list[Tensor], given: Sequence[str] | None
) -> list[str]:
    """Returns a name for each tensor among the arguments: given, or those of the parameters."""
    named = list(given or [])
    if len(named) > len(tensors):
        raise ValueError(
            f"number of input names provided ({len(named)}) exceeded number of inputs "
            f"({len(tensors)})"
        )
    function = model.forward if isinstance(model, lantern.nn.Module) else model
    try:
        bound = inspect.signature(function).bind(*args, **kwargs).arguments
    except (TypeError, ValueError):
        bound = {}
    for name, value in bound.items():
        own = tensors_in(value)
        for i, each in enumerate(own):
            place = next(k for k, tensor in enumerate(tensors) if tensor is each)
            if place == len(named):
                named.append(name if len(own) == 1 else f"{name}_{i}")
    named += [f"input_{i}" for i in range(len(named), len(tensors))]
    if len(set(named)) != len(named):
        raise ValueError(f"two inputs have the same name: {named}")
    return named


def _open_axes(
    names: list[str], tensors: list[Tensor], dynamic_axes: Any, dynamic_shapes: Any
) -> dict[tuple[int, int], str]:
    """Returns the names of open axes, by the place of their tensor and their dimension."""
    axes: dict[tuple[int, int], str] = {}
    for name, dims in _by_name(names, dynamic_axes, dynamic_shapes).items():
        if name not in names or not dims:
            continue  # an output: its open axes follow from the inputs
        place = names.index(name)
        ndim = tensors[place].ndim
        pairs = dims.items() if isinstance(dims, Mapping) else [(dim, None) for dim in dims]
        for dim, label in pairs:
            if not -ndim <= dim < ndim:
                raise ValueError(f"input '{name}' of {ndim} dimensions has no axis {dim}")
            label = getattr(label, "__name__", label)
            if label is None or not isinstance(label, str):
                label = f"{name}_dynamic_axes_{dim % ndim}"
            axes[place, dim % ndim] = label
    return axes


def _by_name(names: list[str], dynamic_axes: Any, dynamic_shapes: Any) -> dict[str, Any]:
    if dynamic_shapes is None:
        return dict(dynamic_axes or {})
    if isinstance(dynamic_shapes, Mapping):
        return dict(dynamic_shapes)
    return dict(zip(names, dynamic_shapes, strict=False))


# --- the graph
class _Export:
    """One export: what was recorded, and the graph that it becomes."""

    def __init__(
        self,
        model: Any,
        captured: Captured,
        names: list[str],
        axes: dict[tuple[int, int], str],
        opset: int,
    ):
        self.captured = captured
        self.axes = axes
        self.opset = opset
        self.input_names = names
        self.writer = Writer(captured, opset)
        self.weights = _names_of_weights(model)
        self._refuse_writes()
        self.called: dict[Value, Call] = {}
        for call in captured.calls:
            handler = LAYERS.get(call.name)
            if handler is not None and handler.when(*call.args):
                self.called.update(dict.fromkeys(call.results, call))

    def _refuse_writes(self) -> None:
        for storage in self.captured.base.changed:
            name = self.weights.get(storage, "a tensor of its own")
            raise OnnxExporterError(
                f"the model writes to {name} when it is run, which an ONNX graph cannot do. Call "
                "model.eval() first, or return the new value."
            )

    def model(self, output_names: Sequence[str] | None, dynamic_axes: Any) -> Any:
        """Returns the whole model as the library's object."""
        w, base = self.writer, self.captured.base
        helper = w.onnx.helper
        results = base.values_of_outputs
        for value, name in zip(base.arguments, self.input_names, strict=True):
            w.taken.add(name)
            w.names[value] = name
        for (place, dim), label in self.axes.items():
            w.lengths.setdefault(label, (self.input_names[place], dim))
        outputs = self._output_names(output_names, len(results))
        needed = self._needed(results)
        self._add_weights(needed)
        self._write(needed)
        for value, name in zip(results, outputs, strict=True):
            w.add("Identity", [w.names[value]], [name], {})
        _shorten(w, outputs)
        info = helper.make_tensor_value_info
        inputs = [
            info(name, w.type_of(value.dtype), self._input_shape(i))
            for i, (value, name) in enumerate(zip(base.arguments, self.input_names, strict=True))
        ]
        outs = [
            info(name, w.type_of(value.dtype), self._output_shape(name, value, dynamic_axes))
            for value, name in zip(results, outputs, strict=True)
        ]
        # The checker copies the model several times: it sees large weights as inputs.
        large = [each for each in w.initializers if len(each.raw_data) > SMALL]
        small = [each for each in w.initializers if len(each.raw_data) <= SMALL]
        places = [info(each.name, each.data_type, list(each.dims)) for each in large]
        w.onnx.checker.check_model(self._wrapped([*inputs, *places], outs, small), full_check=True)
        if sum(len(each.raw_data) for each in large) > LARGEST:
            raise NotImplementedError("models above 2 GB (external data) are not in Lantern yet")
        return self._wrapped(inputs, outs, w.initializers)

    def _wrapped(self, inputs: list, outputs: list, initializers: list) -> Any:
        """Returns the nodes as a model of the library."""
        helper = self.writer.onnx.helper
        graph = helper.make_graph(self.writer.nodes, "main_graph", inputs, outputs, initializers)
        made = helper.make_model(
            graph,
            opset_imports=[helper.make_opsetid("", self.opset)],
            producer_name="lantern",
            producer_version=lantern.__version__,
        )
        made.ir_version = 10
        return made

    def _output_names(self, given: Sequence[str] | None, count: int) -> list[str]:
        names = list(given or [])
        if len(names) > count:
            raise ValueError(
                f"number of output names provided ({len(names)}) exceeded number of outputs "
                f"({count})"
            )
        self.writer.taken.update(names)
        rest = range(len(names), count)
        return names + [
            self.writer.fresh("output" if count == 1 else f"output_{i}") for i in rest
        ]  # fmt: skip

    def _needed(self, results: list[Value]) -> set[Value]:
        """Returns the values that the results come from, by way of ops where these are written."""
        needed = set(results)
        for value in reversed(self.captured.base.graph.values):
            if value not in needed:
                continue
            call = self.called.get(value)
            if call is None:
                needed.update(value.operands())
            else:
                needed.update(_operands(call.args))
        return needed

    def _add_weights(self, needed: set[Value]) -> None:
        w = self.writer
        for value, storage in self.captured.base.captured.items():
            if value in needed:
                tensor = _over(storage)
                w.names[value] = w.tensor(tensor, self.weights.get(storage, ""))

    def _write(self, needed: set[Value]) -> None:
        w = self.writer
        for value in self.captured.base.graph.values:
            if value not in needed or value in w.names:
                continue
            w.now = value
            call = self.called.get(value)
            if call is not None:
                written = LAYERS[call.name].write(w, *call.args)
                written = written if isinstance(written, tuple) else (written,)
                w.names.update(zip(call.results, written, strict=False))
                if value not in w.names:
                    raise w.unsupported("what is kept for its gradient is asked for", call.name)
                continue
            handler = TABLE.get(value.name)
            if handler is None or value.name == INPUT:
                raise UnsupportedOperatorError(value.name, value.place, self.opset)
            w.names[value] = handler(w, *self.captured.arguments(value))

    def _input_shape(self, place: int) -> list[int | str]:
        shape = self.captured.base.arguments[place].shape
        return [self.axes.get((place, dim), length) for dim, length in enumerate(shape)]

    def _output_shape(self, name: str, value: Value, dynamic_axes: Any) -> list[Any]:
        """Returns the lengths, with names for the open ones: those given, or what they follow."""
        given = (dynamic_axes or {}).get(name, {})
        labels = given if isinstance(given, Mapping) else {}
        shapes = [each.shape for each in self._variants_of_output(value)]
        lengths: list[Any] = []
        for dim, sizes in enumerate(zip(*shapes, strict=True)):
            if len(set(sizes)) == 1:
                lengths.append(sizes[0])
                continue
            try:
                found = repr(self.captured.open.fit(sizes))
            except ValueError:
                found = f"{name}_dim_{dim}"
            lengths.append(labels.get(dim, found))
        return lengths

    def _variants_of_output(self, value: Value) -> list[Value]:
        return self.captured.variants(value)


def _operands(args: Any) -> list[Value]:
    if isinstance(args, Value):
        return [args]
    if isinstance(args, (tuple, list)):
        return [value for each in args for value in _operands(each)]
    return []


def _names_of_weights(model: Any) -> dict[Any, str]:
    if not isinstance(model, lantern.nn.Module):
        return {}
    found: dict[Any, str] = {}
    for name, tensor in (*model.named_parameters(), *model.named_buffers()):
        found.setdefault(tensor._storage, name)
    return found


def _over(storage: Any) -> Tensor:
    """Returns a tensor over a storage, in the shape that it was made with."""
    from ..tensor import wrap

    return wrap(storage.array)


def _shorten(w: Writer, outputs: list[str]) -> None:
    """Drops nodes that only copy: what they copy goes under one name."""
    produced = {name: node for node in w.nodes for name in node.output}
    same: dict[str, str] = {}
    kept = []
    for node in w.nodes:
        node.input[:] = [same.get(name, name) for name in node.input]
        if node.op_type != "Identity":
            kept.append(node)
            continue
        (source,), (target,) = node.input, node.output
        maker = produced.get(source)
        if target not in outputs:
            same[target] = source
        elif maker is None or source in outputs:
            kept.append(node)  # an input or a weight is a result, or one value is two results
        else:
            maker.output[list(maker.output).index(source)] = target
            same[source] = target
            produced[target] = maker
            for other in kept:
                other.input[:] = [same.get(name, name) for name in other.input]
    w.nodes = kept
