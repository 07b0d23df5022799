"""Files in both directions with PyTorch in the same process."""

from __future__ import annotations

import collections
import importlib
import inspect
import io
import pickle
import random
import sys
import warnings

import numpy
import optim_cases
import pytest
import schedule_cases
from pth_tools import SCRIPT, dumped, loaded
from pth_tools import raw_bytes as our_bytes

import lantern
from lantern.serialization import names
from lantern.serialization.container import SERIALIZATION_ID, RecordReader, Source

torch = pytest.importorskip("torch")

DTYPES = [
    "bool", "uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32", "int64",
    "float16", "bfloat16", "float32", "float64",
]  # fmt: skip
OLD = {"_use_new_zipfile_serialization": False}


def theirs(value):
    return SCRIPT.describe(value, SCRIPT.raw_bytes)


def ours(value):
    return SCRIPT.describe(value, our_bytes)


def to_torch(value, **options):
    """What PyTorch loads, safely by default, from what Lantern saved."""
    return torch.load(io.BytesIO(dumped(value, **options.pop("save", {}))), **options)


def to_lantern(value, **options):
    """What Lantern loads from what PyTorch saved."""
    return loaded(SCRIPT.saved(value, **options.pop("save", {})), **options)


def array_of(rng, name):
    shape = [rng.choice((0, 1, 2, 3, 5)) for _ in range(rng.randrange(4))]
    bits = numpy.random.RandomState(rng.randrange(2**31)).bytes(8 * max(int(numpy.prod(shape)), 1))
    if name == "bool":
        return shape, bytes(byte & 1 for byte in bits)
    return shape, bits


def tensor_of(library, rng, name, shape, bits):
    """A tensor of any bits at all, NaNs included, in one of several layouts."""
    dtype = getattr(library, name)
    count = int(numpy.prod(shape))
    if not count:
        return library.empty(shape, dtype=dtype)
    flat = library.frombuffer(bytearray(bits), dtype=dtype, count=count)
    tensor = flat.reshape(shape)
    layout = rng.randrange(4)
    if layout == 1 and len(shape) > 1:
        tensor = tensor.transpose(0, 1)
    elif layout == 2 and len(shape) > 0:
        tensor = tensor[::2]
    elif layout == 3 and len(shape) > 1:
        tensor = tensor[:, 1:]
    if name in ("float16", "float32", "float64", "bfloat16") and rng.random() < 0.3:
        tensor = tensor.detach().requires_grad_()
    return tensor


def tree(library, rng, depth=0, made=None):
    """A random object with tensors; the same one for each library when `rng` starts the same."""
    made = [] if made is None else made
    kind = rng.randrange(12 if depth < 4 else 7)
    if kind < 4:
        name = rng.choice(DTYPES)
        made.append(tensor_of(library, rng, name, *array_of(rng, name)))
        return made[-1]
    if kind == 4:
        return rng.choice([None, True, 0, -1, 2**40, 1.5, float("inf"), "text", "训练", b"\xff"])
    if kind == 5:
        return rng.choice([library.float32, library.bool, library.device("cpu"), library.Size([2])])
    if kind == 6:
        return rng.choice(made) if made else library.nn.Parameter(library.ones(2))
    inside = [tree(library, rng, depth + 1, made) for _ in range(rng.randrange(4))]
    if kind < 9:
        return {f"key {i}": each for i, each in enumerate(inside)}
    if kind == 9:
        return collections.OrderedDict((i, each) for i, each in enumerate(inside))
    return inside if kind == 10 else tuple(inside)


@pytest.mark.parametrize("seed", range(120))
def test_random_objects_go_both_ways(seed):
    first, second = (tree(library, random.Random(seed)) for library in (torch, lantern))
    assert theirs(first) == ours(second)
    assert ours(to_lantern(first)) == theirs(torch.load(io.BytesIO(SCRIPT.saved(first))))
    assert theirs(to_torch(second)) == ours(loaded(dumped(second)))
    assert theirs(to_torch(second)) == ours(to_lantern(first))
    assert ours(to_lantern(first, weights_only=False, save=OLD)) == theirs(first)


@pytest.mark.parametrize("name", DTYPES)
def test_every_dtype_is_written_as_pytorch_writes_it(name):
    values = numpy.arange(7)
    first = torch.from_numpy(values).to(getattr(torch, name))
    second = lantern.from_numpy(values).to(getattr(lantern, name))
    contents = SCRIPT.saved(first), dumped(second)
    records = [RecordReader(Source(io.BytesIO(content))) for content in contents]
    assert list(records[0].records) == list(records[1].records)
    for record in records[0].records:
        assert records[0].offset(record) == records[1].offset(record)
        if record != SERIALIZATION_ID:
            assert records[0].read(record) == records[1].read(record)


