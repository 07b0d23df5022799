"""Draws from `MT19937` against the installed PyTorch, on fresh seeds.

Uniforms and integers must be equal bit for bit, normals within 1e-6 of their scale, and after
every draw both streams must be in the same state.
"""

from __future__ import annotations

import math
import random
import warnings

import ml_dtypes
import numpy as np
import pytest

from lantern.backends.mt19937 import MT19937, in_memory_order

torch = pytest.importorskip("torch")

SIZES = (0, 1, 2, 15, 16, 17, 31, 32, 33, 100, 1000)
FLOATS = ("float32", "float64", "float16", "bfloat16")
INTEGERS = ("bool", "uint8", "int8", "int16", "int32", "int64")
SEEDS = [random.SystemRandom().getrandbits(64) for _ in range(3)]

# On Intel processors PyTorch hands `bernoulli_(p)` and `exponential_()` to MKL's own generator.
OWN_BERNOULLI = (
    torch.rand(20, generator=torch.Generator().manual_seed(0), dtype=torch.float64) < 0.5
).equal(torch.empty(20).bernoulli_(0.5, generator=torch.Generator().manual_seed(0)).bool())
OWN_EXPONENTIAL = torch.allclose(
    -torch.log1p(-torch.rand(20, generator=torch.Generator().manual_seed(0), dtype=torch.float64)),
    torch.empty(20, dtype=torch.float64).exponential_(generator=torch.Generator().manual_seed(0)),
)
# Without AVX2, PyTorch rounds the angles of float32 normals in another place, and the bounds of
# uniform numbers once more.
HAS_AVX = "AVX" in torch.backends.cpu.get_cpu_capability()
NORMAL_ERROR = 1e-6 if HAS_AVX else 4e-6

needs_own_bernoulli = pytest.mark.skipif(not OWN_BERNOULLI, reason="PyTorch draws from MKL here")
needs_own_exponential = pytest.mark.skipif(
    not OWN_EXPONENTIAL, reason="PyTorch draws from MKL here"
)


def np_dtype(name):
    return np.dtype(ml_dtypes.bfloat16 if name == "bfloat16" else name)


def torch_dtype(name):
    return getattr(torch, name)


def as_numpy(tensor):
    if tensor.dtype == torch.bfloat16:
        return tensor.contiguous().view(torch.int16).numpy().view(ml_dtypes.bfloat16)
    return tensor.numpy()


def as_torch(array):
    if array.dtype == ml_dtypes.bfloat16:
        return torch.from_numpy(array.view(np.int16)).view(torch.bfloat16)
    return torch.from_numpy(array)


@pytest.fixture(params=SEEDS, ids=[f"seed{seed}" for seed in SEEDS])
def pair(request):
    """The same stream twice: ours, and PyTorch's."""
    return MT19937(request.param), torch.Generator().manual_seed(request.param)


def assert_same_state(stream, generator):
    """The states agree, the waiting normal of a pair to its last digit or two."""
    ours, theirs = stream.get_state(), generator.get_state().numpy()
    spare = slice(5024, 5032)
    assert np.array_equal(np.delete(ours, spare), np.delete(theirs, spare))
    np.testing.assert_allclose(
        ours[spare].view(np.float64), theirs[spare].view(np.float64), rtol=1e-12
    )


def assert_same_bits(ours, theirs):
    theirs = as_numpy(theirs)
    assert ours.dtype == theirs.dtype
    assert ours.shape == theirs.shape
    assert ours.flags.c_contiguous
    assert np.ascontiguousarray(ours).tobytes() == np.ascontiguousarray(theirs).tobytes()


def assert_near(ours, theirs, error):
    theirs = as_numpy(theirs)
    assert ours.dtype == theirs.dtype
    assert ours.shape == theirs.shape
    # A half may round to the other neighbour.
    relative = {"float16": 1e-3, "bfloat16": 8e-3}.get(ours.dtype.name, error)
    np.testing.assert_allclose(
        ours.astype(np.float64), theirs.astype(np.float64), rtol=relative, atol=error
    )


