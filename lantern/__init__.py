"""Lantern: PyTorch through clear glass. `import lantern as torch` runs a PyTorch script."""

from __future__ import annotations

import math as _math

from . import autograd as autograd
from . import dtypes as _dtypes
from .backends import native as _native
from .tensor import Tensor as Tensor
from . import ops as _ops
from .op import REGISTRY as _REGISTRY

# The public functions that the ops declare; what follows may replace some with a wider form.
globals().update({name: op for name, op in _REGISTRY.items() if op.function and op.public})

from .autograd.mode import enable_grad as enable_grad
from .autograd.mode import inference_mode as inference_mode
from .autograd.mode import is_grad_enabled as is_grad_enabled
from .autograd.mode import is_inference_mode_enabled as is_inference_mode_enabled
from .autograd.mode import no_grad as no_grad
from .autograd.mode import set_grad_enabled as set_grad_enabled
from .creation import *  # noqa: F403
from .factories import *  # noqa: F403
from .factories import range_ as range
from .spaced import *  # noqa: F403
from .windows import *  # noqa: F403
from .device import device as device
from .dtypes import can_cast as can_cast
from .dtypes import finfo as finfo
from .dtypes import get_default_dtype as get_default_dtype
from .dtypes import iinfo as iinfo
from .dtypes import promote_types as promote_types
from .dtypes import set_default_dtype as set_default_dtype
from .shape import Size as Size
from .shape import channels_last as channels_last
from .shape import channels_last_3d as channels_last_3d
from .shape import contiguous_format as contiguous_format
from .shape import layout as layout
from .shape import memory_format as memory_format
from .shape import preserve_format as preserve_format
from .shape import sparse_coo as sparse_coo
from .shape import strided as strided
from .untyped import UntypedStorage as UntypedStorage
from .typed import TypedStorage as TypedStorage
from .indexing import index_put as index_put
from .indexing import index_put_ as index_put_
from . import methods as _methods
from . import legacy as _legacy
from .legacy import set_default_tensor_type as set_default_tensor_type
from .legacy import eig as eig
from .legacy import lstsq as lstsq
from .legacy import matrix_rank as matrix_rank
from .legacy import solve as solve
from .legacy import symeig as symeig
from .lowrank import pca_lowrank as pca_lowrank
from .lowrank import svd_lowrank as svd_lowrank
from . import random as random
from .random import Generator as Generator
from .random import default_generator as default_generator
from .random import get_rng_state as get_rng_state
from .random import initial_seed as initial_seed
from .random import manual_seed as manual_seed
from .random import seed as seed
from .random import set_rng_state as set_rng_state
from .sampling import *  # noqa: F403
from .printing import set_printoptions as set_printoptions

from . import data as _data
from . import nn as nn
from .nn.functional import celu_ as celu_
from .nn.functional import relu_ as relu_
from .nn.functional import rrelu_ as rrelu_
from .nn.functional import selu_ as selu_
from .nn.functional import threshold_ as threshold_
from . import optim as optim
from . import utils as utils
from .compat.missing import missing as _missing

globals().update({each.name: each for each in _dtypes.ALL} | _dtypes.ALIASES | _legacy.TYPES)
dtype = _dtypes.dtype
pi, e, inf, nan, newaxis = _math.pi, _math.e, _math.inf, _math.nan, None
__version__ = "0.1.0"


# Loaded when first asked for: most programs need none or one of them.
_LAZY = {"compile": "compiler", "load": "serialization", "save": "serialization", "vmap": "func"}
_LAZY |= dict.fromkeys(
    (
        "autocast",
        "is_autocast_enabled",
        "is_autocast_cpu_enabled",
        "get_autocast_dtype",
        "GradScaler",
    ),
    "amp",
)
_LAZY |= dict.fromkeys(
    (
        "get_num_threads",
        "set_num_threads",
        "use_deterministic_algorithms",
        "are_deterministic_algorithms_enabled",
        "get_deterministic_debug_mode",
        "get_float32_matmul_precision",
        "get_num_interop_threads",
        "is_deterministic_algorithms_warn_only_enabled",
        "is_warn_always_enabled",
        "set_deterministic_debug_mode",
        "set_float32_matmul_precision",
        "set_num_interop_threads",
        "set_warn_always",
    ),
    "threads",
)
_absent = _missing(__name__)


def _kernels() -> object:
    from .compiler import eager

    return eager


_native.source = _kernels


def __getattr__(name: str) -> object:
    home = _LAZY.get(name)
    if home is None:
        return _absent(name)
    from importlib import import_module

    found = globals()[name] = getattr(import_module(f".{home}", __name__), name)
    return found
