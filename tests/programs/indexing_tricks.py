import torch

x = torch.arange(24).reshape(2, 3, 4)
print(
    x[0],
    x[:, 1],
    x[..., -1],
    x[0, 1, 2],
    x[:, ::2, 1:3],
    x[x > 10],
    x[[0, 1], [2, 0]],
    x[:, [0, 2]],
    x[None].shape,
    x[:, None, :, 0].shape,
)
x[0, :, 1] = 100
print(x)
x[x > 50] = -1
print(x)
idx = torch.tensor([[0, 1], [2, 0]])
e = torch.randn(3, 2).round()
print(e.shape, x[1][idx].shape)
s = torch.tensor([[0.1, 0.3, 0.6], [0.3, 0.2, 0.5]])
y = torch.tensor([0, 2])
print(s[range(2), y], s[[0, 1], y], -torch.log(s[range(len(s)), y]))
print(
    torch.gather(s, 1, y.view(-1, 1)),
    s.scatter(1, y.view(-1, 1), 9.0),
    torch.zeros(2, 3).scatter_(1, y.unsqueeze(1), 1),
)
print(
    torch.where(s > 0.3, s, torch.zeros(())),
    torch.where(s > 0.3),
    torch.nonzero(s > 0.3),
    (s > 0.3).nonzero(as_tuple=True),
    torch.masked_select(s, s > 0.3),
)
print(
    s.topk(2),
    s.max(1),
    s.max(dim=1, keepdim=True),
    s.argmax(1),
    s.sort(descending=True),
    torch.max(s),
    s.min(0)[0],
    s.argsort(1),
)
print(
    torch.index_select(s, 1, torch.tensor([0, 2])),
    torch.take(s, torch.tensor([0, 5])),
    s.flip(1),
    torch.roll(s, 1, 1),
    s.repeat(2, 1),
    s.expand(2, 2, 3).shape,
    torch.tile(y, (2,)),
    y.repeat_interleave(2),
)
a, b = s.split(1)
print(
    a,
    b,
    s.chunk(3, 1),
    torch.unbind(s),
    torch.stack((a, b)).squeeze(),
    torch.vstack((a, b)),
    torch.hstack((a, b)),
)
print(
    torch.unique(torch.tensor([3, 1, 2, 3, 1])),
    torch.unique(torch.tensor([3, 1, 2, 3, 1]), return_inverse=True, return_counts=True),
    torch.bincount(torch.tensor([0, 1, 1, 3])),
    torch.unique_consecutive(torch.tensor([1, 1, 2, 2, 1])),
)
print(
    torch.tril(torch.ones(3, 3)),
    torch.triu(torch.ones(3, 3), 1).bool(),
    torch.diag(torch.tensor([1, 2])),
    torch.cumsum(torch.arange(5), 0),
    torch.cumprod(torch.arange(1, 5), 0),
    torch.meshgrid(torch.arange(2), torch.arange(3), indexing="ij"),
)
print(
    torch.einsum("ij,kj->ik", s, s),
    s @ s.T,
    torch.mm(s, s.t()),
    torch.bmm(s[None], s.T[None]),
    torch.dot(s[0], s[1]),
    torch.mv(s, s[0]),
    torch.outer(y, y),
    torch.matmul(s, s[0]),
)
print(
    s.norm(),
    torch.norm(s, p=1),
    torch.norm(s, dim=1),
    s.std(),
    s.var(0),
    s.mean((0, 1)),
    s.median(),
    s.median(1),
    s.prod(),
    s.mode(1),
    s.logsumexp(1),
    torch.abs(-s).sum(),
    s.std(unbiased=False),
    s.quantile(0.5),
    s.kthvalue(2),
)
print(
    s.clamp(0.2, 0.5),
    s.round(),
    s.floor(),
    s.ceil(),
    torch.sign(s - 0.3),
    torch.fmod(torch.tensor([-5, 5]), 3),
    torch.remainder(torch.tensor([-5, 5]), 3),
    torch.sqrt(s),
    torch.rsqrt(s),
    torch.lerp(s[0], s[1], 0.5),
    torch.addmm(torch.zeros(2, 2), s, s.T),
)
print(
    x.permute(2, 0, 1).shape,
    x.swapaxes(0, 1).shape,
    x.flatten(1).shape,
    x.unflatten(2, (2, 2)).shape,
    x.movedim(0, -1).shape,
    torch.squeeze(x[:1], 0).shape,
    x.view(-1, 4)[1:3].sum(0),
    x.unfold(2, 2, 1).shape,
)
t = torch.zeros(5)
t[1:4] += 2
t[-1] -= 1
t[torch.tensor([0, 0])] += 1
print(t)
t.index_add_(0, torch.tensor([0, 0]), torch.ones(2))
print(t)
t.index_fill_(0, torch.tensor([2]), 9)
print(t)
t.masked_fill_(t == 9, -9)
print(t)
print(
    t.add_(1),
    t.mul_(2),
    t.zero_(),
    t.fill_(3),
    t.copy_(torch.arange(5)),
    t.clamp_(1, 3),
    t.neg_(),
    t.abs_(),
    t.pow_(2),
    t.sub_(1).div_(2),
)
z = torch.tensor([1, 2, 3])
print(
    z / 2,
    z // 2,
    z * 1.5,
    z + True,
    z.float() / 0,
    z == z,
    z.eq(2),
    torch.equal(z, z),
    torch.allclose(z.float(), z.float() + 1e-9),
    z.any(),
    z.all(),
    (z > 1).sum(),
    (z > 1).float().mean(),
    (z > 1) & (z < 3),
    z ^ 1,
    z << 1,
)
print(
    z.type(torch.float64),
    z.to(torch.int8),
    z.bool(),
    z.char(),
    z.long().dtype,
    z.type("torch.DoubleTensor").dtype,
    z.new_zeros(2),
    z.new_tensor([1.5]),
    torch.as_tensor([1, 2]),
    torch.from_numpy(z.numpy()),
    z.is_floating_point(),
    torch.is_tensor(z),
    z.element_size(),
    z.ndim,
    z.dim(),
    z.size(0),
    z.nelement(),
)
print(
    torch.cdist(s, s),
    torch.cross(torch.tensor([1.0, 0, 0]), torch.tensor([0.0, 1, 0]), dim=0),
    torch.trace(torch.eye(3)),
    torch.det(torch.eye(2) * 2),
    torch.inverse(torch.eye(2) * 2),
    torch.linalg.eigvalsh(torch.eye(2)),
    torch.linalg.svd(torch.eye(2))[1],
    torch.kron(torch.eye(2), torch.ones(1, 2)),
    torch.histc(s, 3, 0, 1),
    torch.bucketize(s, torch.tensor([0.2, 0.4])),
    torch.combinations(z),
    torch.cartesian_prod(z, z)[:3],
    torch.broadcast_to(z, (2, 3)),
    torch.isnan(s).any(),
    torch.tensor([1.0, float("nan")]).nan_to_num(0),
    torch.isin(z, torch.tensor([2])),
    torch.diff(z),
    torch.count_nonzero(z),
    torch.searchsorted(z, torch.tensor(2)),
    torch.rot90(s),
    torch.aminmax(s),
    torch.nanmean(s),
    torch.cov(s),
    torch.corrcoef(s),
)