def test_sharing_survives_the_way_to_pytorch():
    base = lantern.arange(10.0)
    whole, part = to_torch([base, base[2:5]])
    part += 100
    assert whole[2:5].tolist() == [102.0, 103.0, 104.0]


def test_old_files_from_here_load_in_pytorch():
    value = {"a": lantern.arange(6.0).reshape(2, 3).t(), "b": lantern.tensor([True])}
    assert theirs(to_torch(value, save=OLD)) == ours(value)


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_all_protocols(protocol):
    first = {"a": torch.arange(3), "b": [1, b"bytes", {2}]}
    second = {"a": lantern.arange(3), "b": [1, b"bytes", {2}]}
    save = {"pickle_protocol": protocol}
    assert ours(to_lantern(first, save=save)) == theirs(first)
    assert theirs(to_torch(second, save=save, weights_only=False)) == ours(second)


def test_mapped_files_of_both(tmp_path):
    path = tmp_path / "x.pt"
    value = {"a": lantern.arange(6.0).reshape(2, 3).t(), "b": lantern.tensor([True, False])}
    lantern.save(value, path)
    assert theirs(torch.load(path, mmap=True)) == ours(value)
    torch.save(torch.load(path), path)
    assert ours(lantern.load(path, mmap=True)) == ours(value)


def test_wide_archives_can_be_read_on_the_meta_device():
    """PyTorch computes places itself then, from what it knows of its own writer."""
    value = [lantern.arange(float(n)) for n in (0, 3, 100, 0, 7)]
    meta = to_torch(value, map_location="meta")
    assert [each.shape[0] for each in meta] == [0, 3, 100, 0, 7]
    places = [each.untyped_storage()._checkpoint_offset for each in meta]
    reader = RecordReader(Source(io.BytesIO(dumped(value))))
    assert places == [reader.offset(f"data/{i}") for i in range(5)]


# --- layers
SPECIAL = {  # layers that the usual arguments do not make, or not as they are used
    "Bilinear": (2, 3, 4), "TransformerEncoderLayer": (8, 2, 16), "TransformerDecoderLayer": (8, 2),
    "MultiheadAttention": (8, 2), "Transformer": (8, 2, 1, 1, 16), "LSTM": (3, 4, 2), "GRU": (3, 4),
    "RNN": (3, 4, 1, "relu"), "AdaptiveLogSoftmaxWithLoss": (8, 10, [4]), "Unflatten": (1, (2, 2)),
    "GroupNorm": (2, 4), "CosineSimilarity": (1,), "Upsample": (None, 2),
    "UpsamplingBilinear2d": (None, 2), "UpsamplingNearest2d": (None, 2),
}  # fmt: skip
INPUTS = {"Embedding": [], "TransformerEncoderLayer": [(5, 2, 8)], "LSTM": [(5, 2, 3)],
          "GRU": [(5, 2, 3)], "RNN": [(5, 2, 3)], "TransformerDecoderLayer": [(5, 2, 8), (4, 2, 8)],
          "MultiheadAttention": [(5, 2, 8)] * 3, "Transformer": [(5, 2, 8), (4, 2, 8)],
          "Bilinear": [(5, 2), (5, 3)], "LSTMCell": [(5, 3)], "GRUCell": [(5, 3)],
          "RNNCell": [(5, 3)]}  # fmt: skip
# Random ones, containers that cannot be called, and those that take places beside values.
UNLIKE = set("RReLU DataParallel Module ModuleDict ModuleList ParameterDict ParameterList".split())
UNLIKE |= {"MaxUnpool1d", "MaxUnpool2d", "MaxUnpool3d", "EmbeddingBag"}
INPUTS |= dict.fromkeys(("CosineSimilarity", "PairwiseDistance"), [(5, 3), (5, 3)])
SHAPES = [(4, 3), (2, 3, 8, 8), (2, 3, 8), (2, 3, 8, 8, 8), (4, 4), (4, 6), (3, 4, 4), (2, 9, 3, 3)]


def layers():
    """Each layer class of Lantern with arguments, where it can be made from these few."""
    candidates = [(), (3,), (3, 2), (3, 2, 1), (2, 3, 3)]
    for name in sorted(dir(torch.nn)):
        kind = vars(lantern.nn).get(name)
        if not isinstance(kind, type) or not issubclass(kind, lantern.nn.Module):
            continue
        if name.startswith("Lazy") or name == "NLLLoss2d":
            continue  # without sizes there is nothing to compare; the old name warns of itself
        for args in [SPECIAL[name]] if name in SPECIAL else candidates:
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    getattr(torch.nn, name)(*args)
            except Exception:
                continue
            yield pytest.param(name, args, id=f"{name}{args}")
            break


