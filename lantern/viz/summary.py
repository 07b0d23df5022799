"""A table of a network: its modules, their output shapes, parameters and multiplications."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import prod
from typing import Any

import lantern
from lantern import nn


class Row:
    """One module of a summary; `depth` says how deep it lies."""

    def __init__(self, name: str, module: nn.Module, depth: int) -> None:
        self.name, self.kind, self.depth = name, type(module).__name__, depth
        own = {id(p): p for p in module.parameters(recurse=False)}
        self.parameters = sum(p.numel() for p in own.values())
        self.trainable = sum(p.numel() for p in own.values() if p.requires_grad)
        self.output: Any = None
        self.multiplications = 0
        self.again = False  # a module that stands in the network a second time


class Summary:
    """What `summary` returns; its text is the table, its attributes are the totals."""

    def __init__(self, rows: list[Row]) -> None:
        self.rows = rows
        self.total_params = sum(row.parameters for row in rows if not row.again)
        self.trainable_params = sum(row.trainable for row in rows if not row.again)
        self.total_mult_adds = sum(row.multiplications for row in rows)

    def __str__(self) -> str:
        names = [
            "  " * row.depth + (f"{row.name} ({row.kind})" if row.name else row.kind)
            for row in self.rows
        ]
        width = max(map(len, names)) + 2
        lines = [f"{'Layer':<{width}}{'Output shape':<22}{'Params':>12}{'Mult-adds':>14}"]
        lines.append("=" * len(lines[0]))
        for name, row in zip(names, self.rows, strict=True):
            count = "shared" if row.again else f"{row.parameters:,}" if row.parameters else "-"
            work = f"{row.multiplications:,}" if row.multiplications else "-"
            lines.append(f"{name:<{width}}{row.output or '-':<22}{count:>12}{work:>14}")
        frozen = self.total_params - self.trainable_params
        lines += [
            "=" * len(lines[0]),
            f"Parameters: {self.total_params:,} ({self.trainable_params:,} trainable, "
            f"{frozen:,} frozen), {4 * self.total_params / 1e6:,.2f} MB as float32",
            f"Mult-adds: {self.total_mult_adds:,}",
        ]
        return "\n".join(lines)

    __repr__ = __str__


def summary(
    model: nn.Module,
    input_size: Sequence[Any] | None = None,
    input_data: Any = None,
    dtypes: Sequence[lantern.dtype] | None = None,
    depth: int = 3,
) -> Summary:
    """Runs the model once and returns the table of its modules.

    `input_size`: the shape of the input with its batch, `(N, C, H, W)`, or a list of shapes;
    `input_data`: inputs instead of shapes; without either the shapes are left out. `dtypes` names
    the dtypes of made-up inputs. The model's mode, buffers and the random state stay as they were.

    >>> import lantern
    >>> print(summary(lantern.nn.Sequential(lantern.nn.Linear(3, 2), lantern.nn.ReLU()), (1, 3)))
    Layer         Output shape                Params     Mult-adds
    ==============================================================
    Sequential    (1, 2)                           -             -
      0 (Linear)  (1, 2)                           8             6
      1 (ReLU)    (1, 2)                           -             -
    ==============================================================
    Parameters: 8 (8 trainable, 0 frozen), 0.00 MB as float32
    Mult-adds: 6
    """
    rows: list[Row] = []
    by_module: dict[nn.Module, Row] = {}
    counted: set[int] = set()
    for name, module, level in _walk(model, "", 0):
        row = Row(name, module, level)
        row.again = module in by_module
        if not row.again:
            by_module[module] = row
            fresh = [p for p in module.parameters(recurse=False) if id(p) not in counted]
            row.parameters = sum(p.numel() for p in fresh)
            row.trainable = sum(p.numel() for p in fresh if p.requires_grad)
            counted.update(map(id, fresh))
        rows.append(row)
    inputs = _inputs(model, input_size, input_data, dtypes)
    if inputs is not None:
        _run(model, inputs, by_module)
    result = Summary(rows)
    result.rows = [row for row in rows if row.depth <= depth]
    return result


def _walk(module: nn.Module, name: str, depth: int) -> Iterator[tuple[str, nn.Module, int]]:
    yield name, module, depth
    for child_name, child in module._modules.items():
        if child is not None:
            yield from _walk(child, child_name, depth + 1)


def _inputs(model: nn.Module, size: Any, data: Any, dtypes: Any) -> tuple[Any, ...] | None:
    if data is not None:
        return tuple(data) if isinstance(data, (list, tuple)) else (data,)
    if size is None:
        return None
    sizes = [size] if all(isinstance(each, int) for each in size) else list(size)
    first = next(model.parameters(), None)
    usual = first.dtype if first is not None else lantern.get_default_dtype()
    device = first.device if first is not None else "cpu"
    kinds = list(dtypes or []) or [usual] * len(sizes)
    if len(kinds) != len(sizes):
        raise ValueError(f"{len(sizes)} input sizes, but {len(kinds)} dtypes")
    return tuple(
        lantern.zeros(each, dtype=kind, device=device)
        for each, kind in zip(sizes, kinds, strict=True)
    )


def _run(model: nn.Module, inputs: tuple[Any, ...], rows: dict[nn.Module, Row]) -> None:
    """Fills in output shapes and multiplications, by one forward in evaluation mode."""

    def hook(module: nn.Module, args: Any, output: Any) -> None:
        row = rows[module]
        row.output = _shapes(output)
        row.multiplications += multiplications(module, args, output)

    modes = {module: module.training for module in model.modules()}
    state = lantern.get_rng_state()
    hooks = [module.register_forward_hook(hook) for module in rows]
    model.eval()
    try:
        with lantern.no_grad():
            model(*inputs)
    finally:
        for each in hooks:
            each.remove()
        for module, training in modes.items():
            module.training = training
        lantern.set_rng_state(state)


def _shapes(output: Any) -> str:
    if isinstance(output, lantern.Tensor):
        return str(tuple(output.shape))
    if isinstance(output, (list, tuple)) and output:
        return _shapes(output[0])
    return type(output).__name__


def multiplications(module: nn.Module, args: Any, output: Any) -> int:
    """Counts multiplications that are added up: those of each weight that lies in `module`.

    A weight of a convolution is used at each place of an output channel, that of a linear layer
    for each row. Layers that multiply in other ways (recurrent ones, attention) count each of
    their own matrices once per sample and step.
    """
    weights = [p for p in module.parameters(recurse=False) if p.ndim >= 2]
    if not weights or type(module).__name__.startswith("Embedding"):  # these only look up
        return 0
    while isinstance(output, (list, tuple)):
        output = output[0]
    if isinstance(output, lantern.Tensor) and type(module).__name__.startswith("ConvTranspose"):
        places = prod(args[0].shape) // module.in_channels
        return sum(w.numel() for w in weights) * places
    if hasattr(module, "out_channels"):
        places = prod(output.shape) // module.out_channels
        return sum(w.numel() for w in weights) * places
    rows = prod(output.shape[:-1])
    return sum(w.numel() for w in weights) * rows
