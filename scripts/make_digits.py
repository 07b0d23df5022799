"""Write the digits that come with Lantern, from the copy inside scikit-learn.

Run once, with scikit-learn installed: python scripts/make_digits.py
"""

from __future__ import annotations

import gzip
import os
import struct
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

FOLDER = Path(__file__).parent.parent / "lantern" / "vision" / "datasets"
TEST_IMAGES = 360
LEVELS = 16


def write_idx(name: str, values: np.ndarray) -> None:
    """Write uint8 `values` as a compressed IDX file whose bytes depend on nothing else."""
    header = struct.pack(f">HBB{values.ndim}I", 0, 8, values.ndim, *values.shape)
    partial = FOLDER / (name + ".part")
    partial.write_bytes(gzip.compress(header + values.tobytes(), compresslevel=9, mtime=0))
    os.replace(partial, FOLDER / name)


def main() -> None:
    """Divide the images by class, training part first, and write images and labels."""
    digits = load_digits()
    images = np.round(digits.images * 255 / LEVELS).astype(np.uint8)
    labels = digits.target.astype(np.uint8)
    train, test = train_test_split(
        np.arange(len(labels)), test_size=TEST_IMAGES, stratify=labels, random_state=0
    )
    order = np.concatenate([np.sort(train), np.sort(test)])
    write_idx("digits-images-idx3-ubyte.gz", images[order])
    write_idx("digits-labels-idx1-ubyte.gz", labels[order])


if __name__ == "__main__":
    main()
