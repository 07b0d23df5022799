"""Memory shared with NumPy in both directions, copies, and dtypes that come along."""

import numpy as np
import torch

a = torch.ones(5)
b = a.numpy()
print(repr(b))
b[1] = 2
print(repr(b), a)
a.add_(1)
print(b)

a = np.ones(5)
b = torch.from_numpy(a)
np.add(a, 1, out=a)
print(a, b)
b[0] = -1
print(a)

arr = np.arange(6, dtype=np.float64).reshape(2, 3)
ts = torch.tensor(arr)
back = np.array(ts)
arr[0, 0] = 100
ts[0, 1] = 50
print(arr, ts, back, back.dtype, sep="\n")
print(torch.as_tensor(arr)[0, 0], torch.asarray(arr).dtype, torch.tensor(arr.astype(np.float32)))
for kind in (np.int8, np.uint8, np.int16, np.int32, np.int64, np.float16, np.float32, np.bool_):
    t = torch.from_numpy(np.array([0, 1, 2]).astype(kind))
    print(t, t.numpy().dtype)

view = torch.from_numpy(arr.T)
print(view.stride(), view.is_contiguous(), view[1])
print(torch.from_numpy(arr[:, ::2]), torch.from_numpy(arr)[1:].numpy())
print(np.mean(ts.numpy()), np.exp(torch.zeros(2)), np.sum(np.asarray(torch.ones(3))))
print(torch.tensor(np.float32(1.5)), torch.tensor(np.int64(3)), torch.tensor([np.float64(1), 2]))
print(torch.tensor([np.array([1, 2]), np.array([3, 4])]) if False else torch.tensor([[1, 2], [3, 4]]))
print(float(torch.tensor(2.5)), int(torch.tensor(7)), bool(torch.tensor(0)), list(torch.arange(3)))
print(ts.tolist(), torch.arange(3).tolist(), torch.tensor(1.5).tolist())

w = torch.ones(2, requires_grad=True)
try:
    w.numpy()
except RuntimeError as error:
    print(error)
print(w.detach().numpy(), w.data.numpy(), w.cpu().data.numpy(), (w * 2).detach().cpu().numpy())
w.detach()[0] = 5
print(w)
for bad in (np.array(["a", "b"]), np.array([1, None]), [1, 2]):
    try:
        print(torch.from_numpy(bad))
    except TypeError as error:
        print("TypeError:", str(error)[:66])
try:
    print(torch.from_numpy(np.arange(4)[::-1]))
except ValueError as error:
    print("ValueError:", str(error)[:60])

# a table with holes, filled with the mean of its column
rows = [line.split(",") for line in "NA,127500\n2,106000\n4,178100\nNA,140000".splitlines()]
table = np.array([[np.nan if cell == "NA" else float(cell) for cell in row] for row in rows])
rooms = table[:, :1]
rooms[np.isnan(rooms)] = np.nanmean(rooms)
print(torch.tensor(rooms), torch.tensor(table[:, 1]), sep="\n")
net = torch.nn.Linear(1, 1)
try:
    net(torch.tensor(rooms))
except RuntimeError as error:
    print("RuntimeError:", str(error)[:62])
print(net.double()(torch.tensor(rooms)).dtype, net.float()(torch.tensor(rooms).float()).dtype)

# the two-layer network in NumPy alone
generator = np.random.RandomState(0)
x, y = generator.randn(8, 20), generator.randn(8, 3)
w1, w2 = generator.randn(20, 10), generator.randn(10, 3)
for step in range(5):
    h = x.dot(w1)
    h_relu = np.maximum(h, 0)
    y_pred = h_relu.dot(w2)
    print(step, np.square(y_pred - y).sum().round(3))
    grad_y_pred = 2.0 * (y_pred - y)
    grad_w2 = h_relu.T.dot(grad_y_pred)
    grad_h = grad_y_pred.dot(w2.T)
    grad_h[h < 0] = 0
    w1 -= 1e-4 * x.T.dot(grad_h)
    w2 -= 1e-4 * grad_w2
