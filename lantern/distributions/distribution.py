"""What all distributions share: shapes, checks of parameters and values, expansion."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import lantern
from lantern import Size, Tensor
from lantern.autograd.mode import active

from . import constraints
from .utils import lazy_property


class Distribution:
    """A distribution of values of `event_shape`, one for each place of `batch_shape`.

    A family names its parameters with their constraints in `arg_constraints`; those are checked,
    shown and expanded. Raises ValueError for a parameter that breaks its constraint.

    >>> normal = lantern.distributions.Normal(lantern.zeros(3), 1.0)
    >>> normal.batch_shape, normal.expand((2, 3)).sample((4,)).shape
    (torch.Size([3]), torch.Size([4, 2, 3]))
    """

    has_rsample: Any = False
    has_enumerate_support: Any = False
    _validate_args = __debug__

    @staticmethod
    def set_default_validate_args(value: bool) -> None:
        """Says whether distributions check their parameters and values unless told otherwise."""
        if value not in [True, False]:
            raise ValueError
        Distribution._validate_args = value

    def __init__(
        self,
        batch_shape: Any = (),
        event_shape: Any = (),
        validate_args: bool | None = None,
    ):
        self._batch_shape, self._event_shape = Size(batch_shape), Size(event_shape)
        if validate_args is not None:
            self._validate_args = validate_args
        if self._checks:
            self._check_parameters()

    @property
    def _checks(self) -> bool:
        """Whether values are looked at; while a function is recorded there are none yet."""
        return self._validate_args and active.trace is None

    def _check_parameters(self) -> None:
        try:
            known = self.arg_constraints
        except NotImplementedError:
            warnings.warn(
                f"{type(self)} does not define `arg_constraints`. Please set `arg_constraints = "
                "{}` or initialize the distribution with `validate_args=False` to turn off "
                "validation.",
                stacklevel=4,
            )
            return
        for name, constraint in known.items():
            late = isinstance(getattr(type(self), name, None), lazy_property)
            if constraints.is_dependent(constraint) or late and name not in vars(self):
                continue
            value = getattr(self, name)
            if not bool(constraint.check(value).all()):
                raise ValueError(
                    f"Expected parameter {name} ({type(value).__name__} of shape "
                    f"{tuple(value.shape)}) of distribution {self!r} to satisfy the constraint "
                    f"{constraint!r}, but found invalid values:\n{value}"
                )

    def expand(self, batch_shape: Sequence[int], _instance: Any = None) -> Any:
        """Returns this distribution for a larger batch."""
        new = type(self).__new__(type(self)) if _instance is None else _instance
        shape, kind = Size(batch_shape), type(self)
        lazy = {n for n in vars(self) if isinstance(getattr(kind, n, None), lazy_property)}
        parameters = self.arg_constraints
        for name, value in vars(self).items():
            if isinstance(value, Distribution):
                extra = value.batch_shape[len(self._batch_shape) :]
                vars(new)[name] = value.expand((*shape, *extra))
            elif name in parameters and isinstance(value, Tensor):
                dims = parameters[name].event_dim
                vars(new)[name] = value.expand((*shape, *value.shape[value.ndim - dims :]))
            elif name not in lazy:
                vars(new)[name] = value
        Distribution.__init__(new, shape, self._event_shape, validate_args=False)
        new._validate_args = self._validate_args
        return new

    def _get_checked_instance(self, cls: type, _instance: Any = None) -> Any:
        """Returns the instance that an `expand` of a subclass fills."""
        if _instance is None and type(self).__init__ != cls.__init__:  # type: ignore[misc]
            raise NotImplementedError(
                f"Subclass {type(self).__name__} of {cls.__name__} that defines a custom __init__ "
                "method must also define a custom .expand() method."
            )
        return type(self).__new__(type(self)) if _instance is None else _instance

    @property
    def batch_shape(self) -> Size:
        """The shape over which parameters are batched."""
        return self._batch_shape

    @property
    def event_shape(self) -> Size:
        """The shape of one value."""
        return self._event_shape

    @property
    def arg_constraints(self) -> dict[str, Any]:
        """The constraint of each parameter, by name."""
        raise NotImplementedError

    @property
    def support(self) -> Any:
        """The constraint of the values."""
        raise NotImplementedError

    @property
    def mean(self) -> Tensor:
        """The mean."""
        raise NotImplementedError

    @property
    def mode(self) -> Tensor:
        """The most probable value."""
        raise NotImplementedError(f"{type(self)} does not implement mode")

    @property
    def variance(self) -> Tensor:
        """The variance."""
        raise NotImplementedError

    @property
    def stddev(self) -> Tensor:
        """The standard deviation."""
        return self.variance.sqrt()

    def sample(self, sample_shape: Any = ()) -> Tensor:
        """Returns draws `sample_shape + batch_shape + event_shape`, without a gradient."""
        with lantern.no_grad():
            return self.rsample(sample_shape)

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        """Returns draws that move with the parameters, so that gradients reach these."""
        raise NotImplementedError

    def sample_n(self, n: int) -> Tensor:
        """Returns `sample((n,))`; deprecated."""
        warnings.warn(
            "`sample_n(n)` will be deprecated. Use `sample((n,))` instead.",
            FutureWarning,
            stacklevel=2,
        )
        return self.sample((n,))

    def log_prob(self, value: Tensor) -> Tensor:
        """Returns the logarithm of the density, or of the chance, of values.

        Raises ValueError for values outside of the support.
        """
        if self._checks:
            self._validate_sample(value)
        return self._log_density(value)

    def _log_density(self, value: Tensor) -> Tensor:
        raise NotImplementedError

    def cdf(self, value: Tensor) -> Tensor:
        """Returns the chance of a value up to this one."""
        if self._checks:
            self._validate_sample(value)
        return self._below(value)

    def _below(self, value: Tensor) -> Tensor:
        raise NotImplementedError

    def icdf(self, value: Tensor) -> Tensor:
        """Returns the value up to which the chance is `value`."""
        raise NotImplementedError

    def enumerate_support(self, expand: bool = True) -> Tensor:
        """Returns all values in a first dimension, for each place of the batch if `expand`."""
        raise NotImplementedError

    def _spread(self, values: Tensor, expand: bool) -> Tensor:
        """Returns all values as `enumerate_support` gives them."""
        shape, event = self._batch_shape, values.shape[1:]
        values = values.view(-1, *[1] * len(shape), *event)
        return values.expand(-1, *shape, *event) if expand else values

    def entropy(self) -> Tensor:
        """Returns the entropy in nats."""
        raise NotImplementedError

    def perplexity(self) -> Tensor:
        """Returns the exponential of the entropy."""
        return self.entropy().exp()

    def _extended_shape(self, sample_shape: Any = ()) -> Size:
        return Size((*sample_shape, *self._batch_shape, *self._event_shape))

    def _validate_sample(self, value: Any) -> None:
        if not isinstance(value, Tensor):
            raise ValueError("The value argument to log_prob must be a Tensor")
        shape, event = value.shape, self._event_shape
        if shape[len(shape) - len(event) :] != event:
            raise ValueError(
                f"The right-most size of value must match event_shape: {shape} vs {event}."
            )
        expected = Size((*self._batch_shape, *event))
        for i, j in zip(reversed(shape), reversed(expected), strict=False):
            if i != j and 1 not in (i, j):
                raise ValueError(
                    "Value is not broadcastable with batch_shape+event_shape: "
                    f"{shape} vs {expected}."
                )
        try:
            support = self.support
        except NotImplementedError:
            warnings.warn(
                f"{type(self)} does not define `support` to enable sample validation. Please "
                "initialize the distribution with `validate_args=False` to turn off validation.",
                stacklevel=3,
            )
            return
        if not bool(support.check(value).all()):
            raise ValueError(
                f"Expected value argument ({type(value).__name__} of shape {tuple(shape)}) to be "
                f"within the support ({support!r}) of the distribution {self!r}, but found invalid "
                f"values:\n{value}"
            )

    def __repr__(self) -> str:
        shown = []
        for name in self.arg_constraints:
            if name in vars(self):
                value = vars(self)[name]
                shown.append(f"{name}: {value if value.numel() == 1 else value.size()}")
        return f"{type(self).__name__}({', '.join(shown)})"
