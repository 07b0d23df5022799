"""The types of `lantern`; written by scripts/write_stub.py."""

from builtins import bool as _bool
from builtins import float as _float
from builtins import int as _int
from builtins import tuple as _tuple
from builtins import type as _type
from collections.abc import Callable, Iterator
from typing import Any, Self

from .dtypes import dtype as _dtype
from .tensor import _ValuesAndIndices
from .random import Generator as Generator
from .shape import Size as Size
from .tensor import Tensor as Tensor
from .typed import TypedStorage as TypedStorage
from .untyped import UntypedStorage as UntypedStorage
from .creation import arange as arange
from . import arranging as arranging
from .creation import as_tensor as as_tensor
from .creation import asarray as asarray
from . import autograd as autograd
from . import backends as backends
from .windows import bartlett_window as bartlett_window
from .sampling import bernoulli as bernoulli
from . import binding as binding
from .sampling import binomial as binomial
from .windows import blackman_window as blackman_window
from .factories import broadcast_shapes as broadcast_shapes
from .dtypes import can_cast as can_cast
from .nn.functional import celu_ as celu_
from .shape import channels_last as channels_last
from .shape import channels_last_3d as channels_last_3d
from . import compat as compat
from .shape import contiguous_format as contiguous_format
from . import converting as converting
from . import creation as creation
from . import data as data
from .random import default_generator as default_generator
from .device import device as device
from .dtypes import dtype as dtype
from . import dtypes as dtypes
from .legacy import eig as eig
from .creation import empty as empty
from .factories import empty_like as empty_like
from .factories import empty_permuted as empty_permuted
from .factories import empty_strided as empty_strided
from .autograd.mode import enable_grad as enable_grad
from .spaced import eye as eye
from . import factories as factories
from .dtypes import finfo as finfo
from .creation import from_dlpack as from_dlpack
from .creation import from_numpy as from_numpy
from .creation import frombuffer as frombuffer
from .creation import full as full
from .factories import full_like as full_like
from . import fused as fused
from .factories import get_default_device as get_default_device
from .dtypes import get_default_dtype as get_default_dtype
from .random import get_rng_state as get_rng_state
from .windows import hamming_window as hamming_window
from .windows import hann_window as hann_window
from .dtypes import iinfo as iinfo
from .indexing import index_put as index_put
from .indexing import index_put_ as index_put_
from . import indexing as indexing
from .autograd.mode import inference_mode as inference_mode
from .random import initial_seed as initial_seed
from .factories import is_complex as is_complex
from .factories import is_conj as is_conj
from .factories import is_floating_point as is_floating_point
from .autograd.mode import is_grad_enabled as is_grad_enabled
from .autograd.mode import is_inference_mode_enabled as is_inference_mode_enabled
from .factories import is_nonzero as is_nonzero
from .factories import is_same_size as is_same_size
from .factories import is_signed as is_signed
from .factories import is_storage as is_storage
from .factories import is_tensor as is_tensor
from .windows import kaiser_window as kaiser_window
from .shape import layout as layout
from . import legacy as legacy
from .spaced import linspace as linspace
from .spaced import logspace as logspace
from . import lowrank as lowrank
from .legacy import lstsq as lstsq
from .random import manual_seed as manual_seed
from . import matrices as matrices
from .legacy import matrix_rank as matrix_rank
from .shape import memory_format as memory_format
from . import methods as methods
from . import moving as moving
from .sampling import multinomial as multinomial
from . import naming as naming
from . import nn as nn
from .autograd.mode import no_grad as no_grad
from .sampling import normal as normal
from .factories import numel as numel
from .creation import ones as ones
from .factories import ones_like as ones_like
from . import op as op
from . import ops as ops
from . import optim as optim
from .lowrank import pca_lowrank as pca_lowrank
from .sampling import poisson as poisson
from . import printing as printing
from .dtypes import promote_types as promote_types
from . import promotion as promotion
from . import quick as quick
from .sampling import rand as rand
from .sampling import rand_like as rand_like
from .sampling import randint as randint
from .sampling import randint_like as randint_like
from .sampling import randn as randn
from .sampling import randn_like as randn_like
from . import random as random
from .sampling import randperm as randperm
from .factories import range_ as range_
from .creation import result_type as result_type
from . import return_types as return_types
from . import sampling as sampling
from .creation import scalar_tensor as scalar_tensor
from .random import seed as seed
from .nn.functional import selu_ as selu_
from . import sequence_op as sequence_op
from .factories import set_default_device as set_default_device
from .dtypes import set_default_dtype as set_default_dtype
from .legacy import set_default_tensor_type as set_default_tensor_type
from .autograd.mode import set_grad_enabled as set_grad_enabled
from .printing import set_printoptions as set_printoptions
from .random import set_rng_state as set_rng_state
from . import shape as shape
from . import shaping as shaping
from .legacy import solve as solve
from . import spaced as spaced
from . import storage as storage
from .shape import strided as strided
from .lowrank import svd_lowrank as svd_lowrank
from .legacy import symeig as symeig
from .creation import tensor as tensor
from . import trees as trees
from .factories import tril_indices as tril_indices
from .factories import triu_indices as triu_indices
from . import typed as typed
from .factories import typename as typename
from . import untyped as untyped
from . import updating as updating
from . import utils as utils
from . import view_op as view_op
from . import windows as windows
from .creation import zeros as zeros
from .factories import zeros_like as zeros_like
from .amp import GradScaler as GradScaler
from .threads import are_deterministic_algorithms_enabled as are_deterministic_algorithms_enabled
from .amp import autocast as autocast
from .compiler import compile as compile
from .amp import get_autocast_dtype as get_autocast_dtype
from .threads import get_deterministic_debug_mode as get_deterministic_debug_mode
from .threads import get_float32_matmul_precision as get_float32_matmul_precision
from .threads import get_num_interop_threads as get_num_interop_threads
from .threads import get_num_threads as get_num_threads
from .amp import is_autocast_cpu_enabled as is_autocast_cpu_enabled
from .amp import is_autocast_enabled as is_autocast_enabled
from .threads import is_deterministic_algorithms_warn_only_enabled as is_deterministic_algorithms_warn_only_enabled
from .threads import is_warn_always_enabled as is_warn_always_enabled
from .serialization import load as load
from .serialization import save as save
from .threads import set_deterministic_debug_mode as set_deterministic_debug_mode
from .threads import set_float32_matmul_precision as set_float32_matmul_precision
from .threads import set_num_interop_threads as set_num_interop_threads
from .threads import set_num_threads as set_num_threads
from .threads import set_warn_always as set_warn_always
from .threads import use_deterministic_algorithms as use_deterministic_algorithms
from .func import vmap as vmap

