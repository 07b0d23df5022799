"""PyTorch's CPU random stream over NumPy: the Mersenne Twister and the numbers made from it.

`MT19937` holds the generator's state and turns its 32-bit words into uniform, integer, normal,
... arrays by PyTorch's own recipes, so that a seed gives the numbers PyTorch gives on the CPU:
integers and uniform draws bit for bit, normals to the last digit or two. How many words a draw
takes is part of the contract: it is what keeps the stream in step after mixed draws.

Every method returns a new C-contiguous array. To fill a strided array the way PyTorch does, draw
into `in_memory_order(array)`. The file is long because it depends on little but NumPy: the
stream, the recipes and PyTorch's checks of their arguments stand together.
"""

from __future__ import annotations

import functools
import math
import struct
import sys
import warnings
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from . import parameters
from .numpy import restore, silence
from .rejection import InTurn, binomial, gamma, poisson

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

DEFAULT_SEED = 67280421310721
STATE_BYTES = 5056

WORDS = 624
INT64_MIN, INT64_MAX = -(2**63), 2**63 - 1
# Ranges from here on take 64 bits a draw, so that `word % range` stays close to uniform.
WIDE_RANGE = 2**28
# PyTorch shuffles longer permutations by another algorithm.
LONGEST_PERMUTATION = (2**32 - 1) // 20
# Below this many words one call of `random_raw` is cheaper than `randint`.
FEW_WORDS = 65536
# Up to this many numbers, fewer calls of NumPy count for more than the width of what they compute.
FEW = 512
# Up to this many pairs, Python's `math` is cheaper than ten NumPy calls.
FEW_PAIRS = 16
# Up to this many places, Python swaps sooner than a dozen NumPy calls find where all ends up.
FEW_PLACES = 200
# Long chains of NumPy calls go over this many numbers at a time.
CACHED = 4096


# The bits of a word that become a float of 24 bits, and their unit.
_MASK32, _UNIT32 = np.uint64(2**24 - 1), np.float32(2**-24)
# The same of two words that become a float of 53 bits.
_MASK64, _UNIT64 = np.array([2**21 - 1, 2**32 - 1], np.uint64), np.array([2.0**-21, 2.0**-53])


class Kind(NamedTuple):
    """What PyTorch calls a dtype, and the bits of its significand (or of its magnitude)."""

    name: str
    cpp: str
    digits: int
    maximum: float


KINDS = {
    ("b", 1): Kind("Bool", "bool", 1, 1),
    ("u", 1): Kind("Byte", "unsigned char", 8, 2**8 - 1),
    ("i", 1): Kind("Char", "signed char", 7, 2**7 - 1),
    ("i", 2): Kind("Short", "short int", 15, 2**15 - 1),
    ("i", 4): Kind("Int", "int", 31, 2**31 - 1),
    ("i", 8): Kind("Long", "long int", 63, INT64_MAX),
    ("u", 2): Kind("UInt16", "short unsigned int", 16, 2**16 - 1),
    ("u", 4): Kind("UInt32", "unsigned int", 32, 2**32 - 1),
    ("u", 8): Kind("UInt64", "long unsigned int", 64, INT64_MAX),
    ("f", 2): Kind("Half", "c10::Half", 11, 65504.0),
    ("V", 2): Kind("BFloat16", "c10::BFloat16", 8, (2 - 2**-7) * 2.0**127),
    ("f", 4): Kind("Float", "float", 24, (2 - 2**-23) * 2.0**127),
    ("f", 8): Kind("Double", "double", 53, (2 - 2**-52) * 2.0**1023),
}
FLOATS = {"Half", "BFloat16", "Float", "Double"}
LATE_UNSIGNED = {"UInt16", "UInt32", "UInt64"}
C_NAMES = {"Byte": "uint8_t", "Char": "int8_t", "Short": "int16_t", "Int": "int32_t"}

Shape = Sequence[int]


def kind_of(dtype: np.dtype) -> Kind:
    """PyTorch's name and limits for a NumPy dtype; TypeError for a dtype it cannot draw."""
    try:
        return KINDS[dtype.kind, dtype.itemsize]
    except KeyError:
        raise TypeError(f"no random numbers of dtype {dtype}") from None


def not_implemented(kernel: str, kind: Kind) -> NotImplementedError:
    """The error PyTorch raises where a kernel lacks a dtype."""
    return NotImplementedError(f"\"{kernel}\" not implemented for '{kind.name}'")


def in_memory_order(array: Array) -> Array:
    """A view of `array` with its axes by falling stride, the order in which PyTorch fills it.

    `view[...] = stream.uniform(view.shape, view.dtype)` then equals `tensor.uniform_()` on a
    transposed or sliced tensor.
    """
    if array.flags.c_contiguous:
        return array
    return array.transpose(sorted(range(array.ndim), key=lambda axis: -array.strides[axis]))


def global_state() -> tuple | None:
    """Returns the state that NumPy's own functions draw from, None where nobody has used them."""
    return np.random.get_state() if "numpy.random" in sys.modules else None  # type: ignore


