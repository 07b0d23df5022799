"""Files: what PyTorch wrote loads equal, and what is saved here comes back.

The checkpoints in `goldens/pth` were written by PyTorch (`scripts/goldens_serialization.py`).
"""

from __future__ import annotations

import collections
import gc
import io
import json
import mmap
import os
import pickle
import struct
import sys
import weakref
import zipfile

import numpy
import pytest
from pth_tools import EXPECTED, GOLDENS, SCRIPT, WHOLE, again, described, dumped, golden, loaded

import lantern
from lantern import serialization
from lantern.serialization import container, legacy
from lantern.serialization.container import RecordReader, Source


class Net(lantern.nn.Module):
    """The class that `user_model.pth` was saved from, as the running program defines it."""

    def __init__(self):
        super().__init__()
        self.hidden = lantern.nn.Linear(4, 3)
        self.out = lantern.nn.Linear(3, 2)
        self.activation = lantern.nn.functional.relu

    def forward(self, x):
        x = self.activation(self.product(x, self.hidden.weight, self.hidden.bias))
        return self.squash(self.out(x))


@pytest.fixture
def main_net(monkeypatch):
    monkeypatch.setattr(sys.modules["__main__"], "Net", Net, raising=False)


# --- what PyTorch wrote


@pytest.mark.usefixtures("main_net")
@pytest.mark.parametrize("name", WHOLE)
def test_files_of_pytorch_load_equal(name):
    assert described(lantern.load(GOLDENS / f"{name}.pth")) == EXPECTED[name]
    if name not in ("user_model",):
        unsafe = loaded(golden(name), weights_only=False)
        assert described(unsafe) == EXPECTED[name]


@pytest.mark.usefixtures("main_net")
@pytest.mark.parametrize("name", [name for name in WHOLE if not name.startswith("legacy")])
def test_mapped_files_load_equal(name):
    assert described(lantern.load(str(GOLDENS / f"{name}.pth"), mmap=True)) == EXPECTED[name]


@pytest.mark.parametrize("name", ["model", "legacy_model"])
@pytest.mark.parametrize("weights_only", [True, False])
def test_whole_models_of_pytorch_compute_the_same_and_train_on(name, weights_only):
    net = loaded(golden(name), weights_only=weights_only)
    inputs = lantern.arange(12.0).reshape(2, 6) / 10 - 0.5
    net.eval()
    output = net(inputs)
    numpy.testing.assert_allclose(
        output.detach().numpy(), EXPECTED[f"{name} output"], rtol=1e-5, atol=1e-6
    )
    output.sum().backward()
    assert all(parameter.grad is not None for parameter in net.parameters())


@pytest.mark.usefixtures("main_net")
def test_a_model_of_the_running_programs_own_class_loads():
    net = loaded(golden("user_model"))
    assert type(net) is Net
    inputs = (lantern.arange(12.0).reshape(2, 6) / 10 - 0.5)[:, :4]
    numpy.testing.assert_allclose(
        net(inputs).detach().numpy(), EXPECTED["user_model output"], rtol=1e-5, atol=1e-6
    )


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("complex", "complex64"),
        ("sparse", "sparse"),
        ("float8", "float8_e4m3fn"),
        ("quantized", "quint8"),
    ],
)
@pytest.mark.parametrize("weights_only", [True, False])
def test_kinds_of_tensors_that_are_missing_are_named(name, words, weights_only):
    with pytest.raises(NotImplementedError, match=words):
        loaded(golden(name), weights_only=weights_only)


def test_a_torchscript_archive_is_named():
    with pytest.raises(RuntimeError, match="TorchScript archive"):
        loaded(golden("torchscript"))


def test_numpy_values_load_once_they_are_allowed():
    with pytest.raises(pickle.UnpicklingError) as refused:
        loaded(golden("numpy"))
    line = next(each for each in str(refused.value).split("\n") if "add_safe_globals(" in each)
    names = [each.strip() for each in line.split("[")[1].split("]")[0].split(",")]
    import_from = {"numpy": numpy, "numpy._core.multiarray": numpy._core.multiarray}
    allowed = [
        getattr(import_from[path.rpartition(".")[0]], path.rpartition(".")[2]) for path in names
    ]
    with serialization.safe_globals(allowed):
        value = loaded(golden("numpy"))
    assert value["scalar"] == 0.25 and type(value["scalar"]) is numpy.float64
    assert value["array"].tolist() == [[0, 1, 2], [3, 4, 5]]
    assert value["array"].dtype == numpy.int32
    unsafe = loaded(golden("numpy"), weights_only=False)
    assert described(unsafe) == EXPECTED["numpy"]


