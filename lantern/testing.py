"""Comparing tensors in tests, with tolerances that depend on the dtype: `lantern.testing`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from . import creation, dtypes, ops
from .shape import Size
from .tensor import Tensor

# (rtol, atol) by dtype; whatever is not named here is compared exactly.
TOLERANCES = {
    dtypes.float16: (1e-3, 1e-5),
    dtypes.bfloat16: (1.6e-2, 1e-5),
    dtypes.float32: (1.3e-6, 1e-5),
    dtypes.float64: (1e-7, 1e-7),
}


class _Mismatch(Exception):
    def __init__(self, text: str, path: tuple = ()):
        super().__init__(text)
        self.text, self.path = text, path


def assert_close(
    actual: Any,
    expected: Any,
    *,
    allow_subclasses: bool = True,
    rtol: float | None = None,
    atol: float | None = None,
    equal_nan: bool = False,
    check_device: bool = True,
    check_dtype: bool = True,
    check_layout: bool = True,
    check_stride: bool = False,
    msg: str | Callable[[str], str] | None = None,
) -> None:
    """Asserts `|actual - expected| <= atol + rtol * |expected|` for every element.

    Takes tensors, arrays, numbers, None, and sequences and mappings of these; both sides must be
    of the same kind. Tolerances default by dtype. Raises AssertionError where the two differ,
    TypeError for what cannot be compared, ValueError when only one tolerance is given.

    >>> import lantern
    >>> lantern.testing.assert_close(lantern.tensor([0.1 + 0.2]), lantern.tensor([0.3]))
    """
    if (rtol is None) != (atol is None):
        missing = "rtol" if rtol is None else "atol"
        raise ValueError(
            f"Both 'rtol' and 'atol' must be either specified or omitted, but got no {missing}."
        )
    rules = _Rules(allow_subclasses, rtol, atol, equal_nan, check_device, check_dtype, check_stride)
    try:
        _compare(actual, expected, rules)
    except _Mismatch as found:
        text = found.text
        if found.path:
            place = "".join(f"[{each!r}]" for each in found.path)
            text += f"\n\nThe failure occurred for item {place}"
        if msg is not None:
            text = msg(text) if callable(msg) else msg
    else:
        return
    raise AssertionError(text)


class _Rules:
    def __init__(
        self,
        subclasses: bool,
        rtol: float | None,
        atol: float | None,
        equal_nan: bool,
        device: bool,
        dtype: bool,
        stride: bool,
    ):
        self.subclasses = subclasses
        self.rtol, self.atol, self.equal_nan = rtol, atol, equal_nan
        self.device, self.dtype, self.stride = device, dtype, stride

    def tolerances(self, *kinds: dtypes.dtype) -> tuple[float, float]:
        """Returns (rtol, atol): those given, else the widest of those of the dtypes."""
        if self.rtol is not None and self.atol is not None:
            return self.rtol, self.atol
        found = [TOLERANCES.get(each, (0.0, 0.0)) for each in kinds]
        return max(rtol for rtol, _ in found), max(atol for _, atol in found)


def _compare(actual: Any, expected: Any, rules: _Rules) -> None:
    if isinstance(actual, Tensor) and isinstance(expected, Tensor):
        if not rules.subclasses and type(actual) is not type(expected):
            _refuse(actual, expected)
        _compare_tensors(actual, expected, rules)
    elif isinstance(actual, Tensor) or isinstance(expected, Tensor):
        _refuse(actual, expected)
    elif actual is None or expected is None:
        if actual is not expected:
            raise _Mismatch(f"None mismatch: {actual} is not {expected}")
    elif _is_array(actual) and _is_array(expected):
        _compare_tensors(creation.as_tensor(actual), creation.as_tensor(expected), rules)
    elif isinstance(actual, bool) and isinstance(expected, bool):
        if actual is not expected:
            raise _Mismatch(f"Booleans mismatch: {actual} is not {expected}")
    elif isinstance(actual, (int, float)) and isinstance(expected, (int, float)):
        _compare_numbers(actual, expected, rules)
    elif isinstance(actual, Mapping) and isinstance(expected, Mapping):
        _compare_mappings(actual, expected, rules)
    elif _is_sequence(actual) and _is_sequence(expected):
        if len(actual) != len(expected):
            raise _Mismatch(
                f"The length of the sequences mismatch: {len(actual)} != {len(expected)}"
            )
        for i, pair in enumerate(zip(actual, expected, strict=True)):
            _inside(i, *pair, rules)
    else:
        _refuse(actual, expected)


def _is_array(value: Any) -> bool:
    return hasattr(value, "__array__") and hasattr(value, "dtype")


def _is_sequence(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, (str, bytes))


def _refuse(actual: Any, expected: Any) -> None:
    raise TypeError(
        f"No comparison pair was able to handle inputs of type {type(actual)} and {type(expected)}."
    )


def _inside(key: Any, actual: Any, expected: Any, rules: _Rules) -> None:
    try:
        _compare(actual, expected, rules)
    except _Mismatch as found:
        raise _Mismatch(found.text, (key, *found.path)) from None


def _compare_mappings(actual: Mapping, expected: Mapping, rules: _Rules) -> None:
    missing = sorted(map(repr, expected.keys() - actual.keys()))
    added = sorted(map(repr, actual.keys() - expected.keys()))
    if missing or added:
        raise _Mismatch(
            "The keys of the mappings do not match:\n"
            f"Missing keys in the actual mapping: [{', '.join(missing)}]\n"
            f"Additional keys in the actual mapping: [{', '.join(added)}]"
        )
    for key, value in actual.items():
        _inside(key, value, expected[key], rules)


def _compare_numbers(actual: float, expected: float, rules: _Rules) -> None:
    if rules.dtype and type(actual) is not type(expected):
        raise _Mismatch(f"The (d)types do not match: {type(actual)} != {type(expected)}.")
    kinds = [dtypes.float64 if isinstance(x, float) else dtypes.int64 for x in (actual, expected)]
    rtol, atol = rules.tolerances(*kinds)
    if not _near(actual, expected, rtol, atol, rules.equal_nan):
        raise _Mismatch(_numbers_text(actual, expected, rtol, atol))


def _near(actual: float, expected: float, rtol: float, atol: float, equal_nan: bool) -> bool:
    if actual == expected or (equal_nan and actual != actual and expected != expected):
        return True
    if expected - expected != 0:  # an infinity or NaN
        return False
    return abs(actual - expected) <= atol + rtol * abs(expected)


def _numbers_text(actual: float, expected: float, rtol: float, atol: float) -> str:
    exact = rtol == atol == 0
    return (
        f"Scalars are not {'equal' if exact else 'close'}!\n\n"
        f"Expected {expected} but got {actual}.\n"
        f"Absolute difference: {abs(actual - expected)}{_allowed(atol, exact)}\n"
        f"Relative difference: {_relative(actual, expected)}{_allowed(rtol, exact)}"
    )


def _allowed(tolerance: float, exact: bool) -> str:
    return "" if exact else f" (up to {tolerance} allowed)"


def _relative(actual: float, expected: float) -> float:
    difference = abs(actual - expected)
    return difference / abs(expected) if expected else float("inf") if difference else 0.0


def _compare_tensors(actual: Tensor, expected: Tensor, rules: _Rules) -> None:
    _compare_attributes(actual, expected, rules)
    rtol, atol = rules.tolerances(actual.dtype, expected.dtype)
    floating = actual.dtype.kind == "f" or expected.dtype.kind == "f"
    wide = dtypes.float64 if floating else dtypes.int64
    a, e = (ops.cast(x.detach(), wide) for x in (actual, expected))
    close = ops.eq(a, e)
    if rules.equal_nan:
        close = ops.logical_or(close, ops.logical_and(ops.isnan(a), ops.isnan(e)))
    if rtol or atol:
        near = ops.le(ops.abs(a - e), ops.abs(e) * rtol + atol)
        close = ops.logical_or(close, ops.logical_and(near, ops.isfinite(e)))
    if not ops.all(close).item():
        raise _Mismatch(_tensors_text(a, e, close, rtol, atol))


def _compare_attributes(actual: Tensor, expected: Tensor, rules: _Rules) -> None:
    checks: list[tuple[bool, str, Any, Any]] = [
        (True, "shape", actual.shape, expected.shape),
        (rules.device, "device", actual.device, expected.device),
        (rules.dtype, "dtype", actual.dtype, expected.dtype),
        (rules.stride, "stride()", actual.stride(), expected.stride()),
    ]
    for checked, name, have, want in checks:
        if checked and have != want:
            raise _Mismatch(f"The values for attribute '{name}' do not match: {have} != {want}.")


def _tensors_text(actual: Tensor, expected: Tensor, close: Tensor, rtol: float, atol: float) -> str:
    if not actual.ndim:
        return _numbers_text(actual.item(), expected.item(), rtol, atol)
    exact = rtol == atol == 0
    # What matches counts as no difference: two equal infinities have none.
    triples = list(
        zip(*(ops.reshape(x, (-1,)).tolist() for x in (actual, expected, close)), strict=True)
    )
    absolute = [0 if same else abs(a - e) for a, e, same in triples]
    relative = [0.0 if same else _relative(a, e) for a, e, same in triples]
    wrong = sum(not same for *_, same in triples)
    return (
        f"Tensor-likes are not {'equal' if exact else 'close'}!\n\n"
        f"Mismatched elements: {wrong} / {len(triples)} ({wrong / len(triples):.1%})\n"
        f"Greatest absolute difference: {_greatest(absolute, actual.shape)}"
        f"{_allowed(atol, exact)}\n"
        f"Greatest relative difference: {_greatest(relative, actual.shape)}"
        f"{_allowed(rtol, exact)}"
    )


def _greatest(differences: list, shape: Size) -> str:
    place = max(
        range(len(differences)), key=lambda i: (differences[i] != differences[i], differences[i])
    )
    value, index = differences[place], []
    for size in reversed(shape):
        place, rest = divmod(place, size)
        index.append(rest)
    return f"{value} at index ({', '.join(map(str, reversed(index)))}{',' * (len(index) == 1)})"