def set_global_state(state: tuple) -> None:
    """Makes NumPy's own functions go on from a state of `global_state`."""
    np.random.set_state(state)


class MT19937:
    """A seeded stream of random words, and draws from it that equal PyTorch's on the CPU.

    >>> stream = MT19937(0)
    >>> stream.uniform((2,), np.float32)
    array([0.4962566, 0.7682218], dtype=float32)
    >>> stream.random((3,), np.int64, 0, 10)
    array([3, 0, 3])
    """

    def __init__(self, seed: int = DEFAULT_SEED) -> None:
        words = np.random.MT19937(0)
        self._raw = words.random_raw
        self._source = np.random.RandomState(words)
        self.seed(seed)

    def seed(self, value: int) -> None:
        """Start the stream of `value`, `0 <= value < 2**64`; its low 32 bits choose the stream."""
        self._source.seed(value & 0xFFFFFFFF)
        self._seed = value
        # The second normal of a pair, waiting for the next draw of fewer than 16.
        self._spare: float | None = None

    def initial_seed(self) -> int:
        """The seed as it was given."""
        return self._seed

    def get_state(self) -> Array:
        """The state as the 5056 bytes of `torch.get_rng_state()`, a uint8 array."""
        state = self._source.get_state(legacy=False)["state"]
        key, position = state["key"], state["pos"]
        # At the end of a block NumPy has used all its words, as it has before the first draw;
        # PyTorch tells these apart.
        following = 0 if position == WORDS and _is_fresh(key) else position
        left = WORDS + 1 - following if following else 1
        spare, valid = (0.0, 0) if self._spare is None else (self._spare, 1)
        head = struct.pack("<QiiQ", self._seed, left, 1, following)
        tail = struct.pack("<dddi12x", 0.0, spare, 0.0, valid)
        return np.frombuffer(bytearray(head + key.astype("<u8").tobytes() + tail), np.uint8)

    def set_state(self, state: Array) -> None:
        """Take over 5056 bytes from `get_state` or `torch.get_rng_state()`.

        Raises RuntimeError if the size is another or the bytes are not such a state.
        """
        if state.size != STATE_BYTES:
            raise RuntimeError(
                f"Expected a CPUGeneratorImplState of size {STATE_BYTES} but found the input RNG "
                f"state size to be {state.size}"
            )
        data = state.tobytes()
        seed, left, seeded, following = struct.unpack_from("<QiiQ", data)
        key = np.frombuffer(data, "<u8", WORDS, 24)
        started = 1 <= following <= WORDS and left == WORDS + 1 - following
        unstarted = following == 0 and left == 1
        if seeded != 1 or not (started or unstarted) or (key >> np.uint64(32)).any():
            raise RuntimeError("Invalid mt19937 state")
        words = {"key": key.astype(np.uint32), "pos": following or WORDS}
        self._source.set_state({"bit_generator": "MT19937", "state": words})
        self._seed = seed
        _, normal, _, valid = struct.unpack_from("<dddi", data, 5016)
        self._spare = normal if valid else None

    def copy(self) -> MT19937:
        """A second stream in the same state."""
        other = MT19937()
        other.set_state(self.get_state())
        return other

    def words32(self, count: int) -> Array:
        """The next `count` words, uint32."""
        if count < FEW_WORDS:
            return self._raw(count).astype(np.uint32)
        return self._source.randint(0, 2**32, count, np.uint32)

    def words64(self, count: int) -> Array:
        """The next `2 * count` words in pairs, the first of a pair high, uint64."""
        words = self.words32(2 * count)
        pairs = words[0::2].astype(np.uint64)
        pairs <<= np.uint64(32)
        pairs |= words[1::2]
        return pairs

    def _unit32(self, count: int) -> Array:
        """Floats of 24 bits in [0, 1), one word each."""
        if count <= FEW:
            few = self._raw(count)
            few &= _MASK32
            unit = few.astype(np.float32)
            unit *= _UNIT32
            return unit
        words = self.words32(count)
        words &= np.uint32(2**24 - 1)
        unit = words.view(np.float32)
        unit[...] = words.view(np.int32)  # in the same memory: new pages cost more than the sums
        unit *= np.float32(2**-24)
        return unit

    def _unit64(self, count: int) -> Array:
        """Floats of 53 bits in [0, 1), two words each."""
        if count <= FEW:
            few = self._raw(2 * count).reshape(count, 2)
            few &= _MASK64
            return few.astype(np.float64).dot(_UNIT64)  # exact, and so is the sum
        words = self.words64(count)
        words &= np.uint64(2**53 - 1)
        unit = words.view(np.float64)
        unit[...] = words.view(np.int64)
        unit *= 2**-53
        return unit

    def uniform(
        self,
        shape: Shape = (),
        dtype: Any = np.float32,
        low: float = 0.0,
        high: float = 1.0,
    ) -> Array:
        """Numbers in `[low, high)`: `tensor.uniform_(low, high)`, `rand` by default.

        Raises RuntimeError for an empty or unbounded range, NotImplementedError for integers.
        """
        dtype = np.dtype(dtype)
        count = math.prod(shape)
        if low == 0.0 and high == 1.0:
            if dtype == np.float32:
                return self._unit32(count).reshape(shape)
            if dtype == np.float64:
                return self._unit64(count).reshape(shape)
        kind = kind_of(dtype)
        _check_uniform_bounds(kind, low, high)
        values = self._unit64(count) if kind.name == "Double" else self._unit32(count)
        ends = np.array([low, high], values.dtype)
        start, end = ends
        values = _scaled(values, end - start, start)
        if values.dtype != dtype:
            values, (start, end) = _narrow(values, dtype), _narrow(ends, dtype)
        # Rounding may reach the upper end, which the range excludes.
        values[values == end] = start
        return values.reshape(shape)

    def random(
        self,
        shape: Shape = (),
        dtype: Any = np.int64,
        low: int | None = None,
        high: int | None = None,
    ) -> Array:
        """Whole numbers: `tensor.random_()`; with `low` and `high`, `randint(low, high)`.

        Without bounds the numbers run over `[0, maximum]`, for floats over `[0, 2**digits]`.
        With `low` only they go on to that same end; `low=-2**63` alone takes all 64 bits.
        Raises RuntimeError for an empty range or one the dtype cannot hold.
        """
        dtype = np.dtype(dtype)
        kind = kind_of(dtype)
        count = math.prod(shape)
        if low is None and high is None:
            values = self._random_of_kind(count, kind)
        elif high is None and low == INT64_MIN:
            if count and kind.name not in {"Long", "Double", "Float", "BFloat16"}:
                raise _no_full_range(kind)
            values = self.words64(count).view(np.int64)
        else:
            low, stop = _integer_range(kind, dtype, low or 0, high)
            values = self._in_range(count, stop - low).view(np.int64)
            if low:
                values += low
        return _narrow(values, dtype).reshape(shape)

    def _random_of_kind(self, count: int, kind: Kind) -> Array:
        if count and kind.name in LATE_UNSIGNED:
            raise not_implemented("random_kernel_cpu", kind)
        if kind.name == "Bool":
            return self.words32(count) & np.uint32(1)
        span = 1 + (2**kind.digits if kind.name in FLOATS else int(kind.maximum))
        wide = kind.name in {"Long", "Double"}
        words = self.words64(count) if wide else self.words32(count)
        return _remainder(words, span).astype(np.int64)

    def _in_range(self, count: int, span: int) -> Array:
        """uint64 numbers below `span`."""
        if span >= WIDE_RANGE:
            return _remainder(self.words64(count), span)
        if count <= FEW:
            return self._raw(count) % np.uint64(span)
        return _remainder(self.words32(count), span).astype(np.uint64)

    def permutation(self, count: int, dtype: Any = np.int64) -> Array:
        """The numbers below `count` in random order: `randperm(count)`.

        Raises RuntimeError for a negative count or a dtype too small for it.
        """
        dtype = np.dtype(dtype)
        kind = kind_of(dtype)
        _check_permutation(count, kind)
        if count < 2:
            return np.arange(count).astype(dtype)
        if count >= LONGEST_PERMUTATION:
            raise NotImplementedError(
                f"permutations of {LONGEST_PERMUTATION} numbers or more are not in Lantern yet"
            )
        if count <= FEW_PLACES:
            return _narrow(np.array(_shuffled(self._raw(count - 1).tolist()), np.int64), dtype)
        target = np.arange(count, dtype=np.int64)
        target[:-1] += self.words32(count - 1) % np.arange(count, 1, -1, dtype=np.uint32)
        return _narrow(_swapped(target), dtype)

    def normal(
        self,
        shape: Shape = (),
        dtype: Any = np.float32,
        mean: float = 0.0,
        std: float = 1.0,
        contiguous: bool = True,
    ) -> Array:
        """Normal numbers: `tensor.normal_(mean, std)`, `randn` by default.

        `contiguous=False` is for filling a tensor that is not: PyTorch then draws one number
        after another whatever the size. Raises RuntimeError if `std` is negative or NaN.
        """
        dtype = np.dtype(dtype)
        kind = kind_of(dtype)
        parameters.check_deviation(std)
        count = math.prod(shape)
        if count and kind.name not in FLOATS:
            raise not_implemented("normal_kernel_cpu", kind)
        if count < 16 or not contiguous:
            values = self._normals_in_turn(count, mean, std)
        else:
            values = self._normal_blocks(count, kind)
            if std != 1.0 or mean != 0.0:
                with np.errstate(all="ignore"):
                    values *= values.dtype.type(std)
                    values += values.dtype.type(mean)
            if count % 16:
                values = _with_tail(values, count)
        return _narrow(values, dtype).reshape(shape)

    def _normal_blocks(self, count: int, kind: Kind) -> Array:
        """Box-Muller in blocks of 16: eight radii, then eight angles.

        The last 16 of a count that is not a multiple of 16 are drawn anew: they come as a block
        of their own at the end. float32 and float64 draw (and drop) the numbers of the broken
        block first, the half precisions do not.
        """
        whole = count - count % 16
        if kind.name in {"Half", "BFloat16"}:
            unit = self._unit32(whole + 16 if count % 16 else whole)
        else:
            draw = self._unit64 if kind.name == "Double" else self._unit32
            unit = draw(count + 16 if count % 16 else count)
            if count % 16:
                unit[whole : whole + 16] = unit[count:]
                unit = unit[: whole + 16]
        first, second = unit.reshape(-1, 2, 8).transpose(1, 0, 2)
        radius = 1 - first
        np.log(radius, out=radius)
        radius *= -2
        np.sqrt(radius, out=radius)
        angle = second * unit.dtype.type(2 * math.pi)
        np.multiply(radius, np.cos(angle), out=first)
        np.multiply(radius, np.sin(angle, out=angle), out=second)
        unit += 0  # a zero radius is -0.0, PyTorch's zero is not
        return unit

    def _normals_in_turn(self, count: int, mean: float, std: float) -> Array:
        """float64 normals drawn one after another, keeping the spare of the last pair."""
        values = self._pairs(count)
        if std != 1.0 or mean != 0.0:
            with np.errstate(all="ignore"):
                values *= std
                values += mean
        return values

    def _pairs(self, count: int) -> Array:
        values = np.empty(count)
        start = 0
        if count and self._spare is not None:
            values[0], self._spare, start = self._spare, None, 1
        pairs = (count - start + 1) // 2
        if not pairs:
            return values
        drawn: Any
        if pairs <= FEW_PAIRS:
            drawn = _few_pairs(self._raw(4 * pairs).tolist())
        else:
            drawn = _many_pairs(self._unit64(2 * pairs))
        values[start:] = drawn[: count - start]
        if (count - start) % 2:
            self._spare = float(drawn[-1])
        return values

    def normal_around(self, mean: Any, std: Any) -> Array:
        """Normals around each `mean` with each `std` (arrays or floats): `torch.normal`.

        The result has the broadcast shape and the dtype of `mean` if that is an array, else of
        `std`. Raises RuntimeError if a `std` is negative or NaN.
        """
        if not isinstance(std, np.ndarray):
            values = self.normal(mean.shape, mean.dtype, 0.0, std)
            return _into(np.add, values, mean)
        parameters.check_deviations(std)
        if isinstance(mean, np.ndarray):
            shape, dtype = np.broadcast_shapes(mean.shape, std.shape), mean.dtype
        else:
            shape, dtype = std.shape, std.dtype
            mean = np.array(mean).astype(dtype)
        values = _into(np.multiply, self.normal(shape, dtype), std)
        return _into(np.add, values, mean)

    def exponential(self, shape: Shape = (), dtype: Any = np.float32, rate: float = 1.0) -> Array:
        """Exponential numbers of the given rate: `tensor.exponential_(rate)`."""
        dtype = np.dtype(dtype)
        kind = kind_of(dtype)
        parameters.check_rate(rate)
        if math.prod(shape):
            _check_continuous("Exponential", kind, kind.name)
        return self._shaped(shape, dtype, lambda unit: np.log1p(-unit) * (-1.0 / rate))

    def cauchy(
        self,
        shape: Shape = (),
        dtype: Any = np.float32,
        median: float = 0.0,
        sigma: float = 1.0,
    ) -> Array:
        """Cauchy numbers: `tensor.cauchy_(median, sigma)`."""
        dtype = np.dtype(dtype)
        kind = kind_of(dtype)
        parameters.check_width(sigma)
        _check_continuous("Cauchy", kind, kind.cpp)
        return self._shaped(
            shape, dtype, lambda unit: median + sigma * np.tan(math.pi * (unit - 0.5))
        )

    def log_normal(
        self,
        shape: Shape = (),
        dtype: Any = np.float32,
        mean: float = 1.0,
        std: float = 2.0,
    ) -> Array:
        """Exponentials of normal numbers: `tensor.log_normal_(mean, std)`."""
        dtype = np.dtype(dtype)
        kind = kind_of(dtype)
        parameters.check_log_deviation(std)
        count = math.prod(shape)
        if count and kind.name not in FLOATS:
            raise not_implemented("log_normal_cpu", kind)
        with np.errstate(all="ignore"):
            values = np.exp(self._normals_in_turn(count, mean, std))
        return _narrow(values, dtype).reshape(shape)

    def _shaped(
        self, shape: Shape, dtype: np.dtype, formula: Callable[[Array], np.ndarray]
    ) -> Array:
        with np.errstate(all="ignore"):
            values = formula(self._unit64(math.prod(shape)))
        return _narrow(values, dtype).reshape(shape)

    def bernoulli(self, shape: Shape = (), dtype: Any = np.float32, p: Any = 0.5) -> Array:
        """Ones with probability `p`, else zeros: `tensor.bernoulli_(p)`, and dropout's mask.

        `p` is a number, or a floating-point array that broadcasts to `shape`; below float64 an
        array takes one word a draw instead of two. Raises RuntimeError for `p` outside [0, 1].
        """
        dtype = np.dtype(dtype)
        kind = kind_of(dtype)
        count = math.prod(shape)
        if not isinstance(p, np.ndarray):
            parameters.check_chance(p)
            if count and kind.name in LATE_UNSIGNED:
                raise not_implemented("bernoulli_scalar_cpu_", kind)
            return (self._unit64(count) < p).astype(dtype).reshape(shape)
        if count == 0:
            return np.empty(shape, dtype)
        if kind.name in LATE_UNSIGNED:
            raise not_implemented("bernoulli_tensor_cpu_self_", kind)
        if kind_of(p.dtype).name not in FLOATS:
            raise not_implemented("bernoulli_tensor_cpu_p_", kind_of(p.dtype))
        parameters.check_chances(p)
        wide = p.dtype == np.float64
        unit = self._unit64(count) if wide else self._unit32(count)
        chance = p.astype(unit.dtype)
        if p.shape != shape:
            chance = np.broadcast_to(chance, shape)
        return (unit.reshape(shape) < chance).astype(dtype)

    def geometric(self, shape: Shape = (), dtype: Any = np.float32, p: float = 0.5) -> Array:
        """Trials up to the first success: `tensor.geometric_(p)`."""
        dtype = np.dtype(dtype)
        kind = kind_of(dtype)
        parameters.check_success(p)
        if math.prod(shape) and (kind.name in LATE_UNSIGNED or kind.name == "Bool"):
            raise not_implemented("geometric_cpu", kind)
        base = math.log1p(-p)
        return self._shaped(shape, dtype, lambda unit: np.ceil(np.log(unit) / base))

    def slopes(self, values: Array, low: float, high: float) -> Array:
        """The slopes of `rrelu`: one in `[low, high)` for every value up to 0, 1 for the others."""
        result = np.ones(values.shape, np.float64)
        flat = ~(values > 0)
        result[flat] = self._unit64(int(flat.sum())) * (high - low) + low
        return _narrow(result, values.dtype)

    def multinomial(self, weights: Array, count: int, replacement: bool = False) -> Array:
        """Indices drawn with probabilities `weights`, `(K,)` or `(N, K)`: `torch.multinomial`.

        Returns int64 `(count,)` or `(N, count)`. Without replacement zero weights come last, in
        order of index. Raises RuntimeError for weights that are no distribution.
        """
        kind = kind_of(weights.dtype)
        _check_multinomial(weights, kind, count, replacement)
        if replacement and count > 1:
            rows = weights.reshape(-1, weights.shape[-1])
            drawn = np.empty((len(rows), count), np.int64)
            for row, cumulative in enumerate(map(_cumulative, rows)):
                drawn[row] = np.searchsorted(cumulative, self._unit64(count))
            return drawn.reshape(*weights.shape[:-1], count)
        parameters.check_weights(weights)
        # The largest of weight / exponential is a draw; the next largest is the next one.
        race = np.empty_like(weights)
        order = in_memory_order(race)
        order[...] = self.exponential(order.shape, order.dtype)
        wide: Any = np.float64 if kind.name == "Double" else np.float32
        with np.errstate(all="ignore"):
            scores = _narrow(weights.astype(wide) / race.astype(wide), weights.dtype).astype(wide)
        if count == 1:
            return scores.argmax(-1)[..., None]
        return np.argsort(-scores, -1, kind="stable")[..., :count].copy()

    def poisson(self, rates: Array) -> Array:
        """A Poisson number for every rate: `torch.poisson(rates)`.

        Raises RuntimeError for a negative or NaN rate.
        """
        kind = kind_of(rates.dtype)
        if rates.size and kind.name not in FLOATS:
            raise not_implemented("poisson_cpu", kind)
        if not (rates >= 0).all():
            raise RuntimeError("invalid Poisson rate, expected rate to be non-negative")
        source = InTurn(self)
        values = [poisson(rate, source.unit) for rate in _numbers(rates)]
        source.close()
        return _narrow(np.array(values, np.float64), rates.dtype).reshape(rates.shape)

    def gamma(self, alphas: Array) -> Array:
        """A gamma number of rate 1 for every shape: `torch._standard_gamma(alphas)`."""
        _check_gamma("gamma_cpu", alphas)
        values = self._gammas(alphas, kind_of(alphas.dtype).name != "Double")
        return np.maximum(_narrow(values, alphas.dtype), _tiny(alphas.dtype))

    def _gammas(self, alphas: Array, single: bool = False) -> Array:
        source = InTurn(self)
        values = [gamma(alpha, source, single) for alpha in _numbers(alphas)]
        source.close()
        return np.array(values, np.float64).reshape(alphas.shape)

    def dirichlet(self, alphas: Array) -> Array:
        """Shares of 1, `(..., K)`: `torch._sample_dirichlet(alphas)`."""
        _check_gamma("dirichlet", alphas)
        values = np.maximum(self._gammas(alphas), 2.0**-1022)
        values = _narrow(values / values.sum(-1, keepdims=True), alphas.dtype)
        below = np.nextafter(alphas.dtype.type(1), alphas.dtype.type(0))
        return np.clip(values, _tiny(alphas.dtype), below)

    def binomial(self, counts: Array, chances: Array) -> Array:
        """The successes in each count of trials: `torch.binomial(counts, chances)`."""
        if kind_of(counts.dtype).name not in FLOATS:
            raise ValueError(
                "binomial only supports floating-point dtypes for count, got: "
                f"{kind_of(counts.dtype).name}"
            )
        if counts.dtype != chances.dtype:
            found, wanted = kind_of(chances.dtype).name, kind_of(counts.dtype).name
            raise RuntimeError(f"Found dtype {found} but expected {wanted}")
        counts, chances = np.broadcast_arrays(counts, chances)
        source = InTurn(self)
        pairs = zip(_numbers(counts), _numbers(chances), strict=True)
        values = [binomial(count, chance, source.unit) for count, chance in pairs]
        source.close()
        return _narrow(np.array(values, np.float64), counts.dtype).reshape(counts.shape)