BFloat16Tensor: Any
BoolTensor: Any
ByteTensor: Any
CharTensor: Any
DoubleTensor: Any
FloatTensor: Any
HalfTensor: Any
IntTensor: Any
LongTensor: Any
ShortTensor: Any
__version__: str
def abs(input: Any, *, out: Any = ...) -> Tensor: ...
def absolute(input: Any, *, out: Any = ...) -> Tensor: ...
def acos(input: Any, *, out: Any = ...) -> Tensor: ...
def acosh(input: Any, *, out: Any = ...) -> Tensor: ...
def adaptive_avg_pool1d(input: Any, output_size: Any, *, out: Any = ...) -> Tensor: ...
def add(input: Any, other: Any, *, alpha: Any = ..., out: Any = ...) -> Tensor: ...
def addbmm(
    input: Any,
    batch1: Any,
    batch2: Any,
    *,
    beta: Any = ...,
    alpha: Any = ...,
    out: Any = ...,
) -> Tensor: ...
def addcdiv(
    input: Any,
    tensor1: Any,
    tensor2: Any,
    *,
    value: Any = ...,
    out: Any = ...,
) -> Tensor: ...
def addcmul(
    input: Any,
    tensor1: Any,
    tensor2: Any,
    *,
    value: Any = ...,
    out: Any = ...,
) -> Tensor: ...
def addmm(
    input: Any,
    mat1: Any,
    mat2: Any,
    *,
    beta: Any = ...,
    alpha: Any = ...,
    out: Any = ...,
) -> Tensor: ...
def addmv(
    input: Any,
    mat: Any,
    vec: Any,
    *,
    beta: Any = ...,
    alpha: Any = ...,
    out: Any = ...,
) -> Tensor: ...
def addr(
    input: Any,
    vec1: Any,
    vec2: Any,
    *,
    beta: Any = ...,
    alpha: Any = ...,
    out: Any = ...,
) -> Tensor: ...
def adjoint(input: Any, *, out: Any = ...) -> Tensor: ...
def all(input: Any, dim: Any = ..., keepdim: _bool = ..., *, out: Any = ...) -> Tensor: ...
def allclose(
    input: Any,
    other: Any,
    rtol: Any = ...,
    atol: Any = ...,
    equal_nan: _bool = ...,
    *,
    out: Any = ...,
) -> _bool: ...
def alpha_dropout(input: Any, p: Any, train: Any, *, out: Any = ...) -> Tensor: ...
def amax(input: Any, dim: Any = ..., keepdim: _bool = ..., *, out: Any = ...) -> Tensor: ...
def amin(input: Any, dim: Any = ..., keepdim: _bool = ..., *, out: Any = ...) -> Tensor: ...
def aminmax(input: Any, *, dim: Any = ..., keepdim: _bool = ..., out: Any = ...) -> Any: ...
def angle(input: Any, *, out: Any = ...) -> Tensor: ...
def any(input: Any, dim: Any = ..., keepdim: _bool = ..., *, out: Any = ...) -> Tensor: ...
def arccos(input: Any, *, out: Any = ...) -> Tensor: ...
def arccosh(input: Any, *, out: Any = ...) -> Tensor: ...
def arcsin(input: Any, *, out: Any = ...) -> Tensor: ...
def arcsinh(input: Any, *, out: Any = ...) -> Tensor: ...
def arctan(input: Any, *, out: Any = ...) -> Tensor: ...
def arctan2(input: Any, other: Any, *, out: Any = ...) -> Tensor: ...
def arctanh(input: Any, *, out: Any = ...) -> Tensor: ...
def argmax(input: Any, dim: Any = ..., keepdim: _bool = ..., *, out: Any = ...) -> Tensor: ...
def argmin(input: Any, dim: Any = ..., keepdim: _bool = ..., *, out: Any = ...) -> Tensor: ...
def argsort(
    input: Any,
    dim: Any = ...,
    descending: _bool = ...,
    stable: _bool = ...,
    *,
    out: Any = ...,
) -> Tensor: ...
def argwhere(input: Any, *, out: Any = ...) -> Tensor: ...
def as_strided(
    input: Any,
    size: Any,
    stride: Any,
    storage_offset: Any = ...,
    *,
    out: Any = ...,
) -> Tensor: ...
def as_strided_scatter(
    input: Any,
    src: Any,
    size: Any,
    stride: Any,
    storage_offset: Any = ...,
    *,
    out: Any = ...,
) -> Tensor: ...
def asin(input: Any, *, out: Any = ...) -> Tensor: ...
def asinh(input: Any, *, out: Any = ...) -> Tensor: ...
def atan(input: Any, *, out: Any = ...) -> Tensor: ...
def atan2(input: Any, other: Any, *, out: Any = ...) -> Tensor: ...
def atanh(input: Any, *, out: Any = ...) -> Tensor: ...
def atleast_1d(*tensors: Any, out: Any = ...) -> Any: ...
def atleast_2d(*tensors: Any, out: Any = ...) -> Any: ...
def atleast_3d(*tensors: Any, out: Any = ...) -> Any: ...
def avg_pool1d(
    input: Any,
    kernel_size: Any,
    stride: Any = ...,
    padding: Any = ...,
    ceil_mode: _bool = ...,
    count_include_pad: _bool = ...,
    *,
    out: Any = ...,
) -> Tensor: ...
def baddbmm(
    input: Any,
    batch1: Any,
    batch2: Any,
    *,
    beta: Any = ...,
    alpha: Any = ...,
    out: Any = ...,
) -> Tensor: ...
bfloat16: _dtype
def bilinear(
    input1: Any,
    input2: Any,
    weight: Any,
    bias: Any = ...,
    *,
    out: Any = ...,
) -> Tensor: ...
def bincount(input: Any, weights: Any = ..., minlength: Any = ..., *, out: Any = ...) -> Tensor: ...
def bitwise_and(input: Any, other: Any, *, out: Any = ...) -> Tensor: ...
def bitwise_left_shift(input: Any, other: Any, *, out: Any = ...) -> Tensor: ...
def bitwise_not(input: Any, *, out: Any = ...) -> Tensor: ...
def bitwise_or(input: Any, other: Any, *, out: Any = ...) -> Tensor: ...
def bitwise_right_shift(input: Any, other: Any, *, out: Any = ...) -> Tensor: ...
def bitwise_xor(input: Any, other: Any, *, out: Any = ...) -> Tensor: ...
def block_diag(*tensors: Any, out: Any = ...) -> Tensor: ...
def bmm(input: Any, mat2: Any, *, out: Any = ...) -> Tensor: ...
bool: _dtype
def broadcast_tensors(*tensors: Any, out: Any = ...) -> _tuple[Tensor, ...]: ...
def broadcast_to(input: Any, size: Any, *, out: Any = ...) -> Tensor: ...
def bucketize(
    input: Any,
    boundaries: Any,
    *,
    out_int32: _bool = ...,
    right: _bool = ...,
    out: Any = ...,
) -> Tensor: ...
def cartesian_prod(*tensors: Any, out: Any = ...) -> Tensor: ...
def cat(tensors: Any, dim: Any = ..., *, out: Any = ...) -> Tensor: ...
def cdist(x1: Any, x2: Any, p: Any = ..., compute_mode: Any = ..., *, out: Any = ...) -> Tensor: ...
def ceil(input: Any, *, out: Any = ...) -> Tensor: ...
def celu(input: Any, alpha: Any = ..., *, out: Any = ...) -> Tensor: ...
def chain_matmul(*matrices: Any, out: Any = ...) -> Tensor: ...
def channel_shuffle(input: Any, groups: Any, *, out: Any = ...) -> Tensor: ...
def cholesky(input: Any, upper: _bool = ..., *, out: Any = ...) -> Tensor: ...
def cholesky_inverse(input: Any, upper: _bool = ..., *, out: Any = ...) -> Tensor: ...
def cholesky_solve(input: Any, L: Any, upper: _bool = ..., *, out: Any = ...) -> Tensor: ...
def chunk(input: Any, chunks: Any, dim: Any = ..., *, out: Any = ...) -> _tuple[Tensor, ...]: ...
def clamp(input: Any, min: Any = ..., max: Any = ..., *, out: Any = ...) -> Tensor: ...
def clamp_max(input: Any, max: Any, *, out: Any = ...) -> Tensor: ...
def clamp_min(input: Any, min: Any, *, out: Any = ...) -> Tensor: ...
def clip(input: Any, min: Any = ..., max: Any = ..., *, out: Any = ...) -> Tensor: ...
def clone(input: Any, *, memory_format: Any = ..., out: Any = ...) -> Tensor: ...
def column_stack(tensors: Any, *, out: Any = ...) -> Tensor: ...
def combinations(
    input: Any,
    r: Any = ...,
    with_replacement: _bool = ...,
    *,
    out: Any = ...,
) -> Tensor: ...
def concat(tensors: Any, dim: Any = ..., *, out: Any = ...) -> Tensor: ...
def concatenate(tensors: Any, dim: Any = ..., *, out: Any = ...) -> Tensor: ...
def conj(input: Any, *, out: Any = ...) -> Tensor: ...
def conj_physical(input: Any, *, out: Any = ...) -> Tensor: ...
def conv1d(
    input: Any,
    weight: Any,
    bias: Any = ...,
    stride: Any = ...,
    padding: Any = ...,
    dilation: Any = ...,
    groups: Any = ...,
    *,
    out: Any = ...,
) -> Tensor: ...
def conv2d(
    input: Any,
    weight: Any,
    bias: Any = ...,
    stride: Any = ...,
    padding: Any = ...,
    dilation: Any = ...,
    groups: Any = ...,
    *,
    out: Any = ...,
) -> Tensor: ...
def conv3d(
    input: Any,
    weight: Any,
    bias: Any = ...,
    stride: Any = ...,
    padding: Any = ...,
    dilation: Any = ...,
    groups: Any = ...,
    *,
    out: Any = ...,
) -> Tensor: ...
def conv_transpose1d(
    input: Any,
    weight: Any,
    bias: Any = ...,
    stride: Any = ...,
    padding: Any = ...,
    output_padding: Any = ...,
    groups: Any = ...,
    dilation: Any = ...,
    *,
    out: Any = ...,
) -> Tensor: ...
def conv_transpose2d(
    input: Any,
    weight: Any,
    bias: Any = ...,
    stride: Any = ...,
    padding: Any = ...,
    output_padding: Any = ...,
    groups: Any = ...,
    dilation: Any = ...,
    *,
    out: Any = ...,
) -> Tensor: ...
def conv_transpose3d(
    input: Any,
    weight: Any,
    bias: Any = ...,
    stride: Any = ...,
    padding: Any = ...,
    output_padding: Any = ...,
    groups: Any = ...,
    dilation: Any = ...,
    *,
    out: Any = ...,
) -> Tensor: ...
def copysign(input: Any, other: Any, *, out: Any = ...) -> Tensor: ...
def corrcoef(input: Any, *, out: Any = ...) -> Tensor: ...
def cos(input: Any, *, out: Any = ...) -> Tensor: ...
def cosh(input: Any, *, out: Any = ...) -> Tensor: ...
def cosine_similarity(
    x1: Any,
    x2: Any,
    dim: Any = ...,
    eps: Any = ...,
    *,
    out: Any = ...,
) -> Tensor: ...
def count_nonzero(input: Any, dim: Any = ..., *, out: Any = ...) -> Tensor: ...
def cov(
    input: Any,
    *,
    correction: Any = ...,
    fweights: Any = ...,
    aweights: Any = ...,
    out: Any = ...,
) -> Tensor: ...
def cross(input: Any, other: Any, dim: Any = ..., *, out: Any = ...) -> Tensor: ...
def ctc_loss(
    log_probs: Any,
    targets: Any,
    input_lengths: Any,
    target_lengths: Any,
    blank: Any = ...,
    reduction: Any = ...,
    zero_infinity: _bool = ...,
    *,
    out: Any = ...,
) -> Tensor: ...
def cummax(input: Any, dim: Any, *, out: Any = ...) -> _ValuesAndIndices: ...
def cummin(input: Any, dim: Any, *, out: Any = ...) -> _ValuesAndIndices: ...
def cumprod(input: Any, dim: Any, *, dtype: _dtype | None = ..., out: Any = ...) -> Tensor: ...
def cumsum(input: Any, dim: Any, *, dtype: _dtype | None = ..., out: Any = ...) -> Tensor: ...
def cumulative_trapezoid(
    y: Any,
    x: Any = ...,
    *,
    dx: Any = ...,
    dim: Any = ...,
    out: Any = ...,
) -> Tensor: ...
def deg2rad(input: Any, *, out: Any = ...) -> Tensor: ...
def det(input: Any, *, out: Any = ...) -> Tensor: ...
def diag(input: Any, diagonal: Any = ..., *, out: Any = ...) -> Tensor: ...
def diag_embed(
    input: Any,
    offset: Any = ...,
    dim1: Any = ...,
    dim2: Any = ...,
    *,
    out: Any = ...,
) -> Tensor: ...
def diagflat(input: Any, offset: Any = ..., *, out: Any = ...) -> Tensor: ...
def diagonal(
    input: Any,
    offset: Any = ...,
    dim1: Any = ...,
    dim2: Any = ...,
    *,
    out: Any = ...,
) -> Tensor: ...
def diagonal_copy(
    input: Any,
    offset: Any = ...,
    dim1: Any = ...,
    dim2: Any = ...,
    *,
    out: Any = ...,
) -> Tensor: ...
def diagonal_scatter(
    input: Any,
    src: Any,
    offset: Any = ...,
    dim1: Any = ...,
    dim2: Any = ...,
    *,
    out: Any = ...,
) -> Tensor: ...
def diff(
    input: Any,
    n: Any = ...,
    dim: Any = ...,
    prepend: Any = ...,
    append: Any = ...,
    *,
    out: Any = ...,
) -> Tensor: ...
def digamma(input: Any, *, out: Any = ...) -> Tensor: ...
def dist(input: Any, other: Any, p: Any = ..., *, out: Any = ...) -> Tensor: ...
def div(input: Any, other: Any, *, rounding_mode: Any = ..., out: Any = ...) -> Tensor: ...
def divide(input: Any, other: Any, *, rounding_mode: Any = ..., out: Any = ...) -> Tensor: ...
def dot(input: Any, tensor: Any, *, out: Any = ...) -> Tensor: ...
double: _dtype
def dropout(input: Any, p: Any, train: Any, *, out: Any = ...) -> Tensor: ...
def dsplit(
    input: Any,
    indices_or_sections: Any = ...,
    *,
    indices: Any = ...,
    sections: Any = ...,
    out: Any = ...,
) -> _tuple[Tensor, ...]: ...
def dstack(tensors: Any, *, out: Any = ...) -> Tensor: ...
e: _float
def einsum(equation: Any, operands: Any, *, out: Any = ...) -> Tensor: ...
def eq(input: Any, other: Any, *, out: Any = ...) -> Tensor: ...
def equal(input: Any, other: Any, *, out: Any = ...) -> _bool: ...
def erf(input: Any, *, out: Any = ...) -> Tensor: ...
def erfc(input: Any, *, out: Any = ...) -> Tensor: ...
def erfinv(input: Any, *, out: Any = ...) -> Tensor: ...
def exp(input: Any, *, out: Any = ...) -> Tensor: ...
def exp2(input: Any, *, out: Any = ...) -> Tensor: ...
def expm1(input: Any, *, out: Any = ...) -> Tensor: ...
def feature_alpha_dropout(input: Any, p: Any, train: Any, *, out: Any = ...) -> Tensor: ...
def feature_dropout(input: Any, p: Any, train: Any, *, out: Any = ...) -> Tensor: ...
def fill(input: Any, value: Any, *, out: Any = ...) -> Tensor: ...
def fix(input: Any, *, out: Any = ...) -> Tensor: ...
def flatten(input: Any, start_dim: Any = ..., end_dim: Any = ..., *, out: Any = ...) -> Tensor: ...
def flip(input: Any, *dims: Any, out: Any = ...) -> Tensor: ...
def fliplr(input: Any, *, out: Any = ...) -> Tensor: ...
def flipud(input: Any, *, out: Any = ...) -> Tensor: ...
float: _dtype
float16: _dtype
float32: _dtype
float64: _dtype
def float_power(input: Any, exponent: Any, *, out: Any = ...) -> Tensor: ...
def floor(input: Any, *, out: Any = ...) -> Tensor: ...
def floor_divide(input: Any, other: Any, *, out: Any = ...) -> Tensor: ...
def fmax(input: Any, other: Any, *, out: Any = ...) -> Tensor: ...
def fmin(input: Any, other: Any, *, out: Any = ...) -> Tensor: ...
def fmod(input: Any, other: Any, *, out: Any = ...) -> Tensor: ...
def frac(input: Any, *, out: Any = ...) -> Tensor: ...
def frexp(input: Any, *, out: Any = ...) -> Any: ...
def gather(
    input: Any,
    dim: Any,
    index: Any,
    *,
    sparse_grad: _bool = ...,
    out: Any = ...,
) -> Tensor: ...
def gcd(input: Any, other: Any, *, out: Any = ...) -> Tensor: ...
def ge(input: Any, other: Any, *, out: Any = ...) -> Tensor: ...
def ger(input: Any, vec2: Any, *, out: Any = ...) -> Tensor: ...
def gradient(
    input: Any,
    *,
    spacing: Any = ...,
    dim: Any = ...,
    edge_order: Any = ...,
    out: Any = ...,
) -> Tensor: ...
def greater(input: Any, other: Any, *, out: Any = ...) -> Tensor: ...
def greater_equal(input: Any, other: Any, *, out: Any = ...) -> Tensor: ...
def gru(
    input: Any,
    hx: Any,
    params: Any,
    has_biases: Any,
    num_layers: Any,
    dropout: Any,
    train: Any,
    bidirectional: Any,
    batch_first: _bool = ...,
    *,
    out: Any = ...,
) -> Tensor: ...
def gru_cell(
    input: Any,
    hx: Any,
    w_ih: Any,
    w_hh: Any,
    b_ih: Any = ...,
    b_hh: Any = ...,
    *,
    out: Any = ...,
) -> Tensor: ...
def gt(input: Any, other: Any, *, out: Any = ...) -> Tensor: ...
half: _dtype
def hardshrink(input: Any, lambd: Any = ..., *, out: Any = ...) -> Tensor: ...
def heaviside(input: Any, values: Any, *, out: Any = ...) -> Tensor: ...
def histc(
    input: Any,
    bins: Any = ...,
    min: Any = ...,
    max: Any = ...,
    *,
    out: Any = ...,
) -> Tensor: ...
def histogram(
    input: Any,
    bins: Any,
    *,
    range: Any = ...,
    weight: Any = ...,
    density: _bool = ...,
    out: Any = ...,
) -> Tensor: ...
def hsplit(
    input: Any,
    indices_or_sections: Any = ...,
    *,
    indices: Any = ...,
    sections: Any = ...,
    out: Any = ...,
) -> _tuple[Tensor, ...]: ...
def hstack(tensors: Any, *, out: Any = ...) -> Tensor: ...
def hypot(input: Any, other: Any, *, out: Any = ...) -> Tensor: ...
def i0(input: Any, *, out: Any = ...) -> Tensor: ...
def igamma(input: Any, other: Any, *, out: Any = ...) -> Tensor: ...
def igammac(input: Any, other: Any, *, out: Any = ...) -> Tensor: ...
def imag(input: Any, *, out: Any = ...) -> Tensor: ...
def index_add(
    input: Any,
    dim: Any,
    index: Any,
    source: Any,
    *,
    alpha: Any = ...,
    out: Any = ...,
) -> Tensor: ...
def index_copy(input: Any, dim: Any, index: Any, source: Any, *, out: Any = ...) -> Tensor: ...
def index_fill(input: Any, dim: Any, index: Any, value: Any, *, out: Any = ...) -> Tensor: ...
def index_reduce(
    input: Any,
    dim: Any,
    index: Any,
    source: Any,
    reduce: Any,
    *,
    include_self: _bool = ...,
    out: Any = ...,
) -> Tensor: ...
def index_select(input: Any, dim: Any, index: Any, *, out: Any = ...) -> Tensor: ...
inf: _float
def inner(input: Any, other: Any, *, out: Any = ...) -> Tensor: ...
int: _dtype
int16: _dtype
int32: _dtype
int64: _dtype
int8: _dtype
def inverse(input: Any, *, out: Any = ...) -> Tensor: ...
def isclose(
    input: Any,
    other: Any,
    rtol: Any = ...,
    atol: Any = ...,
    equal_nan: _bool = ...,
    *,
    out: Any = ...,
) -> Tensor: ...
def isfinite(input: Any, *, out: Any = ...) -> Tensor: ...
def isin(
    elements: Any,
    test_elements: Any,
    *,
    assume_unique: _bool = ...,
    invert: _bool = ...,
    out: Any = ...,
) -> Tensor: ...
def isinf(input: Any, *, out: Any = ...) -> Tensor: ...
def isnan(input: Any, *, out: Any = ...) -> Tensor: ...
def isneginf(input: Any, *, out: Any = ...) -> Tensor: ...
def isposinf(input: Any, *, out: Any = ...) -> Tensor: ...
def isreal(input: Any, *, out: Any = ...) -> Tensor: ...
def kron(input: Any, other: Any, *, out: Any = ...) -> Tensor: ...
def kthvalue(
    input: Any,
    k: Any,
    dim: Any = ...,
    keepdim: _bool = ...,
    *,
    out: Any = ...,
) -> _ValuesAndIndices: ...
def lcm(input: Any, other: Any, *, out: Any = ...) -> Tensor: ...
def ldexp(input: Any, other: Any, *, out: Any = ...) -> Tensor: ...
def le(input: Any, other: Any, *, out: Any = ...) -> Tensor: ...
def lerp(input: Any, end: Any, weight: Any, *, out: Any = ...) -> Tensor: ...
def less(input: Any, other: Any, *, out: Any = ...) -> Tensor: ...
def less_equal(input: Any, other: Any, *, out: Any = ...) -> Tensor: ...
def lgamma(input: Any, *, out: Any = ...) -> Tensor: ...
def linear(input: Any, weight: Any, bias: Any = ..., *, out: Any = ...) -> Tensor: ...
def log(input: Any, *, out: Any = ...) -> Tensor: ...
def log10(input: Any, *, out: Any = ...) -> Tensor: ...
def log1p(input: Any, *, out: Any = ...) -> Tensor: ...
def log2(input: Any, *, out: Any = ...) -> Tensor: ...
def log_softmax(input: Any, dim: Any, dtype: _dtype | None = ..., *, out: Any = ...) -> Tensor: ...
def logaddexp(input: Any, other: Any, *, out: Any = ...) -> Tensor: ...
def logaddexp2(input: Any, other: Any, *, out: Any = ...) -> Tensor: ...
def logcumsumexp(input: Any, dim: Any, *, out: Any = ...) -> Tensor: ...
def logdet(input: Any, *, out: Any = ...) -> Tensor: ...
def logical_and(input: Any, other: Any, *, out: Any = ...) -> Tensor: ...
def logical_not(input: Any, *, out: Any = ...) -> Tensor: ...
def logical_or(input: Any, other: Any, *, out: Any = ...) -> Tensor: ...
def logical_xor(input: Any, other: Any, *, out: Any = ...) -> Tensor: ...
def logit(input: Any, eps: Any = ..., *, out: Any = ...) -> Tensor: ...
def logsumexp(input: Any, dim: Any, keepdim: _bool = ..., *, out: Any = ...) -> Tensor: ...
long: _dtype
def lstm(
    input: Any,
    hx: Any,
    params: Any,
    has_biases: Any,
    num_layers: Any,
    dropout: Any,
    train: Any,
    bidirectional: Any,
    batch_first: _bool = ...,
    *,
    out: Any = ...,
) -> Tensor: ...
def lstm_cell(
    input: Any,
    hx: Any,
    w_ih: Any,
    w_hh: Any,
    b_ih: Any = ...,
    b_hh: Any = ...,
    *,
    out: Any = ...,
) -> Tensor: ...
def lt(input: Any, other: Any, *, out: Any = ...) -> Tensor: ...
def lu_solve(input: Any, LU_data: Any, LU_pivots: Any, *, out: Any = ...) -> Tensor: ...
def lu_unpack(
    LU_data: Any,
    LU_pivots: Any,
    unpack_data: _bool = ...,
    unpack_pivots: _bool = ...,
    *,
    out: Any = ...,
) -> Tensor: ...
def masked_fill(input: Any, mask: Any, value: Any, *, out: Any = ...) -> Tensor: ...
def masked_scatter(input: Any, mask: Any, source: Any, *, out: Any = ...) -> Tensor: ...
def masked_select(input: Any, mask: Any, *, out: Any = ...) -> Tensor: ...
def matmul(input: Any, other: Any, *, out: Any = ...) -> Tensor: ...
def matrix_exp(input: Any, *, out: Any = ...) -> Tensor: ...
def matrix_power(input: Any, n: Any, *, out: Any = ...) -> Tensor: ...
def max(
    input: Any,
    dim: Any = ...,
    keepdim: _bool = ...,
    *,
    other: Any = ...,
    out: Any = ...,
) -> Any: ...
def max_pool1d(
    input: Any,
    kernel_size: Any,
    stride: Any = ...,
    padding: Any = ...,
    dilation: Any = ...,
    ceil_mode: _bool = ...,
    return_indices: _bool = ...,
    *,
    out: Any = ...,
) -> Tensor: ...
def max_pool2d(
    input: Any,
    kernel_size: Any,
    stride: Any = ...,
    padding: Any = ...,
    dilation: Any = ...,
    ceil_mode: _bool = ...,
    return_indices: _bool = ...,
    *,
    out: Any = ...,
) -> Tensor: ...
def max_pool3d(
    input: Any,
    kernel_size: Any,
    stride: Any = ...,
    padding: Any = ...,
    dilation: Any = ...,
    ceil_mode: _bool = ...,
    return_indices: _bool = ...,
    *,
    out: Any = ...,
) -> Tensor: ...
def maximum(input: Any, other: Any, *, out: Any = ...) -> Tensor: ...
def mean(
    input: Any,
    dim: Any = ...,
    keepdim: _bool = ...,
    *,
    dtype: _dtype | None = ...,
    out: Any = ...,
) -> Tensor: ...
def median(input: Any, dim: Any = ..., keepdim: _bool = ..., *, out: Any = ...) -> Any: ...
def meshgrid(*tensors: Any, indexing: Any = ..., out: Any = ...) -> _tuple[Tensor, ...]: ...
def min(
    input: Any,
    dim: Any = ...,
    keepdim: _bool = ...,
    *,
    other: Any = ...,
    out: Any = ...,
) -> Any: ...
def minimum(input: Any, other: Any, *, out: Any = ...) -> Tensor: ...
def mm(input: Any, mat2: Any, *, out: Any = ...) -> Tensor: ...
def mode(
    input: Any,
    dim: Any = ...,
    keepdim: _bool = ...,
    *,
    out: Any = ...,
) -> _ValuesAndIndices: ...
def moveaxis(input: Any, source: Any, destination: Any, *, out: Any = ...) -> Tensor: ...
def movedim(input: Any, source: Any, destination: Any, *, out: Any = ...) -> Tensor: ...
def msort(input: Any, *, out: Any = ...) -> Tensor: ...
def mul(input: Any, other: Any, *, out: Any = ...) -> Tensor: ...
def multiply(input: Any, other: Any, *, out: Any = ...) -> Tensor: ...
def mv(input: Any, vec: Any, *, out: Any = ...) -> Tensor: ...
def mvlgamma(input: Any, p: Any, *, out: Any = ...) -> Tensor: ...
nan: _float
def nan_to_num(
    input: Any,
    nan: Any = ...,
    posinf: Any = ...,
    neginf: Any = ...,
    *,
    out: Any = ...,
) -> Tensor: ...
def nanmean(
    input: Any,
    dim: Any = ...,
    keepdim: _bool = ...,
    *,
    dtype: _dtype | None = ...,
    out: Any = ...,
) -> Tensor: ...
def nanmedian(input: Any, dim: Any = ..., keepdim: _bool = ..., *, out: Any = ...) -> Any: ...
def nanquantile(
    input: Any,
    q: Any,
    dim: Any = ...,
    keepdim: _bool = ...,
    *,
    interpolation: Any = ...,
    out: Any = ...,
) -> Tensor: ...
def nansum(
    input: Any,
    dim: Any = ...,
    keepdim: _bool = ...,
    *,
    dtype: _dtype | None = ...,
    out: Any = ...,
) -> Tensor: ...
def narrow(input: Any, dim: Any, start: Any, length: Any, *, out: Any = ...) -> Tensor: ...
def narrow_copy(input: Any, dim: Any, start: Any, length: Any, *, out: Any = ...) -> Tensor: ...
def ne(input: Any, other: Any, *, out: Any = ...) -> Tensor: ...
def neg(input: Any, *, out: Any = ...) -> Tensor: ...
def negative(input: Any, *, out: Any = ...) -> Tensor: ...
newaxis: Any
def nextafter(input: Any, other: Any, *, out: Any = ...) -> Tensor: ...
def nonzero(input: Any, *, as_tuple: _bool = ..., out: Any = ...) -> Any: ...
def nonzero_static(input: Any, *, size: Any, fill_value: Any = ..., out: Any = ...) -> Tensor: ...
def norm(
    input: Any,
    p: Any = ...,
    dim: Any = ...,
    keepdim: _bool = ...,
    out: Any = ...,
    dtype: _dtype | None = ...,
) -> Tensor: ...
def not_equal(input: Any, other: Any, *, out: Any = ...) -> Tensor: ...
def outer(input: Any, vec2: Any, *, out: Any = ...) -> Tensor: ...
def pairwise_distance(
    x1: Any,
    x2: Any,
    p: Any = ...,
    eps: Any = ...,
    keepdim: _bool = ...,
    *,
    out: Any = ...,
) -> Tensor: ...
def pdist(input: Any, p: Any = ..., *, out: Any = ...) -> Tensor: ...
def permute(input: Any, *dims: Any, out: Any = ...) -> Tensor: ...
pi: _float
def pinverse(input: Any, rcond: Any = ..., *, out: Any = ...) -> Tensor: ...
def pixel_shuffle(input: Any, upscale_factor: Any, *, out: Any = ...) -> Tensor: ...
def pixel_unshuffle(input: Any, downscale_factor: Any, *, out: Any = ...) -> Tensor: ...
def polygamma(n: Any, input: Any, *, out: Any = ...) -> Tensor: ...
def positive(input: Any, *, out: Any = ...) -> Tensor: ...
def pow(input: Any, exponent: Any, *, out: Any = ...) -> Tensor: ...
def prelu(input: Any, weight: Any, *, out: Any = ...) -> Tensor: ...
preserve_format: Any
def prod(
    input: Any,
    dim: Any = ...,
    keepdim: _bool = ...,
    *,
    dtype: _dtype | None = ...,
    out: Any = ...,
) -> Tensor: ...
def qr(input: Any, some: _bool = ..., *, out: Any = ...) -> Any: ...
def quantile(
    input: Any,
    q: Any,
    dim: Any = ...,
    keepdim: _bool = ...,
    *,
    interpolation: Any = ...,
    out: Any = ...,
) -> Tensor: ...
def rad2deg(input: Any, *, out: Any = ...) -> Tensor: ...
range: Any
def ravel(input: Any, *, out: Any = ...) -> Tensor: ...
def real(input: Any, *, out: Any = ...) -> Tensor: ...
def reciprocal(input: Any, *, out: Any = ...) -> Tensor: ...
def relu(input: Any, *, out: Any = ...) -> Tensor: ...
relu_: Any
def remainder(input: Any, other: Any, *, out: Any = ...) -> Tensor: ...
def renorm(input: Any, p: Any, dim: Any, maxnorm: Any, *, out: Any = ...) -> Tensor: ...
def repeat_interleave(
    input: Any,
    repeats: Any = ...,
    dim: Any = ...,
    *,
    output_size: Any = ...,
    out: Any = ...,
) -> Tensor: ...
def reshape(input: Any, *shape: Any, out: Any = ...) -> Tensor: ...
def resolve_conj(input: Any, *, out: Any = ...) -> Any: ...
def resolve_neg(input: Any, *, out: Any = ...) -> Tensor: ...
def rnn_relu(
    input: Any,
    hx: Any,
    params: Any,
    has_biases: Any,
    num_layers: Any,
    dropout: Any,
    train: Any,
    bidirectional: Any,
    batch_first: _bool = ...,
    *,
    out: Any = ...,
) -> Tensor: ...
def rnn_relu_cell(
    input: Any,
    hx: Any,
    w_ih: Any,
    w_hh: Any,
    b_ih: Any = ...,
    b_hh: Any = ...,
    *,
    out: Any = ...,
) -> Tensor: ...
def rnn_tanh(
    input: Any,
    hx: Any,
    params: Any,
    has_biases: Any,
    num_layers: Any,
    dropout: Any,
    train: Any,
    bidirectional: Any,
    batch_first: _bool = ...,
    *,
    out: Any = ...,
) -> Tensor: ...
def rnn_tanh_cell(
    input: Any,
    hx: Any,
    w_ih: Any,
    w_hh: Any,
    b_ih: Any = ...,
    b_hh: Any = ...,
    *,
    out: Any = ...,
) -> Tensor: ...
def roll(input: Any, shifts: Any, dims: Any = ..., *, out: Any = ...) -> Tensor: ...
def rot90(input: Any, k: Any = ..., dims: Any = ..., *, out: Any = ...) -> Tensor: ...
def round(input: Any, *, decimals: Any = ..., out: Any = ...) -> Tensor: ...
def row_stack(tensors: Any, *, out: Any = ...) -> Tensor: ...
def rrelu(
    input: Any,
    lower: Any = ...,
    upper: Any = ...,
    training: _bool = ...,
    generator: Any = ...,
    *,
    out: Any = ...,
) -> Tensor: ...
rrelu_: Any
def rsqrt(input: Any, *, out: Any = ...) -> Tensor: ...
def rsub(input: Any, other: Any, *, alpha: Any = ..., out: Any = ...) -> Tensor: ...
def scatter(
    input: Any,
    dim: Any,
    index: Any,
    src: Any = ...,
    *,
    value: Any = ...,
    reduce: Any = ...,
    out: Any = ...,
) -> Tensor: ...
def scatter_add(input: Any, dim: Any, index: Any, src: Any, *, out: Any = ...) -> Tensor: ...
def scatter_reduce(
    input: Any,
    dim: Any,
    index: Any,
    src: Any,
    reduce: Any,
    *,
    include_self: _bool = ...,
    out: Any = ...,
) -> Tensor: ...
def searchsorted(
    sorted_sequence: Any,
    input: Any,
    *,
    out_int32: _bool = ...,
    right: _bool = ...,
    side: Any = ...,
    sorter: Any = ...,
    out: Any = ...,
) -> Tensor: ...
def select(input: Any, dim: Any, index: Any, *, out: Any = ...) -> Tensor: ...
def select_scatter(input: Any, src: Any, dim: Any, index: Any, *, out: Any = ...) -> Tensor: ...
def selu(input: Any, *, out: Any = ...) -> Tensor: ...
def sgn(input: Any, *, out: Any = ...) -> Tensor: ...
short: _dtype
def sigmoid(input: Any, *, out: Any = ...) -> Tensor: ...
def sign(input: Any, *, out: Any = ...) -> Tensor: ...
def signbit(input: Any, *, out: Any = ...) -> Tensor: ...
def sin(input: Any, *, out: Any = ...) -> Tensor: ...
def sinc(input: Any, *, out: Any = ...) -> Tensor: ...
def sinh(input: Any, *, out: Any = ...) -> Tensor: ...
def slice_scatter(
    input: Any,
    src: Any,
    dim: Any = ...,
    start: Any = ...,
    end: Any = ...,
    step: Any = ...,
    *,
    out: Any = ...,
) -> Tensor: ...
def slogdet(input: Any, *, out: Any = ...) -> Any: ...
def softmax(input: Any, dim: Any, dtype: _dtype | None = ..., *, out: Any = ...) -> Tensor: ...
def sort(
    input: Any,
    dim: Any = ...,
    descending: _bool = ...,
    *,
    stable: Any = ...,
    out: Any = ...,
) -> _ValuesAndIndices: ...
sparse_coo: Any
def split(
    tensor: Any,
    split_size_or_sections: Any,
    dim: Any = ...,
    *,
    out: Any = ...,
) -> _tuple[Tensor, ...]: ...
def split_with_sizes(
    input: Any,
    split_sizes: Any,
    dim: Any = ...,
    *,
    out: Any = ...,
) -> _tuple[Tensor, ...]: ...
def sqrt(input: Any, *, out: Any = ...) -> Tensor: ...
def square(input: Any, *, out: Any = ...) -> Tensor: ...
def squeeze(input: Any, dim: Any = ..., *, out: Any = ...) -> Tensor: ...
def stack(tensors: Any, dim: Any = ..., *, out: Any = ...) -> Tensor: ...
def std(
    input: Any,
    dim: Any = ...,
    unbiased: Any = ...,
    keepdim: _bool = ...,
    *,
    correction: Any = ...,
    out: Any = ...,
) -> Tensor: ...
def std_mean(
    input: Any,
    dim: Any = ...,
    unbiased: Any = ...,
    keepdim: _bool = ...,
    *,
    correction: Any = ...,
    out: Any = ...,
) -> _tuple[Tensor, ...]: ...
def sub(input: Any, other: Any, *, alpha: Any = ..., out: Any = ...) -> Tensor: ...
def subtract(input: Any, other: Any, *, alpha: Any = ..., out: Any = ...) -> Tensor: ...
def sum(
    input: Any,
    dim: Any = ...,
    keepdim: _bool = ...,
    *,
    dtype: _dtype | None = ...,
    out: Any = ...,
) -> Tensor: ...
def svd(input: Any, some: _bool = ..., compute_uv: _bool = ..., *, out: Any = ...) -> Any: ...
def swapaxes(input: Any, axis0: Any, axis1: Any, *, out: Any = ...) -> Tensor: ...
def swapdims(input: Any, dim0: Any, dim1: Any, *, out: Any = ...) -> Tensor: ...
def t(input: Any, *, out: Any = ...) -> Tensor: ...
def take(input: Any, index: Any, *, out: Any = ...) -> Tensor: ...
def take_along_dim(input: Any, indices: Any, dim: Any = ..., *, out: Any = ...) -> Tensor: ...
def tan(input: Any, *, out: Any = ...) -> Tensor: ...
def tanh(input: Any, *, out: Any = ...) -> Tensor: ...
def tensor_split(
    input: Any,
    indices_or_sections: Any = ...,
    dim: Any = ...,
    *,
    indices: Any = ...,
    sections: Any = ...,
    out: Any = ...,
) -> _tuple[Tensor, ...]: ...
def tensordot(a: Any, b: Any, dims: Any = ..., *, out: Any = ...) -> Tensor: ...
def threshold(input: Any, threshold: Any, value: Any, *, out: Any = ...) -> Tensor: ...
threshold_: Any
def tile(input: Any, *dims: Any, out: Any = ...) -> Tensor: ...
def topk(
    input: Any,
    k: Any,
    dim: Any = ...,
    largest: _bool = ...,
    sorted: _bool = ...,
    *,
    out: Any = ...,
) -> _ValuesAndIndices: ...
def trace(input: Any, *, out: Any = ...) -> Tensor: ...
def transpose(input: Any, dim0: Any, dim1: Any, *, out: Any = ...) -> Tensor: ...
def trapezoid(y: Any, x: Any = ..., *, dx: Any = ..., dim: Any = ..., out: Any = ...) -> Tensor: ...
def trapz(y: Any, x: Any = ..., *, dx: Any = ..., dim: Any = ..., out: Any = ...) -> Tensor: ...
def triangular_solve(
    input: Any,
    A: Any,
    upper: _bool = ...,
    transpose: _bool = ...,
    unitriangular: _bool = ...,
    *,
    out: Any = ...,
) -> Tensor: ...
def tril(input: Any, diagonal: Any = ..., *, out: Any = ...) -> Tensor: ...
def triu(input: Any, diagonal: Any = ..., *, out: Any = ...) -> Tensor: ...
def true_divide(input: Any, other: Any, *, out: Any = ...) -> Tensor: ...
def trunc(input: Any, *, out: Any = ...) -> Tensor: ...
uint16: _dtype
uint32: _dtype
uint64: _dtype
uint8: _dtype
def unbind(input: Any, dim: Any = ..., *, out: Any = ...) -> _tuple[Tensor, ...]: ...
def unflatten(input: Any, dim: Any, sizes: Any, *, out: Any = ...) -> Tensor: ...
def unique(
    input: Any,
    sorted: _bool = ...,
    return_inverse: _bool = ...,
    return_counts: _bool = ...,
    dim: Any = ...,
    *,
    out: Any = ...,
) -> Any: ...
def unique_consecutive(
    input: Any,
    return_inverse: _bool = ...,
    return_counts: _bool = ...,
    dim: Any = ...,
    *,
    out: Any = ...,
) -> Any: ...
def unravel_index(indices: Any, shape: Any, *, out: Any = ...) -> Tensor: ...
def unsafe_chunk(
    input: Any,
    chunks: Any,
    dim: Any = ...,
    *,
    out: Any = ...,
) -> _tuple[Tensor, ...]: ...
def unsafe_split(
    tensor: Any,
    split_size: Any,
    dim: Any = ...,
    *,
    out: Any = ...,
) -> _tuple[Tensor, ...]: ...
def unsqueeze(input: Any, dim: Any, *, out: Any = ...) -> Tensor: ...
def vander(x: Any, N: Any = ..., increasing: _bool = ..., *, out: Any = ...) -> Tensor: ...
def var(
    input: Any,
    dim: Any = ...,
    unbiased: Any = ...,
    keepdim: _bool = ...,
    *,
    correction: Any = ...,
    out: Any = ...,
) -> Tensor: ...
def var_mean(
    input: Any,
    dim: Any = ...,
    unbiased: Any = ...,
    keepdim: _bool = ...,
    *,
    correction: Any = ...,
    out: Any = ...,
) -> _tuple[Tensor, ...]: ...
def vdot(input: Any, other: Any, *, out: Any = ...) -> Tensor: ...
def vsplit(
    input: Any,
    indices_or_sections: Any = ...,
    *,
    indices: Any = ...,
    sections: Any = ...,
    out: Any = ...,
) -> _tuple[Tensor, ...]: ...
def vstack(tensors: Any, *, out: Any = ...) -> Tensor: ...
def where(condition: Any, input: Any, other: Any, *, out: Any = ...) -> Any: ...
def xlogy(input: Any, other: Any, *, out: Any = ...) -> Tensor: ...
def __getattr__(name: str) -> Any: ...
