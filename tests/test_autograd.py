"""The tape: what is recorded, how gradients travel, and what is refused."""

from __future__ import annotations

import gc
import threading
import weakref

import numpy as np
import pytest

import lantern
from lantern.autograd import Function, gradcheck, gradgradcheck
from lantern.nn import functional as F


def leaf(*values, dtype=lantern.float64):
    return lantern.tensor(list(values), dtype=dtype, requires_grad=True)


@pytest.mark.filterwarnings("ignore:Using a target size")
def test_the_gradient_of_a_number_that_a_loss_broadcasts_is_a_number():
    for loss in (F.mse_loss, F.l1_loss, F.smooth_l1_loss, F.huber_loss) * 60:
        x = lantern.tensor(0.5, requires_grad=True)
        loss(x, lantern.ones(3, 1)).backward()
        each = lantern.full((3, 1), 0.5, requires_grad=True)
        loss(each, lantern.ones(3, 1)).backward()
        assert x.grad.shape == () and lantern.allclose(x.grad, each.grad.sum())


def test_gradients_accumulate_until_they_are_taken_away():
    x = leaf(1.0, 2.0)
    for expected in (1.0, 2.0):
        (x.sum()).backward()
        assert x.grad.tolist() == [expected] * 2
    x.grad = None
    x.sum().backward()
    assert x.grad.tolist() == [1.0, 1.0]


def test_accumulation_keeps_the_grad_tensor():
    x = leaf(1.0)
    x.sum().backward()
    first = x.grad
    x.sum().backward()
    assert x.grad is first and first.tolist() == [2.0]


def test_grads_of_two_leaves_do_not_share_memory():
    x, y = leaf(1.0), leaf(2.0)
    (x + y).sum().backward()
    x.grad.zero_()
    assert y.grad.tolist() == [1.0]


def test_a_gradient_given_by_the_user_is_not_written_to():
    x, g = leaf(1.0), lantern.tensor([3.0], dtype=lantern.float64)
    y = x + 0
    y.backward(g, retain_graph=True)
    y.backward(g)
    assert g.tolist() == [3.0] and x.grad.tolist() == [6.0]


def test_diamond_sums_both_paths():
    x = leaf(3.0)
    a = x * 2
    (a * a + a).sum().backward()
    assert x.grad.tolist() == [2 * (2 * 6.0 + 1)]


def test_ten_thousand_operations_need_no_recursion():
    x = leaf(1.0)
    y = x
    for _ in range(10_000):
        y = y + 1
    y.backward()
    assert x.grad.tolist() == [1.0]
    del y
    gc.collect()


def test_backward_of_a_vector_asks_for_a_gradient():
    with pytest.raises(
        RuntimeError, match="grad can be implicitly created only for scalar outputs"
    ):
        (leaf(1.0, 2.0) * 2).backward()


def test_backward_without_history_is_refused():
    with pytest.raises(RuntimeError, match="element 0 of tensors does not require grad"):
        lantern.ones(1).sum().backward()


def test_second_backward_says_that_the_graph_is_gone():
    x = leaf(1.0)
    y = (x * x).sum()
    y.backward()
    with pytest.raises(RuntimeError, match="Trying to backward through the graph a second time"):
        y.backward()


def test_retain_graph_allows_a_second_backward():
    x = leaf(3.0)
    y = (x * x).sum()
    y.backward(retain_graph=True)
    y.backward()
    assert x.grad.tolist() == [12.0]


def test_a_saved_value_that_was_written_is_refused():
    x = leaf(1.0, 2.0)
    y = x * 1
    z = y * y
    y.add_(1)
    with pytest.raises(RuntimeError, match=r"modified by an inplace operation.*is at version 1"):
        z.sum().backward()


def test_a_saved_result_that_was_written_is_refused():
    x = leaf(1.0)
    y = x.exp()
    y.mul_(2)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.sum().backward()


def test_a_leaf_cannot_be_written_while_recording():
    x = leaf(1.0)
    with pytest.raises(
        RuntimeError, match="a leaf Variable that requires grad is being used in an"
    ):
        x.add_(1)
    with pytest.raises(RuntimeError, match="a view of a leaf Variable that requires grad"):
        x[0] = 3.0
    with lantern.no_grad():
        x.add_(1)
    assert x.tolist() == [2.0] and x.requires_grad


