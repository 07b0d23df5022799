import random
from collections import deque, namedtuple

import torch
import torch.nn as nn
import torch.nn.functional as F

random.seed(0)
torch.manual_seed(0)
# word2vec / skipgram
corpus = "he is a king she is a queen he is a man she is a woman warsaw is poland capital berlin is germany capital".split()
vocab = sorted(set(corpus))
w2i = {w: i for i, w in enumerate(vocab)}
pairs = torch.tensor(
    [
        (w2i[corpus[i]], w2i[corpus[j]])
        for i in range(len(corpus))
        for j in range(max(0, i - 2), min(len(corpus), i + 3))
        if i != j
    ]
)


class SkipGram(nn.Module):
    def __init__(s, V, d):
        super().__init__()
        s.c = nn.Embedding(V, d, sparse=False)
        s.o = nn.Embedding(V, d)

    def forward(s, c, o, neg):
        v, u, n = s.c(c), s.o(o), s.o(neg)
        return -(
            F.logsigmoid((v * u).sum(1))
            + F.logsigmoid(-torch.bmm(n, v.unsqueeze(2)).squeeze(2)).sum(1)
        ).mean()


sg = SkipGram(len(vocab), 8)
opt = torch.optim.Adam(sg.parameters(), 0.05)
for e in range(6):
    neg = torch.randint(0, len(vocab), (len(pairs), 3))
    l = sg(pairs[:, 0], pairs[:, 1], neg)
    opt.zero_grad()
    l.backward()
    opt.step()
    print(f"{e} {l:.4f}")
E_ = F.normalize(sg.c.weight.detach(), dim=1)
sim = E_ @ E_[w2i["king"]]
print(
    [vocab[i] for i in sim.topk(4)[1]],
    F.cosine_similarity(E_[:1], E_[1:3]),
    nn.CosineSimilarity(dim=1)(E_[:2], E_[2:4]),
)
eb = nn.EmbeddingBag(10, 3, mode="mean")
print(eb(torch.tensor([1, 2, 4, 5, 4, 3, 2, 9]), torch.tensor([0, 4])).detach())
ef = nn.Embedding.from_pretrained(torch.eye(3), freeze=True, padding_idx=0)
print(ef(torch.tensor([[0, 2]])), ef.weight.requires_grad, ef)


# text classification
class TC(nn.Module):
    def __init__(s, V, d, n):
        super().__init__()
        s.embedding = nn.EmbeddingBag(V, d, sparse=False)
        s.fc = nn.Linear(d, n)
        s.init_weights()

    def init_weights(s):
        r = 0.5
        s.embedding.weight.data.uniform_(-r, r)
        s.fc.weight.data.uniform_(-r, r)
        s.fc.bias.data.zero_()

    def forward(s, t, o):
        return s.fc(s.embedding(t, o))


tc = TC(20, 4, 2)
print(tc(torch.tensor([1, 2, 3, 4]), torch.tensor([0, 2])))


# seq2seq attention
class Enc(nn.Module):
    def __init__(s, i, h):
        super().__init__()
        s.h = h
        s.embedding = nn.Embedding(i, h)
        s.gru = nn.GRU(h, h, batch_first=True)
        s.dropout = nn.Dropout(0.1)

    def forward(s, x):
        return s.gru(s.dropout(s.embedding(x)))


class Bahdanau(nn.Module):
    def __init__(s, h):
        super().__init__()
        s.Wa = nn.Linear(h, h)
        s.Ua = nn.Linear(h, h)
        s.Va = nn.Linear(h, 1)

    def forward(s, q, k):
        sc = s.Va(torch.tanh(s.Wa(q) + s.Ua(k))).squeeze(2).unsqueeze(1)
        w = F.softmax(sc, dim=-1)
        return torch.bmm(w, k), w


class Dec(nn.Module):
    def __init__(s, h, o):
        super().__init__()
        s.embedding = nn.Embedding(o, h)
        s.attention = Bahdanau(h)
        s.gru = nn.GRU(2 * h, h, batch_first=True)
        s.out = nn.Linear(h, o)
        s.dropout = nn.Dropout(0.1)

    def forward(s, eo, eh, target=None):
        inp = torch.empty(eo.size(0), 1, dtype=torch.long).fill_(0)
        h = eh
        outs = []
        ats = []
        for i in range(5):
            e = s.dropout(s.embedding(inp))
            c, w = s.attention(h.permute(1, 0, 2), eo)
            o, h = s.gru(torch.cat((e, c), dim=2), h)
            o = s.out(o)
            outs.append(o)
            ats.append(w)
            if target is not None:
                inp = target[:, i].unsqueeze(1)
            else:
                _, topi = o.topk(1)
                inp = topi.squeeze(-1).detach()
        return F.log_softmax(torch.cat(outs, dim=1), dim=-1), h, torch.cat(ats, dim=1)


