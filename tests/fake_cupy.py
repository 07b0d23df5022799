"""A stand-in for CuPy where there is no GPU: arrays in the CPU's memory that keep to CuPy's rules.

Its `ndarray` is a class of its own around a NumPy array, so whatever mixes it with NumPy's arrays
fails, as it does with CuPy's. What CuPy does otherwise than NumPy is done here in CuPy's way:
places outside of an array wrap around, ufuncs have no `reduce`, 0-d results stay arrays.
`install()` puts it in the place of `cupy`, with two GPUs.
"""

from __future__ import annotations

import sys
import threading
import types
from typing import Any

import numpy as np

GPUS = 2
MEMORY = 1 << 30


class _State(threading.local):
    current = 0


_state = _State()


class OutOfMemoryError(MemoryError):
    pass


class CUDARuntimeError(RuntimeError):
    pass


class _Pointer:
    def __init__(self, array: np.ndarray) -> None:
        self.ptr = (
            array.__array_interface__["data"][0] if array.dtype.char != "E" else (array.ctypes.data)
        )


def _out(value: Any, device: int | None = None, base: Any = None) -> Any:
    if isinstance(value, tuple):
        return tuple(_out(each, device) for each in value)
    if isinstance(value, (np.ndarray, np.generic)):
        return ndarray._of(np.asarray(value), device, base)
    return value


def _in(value: Any) -> Any:
    if isinstance(value, ndarray):
        return value._a
    if isinstance(value, np.ndarray):
        raise TypeError(f"Unsupported type {type(value)}")
    if isinstance(value, (list, tuple)):
        return type(value)(_in(each) for each in value)
    if isinstance(value, dict):
        return {key: _in(each) for key, each in value.items()}
    return value


def _devices(values: Any) -> set[int]:
    found: set[int] = set()
    for each in values:
        if isinstance(each, ndarray):
            found.add(each.device.id)
        elif isinstance(each, (list, tuple)):
            found |= _devices(each)
    return found


def _apply(function: Any, args: tuple, kwargs: dict) -> Any:
    places = _devices([*args, *kwargs.values()])
    if len(places) > 1 or places and places != {_state.current}:
        raise ValueError(f"arrays on GPUs {places} are used while GPU {_state.current} computes")
    with np.errstate(all="ignore"):
        result = function(*_in(args), **_in(kwargs))
    out = kwargs.get("out")
    return out if out is not None else _out(result)


class Flags:
    def __init__(self, array: np.ndarray) -> None:
        self.c_contiguous, self.f_contiguous = array.flags.c_contiguous, array.flags.f_contiguous
        self.forc, self.owndata = array.flags.forc, array.flags.owndata