LAYERS = list(layers())


def test_there_are_layers_to_compare():
    assert len(LAYERS) > 100


@pytest.mark.parametrize(("name", "args"), LAYERS)
def test_state_dicts_and_whole_layers_go_both_ways(name, args):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        first, second = getattr(torch.nn, name)(*args), getattr(lantern.nn, name)(*args)
    first.load_state_dict(to_torch(second.state_dict()))
    assert theirs(first.state_dict()) == ours(second.state_dict())
    second.load_state_dict(to_lantern(first.state_dict()))
    whole = to_torch(second, weights_only=False)
    assert type(whole) is type(first)
    assert repr(whole) == repr(first) and theirs(whole.state_dict()) == theirs(first.state_dict())
    back = to_lantern(first)
    assert type(back) is type(second)
    assert repr(back) == repr(second) and ours(back.state_dict()) == ours(second.state_dict())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        same_step(name, (torch, whole), (torch, first), (lantern, back), (lantern, second))


def same_step(name, *pairs):
    """Runs modules forward and backward, in training mode, with the first input that suits them."""
    if name in UNLIKE or "Dropout" in name or "Loss" in name:
        return  # they draw, take targets or tensors of other kinds
    results = []
    for library, module in pairs:
        for shapes in [INPUTS[name]] if name in INPUTS else [[shape] for shape in SHAPES]:
            draw = numpy.random.RandomState(0)
            inputs = [library.from_numpy(draw.rand(*s).astype("f4") * 3 - 1) for s in shapes]
            if name == "Embedding":
                inputs = [library.tensor([0, 1])]
            library.manual_seed(0)
            for part in module.modules():  # dropout draws alike only in the same library
                if type(part).__name__ == "Dropout":
                    part.p = 0.0
                elif hasattr(part, "dropout") and isinstance(part.dropout, float):
                    part.dropout = 0.0
            try:
                found = module(*inputs)
            except Exception:
                continue
            found = found[0] if isinstance(found, tuple) else found
            grads = []
            if found.requires_grad:
                found.sin().sum().backward()
                grads = [p.grad.numpy() for p in module.parameters() if p.grad is not None]
            results.append([found.detach().numpy(), *grads])
            break
    assert len(results) == len(pairs), f"{name} runs {len(results)} times of {len(pairs)}"
    for other in results[1:]:
        for one, two in zip(results[0], other, strict=True):
            numpy.testing.assert_allclose(one, two, rtol=2e-4, atol=5e-5)


def test_class_names_are_pytorchs():
    for name, kind in vars(lantern.nn).items():
        if not isinstance(kind, type) or not hasattr(torch.nn, name):
            continue
        known = names.of_lantern(kind)
        module = importlib.import_module(known.module)
        assert getattr(module, known.name) is getattr(torch.nn, name), name


def test_functions_kept_by_modules_go_both_ways():
    for name in ("relu", "tanh", "sigmoid", "linear", "softmax"):
        if name not in vars(lantern.nn.functional):
            continue
        function = to_lantern(getattr(torch.nn.functional, name), weights_only=True)
        assert function is getattr(lantern.nn.functional, name)
        back = to_torch(function, weights_only=False)
        assert back is getattr(torch.nn.functional, name)
    assert to_lantern(torch.relu)(lantern.tensor([-1.0, 2.0])).tolist() == [0.0, 2.0]


class OurNet(lantern.nn.Module):
    def __init__(self):
        super().__init__()
        self.first = lantern.nn.Linear(4, 3)
        self.second = lantern.nn.Linear(3, 2)
        self.second.bias.tag = "tied"

    def forward(self, x):
        return self.second(lantern.tanh(self.first(x)))


