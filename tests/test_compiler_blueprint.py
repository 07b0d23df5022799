"""Programs taken up from the disk: only for the very graph they were made for, and as good."""

from __future__ import annotations

import json

import numpy as np
import pytest
from compiler_programs import Programs

import lantern
from lantern import dtypes
from lantern.compiler import forms, fuse, native, runtime, store
from lantern.compiler.blueprint import unpacked
from lantern.compiler.interpret import interpret
from lantern.compiler.ir import Graph
from lantern.compiler.native import Program

pytest.importorskip("llvmlite")


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("LANTERN_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "native"


def is_planned(program) -> bool:
    return "_planned" in vars(program)


@pytest.fixture
def planned(monkeypatch):
    """Counts how often a plan was made."""
    made = []
    original = native.fuse
    monkeypatch.setattr(native, "fuse", lambda *args: made.append(1) or original(*args))
    return made


class Way:
    """A graph of two inputs, and how it is compiled; the others below differ in one thing."""

    def __init__(self, build, shapes=((4, 6), (4, 6)), kind=dtypes.float32, **options):
        self.graph = Graph()
        inputs = [self.graph.input(each, kind) for each in shapes]
        found = build(self.graph, *inputs)
        self.graph.outputs = list(found) if isinstance(found, tuple) else [found]
        self.options = options

    def program(self) -> Program:
        return Program(self.graph, **self.options)


def plus(number):
    return lambda g, x, y: g.add("add", (g.add("mul", (x, y)), number))


def reduced(*args):
    return lambda g, x, y: g.add("sum", (g.add("mul", (x, y)), *args))


def indexed(index):
    return lambda g, x, y: g.add("exp", (g.add("getitem", (x, index)),))


def op(name, swap=False):
    return lambda g, x, y: g.add(name, (y, x) if swap else (x, y))


def two(g, x, y):
    return g.add("exp", (x,)), g.add("neg", (y,))


def drawn(first, second):
    def build(g, x, y):
        for i, which in enumerate((first, second)):
            noise = g.add("draw", ("uniform", (4, 6), dtypes.float32, which, 0.0, 1.0 + i))
            x = g.add("add", (x, noise))
        return x

    return build


ONE, TWO = lantern.Generator(), lantern.Generator()
WAYS = {
    "plain": lambda: Way(plus(1.0)),
    "another number": lambda: Way(plus(1.0000001)),
    "the other sign": lambda: Way(plus(-1.0)),
    "a whole number": lambda: Way(plus(1)),
    "a truth value": lambda: Way(plus(True)),
    "zero": lambda: Way(plus(0.0)),
    "minus zero": lambda: Way(plus(-0.0)),
    "infinity": lambda: Way(plus(float("inf"))),
    "not a number": lambda: Way(plus(float("nan"))),
    "another dtype": lambda: Way(plus(1.0), kind=dtypes.float64),
    "another shape": lambda: Way(plus(1.0), ((6, 4), (6, 4))),
    "broadcast": lambda: Way(plus(1.0), ((4, 6), (1, 6))),
    "written over the first": lambda: Way(plus(1.0), writes=[(0, 0)]),
    "written over the second": lambda: Way(plus(1.0), writes=[(0, 1)]),
    "given first": lambda: Way(plus(1.0), arguments=[0]),
    "given second": lambda: Way(plus(1.0), arguments=[1]),
    "one primitive": lambda: Way(plus(1.0), alone=True),
    "a transposed result": lambda: Way(plus(1.0), strides=[(1, 4)]),
    "difference": lambda: Way(op("sub")),
    "difference the other way": lambda: Way(op("sub", swap=True)),
    "another primitive": lambda: Way(op("div")),
    "all": lambda: Way(reduced(None, False)),
    "all, dimensions kept": lambda: Way(reduced(None, True)),
    "rows": lambda: Way(reduced((0,), False)),
    "columns": lambda: Way(reduced((1,), False)),
    "every element": lambda: Way(indexed((slice(None), slice(None)))),
    "every second": lambda: Way(indexed((slice(None), slice(None, None, 2)))),
    "every second from one": lambda: Way(indexed((slice(None), slice(1, None, 2)))),
    "a column": lambda: Way(indexed((slice(None), 1))),
    "another column": lambda: Way(indexed((slice(None), 2))),
    "two results": lambda: Way(two),
    "two results, turned round": lambda: Way(lambda *args: two(*args)[::-1]),
    "a result twice": lambda: Way(lambda *args: two(*args)[:1] * 2),
    "from one generator": lambda: Way(drawn(ONE, ONE)),
    "from two generators": lambda: Way(drawn(ONE, TWO)),
}


def run(program, graph):
    """Returns what a program gives and writes, and what the interpreter gives."""
    random = np.random.RandomState(0)
    arrays = [random.rand(*each.shape).astype(each.dtype.name) for each in graph.inputs]
    for each in (ONE, TWO):
        each.manual_seed(7 if each is ONE else 8)
    want = interpret(graph, [each.copy() for each in arrays])
    for each in (ONE, TWO):
        each.manual_seed(7 if each is ONE else 8)
    results = iter(program(arrays))
    places = dict(program.writes)
    return [arrays[places[i]] if i in places else next(results) for i in range(len(want))], want


def test_what_differs_in_one_thing_has_a_name_of_its_own_and_comes_back_right():
    names = {}
    for title, make in WAYS.items():
        names.setdefault(make().program()._key(), []).append(title)
    assert None not in names
    assert [each for each in names.values() if len(each) > 1] == []
    for title, make in WAYS.items():
        way = make()
        program = way.program()
        assert not is_planned(program), title
        for got, want in zip(*run(program, way.graph), strict=True):
            np.testing.assert_allclose(got, want, rtol=1e-6, err_msg=title)
            assert got.dtype == want.dtype and got.shape == want.shape


def test_draws_come_from_the_generators_of_the_graph_that_is_compiled_now():
    def graph(first, second):
        return Way(drawn(first, second)).graph

    Program(graph(ONE, TWO))
    fresh = lantern.Generator(), lantern.Generator()
    for pair in ((TWO, ONE), fresh):
        again = graph(*pair)
        program = Program(again)
        assert not is_planned(program)
        assert [each.args[3] for each in program.blueprint.calls] == list(pair)
        zeros = [np.zeros((4, 6), np.float32)] * 2
        for each in pair:
            each.manual_seed(3)
        want = interpret(again, zeros)
        for each in pair:
            each.manual_seed(3)
        np.testing.assert_array_equal(program(zeros)[0], want[0])


@pytest.mark.parametrize("block", range(4))
def test_blueprints_of_random_graphs_come_back_as_they_were(block):
    for seed in range(300_000 + block, 300_040, 4):
        drawn = Programs(seed)
        made = Program(drawn.graph, drawn.writes)
        again = Program(drawn.graph, drawn.writes)
        assert not is_planned(made) and not is_planned(again)
        assert again.blueprint == made.blueprint
        assert repr(again.blueprint) == repr(made.blueprint)  # also the types of all numbers
        assert again._blueprint(made.blueprint.code, made.blueprint.shared) == made.blueprint
        inputs = [[each.copy() for each in drawn.arrays] for _ in "ab"]
        for a, b in zip(made(inputs[0]), again(inputs[1]), strict=True):
            np.testing.assert_array_equal(a, b)
        for a, b in zip(*inputs, strict=True):
            np.testing.assert_array_equal(a, b)


def test_arguments_of_every_kind_come_back_as_they_were():
    def build(g, x, y):
        places = g.add("argsort", (x, 0, True, False))
        row = g.add("getitem", (places, (slice(None), 1)))
        found = g.add("getitem", (y, (row, slice(None, None, 2))))
        return g.add("cumsum", (g.add("cast", (x, dtypes.float64)), 1)), found

    way = Way(build)
    made, again = way.program(), way.program()
    names = [each.name for each in made.blueprint.calls]
    assert sorted(names) == ["argsort", "cumsum", "getitem"]
    assert not is_planned(again) and made.blueprint == again.blueprint
    assert unpacked(made.blueprint.packed([ONE]), [ONE]) == made.blueprint
    for got, want in zip(*run(again, way.graph), strict=True):
        np.testing.assert_array_equal(got, want)


def damage_blueprints(folder, change):
    """Gives blueprints the bytes that `change` makes of theirs; returns how many are others."""
    count = 0
    for entry in folder.iterdir():
        data = entry.read_bytes()
        if is_blueprint(data):
            entry.write_bytes(change(data))
            count += entry.read_bytes() != data
    return count


def is_blueprint(data: bytes) -> bool:
    return data[store.DIGEST : store.DIGEST + 1] == b"["


DAMAGE = {
    "a bit is another": lambda data: data[:-2] + bytes([data[-2] ^ 1]) + data[-1:],
    "the end is missing": lambda data: data[:-5],
    "another slot": lambda data: data.replace(b'"Shown", 1', b'"Shown", 2').replace(
        b'"Shown", 0', b'"Shown", 1'
    ),
    "nothing": lambda data: b"",
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_blueprint_is_made_anew(folder, planned, damage):
    way = Way(plus(1.0))
    way.program()
    assert damage_blueprints(folder, damage) == 1 and len(planned) == 1
    program = way.program()
    assert len(planned) == 2
    got, want = run(program, way.graph)
    np.testing.assert_array_equal(got[0], want[0])
    way.program()
    assert len(planned) == 2  # it was kept again


def test_a_blueprint_under_the_name_of_another_is_not_taken(folder, planned):
    first, second = Way(plus(1.0)), Way(plus(2.0))
    first.program()
    (one,) = [each for each in folder.iterdir() if is_blueprint(each.read_bytes())]
    second.program()
    (two,) = [e for e in folder.iterdir() if is_blueprint(e.read_bytes()) and e != one]
    two.write_bytes(one.read_bytes())
    got, want = run(second.program(), second.graph)
    assert len(planned) == 3
    np.testing.assert_array_equal(got[0], want[0])


def test_a_blueprint_whose_code_is_gone_or_damaged_is_made_anew(folder, planned):
    way = Way(plus(1.0))
    way.program()
    code = [each for each in folder.iterdir() if not is_blueprint(each.read_bytes())]
    for each in code:
        each.unlink()
    way.program()
    for each in code:
        each.write_bytes(each.read_bytes()[:-1])
    got, want = run(way.program(), way.graph)
    assert len(planned) == 3
    np.testing.assert_array_equal(got[0], want[0])


def test_other_settings_sources_processors_and_libraries_have_names_of_their_own(monkeypatch):
    program = Way(plus(1.0)).program()
    names = [program._key()]
    changes = [
        (forms, "NARROW", 16),
        (fuse, "CHEAP", fuse.CHEAP - {"add"}),
        (store, "sources", lambda: "another compiler"),
        (native.pool, "cores", lambda: 77),
        (native.default().np, "__version__", "77.0"),
        (runtime, "versions", lambda target: ("another LLVM",)),
        (program, "target", program.target._replace(cpu="another")),
    ]
    for where, name, value in changes:
        with monkeypatch.context() as patch:
            patch.setattr(where, name, value)
            names.append(program._key())
    assert len(set(names)) == len(changes) + 1


def test_a_graph_with_something_that_no_text_tells_from_others_is_not_kept(folder):
    class Unknown(int):
        """A number that may be more than it seems."""

    way = Way(plus(Unknown(3)))
    assert way.program()._key() is None
    got, want = run(way.program(), way.graph)
    np.testing.assert_allclose(got[0], want[0], rtol=1e-6)
    assert not [each for each in folder.iterdir() if is_blueprint(each.read_bytes())]


def test_a_blueprint_is_plain_text(folder):
    Way(drawn(ONE, TWO)).program()
    (entry,) = [each for each in folder.iterdir() if is_blueprint(each.read_bytes())]
    assert json.loads(entry.read_bytes()[store.DIGEST :])[0] == "("


def test_explain_tells_of_the_users_own_lines_also_for_a_program_from_the_disk(capsys, planned):
    def compiled():
        f = lantern.compile(lambda x: (x * 2).exp().sum())
        for _ in range(3):
            f(lantern.ones(40, 50))
        return f

    compiled()
    before = len(planned)
    f = compiled()
    assert len(planned) == before
    f.explain()
    assert "test_compiler_blueprint.py" in capsys.readouterr().out


def test_explain_refuses_to_tell_of_another_plan_than_the_one_that_runs(monkeypatch):
    f = lantern.compile(lambda x: (x * 2).exp().sort()[0] + 1)
    for _ in range(3):
        f(lantern.ones(4, 5))
    lay_out = native.lay_out

    def larger(*args):
        memory = lay_out(*args)
        memory.size += 64
        return memory

    monkeypatch.setattr(native, "lay_out", larger)
    with pytest.raises(RuntimeError, match="settings have changed"):
        f.explain()
