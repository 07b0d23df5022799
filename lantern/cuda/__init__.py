"""`torch.cuda`: what a script may ask about GPUs, and streams, events and seeds on them.

Lantern computes on GPUs through CuPy; `lantern.moving` says how tensors get there. Memory is
CuPy's pool, which keeps what is freed for the next tensor until `empty_cache`.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from .. import moving as _moving
from ..backends import gpu as _gpu
from ..compat.missing import missing as _missing
from ..creation import from_numpy as _from_numpy
from ..device import CPU as _CPU
from ..device import NoGPUError, as_device
from ..device import device as _Device
from ..moving import OutOfMemoryError as OutOfMemoryError
from ..random import _unforeseen_seed
from ..random import default_generator as _default_generator
from ..tensor import Tensor as _Tensor


def is_available() -> bool:
    """Says whether tensors can be put on a GPU.

    >>> import lantern
    >>> lantern.cuda.is_available() == (lantern.cuda.device_count() > 0)
    True
    """
    return _moving.count() > 0


def device_count() -> int:
    """Returns the number of GPUs that can be used."""
    return _moving.count()


def is_initialized() -> bool:
    """Says whether a GPU has been asked for in this process."""
    return _gpu.namespace is not None


def init() -> None:
    """Makes GPUs ready; raises RuntimeError where there is none."""
    as_device("cuda")


def _index(place: Any = None) -> int:
    """Returns the number of a GPU; raises RuntimeError where there is none, or none like that."""
    if isinstance(place, int) and not isinstance(place, bool):
        place = _Device("cuda", place)
    where = as_device("cuda" if place is None else place)
    if where.type != "cuda":
        raise ValueError(f"Expected a cuda device, but got: {where}")
    assert where.index is not None
    return where.index


def _library() -> Any:
    as_device("cuda")
    return _gpu.namespace.cupy


def current_device() -> int:
    """Returns the number of the GPU that new tensors on "cuda" go to."""
    return _index()


def set_device(device: Any) -> None:
    """Sets the GPU that new tensors on "cuda" go to."""
    _gpu_device(device).use()


class device:
    """Context in which "cuda" means the GPU given: `with torch.cuda.device(1):`."""

    def __init__(self, device: Any) -> None:
        self.idx = _index(device)

    def __enter__(self) -> None:
        self._context = _gpu.namespace.use(self.idx)
        self._context.__enter__()

    def __exit__(self, *exception: Any) -> None:
        self._context.__exit__(*exception)


# --- what a GPU is
class _CudaDeviceProperties(NamedTuple):
    """What is fixed about a GPU."""

    name: str
    major: int
    minor: int
    total_memory: int
    multi_processor_count: int
    warp_size: int
    L2_cache_size: int


def get_device_properties(device: Any = None) -> _CudaDeviceProperties:
    """Returns name, version, memory in bytes and number of processors of a GPU."""
    index = _index(device)
    found = _library().cuda.runtime.getDeviceProperties(index)
    return _CudaDeviceProperties(
        _gpu.namespace.name_of(index), found["major"], found["minor"], found["totalGlobalMem"],
        found["multiProcessorCount"], found["warpSize"], found["l2CacheSize"],
    )  # fmt: skip


def get_device_name(device: Any = None) -> str:
    """Returns the name of a GPU, such as "NVIDIA H200"."""
    return get_device_properties(device).name


def get_device_capability(device: Any = None) -> tuple[int, int]:
    """Returns the version of what a GPU can do, such as (9, 0)."""
    found = get_device_properties(device)
    return found.major, found.minor


def is_bf16_supported(including_emulation: bool = True) -> bool:
    """Says whether tensors of bfloat16 can be on the current GPU."""
    return is_available()


def synchronize(device: Any = None) -> None:
    """Waits until a GPU has done all that it was given; raises RuntimeError without one."""
    _gpu_device(device).synchronize()


def _gpu_device(place: Any) -> Any:
    index = _index(place)
    return _gpu.namespace.use(index)


# --- memory
def memory_allocated(device: Any = None) -> int:
    """Returns the bytes that tensors occupy on a GPU; 0 without one."""
    return _pool_bytes(device, "used_bytes")


def memory_reserved(device: Any = None) -> int:
    """Returns the bytes that Lantern has taken from a GPU, also those free for new tensors."""
    return _pool_bytes(device, "total_bytes")


def _pool_bytes(place: Any, name: str) -> int:
    if _gpu.namespace is None:
        return 0
    with _gpu_device(place):
        return getattr(_library().get_default_memory_pool(), name)()


def max_memory_allocated(device: Any = None) -> int:
    """Returns the most bytes that tensors have occupied on a GPU at a time.

    Counted are the tensors of the thread that first asked for a GPU.
    """
    return _gpu.namespace.meter.most(_index(device)) if _gpu.namespace is not None else 0


max_memory_reserved = memory_reserved


def reset_peak_memory_stats(device: Any = None) -> None:
    """Has `max_memory_allocated` count from now on."""
    if _gpu.namespace is not None:
        _gpu.namespace.meter.reset(_index(device))


def mem_get_info(device: Any = None) -> tuple[int, int]:
    """Returns the bytes of a GPU that are free, and how many it has."""
    with _gpu_device(device):
        free, total = _library().cuda.runtime.memGetInfo()
    return free, total


def empty_cache() -> None:
    """Gives the GPU's memory that no tensor uses back to the system."""
    if _gpu.namespace is not None:
        for index in range(device_count()):
            with _gpu_device(index):
                _library().get_default_memory_pool().free_all_blocks()


