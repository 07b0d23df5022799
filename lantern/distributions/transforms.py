"""Transforms of draws: functions with an inverse and the logarithm of their volume change.

The file is long because PyTorch has them all in one: twenty short classes under one base.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from numbers import Number
from typing import Any

import lantern
from lantern import Size, Tensor
from lantern.nn import functional as F
from lantern.nn.functional import pad, softplus

from . import constraints
from .utils import broadcast_all, sum_rightmost, tril_matrix_to_vec, vec_to_tril_matrix

__all__ = """
    AbsTransform AffineTransform CatTransform ComposeTransform CorrCholeskyTransform
    CumulativeDistributionTransform ExpTransform IndependentTransform LowerCholeskyTransform
    PositiveDefiniteTransform PowerTransform ReshapeTransform SigmoidTransform SoftmaxTransform
    SoftplusTransform StackTransform StickBreakingTransform TanhTransform Transform
    identity_transform
""".split()


class Transform:
    """A function of draws; a subclass defines `_call`, `_inverse` and `log_abs_det_jacobian`.

    `cache_size=1` keeps the last pair of values, so that an inverse gives back what went in.
    """

    bijective: Any = False
    domain: Any
    codomain: Any
    _settings: tuple[str, ...] = ()  # what a copy with another cache is made of

    def __init__(self, cache_size: int = 0):
        if cache_size not in (0, 1):
            raise ValueError("cache_size must be 0 or 1")
        self._cache_size = cache_size
        self._inv: Transform | None = None
        self._last: tuple[Any, Any] = (None, None)

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "_inv": None, "_last": (None, None)}

    @property
    def event_dim(self) -> int:
        """How many dimensions belong to one value."""
        if self.domain.event_dim == self.codomain.event_dim:
            return self.domain.event_dim
        raise ValueError("Please use either .domain.event_dim or .codomain.event_dim")

    @property
    def inv(self) -> Transform:
        """The inverse."""
        if self._inv is None:
            self._inv = _InverseTransform(self)
        return self._inv

    @property
    def sign(self) -> Any:
        """1 where values rise with their arguments, -1 where they fall."""
        raise NotImplementedError

    def with_cache(self, cache_size: int = 1) -> Transform:
        """Returns this transform with another cache."""
        if self._cache_size == cache_size:
            return self
        if not self._settings and type(self).__init__ is not Transform.__init__:
            raise NotImplementedError(f"{type(self)}.with_cache is not implemented")
        settings = {name: getattr(self, name.lstrip("*")) for name in self._settings}
        return type(self)(**settings, cache_size=cache_size)

    def __eq__(self, other: object) -> bool:
        if type(self).__init__ is Transform.__init__:
            return type(self) is type(other)
        return self is other

    __hash__ = object.__hash__

    def __call__(self, x: Tensor) -> Tensor:
        """Returns the value for an argument."""
        return self._kept(x, 0, self._call)

    def _inv_call(self, y: Tensor) -> Tensor:
        return self._kept(y, 1, self._inverse)

    def _kept(self, given: Tensor, place: int, function: Callable[[Tensor], Tensor]) -> Tensor:
        if self._cache_size == 0:
            return function(given)
        if self._last[place] is not given:
            found = function(given)
            self._last = (found, given) if place else (given, found)
        return self._last[1 - place]

    def _call(self, x: Tensor) -> Tensor:
        raise NotImplementedError

    def _inverse(self, y: Tensor) -> Tensor:
        raise NotImplementedError

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        """Returns the logarithm of the change of volume at `x`, where the value is `y`."""
        raise NotImplementedError

    def __repr__(self) -> str:
        return type(self).__name__ + "()"

    def forward_shape(self, shape: Any) -> Any:
        """Returns the shape of the values for arguments of a shape."""
        return shape

    def inverse_shape(self, shape: Any) -> Any:
        """Returns the shape of the arguments for values of a shape."""
        return shape


class _InverseTransform(Transform):
    """The other way through a transform."""

    def __init__(self, transform: Transform):
        super().__init__(transform._cache_size)
        self._inv: Transform = transform

    @constraints.dependent_property(is_discrete=False)
    def domain(self) -> Any:
        return self._inv.codomain

    @constraints.dependent_property(is_discrete=False)
    def codomain(self) -> Any:
        return self._inv.domain

    @property
    def bijective(self) -> Any:
        return self._inv.bijective

    @property
    def sign(self) -> Any:
        return self._inv.sign

    @property
    def inv(self) -> Transform:
        return self._inv

    def with_cache(self, cache_size: int = 1) -> Transform:
        return self._inv.with_cache(cache_size).inv

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _InverseTransform) and self._inv == other._inv

    __hash__ = object.__hash__

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._inv!r})"

    def __call__(self, x: Tensor) -> Tensor:
        return self._inv._inv_call(x)

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        return -self._inv.log_abs_det_jacobian(y, x)

    def forward_shape(self, shape: Any) -> Any:
        return self._inv.inverse_shape(shape)

    def inverse_shape(self, shape: Any) -> Any:
        return self._inv.forward_shape(shape)


class ComposeTransform(Transform):
    """Transforms one after the other.

    >>> twice = ComposeTransform([AffineTransform(0.0, 2.0), ExpTransform()])
    >>> twice.inv(twice(lantern.tensor(0.5)))
    tensor(0.5000)
    """

    def __init__(self, parts: list[Transform], cache_size: int = 0):
        super().__init__(cache_size)
        self.parts = [each.with_cache(cache_size) for each in parts] if cache_size else parts

    def with_cache(self, cache_size: int = 1) -> Transform:
        """Returns this transform with another cache."""
        same = self._cache_size == cache_size
        return self if same else ComposeTransform(self.parts, cache_size)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ComposeTransform) and self.parts == other.parts

    __hash__ = object.__hash__

    def _end(self, parts: list[Transform], near: str, far: str) -> Any:
        """Returns the constraint at an end, with the dimensions that any part needs."""
        if not parts:
            return constraints.real
        found = getattr(parts[0], near)
        dims = getattr(parts[-1], far).event_dim
        for each in reversed(parts):
            mine, other = getattr(each, near).event_dim, getattr(each, far).event_dim
            dims = max(dims + mine - other, mine)
        more = dims - found.event_dim
        return constraints.independent(found, more) if more > 0 else found

    @constraints.dependent_property(is_discrete=False)
    def domain(self) -> Any:
        """The constraint of the arguments."""
        return self._end(self.parts, "domain", "codomain")

    @constraints.dependent_property(is_discrete=False)
    def codomain(self) -> Any:
        """The constraint of the values."""
        return self._end(self.parts[::-1], "codomain", "domain")

    @property
    def bijective(self) -> bool:
        """Whether all parts have an inverse."""
        return all(each.bijective for each in self.parts)

    @property
    def sign(self) -> Any:
        """The product of the signs."""
        return math.prod([each.sign for each in self.parts])

    @property
    def inv(self) -> Transform:
        """The inverse."""
        if self._inv is None:
            self._inv = ComposeTransform([each.inv for each in reversed(self.parts)])
            self._inv._inv = self
        return self._inv

    def __call__(self, x: Tensor) -> Tensor:
        """Returns the value for an argument."""
        for each in self.parts:
            x = each(x)
        return x

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        """Returns the sum over the parts."""
        if not self.parts:
            return lantern.zeros_like(x)
        values = [x]
        for each in self.parts[:-1]:
            values.append(each(values[-1]))
        values.append(y)
        dims, total = self.domain.event_dim, 0
        for each, before, after in zip(self.parts, values, values[1:], strict=False):
            part = each.log_abs_det_jacobian(before, after)
            total = total + sum_rightmost(part, dims - each.domain.event_dim)
            dims += each.codomain.event_dim - each.domain.event_dim
        return total

    def forward_shape(self, shape: Any) -> Any:
        """Returns the shape of the values for arguments of a shape."""
        for each in self.parts:
            shape = each.forward_shape(shape)
        return shape

    def inverse_shape(self, shape: Any) -> Any:
        """Returns the shape of the arguments for values of a shape."""
        for each in reversed(self.parts):
            shape = each.inverse_shape(shape)
        return shape

    def __repr__(self) -> str:
        return type(self).__name__ + "(\n    " + ",\n    ".join(map(repr, self.parts)) + "\n)"


identity_transform = ComposeTransform([])


class IndependentTransform(Transform):
    """Takes some batch dimensions of another transform into one value.

    >>> import lantern
    >>> x = lantern.ones(3)
    >>> IndependentTransform(ExpTransform(), 1).log_abs_det_jacobian(x, x.exp())
    tensor(3.)
    """

    _settings = ("base_transform", "reinterpreted_batch_ndims")

    def __init__(
        self, base_transform: Transform, reinterpreted_batch_ndims: int, cache_size: int = 0
    ):
        super().__init__(cache_size)
        self.base_transform = base_transform.with_cache(cache_size)
        self.reinterpreted_batch_ndims = reinterpreted_batch_ndims

    @constraints.dependent_property(is_discrete=False)
    def domain(self) -> Any:
        """The constraint of the arguments."""
        return constraints.independent(self.base_transform.domain, self.reinterpreted_batch_ndims)

    @constraints.dependent_property(is_discrete=False)
    def codomain(self) -> Any:
        """The constraint of the values."""
        return constraints.independent(self.base_transform.codomain, self.reinterpreted_batch_ndims)

    @property
    def bijective(self) -> Any:
        """Whether there is an inverse."""
        return self.base_transform.bijective

    @property
    def sign(self) -> Any:
        """The sign of the other transform."""
        return self.base_transform.sign

    def _call(self, x: Tensor) -> Tensor:
        _check_dims(x.shape, self.domain.event_dim)
        return self.base_transform(x)

    def _inverse(self, y: Tensor) -> Tensor:
        _check_dims(y.shape, self.codomain.event_dim)
        return self.base_transform.inv(y)

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        """Returns the sum over the dimensions taken in."""
        inner = self.base_transform.log_abs_det_jacobian(x, y)
        return sum_rightmost(inner, self.reinterpreted_batch_ndims)

    def __repr__(self) -> str:
        inside = f"{self.base_transform!r}, {self.reinterpreted_batch_ndims}"
        return f"{type(self).__name__}({inside})"

    def forward_shape(self, shape: Any) -> Any:
        """Returns the shape of the values for arguments of a shape."""
        return self.base_transform.forward_shape(shape)

    def inverse_shape(self, shape: Any) -> Any:
        """Returns the shape of the arguments for values of a shape."""
        return self.base_transform.inverse_shape(shape)


def _check_dims(shape: Any, least: int) -> None:
    if len(shape) < least:
        raise ValueError("Too few dimensions on input")


class ReshapeTransform(Transform):
    """Gives the last dimensions another shape. Raises ValueError for another number of elements.

    >>> import lantern
    >>> ReshapeTransform((4,), (2, 2))(lantern.arange(4))
    tensor([[0, 1],
            [2, 3]])
    """

    bijective = True
    _settings = ("in_shape", "out_shape")

    def __init__(self, in_shape: Any, out_shape: Any, cache_size: int = 0):
        self.in_shape, self.out_shape = Size(in_shape), Size(out_shape)
        if self.in_shape.numel() != self.out_shape.numel():
            raise ValueError("in_shape, out_shape have different numbers of elements")
        super().__init__(cache_size)

    @constraints.dependent_property
    def domain(self) -> Any:
        """The constraint of the arguments."""
        return constraints.independent(constraints.real, len(self.in_shape))

    @constraints.dependent_property
    def codomain(self) -> Any:
        """The constraint of the values."""
        return constraints.independent(constraints.real, len(self.out_shape))

    def _call(self, x: Tensor) -> Tensor:
        return x.reshape(*x.shape[: x.ndim - len(self.in_shape)], *self.out_shape)

    def _inverse(self, y: Tensor) -> Tensor:
        return y.reshape(*y.shape[: y.ndim - len(self.out_shape)], *self.in_shape)

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        """Returns zeros."""
        return x.new_zeros(x.shape[: x.ndim - len(self.in_shape)])

    def forward_shape(self, shape: Any) -> Any:
        """Returns the shape of the values for arguments of a shape."""
        return _replaced(shape, self.in_shape, self.out_shape)

    def inverse_shape(self, shape: Any) -> Any:
        """Returns the shape of the arguments for values of a shape."""
        return _replaced(shape, self.out_shape, self.in_shape)


def _replaced(shape: Any, old: Size, new: Size) -> Size:
    _check_dims(shape, len(old))
    cut = len(shape) - len(old)
    if tuple(shape[cut:]) != tuple(old):
        raise ValueError(f"Shape mismatch: expected {Size(shape[cut:])} but got {old}")
    return Size((*shape[:cut], *new))


class ExpTransform(Transform):
    """y = exp(x).

    >>> import lantern
    >>> ExpTransform().inv(lantern.tensor([1.0, 2.0]))
    tensor([0.0000, 0.6931])
    """

    domain, codomain = constraints.real, constraints.positive
    bijective, sign = True, 1

    def _call(self, x: Tensor) -> Tensor:
        return x.exp()

    def _inverse(self, y: Tensor) -> Tensor:
        return y.log()

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        """Returns x."""
        return x


class PowerTransform(Transform):
    """y = x ** exponent, for positive x.

    >>> import lantern
    >>> PowerTransform(2.0)(lantern.tensor([1.0, 3.0]))
    tensor([1., 9.])
    """

    domain = codomain = constraints.positive
    bijective = True
    _settings = ("exponent",)

    def __init__(self, exponent: Any, cache_size: int = 0):
        super().__init__(cache_size)
        (self.exponent,) = broadcast_all(exponent)

    @property
    def sign(self) -> Any:
        """The sign of the exponent."""
        return self.exponent.sign()

    def __eq__(self, other: object) -> bool:
        same = isinstance(other, PowerTransform)
        return same and bool((self.exponent == other.exponent).all())

    __hash__ = object.__hash__

    def _call(self, x: Tensor) -> Tensor:
        return x.pow(self.exponent)

    def _inverse(self, y: Tensor) -> Tensor:
        return y.pow(1 / self.exponent)

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        """Returns log |exponent y / x|."""
        return (self.exponent * y / x).abs().log()

    def forward_shape(self, shape: Any) -> Any:
        """Returns the shape of the values for arguments of a shape."""
        return lantern.broadcast_shapes(shape, self.exponent.shape)

    inverse_shape = forward_shape


def _inside(chance: Tensor) -> Tensor:
    """Returns chances kept apart from 0 and 1."""
    info = lantern.finfo(chance.dtype)
    return chance.clamp(min=info.tiny, max=1.0 - info.eps)


class SigmoidTransform(Transform):
    """y = 1 / (1 + exp(-x)).

    >>> import lantern
    >>> SigmoidTransform()(lantern.tensor([0.0, 1.0]))
    tensor([0.5000, 0.7311])
    """

    domain, codomain = constraints.real, constraints.unit_interval
    bijective, sign = True, 1

    def _call(self, x: Tensor) -> Tensor:
        return _inside(x.sigmoid())

    def _inverse(self, y: Tensor) -> Tensor:
        y = _inside(y)
        return y.log() - (-y).log1p()

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        """Returns log y (1 - y)."""
        return -softplus(-x) - softplus(x)


class SoftplusTransform(Transform):
    """y = log(1 + exp(x)).

    >>> import lantern
    >>> SoftplusTransform()(lantern.tensor([0.0, 1.0]))
    tensor([0.6931, 1.3133])
    """

    domain, codomain = constraints.real, constraints.positive
    bijective, sign = True, 1

    def _call(self, x: Tensor) -> Tensor:
        return softplus(x)

    def _inverse(self, y: Tensor) -> Tensor:
        return (-y).expm1().neg().log() + y

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        """Returns the logarithm of the sigmoid of x."""
        return -softplus(-x)


class TanhTransform(Transform):
    """y = tanh(x).

    >>> import lantern
    >>> TanhTransform()(lantern.tensor([0.0, 1.0]))
    tensor([0.0000, 0.7616])
    """

    domain, codomain = constraints.real, constraints.interval(-1.0, 1.0)
    bijective, sign = True, 1

    def _call(self, x: Tensor) -> Tensor:
        return x.tanh()

    def _inverse(self, y: Tensor) -> Tensor:
        return y.atanh()

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        """Returns log(1 - y^2), written so that nothing is lost for large x."""
        return 2.0 * (math.log(2.0) - x - softplus(-2.0 * x))


class AbsTransform(Transform):
    """y = |x|, whose inverse takes the positive one.

    >>> import lantern
    >>> AbsTransform()(lantern.tensor([-1.0, 2.0]))
    tensor([1., 2.])
    """

    domain, codomain = constraints.real, constraints.positive

    def _call(self, x: Tensor) -> Tensor:
        return x.abs()

    def _inverse(self, y: Tensor) -> Tensor:
        return y


def _same(a: Any, b: Any) -> bool:
    if isinstance(a, Number) and isinstance(b, Number):
        return a == b
    return bool((a == b).all())


class AffineTransform(Transform):
    """y = loc + scale x; `event_dim` last dimensions belong to one value.

    >>> import lantern
    >>> AffineTransform(1.0, 2.0)(lantern.tensor([0.0, 3.0]))
    tensor([1., 7.])
    """

    bijective = True
    _settings = ("loc", "scale", "event_dim")

    def __init__(self, loc: Any, scale: Any, event_dim: int = 0, cache_size: int = 0):
        super().__init__(cache_size)
        self.loc, self.scale, self._event_dim = loc, scale, event_dim

    @property
    def event_dim(self) -> int:
        """How many dimensions belong to one value."""
        return self._event_dim

    @constraints.dependent_property(is_discrete=False)
    def domain(self) -> Any:
        """The constraint of the arguments."""
        real, dims = constraints.real, self._event_dim
        return constraints.independent(real, dims) if dims else real

    codomain = domain

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, AffineTransform):
            return False
        return _same(self.loc, other.loc) and _same(self.scale, other.scale)

    __hash__ = object.__hash__

    @property
    def sign(self) -> Any:
        """The sign of the scale."""
        if isinstance(self.scale, Tensor):
            return self.scale.sign()
        return (self.scale > 0) - (self.scale < 0)

    def _call(self, x: Tensor) -> Tensor:
        return self.loc + self.scale * x

    def _inverse(self, y: Tensor) -> Tensor:
        return (y - self.loc) / self.scale

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        """Returns log |scale|, for each value."""
        if isinstance(self.scale, Tensor):
            result = self.scale.abs().log()
        else:
            result = lantern.full_like(x, math.log(abs(self.scale)))
        dims = self._event_dim
        if dims:
            result = sum_rightmost(result.expand(x.shape), dims)
        return result.expand(x.shape[: x.ndim - dims])

    def forward_shape(self, shape: Any) -> Any:
        """Returns the shape of the values for arguments of a shape."""
        parts = (getattr(each, "shape", ()) for each in (self.loc, self.scale))
        return lantern.broadcast_shapes(shape, *parts)

    inverse_shape = forward_shape


class CorrCholeskyTransform(Transform):
    """Real vectors to Cholesky factors of correlation matrices (Lewandowski et al. 2009).

    >>> import lantern
    >>> CorrCholeskyTransform()(lantern.zeros(1))
    tensor([[1., 0.],
            [0., 1.]])
    """

    domain, codomain = constraints.real_vector, constraints.corr_cholesky
    bijective = True

    def _call(self, x: Tensor) -> Tensor:
        eps = lantern.finfo(x.dtype).eps
        partial = vec_to_tril_matrix(x.tanh().clamp(min=-1 + eps, max=1 - eps), diag=-1)
        left = (1 - partial**2).sqrt().cumprod(-1)
        partial = partial + lantern.eye(partial.shape[-1], dtype=partial.dtype)
        return partial * pad(left[..., :-1], [1, 0], value=1)

    def _inverse(self, y: Tensor) -> Tensor:
        left = pad((1 - (y * y).cumsum(-1))[..., :-1], [1, 0], value=1)
        partial = tril_matrix_to_vec(y, diag=-1) / tril_matrix_to_vec(left, diag=-1).sqrt()
        return (partial.log1p() - (-partial).log1p()) / 2

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        """Returns the sum for the sticks and for tanh."""
        left = tril_matrix_to_vec(1 - (y * y).cumsum(-1), diag=-2)
        tanh = (x + softplus(-2 * x) - math.log(2.0)).sum(-1)
        return 0.5 * left.log().sum(-1) - 2 * tanh

    def forward_shape(self, shape: Any) -> Any:
        """Returns the shape of the matrices for vectors of a shape."""
        _check_dims(shape, 1)
        n = round((0.25 + 2 * shape[-1]) ** 0.5 + 0.5)
        if n * (n - 1) // 2 != shape[-1]:
            raise ValueError("Input is not a flattened lower-diagonal number")
        return Size((*shape[:-1], n, n))

    def inverse_shape(self, shape: Any) -> Any:
        """Returns the shape of the vectors for matrices of a shape."""
        _check_dims(shape, 2)
        if shape[-2] != shape[-1]:
            raise ValueError("Input is not square")
        return Size((*shape[:-2], shape[-1] * (shape[-1] - 1) // 2))


class SoftmaxTransform(Transform):
    """Real vectors to shares of 1; not bijective.

    >>> import lantern
    >>> SoftmaxTransform()(lantern.zeros(2))
    tensor([0.5000, 0.5000])
    """

    domain, codomain = constraints.real_vector, constraints.simplex

    def _call(self, x: Tensor) -> Tensor:
        return F.softmax(x, -1)

    def _inverse(self, y: Tensor) -> Tensor:
        return y.log()

    def forward_shape(self, shape: Any) -> Any:
        """Returns the shape, which stays."""
        _check_dims(shape, 1)
        return shape

    inverse_shape = forward_shape


class StickBreakingTransform(Transform):
    """Real vectors `(N)` to shares of 1 `(N + 1)`, each a part of what the others left.

    >>> import lantern
    >>> StickBreakingTransform()(lantern.zeros(2))
    tensor([0.3333, 0.3333, 0.3333])
    """

    domain, codomain = constraints.real_vector, constraints.simplex
    bijective = True

    def _call(self, x: Tensor) -> Tensor:
        part = _inside((x - self._left(x).log()).sigmoid())
        rest = (1 - part).cumprod(-1)
        return pad(part, [0, 1], value=1) * pad(rest, [1, 0], value=1)

    @staticmethod
    def _left(x: Tensor) -> Tensor:
        """Returns how many shares are still to come after each."""
        return lantern.arange(x.shape[-1], 0, -1, dtype=x.dtype)

    def _inverse(self, y: Tensor) -> Tensor:
        first = y[..., :-1]
        rest = (1 - first.cumsum(-1)).clamp(min=lantern.finfo(y.dtype).tiny)
        return first.log() - rest.log() + self._left(first).log()

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        """Returns the sum over the sticks."""
        x = x - self._left(x).log()
        return (-x + F.logsigmoid(x) + y[..., :-1].log()).sum(-1)

    def forward_shape(self, shape: Any) -> Any:
        """Returns the shape with one more at the end."""
        _check_dims(shape, 1)
        return Size((*shape[:-1], shape[-1] + 1))

    def inverse_shape(self, shape: Any) -> Any:
        """Returns the shape with one less at the end."""
        _check_dims(shape, 1)
        return Size((*shape[:-1], shape[-1] - 1))


class LowerCholeskyTransform(Transform):
    """Matrices to lower triangular ones with a positive diagonal.

    >>> import lantern
    >>> LowerCholeskyTransform()(lantern.zeros(2, 2))
    tensor([[1., 0.],
            [0., 1.]])
    """

    domain = constraints.independent(constraints.real, 2)
    codomain = constraints.lower_cholesky

    def _call(self, x: Tensor) -> Tensor:
        return x.tril(-1) + x.diagonal(dim1=-2, dim2=-1).exp().diag_embed()

    def _inverse(self, y: Tensor) -> Tensor:
        return y.tril(-1) + y.diagonal(dim1=-2, dim2=-1).log().diag_embed()


class PositiveDefiniteTransform(Transform):
    """Matrices to positive definite ones.

    >>> import lantern
    >>> PositiveDefiniteTransform()(lantern.zeros(2, 2))
    tensor([[1., 0.],
            [0., 1.]])
    """

    domain = constraints.independent(constraints.real, 2)
    codomain = constraints.positive_definite

    def _call(self, x: Tensor) -> Tensor:
        factor = LowerCholeskyTransform()(x)
        return factor @ factor.mT

    def _inverse(self, y: Tensor) -> Tensor:
        return LowerCholeskyTransform().inv(lantern.linalg.cholesky(y))


class _PartsTransform(Transform):
    """Has a transform for each part of a dimension."""

    def __init__(self, tseq: Sequence[Transform], dim: int = 0, cache_size: int = 0):
        if not all(isinstance(each, Transform) for each in tseq):
            raise AssertionError("All elements of tseq must be Transform instances")
        super().__init__(cache_size)
        self.transforms = [each.with_cache(cache_size) if cache_size else each for each in tseq]
        self.dim = dim

    @property
    def tseq(self) -> list[Transform]:
        """The transforms."""
        return self.transforms

    def _parts(self, x: Tensor) -> Any:
        raise NotImplementedError

    def _whole(self, parts: list[Tensor]) -> Tensor:
        raise NotImplementedError

    def _checked(self, x: Tensor, size: int, what: str) -> None:
        if not -x.ndim <= self.dim < x.ndim:
            raise AssertionError(f"dim {self.dim} out of range for tensor with {x.ndim} dimensions")
        if x.size(self.dim) != size:
            raise AssertionError(f"x.size({self.dim}) = {x.size(self.dim)} must equal {what}")

    def _call(self, x: Tensor) -> Tensor:
        pairs = zip(self.transforms, self._parts(x), strict=True)
        return self._whole([each(part) for each, part in pairs])

    def _inverse(self, y: Tensor) -> Tensor:
        pairs = zip(self.transforms, self._parts(y), strict=True)
        return self._whole([each.inv(part) for each, part in pairs])

    @property
    def bijective(self) -> bool:
        """Whether all have an inverse."""
        return all(each.bijective for each in self.transforms)


class CatTransform(_PartsTransform):
    """Transforms of parts of a dimension, `lengths` long."""

    _settings = ("tseq", "dim", "lengths")

    def __init__(
        self,
        tseq: Sequence[Transform],
        dim: int = 0,
        lengths: Sequence[int] | None = None,
        cache_size: int = 0,
    ):
        super().__init__(tseq, dim, cache_size)
        self.lengths = [1] * len(self.transforms) if lengths is None else list(lengths)
        if len(self.lengths) != len(self.transforms):
            raise AssertionError(
                f"lengths ({len(self.lengths)}) must match transforms ({len(self.transforms)})"
            )

    @property
    def event_dim(self) -> int:
        """How many dimensions belong to one value."""
        return max(each.event_dim for each in self.transforms)

    @property
    def length(self) -> int:
        """The size of the dimension."""
        return sum(self.lengths)

    def _parts(self, x: Tensor) -> Any:
        self._checked(x, self.length, f"length {self.length}")
        return x.split(self.lengths, self.dim)

    def _whole(self, parts: list[Tensor]) -> Tensor:
        return lantern.cat(parts, self.dim)

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        """Returns those of the parts, put together or summed up."""
        found = []
        for each, a, b in zip(self.transforms, self._parts(x), self._parts(y), strict=True):
            part = each.log_abs_det_jacobian(a, b)
            found.append(sum_rightmost(part, self.event_dim - each.event_dim))
        dim = (self.dim - x.ndim if self.dim >= 0 else self.dim) + self.event_dim
        return lantern.cat(found, dim) if dim < 0 else sum(found)

    @constraints.dependent_property
    def domain(self) -> Any:
        """The constraint of the arguments."""
        return constraints.cat([each.domain for each in self.transforms], self.dim, self.lengths)

    @constraints.dependent_property
    def codomain(self) -> Any:
        """The constraint of the values."""
        return constraints.cat([each.codomain for each in self.transforms], self.dim, self.lengths)


class StackTransform(_PartsTransform):
    """Transforms of the slices along a dimension."""

    _settings = ("tseq", "dim")

    def _parts(self, x: Tensor) -> Any:
        count = len(self.transforms)
        self._checked(x, count, f"len(transforms) {count}")
        return x.unbind(self.dim)

    def _whole(self, parts: list[Tensor]) -> Tensor:
        return lantern.stack(parts, self.dim)

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        """Returns those of the slices."""
        triples = zip(self.transforms, self._parts(x), self._parts(y), strict=True)
        return self._whole([each.log_abs_det_jacobian(a, b) for each, a, b in triples])

    @constraints.dependent_property
    def domain(self) -> Any:
        """The constraint of the arguments."""
        return constraints.stack([each.domain for each in self.transforms], self.dim)

    @constraints.dependent_property
    def codomain(self) -> Any:
        """The constraint of the values."""
        return constraints.stack([each.codomain for each in self.transforms], self.dim)


class CumulativeDistributionTransform(Transform):
    """Values of a distribution to the chances of a value up to them.

    >>> import lantern
    >>> from lantern.distributions import Uniform
    >>> CumulativeDistributionTransform(Uniform(0.0, 4.0))(lantern.tensor([1.0, 3.0]))
    tensor([0.2500, 0.7500])
    """

    bijective, codomain, sign = True, constraints.unit_interval, 1
    _settings = ("distribution",)

    def __init__(self, distribution: Any, cache_size: int = 0):
        super().__init__(cache_size)
        self.distribution = distribution

    @property
    def domain(self) -> Any:
        """The support of the distribution."""
        return self.distribution.support

    def _call(self, x: Tensor) -> Tensor:
        return self.distribution.cdf(x)

    def _inverse(self, y: Tensor) -> Tensor:
        return self.distribution.icdf(y)

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        """Returns the logarithm of the density."""
        return self.distribution.log_prob(x)
