"""Calls of compiled functions by the short way: what it must see, what it gives and lets go."""

from __future__ import annotations

import functools
import gc
import itertools
import signal
import sys
import threading
import weakref

import numpy as np
import pytest

import lantern
from lantern import nn

F = nn.functional
GLOBAL = lantern.tensor([1.0, 2.0])
NUMBER = 2.0


class Scene:
    """A small network, its optimizer and a step that trains it."""

    def __init__(self, compiled, optimizer="SGD", clear_first=True, **settings):
        lantern.manual_seed(3)
        first = nn.Linear(3, 4, bias=False)  # behind it comes one that would take a bias away
        self.net = nn.Sequential(first, nn.BatchNorm1d(4), nn.Tanh(), nn.Linear(4, 2))
        kind = getattr(lantern.optim, optimizer)
        self.optimizer = kind(self.net.parameters(), **{"lr": 0.1, **settings})
        self.group = self.optimizer.param_groups[0]
        self.x, self.y = lantern.randn(6, 3), lantern.randn(6, 2)

        def step(x, y):
            loss = F.mse_loss(self.net(x), y)
            if clear_first:
                self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
            if not clear_first:
                self.optimizer.zero_grad()
            return loss

        self.step = lantern.compile(step) if compiled else step

    def run(self, times=1):
        """Returns the losses of some steps."""
        return [self.step(self.x, self.y).item() for _ in range(times)]


class Slow:
    """Counts the calls of a compiled function that went the general way."""

    def __init__(self, compiled):
        self.count, inner = 0, compiled._call

        def counted(*args, **kwargs):
            self.count += 1
            return inner(*args, **kwargs)

        compiled._call = counted


def lr_twice(scene):
    scene.group["lr"] = 0.02
    yield
    scene.group["lr"] = np.float64(0.05)
    yield
    scene.group["lr"] = 1
    yield
    scene.group["lr"] = 0.0


def lr_a_tensor(scene):
    scene.group["lr"] = lantern.tensor(0.02)


def momentum(scene):
    scene.group["momentum"] = 0.3
    yield
    scene.group["momentum"] = 0.0
    yield
    scene.group["momentum"] = 0.5


def weight_decay(scene):
    scene.group["weight_decay"] = 0.2
    yield
    scene.group["weight_decay"] = 0


def nesterov(scene):
    scene.group["nesterov"] = True


def maximize(scene):
    scene.group["maximize"] = True


def betas(scene):
    scene.group["betas"] = (0.5, 0.9)
    yield
    scene.group["betas"] = [0.6, 0.95]
    yield
    scene.group["betas"][0] = 0.7
    yield
    scene.group["betas"] = (np.float64(0.2), 0.9)


def epsilon(scene):
    scene.group["eps"] = 0.5
    yield
    scene.group["eps"] = 0.0


def modes_of_training(scene):
    scene.net.eval()
    yield
    scene.net.train()
    yield
    scene.net[1].eval()


def another_parameter(scene):
    scene.net[0].weight = nn.Parameter(lantern.ones(4, 3))


def other_data(scene):
    scene.net[0].weight.data = lantern.ones(4, 3)
    yield
    scene.net[3].bias.data = lantern.zeros(4)[::2]


def frozen(scene):
    scene.net[0].weight.requires_grad_(False)
    yield
    scene.net[0].weight.requires_grad = True


def written_in_place(scene):
    with lantern.no_grad():
        scene.net[0].weight.fill_(0.5)
        scene.net[1].running_mean.add_(1.0)


def another_layer(scene):
    scene.net[2] = nn.Sigmoid()
    yield
    scene.net.append(nn.Tanh())
    yield
    del scene.net[2]
    yield
    scene.net.insert(1, nn.Tanh())
    yield
    scene.net.extend([nn.Tanh(), nn.Softplus()])


def momentum_of_a_layer(scene):
    scene.net[1].momentum = 0.9


def another_forward(scene):
    scene.net[2].forward = lambda x: x * 2
    yield
    del scene.net[2].forward


def hook_of_a_gradient(scene):
    handle = scene.net[0].weight.register_hook(lambda grad: grad * 3)
    yield
    handle.remove()


def hook_of_a_layer(scene):
    handle = scene.net[2].register_forward_hook(lambda module, args, out: out * 0.5)
    yield
    handle.remove()


