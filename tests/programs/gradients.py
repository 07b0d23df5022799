"""Derivatives by autograd: leaves, accumulation, the chain rule, and what it refuses."""

import torch

x = torch.tensor(2.0, requires_grad=True)
y = x**2
print(y)
y.backward()
print(x.grad)
u = torch.tensor(1.0, requires_grad=True)
v = torch.tensor(2.0, requires_grad=True)
f = u * v + u**2
f.backward()
print(u.grad, v.grad, f, f.grad_fn is not None, u.grad_fn)
x, w, b = (torch.tensor(value, requires_grad=True) for value in (1.0, 2.0, 3.0))
y = w * x + b
y.backward()
print(w.grad, x.grad, b.grad)

for data in (2, [1, 2], True):
    try:
        torch.tensor(data, requires_grad=True)
    except RuntimeError as error:
        print("RuntimeError:", error)

w = torch.Tensor([1.0])
w.requires_grad = True
(w * 3).sum().backward()
(w * 3).sum().backward()
print(w.grad, w.grad.zero_(), w.grad.data.zero_())
w.data = w.data - 0.5 * torch.ones(1)
print(w, w.is_leaf, (w * 2).is_leaf, w.data, w.detach())
with torch.no_grad():
    w -= 0.25
    print((w * 2).requires_grad)
print(w, torch.is_grad_enabled())

X = torch.arange(6.0).reshape(3, 2)
W = torch.tensor([[0.1], [0.2]], requires_grad=True)
loss = (X @ W - 1) ** 2
try:
    loss.backward()
except RuntimeError as error:
    print("RuntimeError:", error)
loss.sum().backward()
print(W.grad, loss, sep="\n")
W.grad = None
loss = (X @ W).exp().mean()
loss.backward(retain_graph=True)
loss.backward()
print(W.grad)
for again in (lambda: loss.backward(), lambda: torch.ones(1).backward()):
    try:
        again()
    except RuntimeError as error:
        print("RuntimeError:", str(error)[:70])
try:
    w += 1
except RuntimeError as error:
    print("RuntimeError:", error)
y = W.sigmoid()
z = y * y
y.detach().mul_(2)
try:
    y.add_(1)
    z.sum().backward()
except RuntimeError as error:
    print("RuntimeError:", str(error)[:89])

a = torch.tensor([1.0, -2.0, 3.0], requires_grad=True)
hidden = torch.sigmoid(a * 2)
hidden.retain_grad()
out = (hidden * torch.tensor([1.0, 2.0, 3.0])).sum()
out.backward()
print(hidden.grad, a.grad, hidden, out, sep="\n")
g = torch.autograd.grad((a**3).sum(), a, create_graph=True)[0]
(h,) = torch.autograd.grad(g.sum(), a)
print(g, h)
a.grad = None
a.register_hook(lambda grad: grad * 10)
a.clamp(min=0).sum().backward()
print(a.grad)
a.backward(torch.ones(3))
print(a.grad)
b = a.clone()
b[1] = 7
b[b > 2] *= 2
print(b, torch.autograd.grad(b.sum(), a))
for make in (
    a.relu, a.exp, a.sum, a.mean, a.abs, lambda: a[0], lambda: a[1:], lambda: a.view(3, 1),
    lambda: a.t(), lambda: a + 1, lambda: 1 - a, lambda: a / 2, lambda: 2 / a, lambda: a @ a,
    lambda: a.max(), lambda: torch.cat([a, a]), lambda: torch.stack([a]), lambda: a.softmax(0),
    lambda: a.log(), lambda: a.unsqueeze(0) @ torch.ones(3, 2), lambda: a.clone(), lambda: -a,
    lambda: a.pow(2), lambda: a.tanh(), lambda: a.sqrt(), lambda: a.reshape(1, 3).T, a.double,
    lambda: torch.where(a > 0, a, a), lambda: a.std(), lambda: a.sort()[0], lambda: a.cumsum(0),
):
    print(make().grad_fn.name(), end=" ")
print()
node = (a * 2 + 1).sum().grad_fn
while node is not None:
    print(node.name())
    node = node.next_functions[0][0] if node.next_functions else None


class Cube(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x**3

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return 3 * x**2 * grad


q = torch.tensor([2.0], requires_grad=True)
r = Cube.apply(q)
r.backward()
print(r, q.grad)


@torch.no_grad()
def halve(t):
    return t / 2


print(halve(q).requires_grad, q.requires_grad_(False), torch.ones(2, requires_grad=True).mul(0))
