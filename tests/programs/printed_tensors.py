"""Tensors as `print` shows them: columns, exponents, dots for what is left out, suffixes."""

import torch

torch.manual_seed(0)
inf, nan = float("inf"), float("nan")
for data in (
    [], [[]], 1, -1.5, True, [1.0, 2.0], [1.5, 200.0], [1e-5, 1.0], [1e5, 1.0], [1e8, 1.0],
    [0.1, 1e4], [99999.0, 1.5], [nan, 1.0], [inf, -inf, 1.25], [1e10, nan], [0.0, -0.0],
    [1e-10], [123456789], [-1, 100], [[1], [-20]], [True, False], [[[1.0]]], [1e38, 1e-38],
):
    print(torch.tensor(data))
print(torch.zeros(0, 3), torch.zeros(2, 0, 3), torch.zeros(0, dtype=torch.int32))
for kind in (torch.float16, torch.bfloat16, torch.float64, torch.int8, torch.uint8, torch.int16):
    print(torch.tensor([0, 1, 2]).to(kind), torch.tensor(3).to(kind))
print(torch.arange(1001), torch.rand(1001), torch.rand(50, 50), torch.rand(8, 200), sep="\n")
print(torch.arange(100), torch.rand(3, 12), torch.randn(2, 2, 3) * 1000, sep="\n")
print(torch.ones(2, 2, dtype=torch.float64, requires_grad=True) * 2)
print(torch.nn.Parameter(torch.ones(2)), torch.nn.Parameter(torch.arange(2.0), requires_grad=False))
print(repr(torch.tensor([1.0])), str(torch.Size([1, 2])), torch.float32, torch.device("cpu"))
x = torch.tensor(3.14159, requires_grad=True)
y = x * 2
print(x, y, f"{y:.3f}", f"{torch.tensor(7)}", f"{torch.tensor(7):5d}|", "%.2f" % y, "{:f}".format(y))
print(f"{torch.tensor([1.5, 2.5])}", [torch.tensor(1.0), torch.tensor(2)], {"a": torch.ones(1)})
torch.set_printoptions(precision=2)
print(torch.tensor([3.14159, 100.5]))
torch.set_printoptions(sci_mode=True)
print(torch.tensor([3.14159, 100.5]))
torch.set_printoptions(sci_mode=False, threshold=5, edgeitems=2, linewidth=40)
print(torch.rand(20), torch.rand(3, 9), sep="\n")
torch.set_printoptions(profile="default")
print(torch.tensor([3.14159, 100.5]))
print(torch.max(torch.tensor([[1.0, 2.0]]), 1), torch.tensor([3, 1]).sort())