def _numbers(values: Array) -> list[float]:
    return values.astype(np.float64).ravel().tolist()


def _tiny(dtype: Any) -> Any:
    """The smallest normal number."""
    return dtype.type(2.0 ** {"Half": -14, "Double": -1022}.get(kind_of(dtype).name, -126))


def _check_gamma(name: str, values: Array) -> None:
    kind = kind_of(values.dtype)
    if kind.name not in FLOATS:
        raise not_implemented(name, kind)


def _check_uniform_bounds(kind: Kind, low: float, high: float) -> None:
    if kind.name not in FLOATS:
        raise not_implemented("check_uniform_bounds", kind)
    for name, bound in ("from", low), ("to", high):
        if not abs(bound) <= kind.maximum:
            raise RuntimeError(f"{name} is out of bounds for {kind.cpp}")
    if low > high:
        raise RuntimeError(
            f"uniform_ expects to return a [from, to) range, but found from={low:g} > to={high:g}"
        )
    if high - low > kind.maximum:
        raise RuntimeError(
            f"uniform_ expects to-from <= std::numeric_limits<{kind.name}>::max(), but found "
            f"to={high:g} and from={low:g} which result in to-from to exceed the limit"
        )


def _integer_range(kind: Kind, dtype: np.dtype, low: int, high: int | None) -> tuple[int, int]:
    """The bounds `[low, stop)` of whole numbers that `dtype` can hold exactly."""
    floating = kind.name in FLOATS
    if high is None:
        stop = (2**kind.digits if floating else int(kind.maximum)) + 1
        if floating:
            low = _first_held(low, dtype, kind)
            if low >= stop - 1:
                raise RuntimeError(
                    "random_ expects 'from' casted to dtype to be less than or equal to 'to_inc' "
                    f"casted to dtype, but got from={low} > to_inc={stop - 1}"
                )
        if kind.name == "UInt64":
            stop = 0
    else:
        stop = high
        if low >= stop:
            raise RuntimeError(
                f"random_ expects 'from' to be less than 'to', but got from={low} >= to={stop}"
            )
        if floating:
            low, stop = _first_held(low, dtype, kind), _last_held(stop, dtype, kind)
            if low >= stop:
                raise RuntimeError(
                    "random_ expects 'from' casted to dtype to be less than 'to' casted to "
                    f"dtype, but got from={low} >= to={stop}"
                )
    _check_held("from", low, kind)
    _check_held("to - 1", stop - 1, kind)
    return low, stop


