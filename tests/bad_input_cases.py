"""Mistakes, each as one line that a user may write: (name, line) with `torch`, `nn`, `F`, `np`, ...

`scripts/goldens_programs.py` stores what PyTorch raises for each; `test_bad_input.py` compares.
Where PyTorch's sentence is a listing of C++ signatures, or depends on where it was built, only the
type of the exception is compared: those lines end with the mark `# type`.
"""

from __future__ import annotations

import io
import os
import pickle
import tempfile
from types import ModuleType

import numpy as np

LINES = """\
torch.tensor([[1, 2], [3]])
torch.tensor([1, [2]])
torch.tensor("text")
torch.tensor(["a", "b"])
torch.tensor([1, None])
torch.tensor(None)
torch.tensor(object())
torch.tensor({1: 2})
torch.tensor(np.array([1, "a"], dtype=object))
torch.tensor(np.array(["a", "b"]))
torch.tensor([1, 2], dtype="float32")  # type
torch.tensor([300], dtype=torch.uint8)
torch.tensor(2**70)
torch.tensor([2**63])
torch.tensor()  # type
torch.tensor(1, 2)  # type
torch.tensor([1.0], device="nowhere")  # type
torch.tensor([1.0], device="cuda")  # type
torch.tensor(2, requires_grad=True)
torch.tensor(range(3), requires_grad=True)
torch.tensor([float("nan")], dtype=torch.int64)
torch.tensor([256], dtype=torch.uint8)
torch.tensor([1, 2**63])
torch.tensor([[1], 2])
torch.tensor([[[1, 2], [3, 4]], [[1, 2], [3]]])
torch.full((2,), 1e40)
torch.full((2,), 300, dtype=torch.uint8)
torch.zeros(2, dtype=torch.int64) + 2**70
torch.linspace(0, 1)  # type
torch.eye(2.5)
torch.FloatTensor(torch.arange(3))  # type
torch.as_tensor([1, "a"])  # type
torch.from_numpy([1, 2])
torch.from_numpy(np.array([None]))
torch.from_numpy(np.array(["a"]))
torch.from_numpy(np.arange(4)[::-1])
torch.zeros(-1)
torch.zeros(2, -3)
torch.zeros(2, 2.5)  # type
torch.zeros("a")  # type
torch.zeros(2**40, 2**40)
torch.ones(2, dtype=3)  # type
torch.ones(3, dtype=float, device=torch.device("cuda", 0))  # type
torch.full((2, -1), 0)
torch.full((2,), "a")  # type
torch.arange(3, 0)
torch.arange(0, 3, 0)
torch.arange(float("nan"))
torch.arange(float("inf"))
torch.arange("a")  # type
torch.linspace(0, 1, -1)
torch.eye(-1)
torch.rand(-2)
torch.rand("a")  # type
torch.rand(2, dtype=torch.int64)
torch.randn(2, dtype=torch.int64)
torch.randint(0, 10, 5)  # type
torch.randint(10, 0, (2,))
torch.randint(0, 0, (2,))
torch.randint(10)  # type
torch.randperm(-1)
torch.normal(0, 1, 5)  # type
torch.normal(0.0, -1.0, (3,))
torch.normal(torch.zeros(3), torch.tensor([1.0, -1.0, 1.0]))
torch.ones(3).normal_(0, -1)
torch.ones(3).uniform_(1, 0)
torch.bernoulli(torch.tensor([1.5]))
torch.multinomial(torch.tensor([1.0, -1.0]), 1)
torch.multinomial(torch.tensor([1.0, 1.0]), 3)
torch.multinomial(torch.zeros(2), 1)
torch.manual_seed("a")
torch.device("gpu")  # type
torch.device("cuda:x")
torch.ones(2).cuda()  # type
torch.ones(2).to("cuda:0")  # type
torch.ones(2).to("gpu")  # type
torch.set_default_dtype(torch.int64)
torch.Tensor("abc")  # type
torch.Tensor(-1)
torch.Tensor([1, "a"])
torch.FloatTensor(["a"])
torch.ones(2, 3).view(4, -1)
torch.ones(2, 3).view(-1, -1)
torch.ones(2, 3).view(5)
torch.ones(2, 3).view(-2, 3)
torch.ones(2, 3).t().view(6)
torch.ones(0, 3).view(-1, 0)
torch.ones(2, 3).reshape(4)
torch.ones(2, 3).reshape("a")  # type
torch.ones(2, 3).view(torch.float64)
torch.ones(2, 3, 4).t()
torch.ones(2, 3).transpose(0, 2)
torch.ones(2, 3).permute(0)
torch.ones(2, 3).permute(0, 0)
torch.ones(2, 3).expand(3, 3)
torch.ones(2, 3).expand(3)
torch.ones(2, 3).squeeze(5)
torch.ones(2, 3).unsqueeze(4)
torch.ones(2, 3).select(0, 2)
torch.ones(2, 3).narrow(0, 1, 5)
torch.ones(2, 3).narrow(0, 0, -1)
torch.ones(5).split([2, 2])
torch.ones(5).split(-1)
torch.ones(5).chunk(0)
torch.ones(2, 3).flatten(1, 0)
torch.ones(2).diagonal()
torch.ones(2).as_strided((3,), (1,))
torch.ones(2).as_strided((2,), (-1,))
torch.tensor(1.0).unbind()
torch.ones(2, 3).repeat(2)
torch.cat([])
torch.cat([torch.ones(2), torch.ones(2, 2)])
torch.cat([torch.ones(2, 3), torch.ones(2, 2)])
torch.cat([torch.ones(2), 3])  # type
torch.cat(torch.ones(2))  # type
torch.cat([torch.tensor(1.0), torch.tensor(2.0)])
torch.stack([torch.ones(2), torch.ones(3)])
torch.stack([])
torch.ones(2, 3)[2]
torch.ones(2, 3)[0, 3]
torch.ones(2, 3)[0, 0, 0]
torch.ones(2, 3)[1.5]
torch.ones(2, 3)["a"]
torch.ones(2, 3)[[0, 5]]
torch.ones(2, 3)[torch.tensor([0.5])]
torch.ones(2, 3)[torch.tensor([True, False, True])]
torch.ones(2, 3)[torch.ones(3, 2, dtype=torch.bool)]
torch.ones(2, 3)[::-1]
torch.ones(2, 3)[::0]
torch.ones(2, 3)[[0, 1], [0, 1, 2]]  # type
torch.tensor(1.0)[0]
torch.tensor([])[0]
torch.ones(2, 3).__setitem__(0, torch.ones(2))
torch.ones(2, 3).__setitem__(5, 1.0)
torch.ones(2, 3).__setitem__(0, "a")
torch.ones(2, 3).__setitem__((0, 7), 1.0)
torch.ones(2, 3).__setitem__(torch.tensor([True, False, True]), 0.0)
torch.ones(3).index_select(0, torch.tensor([3]))
torch.ones(3).index_select(0, torch.tensor([0.0]))
torch.gather(torch.ones(2, 2), 1, torch.tensor([[2]]))
torch.gather(torch.ones(2, 2), 1, torch.tensor([0]))
torch.ones(2).scatter_(0, torch.tensor([2]), 1.0)
torch.ones(3).take(torch.tensor([3]))
torch.ones(3).masked_fill_(torch.tensor([1, 0, 1]), 0.0)
torch.ones(2, 3).item()
torch.ones(0).item()
int(torch.ones(2))
float(torch.ones(2))
bool(torch.ones(2))
bool(torch.ones(0))
len(torch.tensor(1))
list(torch.tensor(1))
range(3)[torch.tensor(1.5)]
torch.ones(2) + torch.ones(3)
torch.ones(2, 3) * torch.ones(2)
torch.ones(2) + "a"  # type
torch.ones(2) + None  # type
torch.ones(2) < "a"  # type
torch.ones(2) @ 3  # type
torch.add(torch.ones(2), torch.ones(2), alpha="a")  # type
torch.add(torch.ones(2), torch.ones(2), out=torch.ones(2, dtype=torch.int64))
torch.add(torch.arange(2), torch.arange(2), alpha=1.5)
torch.ones(2, 3).add_(torch.ones(4))
torch.ones(3).add_(torch.ones(2, 3))
torch.arange(3).add_(1.5)
torch.arange(3).div_(2)
torch.arange(3).mul_(torch.ones(3))
torch.tensor([True]) - torch.tensor([True])
-torch.tensor([True])
torch.arange(3) // 0
torch.arange(3) % 0
torch.arange(3) ** -1
torch.ones(2) << 1.5
torch.ones(2) & torch.ones(2)
~torch.ones(2)
torch.exp(1.0)  # type
torch.log([1.0])  # type
torch.abs("a")  # type
torch.sqrt()  # type
torch.exp(torch.ones(2), 3)  # type
torch.sigmoid(torch.ones(2), dim=1)  # type
torch.mean(torch.arange(3))
torch.arange(3).std()
torch.ones(2, 3).sum(2)
torch.ones(2, 3).sum((0, 0))
torch.ones(2, 3).mean("a")  # type
torch.ones(2, 3).max(5)
torch.tensor([]).max()
torch.tensor([]).argmax()
torch.ones(0, 3).max(0)
torch.tensor([]).median(0)
torch.ones(3).topk(4)
torch.ones(3).sort(2)
torch.ones(3).cumsum(1)
torch.ones(3).clamp()
torch.ones(3).clamp("a")  # type
torch.where(torch.ones(2), torch.ones(2), torch.ones(2))
torch.where(torch.tensor([True]), 1)  # type
torch.mm(torch.ones(2, 3), torch.ones(2, 3))
torch.mm(torch.ones(2), torch.ones(2))
torch.mm(torch.ones(2, 3).long(), torch.ones(3, 2))
torch.mv(torch.ones(2, 3), torch.ones(2))
torch.mv(torch.ones(2), torch.ones(2))
torch.dot(torch.ones(2), torch.ones(3))
torch.dot(torch.ones(2, 2), torch.ones(2))
torch.dot(torch.ones(2), torch.ones(2).double())
torch.matmul(torch.ones(2, 3), torch.ones(4))
torch.matmul(torch.tensor(1.0), torch.ones(2))
torch.ones(2, 3) @ torch.ones(3, 2).double()
torch.bmm(torch.ones(2, 3), torch.ones(2, 3))
torch.bmm(torch.ones(2, 3, 4), torch.ones(2, 3, 4))
torch.softmax(torch.ones(2), 1)
torch.softmax(torch.arange(2), 0)
torch.nonexistent  # type
torch.ones(2).nonexistent
F.one_hot(torch.tensor([-1]))
F.one_hot(torch.tensor([3]), 2)
F.one_hot(torch.tensor([1.0]))
torch.ones(2).backward()
torch.ones(2, requires_grad=True).mul(2).backward()
torch.ones(2, requires_grad=True).mul(2).backward(torch.ones(3))
torch.ones(2, requires_grad=True).sum().backward("a")
torch.autograd.grad(torch.ones(1), torch.ones(1))
torch.autograd.grad(leaf.sum(), torch.ones(1, requires_grad=True))
twice(leaf)
leaf.add_(1)
leaf.numpy()
leaf.__setitem__(0, 1.0)
leaf.mul(2).requires_grad_(False)
torch.arange(3).requires_grad_()  # type
setattr(leaf, "grad", torch.ones(7))
setattr(leaf, "grad", 3)
setattr(leaf, "data", 3)
torch.add(leaf, 1, out=leaf)
nn.Linear(3)  # type
nn.Linear("a", 2)  # type
nn.Linear(3, -1)
nn.Linear(2, 2, 2, 2, 2, 2)  # type
nn.Linear(3, 2)(torch.ones(2, 4))
nn.Linear(3, 2)(torch.ones(2, 3).double())
nn.Linear(3, 2)(torch.ones(2, 3).long())
nn.Linear(3, 2)([1.0, 2.0, 3.0])  # type
nn.Linear(3, 2)()  # type
nn.Linear(3, 2)(torch.ones(3), torch.ones(3))  # type
nn.Linear(3, 2)(torch.tensor(1.0))
nn.Sequential(nn.Linear(2, 2), 3)
nn.Sequential(nn.Linear(2, 2))[1]
nn.Sequential(nn.Linear(2, 2), nn.Linear(3, 2))(torch.ones(1, 2))
nn.Sequential().add_module("a.b", nn.ReLU())
nn.Sequential().add_module("", nn.ReLU())
nn.Sequential().add_module(3, nn.ReLU())
nn.Sequential().add_module("a", 3)
nn.ModuleList([1])
nn.ModuleDict({"a": 1})
nn.ModuleList([nn.ReLU()])[1]
nn.ModuleList([nn.ReLU()])(torch.ones(1))
nn.Module()(1)
nn.Module().nothing
setattr(nn.Linear(2, 2), "weight", torch.ones(2, 2))
nn.Linear(2, 2).register_parameter("w", torch.ones(1))
nn.Linear(2, 2).register_buffer("weight", torch.ones(1))
nn.Linear(2, 2).register_buffer("b.c", torch.ones(1))
nn.Linear(2, 2).to(torch.int64)
nn.Linear(2, 2).to("cuda")  # type
nn.Linear(2, 2).train("a")
nn.Linear(2, 2).load_state_dict({})
nn.Linear(2, 2).load_state_dict([])
nn.Linear(2, 2).load_state_dict(nn.Linear(3, 2).state_dict())
nn.Linear(2, 2).load_state_dict({"weight": 1, "bias": 2})
nn.Linear(2, 2).get_parameter("nothing")
nn.Linear(2, 2).get_submodule("a.b")
NoInit()
nn.Parameter(3)  # type
nn.Parameter(torch.arange(3))
nn.Dropout(1.5)
nn.Dropout(-0.1)
nn.Flatten(2)(torch.ones(2, 3))
nn.Softmax(dim=3)(torch.ones(2, 3))
nn.init.xavier_uniform_(torch.ones(3))
nn.init.kaiming_normal_(torch.ones(3, 3), mode="fan")
nn.init.kaiming_normal_(torch.ones(3, 3), nonlinearity="nothing")
nn.init.eye_(torch.ones(3))
nn.init.normal_(torch.ones(3), std=-1.0)
nn.init.calculate_gain("nothing")
nn.MSELoss()(torch.ones(2), torch.ones(3))
nn.MSELoss(reduction="average")(torch.ones(2), torch.ones(2))
nn.MSELoss()(torch.ones(2))  # type
nn.L1Loss(reduction="x")(torch.ones(2), torch.ones(2))
nn.BCELoss()(torch.tensor([1.5]), torch.tensor([1.0]))
nn.BCELoss()(torch.tensor([-0.5]), torch.tensor([1.0]))
nn.BCELoss()(torch.tensor([float("nan")]), torch.tensor([1.0]))
nn.BCELoss()(torch.tensor([0.5]), torch.tensor([1]))
nn.BCELoss()(torch.rand(3, 1), torch.rand(3))
nn.BCEWithLogitsLoss()(torch.rand(3, 1), torch.rand(3))
nn.CrossEntropyLoss()(torch.ones(2, 3), torch.tensor([0, 3]))
nn.CrossEntropyLoss()(torch.ones(2, 3), torch.tensor([0, -1]))
nn.CrossEntropyLoss()(torch.ones(2, 3), torch.tensor([0]))
nn.CrossEntropyLoss()(torch.ones(2, 3), torch.tensor([0.0, 1.0]))
nn.CrossEntropyLoss()(torch.ones(2, 3), torch.tensor([[0], [1]]))
nn.CrossEntropyLoss()(torch.ones(2, 3).long(), torch.tensor([0, 1]))
nn.CrossEntropyLoss()(torch.tensor(1.0), torch.tensor(0))
nn.CrossEntropyLoss(weight=torch.ones(2))(torch.ones(2, 3), torch.tensor([0, 1]))
nn.CrossEntropyLoss(label_smoothing=2.0)(torch.ones(2, 3), torch.tensor([0, 1]))
nn.CrossEntropyLoss(weight=[1, 1, 1])
nn.NLLLoss()(torch.ones(2, 3), torch.tensor([0, 5]))
nn.NLLLoss()(torch.ones(2, 3), torch.tensor([0, 1], dtype=torch.int32))
nn.NLLLoss()(torch.ones(2, 3), torch.tensor([0.0, float("nan")]))
F.cross_entropy(torch.ones(2, 3))  # type
F.relu("a")  # type
F.linear(torch.ones(2, 3), torch.ones(4, 2))
F.dropout(torch.ones(2), 2.0)
optim.SGD([], lr=0.1)
optim.SGD(torch.ones(1), lr=0.1)
optim.SGD([1, 2], lr=0.1)
optim.SGD([leaf.mul(2)], lr=0.1)
optim.SGD([leaf], lr=-1)
optim.SGD([leaf], lr=0.1, momentum=-1)
optim.SGD([leaf], lr=0.1, nesterov=True)
optim.SGD([leaf], lr=0.1, weight_decay=-1)
optim.SGD([leaf], lr="a")  # type
optim.SGD([{"lr": 1.0}])
optim.SGD([{"params": [leaf]}, {"params": [leaf]}], lr=0.1)
optim.SGD([{"params": {leaf}}], lr=0.1)
optim.SGD([leaf], lr=0.1, nothing=1)  # type
optim.SGD(lr=0.1)  # type
optim.SGD([leaf], lr=0.1).load_state_dict({"state": {}, "param_groups": []})
optim.SGD([leaf], lr=0.1).load_state_dict(optim.SGD([leaf, torch.ones(1)], lr=1.0).state_dict())
optim.SGD([leaf], lr=0.1).add_param_group([leaf])
optim.Adam([leaf], betas=(1.0, 0.9))
optim.Adam([leaf], betas=(0.5, -0.9))
optim.Adam([leaf], eps=-1)
optim.Adam([leaf], lr=-1.0)
optim.AdamW([leaf], weight_decay=-1.0)
data.TensorDataset(torch.ones(2), torch.ones(3))
data.TensorDataset(torch.ones(2))[2]
data.Dataset()[0]
data.Subset([1, 2], [5])[0]
data.random_split([1, 2, 3], [1, 1])
data.random_split([1, 2, 3], [0.5, 0.6])
data.random_split([1, 2, 3], [-0.5, 1.5])
data.DataLoader([1], batch_size=0)
data.DataLoader([1], batch_size=1.5)
data.DataLoader([1], batch_size=-1)
data.DataLoader([], shuffle=True)
data.DataLoader([1], shuffle=True, sampler=[0])
data.DataLoader([1], batch_sampler=[[0]], batch_size=2)
data.DataLoader([1], batch_size=None, drop_last=True)
data.DataLoader([1], num_workers=-1)
data.DataLoader([1], timeout=-1)
data.DataLoader([1], nothing=1)  # type
list(data.DataLoader(3))
list(data.DataLoader([None, None], batch_size=2))
list(data.DataLoader([object()]))
list(data.DataLoader([torch.ones(1), torch.ones(2)], batch_size=2))
list(data.DataLoader([(1, 2), (1,)], batch_size=2))
list(data.DataLoader([{"a": 1}, {"b": 1}], batch_size=2))
list(data.DataLoader([np.array(["a"])]))
data.RandomSampler([])
data.RandomSampler([1], num_samples=0)
data.RandomSampler([1], replacement=3)
data.WeightedRandomSampler([1.0], 0)
data.BatchSampler([1], 0, False)
data.BatchSampler([1], 2, 3)
torch.load("there-is-no-such-file")
torch.load(3)
torch.load(io.BytesIO(b""))
torch.load(io.BytesIO(b"not a checkpoint"))  # type
torch.load(io.BytesIO(saved[: len(saved) // 2]))
torch.load(io.BytesIO(saved[:-30]))
torch.load(io.BytesIO(pickle.dumps(os.getcwd, 2)))  # type
torch.load(io.BytesIO(saved), map_location="cuda")
torch.load(io.BytesIO(saved), map_location="nowhere")
torch.save(torch.ones(1), "no/such/folder/file.pt")
torch.save(torch.ones(1), 3)
torch.save(torch.ones(1))  # type
torch.set_grad_enabled()  # type
torch.Size([1.5])
torch.Size("a")
torch.Generator("nowhere")  # type
torch.set_rng_state(torch.zeros(3))
torch.set_rng_state(torch.zeros(3, dtype=torch.uint8))
torch.allclose(torch.ones(2), torch.ones(3))
torch.equal(torch.ones(2), 3)  # type
torch.finfo(torch.int64)
torch.iinfo(torch.float32)
torch.zeros(2).type("torch.NoTensor")
torch.zeros(2).type(3)
torch.zeros(2).copy_(torch.zeros(3))
torch.zeros(2).fill_(torch.zeros(2))
torch.zeros(2).fill_("a")  # type
torch.einsum("ij,jk", torch.ones(2, 3), torch.ones(2, 3))
torch.result_type(1, "a")  # type
torch.zeros(2).unfold(0, 3, 1)
torch.zeros(2).unfold(0, 1, 0)
torch.zeros(2).new_ones(-1)
torch.zeros_like(3)  # type
torch.tensor([torch.ones(2), torch.ones(2)])
torch.tensor([torch.ones(0)])
torch.tensor([torch.ones(1, dtype=torch.float64)], dtype=torch.int64)
torch.LongTensor([torch.tensor(1.5)])
torch.tensor([[1.0, 2.0], torch.ones(2, 2)])
torch.stack([np.ones(2)])
torch.sum(np.ones(2))
F.relu(None)
torch.mul(torch.ones(2), None)
torch.eq(torch.ones(2), None)  # type
F.scaled_dot_product_attention(*[torch.ones(1, 2, 2)] * 3, torch.ones(2, 2), is_causal=True)
torch.tensor([1]) // 0
torch.tensor([1]) % 0
torch.pca_lowrank(torch.ones(3, 2), 3)
torch.pca_lowrank(torch.ones(3, 2), 2, niter=-1)
torch.symeig(torch.ones(2, 2))
torch.solve(torch.ones(2, 1), torch.ones(2, 2))
torch.ones(2).storage()[2]
torch.ones(2).storage()[:1]
torch.zeros(2).resize_(-1)
"""


