"""Import path of `torch.utils.data`: thin names for `lantern.data`."""

from __future__ import annotations

import sys

import lantern.data
from lantern.compat.missing import missing
from lantern.data import *  # noqa: F403
from lantern.data import __all__ as __all__
from lantern.data import collate, dataloader, dataset, sampler

# Scripts also import from the files of torch.utils.data (`from torch.utils.data.sampler import
# SubsetRandomSampler`). The import system looks for files of a package only, and finds a module
# that is already listed by its name.
__path__: list[str] = []
distributed = sampler
_utils = lantern.data
for _name, _module in {
    "dataset": dataset,
    "sampler": sampler,
    "dataloader": dataloader,
    "distributed": distributed,
    "_utils": _utils,
    "_utils.collate": collate,
}.items():
    sys.modules[f"{__name__}.{_name}"] = _module


__getattr__ = missing(__name__)
