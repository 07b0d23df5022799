"""ONNX export: what onnxruntime computes from the file is what the model computes."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from op_db import BY_FILE
from op_db.harness import Call, seed_of
from op_db.record import Make

import lantern
from lantern import Tensor, nn
from lantern import onnx as exporting
from lantern.backends.vocabulary import VOCABULARY
from lantern.onnx import OnnxExporterError, UnsupportedOperatorError
from lantern.onnx.table import TABLE
from lantern.trees import leaves, mapped

onnx = pytest.importorskip("onnx")
runtime = pytest.importorskip("onnxruntime")

# Primitives that have no form, or for some arguments only.
WITHOUT_FORM = set(VOCABULARY) - set(TABLE) | {"as_strided", "windows_add"}


def run(program, tensors):
    """What onnxruntime computes."""
    options = runtime.SessionOptions()
    options.log_severity_level = 4
    session = runtime.InferenceSession(
        program.model_proto.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    names = [each.name for each in session.get_inputs()]
    return session.run(None, {n: t.detach().numpy() for n, t in zip(names, tensors, strict=True)})


def compare(found, results):
    expected = [each for each in leaves(results) if isinstance(each, Tensor)]
    assert len(found) == len(expected)
    for one, two in zip(found, expected, strict=True):
        two = two.detach().numpy()
        assert one.shape == two.shape and one.dtype == two.dtype
        np.testing.assert_allclose(one, two, rtol=1e-5, atol=1e-5)


def kinds(program):
    return [node.op_type for node in program.model_proto.graph.node]


# --- every op
def test_most_primitives_have_a_form():
    assert set(TABLE) <= set(VOCABULARY) and len(TABLE) >= 105


def function_of(record, call):
    def function(*tensors):
        by = {id(old): new for old, new in zip(call.tensors, tensors, strict=True)}
        given = mapped((call.args, call.kwargs), lambda leaf: by.get(id(leaf), leaf))
        return record.run(lantern, *given)

    return function


def check_record(record, dtype):
    """Exports two samples of an op; returns the primitives that had no form, and how many had."""
    missing, done = set(), 0
    for sample in list(record.samples(Make(seed_of(record.label, dtype), dtype)))[:2]:
        try:
            results = Call(lantern, record, sample).run()
        except Exception:
            continue  # a sample that the op refuses
        call = Call(lantern, record, sample)
        if not call.tensors or not any(isinstance(each, Tensor) for each in leaves(results)):
            continue
        try:
            program = exporting.export(function_of(record, call), tuple(call.tensors))
        except UnsupportedOperatorError as error:
            missing.add(error.operator)
            continue
        compare(run(program, call.tensors), results)
        done += 1
    return missing, done


@pytest.mark.parametrize("dtype", ["float32", "int64"])
@pytest.mark.parametrize("file", BY_FILE)
def test_every_op_computes_the_same_in_onnxruntime_or_is_named(file, dtype):
    total = 0
    for record in BY_FILE[file]:
        if dtype not in record.dtypes or not record.trace or record.name in NOT_IN_ONNXRUNTIME:
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            missing, done = check_record(record, dtype)
        missing -= {"conv", "conv_input"} if dtype == "int64" else set()
        assert missing <= WITHOUT_FORM, f"{record.label}: {missing} have no form"
        total += done
    assert total or file not in EXPORTED or dtype == "int64"


EXPORTED = {"activation", "arithmetic", "layout", "normalization", "pointwise", "pooling", "reduce"}
# `to` also makes bfloat16, which onnxruntime cannot hand to NumPy; Gemm has no integer kernel.
NOT_IN_ONNXRUNTIME = {"to", "nn.functional.linear"}


# --- whole models
class LeNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 6, 5, padding=2)
        self.conv2 = nn.Conv2d(6, 16, 5)
        self.fc1, self.fc2, self.fc3 = nn.Linear(400, 120), nn.Linear(120, 84), nn.Linear(84, 10)

    def forward(self, image):
        x = nn.functional.max_pool2d(self.conv1(image).relu(), 2)
        x = nn.functional.max_pool2d(self.conv2(x).relu(), 2)
        x = x.view(x.size(0), -1)
        return nn.functional.log_softmax(self.fc3(self.fc2(self.fc1(x).relu()).relu()), dim=1)


def multilayer():
    return nn.Sequential(
        nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 16), nn.Tanh(), nn.Dropout(0.5),
        nn.Linear(16, 4), nn.Sigmoid(),
    )  # fmt: skip


class Block(nn.Module):
    """The block of ResNet-18, as everyone writes it."""

    def __init__(self, channels, out, stride=1):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, out, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(out)
        self.conv2 = nn.Conv2d(out, out, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(out)
        self.shortcut = nn.Sequential()
        if stride != 1 or channels != out:
            self.shortcut = nn.Sequential(
                nn.Conv2d(channels, out, 1, stride, bias=False), nn.BatchNorm2d(out)
            )

    def forward(self, x):
        y = nn.functional.relu(self.bn1(self.conv1(x)))
        return nn.functional.relu(self.bn2(self.conv2(y)) + self.shortcut(x))


def resnet18():
    layers = [nn.Conv2d(3, 16, 7, 2, 3, bias=False), nn.BatchNorm2d(16), nn.ReLU(),
              nn.MaxPool2d(3, 2, 1)]  # fmt: skip
    sizes = [16, 16, 32, 64, 128]
    for i in range(4):
        layers += [
            Block(sizes[i], sizes[i + 1], 1 if i == 0 else 2),
            Block(*sizes[i + 1 :][:1] * 2),
        ]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d((1, 1)), nn.Flatten(), nn.Linear(128, 10))


class Sequences(nn.Module):
    """A recurrent layer with a table of words before it and a line behind it."""

    def __init__(self, kind, **options):
        super().__init__()
        self.words = nn.Embedding(20, 6)
        self.recurrent = getattr(nn, kind)(6, 8, batch_first=True, **options)
        self.out = nn.Linear(16 if options.get("bidirectional") else 8, 3)

    def forward(self, ids):
        states, last = self.recurrent(self.words(ids))
        return self.out(states), last


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.words = nn.Embedding(20, 16)
        layer = nn.TransformerEncoderLayer(16, 4, 32, batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.out = nn.Linear(16, 5)

    def forward(self, ids):
        return self.out(self.encoder(self.words(ids)).mean(dim=1))


def randomized(model):
    """Gives the running statistics values that are no zeros and ones."""
    for name, buffer in model.named_buffers():
        if name.endswith("running_mean"):
            buffer.copy_(lantern.randn(buffer.shape) / 10)
        elif name.endswith("running_var"):
            buffer.copy_(lantern.rand(buffer.shape) / 2 + 0.1)
    return model


def images(*shape):
    return lambda batch: lantern.randn(batch, *shape)


def sentences(length=7):
    return lambda batch: lantern.randint(0, 20, (batch, length))


MODELS = {
    "LeNet": (LeNet, images(1, 28, 28)),
    "MLP": (multilayer, images(8)),
    "ResNet-18": (resnet18, images(3, 32, 32)),
    "LSTM": (lambda: Sequences("LSTM", num_layers=2), sentences()),
    "bidirectional LSTM": (lambda: Sequences("LSTM", bidirectional=True), sentences()),
    "GRU": (lambda: Sequences("GRU"), sentences()),
    "RNN": (lambda: Sequences("RNN", nonlinearity="relu"), sentences()),
    "transformer encoder": (Encoder, sentences()),
}
NEEDS = {"LSTM": "LSTM", "bidirectional LSTM": "LSTM", "GRU": "GRU", "RNN": "RNN",
         "transformer encoder": "TransformerEncoder"}  # fmt: skip


def build(name):
    if name in NEEDS and not hasattr(nn, NEEDS[name]):
        pytest.skip(f"nn.{NEEDS[name]} is not here yet")
    make, inputs = MODELS[name]
    lantern.manual_seed(0)
    model = make()
    return randomized(model), inputs


@pytest.mark.parametrize("name", MODELS)
def test_models_compute_the_same_at_any_batch_size(name, tmp_path):
    model, inputs = build(name)
    x = inputs(2)
    path = tmp_path / "模型.onnx"
    program = exporting.export(
        model, (x,), path, input_names=["x"], output_names=["y"], dynamic_axes={"x": {0: "batch"}}
    )
    assert all(each.training for each in model.modules()), "the mode is given back"
    model.eval()
    assert path.read_bytes() == program.model_proto.SerializeToString()
    with lantern.no_grad():
        for batch in (1, 2, 5):
            x = inputs(batch)
            results = model(x)
            compare(run(program, [x]), results)
            first = results[0] if isinstance(results, tuple) else results
            assert first.std() > 1e-3, "the results depend on the inputs"
    graph = program.model_proto.graph
    assert [each.name for each in graph.input] == ["x"] and graph.output[0].name == "y"
    assert graph.input[0].type.tensor_type.shape.dim[0].dim_param == "batch"
    assert graph.output[0].type.tensor_type.shape.dim[0].dim_param == "batch"
    weights = {each.name for each in graph.initializer}
    assert {name for name, _ in model.named_parameters()} & weights


def test_layers_are_written_at_their_own_level():
    program = exporting.export(LeNet(), lantern.zeros(1, 1, 28, 28))
    assert kinds(program) == [
        "Conv", "Relu", "MaxPool", "Conv", "Relu", "MaxPool", "Reshape", "Gemm", "Relu", "Gemm",
        "Relu", "Gemm", "LogSoftmax",
    ]  # fmt: skip
    block = nn.Sequential(nn.BatchNorm2d(3), nn.AvgPool2d(2), nn.LeakyReLU(), nn.LayerNorm(2))
    assert kinds(exporting.export(block, lantern.zeros(1, 3, 4, 4))) == [
        "BatchNormalization", "AveragePool", "LeakyRelu", "LayerNormalization",
    ]  # fmt: skip


@pytest.mark.skipif(not hasattr(nn, "LSTM"), reason="no recurrent layers yet")
def test_recurrent_layers_are_written_whole():
    for kind in ("LSTM", "GRU", "RNN"):
        model = getattr(nn, kind)(3, 4, num_layers=2, bidirectional=True)
        x = lantern.randn(5, 2, 3)
        program = exporting.export(model, (x,), dynamic_axes={"input": {1: "batch"}})
        assert kinds(program).count(kind) == 4
        for batch in (1, 4):
            x = lantern.randn(5, batch, 3)
            compare(run(program, [x]), model(x))
    model = nn.LSTM(3, 4, proj_size=2, bias=False)
    x, states = lantern.randn(5, 2, 3), (lantern.randn(1, 2, 2), lantern.randn(1, 2, 4))
    program = exporting.export(model, (x, states))
    compare(run(program, [x, *states]), model(x, states))


class Attention(nn.Module):
    """Sizes of two open axes: split into heads, positions, a causal mask, means over time."""

    def __init__(self):
        super().__init__()
        self.qkv, self.out = nn.Linear(8, 24), nn.Linear(8, 8)

    def forward(self, x):
        n, t, d = x.shape
        x = x + lantern.arange(t).view(1, t, 1) / 10
        q, k, v = (z.view(n, t, 2, 4).transpose(1, 2) for z in self.qkv(x).chunk(3, -1))
        mask = lantern.triu(lantern.ones(t, t), diagonal=1).bool()
        a = (q @ k.transpose(-2, -1) / 2).masked_fill(mask, float("-inf")).softmax(-1)
        y = self.out((a @ v).transpose(1, 2).reshape(n, t, d))
        return y, y.mean(1), y[:, -1], x.reshape(n * t, d).sum(0) / (n * t)


def test_several_axes_can_be_open():
    model = Attention()
    program = exporting.export(
        model, (lantern.randn(2, 5, 8),), dynamic_axes={"x": {0: "n", 1: "t"}}
    )
    for shape in ((1, 1, 8), (2, 5, 8), (3, 9, 8)):
        x = lantern.randn(*shape)
        compare(run(program, [x]), model(x))
    shapes = [
        [d.dim_param or d.dim_value for d in each.type.tensor_type.shape.dim]
        for each in program.model_proto.graph.output
    ]
    assert shapes == [["n", "t", 8], ["n", 8], ["n", 8], [8]]
    same = exporting.export(model, (lantern.randn(2, 5, 8),), dynamic_shapes={"x": {0: "n"}})
    x = lantern.randn(4, 5, 8)
    compare(run(same, [x]), model(x))


def test_what_changes_with_the_length_in_other_ways_is_refused():
    def loops(x):
        total = x[0]
        for i in range(1, x.shape[0]):
            total = total * 2 + x[i]
        return total

    program = exporting.export(loops, (lantern.ones(3, 2),))
    x = lantern.randn(3, 2)
    compare(run(program, [x]), loops(x))
    with pytest.raises(OnnxExporterError, match="a loop or a choice in Python depends on them"):
        exporting.export(loops, (lantern.ones(3, 2),), dynamic_axes={"x": [0]})
    with pytest.raises(OnnxExporterError, match="does not follow the open lengths"):
        exporting.export(
            lambda x: x.reshape(x.shape[0] ** 2 // x.shape[0], -1) * (x.shape[0] % 3 + 1),
            (lantern.ones(3, 2),),
            dynamic_axes={"x": [0]},
        )
    with pytest.raises(OnnxExporterError, match="does not run at the lengths"):
        exporting.export(nn.Linear(3, 1), (lantern.ones(2, 3),), dynamic_axes={"input": [1]})


def test_what_cannot_be_exported_is_named_with_its_line():
    with pytest.raises(UnsupportedOperatorError, match=r"'cumprod' \(test_onnx\.py:\d+\) to ONNX"):
        exporting.export(lambda x: x.cumprod(0), (lantern.ones(3),))
    with pytest.raises(UnsupportedOperatorError, match="'draw'"):
        exporting.export(lambda x: x + lantern.rand(3), (lantern.ones(3),))

    class Counts(nn.Module):
        def __init__(self):
            super().__init__()
            self.register_buffer("count", lantern.zeros(1))

        def forward(self, x):
            self.count += 1
            return x * self.count

    with pytest.raises(OnnxExporterError, match="the model writes to count"):
        exporting.export(Counts(), (lantern.ones(3),))
    with pytest.raises(lantern.compiler.trace.TraceError, match=".item"):
        exporting.export(lambda x: x * x.sum().item(), (lantern.ones(3),))


def test_arguments_are_named_and_checked():
    def function(a, b, scale=2.0, *, c):
        return {"sum": a + b * scale, "pair": [a - c["c"], b]}

    a, b, c = lantern.randn(2), lantern.randn(2), lantern.randn(2)
    program = exporting.export(function, (a, b), kwargs={"c": {"c": c}}, output_names=["total"])
    graph = program.model_proto.graph
    assert [each.name for each in graph.input] == ["a", "b", "c"]
    assert [each.name for each in graph.output] == ["total", "output_1", "output_2"]
    compare(run(program, [a, b, c]), function(a, b, c={"c": c}))
    with pytest.raises(ValueError, match="Unsupported ONNX opset version: 9"):
        exporting.export(function, (a, b), kwargs={"c": {"c": c}}, opset_version=9)
    with pytest.raises(ValueError, match="number of input names provided"):
        exporting.export(lambda x: x, (a,), input_names=["x", "y"])
    with pytest.raises(NotImplementedError, match="keep_initializers_as_inputs"):
        exporting.export(lambda x: x, (a,), keep_initializers_as_inputs=True)
    with pytest.raises(NotImplementedError, match="training=TRAINING"):
        exporting.export(nn.Linear(2, 1), (a,), training=2)


@pytest.mark.parametrize("opset", [18, 20, 21])
def test_opsets(opset):
    model = nn.Sequential(nn.Linear(4, 4), nn.GELU(), nn.LayerNorm(4), nn.Softmax(-1))
    x = lantern.randn(3, 4)
    program = exporting.export(model, (x,), opset_version=opset)
    assert program.model_proto.opset_import[0].version == opset
    compare(run(program, [x]), model(x))


def test_one_result_twice_and_inputs_handed_on():
    def function(x):
        y = x * 2
        return y, y, x, y.detach()

    x = lantern.randn(3)
    compare(run(exporting.export(function, (x,)), [x]), function(x))


def test_nested_mode_is_told_to_the_model():
    seen = []

    def function(x):
        seen.append(exporting.is_in_onnx_export())
        return x + 1

    exporting.export(function, (lantern.ones(1),))
    assert seen == [True] and not exporting.is_in_onnx_export()
