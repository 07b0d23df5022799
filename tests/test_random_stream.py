"""The random stream is PyTorch's: golden draws, interchangeable states, seeds and generators."""

from __future__ import annotations

import copy
import json
import math
import pickle
import subprocess
import sys
from pathlib import Path

import ml_dtypes
import numpy as np
import pytest

import lantern
from lantern import random
from lantern.backends import mt19937
from lantern.backends.mt19937 import MT19937, in_memory_order

GOLDENS = np.load(Path(__file__).parent / "goldens" / "rng.npz")
PROGRAMS = json.loads(str(GOLDENS["programs"]))
SEEDS = GOLDENS["seeds"].tolist()
METHODS = {
    f"{name}_": name
    for name in (
        "uniform", "normal", "random", "bernoulli", "exponential", "geometric", "cauchy",
        "log_normal",
    )
}  # fmt: skip
# What the last digits of a transcendental function may differ by.
NORMAL_ERROR = {"float16": 1e-3, "bfloat16": 8e-3, "float32": 1e-6, "float64": 1e-14}
TRANSCENDENTAL = {"normal_", "exponential_", "cauchy_", "log_normal_"}


def dtype_named(name):
    return np.dtype(ml_dtypes.bfloat16 if name == "bfloat16" else name)


def run(step, stream):
    """The result of one step of a golden program."""
    method, dtype = step["method"], dtype_named(step["dtype"])
    if method == "randperm":
        return stream.permutation(step["count"], dtype)
    if method == "bernoulli":
        p = np.array(step["p"], np.float64).astype(dtype)
        return stream.bernoulli(p.shape, dtype, p)
    if method == "poisson":
        return stream.poisson(np.array(step["rates"], dtype))
    if method == "multinomial":
        return stream.multinomial(np.array(step["weights"], dtype), *step["arguments"])
    return getattr(stream, METHODS[method])(step["shape"], dtype, *step["arguments"])


def assert_equals_golden(found, golden, step):
    if found.dtype == ml_dtypes.bfloat16:
        golden = golden.view(ml_dtypes.bfloat16)
    assert found.dtype == golden.dtype, step
    assert found.shape == golden.shape, step
    assert found.flags.c_contiguous, step
    if step["method"] in TRANSCENDENTAL:
        error = NORMAL_ERROR[step["dtype"]]
        np.testing.assert_allclose(
            found.astype(np.float64),
            golden.astype(np.float64),
            rtol=error,
            atol=error if step["dtype"].startswith("float") else 1e-6,
            err_msg=str(step),
        )
    else:
        assert found.tobytes() == golden.tobytes(), step


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("program", PROGRAMS)
def test_draws_and_final_state_equal_the_goldens(program, seed):
    stream = MT19937(seed)
    for number, step in enumerate(PROGRAMS[program]):
        assert_equals_golden(run(step, stream), GOLDENS[f"{seed}/{program}/{number}"], step)
    state, golden = stream.get_state(), GOLDENS[f"{seed}/{program}/state"]
    spare = slice(5024, 5032)
    assert np.array_equal(np.delete(state, spare), np.delete(golden, spare))
    np.testing.assert_allclose(
        state[spare].view(np.float64), golden[spare].view(np.float64), rtol=1e-12
    )


def test_the_golden_comparison_can_fail():
    step = {"method": "normal_", "dtype": "float32"}
    golden = np.array([0.5, -2.0], np.float32)
    assert_equals_golden(golden + np.float32(5e-7), golden, step)
    with pytest.raises(AssertionError):
        assert_equals_golden(golden + np.float32(5e-6), golden, step)
    with pytest.raises(AssertionError):
        assert_equals_golden(golden + np.float32(2e-7), golden, {**step, "method": "uniform_"})


def test_a_state_from_pytorch_goes_on_where_it_was_taken():
    seed = SEEDS[0]
    stream, other = MT19937(seed), MT19937(1)
    for step in PROGRAMS["mixed"]:
        run(step, stream)
    other.set_state(GOLDENS[f"{seed}/mixed/state"])
    assert other.initial_seed() == seed
    for count in (3, 20, 1, 700):
        np.testing.assert_array_equal(stream.uniform((count,)), other.uniform((count,)))
        np.testing.assert_allclose(stream.normal((count,)), other.normal((count,)), rtol=1e-6)


