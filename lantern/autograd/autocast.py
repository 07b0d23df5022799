"""Mixed precision: inside of `autocast`, some ops take half precision and others single.

Products and convolutions, where the time goes, take their operands in the half type; losses and
what sums up many numbers take them in float32. All other ops take what they are given. The two
lists are those that PyTorch's CPU build was observed to have.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

from .. import dtypes
from ..backends import NAMESPACES
from ..device import device
from .mode import NO_TRACE, _Switch, active, mode

if TYPE_CHECKING:
    from ..op import Op

HALF = frozenset(
    "mm matmul bmm addmm baddbmm addbmm linear conv1d conv2d conv3d conv_transpose1d "
    "conv_transpose2d conv_transpose3d scaled_dot_product_attention attend multi_dot "
    "chain_matmul lstm_layer gru_layer rnn_layer".split()
)
SINGLE = frozenset(
    "prod trace quantile nanquantile cdist grid_sample avg_pool3d adaptive_avg_pool3d mse_loss "
    "l1_loss smooth_l1_loss huber_loss cross_entropy nll_loss binary_cross_entropy "
    "binary_cross_entropy_with_logits kl_div hinge_embedding_loss margin_ranking_loss "
    "soft_margin_loss triplet_margin_loss multi_margin_loss multilabel_margin_loss "
    "poisson_nll_loss cosine_embedding_loss ctc_loss inv det slogdet cholesky".split()
)
WHOLE = frozenset({"bilinear"})  # made of products here, a kernel of its own in PyTorch
LISTED = HALF | SINGLE | WHOLE


def call(op: Op, args: tuple, kwargs: dict[str, Any]) -> Any:
    """Calls an op of the lists with its operands cast; what it is made of is left as it is."""
    target = mode.autocast if op.name in HALF else dtypes.float32
    if op.name in WHOLE:
        target = None
    before, mode.autocast = mode.autocast, None
    try:
        return op(
            *[_cast(each, target) for each in args],
            **{name: _cast(each, target) for name, each in kwargs.items()},
        )
    finally:
        mode.autocast = before


def _cast(value: Any, dtype: Any) -> Any:
    from ..tensor import Tensor

    if isinstance(value, (list, tuple)) and any(isinstance(each, Tensor) for each in value):
        return type(value)(_cast(each, dtype) for each in value)
    if dtype is None or not isinstance(value, Tensor) or not value.is_floating_point():
        return value
    if value.is_cuda != (mode.autocast_on == "cuda"):
        return value  # it is for another kind of device
    if value.dtype is dtype or value.dtype is dtypes.float64:
        return value
    return NAMESPACES[Tensor].cast(value, dtype)


def _has_gpu() -> bool:
    from ..moving import count

    return count() > 0


class autocast(_Switch):
    """Context, or decorator, in which products take half precision: `with autocast("cpu"):`.

    `dtype` is bfloat16 on the CPU, or float16. For a GPU where there is none it warns and changes
    nothing. Raises RuntimeError for a device that there is not.

    >>> import lantern
    >>> with lantern.autocast("cpu"):
    ...     (lantern.eye(2) @ lantern.eye(2)).dtype
    torch.bfloat16
    """

    def __init__(
        self,
        device_type: str,
        dtype: dtypes.dtype | None = None,
        enabled: bool = True,
        cache_enabled: bool | None = None,
    ):
        super().__init__()
        if not isinstance(device_type, str):
            raise ValueError(f"Expected `device_type` of type `str`, got: `{type(device_type)}`")
        self.device = device(device_type).type
        self.fast_dtype = dtype or _DEFAULTS.get(self.device, dtypes.float16)
        if enabled and self.device == "cuda" and not _has_gpu():
            warnings.warn(
                "User provided device_type of 'cuda', but CUDA is not available. Disabling",
                stacklevel=2,
            )
            enabled = False
        if enabled and self.fast_dtype not in (dtypes.bfloat16, dtypes.float16):
            warnings.warn(
                "In CPU autocast, but the target dtype is not supported. Disabling autocast.\n"
                "CPU Autocast only supports dtype of torch.bfloat16, torch.float16 currently.",
                stacklevel=2,
            )
            enabled = False
        self.wanted = self.fast_dtype if enabled else None
        self._modes: list[tuple[Any, str, Any]] = []

    def __enter__(self) -> autocast:  # type: ignore[override]
        self._modes.append((mode.autocast, mode.autocast_on, active.recording))
        if self.device == "cpu" or self.wanted is not None:
            mode.autocast, mode.autocast_on = self.wanted, self.device
            if active.recording is None:
                active.recording = NO_TRACE
        return self

    def __exit__(self, *exception: object) -> None:
        mode.autocast, mode.autocast_on, recording = self._modes.pop()
        if active.recording is NO_TRACE:
            active.recording = recording

    def _again(self) -> autocast:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # given when it was made
            return type(self)(self.device, self.fast_dtype, self.wanted is not None)


_DEFAULTS = {"cpu": dtypes.bfloat16, "cuda": dtypes.float16}


def is_autocast_enabled(device_type: str = "cuda") -> bool:
    """Says whether ops on this kind of device take half precision now.

    >>> is_autocast_enabled("cpu")
    False
    """
    return device_type == mode.autocast_on and mode.autocast is not None


def is_autocast_cpu_enabled() -> bool:
    """Says whether ops on the CPU take half precision now."""
    return is_autocast_enabled("cpu")


def is_autocast_available(device_type: str) -> bool:
    """Says whether there is mixed precision for this kind of device."""
    return device(device_type).type in ("cpu", "cuda")


def get_autocast_dtype(device_type: str) -> dtypes.dtype:
    """Returns the half type that `autocast` takes for this kind of device."""
    if device_type == "cpu" and mode.autocast is not None:
        return mode.autocast
    return _DEFAULTS[device(device_type).type]