def legacy_file(pickled, storages):
    """A file of the old format around a pickle made by hand; `storages` are (key, numel, bytes)."""
    heads = [pickle.dumps(each, 2) for each in (legacy.MAGIC, legacy.VERSION, legacy.SYSTEM)]
    keys = pickle.dumps([key for key, _, _ in storages], 2)
    data = b"".join(struct.pack("<q", numel) + raw for _, numel, raw in storages)
    return b"".join((*heads, pickled, keys, data))


def old_tensor(view=b"N", numel=6, text=b"X\7\0\0\0storage", place=b"X\3\0\0\0cpu"):
    """The first way to pickle a tensor: three elements from the second on, and its storage's id."""
    return (
        b"ctorch._utils\n_rebuild_tensor\n(("
        + text
        + b"ctorch\nFloatStorage\nX\4\0\0\0root"
        + place
        + b"K%c" % numel
        + view
        + b"tQK\1K\3\x85K\1\x85tR"
    )


SIX = [("root", 6, struct.pack("<6f", *range(6)))]


def test_the_first_way_to_rebuild_tensors_still_works():
    assert loaded(legacy_file(b"\x80\2" + old_tensor() + b".", SIX)).tolist() == [1.0, 2.0, 3.0]


def test_texts_of_python_2_are_read():
    pickled = b"\x80\2" + old_tensor(text=b"U\7storage", place=b"U\3cpu") + b"U\3\xe8\xae\xad\x86."
    for options in ({}, {"weights_only": False}, {"weights_only": False, "encoding": "bytes"}):
        tensor, text = loaded(legacy_file(pickled, SIX), **options)
        assert tensor.tolist() == [1.0, 2.0, 3.0]
        assert text == ("训".encode() if "encoding" in options else "训")


@pytest.mark.parametrize("weights_only", [True, False])
def test_storages_that_are_parts_of_others_share_their_memory(weights_only):
    part = b"(X\4\0\0\0partK\2K\4t"
    pickled = b"\x80\2(" + old_tensor() + old_tensor(view=part) + old_tensor(view=part) + b"t."
    whole, first, second = loaded(legacy_file(pickled, SIX), weights_only=weights_only)
    assert first.tolist() == [3.0, 4.0, 5.0]
    first[0] = -1.0
    assert second[0] == -1.0 and whole[1:].tolist() == [2.0, -1.0]
    outside = b"(X\4\0\0\0partK\3K\4t"
    with pytest.raises(pickle.UnpicklingError, match="lies outside of it"):
        pickled = b"\x80\2" + old_tensor(view=outside) + b"."
        loaded(legacy_file(pickled, SIX), weights_only=weights_only)


# --- what is saved here comes back


@pytest.mark.usefixtures("main_net")
@pytest.mark.parametrize("name", WHOLE)
@pytest.mark.parametrize("protocol", [2, 5])
def test_everything_survives_a_second_trip(name, protocol):
    value = loaded(golden(name))
    assert described(loaded(dumped(value, pickle_protocol=protocol))) == EXPECTED[name]
    old = dumped(value, pickle_protocol=protocol, _use_new_zipfile_serialization=False)
    assert described(loaded(old)) == EXPECTED[name]
    assert described(loaded(old, weights_only=False)) == EXPECTED[name]


def test_the_records_are_laid_out_as_pytorch_lays_them_out():
    value = loaded(golden("views"))
    ours, theirs = (
        RecordReader(Source(io.BytesIO(content))) for content in (dumped(value), golden("views"))
    )
    assert list(ours.records) == list(theirs.records)
    for name in ours.records:
        assert ours.offset(name) % 64 == 0
        assert ours.size(name) == theirs.size(name)
        if name not in ("data.pkl", container.SERIALIZATION_ID):
            assert ours.read(name) == theirs.read(name)


