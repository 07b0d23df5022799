"""The layers of `lantern.nn`, each in the file where PyTorch has it: pickles name these paths."""

from __future__ import annotations

from lantern.compat.missing import missing

from . import activation, container, dropout, flatten, linear, loss
from . import module as module
from .activation import *  # noqa: F403
from .container import *  # noqa: F403
from .dropout import *  # noqa: F403
from .flatten import *  # noqa: F403
from .linear import *  # noqa: F403
from .loss import *  # noqa: F403
from .module import Module

_FILES = (activation, container, dropout, flatten, linear, loss)
__all__ = ["Module", *(name for file in _FILES for name in file.__all__)]

__getattr__ = missing(__name__)