def _check_held(name: str, bound: int, kind: Kind) -> None:
    floating = kind.name in FLOATS
    signed = floating or kind.name in {"Char", "Short", "Int", "Long"}
    lowest = -kind.maximum - (not floating) if signed else 0
    if not lowest <= bound <= kind.maximum:
        raise RuntimeError(f"{name} is out of bounds for {kind.cpp}")
    if floating and abs(bound) > 2**kind.digits:
        warnings.warn(
            f"{name} is out of bounds [-(2^{kind.digits}), 2^{kind.digits}]. Due to precision "
            f"limitations {kind.cpp} can support discrete uniform distribution only within this "
            "range. This warning will become an error in version 1.7 release, please fix the "
            "code in advance",
            stacklevel=4,
        )


def _rounded(value: int, dtype: np.dtype) -> int:
    """`value` after a cast to `dtype` and back; what does not fit comes back as int64's minimum."""
    cast = float(_narrow(np.array([value], np.int64), dtype)[0])
    return int(cast) if -(2.0**63) <= cast < 2.0**63 else INT64_MIN


def _first_held(low: int, dtype: np.dtype, kind: Kind) -> int:
    """`low`, moved up when the dtype's next number lies below it."""
    above = _rounded(low + 1, dtype)
    if above >= low:
        return low
    return above + 2 ** (abs(low + 1).bit_length() - kind.digits)


