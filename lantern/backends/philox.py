"""Lantern's stream of random numbers on GPUs: Philox4x32-10, a generator that counts.

Word number `n` of a seed is word `n % 4` of the block that ten rounds make of the counter `n // 4`
and the seed (Salmon, Moraes, Dror and Shaw 2011), so every element of a draw is computed by itself,
and a seed gives the same words on every GPU. Each draw begins with a fresh block. This is not the
stream that PyTorch draws on a GPU, which depends on how many threads a kernel is run with.

How words become numbers: uniform numbers take the upper 24 bits of a word (53 of two words for
float64); normals are made of two words by Box and Muller's formula; whole numbers are remainders;
permutations sort 64 random bits. Poisson, gamma, Dirichlet and binomial numbers come from the CPU's
generator, seeded by two words.
"""

from __future__ import annotations

import math
import struct
from typing import Any

import numpy

from lantern.backends import parameters

from .library import np

FACTORS = 0xD2511F53, 0xCD9E8D57
STEPS = 0x9E3779B9, 0xBB67AE85  # by which the two words of the key grow from round to round
MASK = 0xFFFFFFFF
STATE_BYTES = 16


def philox4x32(counter: list, key: tuple[int, int], rounds: int = 10) -> list:
    """Returns the four words, arrays of uint32, that belong to the four words of a counter."""
    a, b, c, d = counter
    first, second = key
    for _ in range(rounds):
        left = a.astype("uint64") * np.uint64(FACTORS[0])
        right = c.astype("uint64") * np.uint64(FACTORS[1])
        a = (right >> np.uint64(32)).astype("uint32") ^ b ^ np.uint32(first)
        c = (left >> np.uint64(32)).astype("uint32") ^ d ^ np.uint32(second)
        b = (right & np.uint64(MASK)).astype("uint32")
        d = (left & np.uint64(MASK)).astype("uint32")
        first, second = (first + STEPS[0]) & MASK, (second + STEPS[1]) & MASK
    return [a, b, c, d]


