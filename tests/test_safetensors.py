"""safetensors files: written and read through the library, whole and in parts."""

from __future__ import annotations

import os

import pytest

import lantern
from lantern import nn
from lantern import safetensors as st

library = pytest.importorskip("safetensors")

DTYPES = [
    "bool", "uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32", "int64",
    "float16", "bfloat16", "float32", "float64",
]  # fmt: skip


def values():
    made = {name: lantern.arange(6).reshape(2, 3).to(getattr(lantern, name)) for name in DTYPES}
    made["scalar"], made["empty"] = lantern.tensor(2.5), lantern.empty(0, 3)
    return made


def same(first, second):
    assert first.keys() == second.keys()
    for name, each in first.items():
        assert each.dtype is second[name].dtype and each.shape == second[name].shape, name
        assert each.tolist() == second[name].tolist(), name


@pytest.mark.parametrize("backend", ["mmap", "pread"])
def test_every_dtype_comes_back(tmp_path, backend):
    path = tmp_path / "权重.safetensors"
    st.save_file(values(), path, metadata={"说明": "x"})
    same(st.load_file(path, backend=backend), values())
    same(st.load(path.read_bytes()), values())
    assert st.save(values(), {"说明": "x"}) == path.read_bytes()
    assert os.listdir(tmp_path) == ["权重.safetensors"]


def test_loaded_tensors_have_memory_of_their_own(tmp_path):
    path = tmp_path / "x.safetensors"
    st.save_file({"a": lantern.zeros(3), "b": lantern.zeros(3)}, path)
    found = st.load_file(path)
    found["a"] += 1
    assert found["b"].tolist() == [0.0] * 3 and st.load_file(path)["a"].tolist() == [0.0] * 3


@pytest.mark.parametrize("backend", ["mmap", "pread"])
def test_parts_are_read_by_index(tmp_path, backend):
    path = tmp_path / "x.safetensors"
    whole = lantern.arange(24.0).reshape(4, 6)
    st.save_file({"b": whole, "a": lantern.ones(1)}, path, {"k": "v"})
    with st.safe_open(path, "pt", backend=backend) as file:
        assert file.keys() == ["a", "b"] and set(file.offset_keys()) == {"a", "b"}
        assert file.metadata() == {"k": "v"}
        part = file.get_slice("b")
        assert part.get_shape() == [4, 6] and part.get_dtype() == "F32"
        assert part[1:3, ::2].tolist() == whole[1:3, ::2].tolist()
        taken = part[0]
        taken += 100
        assert file.get_tensor("b").tolist() == whole.tolist()
        with pytest.raises(library.SafetensorError, match="does not contain tensor c"):
            file.get_tensor("c")
    assert taken[0] == 100.0


class Tied(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Linear(4, 4, bias=False)
        self.out = nn.Linear(4, 4, bias=False)
        self.out.weight = self.embed.weight


def test_models_with_tied_parameters_go_through_save_model(tmp_path):
    path = tmp_path / "x.safetensors"
    model, fresh = Tied(), Tied()
    with pytest.raises(RuntimeError, match="(?s)Some tensors share memory.*save_model"):
        st.save_file(model.state_dict(), path)
    st.save_model(model, path)
    with st.safe_open(path) as file:
        assert file.keys() == ["embed.weight"]
        assert file.metadata() == {"out.weight": "embed.weight"}
    assert st.load_model(fresh, path) == ([], [])
    assert fresh.out.weight is fresh.embed.weight
    assert fresh.out.weight.tolist() == model.out.weight.tolist()
    other = nn.Linear(4, 4)
    with pytest.raises(RuntimeError, match=r'Missing key\(s\) in state_dict: "bias", "weight"'):
        st.load_model(other, path)
    assert sorted(st.load_model(other, path, strict=False)[0]) == ["bias", "weight"]


def test_what_can_not_be_written_is_named():
    x = lantern.arange(6.0)
    with pytest.raises(ValueError, match="non contiguous tensor: `a`"):
        st.save({"a": x.reshape(2, 3).t()})
    with pytest.raises(ValueError, match="Key `a` is invalid, expected torch.Tensor but received"):
        st.save({"a": 1})
    with pytest.raises(ValueError, match="Expected a dict of"):
        st.save([x])
    with pytest.raises(RuntimeError, match="share memory"):
        st.save({"a": x[:4], "b": x[3:]})
    same(st.load(st.save({"a": x[:3], "b": x[3:]})), {"a": x[:3], "b": x[3:]})


def test_damaged_files_and_foreign_dtypes_are_named(tmp_path):
    path = tmp_path / "x.safetensors"
    st.save_file({"a": lantern.ones(3)}, path)
    whole = path.read_bytes()
    for content in (b"", b"\1\2\3", whole[:-1], whole + b"x", b"\xff" * 8 + whole[8:]):
        path.write_bytes(content)
        with pytest.raises(library.SafetensorError):
            st.load_file(path)
        with pytest.raises(library.SafetensorError):
            st.load(content)
    path.write_bytes(whole.replace(b'"F32"', b'"I32"'))
    assert st.load_file(path)["a"].dtype is lantern.int32
    path.write_bytes(whole.replace(b'"dtype":"F32","shape":[3]', b'"dtype":"C64","shape":[1] '))
    with pytest.raises((NotImplementedError, library.SafetensorError)):
        st.load_file(path)
    with pytest.raises(FileNotFoundError):
        st.load_file(tmp_path / "nowhere")


def test_a_failure_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "x.safetensors"
    st.save_file({"a": lantern.ones(3)}, path)

    def fail(specs, name, metadata):
        with open(name, "wb") as file:
            file.write(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(library, "serialize_file", fail)
    with pytest.raises(OSError, match="No space left"):
        st.save_file({"a": lantern.zeros(3)}, path)
    assert st.load_file(path)["a"].tolist() == [1.0] * 3
    assert os.listdir(tmp_path) == ["x.safetensors"]
