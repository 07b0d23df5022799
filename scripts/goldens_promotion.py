"""Write tests/goldens/promotion.json: which dtype PyTorch gives a result, or how it refuses.

Every cell of every table is a place in `outcomes`, whose entries are a dtype name or a pair
`[exception, message]`. In a message `{x}` and `{y}` stand for what messages call the dtypes of the
row and of the column (`legacy`: Float for float32). Rows and columns follow `dtypes`, or `operands`
where these are named.

- `promote_types[i][j]`, `can_cast[i][j]` (rows of "0" and "1"; from i to j)
- `result_type[default][i][j]` over `operands`: a tensor with dimensions of each dtype, a 0-d tensor
  of each dtype, and the Python scalars True, 1 and 1.0
- `unary[default][expression][i]` with `x`, a tensor of two ones
- `binary[default][expression][i][j]` with `x` likewise and `y` one of `operands`
- `pairs[expression][i][j]` with `x` and `y` both tensors of two ones
- `scalars[default][expression]`: dtypes of tensors made from Python numbers

`default` is the default dtype in force. The expressions are run with `torch`, `x` and `y`; a test
runs the same text with `torch` standing for Lantern. Needs PyTorch; run it as

    python scripts/goldens_promotion.py
"""

from __future__ import annotations

import json
import re
import warnings
from collections.abc import Callable
from typing import Any

import torch
from golden_file import GOLDENS, write

DTYPES = (
    "bool",
    "uint8",
    "int8",
    "int16",
    "int32",
    "int64",
    "uint16",
    "uint32",
    "uint64",
    "float16",
    "bfloat16",
    "float32",
    "float64",
)
LEGACY = (
    "Bool",
    "Byte",
    "Char",
    "Short",
    "Int",
    "Long",
    "UInt16",
    "UInt32",
    "UInt64",
    "Half",
    "BFloat16",
    "Float",
    "Double",
)
SCALARS: dict[str, Any] = {"True": True, "1": 1, "1.0": 1.0}
OPERANDS = [*(f"{d}[2]" for d in DTYPES), *(f"{d}[]" for d in DTYPES), *SCALARS]
DEFAULTS = ("float32", "float64", "float16", "bfloat16")

# functions that give floats from integers
FLOAT = """
    exp exp2 expm1 log log2 log10 log1p sqrt rsqrt sin cos tan asin acos atan sinh cosh tanh asinh
    acosh atanh sigmoid erf erfc erfinv reciprocal deg2rad rad2deg lgamma digamma sinc logit i0
    special.expit special.log1p special.ndtr
"""
# functions that keep the dtype, or refuse some
KEEP = """
    abs neg positive sign sgn square floor ceil round trunc frac relu clone ones_like zeros_like
    empty_like rand_like randn_like nan_to_num bitwise_not flip
"""
BOOL = "logical_not isnan isinf isfinite isposinf isneginf signbit"
REDUCE = """
    sum prod mean std var any all argmax argmin max min amax amin median nanmedian nansum nanmean
    logsumexp count_nonzero norm unique argsort nonzero cumsum cumprod logcumsumexp softmax
    log_softmax cummax.values cummax.indices sort.values sort.indices max.values max.indices
    min.values min.indices median.values mode.values topk.values topk.indices kthvalue.values
    std_mean.0 aminmax.min
"""
WITH_DIM = {
    "amax",
    "amin",
    "logsumexp",
    "cumsum",
    "cumprod",
    "logcumsumexp",
    "softmax",
    "log_softmax",
    "cummax",
    "cummin",
}
WITH_COUNT = {"topk", "kthvalue"}
BY_DIM = {"max", "min", "median"}