def _last_held(stop: int, dtype: np.dtype, kind: Kind) -> int:
    """`stop`, moved down when the number before it rounds up to it or beyond."""
    below = _rounded(stop - 1, dtype)
    if below < stop:
        return stop
    return below - 2 ** (abs(stop - 1).bit_length() - kind.digits)


def _no_full_range(kind: Kind) -> Exception:
    kernel = "random_full_64_bits_range_kernel_cpu"
    if kind.name in C_NAMES:
        return RuntimeError(f"{kernel} handles only int64, double, float and bfloat16")
    return not_implemented(kernel, kind)


def _check_permutation(count: int, kind: Kind) -> None:
    if count < 0:
        raise RuntimeError(f"Trying to create tensor with negative dimension {count}: [{count}]")
    if kind.name == "Bool" or kind.name in LATE_UNSIGNED:
        raise not_implemented("randperm", kind)
    if kind.name in C_NAMES and count - 1 > kind.maximum:
        raise RuntimeError(
            f"value cannot be converted to type {C_NAMES[kind.name]} without overflow"
        )
    if kind.name in {"Half", "Float", "Double"} and count > 2**kind.digits + 1:
        raise RuntimeError(f"n cannot be greater than {2**kind.digits + 1} for {kind.name} type.")


def _check_continuous(distribution: str, kind: Kind, name: str) -> None:
    if kind.name not in FLOATS:
        raise RuntimeError(
            f"{distribution} distribution is a continuous probability distribution. dtype must "
            f"be a floating point but you specified {name}"
        )


