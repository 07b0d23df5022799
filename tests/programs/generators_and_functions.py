import torch
from torch import nn
import torch.nn.functional as F

torch.manual_seed(0)
print(
    torch.logspace(0, 1, 3, base=2),
    torch.tensor([1.5, 2.5, -0.5]).round(),
    torch.arange(0, 1, 0.3),
    torch.arange(5, 0, -2),
    torch.tensor([[1, 2], [3, 4]]).float().std(dim=1),
    torch.cummax(torch.tensor([1, 3, 2]), 0),
    torch.tensor([1, 2, 3]).float().var(),
    torch.amax(torch.eye(2), 1),
    torch.argwhere(torch.eye(2)),
    torch.block_diag(torch.ones(1, 1), torch.ones(1, 2)),
    torch.vander(torch.tensor([1, 2, 3])),
    torch.trapz(torch.arange(3.0)),
    torch.heaviside(torch.tensor([-1.0, 0, 2]), torch.tensor(0.5)),
    torch.hypot(torch.tensor(3.0), torch.tensor(4.0)),
    torch.gcd(torch.tensor(12), torch.tensor(18)),
    torch.tensordot(torch.ones(2, 3), torch.ones(3, 2), 1),
    torch.flatten(torch.ones(2, 2)),
    torch.dist(torch.ones(2), torch.zeros(2)),
    torch.logaddexp(torch.zeros(1), torch.zeros(1)),
    torch.erf(torch.ones(1)),
    torch.lgamma(torch.tensor(5.0)),
    torch.sinc(torch.tensor(0.5)),
    torch.nansum(torch.tensor([1.0, float("nan")])),
    torch.renorm(torch.ones(2, 2), 2, 0, 1),
    torch.masked_fill(torch.ones(2), torch.tensor([True, False]), 0),
    torch.scatter_add(torch.zeros(3), 0, torch.tensor([0, 0, 2]), torch.ones(3)),
    torch.zeros(3).index_put((torch.tensor([1]),), torch.ones(1)),
    torch.select(torch.eye(2), 0, 1),
    torch.narrow(torch.arange(5), 0, 1, 2),
    torch.tensor_split(torch.arange(5), 2),
    torch.column_stack((torch.ones(2), torch.zeros(2))),
    torch.dstack((torch.ones(2), torch.zeros(2))),
    torch.fliplr(torch.eye(2)),
    torch.take_along_dim(torch.eye(2), torch.tensor([[1], [0]]), 1),
    torch.cumulative_trapezoid(torch.arange(3.0)),
    torch.polygamma(1, torch.tensor(1.0)),
    torch.bitwise_and(torch.tensor(6), torch.tensor(3)),
    torch.logical_xor(torch.tensor(True), torch.tensor(False)),
    torch.true_divide(torch.tensor(3), 2),
    torch.floor_divide(torch.tensor(-3), 2),
    torch.div(torch.tensor(-3.0), 2, rounding_mode="trunc"),
    torch.frac(torch.tensor(1.5)),
    torch.isclose(torch.ones(1), torch.ones(1)),
    torch.maximum(torch.ones(1), torch.zeros(1)),
    torch.result_type(torch.tensor(1), 1.5),
    torch.can_cast(torch.float, torch.int),
    torch.linalg.norm(torch.ones(2, 2)),
    torch.linalg.matrix_rank(torch.eye(2)),
    torch.linalg.qr(torch.eye(2)),
    torch.linalg.lstsq(torch.eye(2), torch.ones(2, 1)).solution,
    torch.linalg.eigh(torch.eye(2)),
    torch.linalg.pinv(torch.eye(2)),
    torch.matrix_power(torch.eye(2), 3),
    torch.linalg.solve(torch.eye(2), torch.ones(2)),
    torch.slogdet(torch.eye(2)),
)


