"""Compiles LLVM assembly into machine code with llvmlite, loads it, and calls it."""

from __future__ import annotations

import contextlib
import ctypes
import threading
from functools import cache
from typing import Any, NamedTuple

from . import store
from .pool import pool


class Target(NamedTuple):
    """The machine that code is made for."""

    triple: str
    cpu: str
    features: str
    vector_bytes: int
    registers: int  # that hold vectors


@cache
def available() -> bool:
    """Says whether llvmlite is there."""
    try:
        _binding()
    except ImportError:
        return False
    return True


@cache
def _binding() -> Any:
    import llvmlite.binding as llvm

    with contextlib.suppress(RuntimeError):  # newer versions do it by themselves, and say so
        llvm.initialize()
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    return llvm


@cache
def host() -> Target:
    """Returns the machine that this program runs on."""
    llvm = _binding()
    triple = llvm.get_default_triple()
    features = llvm.get_host_cpu_features()
    if features.get("avx512f") and features.get("avx512vl") and features.get("avx512dq"):
        shape = (64, 32)
    elif features.get("avx2") and features.get("fma"):
        shape = (32, 16)
    else:
        shape = (16, 32 if triple.startswith(("aarch64", "arm64")) else 16)
    return Target(triple, llvm.get_host_cpu_name(), features.flatten(), *shape)


# Processors to make code for without being on one: what continuous integration looks at.
OTHERS = {
    "avx2": Target("x86_64-unknown-linux-gnu", "haswell", "", 32, 16),
    "avx512": Target("x86_64-unknown-linux-gnu", "skylake-avx512", "", 64, 32),
    "neon": Target("aarch64-unknown-linux-gnu", "generic", "+neon", 16, 32),
}


@cache
def _machine(target: Target) -> Any:
    llvm = _binding()
    if target != host():
        llvm.initialize_all_targets()
        llvm.initialize_all_asmprinters()
    return llvm.Target.from_triple(target.triple).create_target_machine(
        cpu=target.cpu, features=target.features, opt=1, jit=True
    )


def object_code(text: str, target: Target) -> bytes:
    """Returns machine code for LLVM assembly, from the cache where it is there."""
    return store.kept(code_key(text, target), lambda: _compile(text, target))


def code_key(text: str, target: Target) -> str:
    """Returns the name under which machine code for a text is kept."""
    return store.key(text, *versions(target))


def versions(target: Target) -> tuple:
    """Returns what machine code depends on besides the text that it is made of."""
    import llvmlite

    return (*target, llvmlite.__version__, _binding().llvm_version_info)


# Rewriting the addresses in loops (LSR) takes a third of LLVM's time and gains nothing here. The
# option holds for the whole process, others in it may use LLVM too, so it is put back each time.
_emitting = threading.Lock()


def _compile(text: str, target: Target) -> bytes:
    llvm = _binding()
    machine = _machine(target)
    module = llvm.parse_assembly(text)
    module.triple = target.triple
    module.data_layout = str(machine.target_data)
    module.verify()
    with _emitting:
        llvm.set_option("lantern", "-disable-lsr")
        try:
            return machine.emit_object(module)
        finally:
            llvm.set_option("lantern", "-disable-lsr=false")


def load(text: str | bytes, target: Target) -> Any:
    """Returns an engine that holds the machine code for LLVM assembly, or machine code."""
    llvm = _binding()
    code = text if isinstance(text, bytes) else object_code(text, target)
    engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), _fresh_machine())
    engine.add_object_file(llvm.ObjectFileRef.from_data(code))
    engine.finalize_object()
    return engine


