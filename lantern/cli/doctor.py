"""`lantern doctor`: what Lantern found on this machine, and what is wrong with it."""

from __future__ import annotations

import ctypes
import importlib
import importlib.metadata
import importlib.util
import os
import platform
import stat
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

# Vector units and number formats that decide how fast the arithmetic is; the rest is noise.
_TELLING = (
    "sse4.2 avx avx2 fma f16c avxvnni avx512f avx512bw avx512vl avx512vnni avx512bf16 avx512fp16 "
    "amx-tile amx-bf16 amx-int8 neon dotprod fullfp16 bf16 i8mm sve sve2 sme v"
).split()


class Trouble(Exception):
    """Something that keeps Lantern from working as it should; its text says what to do."""


def main(arguments: Sequence[str]) -> int:
    """Prints one line for each thing looked at; returns 1 when one of them is in trouble, else 0.

    An argument it does not know is an error (2).
    """
    if arguments:
        wanted = arguments[0] in ("-h", "--help")
        print("usage: lantern doctor", file=sys.stdout if wanted else sys.stderr)
        return 0 if wanted else 2
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="replace")  # a path the console cannot print is no trouble
    troubles = 0
    for title, look in _CHECKS:
        try:
            found = look()
        except Exception as error:
            # Whatever a broken installation raises is what this command is there to report.
            kind = "" if isinstance(error, Trouble) else f"{type(error).__name__}: "
            found = f"TROUBLE  {kind}{error}"
            troubles += 1
        print(f"{title:<12}{found}")
    print(f"\n{troubles} trouble{'s' * (troubles > 1)} found" if troubles else "\nall is well")
    return 1 if troubles else 0


def _lantern() -> str:
    import lantern

    return f"{lantern.__version__}  ({os.path.dirname(lantern.__file__)})"


def _python() -> str:
    return f"{platform.python_implementation()} {platform.python_version()}  ({sys.executable})"


def _numpy() -> str:
    import numpy

    if int(numpy.__version__.partition(".")[0]) < 2:
        raise Trouble(f"{numpy.__version__}: Lantern needs NumPy 2 (pip install -U numpy)")
    return numpy.__version__


def _needed(module: str, distribution: str) -> Callable[[], str]:
    def look() -> str:
        try:
            importlib.import_module(module)  # a library whose binary is broken fails right here
        except ModuleNotFoundError as error:
            raise Trouble(f"not installed (pip install {distribution})") from error
        return importlib.metadata.version(distribution)

    return look


def _llvmlite() -> str:
    version = _needed("llvmlite", "llvmlite")()
    from llvmlite import binding

    return f"{version}  (LLVM {'.'.join(map(str, binding.llvm_version_info))})"


def _optional(distribution: str, purpose: str) -> Callable[[], str]:
    def look() -> str:
        try:
            return importlib.metadata.version(distribution)
        except importlib.metadata.PackageNotFoundError:
            return f"not installed; needed for {purpose} only (pip install {distribution})"

    return look


def _cpu() -> str:
    name = _cpu_name() or platform.machine()
    if importlib.util.find_spec("llvmlite") is None:
        return name
    from llvmlite import binding

    features = binding.get_host_cpu_features()
    telling = [name for name in _TELLING if features.get(name)]
    target = binding.get_host_cpu_name()
    return f"{name}  (LLVM calls it {target}; {' '.join(telling)})"


def _cpu_name() -> str:
    if sys.platform == "win32":
        import winreg

        path = r"HARDWARE\DESCRIPTION\System\CentralProcessor\0"
        with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, path) as key:
            return str(winreg.QueryValueEx(key, "ProcessorNameString")[0]).strip()
    if sys.platform == "darwin":
        command = ["/usr/sbin/sysctl", "-n", "machdep.cpu.brand_string"]
        return subprocess.run(command, capture_output=True, text=True, timeout=1).stdout.strip()
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return platform.processor()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor())


def _cores() -> str:
    present = os.cpu_count() or 1
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else present
    text = f"{usable} usable of {present}"
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text(encoding="ascii").split()
    except (OSError, ValueError):
        return text  # no control groups here
    return text if quota == "max" else f"{text}, limited to {int(quota) / int(period):g} by cgroup"


