"""The memory under tensors, principal components, and what books do with matrices."""

import torch
from torch import nn
from torch.nn.utils import parametrizations

x = torch.arange(6.0).view(2, 3)
row = x.storage()
print(row, len(row), row[1], row.tolist(), row.dtype, row.device, row.type(), row.nbytes())
row[0] = 9
print(x, x[1].storage().tolist(), x[1].storage_offset(), x.t().storage().data_ptr() == x.data_ptr())
print(torch.tensor([True, False]).storage(), torch.ones(1).untyped_storage())
print(torch.is_storage(row), torch.is_storage(row.untyped()), torch.tensor([]).storage())

A = torch.randn(8, 5, generator=torch.Generator().manual_seed(3))
torch.manual_seed(0)
for parts in (
    torch.pca_lowrank(A),
    torch.pca_lowrank(A, 2, center=False),
    torch.svd_lowrank(A, 3),
    torch.svd_lowrank(A.T, 2, niter=1),
    torch.svd_lowrank(A, 2, M=A.mean(0, keepdim=True)),
    torch.pca_lowrank(A.expand(2, 8, 5), 2),
):
    print([each.abs() for each in parts])
print(torch.rand(1))

for size, kinds in (((3, 3), (None, "cayley", "householder")), ((5, 3), (None, "matrix_exp"))):
    for kind in kinds:
        torch.manual_seed(0)
        layer = parametrizations.orthogonal(nn.Linear(*size), orthogonal_map=kind)
        optimizer = torch.optim.SGD(layer.parameters(), lr=0.1)
        rows = torch.randn(4, size[0])
        for _ in range(3):
            loss = layer(rows).square().mean() + layer.weight[0, 0]
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        print(loss, layer.weight, layer)

B = torch.tensor([[2.0, 1.0], [1.0, 3.0]])
P, L, U = torch.linalg.lu(B)
print(P, L, U, torch.linalg.lu_factor(B), torch.linalg.cond(B), torch.matrix_exp(B))
print(torch.cholesky_solve(torch.ones(2, 1), torch.linalg.cholesky(B)), torch.linalg.cholesky_ex(-B).info)
print(torch.gradient(torch.tensor([1.0, 4.0, 9.0, 16.0])), torch.frexp(B))
print(torch.histogram(torch.tensor([1.0, 2.0, 1.0]), bins=4, range=(0.0, 3.0)))