class ndarray:
    __array_priority__ = 100
    __hash__ = None  # type: ignore[assignment]

    def __init__(
        self, shape: Any, dtype: Any = float, memptr: Any = None, strides: Any = None
    ) -> None:
        self._a, self.device, self.base = np.empty(shape, dtype), Device(_state.current), None
        _pool.take(self)

    @classmethod
    def _of(cls, array: np.ndarray, device: int | None = None, base: Any = None) -> ndarray:
        made = object.__new__(cls)
        made._a, made.base = array, base
        made.device = Device(_state.current if device is None else device)
        if base is None:
            _pool.take(made)
        return made

    def __array__(self, *args: Any, **kwargs: Any) -> Any:
        raise TypeError(
            "Implicit conversion to a NumPy array is not allowed. Please use `.get()` to construct "
            "a NumPy array explicitly."
        )

    def __array_ufunc__(self, *args: Any, **kwargs: Any) -> Any:
        return NotImplemented

    def _view(self, array: np.ndarray) -> ndarray:
        shares = np.shares_memory(array, self._a) if array.size else True
        return ndarray._of(array, self.device.id, self if shares else None)

    def _method(self, name: str, *args: Any, **kwargs: Any) -> Any:
        with np.errstate(all="ignore"):
            return _out(getattr(self._a, name)(*_in(args), **_in(kwargs)), self.device.id)

    shape = property(lambda self: self._a.shape)
    dtype = property(lambda self: self._a.dtype)
    ndim = property(lambda self: self._a.ndim)
    size = property(lambda self: self._a.size)
    nbytes = property(lambda self: self._a.nbytes)
    itemsize = property(lambda self: self._a.itemsize)
    strides = property(lambda self: self._a.strides)
    flags = property(lambda self: Flags(self._a))
    data = property(lambda self: _Pointer(self._a))
    T = property(lambda self: self._view(self._a.T))

    def __len__(self) -> int:
        return len(self._a)

    def __iter__(self) -> Any:
        return (self[i] for i in range(len(self)))

    def __bool__(self) -> bool:
        return bool(self._a)

    def __int__(self) -> int:
        return int(self._a)

    def __float__(self) -> float:
        return float(self._a)

    def __index__(self) -> int:
        return self._a.__index__()

    def __repr__(self) -> str:
        return f"fake {self._a!r}"

    def item(self) -> Any:
        return self._a.item()

    def tolist(self) -> Any:
        return self._a.tolist()

    def get(self) -> np.ndarray:
        return self._a.copy()

    def fill(self, value: Any) -> None:
        self._a.fill(_in(value))

    def _index(self, index: Any) -> Any:
        entries = index if isinstance(index, tuple) else (index,)
        used = sum(_width(each) for each in entries)
        axis, result = 0, []
        for each in entries:
            if each is Ellipsis:
                axis += self._a.ndim - used
                result.append(each)
                continue
            if isinstance(each, np.ndarray):
                raise IndexError("CuPy is indexed by its own arrays")
            if isinstance(each, ndarray) and each.dtype.kind in "iu" and self._a.shape[axis]:
                result.append(each._a % self._a.shape[axis])  # places outside wrap around
            else:
                result.append(_in(each))
            axis += _width(each)
        return tuple(result) if isinstance(index, tuple) else result[0]

    def __getitem__(self, index: Any) -> Any:
        found = np.asarray(self._a[self._index(index)])
        return self._view(found)

    def __setitem__(self, index: Any, value: Any) -> None:
        if _devices([value]) - {self.device.id}:
            raise ValueError("an array of another GPU")
        with np.errstate(all="ignore"):
            self._a[self._index(index)] = _in(value)

    def reshape(self, *shape: Any) -> ndarray:
        return self._view(self._a.reshape(*shape))

    def transpose(self, *dims: Any) -> ndarray:
        return self._view(self._a.transpose(*dims))

    def view(self, dtype: Any = None) -> ndarray:
        return self._view(self._a.view(dtype) if dtype is not None else self._a.view())

    def diagonal(self, offset: int = 0, axis1: int = 0, axis2: int = 1) -> ndarray:
        found = self._a.diagonal(offset, axis1, axis2)
        found.flags.writeable = True
        return self._view(found)

    def swapaxes(self, a: int, b: int) -> ndarray:
        return self._view(self._a.swapaxes(a, b))

    def ravel(self) -> ndarray:
        return self._view(self._a.ravel())

    def nonzero(self) -> Any:
        return tuple(_out(each, self.device.id) for each in self._a.nonzero())

    def astype(self, dtype: Any, copy: bool = True) -> ndarray:
        if not copy and self._a.dtype == dtype:
            return self
        with np.errstate(all="ignore"):
            return _out(self._a.astype(dtype, order="C"), self.device.id)

    def copy(self, order: str = "C") -> ndarray:
        return _out(self._a.copy(order), self.device.id)


def _width(each: Any) -> int:
    if each is None or each is Ellipsis:
        return 0
    return each.ndim if isinstance(each, ndarray) and each.dtype.kind == "b" else 1


for _name in "sum prod max min any all argmax argmin".split():

    def _reduction(self: ndarray, *args: Any, _name: str = _name, **kwargs: Any) -> Any:
        return self._method(_name, *args, **kwargs)

    setattr(ndarray, _name, _reduction)

_OPERATORS = (
    "add sub mul truediv floordiv mod pow matmul and or xor lshift rshift eq ne lt le gt ge".split()
)
for _name in _OPERATORS:
    for _form in (f"__{_name}__", f"__r{_name}__", f"__i{_name}__"):
        if not hasattr(np.ndarray, _form):
            continue

        def _operator(self: ndarray, other: Any, _form: str = _form) -> Any:
            if isinstance(other, np.ndarray):
                raise TypeError(f"Unsupported type {type(other)}")
            if _form.startswith("__i"):
                with np.errstate(all="ignore"):
                    getattr(self._a, _form)(_in(other))
                return self
            return _apply(lambda a, b: getattr(a, _form)(b), (self, other), {})

        setattr(ndarray, _form, _operator)
for _name in ("neg", "abs", "invert", "pos"):

    def _unary(self: ndarray, _form: str = f"__{_name}__") -> Any:
        return _apply(lambda a: getattr(a, _form)(), (self,), {})

    setattr(ndarray, f"__{_name}__", _unary)


