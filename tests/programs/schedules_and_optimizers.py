import torch
import torch.nn as nn
import torch.optim as optim

torch.manual_seed(0)
m = nn.Linear(4, 2)
opt = optim.SGD(m.parameters(), lr=0.1, momentum=0.9)
S = optim.lr_scheduler
for mk in [
    lambda o: S.StepLR(o, 3),
    lambda o: S.MultiStepLR(o, [2, 5], gamma=0.1),
    lambda o: S.ExponentialLR(o, 0.9),
    lambda o: S.CosineAnnealingLR(o, 5),
    lambda o: S.LambdaLR(o, lambda e: 0.95**e),
    lambda o: S.OneCycleLR(o, 0.1, total_steps=10),
    lambda o: S.CyclicLR(o, 0.01, 0.1, step_size_up=3),
    lambda o: S.CosineAnnealingWarmRestarts(o, 3),
    lambda o: S.LinearLR(o),
    lambda o: S.PolynomialLR(o, 4),
    lambda o: S.ConstantLR(o),
    lambda o: S.SequentialLR(o, [S.ConstantLR(o, 0.1, 2), S.ExponentialLR(o, 0.9)], [2]),
    lambda o: S.ChainedScheduler([S.ConstantLR(o, 0.1, 2), S.ExponentialLR(o, 0.9)]),
    lambda o: S.MultiplicativeLR(o, lambda e: 0.9),
]:
    opt = optim.SGD(m.parameters(), lr=0.1, momentum=0.9)
    s = mk(opt)
    r = []
    for i in range(8):
        opt.step()
        s.step()
        r.append(round(opt.param_groups[0]["lr"], 6))
    print(type(s).__name__, r, s.get_last_lr())
opt = optim.SGD(m.parameters(), lr=0.1)
p = S.ReduceLROnPlateau(opt, "min", patience=1, factor=0.5)
for l in [1, 0.9, 0.95, 0.96, 0.97, 0.8, 0.9, 0.9, 0.9]:
    p.step(l)
    print(opt.param_groups[0]["lr"], p.num_bad_epochs, end=" ")
print()


class EarlyStopping:
    def __init__(s, patience=3, delta=0):
        s.patience, s.delta, s.best, s.count, s.stop = patience, delta, None, 0, False

    def __call__(s, v, model):
        if s.best is None or v < s.best - s.delta:
            s.best, s.count = v, 0
            s.state = {k: t.clone() for k, t in model.state_dict().items()}
        else:
            s.count += 1
            print(f"EarlyStopping counter: {s.count} out of {s.patience}")
            s.stop = s.count >= s.patience


X = torch.randn(64, 4)
y = X @ torch.randn(4, 2) + 0.1 * torch.randn(64, 2)
for name in [
    "SGD",
    "Adam",
    "AdamW",
    "Adagrad",
    "RMSprop",
    "Adadelta",
    "Adamax",
    "NAdam",
    "RAdam",
    "ASGD",
    "Rprop",
]:
    torch.manual_seed(1)
    m = nn.Linear(4, 2)
    o = getattr(optim, name)(
        m.parameters(),
        lr=0.05,
        **({"momentum": 0.9, "nesterov": True, "weight_decay": 1e-3} if name == "SGD" else {}),
    )
    es = EarlyStopping(2, 0.05)
    for e in range(12):
        o.zero_grad()
        l = nn.functional.mse_loss(m(X), y)
        l.backward()
        o.step()
        es(l.item(), m)
        if es.stop:
            print("stop at", e)
            break
    print(name, "%.5f" % l.item(), o)
m = nn.Linear(4, 2)
o = optim.LBFGS(m.parameters(), lr=1, max_iter=5)


def closure():
    o.zero_grad()
    l = nn.functional.mse_loss(m(X), y)
    l.backward()
    return l


for i in range(3):
    print(o.step(closure))
# grad accumulation, groups, k-fold
net = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2))
o = optim.Adam(
    [{"params": net[0].parameters(), "lr": 1e-2}, {"params": net[2].parameters()}], lr=1e-3
)
print(o)
for i in range(8):
    l = nn.functional.mse_loss(net(X[i * 8 : i * 8 + 8]), y[i * 8 : i * 8 + 8]) / 4
    l.backward()
    if (i + 1) % 4 == 0:
        nn.utils.clip_grad_value_(net.parameters(), 0.5)
        o.step()
        o.zero_grad()
        print(l)
for g in o.param_groups:
    g["lr"] *= 0.1
    print({k: v for k, v in g.items() if k != "params"})
o.add_param_group({"params": [nn.Parameter(torch.ones(1))]})
print(len(o.param_groups), list(o.state_dict()["state"][0]), o.state_dict()["state"][0]["step"])
k = 4
f = 64 // k
sc = []
for i in range(k):
    v = slice(i * f, (i + 1) * f)
    tr = torch.cat([X[: i * f], X[(i + 1) * f :]]), torch.cat([y[: i * f], y[(i + 1) * f :]])
    mm = nn.Linear(4, 2)
    oo = optim.SGD(mm.parameters(), 0.1)
    for e in range(20):
        oo.zero_grad()
        L = nn.MSELoss()(mm(tr[0]), tr[1])
        L.backward()
        oo.step()
    sc.append(nn.MSELoss()(mm(X[v]), y[v]).item())
    print(f"折{i + 1}，训练log rmse{float(L):f}, 验证log rmse{sc[-1]:f}")
print(sum(sc) / k, torch.optim.swa_utils.AveragedModel(mm))
