"""Native code gives what the interpreter gives: random graphs, special values, aliasing, cache."""

from __future__ import annotations

import math
import os

import numpy as np
import pytest
from compiler_programs import Fact, Programs

import lantern
from lantern import dtypes
from lantern.compiler import doorway
from lantern.compiler.fuse import fuse
from lantern.compiler.interpret import interpret
from lantern.compiler.ir import Graph, verify
from lantern.compiler.memory import operands
from lantern.compiler.native import Changed, Program
from lantern.compiler.runtime import OTHERS, Target, host, object_code
from lantern.compiler.simplify import simplify

pytest.importorskip("llvmlite")
pytestmark = pytest.mark.usefixtures("private_cache")

COUNT = int(os.environ.get("LANTERN_PROGRAMS", "150"))  # random graphs per run
START = int(os.environ.get("LANTERN_PROGRAMS_START", "0"))


def compare(got: np.ndarray, want: np.ndarray, fact: Fact) -> None:
    assert got.shape == want.shape and got.dtype == want.dtype
    if got.dtype.kind not in "fV":
        np.testing.assert_array_equal(got, want)
        return
    got, want = got.astype("f8"), want.astype("f8")
    if fact.exact:
        np.testing.assert_array_equal(got, want)
        if not fact.signless:
            known = ~np.isnan(want)
            np.testing.assert_array_equal(np.signbit(got)[known], np.signbit(want)[known])
        return
    if fact.scale > 1:  # where a sum overflows, and so becomes inf or NaN, depends on its order
        lost = ~np.isfinite(want) & ~np.isfinite(got)
        got, want = np.where(lost, 0, got), np.where(lost, 0, want)
    finite = np.abs(want[np.isfinite(want)])
    size = float(finite.max()) if finite.size else 1.0
    np.testing.assert_allclose(got, want, rtol=2e-5, atol=1e-6 * fact.scale * max(size, 1.0))


def check(programs: Programs, target: Target | None = None) -> None:
    graph = programs.graph
    verify(graph)
    inputs = [each.copy() for each in programs.arrays]
    want = [np.array(each) for each in interpret(graph, inputs)]
    verify(simplify(graph))
    program = Program(graph, programs.writes, target)
    arrays = programs.arrays
    written = dict(programs.writes)
    for _ in range(2):  # the second time pointers and the arena are in use already
        for array, fresh in zip(arrays, inputs, strict=True):
            array[...] = fresh
        results = iter(program(arrays))
        for i, value in enumerate(graph.outputs):
            got = arrays[written[i]] if i in written else next(results)
            compare(got, want[i], programs.facts[value])


@pytest.mark.parametrize("block", range(10))
def test_random_graphs_give_what_the_interpreter_gives(block):
    for seed in range(START + block, START + COUNT, 10):
        try:
            check(Programs(seed))
        except BaseException as error:
            error.add_note(f"seed {seed}")
            raise


def narrower() -> list[Target]:
    """This machine with shorter vectors and fewer registers than it has."""
    here = host()
    sizes = [(32, 16), (16, 16), (16, 32)]
    return [here._replace(vector_bytes=b, registers=r) for b, r in sizes if b <= here.vector_bytes]