@pytest.mark.parametrize("drawn", [0, 1, 3, 16, 623, 624, 625, 1248, 5000])
def test_a_state_set_again_repeats_the_draws(drawn):
    stream = MT19937(9)
    stream.words32(drawn)
    stream.normal((3,))
    state = stream.get_state()
    first = stream.normal((5,)), stream.uniform((2000,)), stream.permutation(50)
    other = MT19937()
    other.set_state(state)
    assert np.array_equal(other.get_state(), state)
    second = other.normal((5,)), other.uniform((2000,)), other.permutation(50)
    for one, two in zip(first, second, strict=True):
        np.testing.assert_array_equal(one, two)


def test_a_copy_draws_the_same_and_apart():
    stream = MT19937(4)
    stream.normal((5,))
    other = stream.copy()
    expected = stream.normal((40,))
    np.testing.assert_array_equal(other.normal((40,)), expected)
    assert np.array_equal(other.get_state(), stream.get_state())


def test_a_seed_drops_the_waiting_normal():
    stream = MT19937(4)
    stream.normal((5,))
    stream.seed(4)
    assert np.array_equal(stream.get_state(), MT19937(4).get_state())


BROKEN_STATES = [
    ("left is zero", 8, 0),
    ("left does not fit the position", 8, 7),
    ("not seeded", 12, 0),
    ("position after the end", 17, 255),
    ("a word of more than 32 bits", 28, 1),
]


@pytest.mark.parametrize("what, where, value", BROKEN_STATES)
def test_a_broken_state_is_refused_and_changes_nothing(what, where, value):
    state = MT19937(3).get_state()
    state[where] = value
    stream = MT19937(8)
    before = stream.get_state()
    with pytest.raises(RuntimeError, match="Invalid mt19937 state"):
        stream.set_state(state)
    assert np.array_equal(stream.get_state(), before)


def test_a_state_of_another_size_is_refused():
    with pytest.raises(RuntimeError, match="state of size 5056|CPUGeneratorImplState of size 5056"):
        MT19937().set_state(np.zeros(5048, np.uint8))


def shuffled_by_hand(stream, count):
    """The shuffle step by step, as its definition says."""
    order = list(range(count))
    for place, word in enumerate(stream.words32(max(count - 1, 0)).tolist()):
        other = place + word % (count - place)
        order[place], order[other] = order[other], order[place]
    return order


@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 5, 7, 8, 64, 500, 65535, 65536, 70_000])
@pytest.mark.parametrize("few", [0, mt19937.FEW_PLACES])
def test_permutations_equal_the_swaps_one_by_one(count, few, monkeypatch):
    monkeypatch.setattr(mt19937, "FEW_PLACES", few)
    for seed in range(200 if count < 10 else 3):
        found = MT19937(seed).permutation(count)
        assert found.dtype == np.int64
        assert found.tolist() == shuffled_by_hand(MT19937(seed), count)


@pytest.mark.parametrize(
    "kind, dtype, parameters",
    [
        ("uniform", np.float32, ()),
        ("uniform", np.float64, ()),
        ("uniform", np.float16, (-1.0, 3.0)),
        ("random", np.int64, (-3, 7)),
        ("bernoulli", np.float32, (0.3,)),
        ("exponential", np.float64, (2.0,)),
    ],
)
def test_a_few_numbers_are_those_that_many_begin_with(kind, dtype, parameters):
    longer = getattr(MT19937(5), kind)((mt19937.FEW + 1,), dtype, *parameters)
    for count in (0, 1, 3, 17, mt19937.FEW):
        shorter = getattr(MT19937(5), kind)((count,), dtype, *parameters)
        np.testing.assert_array_equal(shorter, longer[:count])


def test_a_permutation_too_long_says_so():
    with pytest.raises(NotImplementedError, match="214748364 numbers or more are not in Lantern"):
        MT19937().permutation(214748364)


def rounded_once(unit, scale, start):
    """`unit * scale + start` exactly, then rounded, by Python's fractions."""
    from fractions import Fraction

    exact = [Fraction(x) * Fraction(float(scale)) + Fraction(float(start)) for x in unit.tolist()]
    return np.array([float(x) for x in exact])