def test_the_pickle_names_pytorchs_classes():
    parameter = lantern.nn.Parameter(lantern.ones(2))
    value = {"parameter": parameter, "layer": lantern.nn.ReLU(), "size": lantern.Size([1])}
    pickled = RecordReader(Source(io.BytesIO(dumped(value)))).read("data.pkl")
    for name in (
        b"ctorch._utils\n_rebuild_parameter\n",
        b"ctorch._utils\n_rebuild_tensor_v2\n",
        b"ctorch\nFloatStorage\n",
        b"ctorch\nSize\n",
        b"ctorch.nn.modules.activation\nReLU\n",
    ):
        assert name in pickled
    assert b"lantern" not in pickled


def test_shared_memory_is_written_once_and_shared_again():
    base = lantern.arange(1000.0)
    content = dumped([base, base[10:20], base.view(10, 100).t()])
    names = zipfile.ZipFile(io.BytesIO(content)).namelist()
    assert [name for name in names if "/data/" in name] == ["archive/data/0"]
    whole, part, turned = loaded(content)
    part[0] = -1.0
    assert whole[10] == -1.0 and turned[10, 0] == -1.0


def test_the_same_object_twice_is_one_object():
    shared = [1]
    weight = lantern.nn.Parameter(lantern.ones(2))
    one, other, a, b = again([shared, shared, weight, weight])
    assert one is other and a is b


def test_saving_two_dtypes_of_one_memory_is_refused():
    memory = bytearray(8)
    pair = [
        lantern.frombuffer(memory, dtype=lantern.float32),
        lantern.frombuffer(memory, dtype=lantern.int32),
    ]
    with pytest.raises(RuntimeError, match="view the same data as different types"):
        dumped(pair)


def test_memory_of_numpy_is_saved_in_any_layout():
    whole = numpy.arange(24.0).reshape(4, 6)
    for array in (whole.T, whole[1:, 2:5], whole[::2, ::3], whole[3:], numpy.float32(2) + whole[0]):
        assert again(lantern.from_numpy(array)).tolist() == array.tolist()
        grown = lantern.from_numpy(array) + 1
        assert again(grown).tolist() == grown.tolist()
        assert again(grown.t()).tolist() == grown.t().tolist()


def test_a_bare_storage_comes_back():
    storage = again(lantern.tensor([1, 2, 3], dtype=lantern.uint8).untyped_storage())
    assert isinstance(storage, lantern.UntypedStorage)
    assert bytes(storage.buffer()) == b"\1\2\3"


def test_loaded_tensors_are_leaves_of_their_own():
    first, second = again([lantern.ones(4, requires_grad=True), lantern.ones(2, 2).t()])
    assert first.is_leaf and not first._is_view() and second.is_leaf
    second.add_(1)
    (first * 2).sum().backward()
    assert first.grad.tolist() == [2.0] * 4


def test_state_dicts_keep_their_metadata():
    net = lantern.nn.Sequential(lantern.nn.Linear(2, 3), lantern.nn.ReLU())
    state = again(net.state_dict())
    assert type(state) is collections.OrderedDict
    assert state._metadata == net.state_dict()._metadata
    fresh = lantern.nn.Sequential(lantern.nn.Linear(2, 3), lantern.nn.ReLU())
    assert str(fresh.load_state_dict(state)) == "<All keys matched successfully>"
    assert described(fresh.state_dict()) == described(net.state_dict())


def test_pickle_arguments_reach_the_ordinary_unpickler():
    content = dumped({"a": 1})
    with pytest.warns(UserWarning, match="pickle_load_args only works"):
        loaded(content, encoding="latin1")
    assert loaded(content, weights_only=False, encoding="latin1") == {"a": 1}
    assert loaded(content, pickle_module=pickle) == {"a": 1}
    with pytest.raises(RuntimeError, match="Can not safely load weights when explicit"):
        loaded(content, weights_only=True, pickle_module=pickle)


def test_safety_can_be_forced_from_outside(monkeypatch):
    content = dumped(collections.deque([1]))
    assert loaded(content, weights_only=False) == collections.deque([1])
    monkeypatch.setenv("TORCH_FORCE_WEIGHTS_ONLY_LOAD", "1")
    with pytest.raises(pickle.UnpicklingError, match=r"collections\.deque"):
        loaded(content, weights_only=False)


# --- files and file objects


def test_paths_of_all_kinds(tmp_path):
    folder = tmp_path / "数据 目录"
    folder.mkdir()
    for path in (folder / "模型.pth", str(folder / "x.pt"), os.fsencode(folder / "b.pt").decode()):
        lantern.save([1, lantern.ones(2)], path)
        assert described(lantern.load(path)) == described([1, lantern.ones(2)])
    names = zipfile.ZipFile(folder / "x.pt").namelist()
    assert all(name.startswith("x/") for name in names)
    assert sorted(os.listdir(folder)) == ["b.pt", "x.pt", "模型.pth"]


