"""Windows, and settings that scripts make before they begin."""

from __future__ import annotations

import os

import pytest

import lantern

WINDOWS = {
    "hann_window(5)": [0.0, 0.3455, 0.9045, 0.9045, 0.3455],
    "hamming_window(5)": [0.08, 0.3979, 0.9121, 0.9121, 0.3979],
    "blackman_window(5)": [0.0, 0.2008, 0.8492, 0.8492, 0.2008],
    "bartlett_window(5)": [0.0, 0.4, 0.8, 0.8, 0.4],
    "kaiser_window(5)": [0.0001, 0.1017, 0.7929, 0.7929, 0.1017],
    "hann_window(4, periodic=False)": [0.0, 0.75, 0.75, 0.0],
    "hamming_window(5, True, 0.5, 0.3)": [0.2, 0.4073, 0.7427, 0.7427, 0.4073],
    "kaiser_window(5, False, 3.0)": [0.2049, 0.7269, 1.0, 0.7269, 0.2049],
    "bartlett_window(1)": [1.0],
    "blackman_window(0)": [],
}


@pytest.mark.parametrize("text", WINDOWS)
def test_windows_are_pytorchs(text):
    window = eval(f"lantern.{text}", {"lantern": lantern})
    assert window.tolist() == pytest.approx(WINDOWS[text], abs=6e-5)
    assert window.dtype is lantern.float32


def test_wrong_windows_are_refused():
    with pytest.raises(RuntimeError, match="requires non-negative window_length, got window_len"):
        lantern.hann_window(-1)
    with pytest.raises(RuntimeError, match="hann_window expects floating point dtypes"):
        lantern.hann_window(3, dtype=lantern.int64)
    with pytest.raises(TypeError, match=r"argument 'window_length' \(position 1\) must be int"):
        lantern.kaiser_window(2.5)


def test_warnings_of_functions_that_make_tensors_name_the_line_that_calls_them():
    copied = lantern.ones(1)
    for call in (lambda: lantern.tensor(copied), lambda: lantern.range(0, 1)):
        with pytest.warns(UserWarning) as warned:
            call()
        assert warned[0].filename == __file__


def test_settings_are_kept():
    assert lantern.get_float32_matmul_precision() == "highest"
    lantern.set_float32_matmul_precision("high")
    assert lantern.get_float32_matmul_precision() == "high"
    with pytest.warns(UserWarning, match="fast is not one of 'highest', 'high', or 'medium'"):
        lantern.set_float32_matmul_precision("fast")
    lantern.set_float32_matmul_precision("highest")
    lantern.set_deterministic_debug_mode("warn")
    assert lantern.get_deterministic_debug_mode() == 1
    assert lantern.is_deterministic_algorithms_warn_only_enabled()
    with pytest.raises(RuntimeError, match="invalid value of debug_mode, expected one of"):
        lantern.set_deterministic_debug_mode("x")
    lantern.set_deterministic_debug_mode(0)
    assert not lantern.are_deterministic_algorithms_enabled()
    assert lantern.get_num_interop_threads() == os.cpu_count()
    assert not lantern.is_warn_always_enabled()
