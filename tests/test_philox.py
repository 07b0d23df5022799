"""The random stream of GPUs, computed over NumPy: known answers, and the shape of distributions."""

from __future__ import annotations

import numpy as np
import pytest

from lantern.backends.philox import Philox, philox4x32

# From the known-answer tests of Random123, the authors' library.
KNOWN = [
    ([0] * 4, [0] * 2, [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]),
    ([0xFFFFFFFF] * 4, [0xFFFFFFFF] * 2, [0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD]),
    (
        [0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344],
        [0xA4093822, 0x299F31D0],
        [0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1],
    ),
]


@pytest.mark.parametrize(("counter", "key", "expected"), KNOWN)
def test_words_are_those_of_the_authors(counter: list, key: list, expected: list) -> None:
    words = philox4x32([np.array([each], np.uint32) for each in counter], (key[0], key[1]))
    assert [int(each[0]) for each in words] == expected


def test_words_follow_from_seed_and_place_alone() -> None:
    whole = Philox(7 << 32 | 5).words32(64)
    stream = Philox(7 << 32 | 5)
    stream.offset = 3
    assert (stream.words32(8) == whole[12:20]).all()
    assert not (Philox(5).words32(8) == whole[:8]).any()
    assert stream.words32(1) != whole[20] or stream.offset == 6


def test_a_state_is_gone_on_from() -> None:
    stream = Philox(3)
    stream.normal((5,))
    state, twin = stream.get_state(), Philox()
    twin.set_state(state)
    assert (twin.uniform((9,)) == stream.uniform((9,))).all() and twin.initial_seed() == 3
    assert (stream.copy().words32(3) == stream.words32(3)).all()
    with pytest.raises(RuntimeError, match="wrong size"):
        stream.set_state(state[:7])


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16"])
def test_uniform_and_normal_numbers_have_their_moments(dtype: str) -> None:
    stream, n = Philox(1), 1 << 18
    unit = stream.uniform((n,), dtype)
    assert unit.dtype == dtype and unit.min() >= 0 and unit.max() < 1
    unit = unit.astype(np.float64)
    assert abs(unit.mean() - 0.5) < 3e-3 and abs(unit.var() - 1 / 12) < 1e-3
    normal = stream.normal((n,), dtype, 2.0, 3.0).astype(np.float64)
    assert abs(normal.mean() - 2) < 0.03 and abs(normal.std() - 3) < 0.02
    fourth = (((normal - normal.mean()) / normal.std()) ** 4).mean()
    assert abs(fourth - 3) < 0.06
    pairs = normal.reshape(-1, 2) - 2
    assert abs((pairs[:, 0] * pairs[:, 1]).mean()) < 0.1  # the two of a pair are independent


def test_whole_numbers_fill_their_range_evenly() -> None:
    stream, n = Philox(2), 60000
    drawn = stream.random((n,), "int64", -2, 4)
    counts = np.bincount(drawn + 2, minlength=6)
    assert len(counts) == 6 and abs(counts - n / 6).max() < 5 * (n / 6) ** 0.5
    wide = stream.random((n,), "int64", 0, 1 << 40)
    assert wide.min() >= 0 and wide.max() < 1 << 40 and wide.max() > 1 << 39
    assert stream.random((n,), "uint8").max() == 255
    order = stream.permutation(1000)
    assert sorted(order.tolist()) == list(range(1000)) and order.tolist() != list(range(1000))


def test_chances_come_out_as_often_as_they_say() -> None:
    stream, n = Philox(4), 100000
    assert abs(stream.bernoulli((n,), "float32", 0.3).mean() - 0.3) < 0.01
    chances = np.tile(np.array([0.0, 0.25, 1.0], np.float32), n // 4)
    drawn = stream.bernoulli(chances.shape, "float32", chances).reshape(-1, 3).mean(0)
    assert drawn[0] == 0 and drawn[2] == 1 and abs(drawn[1] - 0.25) < 0.01
    weights = np.array([[1.0, 0.0, 3.0], [0.0, 1.0, 0.0]])
    found = stream.multinomial(weights, n, True)
    assert abs((found[0] == 2).mean() - 0.75) < 0.01 and (found[1] == 1).all()
    assert not (found[0] == 1).any()
    without = stream.multinomial(weights[:1], 2, False)
    assert sorted(without[0].tolist()) == [0, 2]
    assert abs(stream.exponential((n,), "float32", 2.0).mean() - 0.5) < 0.01
    trials = stream.geometric((n,), "float32", 0.25)
    assert trials.min() == 1 and abs(trials.mean() - 4) < 0.1
    assert abs(stream.poisson(np.full(2000, 3.0)).mean() - 3) < 0.2
    assert abs(stream.gamma(np.full(2000, 2.0)).mean() - 2) < 0.2