@pytest.mark.parametrize("name", FLOATS)
@pytest.mark.parametrize("bounds", [(0, 1), (-0.3, 0.7), (5, 5), (-2.5, 1e4), (0.1, 0.1 + 1e-7)])
def test_uniform(pair, name, bounds):
    stream, generator = pair
    for size in SIZES:
        ours = stream.uniform((size,), np_dtype(name), *bounds)
        theirs = torch.empty(size, dtype=torch_dtype(name)).uniform_(*bounds, generator=generator)
        if HAS_AVX or bounds == (0, 1):
            assert_same_bits(ours, theirs)
        else:
            assert_near(ours, theirs, 1e-6)
        assert_same_state(stream, generator)


@pytest.mark.parametrize("name", FLOATS)
@pytest.mark.parametrize("mean, std", [(0, 1), (1.5, 0.25), (-3, 0)])
def test_normal(pair, name, mean, std):
    stream, generator = pair
    for size in (*SIZES, 3, 5, 20, 1, 40):
        ours = stream.normal((size,), np_dtype(name), mean, std)
        theirs = torch.empty(size, dtype=torch_dtype(name))
        theirs.normal_(mean, std, generator=generator)
        assert_near(ours, theirs, NORMAL_ERROR if name != "float64" else 1e-14)
        assert_same_state(stream, generator)


def test_fewer_than_sixteen_normals_are_equal_bit_for_bit(pair):
    stream, generator = pair
    for size in (1, 2, 3, 7, 15, 1, 15):
        for name in ("float32", "float64"):
            ours = stream.normal((size,), np_dtype(name))
            assert_same_bits(ours, torch.randn(size, dtype=torch_dtype(name), generator=generator))


def test_large_draws(pair):
    stream, generator = pair
    assert_same_bits(stream.uniform((300, 301)), torch.rand(300, 301, generator=generator))
    ours = stream.uniform((40_000,), np.float64)
    assert_same_bits(ours, torch.rand(40_000, generator=generator, dtype=torch.float64))
    ours = stream.normal((70_001,), np.float32)
    assert_near(ours, torch.randn(70_001, generator=generator), NORMAL_ERROR)
    ours = stream.random((70_000,), np.int64, 0, 60_000)
    assert_same_bits(ours, torch.randint(60_000, (70_000,), generator=generator))
    assert_same_bits(stream.permutation(70_000), torch.randperm(70_000, generator=generator))
    assert_same_state(stream, generator)


@pytest.mark.parametrize("name", INTEGERS + FLOATS)
def test_random_over_the_whole_range(pair, name):
    stream, generator = pair
    for size in (0, 1, 100, 5):
        ours = stream.random((size,), np_dtype(name))
        theirs = torch.empty(size, dtype=torch_dtype(name)).random_(generator=generator)
        assert_same_bits(ours, theirs)
        assert_same_state(stream, generator)


RANGES = [
    (0, 2), (0, 10), (-5, 100), (0, 2**16), (-(2**15), 2**15), (0, 2**28 - 1), (0, 2**28),
    (-7, 2**28 - 7), (0, 2**31 - 1), (3, 2**32), (0, 2**32 + 1), (-(2**63), 2**63 - 1),
    (2**62, 2**62 + 3), (0, 2**63 - 1), (1, None), (-100, None), (2**60, None), (-(2**63), None),
    (2**12 + 1, 2**12 + 9), (-(2**25) - 3, 2**25 + 3), (0, 65504), (0, 257), (5, 5), (7, 3),
]  # fmt: skip


@pytest.mark.parametrize("name", INTEGERS + FLOATS + ("uint16", "uint32", "uint64"))
def test_random_in_a_range(pair, name):
    """Equal numbers, or the same error in the same words, and the same warnings."""
    stream, generator = pair
    for low, high in RANGES:
        theirs = torch.empty(50, dtype=torch_dtype(name))
        with warnings.catch_warnings(record=True) as their_warnings:
            warnings.simplefilter("always")
            try:
                theirs.random_(low, high, generator=generator)
            except (RuntimeError, NotImplementedError) as failure:
                error = failure
            else:
                error = None
        with warnings.catch_warnings(record=True) as our_warnings:
            warnings.simplefilter("always")
            if error is not None:
                with pytest.raises(type(error)) as caught:
                    stream.random((50,), np_dtype(name), low, high)
                assert str(caught.value) == str(error)
                continue
            ours = stream.random((50,), np_dtype(name), low, high)
        assert_same_bits(ours, theirs)
        assert len(our_warnings) == len(their_warnings)
        for our, their in zip(our_warnings, their_warnings, strict=True):
            assert str(their.message).startswith(str(our.message))
        assert_same_state(stream, generator)


