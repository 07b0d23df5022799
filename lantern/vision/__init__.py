"""Image datasets and transforms: the names of `torchvision`.

`import lantern` does not import this package; `import lantern.vision` does.
"""

from __future__ import annotations

from . import datasets, transforms

__all__ = ["datasets", "transforms"]

# The torchvision release whose names and behaviour these are.
__version__ = "0.28.0"


def __getattr__(name: str) -> object:
    raise AttributeError(f"torchvision.{name} is not in Lantern yet")