# --- devices and memory
class Device:
    def __init__(self, id: int | None = None) -> None:
        self.id = _state.current if id is None else id
        if not 0 <= self.id < GPUS:
            raise CUDARuntimeError("cudaErrorInvalidDevice: invalid device ordinal")
        self.stack: list[int] = []

    def __enter__(self) -> Device:
        self.stack.append(_state.current)
        _state.current = self.id
        return self

    def __exit__(self, *exception: Any) -> None:
        _state.current = self.stack.pop()

    def use(self) -> Device:
        _state.current = self.id
        return self

    def synchronize(self) -> None:
        pass

    @property
    def mem_info(self) -> tuple[int, int]:
        return MEMORY - _pool.used, MEMORY


class MemoryHook:
    active: list[Any] = []

    def __enter__(self) -> Any:
        MemoryHook.active.append(self)
        return self


class _Pool:
    """Counts the bytes of arrays that own their memory; refuses more than there are."""

    def __init__(self) -> None:
        self.used = 0

    def take(self, array: ndarray) -> None:
        import weakref

        size = array.nbytes
        if self.used + size > MEMORY:
            raise OutOfMemoryError(f"Out of memory allocating {size:,} bytes.")
        self.used += size
        place = array.device.id
        for hook in MemoryHook.active:
            hook.malloc_postprocess(device_id=place, size=size, mem_size=size, mem_ptr=0, pmem_id=0)
        weakref.finalize(array, self.give, size, place)

    def give(self, size: int, place: int) -> None:
        self.used -= size
        for hook in MemoryHook.active:
            hook.free_postprocess(device_id=place, mem_size=size, mem_ptr=0, pmem_id=0)

    def used_bytes(self) -> int:
        return self.used

    def total_bytes(self) -> int:
        return self.used

    def free_all_blocks(self) -> None:
        pass


_pool = _Pool()


class Stream:
    null: Any = None

    def __init__(self, null: bool = False, non_blocking: bool = False, **rest: Any) -> None:
        self.ptr = 0

    def __enter__(self) -> Stream:
        return self

    def __exit__(self, *exception: Any) -> None:
        pass

    def use(self) -> Stream:
        return self

    def synchronize(self) -> None:
        pass

    def wait_event(self, event: Any) -> None:
        pass

    def record(self, event: Any = None) -> Any:
        return event

    done = True


class Event:
    def __init__(self, block: bool = False, disable_timing: bool = False, **rest: Any) -> None:
        self.time = None
        self.done = True

    def record(self, stream: Any = None) -> None:
        import time

        self.time = time.perf_counter()

    def synchronize(self) -> None:
        pass


class _Runtime(types.ModuleType):
    CUDARuntimeError = CUDARuntimeError

    memoryTypeHost = 1

    @staticmethod
    def pointerGetAttributes(address: int) -> Any:
        return types.SimpleNamespace(type=int(address in _pinned))

    @staticmethod
    def getDeviceCount() -> int:
        return GPUS

    @staticmethod
    def getDeviceProperties(index: int) -> dict:
        return {
            "name": b"Fake GPU", "major": 9, "minor": 0, "totalGlobalMem": MEMORY,
            "multiProcessorCount": 4, "warpSize": 32, "sharedMemPerBlock": 49152,
            "regsPerMultiprocessor": 65536, "maxThreadsPerMultiProcessor": 2048,
            "l2CacheSize": 1 << 20, "integrated": 0, "isMultiGpuBoard": 0,
        }  # fmt: skip

    @staticmethod
    def memGetInfo() -> tuple[int, int]:
        return MEMORY - _pool.used, MEMORY

    @staticmethod
    def runtimeGetVersion() -> int:
        return 12080

    @staticmethod
    def driverGetVersion() -> int:
        return 12080


# --- the modules
def array(value: Any, dtype: Any = None, copy: bool = True, order: str = "K") -> ndarray:
    source = value._a if isinstance(value, ndarray) else value
    return _out(np.array(source, dtype, copy=True, order=order))


def asarray(value: Any, dtype: Any = None, **rest: Any) -> ndarray:
    if isinstance(value, ndarray) and (dtype is None or value.dtype == dtype):
        return value
    return array(value, dtype)


def as_strided(x: ndarray, shape: Any = None, strides: Any = None) -> ndarray:
    return x._view(np.lib.stride_tricks.as_strided(x._a, tuple(shape), tuple(strides)))