def hook_of_the_optimizer(scene):
    seen = []
    handle = scene.optimizer.register_step_post_hook(lambda *args: seen.append(1) and None)
    yield
    handle.remove()


def gradients_left_over(scene):
    F.mse_loss(scene.net(scene.x), scene.y).backward()


def gradient_set(scene):
    scene.net[0].weight.grad = lantern.ones(4, 3)


def another_group(scene):
    extra = nn.Parameter(lantern.zeros(2))
    scene.optimizer.add_param_group({"params": [extra]})


def state_loaded(scene):
    state = scene.optimizer.state_dict()
    scene.run(2)
    scene.optimizer.load_state_dict(state)


def parameters_loaded(scene):
    state = {name: value.clone() for name, value in scene.net.state_dict().items()}
    scene.run(2)
    scene.net.load_state_dict(state)


def other_batches(scene):
    scene.x, scene.y = lantern.ones(6, 3), lantern.zeros(6, 2)
    yield
    scene.x = lantern.arange(36.0).view(6, 6)[:, ::2]
    yield
    scene.x, scene.y = lantern.ones(3, 3) * 2, lantern.ones(3, 2)
    yield
    scene.x = lantern.ones(3, 3, requires_grad=True)
    yield
    scene.x = nn.Parameter(lantern.ones(3, 3), requires_grad=False)
    yield
    scene.x = lantern.ones(1, 3).expand(3, 3)


PLAIN = [
    lr_twice, lr_a_tensor, momentum, maximize, modes_of_training, another_parameter, other_data,
    frozen, written_in_place, another_layer, momentum_of_a_layer, another_forward,
    hook_of_a_gradient, hook_of_a_layer, hook_of_the_optimizer, gradients_left_over, gradient_set,
    another_group, parameters_loaded, other_batches,
]  # fmt: skip
WITH = [
    (lr_twice, {"optimizer": "Adam"}),
    (momentum, {"momentum": 0.5}),
    (nesterov, {"momentum": 0.9}),
    (weight_decay, {"weight_decay": 0.1}),
    (weight_decay, {"optimizer": "AdamW"}),
    (betas, {"optimizer": "Adam"}),
    (epsilon, {"optimizer": "Adam"}),
    (gradients_left_over, {"clear_first": False}),
    (gradient_set, {"clear_first": False}),
    (state_loaded, {"momentum": 0.9}),
    (state_loaded, {"optimizer": "Adam"}),
]
CHANGES = [*((change, {}) for change in PLAIN), *WITH]


@pytest.mark.filterwarnings("ignore:step has been recorded")
@pytest.mark.parametrize("change, settings", CHANGES, ids=lambda x: getattr(x, "__name__", str(x)))
def test_a_change_is_seen_by_the_next_call(change, settings):
    scenes = Scene(True, **settings), Scene(False, **settings)
    losses = [scene.run(5) for scene in scenes]
    slow = Slow(scenes[0].step)
    for scene, found in zip(scenes, losses, strict=True):
        found += scene.run(2)
    assert slow.count == 0
    rest = [iter(change(scene) or ()) for scene in scenes]
    more = True
    while more:
        more = [next(each, "end") for each in rest] == [None, None]
        for scene, found in zip(scenes, losses, strict=True):
            found += scene.run(4)
    np.testing.assert_allclose(losses[0], losses[1], rtol=1e-4, atol=1e-6)
    for got, want in zip(scenes[0].net.parameters(), scenes[1].net.parameters(), strict=True):
        np.testing.assert_allclose(got.detach(), want.detach(), rtol=1e-4, atol=3e-5)


def opened(function, *args, calls=4):
    """Returns the function compiled and called until its short way in is open, and a count."""
    function = lantern.compile(function)
    for _ in range(calls):
        function(*args)
    slow = Slow(function)
    function(*args)
    assert slow.count == 0
    return function, slow


def test_rates_of_schedules_go_the_short_way():
    scene = Scene(True, "Adam")
    schedule = lantern.optim.lr_scheduler.OneCycleLR(scene.optimizer, 0.1, total_steps=200)
    for _ in range(4):
        scene.run()
        schedule.step()
    slow = Slow(scene.step)
    for _ in range(100):
        scene.run()
        schedule.step()
    assert slow.count == 0