UNARY_EXPRESSIONS = [
    "-x",
    "+x",
    "~x",
    "abs(x)",
    "x == 1",
    "x < 1.5",
    "x > True",
    "x != x",
    "x.mean(dim=0)",
    "x.sum(dim=0)",
    "x.sum(dtype=torch.float64)",
    "x.sum(dtype=torch.int32)",
    "x.sum(dtype=torch.bool)",
    "x.mean(dtype=torch.float64)",
    "x.mean(dtype=torch.int64)",
    "x.prod(dtype=torch.int16)",
    "x.cumsum(0, dtype=torch.float16)",
    "x.any(0)",
    "x.all(0)",
    "x.argmax(0)",
    "x.softmax(0, dtype=torch.float64)",
    "x.clamp(0, 1)",
    "x.clamp(min=0.5)",
    "x.clamp(max=True)",
    "x.pow(2)",
    "x.pow(2.0)",
    "x.pow(0.5)",
    "x ** -1",
    "2 ** x",
    "2.0 ** x",
    "1 / x",
    "1 // x",
    "x.exp_()",
    "x.sqrt_()",
    "x.sigmoid_()",
    "x.floor_()",
    "x.neg_()",
    "x.relu_()",
    "x.zero_()",
    "x.fill_(1.5)",
    "x.add_(1)",
    "x.add_(1.5)",
    "x.add_(True)",
    "x.mul_(2)",
    "x.mul_(0.5)",
    "x.div_(2)",
    "x.sub_(1)",
    "x.pow_(2)",
    "x.pow_(0.5)",
    "x.add(1, alpha=2)",
    "x.add(1, alpha=0.5)",
    "x.sub(1, alpha=True)",
    "x.cumsum_(0)",
    "x.normal_()",
    "x.uniform_()",
    "x.random_(2)",
    "x.bernoulli_(0.5)",
    "x.requires_grad_()",
    "torch.where(x > 0, x, 0)",
    "torch.where(x > 0, x, 0.5)",
    "torch.where(x > 0, 1, 0)",
    "torch.where(x > 0, 1.0, 0)",
    "torch.nn.functional.gelu(x)",
    "torch.nn.functional.silu(x)",
    "torch.nn.functional.elu(x)",
    "torch.nn.functional.softplus(x)",
    "torch.nn.functional.leaky_relu(x)",
    "torch.nn.functional.hardtanh(x)",
    "torch.nn.functional.logsigmoid(x)",
    "torch.nn.functional.one_hot(x)",
    "torch.tril(x.diag())",
    "torch.bincount(x)",
    "torch.histc(x)",
    "torch.dot(x, x)",
    "x @ x",
    "x.masked_fill(x > 0, 2)",
    "x.masked_fill(x > 0, 2.5)",
    "torch.div(x, 2, rounding_mode='floor')",
    "torch.div(x, 2, rounding_mode='trunc')",
    "x << 1",
    "x >> 1",
    "x & 1",
    "x & True",
    "x | 1.0",
    "x.float()",
    "x.type_as(torch.zeros(1))",
    "x.new_ones(2)",
    "x.new_tensor([1.5])",
    "x.new_full((2,), 1.5)",
    "torch.full_like(x, 1.5)",
    "torch.rand_like(x, dtype=torch.float32)",
    "torch.diff(x)",
    "torch.exp(x, out=torch.empty(0, dtype=torch.int64))",
    "torch.exp(x, out=torch.empty(0, dtype=torch.float16))",
    "x.item() * torch.ones(2)",
]
BINARY_EXPRESSIONS = [
    "x + y",
    "x - y",
    "y - x",
    "x * y",
    "x / y",
    "y / x",
    "x // y",
    "y // x",
    "x % y",
    "y % x",
    "x ** y",
    "y ** x",
    "x == y",
    "x < y",
    "x & y",
    "x | y",
    "x ^ y",
    "x << y",
    "x >> y",
    "torch.where(x == 1, x, y)",
    "x.add_(y)",
    "x.sub_(y)",
    "x.mul_(y)",
    "x.div_(y)",
    "x.floor_divide_(y)",
    "x.remainder_(y)",
    "x.pow_(y)",
    "x.bitwise_and_(y)",
    "x.eq_(y)",
    "x.clamp(min=y)",
    "x.masked_fill(x == 1, y)",
    "torch.div(x, y, rounding_mode='trunc')",
    "torch.div(x, y, rounding_mode='floor')",
    "torch.add(x, y, alpha=2)",
]
PAIR_EXPRESSIONS = [
    "torch.maximum(x, y)",
    "torch.minimum(x, y)",
    "torch.fmax(x, y)",
    "torch.atan2(x, y)",
    "torch.hypot(x, y)",
    "torch.fmod(x, y)",
    "torch.logical_and(x, y)",
    "torch.logical_xor(x, y)",
    "torch.gcd(x, y)",
    "torch.copysign(x, y)",
    "torch.logaddexp(x, y)",
    "torch.cat([x, y])",
    "torch.stack([x, y])",
    "torch.dot(x, y)",
    "x @ y",
    "torch.outer(x, y)",
    "x.reshape(1, 2) @ y.reshape(2, 1)",
    "torch.lerp(x, y, 0.5)",
    "torch.addcmul(x, x, y)",
    "x.copy_(y)",
    "torch.add(x, x, out=y)",
    "torch.div(x, x, out=y)",
    "torch.isclose(x, y)",
    "torch.nn.functional.mse_loss(x, y)",
    "torch.nn.functional.l1_loss(x, y)",
    "torch.nn.functional.binary_cross_entropy_with_logits(x, y)",
    "torch.xlogy(x, y)",
    "x[y]",
    "x.index_select(0, y)",
    "x.gather(0, y)",
    "x.masked_fill(y, 1)",
    "x.to(y.dtype)",
]
SCALAR_EXPRESSIONS = [
    "torch.tensor(1)",
    "torch.tensor(1.5)",
    "torch.tensor(True)",
    "torch.tensor([])",
    "torch.tensor([1, 2.5])",
    "torch.tensor([True, 2])",
    "torch.tensor([True, 2.5])",
    "torch.tensor([[]])",
    "torch.arange(3)",
    "torch.arange(3.0)",
    "torch.arange(0, 1, 0.5)",
    "torch.arange(True)",
    "torch.full((2,), 1)",
    "torch.full((2,), 1.5)",
    "torch.full((2,), True)",
    "torch.zeros(2)",
    "torch.linspace(0, 1, 3)",
    "torch.eye(2)",
    "torch.rand(2)",
    "torch.randint(3, (2,))",
    "torch.randperm(3)",
    "torch.scalar_tensor(1)",
    "torch.Tensor([1])",
    "torch.Tensor(2)",
    "torch.as_tensor(2.5)",
    "torch.as_tensor([1, 2])",
    "torch.where(torch.tensor(True), 1, 2.5)",
    "torch.tensor([1, 2]) + 1.5",
    "torch.tensor([1, 2]) * torch.tensor(1.5)",
    "torch.tensor(1) / torch.tensor(2)",
    "torch.tensor(True) / True",
    "torch.logspace(0, 1, 3)",
    "torch.tril_indices(2, 2)",
    "torch.normal(0.0, 1.0, (2,))",
    "torch.multinomial(torch.ones(3), 1)",
    "torch.bernoulli(torch.tensor([0.5]))",
    "torch.tensor(3).float()",
    "torch.tensor(3).double()",
    "torch.tensor(3).half()",
    "torch.nn.Linear(2, 2).weight",
    "torch.range(0, 2)",
]


