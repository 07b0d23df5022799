"""Arithmetic with broadcasting, the products, comparisons, reductions, joining and splitting."""

import torch

torch.manual_seed(1)

A = torch.arange(6, dtype=torch.float32).reshape(2, 3)
B = torch.tensor([[1.0, 0.5, 2.0], [-1.0, 0.0, 3.0]])
print(A * B, A @ B.T, torch.mm(A, B.t()), A.mm(B.T), torch.matmul(A, B.T), sep="\n")
v = torch.tensor([1.0, 2.0, 3.0])
print(torch.mv(A, v), torch.dot(v, v), A @ v, torch.matmul(v, v), torch.outer(v, v))
print(A + v, A - A.mean(), A / 2, 2 / v, A**2, 2**v, A // 2, A % 2, -A, sep="\n")
print(torch.tensor([7, -7]) // 2, torch.tensor([7, -7]) / 2, torch.tensor([7, -7]) % 4)
print(A.sum(), A.sum(axis=0), A.sum(1, keepdims=True), A.mean(0), A.std(), A.var(1), A.prod())
print(A.max(), A.min(1), torch.max(A, dim=1), A.argmax(), torch.argmax(B, axis=1), A.cumsum(0))
values, places = torch.max(B.data, dim=1)
print(values, places)
print((A < 3) & (A != 1), (A < 3).sum(), (A == A).all(1), (A > 100).any(), torch.sum(A > 2))
print((1 < A).float(), (A >= 2).type(torch.int64), ~(A > 2), A.eq(B), sep="\n")
print(B.clamp(min=0), B.abs().sqrt(), torch.exp(B), torch.log(v), torch.sigmoid(B), sep="\n")
print(torch.tanh(B), torch.erf(B), torch.atan(B), torch.relu(B), B.pow(2).sum(), sep="\n")
print(torch.softmax(B, dim=1), B.softmax(1).sum(1), torch.log_softmax(B, -1), sep="\n")
print(torch.cat([A, B], axis=1), torch.cat((A, B)), torch.stack([A, B]).shape, sep="\n")
print(torch.split(torch.arange(10), [2, 3, 5]), torch.arange(7).split(3), torch.arange(6).chunk(3))
print(torch.sort(B, dim=1, descending=True), torch.topk(B, 2), B.flatten().argsort(), sep="\n")
print(torch.where(B > 0, B, torch.zeros_like(B)), torch.unique(torch.tensor([3, 1, 3, 2])))
print(A.ravel(), A.flatten(), A.reshape((-1, 1)), A.unsqueeze(0).squeeze().shape, sep="\n")
print(A.permute(1, 0).shape, A.expand(4, 2, 3).shape, A.repeat(2, 2), A.view(3, 2).T, sep="\n")
print(torch.nn.functional.one_hot(torch.tensor([0, 2, 1]), 3), torch.eye(2).bool())
print(torch.allclose(A, A + 1e-9), torch.equal(A, B), torch.isnan(torch.tensor([1.0, float("nan")])))
print(A.norm(), torch.linalg.norm(B), A.T.contiguous().stride(), torch.abs(torch.tensor(-3)))
print(torch.tensor(1) + 1.5, torch.tensor([1]) + torch.tensor(1.5), (torch.tensor([1]) * True).dtype)
print(torch.tensor([1, 2]) / torch.tensor([0, 1]), torch.tensor([0.0]) / 0, 5 % torch.tensor([3]))
print(torch.promote_types(torch.int32, torch.float16), torch.result_type(A, torch.tensor(1.0).double()))

X, W, b = torch.randn(4, 3), torch.randn(3, 2), torch.randn(1, 2)
O = X @ W + b
print(torch.softmax(O, 1), torch.exp(O) / torch.exp(O).sum(1, keepdim=True), sep="\n")


def tried(what, function):
    try:
        print(what, function())
    except Exception as error:
        print(what, type(error).__name__, str(error).splitlines()[0][:75])


tried("mm", lambda: torch.mm(A, B))
tried("matmul", lambda: A @ A)
tried("dot", lambda: torch.dot(A, v))
tried("dot lengths", lambda: torch.dot(v, v[:2]))
tried("mv", lambda: torch.mv(A, v[:2]))
tried("broadcast", lambda: A + torch.ones(4))
tried("mean of integers", lambda: torch.arange(3).mean())
tried("std of integers", lambda: torch.arange(3).std())
tried("exp of a number", lambda: torch.exp(1.0))
tried("log of a list", lambda: torch.log([1.0]))
tried("cat", lambda: torch.cat([A, v]))
tried("split", lambda: torch.split(torch.arange(10), [2, 3]))
for function in (lambda: torch.randint(0, 10, 5), lambda: torch.normal(0, 1, 5)):
    try:
        function()
    except TypeError:
        print("sizes are tuples")
tried("mm of integers and floats", lambda: torch.mm(A.long(), B.T))
tried("in-place type", lambda: torch.arange(3).add_(0.5))
tried("in-place shape", lambda: torch.ones(3).add_(torch.ones(2, 3)))
