import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(0)
x = torch.randn(2, 3, 8, 8)
for l in [
    nn.Conv2d(3, 4, 3, padding="same"),
    nn.Conv2d(
        3, 6, 3, stride=2, padding=1, dilation=2, groups=3, bias=False, padding_mode="reflect"
    ),
    nn.ConvTranspose2d(3, 2, 2, 2),
    nn.MaxPool2d(2),
    nn.MaxPool2d(3, 2, 1, ceil_mode=True),
    nn.AvgPool2d(3, 1, 1, count_include_pad=False),
    nn.AdaptiveAvgPool2d((1, 1)),
    nn.AdaptiveMaxPool2d(2),
    nn.BatchNorm2d(3),
    nn.InstanceNorm2d(3),
    nn.GroupNorm(3, 3),
    nn.LayerNorm([8, 8]),
    nn.LocalResponseNorm(2),
    nn.Upsample(scale_factor=2, mode="bilinear"),
    nn.Upsample(16),
    nn.PixelShuffle(1),
    nn.ZeroPad2d(1),
    nn.ReflectionPad2d(2),
    nn.Flatten(),
    nn.Softmax2d(),
    nn.ReLU6(),
    nn.ELU(),
    nn.PReLU(),
    nn.Hardswish(),
    nn.SiLU(),
    nn.Mish(),
    nn.Softplus(),
    nn.Tanhshrink(),
    nn.GELU(approximate="tanh"),
    nn.LogSoftmax(dim=1),
    nn.Dropout2d(0.5),
    nn.FractionalMaxPool2d(2, output_size=4),
    nn.LPPool2d(2, 2),
    nn.Identity(),
    nn.Unfold(2),
    nn.ChannelShuffle(3),
    nn.CELU(),
    nn.GLU(dim=2),
    nn.Hardtanh(),
    nn.Softsign(),
    nn.Threshold(0.1, 20),
    nn.RReLU(),
    nn.AlphaDropout(0.2),
    nn.RMSNorm(8),
]:
    y = l(x)
    print(l, tuple(y.shape), "%.4f %.4f" % (y.sum().item(), y.std().item()))
bn = nn.BatchNorm1d(3)
z = torch.randn(10, 3) * 2 + 1
for i in range(3):
    bn(z)
print(bn.running_mean, bn.running_var, bn.num_batches_tracked)
bn.eval()
print(bn(z)[0], bn.training, bn.state_dict())
a, b = torch.randn(4, 3), torch.randn(4, 3)
t = torch.tensor([0, 2, 1, 1])
for l, args in [
    (nn.CrossEntropyLoss(label_smoothing=0.1), (a, t)),
    (nn.CrossEntropyLoss(weight=torch.tensor([1.0, 2, 3]), reduction="none"), (a, t)),
    (nn.CrossEntropyLoss(ignore_index=1), (a, t)),
    (nn.CrossEntropyLoss(), (a, b.softmax(1))),
    (nn.NLLLoss(), (a.log_softmax(1), t)),
    (nn.MSELoss(size_average=False), (a, b)),
    (nn.L1Loss(reduction="sum"), (a, b)),
    (nn.SmoothL1Loss(), (a, b)),
    (nn.HuberLoss(), (a, b)),
    (nn.BCEWithLogitsLoss(pos_weight=torch.tensor([2.0])), (a, b.sigmoid())),
    (nn.KLDivLoss(reduction="batchmean"), (a.log_softmax(1), b.softmax(1))),
    (nn.HingeEmbeddingLoss(), (a, b.sign())),
    (nn.MarginRankingLoss(), (a, b, torch.ones(4, 3))),
    (nn.TripletMarginLoss(), (a, b, a + 1)),
    (nn.CosineEmbeddingLoss(), (a, b, torch.ones(4))),
    (nn.MultiMarginLoss(), (a, t)),
    (nn.MultiLabelSoftMarginLoss(), (a, (b > 0).float())),
    (nn.SoftMarginLoss(), (a, b.sign())),
    (nn.PoissonNLLLoss(), (a, b.abs())),
    (nn.GaussianNLLLoss(), (a, b, torch.ones(4, 3))),
    (
        nn.CTCLoss(),
        (
            torch.randn(10, 2, 5).log_softmax(2),
            torch.tensor([[1, 2], [3, 4]]),
            torch.tensor([10, 10]),
            torch.tensor([2, 2]),
        ),
    ),
]:
    print(l, l(*args))
