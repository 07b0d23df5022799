"""`lantern.compile`: a recorded training step does what the eager one does."""

from __future__ import annotations

import numpy as np
import pytest

import lantern
from lantern import nn
from lantern.compiler.ir import verify
from lantern.compiler.trace import TraceError


def sequential(sizes, activation, last=False):
    layers = []
    for i, (have, want) in enumerate(zip(sizes, sizes[1:], strict=False)):
        layers.append(nn.Linear(have, want))
        if last or i < len(sizes) - 2:
            layers.append(activation())
    return nn.Sequential(*layers)


def linear_regression():
    net = nn.Linear(3, 1)
    return net, nn.MSELoss(), lantern.optim.SGD(net.parameters(), lr=0.03), (16, 3), (16, 1)


def two_layer():
    net = sequential([30, 20, 10], nn.ReLU)
    optimizer = lantern.optim.Adam(net.parameters(), lr=1e-3)
    return net, nn.MSELoss(reduction="sum"), optimizer, (8, 30), (8, 10)


def narrow():
    net = sequential([3, 5, 5, 5, 3], nn.ReLU)
    return net, nn.MSELoss(), lantern.optim.SGD(net.parameters(), lr=0.1), (300, 3), (300, 3)


def diabetes():
    net = sequential([8, 32, 8, 4, 1], nn.Sigmoid, last=True)
    optimizer = lantern.optim.Adam(net.parameters(), lr=0.005)
    return net, nn.BCELoss(), optimizer, (53, 8), (53, 1)


def digits():
    net = sequential([64, 32, 16, 10], nn.ReLU)
    optimizer = lantern.optim.SGD(net.parameters(), lr=0.1, momentum=0.5)
    return net, nn.CrossEntropyLoss(), optimizer, (16, 64), 10


def regularized():
    net = nn.Sequential(nn.Linear(6, 16), nn.Tanh(), nn.Dropout(0.4), nn.Linear(16, 1))
    optimizer = lantern.optim.AdamW(net.parameters(), lr=0.01, weight_decay=0.1)
    return net, nn.BCEWithLogitsLoss(), optimizer, (20, 6), (20, 1)


STEPS = [linear_regression, two_layer, narrow, diabetes, digits, regularized]


def batches(x_shape, target, count):
    random = np.random.RandomState(1)
    for _ in range(count):
        x = lantern.from_numpy(random.rand(*x_shape).astype(np.float32))
        if isinstance(target, int):
            yield x, lantern.from_numpy(random.randint(0, target, x_shape[0]))
        else:
            y = random.rand(*target).astype(np.float32)
            yield x, lantern.from_numpy(np.round(y) if target[1] == 1 else y)


