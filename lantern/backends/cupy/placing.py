"""Which GPU an array is on, which one computes, and copies from one place to another.

A place is the number of a GPU, or None for the CPU's memory.
"""

from __future__ import annotations

from functools import cache

import cupy
import cupyx
import numpy

from lantern.backends.strided import strides_of
from lantern.device import device as Device
from lantern.shape import kept_strides

from .philox import Philox


@cache
def _device(index):
    return Device("cuda", index)


def device_of(x):
    """Returns the device that the array lies on."""
    return _device(x.device.id)


def index_of(x):
    """Returns the number of the GPU that an array is on; None for arrays of NumPy."""
    return x.device.id if isinstance(x, cupy.ndarray) else None


def count():
    """Returns the number of GPUs; 0 where the driver answers with an error."""
    try:
        return cupy.cuda.runtime.getDeviceCount()
    except cupy.cuda.runtime.CUDARuntimeError:
        return 0


def current_index():
    """Returns the number of the GPU that computes now."""
    return cupy.cuda.Device().id


def use(index):
    """Returns a context in which GPU number `index` computes."""
    return cupy.cuda.Device(index)


def name_of(index):
    """Returns the name of a GPU, such as "NVIDIA H200"."""
    name = cupy.cuda.runtime.getDeviceProperties(index)["name"]
    return name.decode() if isinstance(name, bytes) else name


def transfer(x, place, blocking=True):
    """Returns a copy of an array at another place, its dimensions in memory in the same order."""
    if not x.flags.c_contiguous and x.size and 0 not in x.strides:
        strides = kept_strides(x.shape, strides_of(x))
        order = sorted(range(x.ndim), key=lambda d: (-strides[d], -x.shape[d]))
        back = [order.index(d) for d in range(x.ndim)]
        return _copied(x.transpose(order), place, blocking).transpose(back)
    return _copied(x, place, blocking)


def _copied(x, place, blocking):
    if place is None:
        return numpy.ascontiguousarray(cupy.asnumpy(x)).reshape(x.shape)
    with use(place):
        return cupy.array(x, order="C")


def pinned(x):
    """Returns a copy of a NumPy array in page-locked memory."""
    result = cupyx.empty_pinned(x.shape, x.dtype)
    result[...] = x
    return result


def is_pinned(x):
    """Says whether a NumPy array is in page-locked memory."""
    runtime = cupy.cuda.runtime
    return runtime.pointerGetAttributes(x.ctypes.data).type == runtime.memoryTypeHost


# --- generators
_streams: dict[int, Philox] = {}


def default_stream(index, seed):
    """Returns the stream of draws of a GPU, begun with `seed` at its first use."""
    if index not in _streams:
        _streams[index] = Philox(seed)
    return _streams[index]


def seed_all(seed):
    """Starts the stream of a seed on every GPU."""
    for index in range(count()):
        default_stream(index, seed).seed(seed)


def stream_of(generator):
    """Returns the stream that a generator draws from; that of the GPU for the CPU's own."""
    if generator.is_default:
        return default_stream(current_index(), generator.initial_seed())
    if generator.device.type != "cuda":
        raise RuntimeError("Expected a 'cuda' device type for generator but found 'cpu'")
    return generator.stream
