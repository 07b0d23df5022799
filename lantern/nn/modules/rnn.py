"""Recurrent layers and cells: RNN, LSTM and GRU."""

# What `forward` and `extra_repr` do, the docstring of the class says.
# ruff: noqa: D102

from __future__ import annotations

import math
import warnings
from typing import Any

import lantern
from lantern.nn import init
from lantern.nn.parameter import Parameter
from lantern.nn.utils.rnn import PackedSequence, refuse_while_recording
from lantern.tensor import Tensor

from .module import Module

__all__ = ["GRU", "GRUCell", "LSTM", "LSTMCell", "RNN", "RNNBase", "RNNCell", "RNNCellBase"]

_GATES = {"LSTM": 4, "GRU": 3, "RNN_TANH": 1, "RNN_RELU": 1}


class RNNBase(Module):
    """What RNN, LSTM and GRU share: layers of weights, and the forms that inputs may have."""

    __constants__ = [
        "mode",
        "input_size",
        "hidden_size",
        "num_layers",
        "bias",
        "batch_first",
        "dropout",
        "bidirectional",
        "proj_size",
    ]

    def __init__(
        self,
        mode: str,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        _check_settings(
            mode, input_size, hidden_size, num_layers, bias, batch_first, dropout, proj_size
        )
        self.mode = mode
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        self.bias = bias
        self.batch_first = batch_first
        self.dropout = float(dropout)
        self.bidirectional = bidirectional
        self.proj_size = proj_size
        self._make_weights({"device": device, "dtype": dtype})
        self.reset_parameters()

    def _make_weights(self, place: dict) -> None:
        rows = _GATES[self.mode] * self.hidden_size
        self._all_weights: list[list[str]] = []
        for layer in range(self.num_layers):
            for suffix in ("", "_reverse")[: self._directions]:
                columns = self._out_size * self._directions if layer else self.input_size
                shapes: dict[str, tuple[int, ...]] = {
                    "weight_ih": (rows, columns),
                    "weight_hh": (rows, self._out_size),
                }
                if self.bias:
                    shapes.update(bias_ih=(rows,), bias_hh=(rows,))
                if self.proj_size:
                    shapes.update(weight_hr=(self.proj_size, self.hidden_size))
                names = []
                for name, shape in shapes.items():
                    names.append(f"{name}_l{layer}{suffix}")
                    self.register_parameter(names[-1], Parameter(lantern.empty(shape, **place)))
                self._all_weights.append(names)

    @property
    def _directions(self) -> int:
        return 2 if self.bidirectional else 1

    @property
    def _out_size(self) -> int:
        return self.proj_size or self.hidden_size

    @property
    def all_weights(self) -> list[list[Tensor]]:
        """The weights of one layer and direction after another."""
        return [[getattr(self, name) for name in names] for names in self._all_weights]

    @property
    def _flat_weights_names(self) -> list[str]:
        """The names of all weights, in PyTorch's order; initialisers of courses go through them."""
        return [name for names in self._all_weights for name in names]

    @property
    def _flat_weights(self) -> list[Tensor]:
        held = self._parameters
        return [
            held[name] if name in held else getattr(self, name)  # type: ignore[misc]
            for name in self._flat_weights_names
        ]

    def __getstate__(self) -> dict[str, Any]:
        """Adds what PyTorch's own class expects to find when it loads a whole module."""
        names = self._flat_weights_names
        weights = [getattr(self, name) for name in names]
        return {**super().__getstate__(), "_flat_weights_names": names, "_flat_weights": weights}

    def __setstate__(self, state: dict[str, Any]) -> None:
        # PyTorch's pickles also hold lists of the weights, which here are asked for when needed.
        kept = {k: v for k, v in state.items() if not k.startswith("_flat_weight")}
        kept.setdefault("proj_size", 0)
        super().__setstate__(kept)

    def flatten_parameters(self) -> None:
        """Does nothing: weights need not lie in one piece of memory."""

    def reset_parameters(self) -> None:
        """Draws the initial values again."""
        bound = 1.0 / math.sqrt(self.hidden_size)
        for weight in self.parameters():
            init.uniform_(weight, -bound, bound)

    def extra_repr(self) -> str:
        text = f"{self.input_size}, {self.hidden_size}"
        defaults = {
            "proj_size": 0,
            "num_layers": 1,
            "bias": True,
            "batch_first": False,
            "dropout": 0,
            "bidirectional": False,
        }
        for name, default in defaults.items():
            if getattr(self, name) != default:
                text += f", {name}={getattr(self, name)}"
        return text

    # --- the checks
    def check_input(self, input: Tensor, batch_sizes: Tensor | None) -> None:
        """Raises for an input whose dtype, rank or last size does not fit the weights."""
        dtype = getattr(self, self._all_weights[0][0]).dtype
        if input.dtype != dtype:
            raise ValueError(
                f"RNN input dtype ({input.dtype}) does not match weight dtype ({dtype}). "
                f"Convert input: input.to({dtype}), or convert model: model.to({input.dtype})"
            )
        ndim = 2 if batch_sizes is not None else 3
        if input.dim() != ndim:
            raise RuntimeError(f"input must have {ndim} dimensions, got {input.dim()}")
        if self.input_size != input.size(-1):
            raise RuntimeError(
                "input.size(-1) must be equal to input_size. Expected "
                f"{self.input_size}, got {input.size(-1)}"
            )

    def get_expected_hidden_size(
        self, input: Tensor, batch_sizes: Tensor | None
    ) -> tuple[int, int, int]:
        """Returns the shape that an initial hidden state has."""
        return self._state_shape(input, batch_sizes, self._out_size)

    def _state_shape(self, input: Tensor, batch_sizes: Tensor | None, size: int) -> Any:
        if batch_sizes is not None:
            refuse_while_recording()
            batch = int(batch_sizes[0])
        else:
            batch = input.size(0 if self.batch_first else 1)
        return self.num_layers * self._directions, batch, size

    def check_hidden_size(
        self,
        hx: Tensor,
        expected_hidden_size: tuple[int, int, int],
        msg: str = "Expected hidden size {}, got {}",
    ) -> None:
        """Raises RuntimeError for an initial state of another shape."""
        if tuple(hx.shape) != expected_hidden_size:
            raise RuntimeError(msg.format(expected_hidden_size, list(hx.shape)))

    def check_forward_args(self, input: Tensor, hidden: Any, batch_sizes: Tensor | None) -> None:
        """Raises where the input or the initial state does not fit this layer."""
        self.check_input(input, batch_sizes)
        self.check_hidden_size(hidden, self.get_expected_hidden_size(input, batch_sizes))

    # --- the call; states are tuples here, of one tensor or (for LSTM) of two
    def _start(self, input: Tensor, batch_sizes: Tensor | None) -> tuple[Tensor, ...]:
        sizes = (self._out_size, self.hidden_size)[: 2 if self.mode == "LSTM" else 1]
        shapes = [self._state_shape(input, batch_sizes, size) for size in sizes]
        return tuple(lantern.zeros(s, dtype=input.dtype, device=input.device) for s in shapes)

    def _run(self, input: Tensor, batch_sizes: Tensor | None, states: tuple[Tensor, ...]) -> tuple:
        function = getattr(lantern, self.mode.lower())
        hx = states if self.mode == "LSTM" else states[0]
        how = (self.bias, self.num_layers, self.dropout, self.training, self.bidirectional)
        weights = self._flat_weights
        self.check_forward_args(input, hx, batch_sizes)
        if batch_sizes is None:
            return function(input, hx, weights, *how, self.batch_first)
        return function(input, batch_sizes, hx, weights, *how)

    def _call(self, input: Any, states: tuple[Tensor, ...] | None) -> tuple[Any, tuple]:
        if isinstance(input, PackedSequence):
            return self._call_packed(input, states)
        if input.dim() not in (2, 3):
            name = self._get_name() if self.mode in ("LSTM", "GRU") else "RNN"
            kind = "D" if self.mode in ("LSTM", "GRU") else "D tensor"
            raise ValueError(
                f"{name}: Expected input to be 2D or 3D, got {input.dim()}{kind} instead"
            )
        batched = input.dim() == 3
        dim = 0 if self.batch_first else 1
        if not batched:
            input = input.unsqueeze(dim)
        if states is None:
            states = self._start(input, None)
        else:
            _check_ranks(states, batched)
            states = states if batched else tuple(each.unsqueeze(1) for each in states)
        output, *ends = self._run(input, None, states)
        if batched:
            return output, tuple(ends)
        return output.squeeze(dim), tuple(each.squeeze(1) for each in ends)

    def _call_packed(self, packed: PackedSequence, states: Any) -> tuple[Any, tuple]:
        data, batch_sizes, order, back = packed
        if states is None:
            states = self._start(data, batch_sizes)
        elif order is not None:
            states = tuple(each.index_select(1, order) for each in states)
        output, *ends = self._run(data, batch_sizes, states)
        if back is not None:
            ends = [each.index_select(1, back) for each in ends]
        return PackedSequence(output, batch_sizes, order, back), tuple(ends)


def _check_settings(
    mode: str,
    input_size: Any,
    hidden_size: Any,
    num_layers: int,
    bias: Any,
    batch_first: Any,
    dropout: Any,
    proj_size: int,
) -> None:
    number = isinstance(dropout, (int, float)) and not isinstance(dropout, bool)
    if not number or not 0 <= dropout <= 1:
        raise ValueError(
            "dropout should be a number in range [0, 1] representing the probability of an "
            "element being zeroed"
        )
    if dropout > 0 and num_layers == 1:
        warnings.warn(
            "dropout option adds dropout after all but last recurrent layer, so non-zero dropout "
            f"expects num_layers greater than 1, but got dropout={dropout} and num_layers=1",
            stacklevel=4,
        )
    for name, value in (("bias", bias), ("batch_first", batch_first)):
        if not isinstance(value, bool):
            raise TypeError(f"{name} should be of type bool, got: {type(value).__name__}")
    for name, value in (("input_size", input_size), ("hidden_size", hidden_size)):
        if not isinstance(value, int):
            raise TypeError(f"{name} should be of type int, got: {type(value).__name__}")
        if value <= 0:
            raise ValueError(f"{name} must be greater than zero")
    if num_layers <= 0:
        raise ValueError("num_layers must be greater than zero")
    if proj_size < 0:
        raise ValueError("proj_size should be a positive integer or zero to disable projections")
    if proj_size >= hidden_size:
        raise ValueError("proj_size has to be smaller than hidden_size")
    if mode not in _GATES:
        raise ValueError("Unrecognized RNN mode: " + mode)


def _check_ranks(states: tuple[Tensor, ...], batched: bool) -> None:
    ndim = 3 if batched else 2
    if all(each.dim() == ndim for each in states):
        return
    which = "batched 3-D" if batched else "unbatched 2-D"
    if len(states) == 2:
        raise RuntimeError(
            f"For {which} input, hx and cx should also be {ndim}-D but got "
            f"({states[0].dim()}-D, {states[1].dim()}-D) tensors"
        )
    raise RuntimeError(
        f"For {which} input, hx should also be {ndim}-D but got {states[0].dim()}-D tensor"
    )


class _Single(RNNBase):
    """A network whose state is one tensor."""

    def forward(self, input: Any, hx: Tensor | None = None) -> tuple[Any, Tensor]:
        output, ends = self._call(input, None if hx is None else (hx,))
        return output, ends[0]


class RNN(_Single):
    """`h = tanh(x @ W_ih.T + b_ih + h @ W_hh.T + b_hh)` along a sequence `(L, N, I)`.

    Returns the states of the last layer `(L, N, D * H)` and the last state of each layer
    `(D * num_layers, N, H)`, where D is 2 if bidirectional. `batch_first` turns input and output
    to `(N, L, ...)`; a `PackedSequence` gives one; without a batch, N is left out everywhere.
    `nonlinearity='relu'` takes the place of tanh. Elman, Finding Structure in Time, 1990.

    >>> import lantern
    >>> output, state = lantern.nn.RNN(3, 5, num_layers=2)(lantern.ones(7, 4, 3))
    >>> output.shape, state.shape
    (torch.Size([7, 4, 5]), torch.Size([2, 4, 5]))
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        _refuse_projection(kwargs)
        nonlinearity = kwargs.pop("nonlinearity", "tanh")
        if len(args) > 3:
            nonlinearity, args = args[3], (*args[:3], *args[4:])
        if nonlinearity not in ("tanh", "relu"):
            raise ValueError(
                f"Unknown nonlinearity '{nonlinearity}'. Select from 'tanh' or 'relu'."
            )
        super().__init__(f"RNN_{nonlinearity.upper()}", *args, **kwargs)
        self.nonlinearity = nonlinearity


class GRU(_Single):
    """Gated recurrent units along a sequence `(L, N, I)`; inputs and results are those of `RNN`.

    Cho et al., Learning Phrase Representations using RNN Encoder-Decoder, 2014.

    >>> import lantern
    >>> output, state = lantern.nn.GRU(3, 5, batch_first=True)(lantern.ones(4, 7, 3))
    >>> output.shape, state.shape
    (torch.Size([4, 7, 5]), torch.Size([1, 4, 5]))
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        _refuse_projection(kwargs)
        super().__init__("GRU", *args, **kwargs)


def _refuse_projection(kwargs: dict) -> None:
    if "proj_size" in kwargs:
        raise ValueError("proj_size argument is only supported for LSTM, not RNN or GRU")


class LSTM(RNNBase):
    """Long short-term memory along a sequence `(L, N, I)`; its state is a pair `(h, c)`.

    Inputs and results are those of `RNN`. With `proj_size` the hidden state is projected to that
    size. Hochreiter and Schmidhuber, Long Short-Term Memory, 1997.

    >>> import lantern
    >>> output, (h, c) = lantern.nn.LSTM(3, 5, bidirectional=True)(lantern.ones(7, 4, 3))
    >>> output.shape, h.shape, c.shape
    (torch.Size([7, 4, 10]), torch.Size([2, 4, 5]), torch.Size([2, 4, 5]))
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__("LSTM", *args, **kwargs)

    def get_expected_cell_size(
        self, input: Tensor, batch_sizes: Tensor | None
    ) -> tuple[int, int, int]:
        """Returns the shape that an initial cell has."""
        return self._state_shape(input, batch_sizes, self.hidden_size)

    def check_forward_args(self, input: Tensor, hidden: Any, batch_sizes: Tensor | None) -> None:
        self.check_input(input, batch_sizes)
        shapes = (
            self.get_expected_hidden_size(input, batch_sizes),
            self.get_expected_cell_size(input, batch_sizes),
        )
        for i, shape in enumerate(shapes):
            self.check_hidden_size(hidden[i], shape, f"Expected hidden[{i}] size {{}}, got {{}}")

    def forward(
        self, input: Any, hx: tuple[Tensor, Tensor] | None = None
    ) -> tuple[Any, tuple[Tensor, Tensor]]:
        return self._call(input, None if hx is None else tuple(hx))


class RNNCellBase(Module):
    """What the cells share: the weights of one step."""

    __constants__ = ["input_size", "hidden_size", "bias"]
    weight_ih: Tensor
    weight_hh: Tensor

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool,
        num_chunks: int,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.bias = bias
        place = {"device": device, "dtype": dtype}
        rows = num_chunks * hidden_size
        self.weight_ih = Parameter(lantern.empty((rows, input_size), **place))
        self.weight_hh = Parameter(lantern.empty((rows, hidden_size), **place))
        for name in ("bias_ih", "bias_hh"):
            value = Parameter(lantern.empty(rows, **place)) if bias else None
            self.register_parameter(name, value)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draws the initial values again."""
        bound = 1.0 / math.sqrt(self.hidden_size) if self.hidden_size > 0 else 0
        for weight in self.parameters():
            init.uniform_(weight, -bound, bound)

    def extra_repr(self) -> str:
        text = f"{self.input_size}, {self.hidden_size}"
        if self.bias is not True:
            text += f", bias={self.bias}"
        if self.__dict__.get("nonlinearity", "tanh") != "tanh":
            text += f", nonlinearity={self.nonlinearity}"
        return text

    def _step(self, name: str, input: Tensor, states: tuple[Tensor, ...] | None, count: int) -> Any:
        """Runs the cell on a batch, or on one row without one."""
        self._check_ranks(input, states)
        batched = input.dim() == 2
        if not batched:
            input = input.unsqueeze(0)
        if states is None:
            shape = (input.size(0), self.hidden_size)
            zeros = lantern.zeros(shape, dtype=input.dtype, device=input.device)
            states = (zeros,) * count
        elif not batched:
            states = tuple(each.unsqueeze(0) for each in states)
        self._check_sizes(input, states)
        hx = states if count == 2 else states[0]
        biases = (self.bias_ih, self.bias_hh)
        found = getattr(lantern, name)(input, hx, self.weight_ih, self.weight_hh, *biases)
        if batched:
            return found
        return tuple(x.squeeze(0) for x in found) if count == 2 else found.squeeze(0)

    def _check_ranks(self, input: Tensor, states: tuple[Tensor, ...] | None) -> None:
        name = self._get_name()
        if input.dim() not in (1, 2):
            raise ValueError(f"{name}: Expected input to be 1D or 2D, got {input.dim()}D instead")
        for i, each in enumerate(states or ()):
            if each.dim() not in (1, 2):
                what = f"hx[{i}]" if isinstance(self, LSTMCell) else "hidden"
                raise ValueError(
                    f"{name}: Expected {what} to be 1D or 2D, got {each.dim()}D instead"
                )

    def _check_sizes(self, input: Tensor, states: tuple[Tensor, ...]) -> None:
        if input.size(1) != self.weight_ih.size(1):
            raise RuntimeError(
                f"input has inconsistent input_size: got {input.size(1)} expected "
                f"{self.weight_ih.size(1)}"
            )
        for i, each in enumerate(states):
            if each.size(0) != input.size(0):
                raise RuntimeError(
                    f"Input batch size {input.size(0)} doesn't match hidden{i} batch size "
                    f"{each.size(0)}"
                )
            if each.size(1) != self.weight_hh.size(1):
                raise RuntimeError(
                    f"hidden{i} has inconsistent hidden_size: got {each.size(1)}, expected "
                    f"{self.weight_hh.size(1)}"
                )


class RNNCell(RNNCellBase):
    """One step of `RNN`: from `(N, I)` and a state `(N, H)` to the next state.

    >>> import lantern
    >>> lantern.nn.RNNCell(3, 5)(lantern.ones(4, 3)).shape
    torch.Size([4, 5])
    """

    __constants__ = ["input_size", "hidden_size", "bias", "nonlinearity"]

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        nonlinearity: str = "tanh",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(input_size, hidden_size, bias, 1, device, dtype)
        self.nonlinearity = nonlinearity

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        if self.nonlinearity not in ("tanh", "relu"):
            raise RuntimeError(f"Unknown nonlinearity: {self.nonlinearity}")
        name = f"rnn_{self.nonlinearity}_cell"
        return self._step(name, input, None if hx is None else (hx,), 1)


class LSTMCell(RNNCellBase):
    """One step of `LSTM`: from `(N, I)` and a pair `(h, c)` to the next pair.

    >>> import lantern
    >>> h, c = lantern.nn.LSTMCell(3, 5)(lantern.ones(4, 3))
    >>> h.shape, c.shape
    (torch.Size([4, 5]), torch.Size([4, 5]))
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(input_size, hidden_size, bias, 4, device, dtype)

    def forward(
        self, input: Tensor, hx: tuple[Tensor, Tensor] | None = None
    ) -> tuple[Tensor, Tensor]:
        return self._step("lstm_cell", input, None if hx is None else tuple(hx), 2)


class GRUCell(RNNCellBase):
    """One step of `GRU`: from `(N, I)` and a state `(N, H)` to the next state.

    >>> import lantern
    >>> lantern.nn.GRUCell(3, 5)(lantern.ones(4, 3), lantern.zeros(4, 5)).shape
    torch.Size([4, 5])
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(input_size, hidden_size, bias, 3, device, dtype)

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        return self._step("gru_cell", input, None if hx is None else (hx,), 1)