# --- seeds
def _stream(place: Any) -> Any:
    index = _index(place)
    return _gpu.namespace.placing.default_stream(index, _default_generator.initial_seed())


def manual_seed(seed: int) -> None:
    """Starts the stream of a seed on the current GPU; nothing to do without one."""
    seed = int(seed) % 2**64
    if is_available():
        _stream(None).seed(seed)


def manual_seed_all(seed: int) -> None:
    """Starts the stream of a seed on all GPUs; nothing to do without one."""
    seed = int(seed) % 2**64
    if is_available():
        _gpu.namespace.placing.seed_all(seed)


def seed() -> None:
    """Starts a stream that nobody can foresee on the current GPU."""
    manual_seed(_unforeseen_seed())


def seed_all() -> None:
    """Starts a stream that nobody can foresee on all GPUs."""
    manual_seed_all(_unforeseen_seed())


def initial_seed() -> int:
    """Returns the seed that the stream of the current GPU was started with."""
    return _stream(None).initial_seed()


def get_rng_state(device: Any = "cuda") -> _Tensor:
    """Returns the state of a GPU's stream: seed and offset, as a uint8 tensor of 16 bytes."""
    return _from_numpy(_stream(device).get_state())


def set_rng_state(new_state: _Tensor, device: Any = "cuda") -> None:
    """Has a GPU's stream go on from a state of `get_rng_state`."""
    if new_state.device != _CPU:
        raise TypeError("RNG state must be a torch.ByteTensor")
    _stream(device).set_state(new_state.numpy())


def get_rng_state_all() -> list[_Tensor]:
    """Returns the states of the streams of all GPUs."""
    return [get_rng_state(index) for index in range(device_count())]


def set_rng_state_all(new_states: Any) -> None:
    """Has the streams of all GPUs go on from states of `get_rng_state_all`."""
    for index, state in enumerate(new_states):
        set_rng_state(state, index)


# --- streams and events
class Stream:
    """A queue of work on a GPU; what is in another queue may be done at the same time."""

    def __init__(self, device: Any = None, priority: int = 0, *, _made: Any = None) -> None:
        self.device = _Device("cuda", _index(device))
        if _made is None:
            with _gpu_device(self.device):
                _made = _library().cuda.Stream(non_blocking=True)
        self._stream = _made

    @property
    def cuda_stream(self) -> int:
        """The address of CUDA's own stream."""
        return self._stream.ptr

    def synchronize(self) -> None:
        """Waits until all work in the queue is done."""
        self._stream.synchronize()

    def query(self) -> bool:
        """Says whether all work in the queue is done."""
        return bool(self._stream.done)

    def record_event(self, event: Event | None = None) -> Event:
        """Records an event at the end of the queue."""
        event = Event() if event is None else event
        event.record(self)
        return event

    def wait_event(self, event: Event) -> None:
        """Has work that is added from now on wait for an event."""
        self._stream.wait_event(event._event)

    def wait_stream(self, stream: Stream) -> None:
        """Has work that is added from now on wait for all that is in another queue now."""
        self.wait_event(stream.record_event())

    def __enter__(self) -> Stream:
        self._stream.__enter__()
        return self

    def __exit__(self, *exception: Any) -> None:
        self._stream.__exit__(*exception)


def stream(stream: Stream) -> Stream:
    """Returns a context in which work goes to a stream."""
    return stream


def current_stream(device: Any = None) -> Stream:
    """Returns the stream that work goes to now."""
    return Stream(device, _made=_library().cuda.get_current_stream())


def default_stream(device: Any = None) -> Stream:
    """Returns the stream that work goes to where none is named."""
    return Stream(device, _made=_library().cuda.Stream.null)


class Event:
    """A mark in the work of a GPU: `record` sets it, two of them tell the time between."""

    def __init__(
        self, enable_timing: bool = False, blocking: bool = False, interprocess: bool = False
    ) -> None:
        self._event = _library().cuda.Event(block=blocking, disable_timing=not enable_timing)

    def record(self, stream: Stream | None = None) -> None:
        """Sets the mark behind the work that has been given to a stream."""
        self._event.record(None if stream is None else stream._stream)

    def wait(self, stream: Stream | None = None) -> None:
        """Has a stream wait for the mark."""
        (current_stream() if stream is None else stream).wait_event(self)

    def query(self) -> bool:
        """Says whether the work before the mark is done."""
        return bool(self._event.done)

    def synchronize(self) -> None:
        """Waits until the work before the mark is done."""
        self._event.synchronize()

    def elapsed_time(self, end_event: Event) -> float:
        """Returns the milliseconds from this mark to another; both record their time."""
        return _library().cuda.get_elapsed_time(self._event, end_event._event)


__getattr__ = _missing(__name__)
__all__ = ["NoGPUError", "device", "is_available", "device_count"]
