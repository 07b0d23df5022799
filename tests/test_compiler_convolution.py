"""Native convolutions and pools give what the interpreter gives, and what eager gives."""

from __future__ import annotations

import os

import numpy as np
import pytest

import lantern
from lantern import dtypes
from lantern.compiler import parts
from lantern.compiler.interpret import interpret
from lantern.compiler.ir import Graph
from lantern.compiler.native import Program
from lantern.compiler.runtime import host
from lantern.shape import window_counts

pytest.importorskip("llvmlite")
pytestmark = pytest.mark.usefixtures("private_cache")

COUNT = int(os.environ.get("LANTERN_PROGRAMS", "150"))


def kinds(program):
    return [each.kind for each in program.plan.kernels]


class Setting:
    """A random convolution: sizes, stride, padding, dilation, groups."""

    def __init__(self, seed):
        random = self.random = np.random.RandomState(seed)
        ndim = random.choice([1, 2, 2, 2, 3])
        self.groups = int(random.choice([1, 1, 1, 2, 3]))
        channels = self.groups * random.randint(1, 5)
        outputs = self.groups * random.randint(1, 12 if ndim < 3 else 5)
        batch = int(random.choice([1, 2, 3, 5, 16, 17, 33]))
        self.kernel = tuple(int(random.randint(1, 6 - ndim)) for _ in range(ndim))
        self.stride = tuple(int(random.choice([1, 1, 2, 3])) for _ in range(ndim))
        self.dilation = tuple(int(random.choice([1, 1, 2])) for _ in range(ndim))
        low = [int(random.randint(0, 3)) for _ in range(ndim)]
        self.padding = tuple((each, max(each + int(random.randint(-1, 2)), 0)) for each in low)
        sizes = []
        for k, d, (low, high) in zip(self.kernel, self.dilation, self.padding, strict=True):
            least = max(d * (k - 1) + 1 - low - high, 1)
            most = 40 if ndim < 3 and random.rand() < 0.3 else 9
            sizes.append(int(random.randint(least, least + most)))
        self.x = (batch, channels, *sizes)
        self.weight = (outputs, channels // self.groups, *self.kernel)
        wide = [low + n + high for n, (low, high) in zip(sizes, self.padding, strict=True)]
        self.y = (batch, outputs, *window_counts(wide, self.kernel, self.stride, self.dilation))
        self.how = (self.stride, self.padding, self.dilation, self.groups)
        self.dtype = dtypes.float64 if random.rand() < 0.15 else dtypes.float32

    def array(self, shape):
        return self.random.standard_normal(shape).astype("f8" if self.dtype.char == "d" else "f4")


def check(graph, arrays, target=None, tolerance=1e-5):
    want = interpret(graph, [each.copy() for each in arrays])
    program = Program(graph, (), target)
    for _ in range(2):
        got = program([each.copy() for each in arrays])
        for a, b in zip(got, want, strict=True):
            assert a.shape == b.shape and a.dtype == b.dtype
            np.testing.assert_allclose(
                a, b, rtol=1e-4, atol=tolerance * max(1, np.abs(b).max(initial=0))
            )
    return program


def convolution(setting, graph, name, finished):
    kind = setting.dtype
    x, w, y = (graph.input(each, kind) for each in (setting.x, setting.weight, setting.y))
    if name == "conv":
        value = graph.add(name, (x, w, *setting.how))
    elif name == "conv_input":
        value = graph.add(name, (y, w, setting.x, *setting.how))
    else:
        value = graph.add(name, (y, x, setting.weight, *setting.how))
    if finished:
        bias = graph.input((value.shape[1], *(1 for _ in value.shape[2:])), kind)
        other = graph.input(value.shape, kind)
        value = graph.add("mul", (graph.add("tanh", (graph.add("add", (value, bias)),)), other))
    graph.outputs = [value]
    return [setting.array(each.shape) for each in graph.inputs]


@pytest.mark.parametrize("name", ["conv", "conv_input", "conv_weight"])
@pytest.mark.parametrize("way", ["wide", "narrow", "in parts"])
def test_random_convolutions_give_what_the_interpreter_gives(name, way, monkeypatch):
    target = host()._replace(vector_bytes=16, registers=16) if way == "narrow" else None
    if way == "in parts":
        monkeypatch.setattr(parts, "SMALL", 0.001)
        monkeypatch.setattr(parts, "cores", lambda: 3)
    for seed in range(COUNT // (5 if way == "wide" else 10)):
        setting, graph = Setting(seed), Graph()
        arrays = convolution(setting, graph, name, seed % 3 == 0)
        try:
            program = check(graph, arrays, target)
            assert "conv" in kinds(program) and "call" not in kinds(program)
        except BaseException as error:
            error.add_note(f"seed {seed}: {name} {setting.x} {setting.weight} {setting.how}")
            raise


def small_net(nn, pool):
    return nn.Sequential(
        nn.Conv2d(2, 5, 3, padding=1, bias=False),
        nn.BatchNorm2d(5),
        nn.ReLU(),
        pool(nn),
        nn.Conv2d(5, 7, 3, stride=2, padding=1),
        nn.Sigmoid(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
    )


POOLS = {
    "average": lambda nn: nn.AvgPool2d(2),
    "average, overlapping": lambda nn: nn.AvgPool2d(3, 2, 1),
    "largest": lambda nn: nn.MaxPool2d(2),
    "largest, overlapping": lambda nn: nn.MaxPool2d(3, 2, 1),
    "adaptive average": lambda nn: nn.AdaptiveAvgPool2d(5),
    "adaptive largest": lambda nn: nn.AdaptiveMaxPool2d((5, 6)),
}


@pytest.mark.parametrize("batch", [3, 20])
@pytest.mark.parametrize("pool", POOLS)
def test_training_with_convolutions_and_pools_is_that_of_eager(pool, batch):
    x, y = np.random.RandomState(0).rand(batch, 2, 11, 11), np.arange(batch) % 7
    x, y = lantern.tensor(x.astype("f4")), lantern.tensor(y)

    def make():
        lantern.manual_seed(0)
        net = small_net(lantern.nn, POOLS[pool])
        optimizer = lantern.optim.SGD(net.parameters(), lr=0.1, momentum=0.5)

        def step():
            loss = lantern.nn.functional.cross_entropy(net(x), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            return loss

        return step, net

    (step, net), (other, twin) = make(), make()
    step = lantern.compile(step)
    for _ in range(6):
        np.testing.assert_allclose(step().item(), other().item(), rtol=1e-5)
    for a, b in zip(net.state_dict().values(), twin.state_dict().values(), strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-4, atol=1e-6)


class Mixed:
    """A random program over images that lie with the batch innermost, and others."""

    def __init__(self, seed):
        self.random = np.random.RandomState(seed)
        self.graph = Graph()
        self.arrays = []
        batch = int(self.random.choice([16, 17, 32]))
        x = self.input((batch, 3, 6, 5))
        w = self.input((4, 3, 3, 3))
        self.known = [x, self.add("conv", x, w, (1, 1), ((1, 1), (1, 1)), (1, 1), 1)]
        for _ in range(8):
            step = self.random.choice([n for n in dir(self) if n.startswith("do_")])
            made = getattr(self, step)(self.pick())
            if made is not None and made.size < 20000:
                self.known.append(made)
        self.graph.outputs = self.known[-3:]

    def input(self, shape):
        self.arrays.append(self.random.standard_normal(shape).astype("f4"))
        return self.graph.input(shape, dtypes.float32)

    def add(self, name, *args):
        return self.graph.add(name, args)

    def pick(self):
        return self.known[self.random.randint(max(len(self.known) - 4, 0), len(self.known))]

    def do_pointwise(self, x):
        return self.add("tanh", self.add("mul", x, 0.5))

    def do_with_rows(self, x):
        return self.add("add", x, self.input(x.shape))

    def do_with_each_other(self, x):
        return next((self.add("mul", x, y) for y in self.known if y.shape == x.shape), None)

    def do_sum(self, x):
        dims = [d for d in range(x.ndim) if self.random.rand() < 0.4]
        return self.add("sum", x, tuple(dims), True) if dims else None

    def do_largest(self, x):
        return self.add("amax", x, (int(self.random.randint(x.ndim)),), True) if x.ndim else None

    def do_cat(self, x):
        if x.ndim < 2:
            return None
        return self.add("cat", (x, self.add("neg", x), self.input(x.shape)), 1)

    def do_put(self, x):
        index = tuple(slice(1, 1 + n) for n in x.shape)
        whole = self.add("full", tuple(n + 2 for n in x.shape), 0.25, dtypes.float32)
        return self.add("put", whole, index, x)

    def do_slice(self, x):
        return self.add("getitem", x, tuple(slice(n // 4, n, 2 if n > 8 else 1) for n in x.shape))

    def do_permute(self, x):
        return self.add("permute", x, tuple(map(int, self.random.permutation(x.ndim))))

    def do_flatten(self, x):
        return self.add("reshape", x, (x.shape[0], x.size // x.shape[0])) if x.ndim > 2 else None

    def do_matmul(self, x):
        if x.ndim != 2:
            return None
        return self.add("matmul", x, self.add("permute", self.input((20, x.shape[1])), (1, 0)))

    def do_windows(self, x):
        if x.ndim < 3 or min(x.shape[-2:]) < 2:
            return None
        step = (2, 2) if self.random.rand() < 0.5 else (1, 1)
        shown = self.add("windows", x, (2, 2), step, (1, 1))
        if self.random.rand() < 0.5:
            return self.add("sum", shown, (x.ndim - 2, x.ndim - 1), False)
        return self.add("windows_add", shown, x.shape, (2, 2), step, (1, 1))

    def do_gather(self, x):
        if x.ndim < 2 or not x.shape[1]:
            return None
        shape = (x.shape[0], 2, *x.shape[2:])
        index = self.add("full", shape, 0, dtypes.int64)
        index = self.add("add", index, self.add("cast", self.add("gt", self.input(shape), 0.0),
                                                dtypes.int64))  # fmt: skip
        if x.shape[1] < 2:
            return None
        found = self.add("gather", x, 1, index)
        return self.add("scatter_add", x, 1, index, found) if self.random.rand() < 0.5 else found


def test_random_programs_around_convolutions_give_what_the_interpreter_gives():
    for seed in range(int(os.environ.get("LANTERN_PROGRAMS_START", "0")), COUNT // 3):
        program = Mixed(seed)
        try:
            check(program.graph, program.arrays)
        except BaseException as error:
            error.add_note(f"seed {seed}\n{program.graph}")
            raise