def test_permutations(pair):
    stream, generator = pair
    for size in (0, 1, 2, 3, 5, 10, 100, 255, 256, 257, 1000, 5000, 20_000):
        assert_same_bits(stream.permutation(size), torch.randperm(size, generator=generator))
        assert_same_state(stream, generator)
    for name in ("uint8", "int8", "int16", "int32", *FLOATS):
        ours = stream.permutation(100, np_dtype(name))
        theirs = torch.randperm(100, generator=generator, dtype=torch_dtype(name))
        assert_same_bits(ours, theirs)


@needs_own_bernoulli
@pytest.mark.parametrize("name", INTEGERS + FLOATS)
def test_bernoulli_of_a_number(pair, name):
    stream, generator = pair
    for p in (0, 0.3, 0.5, 1):
        ours = stream.bernoulli((50,), np_dtype(name), p)
        theirs = torch.empty(50, dtype=torch_dtype(name)).bernoulli_(p, generator=generator)
        assert_same_bits(ours, theirs)
        assert_same_state(stream, generator)


@pytest.mark.parametrize("name", INTEGERS + FLOATS)
@pytest.mark.parametrize("p_name", FLOATS)
def test_bernoulli_of_an_array(pair, name, p_name):
    stream, generator = pair
    p = np.linspace(0, 1, 11).astype(np_dtype(p_name))
    ours = stream.bernoulli((4, 11), np_dtype(name), p)
    theirs = torch.empty(4, 11, dtype=torch_dtype(name)).bernoulli_(
        as_torch(p), generator=generator
    )
    assert_same_bits(ours, theirs)
    assert_same_state(stream, generator)


@needs_own_bernoulli
def test_dropout_draws_a_bernoulli_mask():
    torch.manual_seed(SEEDS[0])
    kept = torch.nn.functional.dropout(torch.ones(7, 9), 0.25).ne(0)
    assert_same_bits(MT19937(SEEDS[0]).bernoulli((7, 9), bool, 0.75), kept)


@pytest.mark.parametrize("name", FLOATS)
@pytest.mark.parametrize(
    "ours, theirs, arguments",
    [
        pytest.param("exponential", "exponential_", (1.7,), marks=needs_own_exponential),
        pytest.param("exponential", "exponential_", (math.inf,), marks=needs_own_exponential),
        ("cauchy", "cauchy_", (1.5, 0.3)),
        ("log_normal", "log_normal_", (0.5, 0.25)),
        ("geometric", "geometric_", (0.2,)),
    ],
)
def test_other_distributions(pair, name, ours, theirs, arguments):
    stream, generator = pair
    for size in (0, 1, 15, 16, 33, 200):
        drawn = getattr(stream, ours)((size,), np_dtype(name), *arguments)
        tensor = torch.empty(size, dtype=torch_dtype(name))
        getattr(tensor, theirs)(*arguments, generator=generator)
        assert_near(drawn, tensor, 1e-6 if name != "float64" else 1e-11)
        assert_same_state(stream, generator)


@pytest.mark.parametrize("name", ("uint8", "int8", "int16", "int32", "int64"))
def test_geometric_numbers_wrap_in_small_integers(pair, name):
    stream, generator = pair
    ours = stream.geometric((300,), np_dtype(name), 0.002)
    theirs = torch.empty(300, dtype=torch_dtype(name)).geometric_(0.002, generator=generator)
    assert_same_bits(ours, theirs)


@pytest.mark.parametrize("name", FLOATS)
def test_poisson(pair, name):
    stream, generator = pair
    rates = np.array([[0, 0.1, 1, 3, 9.9], [10, 15.5, 60, 200, 1000]]).repeat(8, 0)
    rates = rates.astype(np_dtype(name))
    ours = stream.poisson(rates)
    assert_same_bits(ours, torch.poisson(as_torch(rates), generator=generator))
    assert_same_state(stream, generator)