@pytest.mark.parametrize("low, high", [(-0.1, 0.1), (0, 3), (1.1, 7.3), (-1e300, 1e290), (1, 1.5)])
def test_float64_ranges_are_rounded_once(low, high):
    unit = MT19937(11).uniform((500,), np.float64)
    found = MT19937(11).uniform((500,), np.float64, low, high)
    np.testing.assert_array_equal(found, rounded_once(unit, high - low, np.float64(low)))


@pytest.mark.parametrize("low, high", [(-0.1, 0.1), (0, 3), (1.1, 7.3), (1e-9, 1), (1000, 1000.1)])
def test_float32_ranges_are_rounded_once(low, high):
    unit = MT19937(11).uniform((500,)).astype(np.float64)
    low, high = np.float32(low), np.float32(high)
    found = MT19937(11).uniform((500,), np.float32, low, high)
    expected = rounded_once(unit, high - low, low).astype(np.float32)
    expected[expected == high] = low
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("dtype", [np.float16, ml_dtypes.bfloat16, np.float32, np.float64])
def test_uniform_numbers_leave_out_the_upper_end(dtype):
    drawn = MT19937(0).uniform((100_000,), dtype).astype(np.float64)
    assert drawn.min() >= 0
    assert drawn.max() < 1
    drawn = MT19937(0).uniform((100_000,), dtype, 2, 3).astype(np.float64)
    assert drawn.min() >= 2
    assert drawn.max() < 3


def test_normals_drawn_in_turn_do_not_depend_on_the_pieces():
    whole = MT19937(6).normal((101,), np.float64, contiguous=False)
    stream = MT19937(6)
    pieces = [stream.normal((count,), np.float64) for count in (1, 15, 14, 2, 3, 7, 13, 15, 15, 15)]
    np.testing.assert_allclose(whole[:100], np.concatenate(pieces), rtol=1e-12)


def test_memory_order_is_by_falling_stride():
    base = np.arange(2 * 3 * 4).reshape(2, 3, 4)
    assert in_memory_order(base) is base
    for axes in ((2, 0, 1), (1, 2, 0), (2, 1, 0)):
        assert in_memory_order(base.transpose(axes)).tolist() == base.tolist()
    assert in_memory_order(base[:, ::2].T).tolist() == base[:, ::2].tolist()
    assert in_memory_order(np.array(3)).tolist() == 3


@pytest.mark.parametrize(
    "draw, message",
    [
        (lambda s: s.uniform((2,), np.float32, 1, 0), r"found from=1 > to=0"),
        (lambda s: s.uniform((2,), np.float32, 0, math.inf), "to is out of bounds for float"),
        (lambda s: s.uniform((2,), np.float32, math.nan, 1), "from is out of bounds for float"),
        (lambda s: s.normal((2,), np.float32, 0, -1), "std >= 0.0, but found std -1"),
        (lambda s: s.normal((2,), np.float32, 0, math.nan), "std >= 0.0, but found std nan"),
        (lambda s: s.random((2,), np.int64, 5, 5), "got from=5 >= to=5"),
        (lambda s: s.random((2,), np.uint8, 0, 257), "to - 1 is out of bounds for unsigned char"),
        (lambda s: s.random((2,), np.int8, -129, 5), "from is out of bounds for signed char"),
        (lambda s: s.bernoulli((2,), np.float32, 1.5), r"p to be in \[0, 1\], but got p=1.5"),
        (lambda s: s.bernoulli((2,), np.float32, np.array([0.5, 2])), "p_in >= 0 && p_in <= 1"),
        (lambda s: s.exponential((2,), np.float32, 0), "lambda > 0.0, but found lambda=0"),
        (lambda s: s.exponential((2,), np.int64), "but you specified Long"),
        (lambda s: s.geometric((2,), np.float32, 1), r"p to be in \(0, 1\), but got p=1"),
        (lambda s: s.cauchy((2,), np.float32, 0, 0), "sigma > 0.0, but found sigma=0"),
        (lambda s: s.log_normal((2,), np.float32, 0, 0), "std > 0.0, but found std=0"),
        (lambda s: s.permutation(-1), "negative dimension -1"),
        (lambda s: s.permutation(129, np.int8), "to type int8_t without overflow"),
        (lambda s: s.multinomial(np.ones(2), 3), "n_sample > prob_dist.size"),
        (lambda s: s.multinomial(np.ones(2), 0), "n_sample <= 0"),
        (lambda s: s.multinomial(np.array([1, math.nan]), 1), "either `inf`, `nan`"),
        (lambda s: s.multinomial(np.zeros(2), 2, True), "sum of probabilities <= 0"),
        (lambda s: s.multinomial(np.array([1, math.inf]), 2, True), "infinity or NaN"),
        (lambda s: s.poisson(np.array([-1.0])), "rate to be non-negative"),
        (lambda s: s.normal_around(np.zeros(2), np.array([1.0, -1])), "all elements of std"),
    ],
)
def test_bad_arguments_raise_and_draw_nothing(draw, message):
    stream = MT19937(5)
    before = stream.get_state()
    with pytest.raises(RuntimeError, match=message):
        draw(stream)
    assert np.array_equal(stream.get_state(), before)