@pytest.mark.filterwarnings("ignore:function has been recorded")
def test_names_and_closures_are_looked_at():
    global GLOBAL, NUMBER
    inner, factors, table = lantern.tensor([1.0, 1.0]), [2.0, 3.0], {"add": 1.0}

    def function(x):
        return x * GLOBAL * NUMBER + inner * factors[0] + len(factors) + table["add"]

    compiled, _ = opened(function, x := lantern.tensor([1.0, 3.0]))

    def check():
        for _ in range(4):
            np.testing.assert_array_equal(compiled(x), function(x))

    before = GLOBAL, NUMBER
    try:
        GLOBAL = lantern.tensor([5.0, 6.0])
        check()
        NUMBER = 4.0
        check()
    finally:
        GLOBAL, NUMBER = before
    check()
    inner = lantern.tensor([7.0, 8.0])
    check()
    factors[0] = 9.0
    check()
    factors.append(1.0)
    check()
    factors.clear()
    factors += [6.0]
    check()
    table["add"] = 5.0
    check()
    table["more"] = 5.0
    check()


class Thing:
    """Something with attributes, one in a slot and one of its class."""

    __slots__ = ("__dict__", "slot")
    shared = 2.0

    def __init__(self):
        self.own, self.slot = 3.0, 4.0


def test_attributes_of_objects_are_looked_at():
    thing = Thing()

    def function(x):
        return x * thing.own + thing.slot * thing.shared

    compiled, _ = opened(function, x := lantern.ones(2))
    for name, value in [("own", 5.0), ("slot", 6.0), ("shared", 7.0), ("own", 8.0)]:
        setattr(thing, name, value)
        for _ in range(4):
            np.testing.assert_array_equal(compiled(x), function(x))
    thing = Thing()
    np.testing.assert_array_equal(compiled(x), function(x))


def test_modes_are_looked_at():
    weight = lantern.ones(2, requires_grad=True)

    def function(x):
        return x * weight.detach() + lantern.ones(2).sum(), lantern.is_grad_enabled()

    for mode in (lantern.no_grad, lantern.inference_mode, lantern.enable_grad):
        compiled, slow = opened(function, x := lantern.ones(2))
        assert compiled(x)[1] is True
        with mode():
            want = function(x)
            for _ in range(5):
                got = compiled(x)
                assert got[1] is want[1] and got[0].tolist() == want[0].tolist()
            before = slow.count
            compiled(x)
            assert slow.count == before  # open in this mode, too
        assert compiled(x)[1] is True


def test_the_default_dtype_is_looked_at():
    compiled, _ = opened(lambda x: lantern.ones(2) + x, x := lantern.ones(2, dtype=lantern.int32))
    lantern.set_default_dtype(lantern.float64)
    try:
        assert {compiled(x).dtype for _ in range(4)} == {lantern.float64}
    finally:
        lantern.set_default_dtype(lantern.float32)
    assert compiled(x).dtype is lantern.float32


def test_settings_of_the_compiler_are_looked_at():
    def function(x):
        noted()
        return x * 2

    def eager_calls():
        """Calls twice; returns how many of these ran the function itself."""
        before = next(COUNTER)
        assert compiled(x).tolist() == compiled(x).tolist() == [2.0, 2.0]
        return next(COUNTER) - before - 1

    compiled, _ = opened(function, x := lantern.ones(2))
    assert eager_calls() == 0
    with lantern.compiler.set_stance("force_eager"):
        assert eager_calls() == 2
    assert eager_calls() == 0
    with lantern.autograd.detect_anomaly():
        assert eager_calls() == 2
    assert eager_calls() == 0
    lantern.compiler.control.config.disable = True
    try:
        assert eager_calls() == 2
    finally:
        lantern.compiler.control.config.disable = False
    assert eager_calls() == 0
    with lantern.autocast("cpu", enabled=True):
        assert compiled(x).tolist() == [2.0, 2.0]
    assert eager_calls() == 0


COUNTER = itertools.count()


@functools.cache  # a compiled function does not look into it
def counter():
    return COUNTER


def noted():
    next(counter())