def _check_multinomial(weights: Array, kind: Kind, count: int, replacement: bool) -> None:
    if weights.ndim not in (1, 2):
        raise RuntimeError("prob_dist must be 1 or 2 dim")
    if kind.name not in FLOATS:
        raise RuntimeError(
            f"multinomial only supports floating-point dtypes for input, got: {kind.name}"
        )
    parameters.check_count(count, weights.shape[-1], replacement)
    if weights.shape[-1] > 2**24:
        raise RuntimeError("number of categories cannot exceed 2^24")


def _is_fresh(key: Array) -> bool:
    """Whether the words come from a seed and not from a block of draws."""
    first, *rest = (int(word) for word in key[:5])
    for index, word in enumerate(rest, 1):
        first = (1812433253 * (first ^ first >> 30) + index) % 2**32
        if word != first:
            return False
    return True


def _narrow(values: Array, dtype: np.dtype) -> Array:
    """`values` as `dtype`, by PyTorch's steps: over float32 to the halves, wrapping integers."""
    if values.dtype == dtype:
        return values
    token = silence()
    try:
        if dtype.itemsize == 2 and dtype.kind in "fV":
            values = values.astype(np.float32)
        elif dtype.kind in "iu" and values.dtype.kind == "f":
            values = values.astype(np.int64)
        return values.astype(dtype)
    finally:
        restore(token)