@pytest.mark.parametrize("name", FLOATS)
def test_multinomial(pair, name):
    stream, generator = pair
    weights = np.random.default_rng(SEEDS[0]).random((4, 12)).astype(np_dtype(name))
    weights[:, 3] = 0
    for rows in (weights, weights[0]):
        for count, replacement in ((1, True), (40, True), (1, False), (9, False)):
            if not replacement and not OWN_EXPONENTIAL:
                continue
            ours = stream.multinomial(rows, count, replacement)
            theirs = torch.multinomial(as_torch(rows), count, replacement, generator=generator)
            assert ours.shape == tuple(theirs.shape)
            if name in ("float32", "float64") or replacement:
                assert_same_bits(ours, theirs)
            assert_same_state(stream, generator)


def test_normal_around_tensors(pair):
    stream, generator = pair
    means, stds = np.linspace(-3, 3, 20), np.linspace(0, 2, 20)
    for first in FLOATS:
        for second in FLOATS:
            mean, std = means.astype(np_dtype(first)), stds.astype(np_dtype(second))
            for a, b in ((mean, std), (mean, 0.5), (1.5, std), (mean[:, None], std[:3])):
                theirs = torch.normal(
                    *(as_torch(x) if isinstance(x, np.ndarray) else x for x in (a, b)),
                    generator=generator,
                )
                ours = stream.normal_around(a, b)
                # A product of halves that rounds otherwise may lose digits in the sum.
                error = {"float16": 1e-2, "bfloat16": 1e-1}.get(ours.dtype.name, 2 * NORMAL_ERROR)
                assert_near(ours, theirs, error)
                assert_same_state(stream, generator)


def strided(kind, name):
    """A tensor whose memory is not in row order."""
    base = torch.zeros(12, 14, 6, dtype=torch_dtype(name))
    return {
        "transposed": lambda: base[:, :, 0].t(),
        "permuted": lambda: base.permute(2, 0, 1),
        "permuted dense": lambda: torch.zeros(4, 5, 6, dtype=torch_dtype(name)).permute(1, 2, 0),
        "every other": lambda: base[::2, 1::3],
        "channels last": lambda: torch.zeros(2, 3, 4, 5, dtype=torch_dtype(name)).contiguous(
            memory_format=torch.channels_last
        ),
        "small": lambda: base[:3, 0, :2].t(),
        "unit": lambda: base[:, :1, :].permute(2, 1, 0),
    }[kind]()


@pytest.mark.parametrize("name", ("float32", "float64"))
@pytest.mark.parametrize(
    "kind",
    ["transposed", "permuted", "permuted dense", "every other", "channels last", "small", "unit"],
)
def test_strided_tensors_fill_in_memory_order(pair, kind, name):
    stream, generator = pair
    tensor = strided(kind, name)
    view = in_memory_order(tensor.numpy())
    tensor.uniform_(generator=generator)
    assert (stream.uniform(view.shape, view.dtype) == view).all()
    tensor.normal_(1, 2, generator=generator)
    ours = stream.normal(view.shape, view.dtype, 1, 2, contiguous=tensor.is_contiguous())
    assert_near(ours, torch.from_numpy(view), 1e-6)
    tensor.random_(generator=generator)
    assert (stream.random(view.shape, view.dtype) == view).all()
    assert_same_state(stream, generator)


def test_mixed_draws_stay_in_step(pair):
    """A random program of draws, with the state handed over in both directions on the way."""
    stream, generator = pair
    choose = random.Random(SEEDS[0])
    draws = [
        lambda n: (stream.uniform((n,)), torch.rand(n, generator=generator)),
        lambda n: (stream.normal((n,)), torch.randn(n, generator=generator)),
        lambda n: (
            stream.normal((n,), np.float64),
            torch.randn(n, generator=generator, dtype=torch.float64),
        ),
        lambda n: (
            stream.random((n,), np.int64, 0, 2**40),
            torch.randint(2**40, (n,), generator=generator),
        ),
        lambda n: (stream.permutation(n), torch.randperm(n, generator=generator)),
        lambda n: (
            stream.log_normal((n,), np.float64),
            torch.empty(n, dtype=torch.float64).log_normal_(generator=generator),
        ),
    ]
    for step in range(300):
        ours, theirs = choose.choice(draws)(choose.choice(SIZES))
        assert_near(ours, theirs, NORMAL_ERROR)
        assert_same_state(stream, generator)
        if step % 10 == 3:
            stream.set_state(generator.get_state().numpy())
        if step % 10 == 8:
            generator.set_state(torch.from_numpy(stream.get_state()))


