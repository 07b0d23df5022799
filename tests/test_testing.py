"""`assert_close` passes what is close and refuses, with torch's sentences, what is not."""

from __future__ import annotations

import numpy as np
import pytest

import lantern
from lantern.testing import TOLERANCES, assert_close

NAN, INF = float("nan"), float("inf")
tensor = lantern.tensor


@pytest.mark.parametrize(
    ("actual", "expected"),
    [
        (tensor([1.0, INF, -INF]), tensor([1.0 + 1e-6, INF, -INF])),
        (tensor([]), tensor([])),
        (1.0, 1.0 + 1e-8),
        (None, None),
        ([1, {"a": tensor(2)}], (1, {"a": tensor(2)})),
        (np.array([1.0]), np.array([1.0])),
    ],
)
def test_what_is_close_passes(actual: object, expected: object) -> None:
    assert_close(actual, expected)


@pytest.mark.parametrize(
    ("actual", "expected", "text"),
    [
        (tensor([1.0]), tensor([1.0 + 1e-4]), "Tensor-likes are not close!\n\nMismatched"),
        (
            tensor([1, 2]),
            tensor([1, 3]),
            "Tensor-likes are not equal!\n\nMismatched elements: 1 / 2",
        ),
        (tensor([NAN]), tensor([NAN]), "Tensor-likes are not close!"),
        (tensor([NAN]), tensor([1.0]), "Tensor-likes are not close!"),
        (tensor([INF]), tensor([-INF]), "Tensor-likes are not close!"),
        (tensor([1.0]), tensor([INF]), "Tensor-likes are not close!"),
        (tensor([INF]), tensor([1.0]), "Tensor-likes are not close!"),
        (tensor([True]), tensor([False]), "Tensor-likes are not equal!"),
        (tensor(1.0), tensor(2.0), "Scalars are not close!\n\nExpected 2.0 but got 1.0."),
        (1, 2, "Scalars are not equal!\n\nExpected 2 but got 1.\nAbsolute difference: 1"),
        (1.0, 1, "The (d)types do not match: <class 'float'> != <class 'int'>."),
        (True, False, "Booleans mismatch: True is not False"),
        (None, 1, "None mismatch: None is not 1"),
        (tensor([1.0]), tensor([[1.0]]), "The values for attribute 'shape' do not match"),
        (tensor([1.0]), tensor([1]), "The values for attribute 'dtype' do not match"),
        ([1], [1, 2], "The length of the sequences mismatch: 1 != 2"),
        ({"a": 1}, {"b": 1}, "The keys of the mappings do not match:\nMissing keys"),
        (np.array([1.0]), np.array([2.0]), "Tensor-likes are not close!"),
    ],
)
def test_what_is_not_close_fails(actual: object, expected: object, text: str) -> None:
    with pytest.raises(AssertionError) as failure:
        assert_close(actual, expected)
    assert str(failure.value).startswith(text)


def test_the_message_names_the_item_and_the_greatest_difference() -> None:
    with pytest.raises(AssertionError) as failure:
        assert_close([{"a": tensor([[1.0, 2.0]])}], [{"a": tensor([[1.0, 4.0]])}])
    assert str(failure.value) == (
        "Tensor-likes are not close!\n\n"
        "Mismatched elements: 1 / 2 (50.0%)\n"
        "Greatest absolute difference: 2.0 at index (0, 1) (up to 1e-05 allowed)\n"
        "Greatest relative difference: 0.5 at index (0, 1) (up to 1.3e-06 allowed)\n\n"
        "The failure occurred for item [0]['a']"
    )


@pytest.mark.parametrize("dtype", TOLERANCES)
def test_tolerances_go_by_dtype(dtype: lantern.dtype) -> None:
    rtol, atol = TOLERANCES[dtype]
    expected = lantern.full((1,), 8.0, dtype=lantern.float64)
    near = (expected + (atol + rtol * 8) / 2).to(dtype)
    far = (expected + (atol + rtol * 8) * 2.5).to(dtype)
    assert_close(near, expected.to(dtype))
    with pytest.raises(AssertionError):
        assert_close(far, expected.to(dtype))


def test_options_are_heeded() -> None:
    assert_close(tensor([NAN]), tensor([NAN]), equal_nan=True)
    assert_close(tensor([1.0]), tensor([1]), check_dtype=False)
    assert_close(tensor([1.0]), tensor([1.5]), rtol=0, atol=0.5)
    with pytest.raises(ValueError, match="Both 'rtol' and 'atol' must be either specified"):
        assert_close(1, 1, rtol=0)
    with pytest.raises(AssertionError, match="stride"):
        square = lantern.zeros(2, 2)
        assert_close(square, square.t(), check_stride=True)
    with pytest.raises(AssertionError, match="^mine: Scalars"):
        assert_close(1, 2, msg=lambda text: f"mine: {text}")


def test_kinds_that_cannot_be_compared_raise() -> None:
    for pair in [("a", "a"), (tensor(1.0), 1.0), (tensor([1.0]), np.array([1.0]))]:
        with pytest.raises(TypeError, match="No comparison pair was able to handle"):
            assert_close(*pair)
