"""Images: datasets, transforms and networks, the names of `torchvision`.

`import lantern` does not import this package; `import lantern.vision` does.
"""

from __future__ import annotations

from lantern.compat.missing import missing

from . import datasets, io, models, ops, transforms, utils

__all__ = ["datasets", "io", "models", "ops", "transforms", "utils"]

# The torchvision release whose names and behaviour these are.
__version__ = "0.29.0"


def get_image_backend() -> str:
    """What reads images: Pillow."""
    return "PIL"


def set_image_backend(backend: str) -> None:
    """Choose what reads images; there is Pillow only. Raises ValueError for anything else."""
    if backend != "PIL":
        raise ValueError(f"Invalid backend '{backend}'. Lantern reads images with 'PIL' only.")


__getattr__ = missing(__name__)
