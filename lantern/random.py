"""Random generators and their seeds: `Generator`, `manual_seed`, and saving the random state.

A `Generator` carries a `stream` (`backends.mt19937.MT19937`) that the creation functions draw
from; without a `generator=` argument they draw from `default_generator`.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cached_property
from numbers import Integral
from typing import Any

import lantern

from . import dtypes
from .autograd.mode import active
from .backends import gpu
from .backends.mt19937 import DEFAULT_SEED, MT19937
from .device import as_device
from .device import device as Device
from .naming import type_name
from .tensor import Tensor


class Generator:
    """A source of random numbers of its own, seeded alike on every machine.

    On a GPU it draws from Lantern's own stream of `backends.philox`, not from PyTorch's. Raises
    RuntimeError for a device that this machine does not have.

    >>> generator = lantern.Generator().manual_seed(0)
    >>> lantern.rand(2, generator=generator)
    tensor([0.4963, 0.7682])
    """

    is_default = False  # draws without a `generator=` are from it, or from the GPU's own

    def __init__(self, device: Device | str | int | None = "cpu") -> None:
        place = Device("cpu" if device is None else device)
        self._place = Device("cpu") if place.type == "cpu" else as_device(place)
        self._first_seed = DEFAULT_SEED

    @cached_property
    def stream(self) -> Any:
        """The draws; made at their first use, as `import numpy.random` takes its time."""
        if self._place.type == "cuda":
            return gpu.namespace.placing.Philox(self._first_seed)
        return MT19937(self._first_seed)

    @property
    def device(self) -> Device:
        """The device that the generator draws on."""
        return self._place

    def manual_seed(self, seed: int, /) -> Generator:
        """Starts the stream of `seed` and returns the generator.

        Negative seeds count down from `2**64`. Raises ValueError for a seed that 64 bits do not
        hold, RuntimeError for one that is not an int.

        >>> lantern.Generator().manual_seed(-1).initial_seed() == 2**64 - 1
        True
        """
        if not isinstance(seed, int) or isinstance(seed, bool):
            if isinstance(seed, Integral) and not isinstance(seed, bool):
                raise TypeError("an integer is required")
            raise RuntimeError(f"manual_seed expected a long, but got {type_name(seed)}")
        if not -(2**63) <= seed < 2**64:
            raise ValueError("Overflow when unpacking long long")
        _refuse_while_recording()
        self.stream.seed(seed % 2**64)
        return self

    def seed(self) -> int:
        """Starts a stream that nobody can foresee and returns its seed."""
        _refuse_while_recording()
        seed = _unforeseen_seed()
        self.stream.seed(seed)
        return seed

    def initial_seed(self) -> int:
        """Returns the seed that the stream was started with.

        >>> lantern.Generator().manual_seed(3).initial_seed()
        3
        """
        return self.stream.initial_seed()

    def get_state(self) -> Tensor:
        """Returns the state as a uint8 tensor of 5056 bytes, which PyTorch takes as well.

        >>> lantern.Generator().get_state().shape
        torch.Size([5056])
        """
        _refuse_while_recording()
        return lantern.from_numpy(self.stream.get_state())

    def set_state(self, new_state: Tensor) -> Generator:
        """Goes on from a state of `get_state`, also one of PyTorch's, and returns the generator.

        Raises TypeError if it is no uint8 tensor, RuntimeError if its bytes are not a state.

        >>> generator = lantern.Generator()
        >>> state = generator.get_state()
        >>> drawn = lantern.rand(5, generator=generator)
        >>> lantern.equal(lantern.rand(5, generator=generator.set_state(state)), drawn)
        True
        """
        if not isinstance(new_state, Tensor):
            raise TypeError(f"expected a torch.ByteTensor, but got {type_name(new_state)}")
        if new_state.dtype != dtypes.uint8 or new_state.device.type != "cpu":
            raise TypeError("RNG state must be a torch.ByteTensor")
        if not new_state.is_contiguous():
            raise RuntimeError("RNG state must be contiguous")
        _refuse_while_recording()
        self.stream.set_state(new_state.detach().numpy())
        return self

    def clone_state(self) -> Generator:
        """Returns a new generator in the same state."""
        clone = Generator(self._place)
        clone.stream = self.stream.copy()
        return clone

    def get_offset(self) -> int:
        """Returns how far a GPU's stream has come; raises RuntimeError on the CPU."""
        if self._place.type == "cpu":
            raise RuntimeError("CPU Generator does not use offset")
        return self.stream.offset

    def set_offset(self, offset: int, /) -> Generator:
        """Sets how far a GPU's stream has come; raises RuntimeError on the CPU."""
        if self._place.type == "cpu":
            raise RuntimeError("CPU Generator does not use offset")
        self.stream.offset = int(offset)
        return self

    def __getstate__(self) -> Any:
        return str(self._place), self.stream.get_state()

    def __setstate__(self, state: Any) -> None:
        place, words = state
        self.__init__(place)  # type: ignore[misc]
        self.stream.set_state(words)

    def __repr__(self) -> str:
        return f"<torch._C.Generator object at {id(self):#x}>"