def _blas() -> str:
    import numpy

    import lantern

    config = numpy.show_config(mode="dicts")
    blas = config.get("Build Dependencies", {}).get("blas", {})
    text = f"{blas.get('name', 'unknown')} {blas.get('version', '')}".strip()
    kernels = lantern.backends.blas.kernels()
    if kernels is None:
        return text
    how = " (chosen by Lantern; LANTERN_BLAS=keep leaves it to OpenBLAS)"
    mine = how if lantern.backends.blas.chosen else ""
    return f"{text}, kernels for {kernels}{mine}, {lantern.get_num_threads()} threads"


def _arithmetic() -> str:
    import lantern

    weight: Any = lantern.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    loss = (weight @ weight).sum()
    loss.backward()
    found = loss.item(), weight.grad.tolist()
    if found != (54.0, [[7.0, 11.0], [9.0, 13.0]]):
        raise Trouble(f"a product and its gradient came out wrong: {found}")
    return "a matrix product and its gradient are right"


def _gpu() -> str:
    import lantern

    if lantern.cuda.is_available():
        return f"on: {_nvidia()[1]}"
    ready, text = _nvidia()
    if not ready:
        return f"off: {text}"
    if importlib.util.find_spec("cupy") is None:
        return f"off: {text} is here, but CuPy is not installed (pip install 'lantern-dl[cuda]')"
    raise Trouble(f"{text} and CuPy are here, but Lantern cannot use them")


def _nvidia() -> tuple[bool, str]:
    """Asks NVIDIA's driver: whether there is a GPU, and its name or why there is none."""
    if sys.platform == "darwin":
        return False, "there is no CUDA on macOS"
    name = "nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1"
    try:
        driver = ctypes.CDLL(name)
    except OSError:
        return False, f"no NVIDIA driver on this machine ({name} not found)"
    status = driver.cuInit(0)
    if status:
        text = ctypes.c_char_p()
        driver.cuGetErrorString(status, ctypes.byref(text))
        return False, f"NVIDIA's driver answers {(text.value or b'an error').decode()} ({status})"
    count, version, device = ctypes.c_int(), ctypes.c_int(), ctypes.c_int()
    driver.cuDeviceGetCount(ctypes.byref(count))
    if not count.value:
        return False, "NVIDIA's driver shows no GPU (CUDA_VISIBLE_DEVICES?)"
    label = ctypes.create_string_buffer(128)
    driver.cuDriverGetVersion(ctypes.byref(version))
    driver.cuDeviceGet(ctypes.byref(device), 0)
    driver.cuDeviceGetName(label, len(label), device)
    cuda = f"CUDA {version.value // 1000}.{version.value % 1000 // 10}"
    return True, f"{count.value} x {label.value.decode()} (driver for {cuda})"


def _caches() -> str:
    from lantern.cache import cache_directory

    folder = cache_directory()
    if folder is None:
        return "off  (LANTERN_CACHE)"
    try:
        mode = folder.stat().st_mode
    except FileNotFoundError:
        return f"none yet  ({folder})"
    if not stat.S_ISDIR(mode):
        raise Trouble(f"{folder} is not a folder")
    if os.name == "posix" and mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise Trouble(f"others may write code into {folder} (chmod 700 it)")
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        raise Trouble(f"{folder} cannot be read and written")
    files = [file for file in folder.rglob("*") if file.is_file()]
    size = sum(file.stat().st_size for file in files)
    return f"{len(files)} files, {size / 2**20:.1f} MiB  ({folder})"


_CHECKS: tuple[tuple[str, Callable[[], str]], ...] = (
    ("lantern", _lantern),
    ("Python", _python),
    ("system", lambda: f"{platform.platform()}  ({platform.machine()})"),
    ("NumPy", _numpy),
    ("ml_dtypes", _needed("ml_dtypes", "ml_dtypes")),
    ("llvmlite", _llvmlite),
    ("Pillow", _needed("PIL.Image", "pillow")),
    ("tqdm", _needed("tqdm", "tqdm")),
    ("matplotlib", _optional("matplotlib", "plots")),
    ("onnx", _optional("onnx", "ONNX files")),
    ("CPU", _cpu),
    ("cores", _cores),
    ("BLAS", _blas),
    ("arithmetic", _arithmetic),
    ("GPU", _gpu),
    ("cache", _caches),
)