def scatter_add(target: ndarray, index: Any, value: Any) -> None:
    if target.dtype.name not in ("float32", "float64", "int32", "uint32", "uint64"):
        raise TypeError(f"scatter_add does not take {target.dtype}")
    np.add.at(target._a, target._index(index), _in(value))


class _Ufunc:
    def __init__(self, function: Any) -> None:
        self.function, self.nin, self.__name__ = function, function.nin, function.__name__

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if any(isinstance(each, np.ndarray) for each in args):
            raise TypeError("Unsupported type <class 'numpy.ndarray'>")
        return _apply(self.function, args, kwargs)


UFUNCS = """
    negative absolute square exp exp2 expm1 log log2 log10 log1p sqrt sin cos tan arcsin arccos
    arctan arctan2 sinh cosh tanh arcsinh arccosh arctanh floor ceil trunc invert logical_not isnan
    isinf isfinite signbit add subtract multiply true_divide fmax fmin copysign nextafter hypot gcd
    lcm bitwise_and bitwise_or bitwise_xor equal not_equal less less_equal greater greater_equal
    logical_and logical_or logical_xor rint maximum minimum floor_divide remainder fmod power
    left_shift right_shift sign
""".split()
FUNCTIONS = """
    zeros ones empty full arange concatenate stack where argsort flip take cumsum cumprod matmul
    searchsorted moveaxis atleast_1d broadcast_to empty_like zeros_like
""".split()


def _function(plain: Any) -> Any:
    def function(*args: Any, **kwargs: Any) -> Any:
        return _apply(plain, args, kwargs)

    function.__name__ = plain.__name__
    return function


def module() -> types.ModuleType:
    """Returns the module that stands in for `cupy`."""
    made = types.ModuleType("cupy")
    made.__version__ = "0 (a stand-in)"
    for name in UFUNCS:
        setattr(made, name, _Ufunc(getattr(np, name)))
    for name in FUNCTIONS:
        setattr(made, name, _function(getattr(np, name)))
    made.ascontiguousarray = lambda x: x if x.flags.c_contiguous else x.copy()
    made.ndarray, made.array, made.asarray = ndarray, array, asarray
    made.asnumpy = lambda x: np.array(x._a, order="C")
    for name in "uint32 uint64 int64 float32 float64".split():
        setattr(made, name, getattr(np, name))
    stride_tricks = types.SimpleNamespace(as_strided=as_strided)
    made.lib = types.SimpleNamespace(stride_tricks=stride_tricks)
    runtime = _Runtime("cupy.cuda.runtime")
    made.cuda = types.SimpleNamespace(
        Device=Device, runtime=runtime, Stream=Stream, Event=Event,
        MemoryHook=MemoryHook,
        get_current_stream=lambda device_id=None: Stream(),
        get_elapsed_time=lambda a, b: (b.time - a.time) * 1e3,
        memory=types.SimpleNamespace(OutOfMemoryError=OutOfMemoryError),
        is_available=lambda: True,
    )  # fmt: skip
    linalg = types.SimpleNamespace(COMPUTE_TYPE_TF32=2, COMPUTE_TYPE_DEFAULT=0)
    made._core = types.SimpleNamespace(
        _routines_linalg=linalg,
        set_compute_type=lambda dtype, kind: setattr(made, "compute_type", (dtype, kind)),
    )
    made.get_default_memory_pool = lambda: _pool
    return made


_pinned: set[int] = set()


def empty_pinned(shape: Any, dtype: Any = float) -> np.ndarray:
    made = np.empty(shape, dtype)
    _pinned.add(made.ctypes.data)
    return made


def install() -> None:
    """Puts the stand-in in the place of `cupy` and `cupyx`, before Lantern looks for them."""
    import importlib.machinery

    import scipy.special

    cupyx = types.ModuleType("cupyx")
    cupyx.scatter_add, cupyx.empty_pinned = scatter_add, empty_pinned
    special = types.ModuleType("cupyx.scipy.special")
    for name in "erf erfc erfinv erfcx gammaln digamma ndtri i0e i1e polygamma".split():
        setattr(special, name, _function(getattr(scipy.special, name)))
    scipy_package = types.ModuleType("cupyx.scipy")
    scipy_package.special = special
    cupyx.scipy = scipy_package
    modules = {
        "cupy": module(), "cupyx": cupyx, "cupyx.scipy": scipy_package,
        "cupyx.scipy.special": special,
    }  # fmt: skip
    for name, each in modules.items():
        each.__spec__ = importlib.machinery.ModuleSpec(name, None)
        sys.modules[name] = each
