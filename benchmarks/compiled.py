"""One training step of small networks as native code, beside eager, PyTorch, torch.compile and JAX.

Each contestant is a process of its own, so that no one's threads disturb another's; they take
turns, round by round, so that a change in the machine's speed meets all. The table gives medians in
µs, how many times longer the others take, and two limits: the time of the step's multiply-adds at
the rate of the best matrix product measured here, on all threads, and of its arguments and results
at the measured bandwidth of memory (a small network's stay in the caches).

    python benchmarks/compiled.py [--rounds 15] [--only NAME] [--with jax,torch,...] [--busy]

`--busy` keeps one processor busy with another process meanwhile.
"""

from __future__ import annotations

import argparse
import select
import statistics
import subprocess
import sys
import time
from math import prod
from pathlib import Path

import numpy as np
from eager import WORKLOADS, make_step, seconds

OTHERS = ["eager", "torch", "torch.compile", "jax"]
PATIENCE = 100.0  # seconds that a contestant may take to get ready
BUSY = "import os\nparent = os.getppid()\nwhile os.getppid() == parent: pass"
WARM_UP = 0.3  # seconds of steps before those that are timed
PAUSE = 0.25  # seconds between turns: threads of some libraries look for work that long


class Contestant:
    """A process that builds the step it is named and times so many of them, on request."""

    def __init__(self, kind):
        here = Path(__file__)
        command = [sys.executable, here.with_name("jax_steps.py")]
        if kind != "jax":
            command = [sys.executable, here, "--serve", kind]
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, bufsize=1)

    def ask(self, question):
        """Returns the answer, or None from one that is gone or takes too long."""
        try:
            self.process.stdin.write(question + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            return None
        if not select.select([self.process.stdout], [], [], PATIENCE)[0]:
            self.process.kill()
            return None
        return self.process.stdout.readline().split() or None

    def seconds(self, name, count):
        """Returns the seconds of one of `count` steps; of getting ready where that is 0."""
        answer = self.ask(f"{name} {count}")
        return None if answer is None else float(answer[0])


# --- the side of a contestant
def serve(kind):
    """Answers requests "NAME COUNT" with seconds per step, and "NAME" with facts, line by line."""
    if kind.startswith("torch"):
        import torch as library
    else:
        import lantern as library
    steps = {}
    for line in sys.stdin:
        name, _, count = line.strip().rpartition(" ")
        start = time.perf_counter()
        if count == "facts":
            print(*facts(library, steps[name]), flush=True)
        elif count == "0":
            steps[name] = prepared(kind, library, WORKLOADS[name])
            print(time.perf_counter() - start, flush=True)
        else:
            print(seconds(steps[name], int(count)), flush=True)


def prepared(kind, library, build):
    """Returns a step that has run, as this contestant does it."""
    step = make_step(library, build)
    if kind == "compiled" or kind == "native":
        eager = make_step(library, build)
        compiled = library.compile(step)
        ours = [compiled().item() for _ in range(22)]
        np.testing.assert_allclose(ours, [eager().item() for _ in range(22)], rtol=2e-5)
        return compiled
    if kind == "torch.compile":
        step = library.compile(step)
    for _ in range(3):
        step()
    return step


def facts(lantern, compiled):
    """Returns, of a compiled step: ms to record and compile, µs of the native part, of the limits.

    Multiply-adds are counted in the recorded graph; -1 stands for a native part in several pieces.
    """
    (record,) = [each for group in compiled._records.values() for each in group]
    program = record.machine.program
    part = -1.0
    if len(program.steps) == 1:
        count = max(3, int(0.01 / seconds(program.steps[0], 3)))
        seconds(program.steps[0], 10 * count)
        part = min(seconds(program.steps[0], count) for _ in range(9)) * 1e6
    work = sum(multiplications(each) for each in record.graph.values)
    moved = sum(each.size * each.itemsize for each in (*record.graph.inputs, *record.graph.outputs))
    flops, bandwidth = limits(lantern)
    return part, 2e6 * work / flops, 1e6 * moved / bandwidth


def multiplications(value):
    """Returns how many products of numbers a primitive of matrices or convolutions adds up."""
    if value.name in ("matmul", "linear"):
        return value.size * value.args[0].shape[-1]
    if value.name in ("conv", "conv_input", "conv_weight"):
        shapes = [each.shape for each in value.operands()] + [value.shape]
        images = [each for each in shapes if each[0] == shapes[0][0]]
        weight = next(each for each in shapes if each not in images) if len(images) == 2 else None
        if weight is not None:
            smaller = min(images, key=lambda shape: prod(shape[2:]))
            return smaller[0] * prod(smaller[2:]) * prod(weight)
    return 0


def limits(lantern):
    """Returns the flops of the best matrix product on all threads, and bytes per second."""
    product = lantern.compile(lambda a, b: a @ b)
    a, b = lantern.randn(384, 384), lantern.randn(384, 384)
    best = min(seconds(lambda: product(a, b), 5) for _ in range(60))
    flops = 2 * 384**3 / best
    x = np.zeros(1 << 26, np.uint8)
    y = np.zeros_like(x)
    best = min(seconds(lambda: np.copyto(y, x), 1) for _ in range(5))
    return flops, 2 * x.size / best


# --- the table
def compare(name, contestants, rounds):
    """Prints one row of the table."""
    ready = {kind: each.seconds(name, 0) for kind, each in contestants.items()}
    running = {kind: each for kind, each in contestants.items() if ready[kind] is not None}
    counts = {}
    for kind, each in running.items():
        count = max(3, int(0.01 / each.seconds(name, 3)))
        each.seconds(name, int(count * WARM_UP / 0.01))
        counts[kind] = max(3, int(0.01 / each.seconds(name, count)))
    times = {kind: [] for kind in running}
    for _ in range(rounds):
        for kind, each in running.items():
            time.sleep(PAUSE)
            each.seconds(name, counts[kind])  # threads wake up, the machine places them
            times[kind].append(each.seconds(name, counts[kind]) * 1e6)
    medians = {kind: statistics.median(found) for kind, found in times.items()}
    part, flops, moved = map(float, contestants["compiled"].ask(f"{name} facts"))
    base = medians["compiled"]
    row = [f"{base:.1f}", "-" if part < 0 else f"{part:.1f}", f"{flops:.1f}", f"{moved:.1f}"]
    for kind in list(contestants)[1:]:
        found = medians.get(kind)
        row.append("none" if found is None else f"{found:.0f} | **{found / base:.1f}**")
    print(f"| {name} | {' | '.join(row)} |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--only", default="")
    parser.add_argument("--with", dest="others", default=",".join(OTHERS))
    parser.add_argument("--busy", action="store_true")
    parser.add_argument("--serve", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        return serve(options.serve)
    others = [each for each in options.others.split(",") if each]
    busy = None
    if options.busy:
        busy = subprocess.Popen([sys.executable, "-c", BUSY])
    contestants = {kind: Contestant(kind) for kind in ["compiled", *others]}
    columns = " | ".join(f"{each} | ×" for each in others)
    print(f"| step | compiled, µs | native part | flops, µs | memory, µs | {columns} |")
    print("|---" * (5 + 2 * len(others)) + "|")
    for name in WORKLOADS:
        if options.only in name:
            compare(name, contestants, options.rounds)
    for each in [*contestants.values(), *([] if busy is None else [busy])]:
        (each if busy is each else each.process).kill()
    return 0


if __name__ == "__main__":
    sys.exit(main())