def cases() -> dict[str, bool]:
    """Returns the lines, each with whether the sentence is compared too."""
    lines = (line.partition("  # ") for line in LINES.splitlines())
    return {line: mark != "type" for line, _, mark in lines}


ROOTS = (Exception, BaseException, object, ArithmeticError, LookupError)


def raised(torch: ModuleType, line: str) -> tuple[str, str]:
    """Returns the type, with its bases, and the first line of what a line of code raises."""
    nn = torch.nn

    class NoInit(nn.Module):
        def __init__(self):
            self.layer = nn.Linear(1, 1)

    def twice(x):
        loss = (x * x).sum()
        loss.backward()
        loss.backward()

    file = io.BytesIO()
    torch.save({"weight": torch.arange(100.0)}, file)
    names = {
        "torch": torch, "nn": nn, "F": nn.functional, "optim": torch.optim, "np": np, "io": io,
        "data": torch.utils.data, "os": os, "pickle": pickle, "saved": file.getvalue(),
        "leaf": torch.ones(2, requires_grad=True), "NoInit": NoInit, "twice": twice,
    }  # fmt: skip
    before = os.getcwd()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        try:
            result = eval(line, names)
        except Exception as error:
            kinds = (kind.__name__ for kind in type(error).__mro__ if kind not in ROOTS)
            return " ".join(kinds), (str(error).splitlines() or [""])[0]
        finally:
            left = os.listdir(folder)
            os.chdir(before)
            assert not left, f"{line} has written {left}"
    return "nothing", type(result).__name__