def _refuse_while_recording() -> None:
    """Raises TraceError in a function that is being compiled: its record would not seed again."""
    active.refuse(
        "the state of a generator of random numbers",
        "Seed, fork, save or restore it outside of the compiled function.",
    )


def _unforeseen_seed() -> int:
    return int.from_bytes(os.urandom(8), "little")


default_generator = Generator()
default_generator._first_seed = _unforeseen_seed()
default_generator.is_default = True


def manual_seed(seed: Any) -> Generator:
    """Starts the stream of `seed` for all draws without a `generator=`; returns that generator.

    The same seed gives the numbers that PyTorch draws on the CPU. Raises ValueError for a seed
    that 64 bits do not hold.

    >>> _ = lantern.manual_seed(0)
    >>> lantern.randint(10, (3,))
    tensor([4, 9, 3])
    """
    generator = default_generator.manual_seed(int(seed))
    if gpu.namespace is not None:
        gpu.namespace.placing.seed_all(generator.initial_seed())
    return generator


def seed() -> int:
    """Starts a stream that nobody can foresee for all later draws and returns its seed."""
    return default_generator.seed()


def initial_seed() -> int:
    """Returns the seed of the default generator.

    >>> _ = lantern.manual_seed(5)
    >>> lantern.initial_seed()
    5
    """
    return default_generator.initial_seed()


def get_rng_state() -> Tensor:
    """Returns the state of the default generator, a uint8 tensor of 5056 bytes.

    >>> lantern.get_rng_state().dtype
    torch.uint8
    """
    return default_generator.get_state()


def set_rng_state(new_state: Tensor) -> None:
    """Puts the default generator into a state from `get_rng_state`.

    Raises TypeError or RuntimeError for what is no such state.

    >>> state = lantern.get_rng_state()
    >>> drawn = lantern.rand(3)
    >>> lantern.set_rng_state(state)
    >>> lantern.equal(lantern.rand(3), drawn)
    True
    """
    default_generator.set_state(new_state)


@contextmanager
def fork_rng(
    devices: Iterable[Any] | None = None,
    enabled: bool = True,
    _caller: str = "fork_rng",
    _devices_kw: str = "devices",
    device_type: str | None = None,
) -> Iterator[None]:
    """Leaves the default generator as it was before the `with` block.

    Raises AssertionError if `devices` names a GPU.

    >>> _ = lantern.manual_seed(0)
    >>> with lantern.random.fork_rng():
    ...     drawn = lantern.rand(3)
    >>> lantern.equal(lantern.rand(3), drawn)
    True
    """
    if device_type is not None and Device(device_type).type == "meta" or not enabled:
        yield
        return
    if devices is not None and list(devices):
        raise AssertionError("Torch not compiled with CUDA enabled")
    _refuse_while_recording()
    state = default_generator.stream.get_state()
    try:
        yield
    finally:
        default_generator.stream.set_state(state)
