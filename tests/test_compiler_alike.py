"""Kernels that share code are those whose code would be the same but for addresses."""

from __future__ import annotations

import re

import numpy as np
import pytest

import lantern
from lantern.compiler import native
from lantern.compiler.alike import Shared
from lantern.compiler.fuse import fuse
from lantern.compiler.memory import lay_out

pytest.importorskip("llvmlite")


class Steps(lantern.nn.Module):
    """One cell over all columns of its input: each step starts at another place."""

    def __init__(self):
        super().__init__()
        self.cell = lantern.nn.LSTMCell(5, 40)

    def forward(self, x):
        state = None
        for i in range(x.shape[1]):
            state = self.cell(x[:, i], state)
        return state[0]


def network(kind):
    nn = lantern.nn
    lantern.manual_seed(0)
    if kind == "steps":
        return Steps(), (8, 6, 5)
    if kind == "wide":
        layers = [layer for _ in range(4) for layer in (nn.Linear(40, 40), nn.LayerNorm(40))]
        return nn.Sequential(*layers), (8, 40)
    layers = []
    for stride in (1, 1, 2, 1):
        layers += [nn.Conv2d(6, 6, 3, stride, 1), nn.BatchNorm2d(6), nn.ReLU()]
    return nn.Sequential(*layers), (20, 6, 9, 9)


def recorded(kind):
    """Returns the graph of a training step after the passes before fusion, and its inputs."""
    net, shape = network(kind)
    optimizer = lantern.optim.Adam(net.parameters())
    x = lantern.tensor(np.random.RandomState(0).standard_normal(shape).astype("f4"))

    def step():
        loss = net(x).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss

    compiled = lantern.compile(step)
    for _ in range(3):
        compiled()
    records = [each for group in compiled._records.values() for each in group]
    return records[0].machine.program


def shape_of(function):
    return re.sub(r"pointer ptr \d+, \d+", "pointer", "\n".join(map(str, function.body)))


@pytest.mark.parametrize("kind", ["wide", "images", "steps"])
def test_shared_code_is_what_each_kernel_would_have_had(kind):
    program = recorded(kind)
    plan, memory, target = program.plan, program.memory, program.target
    by_name = {each.name: each for each in program.functions}
    kernels = [each for each in plan.kernels if f"kernel{each.index}" in by_name]
    shared = 0
    for kernel in kernels:
        function = by_name[f"kernel{kernel.index}"]
        alone = native._kernel(plan, memory, kernel, target, Shared(plan, memory))
        for mine, fresh in ((function, alone), (function.rest, alone.rest)):
            if mine is None:
                assert fresh is None
                continue
            assert mine.pointers == fresh.pointers
            assert shape_of(mine.base or mine) == shape_of(fresh)
            shared += mine.base is not None
    assert shared > len(kernels) // 4


def test_products_with_parts_of_a_tensor_share_code_wherever_the_parts_start():
    graph = lantern.compiler.ir.Graph()
    x, w = graph.input((64, 6, 64), lantern.float32), graph.input((64, 64), lantern.float32)
    parts = [graph.add("getitem", (x, (slice(None), i))) for i in range(6)]
    graph.outputs = [graph.add("matmul", (part, w)) for part in parts]
    program = native.Program(graph)
    assert len({(each.base or each).name for each in program.functions}) <= 3  # one, and copies
    a, b = (np.random.RandomState(0).rand(*each.shape).astype("f4") for each in graph.inputs)
    for i, found in enumerate(program([a, b])):
        np.testing.assert_allclose(found, a[:, i] @ b, rtol=1e-5)


def test_kernels_that_differ_in_a_number_share_nothing():
    graph = lantern.compiler.ir.Graph()
    x = graph.input((4, 100), lantern.float32)
    graph.outputs = [
        graph.add("exp", (graph.add("mul", (x, number)),)) for number in (0.0, -0.0, 2.0)
    ]
    plan = fuse(graph)
    memory = lay_out(plan, [])
    shared = Shared(plan, memory)
    keys = {shared.find(each, None)[1].key for each in plan.kernels}
    assert len(keys) == len(plan.kernels)