class Outcomes:
    """The list that all tables point into, each outcome once."""

    def __init__(self) -> None:
        self.entries: list[Any] = list(DTYPES)

    def of(self, make: Callable[..., Any], *given: Any, x: str = "", y: str = "") -> int:
        """Return the place of what `make(*given)` gives: its result's dtype, or its exception.

        `x` and `y` name the operands, for the messages.
        """
        try:
            result = make(*given)
            dtype = result if isinstance(result, torch.dtype) else result.dtype
            outcome: Any = str(dtype).removeprefix("torch.")
        except (RuntimeError, TypeError, IndexError, ValueError, NotImplementedError) as error:
            # the lines after the first name PyTorch's own sources
            outcome = [type(error).__name__, templated(str(error).split("\n")[0], x, y)]
        if outcome not in self.entries:
            self.entries.append(outcome)
        return self.entries.index(outcome)


def templated(message: str, x: str, y: str) -> str:
    """Return a message with `{x}` and `{y}` for the legacy names of the operands' dtypes."""
    for place, name in (("{x}", x), ("{y}", y)):
        dtype = name.partition("[")[0]
        if dtype in DTYPES:
            message = re.sub(rf"\b{LEGACY[DTYPES.index(dtype)]}\b", place, message)
    return message


def ones(name: str, *size: int) -> torch.Tensor:
    """Return ones of the named dtype."""
    return torch.ones(size, dtype=getattr(torch, name))


