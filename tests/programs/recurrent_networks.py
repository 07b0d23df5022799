import torch
import torch.nn as nn

torch.manual_seed(1)
# RNN from 刘二大人: hello -> ohlol, RNNCell / RNN / Embedding
input_size, hidden_size, batch_size, num_layers = 4, 4, 1, 1
idx2char = ["e", "h", "l", "o"]
x_data = [1, 0, 2, 2, 3]
y_data = [3, 1, 2, 3, 2]
one_hot = [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]
x_one_hot = [one_hot[x] for x in x_data]
inputs = torch.Tensor(x_one_hot).view(-1, batch_size, input_size)
labels = torch.LongTensor(y_data).view(-1, 1)


class M(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnncell = nn.RNNCell(input_size=4, hidden_size=4)

    def forward(self, i, h):
        return self.rnncell(i, h)

    def init_hidden(self):
        return torch.zeros(1, 4)


net = M()
criterion = nn.CrossEntropyLoss()
opt = torch.optim.Adam(net.parameters(), lr=0.1)
for epoch in range(5):
    loss = 0
    opt.zero_grad()
    hidden = net.init_hidden()
    print("Predicted string: ", end="")
    for i, l in zip(inputs, labels):
        hidden = net(i, hidden)
        loss += criterion(hidden, l)
        _, idx = hidden.max(dim=1)
        print(idx2char[idx.item()], end="")
    loss.backward()
    opt.step()
    print(", Epoch [%d/15] loss=%.4f" % (epoch + 1, loss.item()))


class E(nn.Module):
    def __init__(self):
        super().__init__()
        self.emb = nn.Embedding(4, 10)
        self.rnn = nn.RNN(10, 8, 2, batch_first=True)
        self.fc = nn.Linear(8, 4)

    def forward(self, x):
        hidden = torch.zeros(2, x.size(0), 8)
        x = self.emb(x)
        x, _ = self.rnn(x, hidden)
        return self.fc(x).view(-1, 4)


net = E()
print(net)
opt = torch.optim.Adam(net.parameters(), lr=0.05)
xi = torch.LongTensor([x_data])
yi = torch.LongTensor(y_data)
for epoch in range(10):
    opt.zero_grad()
    out = net(xi)
    loss = criterion(out, yi)
    loss.backward()
    opt.step()
    _, idx = out.max(dim=1)
    idx = idx.data.numpy()
    print("".join([idx2char[x] for x in idx]), "%.3f" % loss.item())
# name classifier with packed sequences
from torch.nn.utils.rnn import (
    pack_padded_sequence,
    pack_sequence,
    pad_packed_sequence,
    pad_sequence,
)


class Cls(nn.Module):
    def __init__(self, i, h, o, n=1, bi=True):
        super().__init__()
        self.h, self.n, self.d = h, n, 2 if bi else 1
        self.embedding = nn.Embedding(i, h)
        self.gru = nn.GRU(h, h, n, bidirectional=bi)
        self.fc = nn.Linear(h * self.d, o)

    def forward(self, inp, lens):
        inp = inp.t()
        hidden = torch.zeros(self.n * self.d, inp.size(1), self.h)
        e = self.embedding(inp)
        g = pack_padded_sequence(e, lens)
        out, hidden = self.gru(g, hidden)
        hc = torch.cat([hidden[-1], hidden[-2]], dim=1) if self.d == 2 else hidden[-1]
        return self.fc(hc), out


names = ["Maclean", "Vajnichy", "Usami", "Fionin"]
cou = torch.LongTensor([0, 1, 2, 1])
seqs = [[ord(c) for c in n] for n in names]
lens = torch.LongTensor([len(s) for s in seqs])
t = torch.zeros(len(seqs), lens.max()).long()
for i, (s, l) in enumerate(zip(seqs, lens), 0):
    t[i, :l] = torch.LongTensor(s)
lens, perm = lens.sort(dim=0, descending=True)
t = t[perm]
cou = cou[perm]
print(t, lens)
c = Cls(128, 16, 3, 2)
o, packed = c(t, lens)
print(o, packed.batch_sizes, packed.data.shape)
l = criterion(o, cou)
l.backward()
print(l, c.embedding.weight.grad.abs().sum(), sum(p.grad.norm() for p in c.parameters()))
out, ls = pad_packed_sequence(packed, batch_first=True)
print(out.shape, ls)
lstm = nn.LSTM(5, 6, num_layers=2, dropout=0.0, bidirectional=True, batch_first=True, proj_size=3)
y, (h, cc) = lstm(torch.randn(2, 4, 5))
print(y.shape, h.shape, cc.shape, y.mean(), lstm, [k for k, _ in lstm.named_parameters()][:6])
cell = nn.LSTMCell(3, 4)
h, cx = cell(torch.randn(2, 3))
h, cx = cell(torch.randn(2, 3), (h, cx))
print(h.detach(), cx.detach())
print(nn.GRUCell(3, 4)(torch.randn(2, 3)).detach())
print(
    pack_sequence([torch.tensor([1, 2, 3]), torch.tensor([4, 5])]),
    pad_sequence([torch.ones(2), torch.ones(3)]),
)