en, de = Enc(12, 16), Dec(16, 12)
ps = list(en.parameters()) + list(de.parameters())
o = torch.optim.Adam(ps, 0.01)
src = torch.randint(1, 12, (6, 7))
tgt = torch.randint(1, 12, (6, 5))
crit = nn.NLLLoss()
for e in range(6):
    eo, eh = en(src)
    out, _, _ = de(eo, eh, tgt)
    l = crit(out.view(-1, out.size(-1)), tgt.view(-1))
    o.zero_grad()
    l.backward()
    o.step()
    print("%.4f" % l)
en.eval()
de.eval()
with torch.no_grad():
    out, _, att = de(*en(src[:1]))
    print(out.topk(1)[1].squeeze(), att.shape, att[0, 0])
# DQN
Transition = namedtuple("Transition", ("state", "action", "next_state", "reward"))


class DQN(nn.Module):
    def __init__(s):
        super().__init__()
        s.layer1 = nn.Linear(4, 32)
        s.layer2 = nn.Linear(32, 2)

    def forward(s, x):
        return s.layer2(F.relu(s.layer1(x)))


p, t = DQN(), DQN()
t.load_state_dict(p.state_dict())
o = torch.optim.AdamW(p.parameters(), lr=1e-3, amsgrad=True)
mem = deque([], maxlen=100)
for i in range(40):
    st = torch.randn(1, 4)
    a = (
        p(st).max(1).indices.view(1, 1)
        if random.random() > 0.3
        else torch.tensor([[random.randrange(2)]], dtype=torch.long)
    )
    mem.append(
        Transition(st, a, None if i % 7 == 0 else torch.randn(1, 4), torch.tensor([float(i % 3)]))
    )
for k in range(5):
    b = Transition(*zip(*random.sample(mem, 16)))
    mask = torch.tensor(tuple(map(lambda s: s is not None, b.next_state)), dtype=torch.bool)
    nf = torch.cat([s for s in b.next_state if s is not None])
    sa = p(torch.cat(b.state)).gather(1, torch.cat(b.action))
    nv = torch.zeros(16)
    with torch.no_grad():
        nv[mask] = t(nf).max(1).values
    l = nn.SmoothL1Loss()(sa, (nv * 0.99 + torch.cat(b.reward)).unsqueeze(1))
    o.zero_grad()
    l.backward()
    torch.nn.utils.clip_grad_value_(p.parameters(), 100)
    o.step()
    print("%.5f" % l.item())
    ts, pp = t.state_dict(), p.state_dict()
    for key in pp:
        ts[key] = pp[key] * 0.005 + ts[key] * 0.995
    t.load_state_dict(ts)
from torch.distributions import Bernoulli, Categorical, Multinomial, Normal

c = Categorical(logits=p(torch.randn(3, 4)))
a = c.sample()
print(a, c.log_prob(a), c.entropy(), c, c.probs)
n = Normal(torch.zeros(2), torch.ones(2))
print(
    n.rsample(),
    n.log_prob(torch.ones(2)),
    Multinomial(10, torch.ones(6) / 6).sample(),
    Bernoulli(torch.tensor([0.3])).sample((3,)),
    torch.distributions.kl_divergence(n, Normal(1.0, 2.0)),
)


# char ngram LM
class NGram(nn.Module):
    def __init__(s, V, d, c):
        super().__init__()
        s.embeddings = nn.Embedding(V, d)
        s.linear1 = nn.Linear(c * d, 16)
        s.linear2 = nn.Linear(16, V)

    def forward(s, i):
        return F.log_softmax(s.linear2(F.relu(s.linear1(s.embeddings(i).view((1, -1))))), dim=1)


m = NGram(len(vocab), 5, 2)
opt = torch.optim.SGD(m.parameters(), lr=0.01)
losses = []
for e in range(4):
    tl = 0
    for i in range(len(corpus) - 2):
        m.zero_grad()
        lp = m(torch.tensor([w2i[corpus[i]], w2i[corpus[i + 1]]], dtype=torch.long))
        l = nn.NLLLoss()(lp, torch.tensor([w2i[corpus[i + 2]]], dtype=torch.long))
        l.backward()
        opt.step()
        tl += l.item()
    losses.append(tl)
print(losses)