def _into(function: np.ufunc, values: Array, other: Array) -> Array:
    """`function(values, other)` in the dtype of `values`, computed in the wider of the two.

    A 0-d `other` does not widen, as in PyTorch's promotion.
    """
    if other.ndim == 0:
        other = _narrow(other, values.dtype)
    with np.errstate(all="ignore"):
        return _narrow(function(values, other), values.dtype)


def _scaled(unit: Array, scale: Any, start: Any) -> Array:
    """`unit * scale + start` rounded once, as processors with a fused multiply-add do it."""
    if unit.dtype == np.float32:
        product = unit * np.float64(scale)  # exact: 24 bits times 24 bits
        if _is_exact(scale, start):
            product += start
        else:
            product = _sum_to_odd(product, np.float64(start))
        return product.astype(np.float32)
    exponent = math.frexp(max(abs(scale), abs(start)))[1]  # taken out, or halves would overflow
    scale, start = np.ldexp(scale, -exponent), np.ldexp(start, -exponent)
    result = np.empty_like(unit)
    for block in range(0, len(unit), CACHED):
        product, lost = _exact_product(unit[block : block + CACHED], scale)
        total, rest = _exact_sum(product, start)
        result[block : block + CACHED] = total + _sum_to_odd(lost, rest)
    return np.ldexp(result, exponent, out=result)


@functools.lru_cache(256)
def _is_exact(scale: Any, start: Any) -> bool:
    """Whether sums of `start` and of 24 bits times `scale`, both of float32, fit into float64."""
    finest = np.spacing(abs(scale)) * 2.0**-24
    if start:
        finest = min(finest, np.spacing(abs(start)))
    return abs(float(scale)) + abs(float(start)) < float(finest) * 2.0**53


def _exact_sum(a: Array, b: Any) -> tuple[Array, np.ndarray]:
    """The rounded sum and what rounding lost (Knuth)."""
    total = a + b
    part = total - a
    return total, (a - (total - part)) + (b - part)