def test_streams_need_only_write():
    class Stream:
        def __init__(self):
            self.parts = []

        def write(self, data):
            self.parts.append(bytes(data))
            return len(data)

    stream = Stream()
    lantern.save(lantern.ones(3), stream)
    assert loaded(b"".join(stream.parts)).tolist() == [1.0, 1.0, 1.0]


def test_a_stream_that_takes_less_than_all_is_an_error():
    class Full(io.RawIOBase):
        def write(self, data):
            return 0

    with pytest.raises(OSError, match="incomplete"):
        lantern.save([1], Full())


def test_loading_starts_where_the_file_object_stands():
    file = io.BytesIO(b"header" + dumped([1, 2]))
    file.seek(6)
    assert lantern.load(file) == [1, 2]
    two = io.BytesIO()
    for value in ("first", "second"):
        lantern.save(value, two, _use_new_zipfile_serialization=False)
    two.seek(0)
    assert [lantern.load(two), lantern.load(two)] == ["first", "second"]


def test_wrong_arguments_say_what_is_wrong(tmp_path):
    with pytest.raises(AttributeError, match="expected 'f' to be string, path, or a file-like"):
        lantern.save(1, 5)
    with pytest.raises(AttributeError, match="You can only torch.load from a file that is"):
        lantern.load(5)
    with pytest.raises(FileNotFoundError, match="No such file or directory"):
        lantern.load(tmp_path / "nowhere.pt")
    with pytest.raises(IsADirectoryError):
        lantern.load(tmp_path)
    with pytest.raises(RuntimeError, match="Parent directory .* does not exist"):
        lantern.save(1, tmp_path / "no" / "x.pt")
    with pytest.raises(RuntimeError, match="Is a directory"):
        lantern.save(1, tmp_path)
    with pytest.raises(RuntimeError, match="invalid file name"):
        lantern.save(1, "")
    with pytest.raises(ValueError, match="f must be a file path in order to use the mmap argument"):
        loaded(dumped(1), mmap=True)
    with pytest.raises(TypeError, match="'rb'"):
        lantern.load(io.StringIO("text"))
    with pytest.raises(TypeError, match="pickle_module must have a Pickler written in Python"):
        lantern.save(1, io.BytesIO(), pickle_module=json)


def test_mapped_tensors_do_not_write_to_the_file(tmp_path):
    path = tmp_path / "x.pt"
    lantern.save(lantern.zeros(4), path)
    before = path.read_bytes()
    tensor = lantern.load(path, mmap=True)
    tensor += 1
    assert tensor.tolist() == [1.0] * 4 and path.read_bytes() == before
    if hasattr(mmap, "MAP_SHARED"):
        with serialization.set_default_mmap_options(mmap.MAP_SHARED):
            shared = lantern.load(path, mmap=True)
        shared += 2
        assert lantern.load(path, mmap=True).tolist() == [2.0] * 4


def test_a_mapped_file_can_be_replaced_while_it_is_in_use(tmp_path):
    path = tmp_path / "x.pt"
    lantern.save(lantern.zeros(4), path)
    old = lantern.load(path, mmap=True)
    lantern.save(lantern.ones(4), path)
    assert old.tolist() == [0.0] * 4 and lantern.load(path).tolist() == [1.0] * 4


def test_old_formats_can_not_be_mapped(tmp_path):
    path = tmp_path / "x.pt"
    path.write_bytes(golden("legacy_views"))
    with pytest.raises(RuntimeError, match="mmap can only be used with files saved with"):
        lantern.load(path, mmap=True)


def test_byte_order_of_files_that_do_not_say(tmp_path):
    content = SCRIPT.rewritten(
        SCRIPT.big_endian(dumped(lantern.tensor([1.0, 2.0]))),
        lambda name, data: None if name == "byteorder" else data,
    )
    assert loaded(content).tolist() != [1.0, 2.0]
    serialization.set_default_load_endianness(serialization.LoadEndianness.BIG)
    try:
        assert loaded(content).tolist() == [1.0, 2.0]
    finally:
        serialization.set_default_load_endianness(None)
    odd = SCRIPT.rewritten(dumped(1), lambda name, data: b"middle" if name == "byteorder" else data)
    with pytest.raises(ValueError, match="Unknown endianness type: middle"):
        loaded(odd)