class GAN_G(nn.Module):
    def __init__(s):
        super().__init__()
        s.m = nn.Sequential(
            nn.Linear(8, 16),
            nn.LeakyReLU(0.2, inplace=True),
            nn.BatchNorm1d(16, 0.8),
            nn.Linear(16, 4),
            nn.Tanh(),
        )

    def forward(s, z):
        return s.m(z)


G, D = (
    GAN_G(),
    nn.Sequential(
        nn.Linear(4, 8), nn.LeakyReLU(0.2), nn.Dropout(0.3), nn.Linear(8, 1), nn.Sigmoid()
    ),
)
og, od = [torch.optim.Adam(m.parameters(), 2e-3, betas=(0.5, 0.999)) for m in (G, D)]
bce = nn.BCELoss()
real = torch.randn(16, 4)
for e in range(5):
    z = torch.randn(16, 8)
    fake = G(z)
    od.zero_grad()
    ld = (bce(D(real), torch.ones(16, 1)) + bce(D(fake.detach()), torch.zeros(16, 1))) / 2
    ld.backward()
    od.step()
    og.zero_grad()
    lg = bce(D(fake), torch.ones(16, 1))
    lg.backward()
    og.step()
    print(f"[Epoch {e}] [D loss: {ld.item():f}] [G loss: {lg.item():f}]")


class VAE(nn.Module):
    def __init__(s):
        super().__init__()
        s.e = nn.Linear(4, 8)
        s.mu = nn.Linear(8, 2)
        s.lv = nn.Linear(8, 2)
        s.d = nn.Linear(2, 4)

    def forward(s, x):
        h = F.relu(s.e(x))
        mu, lv = s.mu(h), s.lv(h)
        std = torch.exp(0.5 * lv)
        return torch.sigmoid(s.d(mu + torch.randn_like(std) * std)), mu, lv


v = VAE()
o = torch.optim.Adam(v.parameters(), 1e-2)
x = torch.rand(16, 4)
for e in range(4):
    r, mu, lv = v(x)
    l = F.binary_cross_entropy(r, x, reduction="sum") - 0.5 * torch.sum(
        1 + lv - mu.pow(2) - lv.exp()
    )
    o.zero_grad()
    l.backward()
    o.step()
    print(l.item())
# style/FGSM, gradient wrt input, diffusion schedule, knn, kmeans, softmax from scratch
d = torch.rand(1, 4, requires_grad=True)
F.nll_loss(F.log_softmax(v.e(d), 1), torch.tensor([1])).backward()
print(torch.clamp(d + 0.1 * d.grad.sign(), 0, 1).detach())
b = torch.linspace(1e-4, 0.02, 10)
ac = torch.cumprod(1 - b, 0)
print(ac.sqrt(), F.pad(ac[:-1], (1, 0), value=1.0))
pts = torch.randn(30, 2)
c = pts[:3].clone()
for _ in range(5):
    a = torch.cdist(pts, c).argmin(1)
    c = torch.stack([pts[a == k].mean(0) for k in range(3)])
print(c, a.bincount())


def gram(t):
    _, ch, h, w = t.size()
    f = t.view(ch, h * w)
    return torch.mm(f, f.t()) / (ch * h * w)


print(gram(torch.rand(1, 2, 3, 3)))
Wt = torch.normal(0, 0.01, (4, 3), requires_grad=True)
bb = torch.zeros(3, requires_grad=True)


def softmax(X):
    X_exp = torch.exp(X)
    return X_exp / X_exp.sum(1, keepdim=True)


yy = torch.randint(0, 3, (16,))
for e in range(3):
    yh = softmax(x @ Wt + bb)
    l = -torch.log(yh[range(len(yh)), yy])
    l.sum().backward()
    with torch.no_grad():
        for p in (Wt, bb):
            p -= 0.1 * p.grad / 16
            p.grad.zero_()
    print(float(l.mean()), (yh.argmax(axis=1).type(yy.dtype) == yy).sum())