@pytest.mark.parametrize(
    "draw, kernel",
    [
        (lambda s: s.uniform((2,), np.int64), "check_uniform_bounds"),
        (lambda s: s.normal((2,), np.int64), "normal_kernel_cpu"),
        (lambda s: s.random((2,), np.uint16), "random_kernel_cpu"),
        (lambda s: s.log_normal((2,), np.int64), "log_normal_cpu"),
        (lambda s: s.geometric((2,), np.bool_), "geometric_cpu"),
        (lambda s: s.bernoulli((2,), np.uint32, 0.5), "bernoulli_scalar_cpu_"),
        (lambda s: s.bernoulli((2,), np.float32, np.array([1, 0])), "bernoulli_tensor_cpu_p_"),
        (lambda s: s.poisson(np.array([1, 2])), "poisson_cpu"),
        (lambda s: s.permutation(3, np.bool_), "randperm"),
    ],
)
def test_dtypes_without_a_kernel_are_named(draw, kernel):
    with pytest.raises(NotImplementedError, match=f'"{kernel}" not implemented for \''):
        draw(MT19937())


def test_complex_and_object_arrays_are_refused():
    for dtype in (np.complex64, object, "datetime64[s]"):
        with pytest.raises(TypeError, match="no random numbers of dtype"):
            MT19937().uniform((2,), dtype)


def test_manual_seed_is_the_seed():
    generator = random.Generator()
    assert generator.initial_seed() == 67280421310721
    assert generator.manual_seed(7) is generator
    for given, held in ((0, 0), (-1, 2**64 - 1), (-(2**63), 2**63), (2**64 - 1, 2**64 - 1)):
        assert generator.manual_seed(given).initial_seed() == held
    found = generator.manual_seed(2**40 + 5).stream.uniform((9,))
    np.testing.assert_array_equal(found, MT19937(5).uniform((9,)))


@pytest.mark.parametrize("seed", [2**64, -(2**63) - 1])
def test_seeds_beyond_64_bits_raise(seed):
    for function in (random.Generator().manual_seed, random.manual_seed):
        with pytest.raises(ValueError, match="Overflow when unpacking long long"):
            function(seed)


@pytest.mark.parametrize(
    "seed, name", [(1.5, "float"), ("3", "str"), (True, "bool"), (None, "NoneType")]
)
def test_a_generator_takes_only_whole_numbers(seed, name):
    with pytest.raises(RuntimeError, match=f"manual_seed expected a long, but got {name}$"):
        random.Generator().manual_seed(seed)


def test_numpy_numbers_are_no_seeds_of_a_generator():
    with pytest.raises(TypeError, match="an integer is required"):
        random.Generator().manual_seed(np.int64(5))
    with pytest.raises(RuntimeError, match="a long, but got numpy.float64"):
        random.Generator().manual_seed(np.float64(5))


@pytest.fixture
def default_state():
    """Leaves the default generator as it was."""
    state = random.get_rng_state()
    yield
    random.set_rng_state(state)