def test_in_place_operations_have_their_plain_gradients():
    x = leaf(2.0, 3.0)
    y = x * 1
    y.mul_(y.detach() + 1)
    y[0] = y[1] * 2
    y.sum().backward()
    assert x.grad.tolist() == [0.0, 12.0]


def test_writing_a_view_changes_the_history_of_its_base():
    x = leaf(1.0, 2.0, 3.0)
    base = x * 1
    view = base[1:]
    view.mul_(10)
    (base * base).sum().backward()
    assert x.grad.tolist() == [2.0, 400.0, 600.0]
    assert type(view.grad_fn).__name__ != "NoneType"


def test_a_view_sees_what_was_written_to_its_base():
    x = leaf(1.0, 2.0)
    base = x * 1
    view = base.view(2, 1)
    base.mul_(3)
    view.sum().backward()
    assert x.grad.tolist() == [3.0, 3.0]


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (lambda x: x**3, 6 * 0.7),
        (lambda x: x.exp(), np.exp(0.7)),
        (lambda x: x.sigmoid(), None),
        (lambda x: (x * x).sum() * x, 6 * 0.7),
    ],
)
def test_second_derivatives(function, expected):
    x = leaf(0.7)
    (first,) = lantern.autograd.grad(function(x).sum(), x, create_graph=True)
    (second,) = lantern.autograd.grad(first.sum(), x)
    if expected is None:
        s = 1 / (1 + np.exp(-0.7))
        expected = s * (1 - s) * (1 - 2 * s)
    assert second.item() == pytest.approx(expected, rel=1e-12)


def test_grad_leaves_dot_grad_alone_and_names_the_unused():
    x, y = leaf(1.0), leaf(2.0)
    (found,) = lantern.autograd.grad((x * 2).sum(), x)
    assert found.tolist() == [2.0] and x.grad is None
    with pytest.raises(RuntimeError, match="appears to not have been used in the graph"):
        lantern.autograd.grad((x * 2).sum(), (x, y))
    found = lantern.autograd.grad((x * 2).sum(), (x, y), allow_unused=True)
    assert found[1] is None
    zeros = lantern.autograd.grad((x * 2).sum(), (x, y), materialize_grads=True)[1]
    assert zeros.tolist() == [0.0]


def test_backward_with_inputs_fills_only_those():
    x, y = leaf(1.0), leaf(2.0)
    (x * y).sum().backward(inputs=[x])
    assert x.grad.tolist() == [2.0] and y.grad is None


def test_hooks_see_and_replace_gradients():
    x = leaf(1.0)
    y = x * 2
    seen = []
    y.register_hook(lambda g: seen.append(g.item()))
    handle = x.register_hook(lambda g: g * 10)
    (y * 3).sum().backward(retain_graph=True)
    assert seen == [3.0] and x.grad.tolist() == [60.0]
    handle.remove()
    x.grad = None
    (x * 2).sum().backward()
    assert x.grad.tolist() == [2.0]


def test_what_a_hook_gives_for_a_gradient_is_named_with_where_its_type_comes_from():
    y = leaf(1.0) * 2
    y.register_hook(lambda g: np.ones(1, np.float32))
    with pytest.raises(TypeError, match="^expected Variable, but hook returned 'numpy.ndarray'$"):
        y.sum().backward()


def test_post_accumulate_hook_runs_after_grad_is_there():
    x, seen = leaf(1.0), []
    x.register_post_accumulate_grad_hook(lambda p: seen.append(p.grad.item()))
    (x * 4).sum().backward()
    assert seen == [4.0]


def test_retain_grad_keeps_the_gradient_of_a_result():
    x = leaf(1.0)
    y = x * 2
    y.retain_grad()
    (y * 5).sum().backward()
    assert y.grad.tolist() == [5.0]