class TheirNet(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.first = torch.nn.Linear(4, 3)
        self.second = torch.nn.Linear(3, 2)

    def forward(self, x):
        return self.second(torch.tanh(self.first(x)))


def test_a_whole_model_of_ones_own_class_goes_both_ways(monkeypatch):
    main = sys.modules["__main__"]
    ours_here, theirs_here = (
        type("Net", (kind,), {"__module__": "__main__"}) for kind in (OurNet, TheirNet)
    )
    first, second = theirs_here(), ours_here()
    monkeypatch.setattr(main, "Net", theirs_here, raising=False)
    content = SCRIPT.saved(first)
    monkeypatch.setattr(main, "Net", ours_here)
    back = loaded(content)
    assert type(back) is ours_here
    x = numpy.random.RandomState(0).randn(5, 4).astype("f4")
    output = first(torch.from_numpy(x)).detach().numpy()
    numpy.testing.assert_allclose(back(lantern.from_numpy(x)).detach().numpy(), output, rtol=1e-5)
    content = dumped(second)
    monkeypatch.setattr(main, "Net", theirs_here)
    there = torch.load(io.BytesIO(content), weights_only=False)
    assert type(there) is theirs_here and there.second.bias.tag == "tied"
    assert theirs(there.state_dict()) == ours(second.state_dict())


# --- training goes on


def moved(value, direction):
    """What the other library loads of what one has saved."""
    return to_lantern(value) if direction == "here" else to_torch(value)


def stepped(library, optimizer, params, step):
    def evaluate():
        optimizer.zero_grad()
        loss = optim_cases.loss_of(params, step)
        loss.backward()
        return loss

    optimizer.step(evaluate)


def optimizer_cases():
    for name, settings, key in optim_cases.names():
        if hasattr(lantern.optim, name) and hasattr(torch.optim, name):
            yield pytest.param(name, settings, id=key)
    if hasattr(lantern.optim, "LBFGS"):
        yield pytest.param("LBFGS", {"lr": 0.3, "max_iter": 3, "history_size": 4}, id="LBFGS")


@pytest.mark.parametrize(("name", "settings"), list(optimizer_cases()))
@pytest.mark.parametrize("direction", ["here", "there"])
def test_training_resumes_where_the_other_library_stopped(name, settings, direction):
    source, target = (torch, lantern) if direction == "here" else (lantern, torch)
    make = getattr(source.optim, name)
    params = optim_cases.parameters(source, "float64", name)
    groups = params
    if name != "LBFGS":
        groups = [{"params": params[:2]}, {"params": params[2:], "lr": settings["lr"] / 2}]
    optimizer = make(groups, **settings)
    for step in range(5):
        stepped(source, optimizer, params, step)
    state = {"params": [p.detach() for p in params], "optimizer": optimizer.state_dict()}
    state = moved(state, direction)
    others = [p.clone().requires_grad_() for p in state["params"]]
    groups = others if name == "LBFGS" else [{"params": others[:2]}, {"params": others[2:]}]
    continued = getattr(target.optim, name)(groups, lr=0.7)
    continued.load_state_dict(state["optimizer"])
    for step in range(5, 25):
        stepped(source, optimizer, params, step)
        stepped(target, continued, others, step)
    for one, two in zip(params, others, strict=True):
        # Muon works in bfloat16; NAdam divides by numbers close to zero here; ASGD keeps its rates
        # in float32.
        tolerance = {"Muon": 0.02, "NAdam": 1e-6, "ASGD": 1e-7}.get(name, 1e-9)
        numpy.testing.assert_allclose(
            one.detach().numpy(), two.detach().numpy(), rtol=tolerance, atol=tolerance
        )
    assert continued.state_dict()["state"].keys() == optimizer.state_dict()["state"].keys()


def test_every_optimizer_is_resumed_or_named():
    mine = {n for n, k in vars(lantern.optim).items()
            if isinstance(k, type) and issubclass(k, lantern.optim.Optimizer)}  # fmt: skip
    assert mine - {"Optimizer", "SparseAdam"} <= {*optim_cases.CASES, "LBFGS"}


@pytest.mark.parametrize("name", schedule_cases.SCHEDULES)
@pytest.mark.parametrize("direction", ["here", "there"])
def test_schedules_resume_where_the_other_library_stopped(name, direction):
    text = schedule_cases.SCHEDULES[name]
    source, target = (torch, lantern) if direction == "here" else (lantern, torch)
    optimizer, continued = (schedule_cases.optimizer_of(each) for each in (source, target))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        first, second = (
            schedule_cases.make(each, text, own)
            for each, own in ((source, optimizer), (target, continued))
        )
        for step in range(6):
            optimizer.step()
            schedule_cases.advance(first, step)
        state = {"schedule": first.state_dict(), "optimizer": optimizer.state_dict()}
        state = moved(state, direction)
        continued.load_state_dict(state["optimizer"])
        second.load_state_dict(state["schedule"])
        for step in range(6, 19):
            for own, schedule in ((optimizer, first), (continued, second)):
                own.step()
                schedule_cases.advance(schedule, step)
            expected, found = (schedule_cases.settings_of(o) for o in (optimizer, continued))
            for one, two in zip(expected, found, strict=True):
                assert two == pytest.approx(one)


def test_random_states_go_both_ways():
    torch.manual_seed(5)
    torch.rand(3)
    lantern.set_rng_state(to_lantern(torch.get_rng_state()))
    assert lantern.rand(4).tolist() == torch.rand(4).tolist()
    torch.set_rng_state(to_torch(lantern.get_rng_state()))
    assert lantern.rand(4).tolist() == torch.rand(4).tolist()


def test_numpy_values_load_where_they_are_allowed():
    value = {"best": numpy.float64(0.5), "curve": numpy.arange(3.0)}
    core = numpy._core.multiarray
    allowed = [core.scalar, core._reconstruct, numpy.dtype, numpy.ndarray, type(numpy.dtype("f8"))]
    with torch.serialization.safe_globals(allowed), lantern.serialization.safe_globals(allowed):
        for found in (to_torch(value), to_lantern(value)):
            assert found["best"] == 0.5 and found["curve"].tolist() == [0.0, 1.0, 2.0]
    for load in (to_torch, to_lantern):
        with pytest.raises(pickle.UnpicklingError, match="numpy"):
            load(value)


def test_errors_begin_as_pytorchs_do(tmp_path):
    broken = SCRIPT.saved(torch.ones(3))[:400]
    cut = "PytorchStreamReader failed reading zip archive: failed finding central directory"
    cases = [(collections.deque([1]), "Weights only load failed"), (broken, cut)]
    for value, start in cases:
        content = value if isinstance(value, bytes) else SCRIPT.saved(value)
        kinds = set()
        for library in (torch, lantern):
            with pytest.raises((RuntimeError, pickle.UnpicklingError)) as error:
                library.load(io.BytesIO(content))
            assert str(error.value).startswith(start)
            kinds.add(type(error.value))
        assert len(kinds) == 1


# --- whole models train on


class Words(torch.nn.Module):
    """As its twin for Lantern, made by `twin`: words, a recurrent layer and an encoder."""

    def __init__(self):
        super().__init__()
        self.words = torch.nn.Embedding(20, 8)
        self.recurrent = torch.nn.LSTM(8, 8, 2, batch_first=True, bidirectional=True)
        layer = torch.nn.TransformerEncoderLayer(16, 2, 16, dropout=0.0, batch_first=True)
        self.encoder = torch.nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.norm = torch.nn.BatchNorm1d(16)
        self.out = torch.nn.Linear(16, 3)

    def forward(self, ids):
        states, _ = self.recurrent(self.words(ids))
        return self.out(self.norm(self.encoder(states).mean(1)))


def losses_of(library, model, steps=8):
    """The losses of some steps of training, which go through every parameter."""
    optimizer = library.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    draw, found = numpy.random.RandomState(0), []
    for _ in range(steps):
        ids, classes = draw.randint(0, 20, (6, 5)), draw.randint(0, 3, 6)
        scores = model(library.from_numpy(ids))
        loss = library.nn.functional.cross_entropy(scores, library.from_numpy(classes))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        found.append(loss.item())
    assert all(p.grad is not None for p in model.parameters())
    return found


@pytest.mark.parametrize("direction", ["here", "there"])
@pytest.mark.parametrize("old", [False, True])
def test_whole_models_train_on_in_the_other_library(direction, old, monkeypatch):
    if not hasattr(lantern.nn, "TransformerEncoder"):
        pytest.skip("no transformer layers yet")
    namespace = {"torch": lantern, "__name__": "__main__"}
    exec(compile(inspect.getsource(Words), "twin", "exec"), namespace)
    main = sys.modules["__main__"]
    theirs_here = type("Words", (Words,), {"__module__": "__main__"})
    both = {torch: theirs_here, lantern: namespace["Words"]}
    source, target = (torch, lantern) if direction == "here" else (lantern, torch)
    monkeypatch.setattr(main, "Words", both[source], raising=False)
    source.manual_seed(0)
    model = both[source]()
    losses_of(source, model, 2)
    save = OLD if old else {}
    with warnings.catch_warnings():  # PyTorch looks for the source of the class
        warnings.simplefilter("ignore")
        content = SCRIPT.saved(model, **save) if source is torch else dumped(model, **save)
    monkeypatch.setattr(main, "Words", both[target])
    if target is torch:
        other = torch.load(io.BytesIO(content), weights_only=False)
    else:
        other = loaded(content)
    assert type(other) is both[target]
    assert losses_of(target, other) == pytest.approx(losses_of(source, model), rel=2e-4)