print(
    F.sigmoid(a[0]),
    F.tanh(a[0]),
    F.softmax(a[0]),
    F.pad(a, (1, 1), value=9.0),
    F.interpolate(x[:, :, :2, :2], scale_factor=2, mode="nearest")[0, 0],
    F.one_hot(t),
    F.pairwise_distance(a, b),
    F.normalize(a),
    F.unfold(x, 3).shape,
    F.max_pool2d(x, 2, return_indices=True)[1][0, 0],
    F.gumbel_softmax(a, tau=1, hard=True),
    F.affine_grid(torch.eye(2, 3)[None], (1, 1, 2, 2), align_corners=False),
    F.grid_sample(x[:1, :1], torch.zeros(1, 1, 1, 2), align_corners=False),
    F.dropout(a, 0.5, training=False) is a,
    F.glu(torch.ones(1, 4)),
    F.cosine_similarity(a, b),
    F.pdist(a),
    F.layer_norm(a, (3,)),
    F.linear(a, b).shape,
    F.bilinear(a, b, torch.ones(1, 3, 3)).shape,
    F.embedding(t, a),
    F.conv1d(torch.ones(1, 1, 5), torch.ones(1, 1, 3), padding=1),
    F.relu(a, inplace=False).sum(),
    F.avg_pool1d(torch.arange(6.0).view(1, 1, 6), 2),
)


def comp_conv2d(conv2d, X):
    X = X.reshape((1, 1) + X.shape)
    Y = conv2d(X)
    return Y.reshape(Y.shape[2:])


print(
    comp_conv2d(
        nn.LazyConv2d(1, kernel_size=(3, 5), padding=(0, 1), stride=(3, 4)), torch.rand(8, 8)
    ).shape
)


def corr2d(X, K):
    h, w = K.shape
    Y = torch.zeros((X.shape[0] - h + 1, X.shape[1] - w + 1))
    for i in range(Y.shape[0]):
        for j in range(Y.shape[1]):
            Y[i, j] = (X[i : i + h, j : j + w] * K).sum()
    return Y


X = torch.ones((6, 8))
X[:, 2:6] = 0
K = torch.tensor([[1.0, -1.0]])
Y = corr2d(X, K)
print(Y)
conv = nn.Conv2d(1, 1, (1, 2), bias=False)
for i in range(10):
    l = (conv(X.reshape(1, 1, 6, 8)) - Y.reshape(1, 1, 6, 7)) ** 2
    conv.zero_grad()
    l.sum().backward()
    conv.weight.data[:] -= 3e-2 * conv.weight.grad
    if (i + 1) % 2 == 0:
        print(f"epoch {i + 1}, loss {l.sum():.3f}")
print(conv.weight.data.reshape((1, 2)))
n = nn.utils.parametrizations.weight_norm(nn.Linear(3, 2))
print(n, n.weight.shape)
n = nn.utils.weight_norm(nn.Linear(3, 2))
print(n.weight_g.shape, list(n.state_dict()))
print(nn.utils.parameters_to_vector(n.parameters()).shape)
s = nn.utils.spectral_norm(nn.Linear(3, 2))
print(s(a).shape, s)
import torch.nn.utils.prune as prune

q = nn.Linear(4, 3)
prune.l1_unstructured(q, "weight", amount=0.3)
print(q.weight, list(q.named_buffers())[0][0])
prune.remove(q, "weight")