def test_results_stay_what_they_were():
    scale = lantern.ones(3)
    compiled, slow = opened(lambda x: x * scale, lantern.ones(3))
    kept = [compiled(lantern.full((3,), float(i))) for i in range(20)]
    arrays = [compiled(lantern.full((3,), float(i))).numpy() for i in range(20)]
    views = [compiled(lantern.full((3,), float(i)))[1:] for i in range(20)]
    for i in range(20):
        assert kept[i].tolist() == [i] * 3 == arrays[i].tolist() and views[i].tolist() == [i] * 2
    assert slow.count == 0


def test_nothing_of_an_old_result_is_in_a_new_one():
    compiled, slow = opened(lambda x: x * 2, x := lantern.ones(3))
    seen = set()
    for i in range(20):
        result = compiled(x)
        assert result._version == 0 and not result.requires_grad and result.grad is None
        assert not hasattr(result, "mark") and result.shape == (3,) and result.is_leaf
        result.mark = i
        result.add_(1.0)
        result.requires_grad_()
        result.sum().backward()
        seen.add(result.data_ptr())
        if i % 3 == 0:
            result.data = lantern.zeros(7)
        if i % 5 == 0:
            result.detach().resize_(50)
        del result
    assert slow.count == 0
    reference = weakref.ref(compiled(x))
    assert reference() is None


def test_memory_known_by_a_weak_reference_is_not_taken_again():
    compiled, _ = opened(lambda x: x * 2, x := lantern.ones(3))
    for _ in range(6):
        storage = compiled(x)._storage
        reference = weakref.ref(storage)
        del storage
        again = compiled(x)._storage
        assert reference() is not again
        del again


def test_a_graph_that_someone_hangs_on_to_is_not_shared():
    scene = Scene(True)
    scene.run(5)
    loss = scene.step(scene.x, scene.y)
    node = loss.grad_fn
    loss.retain_grad()
    other = scene.step(scene.x, scene.y)
    assert other.grad_fn is not node and other.grad_fn.hooks is None


def test_arguments_are_looked_at():
    offset = lantern.ones(2, 2)

    def function(x, y):
        return x * 3 + y - offset

    compiled, _ = opened(function, lantern.ones(2, 2), lantern.zeros(2, 2))
    x = lantern.arange(4.0).view(2, 2)
    cases = [
        (x, x), (x, x.t()), (x[:1], x[:1]), (x.double(), x), (x.long(), x), (x, x[0]),
        (x[:, :1], x[:, :1]), (offset, x), (x.clone().requires_grad_(), x), (x, x.t()),
        (lantern.arange(8.0).view(2, 4)[:, :2], x), (x, lantern.tensor(1.0)),
        (nn.Parameter(x.clone()), x), ((x * x.clone().requires_grad_())[:], x),
    ]  # fmt: skip
    with pytest.warns(UserWarning, match="has been recorded or run eagerly"):
        for _ in range(3):
            for case in cases:
                got, want = compiled(*case), function(*case)
                assert got.tolist() == want.tolist() and got.dtype is want.dtype
                assert got.requires_grad is want.requires_grad and got.stride() == want.stride()
    for wrong in [(x,), (x, x, x)]:
        with pytest.raises(TypeError, match="positional argument"):
            compiled(*wrong)
    assert compiled(y=x, x=offset).tolist() == function(y=x, x=offset).tolist()
    assert compiled(x, 2).tolist() == function(x, 2).tolist()


def test_an_argument_that_is_written_counts_it():
    def function(x, y):
        x.mul_(2)
        return x.sum() + y

    compiled, slow = opened(function, lantern.ones(2), y := lantern.tensor(1.0))
    x = lantern.ones(2)
    assert compiled(x, y).item() == 5.0 and x.tolist() == [2.0, 2.0]
    before = x._version
    count = slow.count
    assert compiled(x, y).item() == 9.0 and x._version == before + 1 and slow.count == count


def test_several_results_come_in_their_form():
    forms = [
        (lambda x: (x + 1, x * 2), "(a, b)"), (lambda x: [x + 1, {"k": x * 2}], "[a, {'k': b}]"),
        (lambda x: (x + 1, x), "(a, x)"), (lambda x: x, "x"), (lambda x: None, "None"),
        (lambda x: (3, None, x + 1), "(3, None, a)"), (lambda x: "text", "'text'"),
        (lambda x: [3], "[3]"), (lambda x: (), "()"), (lambda x: (x + 1,), "(a,)"),
        (lambda x: (x * 2, x + 1, x * 2), "(b, a, b)"), (lambda x: ((x + 1,), x), "((a,), x)"),
    ]  # fmt: skip
    for function, form in forms:
        compiled, _ = opened(function, x := lantern.ones(2))
        found = compiled(x)
        space = {"a": [2.0, 2.0], "b": [2.0, 2.0], "x": [1.0, 1.0]}
        assert lists(found) == eval(form, space)
        assert type(found) is type(function(x))


