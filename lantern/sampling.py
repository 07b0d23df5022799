"""Random tensors: `rand`, `randn`, `randint`, ... and the methods that fill a tensor with draws.

The numbers, and how many of the generator's words each draw takes, are PyTorch's on the CPU. Under
`lantern.compile` draws are recorded and made anew at each call. The file is long by PyTorch's
signatures: the functions, their `_like` forms and the methods share one way of checking arguments.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from . import dtypes
from .autograd.mode import mode
from .autograd.views import assign, resize
from .backends import NAMESPACES
from .creation import checked_sizes
from .moving import placed
from .ops.reparameterized import (
    dirichlet_draws,
    dirichlet_slope,
    gamma_draws,
    gamma_slope,
)
from .ops.sampling import draw, draw_like, fill, without_slope
from .ops.sampling import source as _source
from .ops.views import expand
from .random import Generator, default_generator
from .shape import as_sizes, broadcast_shapes
from .tensor import Tensor

__all__ = """
    _dirichlet_grad _sample_dirichlet _standard_gamma _standard_gamma_grad bernoulli binomial
    multinomial normal poisson rand rand_like randint randint_like randn randn_like randperm
""".split()

_source.generator = default_generator


# The types of arguments that are taken as they are.
WHOLE, PLAIN = frozenset({int}), frozenset({int, float})


# --- arguments
def _kind(value: object) -> str:
    return type(value).__name__


def _invalid(name: str, given: Sequence[Any], keywords: dict, forms: str) -> TypeError:
    named = [f"{key}={_kind(value)}" for key, value in keywords.items() if value is not None]
    got = ", ".join([*map(_kind, given), *named])
    return TypeError(
        f"{name}() received an invalid combination of arguments - got ({got}), but expected one "
        f"of: {forms}"
    )


def _wrong(name: str, argument: str, place: int, kind: str, value: object) -> TypeError:
    return TypeError(
        f"{name}(): argument '{argument}' (position {place}) must be {kind}, not {_kind(value)}"
    )


def _whole(name: str, argument: str, place: int, value: Any) -> int:
    """Returns an argument as an int; raises TypeError for what is no whole number."""
    if type(value) is int and -(2**63) <= value < 2**63:
        return value
    whole = hasattr(value, "__index__") and not isinstance(value, bool)
    if not whole or isinstance(value, Tensor) and (value.ndim or value.is_floating_point()):
        raise _wrong(name, argument, place, "int", value)
    value = value.item() if isinstance(value, Tensor) else value.__index__()
    if not -(2**63) <= value < 2**63:
        raise ValueError("Overflow when unpacking long long")
    return value


def _real(name: str, argument: str, place: int, value: Any) -> float:
    """Returns an argument as a float; raises TypeError for what is no number."""
    if type(value) is float:
        return value
    if isinstance(value, (str, bytes)) or not hasattr(value, "__float__"):
        raise _wrong(name, argument, place, "float", value)
    if isinstance(value, Tensor) and value.ndim:
        raise _wrong(name, argument, place, "float", value)
    return float(value)


def _checked(name: str, generator: Any) -> Generator | None:
    if generator is not None and not isinstance(generator, Generator):
        raise TypeError(
            f"{name}(): argument 'generator' must be torch.Generator, not {_kind(generator)}"
        )
    return generator


def _tensor(name: str, argument: str, place: int, value: Any) -> Tensor:
    if not isinstance(value, Tensor):
        raise _wrong(name, argument, place, "Tensor", value)
    return value


def _shape(name: str, place: int, size: Any) -> tuple[int, ...]:
    if type(size) is tuple and WHOLE.issuperset(map(type, size)):
        return checked_sizes(size)
    if isinstance(size, (str, bytes)) or not hasattr(size, "__iter__"):
        raise _wrong(name, "size", place, "tuple of ints", size)
    sizes = tuple(size)
    for i, each in enumerate(sizes):
        if not hasattr(each, "__index__"):
            raise TypeError(
                f"{name}(): argument 'size' (position {place}) must be tuple of ints, but found "
                f"element of type {_kind(each)} at pos {i}"
            )
    return checked_sizes(as_sizes((sizes,)))


# --- making and filling
def _made(
    name: str,
    kind: str,
    shape: tuple[int, ...],
    parameters: tuple,
    default: dtypes.dtype,
    *,
    generator: Any,
    out: Tensor | None,
    dtype: dtypes.dtype | None,
    requires_grad: bool,
) -> Tensor:
    """Returns a new tensor of draws, or fills `out` with them."""
    if generator is not None:
        _checked(name, generator)
    made = out.dtype if isinstance(out, Tensor) else default if dtype is None else dtype
    if requires_grad:
        _check_leaf(made)
    if out is None:
        result = draw(kind, shape, made, generator, *parameters)
    else:
        result = _fitted(name, out, shape, dtype)
        if kind == "permutation":
            assign(result, draw(kind, shape, result.dtype, generator))
        else:
            fill(result, kind, generator, *parameters)
    return result.requires_grad_() if requires_grad else result


def _check_leaf(dtype: dtypes.dtype) -> None:
    if dtype.kind != "f":
        raise RuntimeError("Only Tensors of floating point and complex dtype can require gradients")


def _fitted(name: str, out: Any, shape: tuple[int, ...], dtype: dtypes.dtype | None) -> Tensor:
    """Returns the tensor given as `out=`, in the shape of the result."""
    if not isinstance(out, Tensor):
        raise TypeError(f"{name}(): argument 'out' must be Tensor, not {_kind(out)}")
    if mode.enabled and out.requires_grad:
        raise RuntimeError(
            f"{name}(): functions with out=... arguments don't support automatic differentiation, "
            "but one of the arguments requires grad."
        )
    if dtype is not None and out.dtype is not dtype:
        raise RuntimeError(
            f"dtype {dtype.legacy} does not match dtype of out parameter ({out.dtype.legacy})"
        )
    if out.shape != shape:
        resize(out, shape)
    return out


def _given_or_new(name: str, result: Tensor, out: Tensor | None) -> Tensor:
    if out is None:
        return result
    return assign(_fitted(name, out, result.shape, result.dtype), result.detach())


def _by_shape(name: str, kind: str, parameters: tuple, text: str) -> Callable[..., Tensor]:
    @placed
    def make(
        *size: Any,
        generator: Generator | None = None,
        out: Tensor | None = None,
        dtype: dtypes.dtype | None = None,
        layout: Any = None,
        device: Any = None,
        requires_grad: bool = False,
        pin_memory: bool = False,
        **named: Any,
    ) -> Tensor:
        if "size" in named and not size:
            size = (named.pop("size"),)
        if named or not size or len(size) > 1 and not hasattr(size[0], "__index__"):
            raise _invalid(name, size, named, "(tuple of ints size, *, torch.Generator generator)")
        shape = _shape(name, 1, size if hasattr(size[0], "__index__") else size[0])
        default = dtypes.get_default_dtype() if dtype is None else dtype
        return _made(
            name, kind, shape, parameters, default,
            generator=generator, out=out, dtype=dtype, requires_grad=requires_grad,
        )  # fmt: skip

    make.__name__ = make.__qualname__ = name
    make.__doc__ = text
    return make


rand = _by_shape(
    "rand",
    "uniform",
    (),
    """A tensor of uniform random numbers in [0, 1).

    Raises NotImplementedError for a dtype that is not floating point.

    >>> _ = lantern.manual_seed(0)
    >>> lantern.rand(2, 2)
    tensor([[0.4963, 0.7682],
            [0.0885, 0.1320]])
    """,
)
randn = _by_shape(
    "randn",
    "normal",
    (0.0, 1.0),
    """A tensor of normal random numbers with mean 0 and standard deviation 1.

    Raises NotImplementedError for a dtype that is not floating point.

    >>> _ = lantern.manual_seed(0)
    >>> lantern.randn(3)
    tensor([ 1.5410, -0.2934, -2.1788])
    """,
)


def _bound(
    name: str, names: Sequence[str], args: tuple, keywords: dict, forms: str
) -> dict[str, Any]:
    """Returns arguments by name, those given by position taking the names still free, in order."""
    if not keywords and len(args) == len(names):
        return dict(zip(names, args, strict=True))
    found = {key: value for key, value in keywords.items() if value is not None}
    free = [each for each in names if each not in found]
    if len(args) != len(free) or any(each not in names for each in found):
        raise _invalid(name, args, keywords, forms)
    return found | dict(zip(free, args, strict=True))


@placed
def randint(
    *args: Any,
    low: int | None = None,
    high: int | None = None,
    size: Any = None,
    generator: Generator | None = None,
    out: Tensor | None = None,
    dtype: dtypes.dtype | None = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
) -> Tensor:
    """Random whole numbers in [low, high): `randint(high, size)` or `randint(low, high, size)`.

    Raises RuntimeError for an empty range or one that the dtype cannot hold.

    >>> _ = lantern.manual_seed(0)
    >>> lantern.randint(3, 9, (4,))
    tensor([5, 6, 8, 3])
    """
    keywords = {"low": low, "high": high, "size": size}
    keywords = {key: value for key, value in keywords.items() if value is not None}
    count = len(args) + len(keywords)
    names = ("high", "size") if count == 2 and low is None else ("low", "high", "size")
    forms = "(int high, tuple of ints size) or (int low, int high, tuple of ints size)"
    given = _bound("randint", names, args, keywords, forms)
    low = _whole("randint", "low", 1, given["low"]) if "low" in given else 0
    high = _whole("randint", "high", len(names) - 1, given["high"])
    shape = _shape("randint", len(names), given["size"])
    return _made(
        "randint", "random", shape, (low, high), dtypes.int64,
        generator=generator, out=out, dtype=dtype, requires_grad=requires_grad,
    )  # fmt: skip


@placed
def randperm(
    n: int,
    *,
    generator: Generator | None = None,
    out: Tensor | None = None,
    dtype: dtypes.dtype | None = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
) -> Tensor:
    """The numbers from 0 to n - 1 in random order.

    Raises RuntimeError for a negative `n` or a dtype too small for it.

    >>> _ = lantern.manual_seed(0)
    >>> lantern.randperm(5)
    tensor([4, 0, 1, 3, 2])
    """
    n = _whole("randperm", "n", 1, n)
    return _made(
        "randperm", "permutation", checked_sizes((n,)), (), dtypes.int64,
        generator=generator, out=out, dtype=dtype, requires_grad=requires_grad,
    )  # fmt: skip


def _like(name: str, kind: str, parameters: tuple, text: str) -> Callable[..., Tensor]:
    @placed
    def make(
        input: Any,
        *,
        generator: Generator | None = None,
        dtype: dtypes.dtype | None = None,
        layout: Any = None,
        device: Any = None,
        requires_grad: bool = False,
        pin_memory: bool = False,
        memory_format: Any = None,
    ) -> Tensor:
        input = _tensor(name, "input", 1, input)
        settings: dict[str, Any] = {"dtype": dtype, "requires_grad": requires_grad}
        return _made_like(name, kind, input, parameters, generator, **settings)

    make.__name__ = make.__qualname__ = name
    make.__doc__ = text
    return make


def _made_like(
    name: str,
    kind: str,
    input: Tensor,
    parameters: tuple,
    generator: Any,
    *,
    dtype: dtypes.dtype | None,
    requires_grad: bool,
) -> Tensor:
    dtype = input.dtype if dtype is None else dtype
    if requires_grad:
        _check_leaf(dtype)
    result = draw_like(input, kind, dtype, _checked(name, generator), *parameters)
    return result.requires_grad_() if requires_grad else result


rand_like = _like(
    "rand_like",
    "uniform",
    (),
    """Uniform random numbers in [0, 1) in the shape and dtype of a tensor.

    >>> _ = lantern.manual_seed(0)
    >>> lantern.rand_like(lantern.zeros(2))
    tensor([0.4963, 0.7682])
    """,
)
randn_like = _like(
    "randn_like",
    "normal",
    (0.0, 1.0),
    """Normal random numbers, mean 0 and deviation 1, in the shape and dtype of a tensor.

    >>> _ = lantern.manual_seed(0)
    >>> lantern.randn_like(lantern.zeros(2))
    tensor([ 1.5410, -0.2934])
    """,
)


@placed
def randint_like(
    input: Tensor,
    *args: Any,
    low: int | None = None,
    high: int | None = None,
    generator: Generator | None = None,
    dtype: dtypes.dtype | None = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
    memory_format: Any = None,
) -> Tensor:
    """Random whole numbers in [low, high) (or [0, high)) in the shape and dtype of a tensor.

    >>> _ = lantern.manual_seed(0)
    >>> lantern.randint_like(lantern.zeros(3), 10)
    tensor([4., 9., 3.])
    """
    input = _tensor("randint_like", "input", 1, input)
    keywords = {"low": low, "high": high}
    single = low is None and len(args) + (high is not None) == 1
    names = ("high",) if single else ("low", "high")
    forms = "(Tensor input, int high) or (Tensor input, int low, int high)"
    given = _bound("randint_like", names, args, keywords, forms)
    first = _whole("randint_like", "low", 2, given["low"]) if "low" in given else 0
    last = _whole("randint_like", "high", len(names) + 1, given["high"])
    settings: dict[str, Any] = {"dtype": dtype, "requires_grad": requires_grad}
    return _made_like("randint_like", "random", input, (first, last), generator, **settings)


@placed
def normal(
    mean: Any,
    std: Any = None,
    size: Any = None,
    *,
    generator: Generator | None = None,
    out: Tensor | None = None,
    dtype: dtypes.dtype | None = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
) -> Tensor:
    """Normal random numbers of given means and deviations, each a number or a tensor.

    Where both are numbers a `size` is needed. Raises RuntimeError for a negative deviation.

    >>> _ = lantern.manual_seed(0)
    >>> lantern.normal(lantern.tensor([10.0, 20.0]), 0.5)
    tensor([10.7705, 19.8533])
    >>> lantern.normal(0.0, 1.0, (2,)).shape
    torch.Size([2])
    """
    forms = (
        "(Tensor mean, Tensor std), (Tensor mean, float std), (float mean, Tensor std) or "
        "(float mean, float std, tuple of ints size)"
    )
    by_tensor = isinstance(mean, Tensor) or isinstance(std, Tensor)
    if by_tensor == (size is not None) or std is None and not isinstance(mean, Tensor):
        raise _invalid("normal", (mean,), {"std": std, "size": size}, forms)
    if not by_tensor:
        numbers = (_real("normal", "mean", 1, mean), _real("normal", "std", 2, std))
        settings: dict[str, Any] = {"out": out, "dtype": dtype, "requires_grad": requires_grad}
        shape, kind = _shape("normal", 3, size), dtypes.get_default_dtype()
        return _made("normal", "normal", shape, numbers, kind, generator=generator, **settings)
    if dtype is not None or requires_grad:
        raise _invalid("normal", (mean, std), {"dtype": dtype}, forms)
    result = _normal_around(mean, 1.0 if std is None else std, _checked("normal", generator))
    return _given_or_new("normal", result, out)


def _normal_around(mean: Any, std: Any, generator: Generator | None) -> Tensor:
    shapes = [each.shape for each in (mean, std) if isinstance(each, Tensor)]
    dtype = mean.dtype if isinstance(mean, Tensor) else std.dtype
    if not isinstance(mean, Tensor):
        mean = _real("normal", "mean", 1, mean)
    if not isinstance(std, Tensor):
        std = _real("normal", "std", 2, std)
    shape = broadcast_shapes(*shapes)
    drawn = draw("normal_around", shape, dtype, generator, mean, std)
    return without_slope(drawn, std, mean)


@placed
def bernoulli(
    input: Tensor,
    p: float | None = None,
    *,
    generator: Generator | None = None,
    out: Tensor | None = None,
) -> Tensor:
    """Ones with the probabilities in `input` (or all with probability `p`), else zeros.

    Raises RuntimeError for a probability outside [0, 1].

    >>> _ = lantern.manual_seed(0)
    >>> lantern.bernoulli(lantern.tensor([0.0, 0.5, 1.0]))
    tensor([0., 0., 1.])
    """
    input = _tensor("bernoulli", "input", 1, input)
    generator = _checked("bernoulli", generator)
    if p is not None:
        if isinstance(p, Tensor) and p.ndim or out is not None:
            forms = "(Tensor input) or (Tensor input, float p)"
            raise _invalid("bernoulli", (input,), {"p": p, "out": out}, forms)
        chance = _real("bernoulli", "p", 2, p)
        drawn = draw("bernoulli", input.shape, input.dtype, generator, chance)
        return without_slope(drawn, input)
    drawn = draw("bernoulli", input.shape, input.dtype, generator, input)
    return _given_or_new("bernoulli", without_slope(drawn, input), out)


@placed
def multinomial(
    input: Tensor,
    num_samples: int,
    replacement: bool = False,
    *,
    generator: Generator | None = None,
    out: Tensor | None = None,
) -> Tensor:
    """Indices drawn with probabilities in proportion to the weights `(K,)` or `(N, K)`.

    Raises RuntimeError for weights that are no distribution, or for more samples than weights
    without replacement.

    >>> _ = lantern.manual_seed(0)
    >>> lantern.multinomial(lantern.tensor([0.0, 3.0, 1.0]), 4, replacement=True)
    tensor([2, 1, 1, 2])
    """
    input = _tensor("multinomial", "input", 1, input)
    count = _whole("multinomial", "num_samples", 2, num_samples)
    if out is not None and isinstance(out, Tensor) and out.dtype is not dtypes.int64:
        raise RuntimeError(f"multinomial expects Long tensor out, got: {out.dtype.legacy}")
    generator = _checked("multinomial", generator)
    shape = (*input.shape[:-1], count)
    parameters = (input.detach(), count, bool(replacement))
    result = draw("multinomial", shape, dtypes.int64, generator, *parameters)
    return _given_or_new("multinomial", result, out)


@placed
def poisson(input: Tensor, generator: Generator | None = None) -> Tensor:
    """A Poisson random number for each rate in `input`.

    Raises RuntimeError for a negative rate.

    >>> _ = lantern.manual_seed(0)
    >>> lantern.poisson(lantern.tensor([0.0, 2.0, 50.0]))
    tensor([ 0.,  6., 47.])
    """
    input = _tensor("poisson", "input", 1, input)
    generator = _checked("poisson", generator)
    return without_slope(draw("poisson", input.shape, input.dtype, generator, input), input)


@placed
def binomial(count: Tensor, prob: Tensor, generator: Generator | None = None) -> Tensor:
    """For each count of trials and chance of success, a random number of successes.

    Raises ValueError for counts that are not floating point, RuntimeError for two dtypes.

    >>> _ = lantern.manual_seed(0)
    >>> lantern.binomial(lantern.tensor([10.0, 100.0]), lantern.tensor([0.5, 0.5]))
    tensor([ 7., 51.])
    """
    count, prob = _tensor("binomial", "count", 1, count), _tensor("binomial", "prob", 2, prob)
    generator = _checked("binomial", generator)
    shape = broadcast_shapes(count.shape, prob.shape)
    parameters = (expand(count.detach(), shape), expand(prob.detach(), shape))
    drawn = draw("binomial", shape, count.dtype, generator, *parameters)
    return without_slope(drawn, count, prob)


@placed
def _standard_gamma(input: Tensor, generator: Generator | None = None) -> Tensor:
    """For each shape in `input` a gamma number of rate 1, with a gradient.

    >>> _ = lantern.manual_seed(0)
    >>> lantern._standard_gamma(lantern.tensor([0.5, 5.0]))
    tensor([7.8936e-04, 2.7153e+00])
    """
    input = _tensor("_standard_gamma", "self", 1, input)
    generator = _checked("_standard_gamma", generator)
    return gamma_draws(input, draw("gamma", input.shape, input.dtype, generator, input.detach()))


def _standard_gamma_grad(input: Tensor, output: Tensor) -> Tensor:
    """How gamma numbers `output` move with their shapes `input`."""
    return gamma_slope(input, output)


@placed
def _sample_dirichlet(input: Tensor, generator: Generator | None = None) -> Tensor:
    """For each row of `input` random shares of 1 that have these Dirichlet parameters.

    >>> _ = lantern.manual_seed(0)
    >>> lantern._sample_dirichlet(lantern.tensor([2.0, 1.0]))
    tensor([0.9092, 0.0908])
    """
    input = _tensor("_sample_dirichlet", "self", 1, input)
    generator = _checked("_sample_dirichlet", generator)
    drawn = draw("dirichlet", input.shape, input.dtype, generator, input.detach())
    return dirichlet_draws(input, drawn)


def _dirichlet_grad(x: Tensor, alpha: Tensor, total: Tensor) -> Tensor:
    """How Dirichlet shares move with their own parameters, for what others give up."""
    return dirichlet_slope(NAMESPACES[Tensor], x, alpha, total)


# --- methods
def _filler(name: str, kind: str, text: str, **defaults: float | None) -> Callable[..., Tensor]:
    """Makes the method `name`, which fills a tensor with draws of a distribution.

    `defaults` are its parameters in order; one whose default is None has to be given.
    """
    names, usual = tuple(defaults), tuple(defaults.values())

    @placed
    def method(
        self: Tensor, *args: Any, generator: Generator | None = None, **named: Any
    ) -> Tensor:
        numbers = [*args, *usual[len(args) :]]
        if named or len(numbers) > len(names) or not PLAIN.issuperset(map(type, numbers)):
            numbers = read(args, named)
        return fill(self, kind, _checked(name, generator), *map(float, numbers))

    def read(args: tuple, named: dict) -> list[float]:
        """Returns the numbers of a call that is not as plain, or raises for what is wrong."""
        if len(args) > len(names):
            few = f"from 0 to {len(names)}" if None not in defaults.values() else len(names)
            raise TypeError(f"{name}() takes {few} positional arguments but {len(args)} were given")
        given = defaults | dict(zip(names, args, strict=False))
        for each in named:
            if each not in defaults:
                raise TypeError(f"{name}() got an unexpected keyword argument '{each}'")
            if each in names[: len(args)]:
                raise TypeError(f"{name}() got multiple values for argument '{each}'")
        numbers = []
        for place, (each, value) in enumerate((given | named).items(), 1):
            if value is None:
                raise TypeError(f'{name}() missing 1 required positional arguments: "{each}"')
            numbers.append(_real(name, each, place, value))
        return numbers

    method.__name__, method.__doc__ = name, text
    return method


@placed
def _random_(self: Tensor, *args: Any, generator: Generator | None = None, **named: Any) -> Tensor:
    """Fills the tensor with whole numbers: below `to`, in [from, to), or all the dtype has.

    >>> _ = lantern.manual_seed(0)
    >>> lantern.zeros(3).random_(10)
    tensor([4., 9., 3.])
    """
    forms = "(), (int to) or (int from, int to)"
    count = len(args) + len(named)
    if not count:
        return fill(self, "random", _checked("random_", generator))
    single = count == 1 and "from" not in named
    names = ["to"] if single else ["from", "to"]
    free = [each for each in names if each not in named]
    if len(args) != len(free) or any(each not in names for each in named):
        raise _invalid("random_", args, named, forms)
    given = named | dict(zip(free, args, strict=True))
    if any(isinstance(each, float) for each in given.values()):
        raise _invalid("random_", args, named, forms)
    first = _whole("random_", "from", 1, given["from"]) if not single else 0
    last = given["to"]
    if last is not None or single:
        last = _whole("random_", "to", len(names), last)
    return fill(self, "random", _checked("random_", generator), first, last)


@placed
def _bernoulli_(self: Tensor, p: Any = 0.5, *, generator: Generator | None = None) -> Tensor:
    """Fills the tensor with ones of probability `p` (a number or a tensor of them) and zeros.

    >>> _ = lantern.manual_seed(0)
    >>> lantern.zeros(4).bernoulli_(0.5)
    tensor([0., 0., 1., 0.])
    """
    generator = _checked("bernoulli_", generator)
    if isinstance(p, Tensor):
        return fill(self, "bernoulli", generator, expand(p.detach(), self.shape))
    return fill(self, "bernoulli", generator, _real("bernoulli_", "p", 1, p))


METHODS: dict[str, Callable[..., Tensor]] = {
    "uniform_": _filler(
        "uniform_",
        "uniform",
        "Fills with uniform numbers in [from, to).",
        **{"from": 0.0, "to": 1.0},
    ),
    "normal_": _filler("normal_", "normal", "Fills with normal numbers.", mean=0.0, std=1.0),
    "exponential_": _filler(
        "exponential_", "exponential", "Fills with exponential numbers of a rate.", lambd=1.0
    ),
    "geometric_": _filler(
        "geometric_", "geometric", "Fills with numbers of trials up to a success.", p=None
    ),
    "cauchy_": _filler("cauchy_", "cauchy", "Fills with Cauchy numbers.", median=0.0, sigma=1.0),
    "log_normal_": _filler(
        "log_normal_", "log_normal", "Fills with exponentials of normals.", mean=1.0, std=2.0
    ),
    "random_": _random_,
    "bernoulli_": _bernoulli_,
    "bernoulli": bernoulli,
    "multinomial": multinomial,
}
for _name, _function in METHODS.items():
    setattr(Tensor, _name, _function)