class Philox:
    """A seeded stream of random words, and draws from it, on the array library's device.

    >>> Philox(0).words32(4).tolist()
    [1713891541, 3781805453, 3159862348, 2600524760]
    """

    def __init__(self, seed: int = 0) -> None:
        self.seed(seed)

    def seed(self, value: int) -> None:
        """Starts the stream of `value`, `0 <= value < 2**64`."""
        self._seed, self.offset = value, 0  # the offset counts blocks of four words

    def initial_seed(self) -> int:
        """Returns the seed as it was given."""
        return self._seed

    def get_state(self) -> Any:
        """Returns seed and offset, eight bytes each, as a uint8 array of NumPy."""
        return numpy.frombuffer(bytearray(struct.pack("<QQ", self._seed, self.offset)), "uint8")

    def set_state(self, state: Any) -> None:
        """Goes on from a state of `get_state`; raises RuntimeError for another number of bytes."""
        if state.size != STATE_BYTES:
            raise RuntimeError(f"RNG state is wrong size: {state.size} bytes, not {STATE_BYTES}")
        self._seed, self.offset = struct.unpack("<QQ", state.tobytes())

    def copy(self) -> Philox:
        """Returns another stream in the same state."""
        twin = Philox(self._seed)
        twin.offset = self.offset
        return twin

    # --- words
    def words32(self, count: int) -> Any:
        """Returns the next words as an array of uint32."""
        blocks = -(-count // 4)
        place = np.arange(blocks, dtype="uint64") + np.uint64(self.offset)
        self.offset += blocks
        zero = np.zeros(blocks, "uint32")
        low = (place & np.uint64(MASK)).astype("uint32")
        high = (place >> np.uint64(32)).astype("uint32")
        key = self._seed & MASK, self._seed >> 32
        words = philox4x32([low, high, zero, zero], key)
        return np.stack(words, -1).reshape(-1)[:count]

    def words64(self, count: int) -> Any:
        """Returns numbers of two words each, the first of them the upper half, as uint64."""
        words = self.words32(2 * count).astype("uint64").reshape(-1, 2)
        return (words[:, 0] << np.uint64(32)) | words[:, 1]

    def _unit(self, count: int, wide: bool) -> Any:
        """Returns numbers in [0, 1): float64 of two words or float32 of one."""
        if wide:
            return (self.words64(count) >> np.uint64(11)).astype("float64") * 2.0**-53
        return (self.words32(count) >> np.uint32(8)).astype("float32") * np.float32(2.0**-24)

    # --- continuous numbers
    def uniform(
        self, shape: Any = (), dtype: Any = "float32", low: float = 0.0, high: float = 1.0
    ) -> Any:
        """Returns numbers in [low, high)."""
        dtype = _floating(dtype, "uniform")
        if not low <= high:
            raise RuntimeError(
                "uniform_ expects to return a [from, to) range, but found "
                f"from={low:g} > to={high:g}"
            )
        values = self._unit(math.prod(shape), dtype.itemsize == 8)
        values = (values * (high - low) + low).astype(dtype)
        # Rounding may reach the upper end, which the range excludes.
        low, high = (numpy.array(each, dtype).astype(dtype)[()] for each in (low, high))
        return np.where(values == high, low, values).astype(dtype).reshape(shape)

    def _normals(self, count: int, wide: bool) -> Any:
        pairs = -(-count // 2)
        if wide:
            first = (self.words64(pairs) >> np.uint64(11)).astype("float64") * 2.0**-53 + 2.0**-54
        else:
            scale, half = np.float32(2.0**-32), np.float32(2.0**-33)
            first = self.words32(pairs).astype("float32") * scale + half
        radius = np.sqrt(np.log(first) * first.dtype.type(-2))
        angle = self._unit(pairs, wide) * first.dtype.type(2 * math.pi)
        return np.stack([radius * np.cos(angle), radius * np.sin(angle)], -1).reshape(-1)[:count]

    def normal(
        self,
        shape: Any = (),
        dtype: Any = "float32",
        mean: float = 0.0,
        std: float = 1.0,
        contiguous: bool = True,
    ) -> Any:
        """Returns normal numbers; raises RuntimeError for a negative deviation."""
        dtype = _floating(dtype, "normal")
        parameters.check_deviation(std)
        values = self._normals(math.prod(shape), dtype.itemsize == 8)
        return (values * std + mean).astype(dtype).reshape(shape)

    def normal_around(self, mean: Any, std: Any) -> Any:
        """Returns a normal number around each mean with each deviation (arrays or numbers)."""
        if hasattr(std, "shape"):
            parameters.check_deviations(std)
        shape = numpy.broadcast_shapes(*(getattr(each, "shape", ()) for each in (mean, std)))
        dtype = mean.dtype if hasattr(mean, "dtype") else std.dtype
        return (self.normal(shape, dtype) * std + mean).astype(dtype)

    def _continuous(self, shape: Any, dtype: Any, name: str) -> tuple[Any, numpy.dtype]:
        dtype = _floating(dtype, name)
        return self._unit(math.prod(shape), True).reshape(shape), dtype

    def exponential(self, shape: Any = (), dtype: Any = "float32", rate: float = 1.0) -> Any:
        """Returns exponential numbers of a rate."""
        parameters.check_rate(rate)
        unit, dtype = self._continuous(shape, dtype, "exponential_")
        return (np.log1p(-unit) * (-1.0 / rate)).astype(dtype)

    def cauchy(
        self, shape: Any = (), dtype: Any = "float32", median: float = 0.0, sigma: float = 1.0
    ) -> Any:
        """Returns Cauchy numbers."""
        parameters.check_width(sigma)
        unit, dtype = self._continuous(shape, dtype, "cauchy_")
        return (np.tan((unit - 0.5) * math.pi) * sigma + median).astype(dtype)

    def log_normal(
        self, shape: Any = (), dtype: Any = "float32", mean: float = 1.0, std: float = 2.0
    ) -> Any:
        """Returns exponentials of normal numbers."""
        parameters.check_log_deviation(std)
        return np.exp(self.normal(shape, "float64", mean, std)).astype(_floating(dtype, "log"))

    # --- whole numbers
    def random(
        self,
        shape: Any = (),
        dtype: Any = "int64",
        low: int | None = None,
        high: int | None = None,
    ) -> Any:
        """Returns whole numbers in [low, high); without an end, up to the largest of the dtype."""
        dtype = numpy.dtype(dtype)
        low = 0 if low is None else low
        if high is None:
            high = _largest(dtype) + 1
        if low >= high:
            raise RuntimeError(
                f"random_ expects 'from' to be less than 'to', but got from={low} >= to={high}"
            )
        span, count = high - low, math.prod(shape)
        if span >= 1 << 28:  # remainders of one word would favour small numbers
            words = self.words64(count)
            values = words % np.uint64(span) if span < 1 << 64 else words
        else:
            values = self.words32(count) % np.uint32(span)
        return (values.astype("int64") + low).astype(dtype).reshape(shape)

    def permutation(self, count: int, dtype: Any = "int64") -> Any:
        """Returns the numbers below `count` in random order."""
        if count < 0:
            raise RuntimeError(f"n must be non-negative, got{count}")
        return np.argsort(self.words64(count), kind="stable").astype(dtype)

    def bernoulli(self, shape: Any = (), dtype: Any = "float32", p: Any = 0.5) -> Any:
        """Returns ones with probability `p`, a number or an array, and else zeros."""
        if not hasattr(p, "shape"):
            parameters.check_chance(p)
        else:
            parameters.check_chances(p)
        wide = not hasattr(p, "dtype") or p.dtype.itemsize == 8
        return (self._unit(math.prod(shape), wide).reshape(shape) < p).astype(dtype)

    def geometric(self, shape: Any = (), dtype: Any = "float32", p: float = 0.5) -> Any:
        """Returns numbers of trials up to the first success."""
        parameters.check_success(p)
        unit = self._unit(math.prod(shape), True).reshape(shape)
        return np.maximum(np.ceil(np.log1p(-unit) / math.log1p(-p)), 1).astype(dtype)

    def slopes(self, values: Any, low: float, high: float) -> Any:
        """Returns a slope in [low, high) for every value up to 0, and 1 for the others."""
        unit = self._unit(values.size, True).reshape(values.shape) * (high - low) + low
        return np.where(values > 0, 1.0, unit).astype(values.dtype)

    def multinomial(self, weights: Any, count: int, replacement: bool = False) -> Any:
        """Returns indices drawn with probabilities in proportion to weights `(K,)` or `(N, K)`."""
        parameters.check_count(count, weights.shape[-1], replacement)
        wide = weights.astype("float64")
        parameters.check_weights(wide)
        wide = wide.reshape(-1, weights.shape[-1])
        if replacement:
            ends = np.cumsum(wide, -1)
            unit = self._unit(len(wide) * count, True).reshape(len(wide), count)
            places = [
                np.searchsorted(e, u * e[-1], "right") for e, u in zip(ends, unit, strict=True)
            ]
            last = [int((row > 0).nonzero()[0][-1]) for row in wide]
            places = [np.minimum(p, n) for p, n in zip(places, last, strict=True)]
            drawn = np.stack(places) if places else np.zeros((0, count), "int64")
        else:  # the largest of weight / exponential is a draw; the next largest is the next one
            race = -np.log1p(-self._unit(wide.size, True)).reshape(wide.shape) + 2.0**-60
            drawn = np.argsort(-(wide / race), -1, kind="stable")[:, :count]
        return drawn.astype("int64").reshape(*weights.shape[:-1], count)

    # --- numbers that take as many words as they please
    def _on_cpu(self, name: str, *arrays: Any) -> Any:
        from lantern.backends.mt19937 import MT19937

        stream = MT19937(int(self.words64(1)[0]))
        values = [each.get() if hasattr(each, "get") else each for each in arrays]
        return np.asarray(getattr(stream, name)(*values))

    def poisson(self, rates: Any) -> Any:
        """Returns a Poisson number for every rate."""
        return self._on_cpu("poisson", rates)

    def gamma(self, alphas: Any) -> Any:
        """Returns a gamma number of rate 1 for every shape."""
        return self._on_cpu("gamma", alphas)

    def dirichlet(self, alphas: Any) -> Any:
        """Returns shares of 1 for every row of parameters."""
        return self._on_cpu("dirichlet", alphas)

    def binomial(self, counts: Any, chances: Any) -> Any:
        """Returns the successes in each count of trials."""
        return self._on_cpu("binomial", counts, chances)


def _floating(dtype: Any, name: str) -> numpy.dtype:
    dtype = numpy.dtype(dtype)
    if dtype.char not in "efdE":
        raise NotImplementedError(f"\"{name}\" not implemented for '{dtype.name}'")
    return dtype


def _largest(dtype: numpy.dtype) -> int:
    """Returns the largest whole number up to which a dtype has all of them."""
    if dtype.kind in "iu":
        return int(numpy.iinfo(dtype).max)
    return {"?": 1, "e": 1 << 11, "E": 1 << 8, "f": 1 << 24, "d": 1 << 53}[dtype.char]