def test_node_hooks_and_names():
    x = leaf(1.0, 2.0)
    y = (x * 2).sum()
    assert y.grad_fn.name() == "SumBackward0"
    assert [node.name() for node, _ in y.grad_fn.next_functions] == ["MulBackward0"]
    below = y.grad_fn.next_functions[0][0].next_functions[0][0]
    assert below.name().endswith("AccumulateGrad") and below.variable is x
    y.grad_fn.register_prehook(lambda grads: tuple(g * 2 for g in grads))
    y.backward()
    assert x.grad.tolist() == [4.0, 4.0]


def test_modes_nest_as_contexts_and_decorators():
    x = leaf(1.0)
    with lantern.no_grad():
        assert not (x * 2).requires_grad
        with lantern.enable_grad():
            assert (x * 2).requires_grad
    assert lantern.is_grad_enabled()

    @lantern.no_grad()
    def plain():
        return x * 2

    @lantern.inference_mode()
    def inferred():
        return lantern.is_inference_mode_enabled(), (x * 2).requires_grad

    assert not plain().requires_grad and inferred() == (True, False)
    lantern.set_grad_enabled(False)
    assert not (x * 2).requires_grad
    lantern.set_grad_enabled(True)


def test_no_grad_of_a_generator_holds_only_while_it_runs():
    @lantern.no_grad()
    def steps():
        yield lantern.is_grad_enabled()
        yield lantern.is_grad_enabled()

    inside = []
    for enabled in steps():
        inside.append(enabled)
        assert lantern.is_grad_enabled()
    assert inside == [False, False]


def test_requires_grad_is_for_floating_point_leaves():
    with pytest.raises(RuntimeError, match="only Tensors of floating point"):
        lantern.tensor([1]).requires_grad_()
    with pytest.raises(RuntimeError, match="you can only change requires_grad flags of leaf"):
        (leaf(1.0) * 2).requires_grad_(False)


def test_detach_and_data_cut_the_history_but_share_memory():
    x = leaf(1.0)
    y = x * 2
    d = y.detach()
    d.zero_()
    assert y.tolist() == [0.0] and not d.requires_grad
    x.data[0] = 5.0
    assert x.tolist() == [5.0] and x._version == 0
    x.data = x.data - 1
    assert x.tolist() == [4.0] and x.is_leaf and x.requires_grad


def test_writes_through_detach_count_as_versions():
    x = leaf(1.0)
    y = x * 1
    z = y * y
    y.detach().add_(1)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        z.sum().backward()


def test_the_graph_goes_away_with_its_result():
    x = leaf(1.0)
    y = x.exp()
    node = weakref.ref(y.grad_fn)
    gc.disable()
    try:
        del y
        assert node() is None
    finally:
        gc.enable()


class Cube(Function):
    @staticmethod
    def forward(ctx, x, scale):
        ctx.save_for_backward(x)
        ctx.scale = scale
        return x**3 * scale

    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        return g * 3 * x * x * ctx.scale, None


def test_a_function_of_the_users_own_to_second_order():
    x = leaf(2.0, 0.5)
    assert gradcheck(lambda x: Cube.apply(x, 1.5), (x,))
    assert gradgradcheck(lambda x: Cube.apply(x, 1.5), (x,))
    assert Cube.apply(x, 1.0).grad_fn.name() == "CubeBackward"


def test_a_function_that_returns_too_few_gradients_is_named():
    class Wrong(Function):
        @staticmethod
        def forward(ctx, x, y):
            return x + y

        @staticmethod
        def backward(ctx, g):
            return g

    with pytest.raises(RuntimeError, match=r"WrongBackward returned an incorrect number of grad"):
        Wrong.apply(leaf(1.0), leaf(2.0)).backward()


def test_a_function_may_save_its_output():
    class Exp(Function):
        @staticmethod
        def forward(ctx, x):
            out = x.exp()
            ctx.save_for_backward(out)
            return out

        @staticmethod
        def backward(ctx, g):
            (out,) = ctx.saved_tensors
            return g * out

    x = leaf(0.3)
    assert gradcheck(Exp.apply, (x,)) and gradgradcheck(Exp.apply, (x,))


