"""Compiles LLVM assembly into machine code with llvmlite, loads it, and calls it."""

from __future__ import annotations

import contextlib
import ctypes
import threading
from functools import cache
from typing import Any, NamedTuple

from . import layout, store
from .pool import WORDS, pool


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


# Two passes of LLVM's that take a third of its time and gain nothing here, where addresses are
# counted up in loops already. The options hold for the whole process, others in it may use LLVM
# too, so they are put back each time.
SKIPPED = ("-disable-lsr", "-disable-cgp")
_emitting = threading.Lock()


def _compile(text: str, target: Target) -> bytes:
    llvm = _binding()
    machine = _machine(target)
    module = llvm.parse_assembly(text)
    module.triple = target.triple
    module.data_layout = str(machine.target_data)
    module.verify()
    with _emitting:
        try:
            for each in SKIPPED:
                llvm.set_option("lantern", each)
            return machine.emit_object(module)
        finally:
            for each in SKIPPED:
                llvm.set_option("lantern", f"{each}=false")


def load(text: str | bytes, target: Target) -> Any:
    """Returns an engine that holds the machine code for LLVM assembly, or machine code."""
    llvm = _binding()
    code = text if isinstance(text, bytes) else object_code(text, target)
    engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), _fresh_machine())
    engine.add_object_file(llvm.ObjectFileRef.from_data(code))
    engine.finalize_object()
    return engine


def tell(names: list[str]) -> None:
    """Makes functions of Python's own interface known to code that calls them by name."""
    for each in names:
        address = ctypes.cast(getattr(ctypes.pythonapi, each), ctypes.c_void_p).value
        _binding().add_symbol(each, address)


class Native:
    """Loaded machine code: its pointer table and its segments as Python functions."""

    def __init__(
        self, text: str | bytes, slots: int, segments: int, target: Target, shared: bool = False
    ):
        engine = self._engine = load(text, target)
        address = self._address = engine.get_global_value_address
        self.error = ctypes.c_int64.from_address(address("error"))
        self.stamp = ctypes.c_int64.from_address(address("stamp"))
        # Whether the code is in use by a caller that needs several Python instructions.
        self.busy = ctypes.c_int64.from_address(address("busy"))
        self.inside = ctypes.c_int64(0)  # whether an entry is at work that needs Python for it
        self.table = (ctypes.c_void_p * max(slots, 1)).from_address(address("table"))
        python = (ctypes.c_void_p * 2).from_address(address("python"))
        python[:] = [id(None), ctypes.cast(ctypes.pythonapi.Py_IncRef, ctypes.c_void_p).value]
        helpers = pool() if shared else None
        if helpers is not None:
            entries = (ctypes.c_void_p * 3).from_address(address("pool"))
            entries[:] = helpers.entries
        self.segments = [
            layout.function(address(f"call{n}"), layout.NO_ARGUMENTS, kept=engine)
            for n in range(segments)
        ]

    def state(self, segment: int) -> Any:
        """Returns what a segment that threads share has noted; `pool.py` says what that is."""
        return (ctypes.c_int64 * WORDS).from_address(self._address(f"state{segment}"))

    def segment(self, number: int) -> int:
        """Returns the address of a segment for native code that calls it."""
        return self._address(f"segment{number}")

    def slot(self, number: int) -> int:
        """Returns the address of a pointer in the table."""
        return ctypes.addressof(self.table) + number * layout.WORD

    def untouched(self) -> list[tuple[int, int]]:
        """Returns what must hold for the table to be as it is now: words, and what is in them."""
        own = (self.stamp, self.stamp.value), (self.busy, 0), (self.inside, 0)
        return [(ctypes.addressof(each), value) for each, value in own]


def _fresh_machine() -> Any:
    # An execution engine takes its target machine over, so each needs one of its own.
    llvm = _binding()
    target = host()
    return llvm.Target.from_triple(target.triple).create_target_machine(
        cpu=target.cpu, features=target.features, opt=1, jit=True
    )
