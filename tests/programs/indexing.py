"""Reading and writing with integers, slices, masks, index tensors; what shares memory."""

import torch

torch.manual_seed(2)

x = torch.arange(24).reshape(2, 3, 4)
print(x[0], x[1, 2], x[1, 2, 3], x[..., 1], x[:, None, 0].shape, x[:, ::2, 1:3], sep="\n")
print(x[[0, 1], [1, 2]], x[torch.tensor([1, 0, 1])].shape, x[:, [2, 0]], x[x > 20], sep="\n")
print(x[-1, -1, -2:], x[:, torch.tensor([True, False, True])].shape, x[0][x[0] % 2 == 0])
print(x.select(1, 0), x.narrow(2, 1, 2).shape, x.index_select(0, torch.tensor([1])), sep="\n")
print(torch.gather(x[0], 1, torch.tensor([[0], [1], [2]])), x.take(torch.tensor([0, 23])))
print(x.nonzero().shape, torch.masked_select(x, x < 3), x[0].diagonal(), x.unbind(0)[1][0])

data = torch.rand(10, 6)
data = data[torch.randperm(data.size(0)), :]
train, test = data[:7, :], data[7:, :]
print(data, train[:, :3].shape, test[:, -3:].shape, test[:, -1].reshape((-1, 1)).shape)

pred = torch.randn(5, 3)
print(pred)
pred[:, torch.argmax(pred, axis=1)] = 1
pred[pred != 1] = 0
print(pred)
pred = torch.sigmoid(torch.randn(6, 1))
pred[pred >= 0.5] = 1
pred[pred < 0.5] = 0
print(pred.T)
h = torch.randn(2, 5)
grad = h.clone()
grad[h < 0] = 0
print(h, grad)

a = torch.zeros(3, 4)
a[1] = torch.arange(4.0)
a[:, 2] = 5
a[2, 1:3] = torch.tensor([7, 8])
a[[0, 0], [0, 3]] = -1
a[a == 5] += 0.5
print(a)
a[0], a[1] = a[1].clone(), a[0].clone()
a[..., -1] *= 2
a[torch.tensor([2, 0])] = torch.tensor([[1.0], [2.0]])
print(a)
row = a[1]
row += 100
row[0] = float("nan")
picked = a[[1]]
picked.zero_()
a.T[3].fill_(-0.0)
print(a, a.t()[1:].sum(), a.isnan().sum())
a.index_add_(0, torch.tensor([0, 0]), torch.ones(2, 4))
a.scatter_(1, torch.tensor([[0], [1], [2]]), 9.0)
a.masked_fill_(a == 9, 0.125)
print(a)
count = torch.zeros(4, dtype=torch.int64)
count.index_put_((torch.tensor([1, 1, 3]),), torch.tensor(1), accumulate=True)
print(count, a.unfold(1, 2, 1).shape, torch.flip(count, [0]), count.roll(1))

for name, index in [
    ("too large", 5),
    ("too small", -6),
    ("too many", (0, 0, 0)),
    ("a mask of another size", torch.tensor([True, False])),
    ("a float", 1.0),
    ("a list out of range", [0, 7]),
    ("text", "a"),
]:
    try:
        print(name, a[index])
    except Exception as error:
        print(name, type(error).__name__, str(error).splitlines()[0])
for name, index, value in [
    ("wrong size", slice(None), torch.ones(3)),
    ("wrong size in a row", 0, torch.ones(2, 4)),
    ("list", 0, [1.0, 2.0]),
]:
    try:
        a[index] = value
        print(name, a[index])
    except Exception as error:
        print(name, type(error).__name__, str(error).splitlines()[0])
try:
    for item in torch.tensor(1.0):
        print(item)
except TypeError as error:
    print(error)
print([row.sum().item() for row in torch.ones(2, 3)], 3 in torch.arange(5), len(torch.ones(4, 0)))
