"""The time until a compiled step runs: recorded and compiled anew, and from the cache on disk.

Each figure is from a fresh process. The first process finds an empty cache; those after it find
what it left. The first call of a step runs as always, the second is recorded, compiled and run:
the second is what is timed, less a step's own time. The columns "processor" are the time that the
process computed, which other programs on the machine disturb less than the time that passed.

    python benchmarks/start.py [--rounds 3] [--only NAME]
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time

from eager import WORKLOADS, make_step


def unrolled(torch, random, length=28):
    """An LSTM of 28 steps of 28 numbers, written as a loop over cells, with a linear layer."""
    x, y = random.rand(64, length, 28), random.randint(0, 10, 64)
    nn = torch.nn

    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.cell, self.head = nn.LSTMCell(28, 128), nn.Linear(128, 10)

        def forward(self, x):
            state = None
            for i in range(x.shape[1]):
                state = self.cell(x[:, i], state)
            return self.head(state[0])

    net = Model()
    return net, nn.CrossEntropyLoss(), torch.optim.SGD(net.parameters(), lr=0.1), x, y


STEPS = {**WORKLOADS, "LSTM of 28 steps, SGD": unrolled}


def measure(name: str) -> None:
    """Prints the times of the first call, and of the second less a later one, in this process."""
    import lantern

    step = lantern.compile(make_step(lantern, STEPS[name]))
    found = []
    for _ in range(5):
        start = time.perf_counter(), time.process_time()
        step()
        found.append((time.perf_counter() - start[0], time.process_time() - start[1]))
    own = [min(each) for each in zip(*found[2:], strict=True)]
    print(found[0][0], *(max(a - b, 0) for a, b in zip(found[1], own, strict=True)))


def fresh(name: str, folder: str) -> list[float]:
    """Returns what a fresh process measures."""
    command = [sys.executable, __file__, "--measure", name]
    environment = {**os.environ, "LANTERN_CACHE": folder}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return [float(each) for each in done.stdout.split()]


def compare(name: str, rounds: int) -> None:
    """Prints one row of the table."""
    cold, cached = [], []
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as folder:
            cold.append(fresh(name, folder))
            cached += [fresh(name, folder) for _ in range(2)]
    rows = [
        [statistics.median(each) for each in zip(*rows, strict=True)] for rows in (cold, cached)
    ]
    print(f"| {name} | " + " | ".join(f"{x:.2f}" for row in rows for x in row) + " |", flush=True)


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default="")
    parser.add_argument("--measure", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        measure(options.measure)
        return
    parts = ("first call", "compile", "processor")
    heads = [f"{kind}: {part}" for kind in ("cold", "cached") for part in parts]
    print(f"other programs waiting: {os.getloadavg()[0]:.1f}; seconds\n")
    print("| step | " + " | ".join(heads) + " |\n|" + "---|" * (1 + len(heads)))
    for name in STEPS:
        if options.only in name:
            compare(name, options.rounds)


if __name__ == "__main__":
    main()