def kinds_of(*names: str) -> list[torch.dtype]:
    """Return the dtypes of these names."""
    return [getattr(torch, name) for name in names]


def operand(name: str) -> Any:
    """Return the tensor or Python scalar that an entry of `operands` names."""
    if name in SCALARS:
        return SCALARS[name]
    return ones(name.partition("[")[0], *((2,) if name.endswith("[2]") else ()))


def evaluated(expression: str, x: Any = None, y: Any = None) -> Any:
    """Run one expression of the tables."""
    return eval(expression, {"torch": torch, "x": x, "y": y})


def unary_expressions() -> list[str]:
    """Return all expressions in `x`, those of the lists of names written out."""
    calls = [f"torch.{name}(x)" for name in (FLOAT + KEEP + BOOL).split()]
    for entry in REDUCE.split():
        name, _, field = entry.partition(".")
        more = ", 1" if name in WITH_COUNT else ""
        if name in WITH_DIM or (field and name in BY_DIM):
            more = ", 0"
        after = f"[{field}]" if field.isdigit() else f".{field}" if field else ""
        calls.append(f"torch.{name}(x{more}){after}")
    return calls + UNARY_EXPRESSIONS


def tables_under(default: str, outcomes: Outcomes) -> dict[str, Any]:
    """Return the tables that depend on the default dtype."""
    torch.set_default_dtype(getattr(torch, default))
    try:
        found: dict[str, Any] = {
            "result_type": [
                [outcomes.of(torch.result_type, operand(a), operand(b), x=a, y=b) for b in OPERANDS]
                for a in OPERANDS
            ]
        }
        found["scalars"] = {text: outcomes.of(evaluated, text) for text in SCALAR_EXPRESSIONS}
        if default not in ("float32", "float64"):
            return found
        found["unary"] = {
            text: [outcomes.of(evaluated, text, ones(a, 2), x=a) for a in DTYPES]
            for text in unary_expressions()
        }
        found["binary"] = {
            text: [
                [outcomes.of(evaluated, text, ones(a, 2), operand(b), x=a, y=b) for b in OPERANDS]
                for a in DTYPES
            ]
            for text in BINARY_EXPRESSIONS
        }
        return found
    finally:
        torch.set_default_dtype(torch.float32)


def tables() -> dict[str, Any]:
    """Return everything the file holds."""
    outcomes = Outcomes()
    found: dict[str, Any] = {
        "torch": torch.__version__.partition("+")[0],
        "dtypes": DTYPES,
        "legacy": LEGACY,
        "operands": OPERANDS,
        "outcomes": outcomes.entries,
        "promote_types": [
            [outcomes.of(torch.promote_types, *kinds_of(a, b), x=a, y=b) for b in DTYPES]
            for a in DTYPES
        ],
        "can_cast": [
            "".join(str(int(torch.can_cast(*kinds_of(a, b)))) for b in DTYPES) for a in DTYPES
        ],
        "pairs": {
            text: [
                [outcomes.of(evaluated, text, ones(a, 2), ones(b, 2), x=a, y=b) for b in DTYPES]
                for a in DTYPES
            ]
            for text in PAIR_EXPRESSIONS
        },
    }
    for default in DEFAULTS:
        for name, table in tables_under(default, outcomes).items():
            found.setdefault(name, {})[default] = table
    return found


def main() -> None:
    """Make the tables with PyTorch, one short line per row."""
    warnings.simplefilter("ignore")
    torch.manual_seed(0)
    text = json.dumps(tables(), separators=(",", ":"))
    text = re.sub(r'(\]\],|\},|\],)(?=["\[])', r"\1\n", text)
    write(GOLDENS / "promotion.json", text + "\n")


if __name__ == "__main__":
    main()