def test_types_without_a_storage_class_follow_the_byte_order():
    content = dumped(lantern.tensor([1, 258, 65535]).to(lantern.uint16))

    def swap(name, data):
        if name == "byteorder":
            return b"big"
        return b"".join(data[i : i + 2][::-1] for i in (0, 2, 4)) if name == "data/0" else data

    assert loaded(SCRIPT.rewritten(content, swap)).tolist() == [1, 258, 65535]


# --- where storages go


def moved(content, location):
    """The same archive with tensors that say they were on another device."""

    def change(name, data):
        if name != "data.pkl":
            return data
        old = b"X\x03\0\0\0cpu"
        assert old in data
        return data.replace(old, b"X" + struct.pack("<I", len(location)) + location.encode())

    return SCRIPT.rewritten(content, change)


def test_map_location_takes_names_devices_dicts_and_functions():
    content = moved(dumped(lantern.ones(2)), "cuda:1")
    with pytest.raises(RuntimeError, match="Attempting to deserialize object on a CUDA device but"):
        loaded(content)
    seen = []

    def choose(storage, location):
        seen.append((type(storage), location))
        return storage

    for where in ("cpu", lantern.device("cpu"), {"cuda:1": "cpu"}, choose):
        tensor = loaded(content, map_location=where)
        assert tensor.device.type == "cpu" and tensor.tolist() == [1.0, 1.0]
    assert seen == [(lantern.UntypedStorage, "cuda:1")]
    with pytest.raises(RuntimeError, match="CUDA device"):
        loaded(content, map_location={"cuda:0": "cpu"})
    with pytest.raises(RuntimeError, match="CUDA device"):
        loaded(content, map_location=lambda storage, location: None)
    with pytest.raises(RuntimeError, match="don't know how to restore data location"):
        loaded(dumped(lantern.ones(2)), map_location="moon")
    with pytest.raises(TypeError, match="'int' object is not callable"):
        loaded(dumped(lantern.ones(2)), map_location=3)


def test_map_location_may_return_another_storage():
    other = lantern.tensor([5.0, 6.0])
    tensor = loaded(dumped(lantern.ones(2)), map_location=lambda *_: other.untyped_storage())
    assert tensor.tolist() == [5.0, 6.0]
    with pytest.raises(RuntimeError, match="map_location returned a storage of 8 bytes"):
        loaded(dumped(lantern.ones(3)), map_location=lambda *_: other.untyped_storage())


def test_programs_can_register_places_of_their_own(monkeypatch):
    from lantern.serialization import locations

    monkeypatch.setattr(locations, "_packages", [])
    seen = []

    def put(storage, location):
        seen.append(location)
        return storage if location.startswith("shelf") else None

    serialization.register_package(10, lambda storage: "shelf:1", put)
    content = dumped(lantern.ones(2))
    assert serialization.location_tag(lantern.ones(1).untyped_storage()) == "shelf:1"
    assert loaded(content).tolist() == [1.0, 1.0] and seen == ["shelf:1"]
    storage = lantern.ones(1).untyped_storage()
    assert serialization.default_restore_location(storage, "cpu") is storage
    locations._packages.clear()
    with pytest.raises(RuntimeError, match=r"tagged with shelf:1"):
        loaded(content)
    with pytest.raises(AttributeError, match=r"torch\.serialization\.skip_data is not in Lantern"):
        serialization.skip_data  # noqa: B018


@pytest.mark.skipif(not hasattr(lantern.nn, "LazyLinear"), reason="no lazy layers yet")
def test_layers_without_sizes_can_not_be_saved():
    with pytest.raises(pickle.PicklingError, match="call the model once on an input first"):
        dumped(lantern.nn.LazyLinear(3))


# --- memory


@pytest.mark.parametrize("options", [{}, {"weights_only": False}, {"map_location": "cpu"}])
@pytest.mark.parametrize("old", [False, True])
def test_a_load_leaves_nothing_behind(options, old):
    content = dumped({"a": lantern.ones(9)}, _use_new_zipfile_serialization=not old)
    loaded(content, **options)
    gc.collect()
    gc.disable()
    try:
        value = loaded(content, **options)
        reference = weakref.ref(value["a"]._storage)
        del value
        assert reference() is None
    finally:
        gc.enable()
