"""How a loss sums up its elements, and PyTorch's two older arguments for the same thing."""

from __future__ import annotations

import warnings


def legacy_get_string(
    size_average: bool | None, reduce: bool | None, emit_warning: bool = True
) -> str:
    """Returns the `reduction` that the deprecated `size_average` and `reduce` stand for.

    >>> legacy_get_string(False, None, emit_warning=False)
    'sum'
    """
    average = True if size_average is None else size_average
    summed = True if reduce is None else reduce
    reduction = "none" if not summed else "mean" if average else "sum"
    if emit_warning:
        warnings.warn(
            "size_average and reduce args will be deprecated, please use "
            f"reduction='{reduction}' instead.",
            UserWarning,
            stacklevel=3,
        )
    return reduction