def train(build, compiled, count=20):
    lantern.manual_seed(0)
    net, criterion, optimizer, x_shape, target = build()

    def step(x, y):
        loss = criterion(net(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss

    if compiled:
        step = lantern.compile(step)
    losses = [step(x, y).item() for x, y in batches(x_shape, target, count)]
    return losses, [p.detach().numpy().copy() for p in net.parameters()], step


@pytest.mark.parametrize("build", STEPS, ids=lambda f: f.__name__)
def test_a_compiled_training_step_equals_the_eager_one(build):
    losses, params, _ = train(build, compiled=False)
    again, compiled_params, step = train(build, compiled=True)
    assert len(step.graphs) == 1
    verify(step.graphs[0])
    np.testing.assert_allclose(again, losses, rtol=1e-5)
    for ours, theirs in zip(compiled_params, params, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-6)


def test_a_short_last_batch_costs_one_more_recording():
    net = nn.Linear(3, 1)
    step = lantern.compile(lambda x: net(x).sum())
    for rows in (4, 4, 4, 2, 4, 2, 2):
        x = lantern.ones(rows, 3)
        np.testing.assert_allclose(step(x).item(), net(x).sum().item(), rtol=1e-6)
    assert len(step.graphs) == 2


def test_train_and_eval_are_told_apart():
    lantern.manual_seed(0)
    net = nn.Sequential(nn.Linear(4, 4), nn.Dropout(0.5))
    step = lantern.compile(lambda x: net(x))
    x = lantern.ones(2, 4)
    with lantern.no_grad():
        for _ in range(3):
            step(x)
        net.eval()
        expected = net[0](x)
        for _ in range(3):
            assert lantern.allclose(step(x), expected)
        net.train()
        results = [step(x) for _ in range(4)]
    assert any(not lantern.allclose(each, expected) for each in results)
    assert not lantern.equal(results[0], results[1])


def test_grad_mode_is_part_of_the_recording():
    w = lantern.ones(2, requires_grad=True)
    double = lantern.compile(lambda: w * 2)
    for _ in range(3):
        assert double().requires_grad
    with lantern.no_grad():
        for _ in range(3):
            assert not double().requires_grad


def test_gradients_flow_through_a_compiled_forward():
    w = lantern.ones(3, requires_grad=True)
    x = lantern.tensor([1.0, 2.0, 3.0], requires_grad=True)
    forward = lantern.compile(lambda x: (x * w, (x**2).sum()))
    for _ in range(3):
        w.grad = x.grad = None
        product, total = forward(x)
        (product.sum() + total).backward()
        assert w.grad.tolist() == [1.0, 2.0, 3.0] and x.grad.tolist() == [3.0, 5.0, 7.0]


def test_keep_grads_leaves_them():
    w = lantern.ones(2, requires_grad=True)

    optimizer = lantern.optim.SGD([w], lr=0.0)

    def step(x):
        optimizer.zero_grad()
        loss = (w * x).sum()
        loss.backward()
        optimizer.step()
        return loss

    kept = lantern.compile(step, keep_grads=True)
    dropped = lantern.compile(step)
    for i in range(4):
        x = lantern.tensor([float(i), 1.0])
        kept(x)
        assert w.grad.tolist() == [float(i), 1.0]
    for _ in range(3):
        dropped(lantern.ones(2))
    assert w.grad is None


def test_gradients_accumulate_over_calls_that_do_not_clear_them():
    w = lantern.ones(2, requires_grad=True)
    step = lantern.compile(lambda x: (w * x).sum().backward())
    for _ in range(4):
        step(lantern.ones(2))
    assert w.grad.tolist() == [4.0, 4.0]


def test_closures_buffers_and_views_are_written_in_place():
    buffer = lantern.zeros(2, 3)
    row = buffer[1]
    memory = buffer.numpy()

    @lantern.compile
    def count(x):
        row.add_(x)
        buffer[:, 0] = row[2] * 2
        return buffer.sum()

    for i in range(1, 5):
        total = count(lantern.tensor([1.0, 2.0, 3.0]))
        assert row[2].item() == 3.0 * i and buffer[0, 0].item() == 6.0 * i
        np.testing.assert_allclose(total.item(), memory.sum(), rtol=1e-6)


def test_an_argument_may_be_written():
    add = lantern.compile(lambda x: x.add_(1))
    x = lantern.zeros(2)
    for i in range(1, 5):
        add(x)
        assert x.tolist() == [float(i)] * 2


def test_arguments_that_share_written_memory_are_refused():
    captured = lantern.zeros(2)

    @lantern.compile
    def double(a, b):
        a.mul_(2)
        return b + 1

    @lantern.compile
    def count(x):
        captured.add_(1)
        return x * 2

    for _ in range(3):
        double(lantern.ones(2, 2), lantern.ones(2))
        count(lantern.ones(2))
    a = lantern.ones(2, 2)
    with pytest.raises(TraceError, match="argument 1 .* shares memory.*clone"):
        double(a, a[0])
    with pytest.raises(TraceError, match="argument 0 .* shares memory.*clone"):
        count(captured.view(2))
    assert a.tolist() == [[1.0, 1.0], [1.0, 1.0]] and captured.tolist() == [3.0, 3.0]


def test_concrete_operands_are_read_at_every_call():
    scale = lantern.tensor(2.0)
    times = lantern.compile(lambda x: x * scale)
    x = lantern.ones(1)
    for value in (2.0, 3.0, 4.0, 5.0):
        scale.fill_(value)
        assert times(x).tolist() == [value]


def test_other_dtypes_and_numbers_are_recorded_apart():
    power = lantern.compile(lambda x, n: x**n)
    for n in (2, 3, 2, 3, 2, 3):
        assert power(lantern.tensor([2.0]), n).tolist() == [2.0**n]
        assert power(lantern.tensor([2]), n).dtype is lantern.int64


def test_structures_go_in_and_out():
    swap = lantern.compile(lambda pair: {"b": pair[0] * 1, "a": [pair[1]["x"] + 1]})
    for _ in range(3):
        found = swap((lantern.ones(1), {"x": lantern.zeros(1)}))
        assert found["b"].tolist() == [1.0] and found["a"][0].tolist() == [1.0]


def test_nan_and_infinities_pass_through():
    values = lantern.tensor([float("nan"), float("inf"), -float("inf"), -0.0, 1.0])
    functions = [
        lantern.exp,
        lantern.relu,
        lantern.sigmoid,
        lantern.sqrt,
        lambda x: x.max(),
        lantern.neg,
    ]
    for function in functions:
        compiled = lantern.compile(function)
        for _ in range(3):
            found, expected = compiled(values).numpy(), function(values).numpy()
            np.testing.assert_allclose(found, expected, rtol=1e-6)
            real = ~np.isnan(expected)
            np.testing.assert_array_equal(np.signbit(found[real]), np.signbit(expected[real]))


@pytest.mark.parametrize(
    ("function", "what"),
    [
        (lambda x: x.sum().item(), r"\.item\(\)"),
        (lambda x: 1 if x.sum() > 0 else 0, "the truth of a tensor|item"),
        (lambda x: x.tolist(), r"\.tolist\(\)"),
        (lambda x: x.numpy(), r"\.numpy\(\)"),
        (lambda x: x[x > 0], "boolean mask"),
        (lambda x: x[x.sum() > 0], "boolean mask"),
    ],
)
def test_what_cannot_be_recorded_names_the_line_and_the_cure(function, what):
    compiled = lantern.compile(function)
    x = lantern.ones(2)
    compiled(x)
    with pytest.raises(TraceError, match=rf"({what}).*test_compile.py:\d+.*(return|Move|where)"):
        compiled(x)
    assert lantern.ones(1).add(1).tolist() == [2.0]  # the recording is over


def test_strict_false_runs_eagerly_after_one_warning():
    compiled = lantern.compile(lambda x: x.sum().item(), strict=False)
    x = lantern.ones(2)
    compiled(x)
    with pytest.warns(UserWarning, match="runs eagerly") as found:
        assert compiled(x) == 2.0
    assert [each.filename for each in found] == [__file__]
    assert compiled(x) == 2.0


def test_the_text_of_a_graph_can_be_read():
    square = lantern.compile(lambda x: x * x)
    for _ in range(3):
        square(lantern.ones(2))
    text = str(square.graphs[0])
    assert "%0: float32[2] = input" in text and "= mul(%0, %0)  # test_compile.py:" in text


def test_many_recordings_are_warned_about():
    add = lantern.compile(lambda x, n: x + n)
    x = lantern.ones(1)
    reason = r"under 9 conditions; .* \(float32\[1\], 8\), before \(float32\[1\], 7\)"
    with pytest.warns(UserWarning, match=reason) as found:
        for n in range(9):
            for _ in range(2):
                add(x, n)
    assert [each.filename for each in found] == [__file__]


def test_a_module_is_compiled_in_place():
    net = nn.Linear(2, 1)
    net.compile()
    x = lantern.ones(3, 2)
    expected = nn.functional.linear(x, net.weight, net.bias)
    for _ in range(3):
        np.testing.assert_allclose(net(x).detach().numpy(), expected.detach().numpy(), rtol=1e-6)
        net.zero_grad()
        net(x).sum().backward()
        assert net.bias.grad.tolist() == [3.0]


def test_a_recording_knows_how_eager_results_lie_in_memory():
    from lantern.backends import numpy as backend
    from lantern.backends.vocabulary import MOVEMENT, POINTWISE, SCAN, VOCABULARY
    from lantern.compiler.ir import Graph

    x = (np.random.RandomState(0).rand(5, 3) * 0.8 + 0.1).astype(np.float32).T
    arguments = {"pow": (2.0,), "cast": (lantern.float64,), "flip": ((0,),), "permute": ((1, 0),)}
    tried = 0
    for name, primitive in VOCABULARY.items():
        if primitive.kind not in (*POINTWISE, SCAN) and name not in arguments:
            continue
        count = len(primitive.parameters.split(","))
        rest = arguments.get(name, (0,) if primitive.kind == SCAN else (x.copy("K"),) * (count - 1))
        if primitive.kind == MOVEMENT and name not in arguments:
            continue
        graph = Graph()
        value = graph.input(x.shape, lantern.float32)
        value.lies(tuple(each // 4 for each in x.strides))
        try:
            with np.errstate(all="ignore"):
                result = np.asarray(getattr(backend, name)(x, *rest))
        except (TypeError, ValueError):  # of integers only, or no array
            continue
        operands = [value if isinstance(each, np.ndarray) else each for each in rest]
        made = graph.add(name, (value, *operands))
        assert tuple(each // result.itemsize for each in result.strides) == made.memory[0], name
        tried += 1
    assert tried > 60


def test_what_is_recorded_does_not_depend_on_where_tensors_lie_in_memory():
    """Code on disk is looked up by the record."""
    orders, kept = set(), []
    for i in range(12):
        kept.append([lantern.zeros(1) for _ in range(i)])
        weights = [lantern.randn(size, requires_grad=True) for size in (2, 3, 4, 5)]
        optimizer = lantern.optim.SGD(weights, lr=0.1)

        def step(weights=weights, optimizer=optimizer):
            optimizer.zero_grad()
            sum((each * each).sum() for each in weights).backward()
            optimizer.step()

        compiled = lantern.compile(step, keep_grads=True, backend="interpreter")
        for _ in range(3):
            compiled()
        orders.add(tuple(each.shape for each in compiled.graphs[0].outputs))
    assert len(orders) == 1
