"""Making tensors, their types and sizes, and the operations shown first in every course."""

import torch

torch.manual_seed(0)

x = torch.empty(5, 3)
print(x.shape, x.dtype, x.device, x.requires_grad)
x = torch.rand(5, 3)
print(x)
print(torch.zeros(5, 3, dtype=torch.long))
print(torch.zeros(5, 3).long().dtype)
x = torch.tensor([5.5, 3])
print(x)
x = x.new_ones(5, 3, dtype=torch.double)
print(x)
x = torch.randn_like(x, dtype=torch.float)
print(x)
print(x.shape, x.size(), x.size(0), isinstance(x.shape, tuple))

y = torch.rand(5, 3)
print(x + y)
print(torch.add(x, y))
result = torch.empty(5, 3)
torch.add(x, y, out=result)
print(result)
y.add_(x)
print(y)
print(x[1:, 1:])

x = torch.randn(4, 4)
y = x.view(16)
z = x.view(-1, 8)
print(y, z, sep="\n")
y[0] = 100
print(x[0, 0], z[0, 0].item())
x = torch.randn(1)
print(x, round(x.item(), 5))
print(z.transpose(1, 0))
print(z.t().shape, z.T.is_contiguous(), z.stride(), z.T.stride())

a = torch.tensor([7, 4, 3, 2, 6])
print(a[0], a[-1], a.dtype, a.type(), a.tolist(), a.size(), a.ndimension(), a.ndim, len(a))
a = a.type(torch.FloatTensor)
print(a, a.type())
a = torch.tensor([7, 4, 3, 2, 6], dtype=torch.int32)
print(a, a.type())
print(torch.FloatTensor([1, 2]), torch.IntTensor([1, 2]), torch.Tensor([3, 4]), torch.LongTensor([5]))
print(torch.tensor(3.14), torch.tensor([[1, 2], [3, 4]]), torch.tensor([True, False]))
print(torch.tensor(7.0).double(), torch.tensor([1.5, 2.5]).half(), torch.tensor([1, 2]).byte())
print(torch.tensor([1.9, -1.9]).int(), torch.tensor([0, 2]).bool(), torch.tensor([1.0]).bfloat16())

a = torch.randn(2, 3)
print(a.view(3, 2).shape)
for shape in [(4, -1), (-1, -1), (7,)]:
    try:
        a.view(*shape)
    except RuntimeError as error:
        print("RuntimeError:", error)
try:
    a.item()
except RuntimeError as error:
    print("RuntimeError:", error)
try:
    a.t().view(6)
except RuntimeError as error:
    print("RuntimeError:", str(error)[:60])

Y = torch.ones(2, 2)
X = torch.arange(4.0).reshape(2, 2)
before = id(Y)
place = Y.data_ptr()
Y[:] = X + Y
print(id(Y) == before, Y.data_ptr() == place, Y)
Y += X
print(id(Y) == before, Y.data_ptr() == place)
Y = Y + X
print(Y.data_ptr() == place, Y)

x = torch.arange(6).reshape(2, 3)
print(x.copy_(torch.tensor([9, 8, 7])), x.t_().shape, x.zero_(), x.fill_(3), sep="\n")
print(torch.arange(0, 1, 0.25), torch.linspace(0, 1, 5), torch.arange(5, 0, -2), torch.eye(3))
print(torch.full((2, 2), 7), torch.full((2,), 0.5), torch.logspace(0, 2, 3))
print(torch.normal(0, 1, (2, 3)), torch.randint(0, 10, (2, 5)), torch.randperm(7), sep="\n")
print(torch.normal(torch.zeros(3), torch.tensor([1.0, 10.0, 100.0])), torch.rand(2, 2, dtype=torch.float64))
print(torch.ones_like(a), torch.zeros_like(a, dtype=torch.int64), torch.full_like(a, 2.0))
print(torch.cuda.is_available(), torch.device("cpu"), torch.device("cuda:0"))
print(a.to("cpu", torch.double).dtype, a.cpu() is a, a.to(torch.float32) is a)