def test_the_module_function_takes_what_int_takes(default_state):
    for seed, held in ((1.5, 1), ("3", 3), (True, 1), (np.int64(5), 5)):
        assert random.manual_seed(seed) is random.default_generator
        assert random.initial_seed() == held
    with pytest.raises(TypeError):
        random.manual_seed(None)


def test_seed_starts_an_unforeseen_stream(default_state):
    seeds = {random.seed() for _ in range(5)}
    assert len(seeds) == 5
    assert random.initial_seed() in seeds
    assert max(seeds) < 2**64


def test_a_process_starts_unforeseen_and_without_numpy_random():
    program = (
        "import sys, numpy; before = 'numpy.random' in sys.modules; from lantern import random; "
        "print(('numpy.random' in sys.modules) == before, random.initial_seed())"
    )
    runs = [
        subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
        for _ in range(2)
    ]
    (left_alone, seed), (_, other) = (run.stdout.split() for run in runs)
    assert left_alone == "True"
    assert seed != other


def test_states_are_byte_tensors(default_state):
    generator = random.Generator().manual_seed(3)
    generator.stream.normal((5,))
    state = generator.get_state()
    assert isinstance(state, lantern.Tensor)
    assert state.dtype == lantern.uint8
    assert state.shape == (5056,)
    expected = generator.stream.uniform((7,))
    assert random.Generator().set_state(state).initial_seed() == 3
    random.set_rng_state(state)
    np.testing.assert_array_equal(random.default_generator.stream.uniform((7,)), expected)
    assert random.get_rng_state().numpy().tobytes() == generator.get_state().numpy().tobytes()


def test_what_is_no_state_is_refused():
    generator = random.Generator()
    state = generator.get_state()
    with pytest.raises(TypeError, match="expected a torch.ByteTensor, but got list"):
        generator.set_state([1])
    with pytest.raises(TypeError, match="RNG state must be a torch.ByteTensor"):
        generator.set_state(lantern.from_numpy(np.zeros(5056, np.float32)))
    with pytest.raises(RuntimeError, match="RNG state must be contiguous"):
        generator.set_state(lantern.from_numpy(state.numpy().repeat(2)[::2]))
    with pytest.raises(RuntimeError, match="found the input RNG state size to be 5$"):
        generator.set_state(lantern.from_numpy(np.zeros(5, np.uint8)))
    with pytest.raises(RuntimeError, match="Invalid mt19937 state"):
        generator.set_state(lantern.from_numpy(np.zeros(5056, np.uint8)))


def test_generators_copy_and_pickle():
    generator = random.Generator().manual_seed(3)
    generator.stream.normal((5,))
    twins = [
        generator.clone_state(),
        copy.copy(generator),
        copy.deepcopy(generator),
        pickle.loads(pickle.dumps(generator)),
    ]
    expected = generator.stream.normal((5,))
    for twin in twins:
        np.testing.assert_array_equal(twin.stream.normal((5,)), expected)
        assert twin.initial_seed() == 3


def test_generators_live_on_the_cpu():
    for device in ("cpu", None, lantern.device("cpu"), "cpu:0"):
        assert str(random.Generator(device).device) == "cpu"
    assert random.Generator(device="cpu").device == lantern.device("cpu")
    with pytest.raises(RuntimeError, match="No CUDA GPUs are available"):
        random.Generator("cuda")
    with pytest.raises(RuntimeError, match="at start of device string: nowhere"):
        random.Generator("nowhere")
    with pytest.raises(AttributeError):
        random.Generator().device = "cuda"
    with pytest.raises(RuntimeError, match="does not use offset"):
        random.Generator().get_offset()


def test_fork_leaves_the_default_generator_as_it_was(default_state):
    random.manual_seed(2)
    expected = MT19937(2).uniform((4,))
    with pytest.raises(KeyError), random.fork_rng():
        random.manual_seed(77)
        raise KeyError
    np.testing.assert_array_equal(random.default_generator.stream.uniform((4,)), expected)
    with random.fork_rng(enabled=False):
        random.manual_seed(2)
        random.default_generator.stream.uniform((4,))
    after = random.default_generator.stream.uniform((1,))
    assert after != expected[0]
    with pytest.raises(AssertionError, match="Torch not compiled with CUDA enabled"):
        with random.fork_rng(devices=[0]):
            pass
