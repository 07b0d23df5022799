import math

import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(7)


class PositionalEncoding(nn.Module):
    def __init__(self, d_model, dropout=0.1, max_len=50):
        super().__init__()
        self.dropout = nn.Dropout(p=dropout)
        position = torch.arange(max_len).unsqueeze(1)
        div_term = torch.exp(torch.arange(0, d_model, 2) * (-math.log(10000.0) / d_model))
        pe = torch.zeros(max_len, 1, d_model)
        pe[:, 0, 0::2] = torch.sin(position * div_term)
        pe[:, 0, 1::2] = torch.cos(position * div_term)
        self.register_buffer("pe", pe)

    def forward(self, x):
        return self.dropout(x + self.pe[: x.size(0)])


class TM(nn.Module):
    def __init__(self, ntoken, d, nhead, dh, nl, dropout=0.2):
        super().__init__()
        self.model_type = "Transformer"
        self.pos_encoder = PositionalEncoding(d, dropout)
        el = nn.TransformerEncoderLayer(d, nhead, dh, dropout)
        self.transformer_encoder = nn.TransformerEncoder(el, nl)
        self.embedding = nn.Embedding(ntoken, d)
        self.d_model = d
        self.linear = nn.Linear(d, ntoken)
        self.init_weights()

    def init_weights(self):
        r = 0.1
        self.embedding.weight.data.uniform_(-r, r)
        self.linear.bias.data.zero_()
        self.linear.weight.data.uniform_(-r, r)

    def forward(self, src, src_mask=None):
        src = self.embedding(src) * math.sqrt(self.d_model)
        src = self.pos_encoder(src)
        if src_mask is None:
            src_mask = nn.Transformer.generate_square_subsequent_mask(len(src))
        return self.linear(self.transformer_encoder(src, src_mask))


m = TM(20, 16, 2, 32, 2)
print(m)
crit = nn.CrossEntropyLoss()
opt = torch.optim.SGD(m.parameters(), lr=5.0)
sch = torch.optim.lr_scheduler.StepLR(opt, 1.0, gamma=0.95)
data = torch.randint(0, 20, (11, 4))
for e in range(5):
    m.train()
    out = m(data[:-1]).view(-1, 20)
    loss = crit(out, data[1:].reshape(-1))
    opt.zero_grad()
    loss.backward()
    gn = torch.nn.utils.clip_grad_norm_(m.parameters(), 0.5)
    opt.step()
    sch.step()
    print(e, loss.item(), gn.item(), sch.get_last_lr()[0], math.exp(loss.item()))
m.eval()
print(m(data[:-1])[0, 0, :5])
mha = nn.MultiheadAttention(16, 4, batch_first=True)
q = torch.randn(2, 5, 16)
o, w = mha(q, q, q, key_padding_mask=torch.tensor([[False] * 5, [False] * 3 + [True] * 2]))
print(o[0, 0, :4], w[1])
print(mha)
t = nn.Transformer(
    d_model=16,
    nhead=2,
    num_encoder_layers=1,
    num_decoder_layers=1,
    dim_feedforward=32,
    dropout=0.0,
    batch_first=True,
)
y = t(q, q[:, :3], tgt_mask=t.generate_square_subsequent_mask(3))
print(y.sum(), y.shape)
print(t)
print(F.scaled_dot_product_attention(q[:, None], q[:, None], q[:, None], is_causal=True).sum())


class SelfAttention(nn.Module):
    def __init__(s, e, h):
        super().__init__()
        s.h, s.d = h, e // h
        s.qkv = nn.Linear(e, 3 * e, bias=False)
        s.o = nn.Linear(e, e)
        s.register_buffer("mask", torch.tril(torch.ones(8, 8)).view(1, 1, 8, 8), persistent=False)

    def forward(s, x):
        B, T, C = x.size()
        q, k, v = s.qkv(x).split(C, dim=2)
        q, k, v = [z.view(B, T, s.h, s.d).transpose(1, 2) for z in (q, k, v)]
        a = (q @ k.transpose(-2, -1)) / math.sqrt(s.d)
        a = a.masked_fill(s.mask[:, :, :T, :T] == 0, float("-inf"))
        a = F.softmax(a, -1)
        return s.o((a @ v).transpose(1, 2).contiguous().view(B, T, C))


sa = SelfAttention(16, 4)
r = sa(q)
print(r[0], list(sa.state_dict()), sum(p.numel() for p in sa.parameters()))


class Block(nn.Module):
    def __init__(s):
        super().__init__()
        s.ln1 = nn.LayerNorm(16)
        s.a = SelfAttention(16, 4)
        s.ln2 = nn.LayerNorm(16)
        s.mlp = nn.Sequential(nn.Linear(16, 64), nn.GELU(), nn.Linear(64, 16), nn.Dropout(0.1))

    def forward(s, x):
        x = x + s.a(s.ln1(x))
        return x + s.mlp(s.ln2(x))


class GPT(nn.Module):
    def __init__(s, V=20):
        super().__init__()
        s.wte = nn.Embedding(V, 16)
        s.wpe = nn.Embedding(8, 16)
        s.h = nn.ModuleList([Block() for _ in range(2)])
        s.head = nn.Linear(16, V, bias=False)
        s.wte.weight = s.head.weight
        s.apply(s._init)

    def _init(s, m):
        if isinstance(m, (nn.Linear, nn.Embedding)):
            nn.init.normal_(m.weight, 0.0, 0.02)
        if isinstance(m, nn.Linear) and m.bias is not None:
            nn.init.zeros_(m.bias)

    def forward(s, i, t=None):
        x = s.wte(i) + s.wpe(torch.arange(i.size(1)))
        for b in s.h:
            x = b(x)
        l = s.head(x)
        return l, None if t is None else F.cross_entropy(
            l.view(-1, l.size(-1)), t.view(-1), ignore_index=-1
        )

    @torch.no_grad()
    def generate(s, idx, n, temperature=1.0, top_k=5):
        for _ in range(n):
            l, _ = s(idx[:, -8:])
            l = l[:, -1] / temperature
            v, _ = torch.topk(l, top_k)
            l[l < v[:, [-1]]] = -float("Inf")
            p = F.softmax(l, -1)
            idx = torch.cat((idx, torch.multinomial(p, 1)), 1)
        return idx


g = GPT()
opt = torch.optim.AdamW(g.parameters(), lr=1e-2, weight_decay=0.1, betas=(0.9, 0.95))
x = data.t()[:, :8].contiguous()
y = data.t()[:, 1:9].contiguous()
for i in range(8):
    _, loss = g(x, y)
    opt.zero_grad(set_to_none=True)
    loss.backward()
    opt.step()
    print(f"{loss.item():.4f}")
g.eval()
print(
    g.generate(torch.zeros(1, 1, dtype=torch.long), 12),
    len(list(g.parameters())),
    g.wte.weight is g.head.weight,
)
