"""DLPack and NumPy: memory goes to and fro without a copy, in every dtype and layout."""

from __future__ import annotations

import sys

import numpy
import pytest

import lantern
from lantern.utils.dlpack import from_dlpack, to_dlpack

DTYPES = [
    "bool", "uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32", "int64",
    "float16", "bfloat16", "float32", "float64",
]  # fmt: skip


def layouts(tensor):
    return [tensor, tensor.t(), tensor[:, 1:], tensor[0, 0], tensor[:0], tensor[::2]]


def place(tensor):
    # The stride of a dimension of length 1 means nothing; libraries differ in what they write.
    strides = [s for n, s in zip(tensor.shape, tensor.stride(), strict=True) if n > 1]
    return tensor.data_ptr(), tuple(tensor.shape), strides


@pytest.mark.parametrize("name", DTYPES)
def test_tensors_come_back_over_the_same_memory(name):
    whole = lantern.arange(6).reshape(2, 3).to(getattr(lantern, name))
    for tensor in layouts(whole):
        for made in (lantern.from_dlpack(tensor), from_dlpack(to_dlpack(tensor))):
            assert made.dtype is tensor.dtype and made.shape == tensor.shape
            if tensor.numel():
                assert place(made) == place(tensor)
            made.fill_(1)
            assert tensor.tolist() == made.tolist()
        assert not tensor.numel() or lantern.from_dlpack(tensor, copy=True).data_ptr() != (
            tensor.data_ptr()
        )


def test_numpy_shares_memory_both_ways():
    array = numpy.arange(6.0).reshape(2, 3)
    tensor = lantern.from_dlpack(array.T)
    tensor[0, 0] = 9.0
    assert array[0, 0] == 9.0 and tensor.stride() == (1, 3)
    back = numpy.from_dlpack(tensor)
    array[0, 1] = 7.0
    assert back[1, 0] == 7.0
    assert tensor.__dlpack_device__() == (1, 0)


def test_memory_lives_as_long_as_any_tensor_over_it():
    tensor = from_dlpack(to_dlpack(lantern.full((1000,), 3.0)))
    array = numpy.zeros(1000)
    count = sys.getrefcount(array)
    other = lantern.from_dlpack(array)
    assert sys.getrefcount(array) > count
    del other
    assert sys.getrefcount(array) == count
    assert tensor.tolist() == [3.0] * 1000


def test_what_can_not_be_shared_is_named():
    capsule = to_dlpack(lantern.ones(2))
    from_dlpack(capsule)
    for bad in (capsule, 3):
        with pytest.raises(RuntimeError, match="received an invalid capsule"):
            from_dlpack(bad)
    with pytest.raises(BufferError, match="use tensor.detach"):
        to_dlpack(lantern.ones(2, requires_grad=True))
    with pytest.raises(AssertionError, match="stream should be None on cpu"):
        lantern.ones(2).__dlpack__(stream=1)
    with pytest.raises(ValueError, match="stride in the given numpy array is negative"):
        from_dlpack(numpy.arange(3)[::-1])

    class OnGpu:
        def __dlpack__(self, **wishes):
            from lantern.backends.dlpack import Capsule

            capsule = Capsule(lantern.ones(2).__dlpack__())
            capsule._tensor.device_type = 2
            return capsule.capsule

    with pytest.raises(RuntimeError, match=r"the memory is on device \(2, 0\)"):
        from_dlpack(OnGpu())


@pytest.mark.parametrize("name", DTYPES)
def test_pytorch_shares_memory_both_ways(name):
    torch = pytest.importorskip("torch")
    theirs = torch.arange(6).reshape(2, 3).to(getattr(torch, name))
    mine = lantern.arange(6).reshape(2, 3).to(getattr(lantern, name))
    for here, there in ((lantern, theirs), (torch, mine)):
        for tensor in layouts(there):
            for made in (here.from_dlpack(tensor), here.from_dlpack(tensor.__dlpack__())):
                assert tuple(made.shape) == tuple(tensor.shape)
                assert str(made.dtype) == str(tensor.dtype)
                if tensor.numel():
                    assert place(made) == place(tensor)
                made.zero_()
                assert tensor.tolist() == made.tolist()
            there.fill_(1)


def test_npy_and_npz_files_are_numpys(tmp_path):
    values = {"a": lantern.arange(6.0).reshape(2, 3).t(), "b": lantern.tensor([True])}
    numpy.savez(tmp_path / "x.npz", **values)
    numpy.save(tmp_path / "x.npy", values["a"])
    with numpy.load(tmp_path / "x.npz") as found:
        assert lantern.from_numpy(found["a"]).tolist() == values["a"].tolist()
        assert lantern.from_numpy(found["b"]).dtype is lantern.bool
    mapped = lantern.from_numpy(numpy.load(tmp_path / "x.npy", mmap_mode="c"))
    mapped += 1
    assert mapped.tolist() == (values["a"] + 1).tolist()


def test_as_tensor_asarray_and_frombuffer_share_where_pytorch_does():
    array, memory, tensor = numpy.zeros(3), bytearray(12), lantern.zeros(3)
    for shared, first in (
        (lantern.as_tensor(array), array),
        (lantern.asarray(array), array),
        (lantern.as_tensor(tensor), tensor),
        (lantern.asarray(tensor), tensor),
        (lantern.frombuffer(memory, dtype=lantern.float32), memory),
        (lantern.asarray(memory, dtype=lantern.float32), memory),
    ):
        before = bytes(memoryview(numpy.asarray(first)))
        shared += 1
        assert before != bytes(memoryview(numpy.asarray(first)))
    for copy in (
        lantern.as_tensor(array, dtype=lantern.float32),
        lantern.asarray(array, copy=True),
        lantern.tensor(array),
        lantern.as_tensor(array.tolist()),
    ):
        copy += 1
        assert set(array) == {2.0}
    with pytest.raises(ValueError, match="can't alias"):
        lantern.asarray([1.0], copy=False)
