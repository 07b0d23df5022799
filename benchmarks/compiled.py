"""One training step of small networks as native code: beside Lantern eager, PyTorch eager and JAX.

The contestants take turns, round by round, so that a change in the machine's speed meets all; the
table gives medians in µs and how many times longer the others take. JAX is `jax_steps.py` in a
process of its own, whose Python may be another one: `--jax PYTHON`.

    python benchmarks/compiled.py [--rounds 15] [--only NAME] [--jax PYTHON] [--threads 1]
"""

from __future__ import annotations

import argparse
import importlib
import statistics
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from eager import WORKLOADS, make_step, seconds

import lantern


def present(name):
    """Returns a module, or None where it cannot be imported."""
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


class Jax:
    """The steps of `jax_steps.py` in another process."""

    def __init__(self, python):
        script = Path(__file__).with_name("jax_steps.py")
        pipe = subprocess.PIPE
        self.process = subprocess.Popen([python, script], stdin=pipe, stdout=pipe, text=True)

    def seconds(self, name, count):
        """Returns the seconds of one of `count` steps."""
        self.process.stdin.write(f"{name} {count}\n")
        self.process.stdin.flush()
        return float(self.process.stdout.readline())


def native_part(compiled):
    """Returns the machine code of a compiled step as a function, if it is a single piece."""
    records = [each for group in compiled._records.values() for each in group]
    machine = records[0].machine
    return machine.program.steps[0] if machine and len(machine.program.steps) == 1 else None


def compare(name, build, rounds, torch, jax):
    """Prints one row of the table."""
    compiled, eager = lantern.compile(make_step(lantern, build)), make_step(lantern, build)
    compiled()
    start = time.perf_counter()
    compiled()
    cold = time.perf_counter() - start
    eager(), eager()
    ours = [compiled().item() for _ in range(20)]
    np.testing.assert_allclose(ours, [eager().item() for _ in range(20)], rtol=2e-5)
    steps = {"compiled": compiled}
    part = native_part(compiled)
    if part is not None:
        steps["native part"] = part
    steps["eager"] = eager
    if torch is not None:
        steps["torch"] = make_step(torch, build)
    runs = {key: lambda count, step=step: seconds(step, count) for key, step in steps.items()}
    if jax is not None:
        jax.seconds(name, 0)
        runs["jax"] = lambda count: jax.seconds(name, count)
    counts = {key: max(3, int(0.01 / run(5))) for key, run in runs.items()}
    times = {key: [] for key in runs}
    for _ in range(rounds):
        for key, run in runs.items():
            times[key].append(run(counts[key]) * 1e6)
    medians = {key: statistics.median(found) for key, found in times.items()}
    base = medians.pop("compiled")
    row = [f"{base:.1f}", f"{medians.pop('native part', float('nan')):.1f}"]
    row += [f"{value:.0f} | **{value / base:.1f}**" for value in medians.values()]
    print(f"| {name} | {' | '.join(row)} | {cold * 1e3:.0f} |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--only", default="")
    parser.add_argument("--jax", default="", help="a Python that has JAX")
    parser.add_argument("--threads", type=int, default=0, help="of PyTorch; 0: its own choice")
    options = parser.parse_args()
    torch = present("torch")
    if torch is not None and options.threads:
        torch.set_num_threads(options.threads)
    jax = Jax(options.jax) if options.jax else None
    others = ["eager", *(["torch"] if torch else []), *(["jax"] if jax else [])]
    columns = " | ".join(f"{each} | ×" for each in others)
    print(f"| step | compiled, µs | native part | {columns} | recording and compiling, ms |")
    print("|---" * (4 + 2 * len(others)) + "|")
    for name, build in WORKLOADS.items():
        if options.only in name:
            compare(name, build, options.rounds, torch, jax)


if __name__ == "__main__":
    sys.exit(main())