class Native:
    """Loaded machine code: its pointer table and its segments as Python functions."""

    def __init__(
        self,
        text: str | bytes,
        slots: int,
        segments: int,
        target: Target,
        door: bool = False,
        shared: bool = False,
    ):
        self._engine = load(text, target)
        address = self._address = self._engine.get_global_value_address
        self.error = ctypes.c_int64.from_address(address("error"))
        self.stamp = ctypes.c_int64.from_address(address("stamp"))
        self.occupied = Occupied(ctypes.c_int64.from_address(address("busy")))
        self.table = (ctypes.c_void_p * max(slots, 1)).from_address(address("table"))
        python = (ctypes.c_void_p * 6).from_address(address("python"))
        names = ("Py_IncRef", "Py_DecRef", "PyLong_AsSsize_t", "PyLong_FromSsize_t")
        calls = [getattr(ctypes.pythonapi, each) for each in names]
        hold, drop, *counting = [ctypes.cast(each, ctypes.c_void_p).value for each in calls]
        python[:] = [id(None), hold, id(True), drop, *counting]
        helpers = pool() if shared else None
        if helpers is not None:
            entries = (ctypes.c_void_p * 3).from_address(address("pool"))
            entries[:] = helpers.entries
        self.segments = [_function(address(f"call{n}"), NO_ARGUMENTS) for n in range(segments)]
        self.door = None
        if door:
            self.door = _function(address("door"), ARRAY_OF_ARGUMENTS)
            self._lists: dict[str, Any] = {}
            self.guard([])
            self.part([])
            self.count([])

    def state(self, segment: int) -> Any:
        """Returns what a segment that threads share has noted; `pool.py` says what that is."""
        return (ctypes.c_int64 * 8).from_address(self._address(f"state{segment}"))

    def guard(self, words: list[tuple[int, int]]) -> None:
        """Sets what the door compares: addresses of words, and what they must hold."""
        self._put("guards", [each for pair in words for each in pair] + [0])

    def count(self, fields: list[int]) -> None:
        """Sets the addresses of fields whose whole numbers the door raises by one."""
        self._put("counts", [*fields, 0])

    def part(self, ranges: list[tuple[int, int]]) -> None:
        """Sets the memory, from and to, that no new argument may lie in."""
        self._put("ranges", [each for pair in ranges for each in pair] + [0, 0])

    def expect(self, kinds: list[int]) -> None:
        """Sets the addresses of the arrays' type and of the arguments' dtypes."""
        words = (ctypes.c_size_t * len(kinds)).from_address(self._address("kinds"))
        words[:] = kinds

    def _put(self, name: str, words: list[int]) -> None:
        found = (ctypes.c_size_t * len(words))(*words)
        place = ctypes.c_void_p.from_address(self._address(name))
        place.value = ctypes.addressof(found)
        self._lists[name] = found  # last: other threads may be reading the one that goes


class Occupied:
    """A mark that the code is in use by a caller that needs several Python instructions."""

    def __init__(self, mark: Any):
        self.mark = mark

    def __enter__(self) -> None:
        self.mark.value = 1

    def __exit__(self, *exception: object) -> None:
        self.mark.value = 0


def _fresh_machine() -> Any:
    # An execution engine takes its target machine over, so each needs one of its own.
    llvm = _binding()
    target = host()
    return llvm.Target.from_triple(target.triple).create_target_machine(
        cpu=target.cpu, features=target.features, opt=1, jit=True
    )


class _Definition(ctypes.Structure):
    """CPython's PyMethodDef."""

    _fields_ = (
        ("name", ctypes.c_char_p),
        ("address", ctypes.c_void_p),
        ("flags", ctypes.c_int),
        ("text", ctypes.c_char_p),
    )


NO_ARGUMENTS = 4  # METH_NOARGS
ARRAY_OF_ARGUMENTS = 0x80  # METH_FASTCALL


_definitions: list[_Definition] = []  # CPython reads them when a function goes, so they stay


def _function(address: int, flags: int) -> Any:
    """Returns machine code as a Python function: the cheapest call there is."""
    definition = _Definition(b"native", address, flags, None)
    _definitions.append(definition)
    make = ctypes.pythonapi.PyCFunction_NewEx
    make.restype = ctypes.py_object
    make.argtypes = (ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p)
    return make(ctypes.addressof(definition), None, None)
