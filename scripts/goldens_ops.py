"""Write tests/goldens/ops/<file>.npz: what PyTorch answers for every sample of every op record.

Needs PyTorch. Names of record files may be given, else all are written:

    python scripts/goldens_ops.py pointwise reduce
"""

from __future__ import annotations

import sys
import warnings
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))

import torch  # noqa: E402
from op_db import BY_FILE  # noqa: E402
from op_db.harness import GOLDENS, Call, GoldenWriter, attempt, seed_of  # noqa: E402
from op_db.record import Record  # noqa: E402


def record_golden(writer: GoldenWriter, record: Record) -> None:
    """Runs a record on PyTorch: with gradients recorded for float32, for the names of nodes."""
    for dtype in record.dtypes:
        for sample in record.all_samples(seed_of(record.label, dtype), dtype):
            grad = dtype == "float32" and bool(record.gradient)
            result = attempt(lambda s=sample, g=grad: Call(torch, record, s, g).run())
            writer.add(record.label, dtype, sample, result)


def main(names: list[str]) -> None:
    """Writes the goldens of the files named, or of all."""
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    GOLDENS.mkdir(parents=True, exist_ok=True)
    for name in names or BY_FILE:
        writer = GoldenWriter()
        for record in BY_FILE[name]:
            record_golden(writer, record)
        target = GOLDENS / f"{name}.npz"
        writer.save(target)
        print(f"{target.relative_to(ROOT)}: {target.stat().st_size // 1024} KiB")


if __name__ == "__main__":
    main(sys.argv[1:])
