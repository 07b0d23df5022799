"""Saving and loading a large state_dict: Lantern beside PyTorch, each measure in a fresh process.

    python benchmarks/files.py [--gigabytes 1] [--tensors 300] [--rounds 5] [--folder DIR]

The two take turns; what others left to be written goes to the disk before each measure. The table
gives medians in seconds, their ratio (below 1: Lantern is faster), and the most memory in use
beyond what the process held before, in copies of the state_dict. Lantern flushes a file to
the disk before it takes the old one's place, PyTorch does not; the row `save, on the disk` adds an
`fsync` to PyTorch's.
"""

from __future__ import annotations

import argparse
import importlib
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import threading
import time


def main():
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gigabytes", type=float, default=1)
    parser.add_argument("--tensors", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--folder", help="where the file is written; default: a temporary folder")
    parser.add_argument("--only", default="", help="the tasks whose names begin so")
    parser.add_argument("--one", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        measure(*options.one, options)
        return
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        options.folder = folder
        print("| | PyTorch s | Lantern s | ratio | PyTorch copies | Lantern copies |")
        print("|---|---|---|---|---|---|")
        for task in ("save", "save, on the disk", "load", "load, mapped", "load, safetensors"):
            if task.startswith(options.only):
                print(row(task, options), flush=True)


def row(task, options):
    """One line: the medians of both."""
    found = {"torch": [], "lantern": []}
    for _ in range(options.rounds):
        for library in found:
            command = [sys.executable, __file__, "--one", library, task]
            command += ["--gigabytes", str(options.gigabytes), "--tensors", str(options.tensors)]
            command += ["--folder", options.folder]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            found[library].append([float(each) for each in done.stdout.split()])
    (theirs, held), (ours, own) = (
        [statistics.median(each) for each in zip(*rows, strict=True)] for rows in found.values()
    )
    return f"| {task} | {theirs:.3f} | {ours:.3f} | {ours / theirs:.2f} | {held:.2f} | {own:.2f} |"


def measure(library, task, options):
    """Prints the seconds of one task and the copies that were in memory at most."""
    torch = importlib.import_module(library)
    kind = "safetensors" if "safetensors" in task else "pth"
    path = os.path.join(options.folder, f"state.{kind}")
    home = "safetensors.torch" if library == "torch" else "lantern.safetensors"
    files = importlib.import_module(home) if kind == "safetensors" else None
    size = int(options.gigabytes * 1e9)
    if task.startswith("save") or not os.path.exists(path):
        each = size // options.tensors // 4
        state = {f"layer{i}.weight": torch.full((each,), i / 7) for i in range(options.tensors)}
        torch.save(state, path) if files is None else files.save_file(state, path)
    if task.startswith("save"):

        def run():
            torch.save(state, path)
            if task.endswith("on the disk") and library == "torch":
                with open(path, "rb") as file:
                    os.fsync(file.fileno())

    elif files is not None:
        state = None
        run = lambda: files.load_file(path)  # noqa: E731
    else:
        state = None
        run = lambda: torch.load(path, mmap=task.endswith("mapped"))  # noqa: E731
    os.sync()
    before = resident()
    with Highest() as highest:
        start = time.perf_counter()
        result = run()
        seconds = time.perf_counter() - start
    del result
    print(seconds, (highest.bytes - before) / size)


def resident():
    """Returns the bytes of this process that are in memory and not pages of files."""
    try:
        with open("/proc/self/status") as file:
            kilobytes = next(line.split()[1] for line in file if line.startswith("RssAnon"))
    except FileNotFoundError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return int(kilobytes) * 1024


class Highest:
    """Looks every few milliseconds at how much memory is in use; `bytes` is the most it saw."""

    def __enter__(self):
        self.bytes = resident()
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.watch)
        self.thread.start()
        return self

    def watch(self):
        while not self.over.wait(0.005):
            self.bytes = max(self.bytes, resident())

    def __exit__(self, *error):
        self.over.set()
        self.thread.join()
        self.bytes = max(self.bytes, resident())


if __name__ == "__main__":
    main()
