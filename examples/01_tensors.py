"""Tensors are made from lists, shapes and other tensors, and computed with as in NumPy.
The last part shows memory that tensors and NumPy arrays share, in both directions.

张量可以由列表、形状或其它张量创建,并像 NumPy 数组一样运算。
最后一部分展示张量与 NumPy 数组双向共享内存。
"""

import numpy as np

import lantern as torch

torch.manual_seed(0)

print("--- making 创建")
print(torch.tensor(3.14), torch.tensor([1, 2, 3]), torch.tensor([[1, 2], [3, 4]]))
print(torch.rand(5, 3))
print(torch.zeros(5, 3, dtype=torch.long).dtype, torch.zeros(5, 3).long().dtype)
x = torch.tensor([5.5, 3])
print(x)
x = x.new_ones(5, 3, dtype=torch.double)
print(x)
x = torch.randn_like(x, dtype=torch.float)
print(x, x.shape, sep="\n")

print("--- one dimension 一维")
a = torch.tensor([7, 4, 3, 2, 6])
print(a[0], a.dtype, a.type(), a.tolist(), a.size(), a.ndimension())
a = a.type(torch.FloatTensor)
print(a.type(), torch.tensor([7, 4, 3, 2, 6], dtype=torch.int32).type())
b = torch.randn(2, 3)
print(b.view(3, 2).shape, b.reshape(-1).shape)
try:
    b.view(4, -1)
except RuntimeError as error:
    print("RuntimeError:", error)

print("--- operations 运算")
y = torch.rand(5, 3)
print(torch.equal(x + y, torch.add(x, y)))
result = torch.empty(5, 3)
torch.add(x, y, out=result)
y.add_(x)
print(torch.equal(result, y))
print(x[1:, 1:])
x = torch.randn(4, 4)
z = x.view(-1, 8)
print(z, z.transpose(1, 0), sep="\n")
print(torch.randn(1).item())
A = torch.arange(6.0).reshape(2, 3)
print(A * A, A.mm(A.T), A @ A.t(), A.sum(axis=0), A.mean(dim=1, keepdim=True), sep="\n")
before = id(A)
A[:] = A + 1  # the same memory 原地
print(id(A) == before)

print("--- NumPy: shared memory 共享内存")
a = torch.ones(5)
b = a.numpy()
b[1] = 2
print(a)
a = np.ones(5)
b = torch.from_numpy(a)
np.add(a, 1, out=a)
print(a, b)

print("--- devices 设备")
print(torch.cuda.is_available())
if torch.cuda.is_available():
    x = torch.ones(2, device=torch.device("cuda"))
    print(x + 1, (x + 1).to("cpu", torch.double))
