"""Functions with a backward of one's own, and hooks: what they may return, and what is refused."""

import torch
from torch.autograd import Function, gradcheck, gradgradcheck


def own(backward, forward=lambda x: x * 2):
    class Own(Function):
        @staticmethod
        def forward(ctx, x):
            return forward(x)

        @staticmethod
        def backward(ctx, g):
            return backward(g)

    return Own.apply


def show(backward, shape=(3,), dtype=torch.float32, inner=False):
    x = torch.ones(shape, dtype=dtype, requires_grad=True)
    try:
        own(backward)(x * 3 if inner else x).sum().backward()
    except Exception as error:
        print(type(error).__name__, str(error)[:29])
    else:
        print(x.grad, x.grad.shape)


for inner in (False, True):
    show(lambda g: g[:2], inner=inner)
    show(lambda g: g.sum(), inner=inner)
    show(lambda g: g.unsqueeze(1), inner=inner)
    show(lambda g: g.unsqueeze(0), inner=inner)
    show(lambda g: g.expand(4, 3), inner=inner)
    show(lambda g: torch.ones(3, 4), inner=inner)
    show(lambda g: torch.ones(2, 3), (1, 3), inner=inner)
    show(lambda g: torch.ones(2, 3), (), inner=inner)
    show(lambda g: g.double(), inner=inner)
    show(lambda g: g.half(), inner=inner)
    show(lambda g: g.float(), dtype=torch.float64, inner=inner)
    show(lambda g: g.long(), inner=inner)
show(lambda g: 1.0)
show(lambda g: [g])
show(lambda g: (g, g))


class Scaled(Function):
    @staticmethod
    def forward(x, k=2):
        return x * k

    @staticmethod
    def setup_context(ctx, inputs, output):
        print("given", len(inputs), inputs[1])
        ctx.k = inputs[1]

    @staticmethod
    def backward(ctx, g):
        return g * ctx.k, None


class Named(Function):
    @staticmethod
    def forward(ctx, x, k=2, flag=True):
        ctx.k, ctx.count = k, len(ctx.needs_input_grad)
        print("needs", ctx.needs_input_grad, flag)
        return x * k

    @staticmethod
    def backward(ctx, g):
        return (g * ctx.k, None, None)[: ctx.count]


x = torch.ones(2, requires_grad=True)
for call in (
    lambda: Scaled.apply(x),
    lambda: Scaled.apply(x, 3),
    lambda: Scaled.apply(x, k=4),
    lambda: Named.apply(x, k=3),
    lambda: Named.apply(k=5, x=x),
    lambda: Named.apply(x, 2, flag=False),
    lambda: Named.apply(x, flag=False),
    lambda: Named.apply(x, other=1),
    lambda: Named.apply(x, x=x),
):
    try:
        call().sum().backward()
        print(x.grad)
    except TypeError as error:
        print(error)


def hooked(hook):
    x = torch.ones(3, requires_grad=True)
    y = x * 2
    y.register_hook(hook)
    try:
        y.sum().backward()
        print(x.grad)
    except Exception as error:
        print(type(error).__name__, str(error)[:40])


hooked(lambda g: g * 3)
hooked(lambda g: None)
hooked(lambda g: g[:2])
hooked(lambda g: g.expand(2, 3))
hooked(lambda g: g.double())
hooked(lambda g: 1)

torch.manual_seed(5)
x = torch.randn(2, dtype=torch.float64, requires_grad=True)
print(gradcheck(own(lambda g: g * 2), (x,)), gradgradcheck(lambda x: (x**3).sin(), (x,)))
print(torch.randn(2))
try:
    gradcheck(own(lambda g: g * 3), (x,))
except RuntimeError as error:
    print(type(error).__name__, error)

x = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
w = torch.ones(2, requires_grad=True)
print(torch.autograd.grad(x**2, x, torch.eye(3), is_grads_batched=True))
pair = [torch.eye(3), torch.ones(3)]
print(
    torch.autograd.grad([x**2, x.sum()], [x, w], pair, is_grads_batched=True, allow_unused=True)
)
(rows,) = torch.autograd.grad(x**3, x, torch.eye(3), is_grads_batched=True, create_graph=True)
print(torch.autograd.grad(rows.sum(), x))
try:
    torch.autograd.grad(x**2, x, torch.ones(2, 2), is_grads_batched=True)
except RuntimeError as error:
    print(str(error)[:60])
