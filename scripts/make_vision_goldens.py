"""Write tests/goldens/transforms.npz: what torchvision's transforms give on small images.

Run with torchvision installed: python scripts/make_vision_goldens.py
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np
import torch
from torchvision import transforms
from torchvision.transforms import functional

TESTS = Path(__file__).parent.parent / "tests"
sys.path.insert(0, str(TESTS))

from vision_cases import run  # noqa: E402


def main() -> None:
    """Run every case; equal arrays are stored once, all in one row of bytes."""
    index, arrays, places = [], [], {}
    for key, result in run(torch, transforms, functional):
        for part, array in result().items():
            content = (array.dtype.str, array.shape, array.tobytes())
            if content not in places:
                places[content] = len(arrays)
                arrays.append(content)
            index.append(f"{key}\t{part}\t{places[content]}")
    shapes = "\n".join(f"{dtype}\t{','.join(map(str, shape))}" for dtype, shape, _ in arrays)
    target = TESTS / "goldens" / "transforms.npz"
    partial = target.with_suffix(".part.npz")
    np.savez_compressed(
        partial,
        index=np.frombuffer("\n".join(index).encode(), np.uint8),
        shapes=np.frombuffer(shapes.encode(), np.uint8),
        values=np.frombuffer(b"".join(content for *_, content in arrays), np.uint8),
    )
    os.replace(partial, target)


if __name__ == "__main__":
    main()