def test_gradcheck_can_fail():
    class Off(Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def backward(ctx, g):
            return g * 2.001

    with pytest.raises(RuntimeError, match="Jacobian mismatch for output 0"):
        gradcheck(Off.apply, (leaf(1.0),), rtol=1e-4)
    assert not gradcheck(Off.apply, (leaf(1.0),), rtol=1e-4, raise_exception=False)


def test_grad_of_a_result_warns():
    with pytest.warns(UserWarning, match="that is not a leaf Tensor is being accessed"):
        assert (leaf(1.0) * 2).grad is None


def test_assigned_grad_must_fit():
    x = leaf(1.0, 2.0)
    with pytest.raises(RuntimeError, match="attempting to assign a gradient of size"):
        x.grad = lantern.zeros(3, dtype=lantern.float64)
    with pytest.raises(TypeError, match="assigned grad expected to be a Tensor or None"):
        x.grad = 3


def test_next_functions_have_a_place_for_operands_without_gradient():
    x, y = lantern.ones(2, requires_grad=True), lantern.ones(2)
    leaf = x._node
    for result in (x + 1, x + y, x * 2, x / y):
        assert result.grad_fn.next_functions == ((leaf, 0), (None, 0))
    for result in (1 + x, y * x):
        assert sorted(map(str, result.grad_fn.next_functions)) == sorted(
            map(str, ((None, 0), (leaf, 0)))
        )
    for result in (x**2, 1 - x, x.exp(), x.sum(), x.fmod(2)):
        assert result.grad_fn.next_functions == ((leaf, 0),)
    assert (x**y).grad_fn.next_functions == ((leaf, 0), (None, 0))


def test_grad_captures_results_before_their_hooks_and_leaves_after_them():
    x = lantern.ones(2, requires_grad=True)
    x.register_hook(lambda g: g * 5)
    y = x * 3
    y.register_hook(lambda g: g * 2)
    of_y, of_x = lantern.autograd.grad(y.sum(), [y, x])
    assert of_y.tolist() == [1.0, 1.0] and of_x.tolist() == [30.0, 30.0]


def test_graphs_are_freed_without_the_garbage_collector():
    import gc
    import weakref

    net = lantern.nn.Sequential(lantern.nn.Linear(4, 4), lantern.nn.Sigmoid())
    for _ in range(60):  # on the short way, too
        loss = (net(lantern.ones(2, 4)) ** 2).mean()
        loss.backward()
    gc.collect()
    gc.disable()
    try:
        for released in (True, False):
            hidden = net(lantern.ones(2, 4))
            loss = (hidden * hidden).mean()
            seen = [weakref.ref(hidden), weakref.ref(loss._node), weakref.ref(hidden._storage)]
            loss.backward() if released else None
            del hidden, loss
            assert [each() for each in seen] == [None] * 3
    finally:
        gc.enable()


def test_nodes_are_of_classes_with_pytorchs_names() -> None:
    x = lantern.ones(2, requires_grad=True)
    node = ((x + 1).exp() * 2).sum().grad_fn
    names = []
    while node is not None:
        names.append(type(node).__name__)
        assert isinstance(node, lantern.autograd.graph.Node)
        node = node.next_functions[0][0] if node.next_functions else None
    assert names == "SumBackward0 MulBackward0 ExpBackward0 AddBackward0 AccumulateGrad".split()


def test_a_graph_that_was_looked_at_gives_the_same_gradients() -> None:
    x = lantern.tensor([0.3, 0.7], requires_grad=True)
    (plain,) = lantern.autograd.grad((x.exp() * x).sum(), x)
    loss = (x.exp() * x).sum()
    assert len(loss.grad_fn.next_functions[0][0].next_functions) == 2
    for _ in range(60):  # after some calls a way of its own is written
        (shown,) = lantern.autograd.grad(loss, x, retain_graph=True)
    assert lantern.equal(plain, shown)


def test_transformations_in_one_thread_do_not_count_in_another() -> None:
    inner, go = threading.Event(), threading.Event()
    found = []

    def other() -> None:
        inner.wait(10)
        found.append(lantern.func.grad(lambda x: (x * x).sum())(lantern.ones(1)).requires_grad)
        go.set()

    def waits(x):
        inner.set()
        assert go.wait(10)
        return (x * x).sum()

    thread = threading.Thread(target=other)
    thread.start()
    lantern.func.grad(waits)(lantern.tensor([1.0]))
    thread.join()
    assert found == [False]