def _exact_product(a: Array, b: Any) -> tuple[Array, np.ndarray]:
    """The rounded product and what rounding lost (Dekker): halves of 26 bits multiply exactly."""
    product = a * b
    a_high, b_high = _high_half(a), _high_half(b)
    a_low, b_low = a - a_high, b - b_high
    lost = a_low * b_low - (((product - a_high * b_high) - a_low * b_high) - a_high * b_low)
    return product, lost


def _high_half(x: Any) -> Any:
    spread = x * (2.0**27 + 1)
    return spread - (spread - x)


def _sum_to_odd(a: Array, b: Any) -> Array:
    """The sum rounded to an odd last bit where inexact, so that rounding it again is harmless."""
    total, lost = _exact_sum(a, b)
    if not lost.any():
        return total
    bits = total.view(np.int64)
    even = (lost != 0) & (bits & 1 == 0)
    bits += np.where(even, np.where((lost > 0) == (total > 0), 1, -1), 0)
    return total


def _remainder(words: Array, span: int) -> Array:
    """`words % span`, by the division NumPy has vector code for."""
    if span & (span - 1) == 0:
        words &= words.dtype.type(span - 1)
        return words
    quotient = words // words.dtype.type(span)
    quotient *= words.dtype.type(span)
    words -= quotient
    return words


def _with_tail(values: Array, count: int) -> Array:
    """The blocks of `values` in `count` places, the last block over the last 16."""
    result = np.empty(count, values.dtype)
    result[: len(values) - 16] = values[:-16]
    result[-16:] = values[-16:]
    return result


def _few_pairs(words: list[int]) -> list[float]:
    normals: list[float] = []
    draws = iter(words)
    for first, second, third, fourth in zip(draws, draws, draws, draws, strict=True):
        turn = ((first & 0x1FFFFF) << 32 | second) * 2.0**-53
        fall = ((third & 0x1FFFFF) << 32 | fourth) * 2.0**-53
        radius = math.sqrt(-2.0 * math.log1p(-fall))
        angle = 2.0 * math.pi * turn
        normals += radius * math.cos(angle), radius * math.sin(angle)
    return normals


def _many_pairs(unit: Array) -> Array:
    normals = np.empty_like(unit)
    radius = np.sqrt(-2.0 * np.log1p(-unit[1::2]))
    angle = unit[0::2] * (2.0 * math.pi)
    np.multiply(radius, np.cos(angle), out=normals[0::2])
    np.multiply(radius, np.sin(angle), out=normals[1::2])
    return normals


def _shuffled(words: list[int]) -> list[int]:
    """The numbers up to that of `words`, each swapped with one that a word picks behind it."""
    count = len(words) + 1
    places = list(range(count))
    for step, word in enumerate(words):
        other = step + word % (count - step)
        places[step], places[other] = places[other], places[step]
    return places


def _swapped(target: Array) -> Array:
    """`arange(n)` after swapping place `i` with place `target[i] >= i`, for rising `i`, at once.

    Step `i` is the last to touch place `i`, and it leaves there what place `target[i]` held.
    That is what the last earlier step with the same target put in: what place `s` held before
    step `s`. And what place `s` held then was put in by the last earlier step with target `s`;
    following these links back to their start gives all of it without a loop over steps.
    """
    count = len(target)
    steps = np.arange(count)
    link = np.arange(count + 1)
    elsewhere = target.copy()
    elsewhere[target == steps] = count  # a swap with itself moves nothing
    link[elsewhere] = steps  # of equal targets the last step stays
    link = link[:count]
    while True:
        further = link[link]
        if np.array_equal(further, link):
            break
        link = further
    shift = count.bit_length()
    key: Any = np.uint32 if 2 * shift <= 32 else np.uint64
    ordered = target.astype(key)
    ordered <<= key(shift)
    ordered |= steps.astype(key)
    ordered.sort()
    step = (ordered & key(2**shift - 1)).astype(np.intp)
    ordered >>= key(shift)
    again = np.flatnonzero(ordered[1:] == ordered[:-1])
    target[step[again + 1]] = link[step[again]]
    return target


def _cumulative(weights: Array) -> Array:
    """The normalised running sum of one row of weights, in the precision PyTorch sums in."""
    wide = np.float64 if weights.dtype == np.float64 else np.float32
    weights = weights.astype(wide)
    if not (weights >= 0).all():
        raise RuntimeError("invalid multinomial distribution (encountering probability entry < 0)")
    if not np.isfinite(weights).all():
        raise RuntimeError(
            "invalid multinomial distribution (encountering probability entry = infinity or NaN)"
        )
    total = np.cumsum(weights)
    if not total[-1] > 0:
        raise RuntimeError("invalid multinomial distribution (sum of probabilities <= 0)")
    total /= total[-1]
    total[-1] = 1
    return total


def seed_numpy(words: Sequence[int]) -> None:
    """Seeds the stream behind NumPy's own functions, such as `numpy.random.rand`."""
    np.random.seed(np.random.SeedSequence(words).generate_state(4))
