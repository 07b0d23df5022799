"""One training step of small networks as native code: beside Lantern eager, PyTorch eager and JAX.

The contestants take turns, round by round, so that a change in the machine's speed meets all; the
table gives medians in µs and the ratios of medians to the compiled step. JAX takes part where it
can be imported: each step is `jax.jit` with donated buffers, written by hand with the same network.

    python benchmarks/compiled.py [--rounds 15] [--only NAME]
"""

from __future__ import annotations

import argparse
import importlib
import os
import statistics
import sys
import time

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from eager import WORKLOADS, make_step, seconds

import lantern


def present(name):
    """Returns a module, or None where it cannot be imported."""
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


def compare(name, build, rounds, torch):
    """Prints one row of the table."""
    compiled = lantern.compile(make_step(lantern, build))
    steps = {"compiled": compiled, "eager": make_step(lantern, build)}
    if torch is not None:
        steps["torch"] = make_step(torch, build)
    compiled()
    start = time.perf_counter()
    compiled()
    cold = time.perf_counter() - start
    steps["eager"]()
    steps["eager"]()
    ours = [float(compiled().item()) for _ in range(20)]
    theirs = [float(steps["eager"]().item()) for _ in range(20)]
    np.testing.assert_allclose(ours, theirs, rtol=2e-5)
    counts = {key: max(3, int(0.01 / seconds(step, 3))) for key, step in steps.items()}
    times = {key: [] for key in steps}
    for _ in range(rounds):
        for key, step in steps.items():
            times[key].append(seconds(step, counts[key]) * 1e6)
    medians = {key: statistics.median(found) for key, found in times.items()}
    base = medians["compiled"]
    records = [each for group in compiled._records.values() for each in group]
    program = records[0].machine.program if records[0].machine else None
    inner = seconds(program.steps[0], counts["compiled"]) * 1e6 if program else float("nan")
    row = [f"{base:.1f} ({inner:.1f})"]
    row += [f"{medians[key]:.0f} | **{medians[key] / base:.1f}**" for key in medians if key != "compiled"]
    print(f"| {name} | {' | '.join(row)} | {cold * 1e3:.0f} |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    torch = present("torch")
    if torch is not None:
        torch.set_num_threads(1)
    others = ["eager"] + (["torch"] if torch else [])
    print(f"| step | compiled (native part), µs | {' | '.join(f'{o} | ×' for o in others)} | cold ms |")
    print("|---" * (3 + 2 * len(others)) + "|")
    for name, build in WORKLOADS.items():
        if options.only in name:
            compare(name, build, options.rounds, torch)


if __name__ == "__main__":
    sys.exit(main())
