"""Initial values: functions that fill a tensor in place, without recording, and return it.

They draw from the generator exactly as PyTorch does, so that equal seeds give equal weights.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Any

import lantern
from lantern.compat.missing import missing
from lantern.tensor import Tensor

__all__ = [
    "calculate_gain",
    "constant",
    "constant_",
    "dirac",
    "dirac_",
    "eye",
    "eye_",
    "kaiming_normal",
    "kaiming_normal_",
    "kaiming_uniform",
    "kaiming_uniform_",
    "normal",
    "normal_",
    "ones_",
    "orthogonal",
    "orthogonal_",
    "sparse",
    "sparse_",
    "trunc_normal_",
    "uniform",
    "uniform_",
    "xavier_normal",
    "xavier_normal_",
    "xavier_uniform",
    "xavier_uniform_",
    "zeros_",
]

_GAIN_ONE = ("linear", "sigmoid") + tuple(
    f"conv{kind}{dims}d" for kind in ("", "_transpose") for dims in (1, 2, 3)
)


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """Returns by how much initial weights should grow to make up for an activation function.

    `param` is the negative slope of 'leaky_relu'. Raises ValueError for names it does not know.

    >>> calculate_gain("tanh")
    1.6666666666666667
    """
    if nonlinearity in _GAIN_ONE:
        return 1
    if nonlinearity == "tanh":
        return 5.0 / 3
    if nonlinearity == "relu":
        return math.sqrt(2.0)
    if nonlinearity == "selu":
        return 3.0 / 4
    if nonlinearity != "leaky_relu":
        raise ValueError(f"Unsupported nonlinearity {nonlinearity}")
    slope = 0.01 if param is None else param
    if isinstance(slope, bool) or not isinstance(slope, (int, float)):
        raise ValueError(f"negative_slope {param} not a valid number")
    return math.sqrt(2.0 / (1 + slope**2))


# --- of any shape
def uniform_(tensor: Tensor, a: float = 0.0, b: float = 1.0, generator: Any = None) -> Tensor:
    """Fills the tensor with draws between `a` and `b`.

    >>> import lantern
    >>> weight = lantern.nn.init.uniform_(lantern.empty(100), -1.0, 1.0)
    >>> bool((weight.abs() <= 1).all())
    True
    """
    with lantern.no_grad():
        return tensor.uniform_(a, b, generator=generator)


def normal_(tensor: Tensor, mean: float = 0.0, std: float = 1.0, generator: Any = None) -> Tensor:
    """Fills the tensor with draws from the normal distribution; raises for a negative `std`."""
    with lantern.no_grad():
        return tensor.normal_(mean, std, generator=generator)


def trunc_normal_(
    tensor: Tensor,
    mean: float = 0.0,
    std: float = 1.0,
    a: float = -2.0,
    b: float = 2.0,
    generator: Any = None,
) -> Tensor:
    """Fills the tensor with draws from the part between `a` and `b` of a normal distribution.

    Warns where most of the distribution lies outside.
    """
    if mean < a - 2 * std or mean > b + 2 * std:
        warnings.warn(
            "mean is more than 2 std from [a, b] in nn.init.trunc_normal_. The distribution of "
            "values may be incorrect.",
            stacklevel=2,
        )
    # Draws that fall outside are drawn again, from the normal distribution itself where that hits
    # often enough, otherwise uniformly, kept with a probability in proportion to the density.
    inside = _normal_cdf((b - mean) / std) - _normal_cdf((a - mean) / std)
    with lantern.no_grad():
        if inside > 0.3:
            return _draw_normal_within(tensor, mean, std, a, b, generator)
        return _draw_uniform_by_density(tensor, mean, std, a, b, generator)


def _normal_cdf(x: float) -> float:
    return (1.0 + math.erf(x / math.sqrt(2.0))) / 2.0


def _draw_normal_within(
    tensor: Tensor, mean: float, std: float, a: float, b: float, generator: Any
) -> Tensor:
    low, high = (tensor.new_tensor(bound).item() for bound in (a, b))  # as the dtype rounds them
    tensor.normal_(mean, std, generator=generator)
    outside = (tensor < low) | (tensor > high)
    while outside.any():
        again = lantern.empty_like(tensor).normal_(mean, std, generator=generator)
        tensor.copy_(lantern.where(outside, again, tensor))
        outside = (tensor < low) | (tensor > high)
    return tensor


def _draw_uniform_by_density(
    tensor: Tensor, mean: float, std: float, a: float, b: float, generator: Any
) -> Tensor:
    likeliest = max(a, min(mean, b))
    peak = -0.5 * ((likeliest - mean) / std) ** 2

    def refused(drawn: Tensor) -> Tensor:
        log_density = ((drawn - mean) / std).pow(2) * -0.5 - peak
        return lantern.empty_like(drawn).uniform_(generator=generator).log() > log_density

    tensor.uniform_(a, b, generator=generator)
    pending = refused(tensor)
    while pending.any():
        again = lantern.empty_like(tensor).uniform_(a, b, generator=generator)
        tensor.copy_(lantern.where(pending, again, tensor))
        pending = pending & refused(again)
    return tensor


def constant_(tensor: Tensor, val: float) -> Tensor:
    """Fills the tensor with one value.

    >>> import lantern
    >>> lantern.nn.init.constant_(lantern.empty(2), 0.5)
    tensor([0.5000, 0.5000])
    """
    with lantern.no_grad():
        return tensor.fill_(val)


def ones_(tensor: Tensor) -> Tensor:
    """Fills the tensor with ones."""
    return constant_(tensor, 1.0)


def zeros_(tensor: Tensor) -> Tensor:
    """Fills the tensor with zeros."""
    with lantern.no_grad():
        return tensor.zero_()


# --- that pass their input on
def eye_(tensor: Tensor) -> Tensor:
    """Makes a matrix the identity; raises ValueError unless there are two dimensions.

    >>> import lantern
    >>> lantern.nn.init.eye_(lantern.empty(2, 3))
    tensor([[1., 0., 0.],
            [0., 1., 0.]])
    """
    _check_dimensions(tensor, 2)
    with lantern.no_grad():
        tensor.zero_()
        tensor.diagonal().fill_(1)
    return tensor


def dirac_(tensor: Tensor, groups: int = 1) -> Tensor:
    """Makes the weight of a convolution, `(out, in, *)`, pass its channels on, group by group.

    Raises ValueError unless there are 3 to 5 dimensions and `groups` divides the first.
    """
    dimensions = tensor.ndimension()
    if dimensions not in (3, 4, 5):
        raise ValueError("Only tensors with 3, 4, or 5 dimensions are supported")
    if tensor.size(0) % groups:
        raise ValueError("dim 0 must be divisible by groups")
    rows = tensor.size(0) // groups
    centre = tuple(size // 2 for size in tensor.shape[2:])
    with lantern.no_grad():
        tensor.zero_()
        for group in range(groups):
            for channel in range(min(rows, tensor.size(1))):
                tensor[(group * rows + channel, channel, *centre)] = 1
    return tensor


def orthogonal_(tensor: Tensor, gain: float = 1, generator: Any = None) -> Tensor:
    """Makes the rows (or the columns, whichever are fewer) orthogonal and of length `gain`.

    Dimensions after the first count as one. Raises ValueError for fewer than two.
    """
    if tensor.ndimension() < 2:
        raise ValueError("Only tensors with 2 or more dimensions are supported")
    if tensor.numel() == 0:
        return tensor
    rows, columns = tensor.size(0), tensor.numel() // tensor.size(0)
    with lantern.no_grad():
        drawn = tensor.new_empty((rows, columns)).normal_(0, 1, generator=generator)
        wide = rows < columns
        q = _orthonormal(drawn.t() if wide else drawn)
        tensor.copy_((q.t() if wide else q).reshape(tensor.shape))
        return tensor.mul_(gain)


def _orthonormal(matrix: Tensor) -> Tensor:
    """Returns the Q of `matrix = Q R` for which the diagonal of R is positive, in float64.

    That Q is unique, so this column by column method finds the one that LAPACK's is turned into.
    """
    columns = matrix.double()
    q = lantern.zeros_like(columns)
    for k in range(columns.size(1)):
        column = columns[:, k]
        for _ in range(2):  # the second round removes what rounding has left in the first
            column = column - q[:, :k] @ (q[:, :k].t() @ column)
        q[:, k] = column / column.square().sum().sqrt()
    return q


def sparse_(tensor: Tensor, sparsity: float, std: float = 0.01, generator: Any = None) -> Tensor:
    """Fills a matrix with normal draws and sets the share `sparsity` of each column to zero.

    Raises ValueError unless there are two dimensions.
    """
    _check_dimensions(tensor, 2)
    rows, columns = tensor.shape
    zeros = math.ceil(sparsity * rows)
    with lantern.no_grad():
        tensor.normal_(0, std, generator=generator)
        for column in range(columns):
            # The permutation comes from the default generator, whatever `generator` is.
            tensor[lantern.randperm(rows)[:zeros], column] = 0
    return tensor


# --- by the number of inputs and outputs
def xavier_uniform_(tensor: Tensor, gain: float = 1.0, generator: Any = None) -> Tensor:
    """Fills uniformly such that variance is kept forward and backward alike (Glorot).

    Raises ValueError for fewer than two dimensions.

    >>> import lantern
    >>> weight = lantern.nn.init.xavier_uniform_(lantern.empty(3, 3))
    >>> bool((weight.abs() <= 1).all())
    True
    """
    fan_in, fan_out = _calculate_fan_in_and_fan_out(tensor)
    std = gain * math.sqrt(2.0 / float(fan_in + fan_out))
    bound = math.sqrt(3.0) * std
    return uniform_(tensor, -bound, bound, generator)


def xavier_normal_(tensor: Tensor, gain: float = 1.0, generator: Any = None) -> Tensor:
    """Fills normally such that variance is kept forward and backward alike (Glorot).

    Raises ValueError for fewer than two dimensions.
    """
    fan_in, fan_out = _calculate_fan_in_and_fan_out(tensor)
    std = gain * math.sqrt(2.0 / float(fan_in + fan_out))
    return normal_(tensor, 0.0, std, generator)


def kaiming_uniform_(
    tensor: Tensor,
    a: float = 0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Any = None,
) -> Tensor:
    """Fills uniformly such that variance is kept through rectifiers (He).

    `a` is the rectifier's negative slope; `mode` says whether it is kept forward ('fan_in') or
    backward ('fan_out'). Raises ValueError for fewer than two dimensions or an unknown mode.

    >>> import lantern
    >>> weight = lantern.nn.init.kaiming_uniform_(lantern.empty(2, 6))
    >>> bool((weight.abs() <= 1).all())
    True
    """
    if _is_nothing(tensor):
        return tensor
    std = _kaiming_std(tensor, a, mode, nonlinearity)
    bound = math.sqrt(3.0) * std
    return uniform_(tensor, -bound, bound, generator)


def kaiming_normal_(
    tensor: Tensor,
    a: float = 0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Any = None,
) -> Tensor:
    """Fills normally such that variance is kept through rectifiers (He); see `kaiming_uniform_`."""
    if _is_nothing(tensor):
        return tensor
    return normal_(tensor, 0, _kaiming_std(tensor, a, mode, nonlinearity), generator)


def _kaiming_std(tensor: Tensor, a: float, mode: str, nonlinearity: str) -> float:
    mode = mode.lower()
    if mode not in ("fan_in", "fan_out"):
        raise ValueError(f"Mode {mode} not supported, please use one of ['fan_in', 'fan_out']")
    fan = _calculate_fan_in_and_fan_out(tensor)[mode == "fan_out"]
    return calculate_gain(nonlinearity, a) / math.sqrt(fan)


def _is_nothing(tensor: Tensor) -> bool:
    if 0 not in tensor.shape:
        return False
    warnings.warn("Initializing zero-element tensors is a no-op", stacklevel=3)
    return True


def _calculate_fan_in_and_fan_out(tensor: Tensor) -> tuple[int, int]:
    """Returns how many numbers go into one output, and how many outputs one number goes into."""
    if tensor.dim() < 2:
        raise ValueError(
            "Fan in and fan out can not be computed for tensor with fewer than 2 dimensions"
        )
    field = math.prod(tensor.shape[2:])
    return tensor.size(1) * field, tensor.size(0) * field


def _check_dimensions(tensor: Tensor, dimensions: int) -> None:
    if tensor.ndimension() != dimensions:
        raise ValueError(f"Only tensors with {dimensions} dimensions are supported")


# --- the names from before these functions ended in an underscore
def _deprecated(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    new = function.__name__
    old = new.removesuffix("_")

    def renamed(*args: Any, **kwargs: Any) -> Tensor:
        warnings.warn(
            f"`nn.init.{old}` is now deprecated in favor of `nn.init.{new}`.",
            FutureWarning,
            stacklevel=2,
        )
        return function(*args, **kwargs)

    renamed.__name__ = renamed.__qualname__ = old
    renamed.__doc__ = f"The deprecated name of `{new}`."
    return renamed


uniform = _deprecated(uniform_)
normal = _deprecated(normal_)
constant = _deprecated(constant_)
eye = _deprecated(eye_)
dirac = _deprecated(dirac_)
xavier_uniform = _deprecated(xavier_uniform_)
xavier_normal = _deprecated(xavier_normal_)
kaiming_uniform = _deprecated(kaiming_uniform_)
kaiming_normal = _deprecated(kaiming_normal_)
orthogonal = _deprecated(orthogonal_)
sparse = _deprecated(sparse_)

__getattr__ = missing(__name__)