def lists(value):
    """Returns a tree with lists in place of tensors."""
    if isinstance(value, lantern.Tensor):
        return value.tolist()
    if isinstance(value, (tuple, list)):
        return type(value)(map(lists, value))
    return {k: lists(v) for k, v in value.items()} if isinstance(value, dict) else value


def test_a_step_in_several_pieces_goes_the_short_way():
    def function(x):
        values, order = (x * 2).sort()  # NumPy sorts
        return values + 1, order

    compiled, slow = opened(function, lantern.ones(4))
    for seed in range(5):
        x = lantern.randn(4, generator=lantern.Generator().manual_seed(seed))
        got, want = compiled(x), function(x)
        assert [each.tolist() for each in got] == [each.tolist() for each in want]
    assert slow.count == 0


@pytest.fixture
def restless():
    """Threads take turns as often as they can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def at_once(work, count=4):
    """Runs a function in several threads; returns what they have raised."""
    raised = []

    def guarded(number):
        try:
            work(number)
        except BaseException as error:
            raised.append(error)

    threads = [threading.Thread(target=guarded, args=(number,)) for number in range(count)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    return raised


@pytest.mark.parametrize("pieces", [False, True])
@pytest.mark.parametrize("size", [64, 20_000])
def test_threads_call_one_function_at_once(pieces, size, restless):
    scale = lantern.full((size,), 3.0)

    def function(x):
        return (x * scale).sort()[0] if pieces else x * scale + 1, x * 2 - 1

    compiled, _ = opened(function, lantern.ones(size))
    rounds = 2 if pieces and size > 64 else 100

    def work(seed):
        x = lantern.randn(size, generator=lantern.Generator().manual_seed(seed))
        want, kept = [each.numpy() for each in function(x)], []
        for _ in range(rounds):
            kept = [*kept[-2:], compiled(x)]  # results that are held need memory of their own
            for got in kept:
                for one, other in zip(got, want, strict=True):
                    np.testing.assert_array_equal(one, other)

    assert not at_once(work)


def test_an_index_out_of_range_in_a_thread_is_no_other_threads(restless):
    table = lantern.arange(10.0)
    compiled, _ = opened(lambda i: table[i] * 2, lantern.tensor([1, 2]))

    def work(seed):
        i = lantern.tensor([seed, 7 if seed else 10])
        for _ in range(200):
            if seed:
                assert compiled(i).tolist() == [2.0 * seed, 14.0]
            else:
                with pytest.raises(IndexError):
                    compiled(i)

    assert not at_once(work)


def test_an_interrupt_while_conditions_are_looked_at_is_not_lost():
    class Kind(type):
        def __getattribute__(cls, name):
            if name == "factor" and interrupts:
                raise interrupts.pop()
            return super().__getattribute__(name)

    class Settings(metaclass=Kind):
        factor = 2.0

    interrupts = []
    compiled, _ = opened(lambda x: x * Settings.factor, x := lantern.ones(2))
    interrupts.append(KeyboardInterrupt)
    with pytest.raises(KeyboardInterrupt):
        compiled(x)
    interrupts.append(OSError)  # says that something does not hold
    assert compiled(x).tolist() == [2.0, 2.0]


def test_gradients_are_still_dropped_after_an_interrupt():
    scene = Scene(True)
    scene.run(6)
    before = scene.net[0].weight.detach().clone()
    F.mse_loss(scene.net(scene.x), scene.y).backward()
    weights = list(scene.net.parameters())
    (entry,) = scene.step._entries
    dropper = next(each for each in entry._kept if getattr(each, "__name__", "") == "drop")
    cell = dict(zip(dropper.__code__.co_freevars, dropper.__closure__, strict=True))["leaves"]

    class Interrupting(list):
        def __iter__(self):
            raise KeyboardInterrupt

    held, cell.cell_contents = cell.cell_contents, Interrupting()
    with pytest.raises(KeyboardInterrupt):
        scene.run()
    cell.cell_contents = held
    scene.run()
    assert [each.grad for each in weights] == [None] * len(weights)
    assert not lantern.equal(before, scene.net[0].weight)


def test_maxima_of_windows_in_mixed_precision_are_compiled_with_their_backward():
    lantern.manual_seed(0)
    net = lantern.nn.Conv1d(1, 3, 3, padding=1)

    def step(x):
        with lantern.autocast("cpu", dtype=lantern.bfloat16):
            out = lantern.nn.functional.max_pool1d(net(x).relu(), 2)
        net.zero_grad()
        out.float().square().sum().backward()
        return out, net.weight.grad

    compiled = lantern.compile(step, keep_grads=True)
    for _ in range(3):
        x = lantern.randn(16, 1, 6)
        for found, wanted in zip(compiled(x), step(x), strict=True):
            lantern.testing.assert_close(found, wanted)


@pytest.mark.parametrize("pieces", [False, True])
def test_arguments_come_back_from_a_step_whose_results_have_no_backward_left(pieces):
    lantern.manual_seed(0)
    weight = nn.Parameter(lantern.randn(4))

    @lantern.compile
    def step(x, y):
        h = nn.functional.layer_norm(weight, (4,))
        h[-1] = x.sum()
        last = h[-1]
        h[...] = weight.sum()
        out = nn.functional.dropout(h, 0.5) if pieces else h.sigmoid()  # NumPy draws, in a piece
        (out.mean() + h.tanh().mean()).backward()
        weight.grad = None
        return last, out, y, x

    x, y = lantern.ones(3), lantern.arange(2)
    for _ in range(4):
        last, out, second, first = step(x, y)
        assert second is y and first is x
        assert last.item() == pytest.approx(weight.sum().item()) and out.shape == (4,)


def test_a_nested_call_does_not_wait_for_a_thread_that_waits_for_it():
    compiled = lantern.compile(lambda x: x + 1)
    x = lantern.ones(3)
    compiled(x), compiled(x)
    (record,) = [each for group in compiled._records.values() for each in group]
    found = []

    def interrupted():
        record.machine.program.owner = threading.get_ident()  # as in the midst of a run
        found.append(compiled._general(x))
        record.machine.program.owner = 0

    with compiled._lock:  # as a thread that waits for the run to end
        thread = threading.Thread(target=interrupted, daemon=True)
        thread.start()
        thread.join(20)
    assert found[0].tolist() == [2, 2, 2]


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs a signal")
@pytest.mark.parametrize("pieces", [False, True])
def test_a_signal_may_call_what_it_interrupts(pieces):
    ones, threes = lantern.ones(2000), lantern.full((2000,), 3.0)
    total = lantern.zeros(2000)

    def function(x):
        total.add_(x)
        return F.softmax(x, 0) if not pieces else (x * 2).sort()[0]

    compiled, _ = opened(function, ones)
    for _ in range(4):
        compiled(x=ones)
    want = function(threes)[0].item()
    total.zero_()

    def handle(number, frame):
        if not busy:
            busy.append(True)
            found.append(compiled(threes)[0].item())
            busy.clear()

    busy, found = [], []
    before = signal.signal(signal.SIGALRM, handle)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.0002, 0.0002)
        for turn in range(1500):
            got = compiled(ones) if turn % 2 else compiled(x=ones)
            assert got[0].item() == (2.0 if pieces else pytest.approx(1 / 2000))
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert found and found == pytest.approx([want] * len(found))


def test_a_gradient_that_goes_may_call_the_step():
    scene = Scene(True)
    scene.run(6)
    losses = []

    def again(reference):
        gc.collect()
        losses.extend(scene.run())

    for _ in range(3):
        F.mse_loss(scene.net(scene.x), scene.y).backward()
        watched = weakref.ref(scene.net[0].weight.grad, again)
        losses += scene.run()
        assert watched() is None
    assert len(losses) == 6 and all(np.isfinite(losses))
    assert scene.net[0].weight.grad is None


def test_a_method_outlives_its_compiled_function():
    compiled, _ = opened(lambda x: x * 2, x := lantern.ones(2))
    call, held = compiled.__call__, weakref.ref(compiled)
    del compiled
    gc.collect()
    assert held() is None
    assert call(x).tolist() == call(x=x).tolist() == [2.0, 2.0]


def test_a_thread_has_a_mode_of_its_own():
    compiled, _ = opened(lambda x: (x * 2, lantern.is_grad_enabled()), x := lantern.ones(2))
    found = []

    def work():
        found.append(compiled(x)[1])
        with lantern.no_grad():
            found.append([compiled(x)[1] for _ in range(4)])
        found.append(compiled(x)[1])

    for _ in range(3):  # a thread may get the place in memory of one that has ended
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    assert found == [True, [False] * 4, True] * 3


def test_what_a_compiled_function_held_is_let_go():
    scene = Scene(True)
    scene.run(8)
    step, weight = weakref.ref(scene.step), weakref.ref(scene.net[0].weight)
    entry = weakref.ref(scene.step._entries[0])
    loss = scene.step(scene.x, scene.y)
    kept = loss.detach()
    del scene, loss
    gc.collect()
    assert step() is None and entry() is None and weight() is None
    assert kept.item() > 0


def test_modes_of_modules_may_change_for_ever():
    scene = Scene(True)
    scene.run(4)
    for _ in range(300):
        scene.net.eval()
        scene.net.train()
        scene.run()
    record = scene.step._records
    (only,) = [each for group in record.values() for each in group]
    assert only.missed < 10


def test_a_function_may_reset_itself_while_it_is_called():
    class Key:
        """A dictionary's key whose comparison is code of the user's."""

        def __hash__(self):
            return hash("a")

        def __eq__(self, other):
            if resetting:
                compiled.reset()
                gc.collect()
            return self is other

    resetting = []
    table = {Key(): 0.0, "a": 2.0}
    compiled, _ = opened(lambda x: x * table["a"], x := lantern.ones(2))
    resetting.append(True)
    assert [compiled(x).tolist() for _ in range(3)] == [[2.0, 2.0]] * 3


def test_each_result_of_a_compiled_forward_has_a_history_of_its_own():
    scene = Scene(False)
    scene.net.eval()
    net = lantern.compile(scene.net)
    xs = [lantern.full((2, 3), float(i)) for i in range(5)]
    for x in xs:
        net(x).sum().backward()
    slow = Slow(net.forward)
    outs = [net(x) for x in xs]
    for x, out in reversed(list(zip(xs, outs, strict=True))):
        scene.optimizer.zero_grad()
        out.pow(2).sum().backward(retain_graph=True)
        got = [each.grad for each in scene.net.parameters()]
        scene.optimizer.zero_grad()
        scene.net(x).pow(2).sum().backward()
        for mine, parameter in zip(got, scene.net.parameters(), strict=True):
            np.testing.assert_allclose(mine, parameter.grad, rtol=1e-5, atol=1e-6)
    outs[0].sum().backward()
    with pytest.raises(RuntimeError, match="second time"):
        outs[0].sum().backward()
    outs[1].detach().zero_()
    out = net(xs[2])
    xs[2].add_(1.0)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        out.sum().backward()
    assert slow.count == 0
    hooked = net(xs[1])
    hooked.register_hook(lambda grad: grad * 0)
    hooked.sum().backward()
    scene.optimizer.zero_grad()
    net(xs[1]).sum().backward()
    assert scene.net[3].weight.grad.abs().sum() > 0


@pytest.mark.parametrize("several", [False, True])
def test_a_model_compiled_trains_as_the_model_itself(several):
    def train(compiled):
        scene = Scene(False, "Adam")
        net = lantern.compile(scene.net) if compiled else scene.net
        losses = []
        for i in range(30):
            x = lantern.randn(6 if i % 5 else 4, 3)
            out = net(x)
            loss = out[:, 0].pow(2).mean() if several else F.mse_loss(out, lantern.ones(len(x), 2))
            scene.optimizer.zero_grad()
            loss.backward()
            scene.optimizer.step()
            losses.append(loss.item())
            if i % 7 == 6:
                net.eval()
                with lantern.no_grad():
                    losses.append(net(x).sum().item())
                net.train()
        return losses

    np.testing.assert_allclose(train(True), train(False), rtol=1e-3, atol=1e-4)
