"""Devices by name: `cpu` holds memory everywhere; `cuda` parses everywhere and needs a GPU."""

from __future__ import annotations

from collections.abc import Callable

_KINDS = ("cpu", "cuda", "meta", "mps", "xpu")


class device:
    """A place where tensors live, such as `device('cuda:0')` or `device('cuda', 0)`.

    >>> import lantern
    >>> lantern.device("cuda:1").index
    1
    """

    __slots__ = ("type", "index")
    type: str
    index: int | None

    def __init__(self, type: str | device | int, index: int | None = None):
        kind: str
        place: int | None
        if isinstance(type, device):
            kind, place = type.type, type.index
        elif isinstance(type, int) and not isinstance(type, bool):
            kind, place = "cuda", type
        elif not isinstance(type, str):
            raise TypeError(
                f"device(): argument 'device' must be torch.device, str or int, not "
                f"{type.__class__.__name__}"
            )
        else:
            kind, place = _parse(type, index)
        object.__setattr__(self, "type", kind)
        object.__setattr__(self, "index", place)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"attribute '{name}' of 'torch.device' objects is not writable")

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, device):
            return NotImplemented
        return self.type == other.type and self.index == other.index

    def __hash__(self) -> int:
        return hash((self.type, self.index))

    def __str__(self) -> str:
        return self.type if self.index is None else f"{self.type}:{self.index}"

    def __repr__(self) -> str:
        tail = "" if self.index is None else f", index={self.index}"
        return f"device(type='{self.type}'{tail})"

    def __reduce__(self) -> tuple:
        return device, (self.type,) if self.index is None else (self.type, self.index)


def _parse(text: str, index: int | None) -> tuple[str, int | None]:
    kind, colon, number = text.partition(":")
    if kind not in _KINDS:
        raise RuntimeError(
            f"Expected one of {', '.join(_KINDS)} device type at start of device string: {kind}"
        )
    if not colon:
        return kind, index
    if index is not None:
        raise RuntimeError(
            f"type (string) must not include an index because index was passed: {text}"
        )
    if not number.isdecimal() or (len(number) > 1 and number[0] == "0"):
        raise RuntimeError(f"Invalid device string: '{text}'")
    return kind, int(number)


CPU = device("cpu")

# Says how many GPUs there are and which is current, or why none is; `moving` puts it here.
gpus: list[Callable[[], tuple[int, int, str]]] = []


class NoGPUError(RuntimeError, AssertionError):
    """A GPU was asked for where there is none; PyTorch raises either of the two, by its build."""


def as_device(place: str | device | int | None) -> device:
    """Returns `place` as a device that this machine can hold tensors on, or raises."""
    where = CPU if place is None else place if isinstance(place, device) else device(place)
    if where.type == "cuda":
        return _as_gpu(where)
    if where.type != "cpu":
        raise NotImplementedError(f"device '{where}' is not in Lantern yet; use 'cpu' or 'cuda'")
    return CPU


def _as_gpu(where: device) -> device:
    count, current, reason = gpus[0]()
    if not count:
        raise NoGPUError(
            f"No CUDA GPUs are available: Lantern cannot put a tensor on '{where}' here"
            f"{reason and f' ({reason})'}. "
            "Check torch.cuda.is_available() first, or use device 'cpu'."
        )
    if where.index is None:
        return device("cuda", current)
    if where.index >= count:
        raise RuntimeError(
            f"CUDA error: invalid device ordinal: '{where}' was asked for, and there are {count} "
            "GPUs"
        )
    return where