def test_random_graphs_on_machines_with_shorter_vectors():
    for target in narrower():
        for seed in range(100_000 + START, 100_000 + START + COUNT // 5):
            try:
                check(Programs(seed), target)
            except BaseException as error:
                error.add_note(f"seed {seed}, {target.vector_bytes} bytes")
                raise


def test_code_for_avx2_runs_on_a_machine_that_has_more():
    here = host()
    if not here.triple.startswith("x86_64") or here.vector_bytes < 32:
        pytest.skip("this machine has no AVX2")
    target = OTHERS["avx2"]._replace(triple=here.triple)
    assert target.cpu != here.cpu or here.vector_bytes == 32
    for seed in range(200_000 + START, 200_000 + START + COUNT // 5):
        try:
            check(Programs(seed), target)
        except BaseException as error:
            error.add_note(f"seed {seed}")
            raise


MAGIC = {"avx2": b"\x7fELF", "avx512": b"\x7fELF", "neon": b"\x7fELF"}


@pytest.mark.parametrize("name", OTHERS)
def test_code_is_made_for_every_kind_of_processor(name):
    target = OTHERS[name]
    lanes = target.vector_bytes // 4
    graph = Graph()
    x, weight = graph.input((40, 70), dtypes.float32), graph.input((20, 70), dtypes.float32)
    product = graph.add("linear", (x, weight, None))
    graph.outputs = [graph.add("tanh", (product,)), graph.add("sum", (product, (0,), False))]
    text = Program(graph, (), target, load=False).text
    assert f"<{lanes} x float>" in text and f"<{2 * lanes} x float>" not in text
    code = object_code(text, target)
    assert code.startswith(MAGIC[name])
    machine = {62: "x86_64", 183: "aarch64"}[int.from_bytes(code[18:20], "little")]
    assert target.triple.startswith(machine)


def one(build, *arrays):
    graph = Graph()
    names = {np.dtype(each.name): each for each in dtypes.ALL if each.char != "E"}
    graph.outputs = [build(graph, *[graph.input(a.shape, names[a.dtype]) for a in arrays])]
    return graph, Program(graph)


SPECIAL = np.array(
    [np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0, -1.0, 88.7, 88.8, -87.3, -103.9, -104.5, 1e-40, 3e38]
    + [-1e-40, 1e-8, -1e-8, 0.6249, 0.6251, -0.625, 20.0, 1.1754944e-38, 0.9999999, 1.0000001],
    np.float32,
)


@pytest.mark.parametrize(
    "name",
    "exp log log1p expm1 tanh sigmoid erf sqrt rsqrt abs neg sign round floor isnan isinf".split(),
)
def test_functions_at_the_ends_of_their_range(name):
    for size in (1, 7, len(SPECIAL)):
        graph, program = one(lambda g, x: g.add(name, (x,)), SPECIAL[:size])
        want = interpret(graph, [SPECIAL[:size]])[0]
        got = program([SPECIAL[:size]])[0]
        np.testing.assert_allclose(got, want, rtol=1e-6, atol=1e-45)


@pytest.mark.parametrize("name", ["exp", "log", "log1p", "expm1", "tanh", "sigmoid", "erf"])
def test_functions_are_right_to_a_few_units_in_the_last_place(name):
    x = np.concatenate([np.linspace(-30, 30, 40_001), np.logspace(-30, 30, 20_001)])
    x = x[x > 0].astype(np.float32) if name == "log" else x[x > -1].astype(np.float32)
    _, program = one(lambda g, x: g.add(name, (x,)), x)
    got = program([x])[0].astype(np.float64)
    wide = x.astype(np.float64)
    with np.errstate(over="ignore"):
        functions = {"sigmoid": lambda x: 1 / (1 + np.exp(-x)), "erf": np.vectorize(math.erf)}
        exact = functions.get(name, getattr(np, name, None))(wide)
    kept = np.isfinite(exact) & (np.abs(exact) < 3e38) & (np.abs(exact) > 1e-37)
    spacing = np.spacing(np.abs(exact[kept]).astype(np.float32)).astype(np.float64)
    assert np.max(np.abs(got[kept] - exact[kept]) / spacing) < 4


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_powers_of_minus_one_half_at_the_ends_of_their_range(dtype):
    x = np.array([-np.inf, np.inf, -0.0, 0.0, np.nan, 4.0, -1.0, 1e-310, 3.0, 1e30] * 3, dtype)
    graph, program = one(lambda g, x: g.add("pow", (x, -0.5)), x)
    with np.errstate(all="ignore"):
        want = interpret(graph, [x])[0]
    np.testing.assert_allclose(program([x])[0], want, rtol=1e-6 if dtype is np.float32 else 1e-15)


def test_powers_of_one_number_are_remembered_only_while_the_exponent_stays():
    graph = Graph()
    base, *steps = (graph.input((), dtypes.float64) for _ in range(4))
    graph.outputs = [graph.add("pow", (base, each)) for each in steps]
    program = Program(graph)
    for numbers in (
        [0.9, 1, 1, 2],
        [0.9, 2, 1, 2],
        [0.5, 2, 2, 2],
        [-0.0, 3, 3, 2],
        [0.0, 3, 3, 3],
    ):
        found = program([np.array(float(each)) for each in numbers])
        np.testing.assert_array_equal(found, [numbers[0] ** each for each in numbers[1:]])


@pytest.mark.parametrize("kind", ["nn", "nt", "tn", "tt"])
@pytest.mark.parametrize("sizes", [(1, 1, 1), (3, 1, 100), (65, 33, 17), (1, 70, 40), (20, 5, 130)])
def test_matrix_products_of_all_forms(kind, sizes):
    m, n, k = sizes
    random = np.random.default_rng(0)
    for dtype in (np.float32, np.float64):
        a = random.integers(-4, 5, (m, k) if kind[0] == "n" else (k, m)).astype(dtype)
        b = random.integers(-4, 5, (k, n) if kind[1] == "n" else (n, k)).astype(dtype)

        def build(g, x, y):
            x = x if kind[0] == "n" else g.add("permute", (x, (1, 0)))
            y = y if kind[1] == "n" else g.add("permute", (y, (1, 0)))
            return g.add("mul", (g.add("matmul", (x, y)), 0.5))

        graph, program = one(build, a, b)
        np.testing.assert_array_equal(program([a, b])[0], interpret(graph, [a, b])[0])


def updating():
    """X becomes y + 1 and y becomes x + 2."""
    graph = Graph()
    x, y = (graph.input((40,), dtypes.float32) for _ in range(2))
    graph.outputs = [graph.add("add", (y, 1.0)), graph.add("add", (x, 2.0))]
    return Program(graph, [(0, 0), (1, 1)])


def test_writes_happen_after_all_reads():
    x, y = np.zeros(40, np.float32), np.full(40, 10, np.float32)
    updating()([x, y])
    assert (x == 11).all() and (y == 2).all()


def test_inputs_may_share_memory_with_what_is_written():
    memory = np.arange(60, dtype=np.float32)
    old = memory.copy()
    updating()([memory[:40], memory[20:]])
    want = old.copy()
    want[:40] = old[20:] + 1
    want[20:] = old[:40] + 2
    np.testing.assert_array_equal(memory, want)


def test_an_input_of_another_shape_is_refused():
    program = updating()
    with pytest.raises(Changed):
        program([np.zeros(41, np.float32), np.zeros(40, np.float32)])
    with pytest.raises(Changed):
        program([np.zeros(40, np.float64), np.zeros(40, np.float32)])


def test_an_error_in_a_call_leaves_everything_unwritten():
    graph = Graph()
    x, index = graph.input((5,), dtypes.float32), graph.input((3,), dtypes.int64)
    picked = graph.add("getitem", (x, (index,)))
    graph.outputs = [graph.add("add", (x, 1.0)), picked]
    program = Program(graph, [(0, 0)])
    x = np.zeros(5, np.float32)
    with pytest.raises(IndexError):
        program([x, np.array([0, 1, 9])])
    assert (x == 0).all()
    assert program([x, np.array([0, 1, 4])])[0].tolist() == [0.0] * 3 and (x == 1).all()


ACTIVATIONS = ["ReLU", "Sigmoid", "Tanh"]


def random_training(seed, backend):
    """Losses and parameters of a random small network over a few steps."""
    choose = np.random.RandomState(seed)
    rows = int(choose.choice([256, 300, 521, 1000, 1040]))
    sizes = [int(each) for each in choose.randint(1, 33, choose.randint(3, 6))]
    names = [ACTIVATIONS[each] for each in choose.randint(0, 3, len(sizes))]
    lantern.manual_seed(seed)
    layers = []
    for have, want, name in zip(sizes, sizes[1:], names, strict=False):
        layers += [lantern.nn.Linear(have, want), getattr(lantern.nn, name)()]
    net = lantern.nn.Sequential(*layers[: None if seed % 2 else -1])
    kind = lantern.optim.Adam if seed % 3 else lantern.optim.SGD
    optimizer = kind(net.parameters(), lr=0.01)
    x, y = lantern.rand(rows, sizes[0]), lantern.rand(rows, sizes[-1])

    def step(x, y):
        loss = lantern.nn.functional.mse_loss(net(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss

    step = lantern.compile(step, backend=backend)
    losses = [step(x, y).item() for _ in range(6)]
    return step, losses, [each.detach().numpy() for each in net.parameters()]


@pytest.mark.parametrize("seed", range(int(os.environ.get("LANTERN_NETWORKS", "6"))))
def test_random_narrow_networks_train_as_when_interpreted(seed):
    step, losses, parameters = random_training(seed, None)
    _, want, others = random_training(seed, "interpreter")
    np.testing.assert_allclose(losses, want, rtol=2e-5)
    for got, other in zip(parameters, others, strict=True):
        np.testing.assert_allclose(got, other, rtol=2e-3, atol=2e-4)
    assert steps_of(step).machine is not None


def steps_of(compiled):
    (record,) = [each for group in compiled._records.values() for each in group]
    return record


def test_the_short_way_in_is_taken_and_sees_every_change():
    scale = lantern.tensor([2.0, 3.0])
    times = lantern.compile(lambda x: x * scale)
    x = lantern.tensor([1.0, 1.0])
    for _ in range(4):
        assert times(x).tolist() == [2.0, 3.0]
    alone = doorway.door().function(None, (steps_of(times).entry,))
    assert alone(x).tolist() == [2.0, 3.0]
    scale.fill_(5.0)  # in place: the same memory
    assert times(x).tolist() == [5.0, 5.0]
    assert times(lantern.tensor([2.0, 4.0])).tolist() == [10.0, 20.0]
    assert times(lantern.tensor([[2.0, 4.0]] * 3)[1]).tolist() == [10.0, 20.0]
    strided = lantern.tensor([[1.0, 9.0], [2.0, 9.0]])[:, 0]
    for _ in range(3):
        assert times(strided).tolist() == [5.0, 10.0]
    assert times(x).tolist() == [5.0, 5.0]
    assert times(lantern.tensor([1, 1])).tolist() == [5.0, 5.0]
    assert times(lantern.tensor([1.0, 1.0], requires_grad=True)).requires_grad
    assert times(scale).tolist() == [25.0, 25.0]


def test_an_optimizers_numbers_are_read_at_every_call():
    def run(compile_it):
        lantern.manual_seed(0)
        layer = lantern.nn.Linear(3, 1)
        optimizer = lantern.optim.SGD(layer.parameters(), lr=0.1, momentum=0.5)
        x, y = lantern.rand(8, 3), lantern.rand(8, 1)

        def step():
            loss = lantern.nn.functional.mse_loss(layer(x), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            return loss

        step = lantern.compile(step) if compile_it else step
        losses = []
        for i in range(12):
            optimizer.param_groups[0]["lr"] = 0.1 / (1 + i // 2)
            optimizer.param_groups[0]["momentum"] = 0.5 if i % 5 else 0.25
            losses.append(step().item())
        return losses

    np.testing.assert_allclose(run(True), run(False), rtol=1e-5)


def test_an_index_out_of_range_raises_and_nothing_is_written():
    table = lantern.zeros(4)

    @lantern.compile
    def add(index):
        table.add_(1.0)
        return table[index]

    for i in range(4):
        assert add(lantern.tensor([0, 3])).tolist() == [i + 1.0] * 2
    with pytest.raises(IndexError):
        add(lantern.tensor([0, 4]))
    assert table.tolist() == [4.0] * 4
    assert add(lantern.tensor([0, -4])).tolist() == [5.0] * 2


def test_what_was_filled_stays_in_memory_while_it_is_an_index_or_is_indexed():
    table = lantern.arange(12.0).reshape(3, 4)

    @lantern.compile
    def rows(index, place):
        index.fill_(2)
        same = lantern.full((3, 4), 2.0).reshape(4, 3).contiguous()
        return table.index_select(0, index), same.index_select(0, place)

    for _ in range(3):
        found, same = rows(lantern.tensor([0, 1, 0]), lantern.tensor([3, 0, 1, 2, 3, 0]))
        assert found.tolist() == [[8.0, 9.0, 10.0, 11.0]] * 3
        assert same.tolist() == [[2.0] * 3] * 6


def test_explain_names_the_kernels_and_changes_nothing(capsys):
    weight = lantern.rand(20, 30)

    @lantern.compile
    def step(x):
        weight.mul_(0.5)
        return lantern.tanh(x @ weight).sum()

    for _ in range(3):
        step(lantern.ones(4, 20))
    before = weight.clone()
    step.explain()
    text = capsys.readouterr().out
    assert "matrix product of 4 x 30; while its results are in registers: tanh" in text
    assert "step, for (float32[4, 20]):" in text
    assert "µs" in text and "[test_compiler_native.py:" in text
    assert lantern.equal(weight, before)


def test_layers_that_add_to_their_input_read_no_more_the_deeper_they_are():
    graph = Graph()
    total, weight = (graph.input(shape, lantern.float32) for shape in ((4, 16, 64), (64, 64)))
    for _ in range(8):
        rows = graph.add("reshape", (graph.add("exp", (total,)), (64, 64)))
        made = graph.add("reshape", (graph.add("matmul", (rows, weight)), (4, 16, 64)))
        total = graph.add("add", (total, made))
    graph.outputs = [total]
    loops = [each for each in fuse(graph).kernels if each.kind == "loop"]
    assert max(len(operands(each)) for each in loops) <= 3


@pytest.mark.parametrize("how", ["index", "embedding", "gather"])
def test_nothing_else_is_stored_by_a_kernel_that_scatters(how):
    """Gradients that are scattered, and others made of the same values, in one step with Adam."""
    index = lantern.tensor([0, 1, 0])

    def picked(table):
        if how == "index":
            return table[index]
        if how == "embedding":
            return lantern.nn.functional.embedding(index, table)
        return table.gather(0, index.unsqueeze(1).expand(3, 4))

    def trained(compiling):
        lantern.manual_seed(0)
        shift = lantern.randn(3, 4, dtype=lantern.float64).requires_grad_()
        table = lantern.randn(4, 4).requires_grad_()
        optimizer = lantern.optim.Adam([shift, table], lr=0.25, eps=0.05)

        def step():
            given = picked(table) - shift
            flat = given.reshape(-1)
            loss = lantern.tanh(flat).float().mean() + lantern.tanh(given).float().mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()

        run = lantern.compile(step, keep_grads=True) if compiling else step
        for _ in range(4):
            run()
        return [shift, table, shift.grad, table.grad]

    for got, want in zip(trained(True), trained(False), strict=True):
        np.testing.assert_allclose(got.detach().numpy(), want.detach().numpy(), rtol=1e-5)


@pytest.mark.parametrize("rows", [17, 64, 130])
def test_views_and_results_of_narrow_values_go_by_how_these_are_laid_out(rows):
    lantern.manual_seed(0)
    x, weight, bias = lantern.randn(rows, 3), lantern.randn(16, 3), lantern.randn(16)
    cell = lantern.nn.LSTMCell(3, 4)

    def halves(x):
        first, second = lantern.nn.functional.linear(x, weight, bias).chunk(2, 1)
        return first + second

    def gates(x):
        return cell(x)[0]

    with lantern.no_grad():
        for function in (halves, gates):
            compiled = lantern.compile(function)
            for _ in range(3):
                found = compiled(x)
            lantern.testing.assert_close(found, function(x))