@pytest.mark.parametrize("position", [0, 1, 2, 622, 623, 624, 625, 1247, 1248, 1249])
def test_states_are_equal_around_the_end_of_a_block(pair, position):
    stream, generator = pair
    assert np.array_equal(stream.get_state(), generator.get_state().numpy())
    stream.uniform((position,))
    torch.rand(position, generator=generator)
    assert np.array_equal(stream.get_state(), generator.get_state().numpy())
    for start in (generator.get_state().numpy(), stream.get_state()):
        copy = MT19937(3)
        copy.set_state(start)
        assert np.array_equal(copy.get_state(), start)
        assert copy.initial_seed() == generator.initial_seed()


FAILURES = [
    ("uniform", "uniform_", (1, 0), "float32"),
    ("uniform", "uniform_", (0, math.inf), "float32"),
    ("uniform", "uniform_", (math.nan, 0), "float64"),
    ("uniform", "uniform_", (-3e38, 3e38), "float32"),
    ("uniform", "uniform_", (-6e4, 6e4), "float16"),
    ("uniform", "uniform_", (0, 1), "int64"),
    ("normal", "normal_", (0, -1), "float32"),
    ("normal", "normal_", (0, math.nan), "float32"),
    ("normal", "normal_", (0, 1), "int32"),
    ("random", "random_", (), "uint16"),
    ("exponential", "exponential_", (0,), "float32"),
    ("exponential", "exponential_", (1,), "int16"),
    ("cauchy", "cauchy_", (0, 0), "float32"),
    ("cauchy", "cauchy_", (0, 1), "uint8"),
    ("log_normal", "log_normal_", (0, 0), "float32"),
    ("log_normal", "log_normal_", (0, 1), "int8"),
    ("geometric", "geometric_", (1,), "float32"),
    ("geometric", "geometric_", (0.5,), "bool"),
    ("bernoulli", "bernoulli_", (1.5,), "float32"),
    ("bernoulli", "bernoulli_", (math.nan,), "float32"),
    ("bernoulli", "bernoulli_", (0.5,), "uint32"),
]


@pytest.mark.parametrize("ours, theirs, arguments, name", FAILURES)
def test_bad_arguments_raise_the_same_error(ours, theirs, arguments, name):
    with pytest.raises((RuntimeError, NotImplementedError)) as expected:
        getattr(torch.empty(3, dtype=torch_dtype(name)), theirs)(*arguments)
    with pytest.raises(expected.type) as found:
        getattr(MT19937(), ours)((3,), np_dtype(name), *arguments)
    assert found.type is expected.type
    assert str(found.value) == str(expected.value)


@pytest.mark.parametrize("replacement", [False, True])
@pytest.mark.parametrize(
    "weights, count",
    [
        ([1.0, 2.0], 0), ([1.0, -2.0], 2), ([1.0, math.inf], 2), ([1.0, math.nan], 2),
        ([0.0, 0.0], 2), ([0.0, 0.0], 1), ([[0.0, 0.0], [1.0, 2.0]], 2), ([[[1.0, 2.0]]], 2),
        ([1, 2], 1),
    ],
)  # fmt: skip
def test_bad_weights_raise_the_same_error(weights, count, replacement):
    with pytest.raises(RuntimeError) as expected:
        torch.multinomial(torch.tensor(weights), count, replacement)
    with pytest.raises(RuntimeError) as found:
        MT19937().multinomial(torch.tensor(weights).numpy(), count, replacement)
    assert str(found.value) == str(expected.value)


@pytest.mark.parametrize(
    "count, name",
    [(-1, "int64"), (129, "int8"), (257, "uint8"), (32769, "int16"), (2050, "float16"), (5, "bool"),
     (5, "uint32")],
)  # fmt: skip
def test_bad_permutations_raise_the_same_error(count, name):
    with pytest.raises((RuntimeError, NotImplementedError)) as expected:
        torch.randperm(count, dtype=torch_dtype(name))
    with pytest.raises(expected.type) as found:
        MT19937().permutation(count, np_dtype(name))
    assert str(found.value) == str(expected.value)
