"""Writes the checkpoints in `tests/goldens/pth/` with PyTorch, and what they hold as JSON.

Run it with PyTorch installed: `python scripts/goldens_serialization.py`. The tests load the files
with Lantern and compare `describe(object)` with the stored description, bit for bit.
"""

from __future__ import annotations

import io
import json
import sys
import zipfile
from collections import Counter, OrderedDict
from pathlib import Path

FOLDER = Path(__file__).parent.parent / "tests" / "goldens" / "pth"


def describe(value, raw, seen=None):
    """Returns plain JSON that says all that must survive a file: types, values, bits, sharing.

    `raw(tensor)` returns the bytes of a tensor's elements in row-major order.
    """
    seen = {} if seen is None else seen

    def inside(each):
        return describe(each, raw, seen)

    kind = type(value).__name__
    if hasattr(value, "storage_offset"):
        place = value.untyped_storage().data_ptr()
        return {
            kind: str(value.dtype),
            "shape": list(value.shape),
            "stride": list(value.stride()) if value.numel() else None,
            "offset": value.storage_offset() if value.numel() else None,
            "requires_grad": value.requires_grad,
            "storage": seen.setdefault(place, len(seen)) if value.numel() else None,
            "bytes": raw(value).hex(),
        }
    if isinstance(value, dict):
        named = {"attributes": inside(vars(value))} if getattr(value, "__dict__", None) else {}
        return {kind: [[inside(k), inside(v)] for k, v in value.items()], **named}
    if isinstance(value, (list, tuple)):
        return {kind: [inside(each) for each in value]}
    if isinstance(value, (set, frozenset)):
        return {kind: sorted(repr(each) for each in value)}
    if hasattr(value, "_parameters"):
        keys = ("training", "_parameters", "_buffers", "_modules")
        own = {k: v for k, v in vars(value).items() if k in keys or not k.startswith("_")}
        return {kind: inside(own)}
    if callable(value):
        return {"function": getattr(value, "__name__", None) or value.name}
    return {kind: repr(value)}


def raw_bytes(tensor):
    """The elements of a tensor of PyTorch in row-major order."""
    import torch

    flat = tensor.detach().clone(memory_format=torch.contiguous_format).reshape(-1)
    return bytes(flat.view(torch.uint8).tolist()) if flat.numel() else b""


def dtypes():
    import torch

    inf, nan = float("inf"), float("nan")
    special = [0.0, -0.0, 1.5, -2.25, inf, -inf, nan, 1e-40, 65504.0]
    made = {
        str(kind).removeprefix("torch."): torch.tensor(special, dtype=torch.float64).to(kind)
        for kind in (torch.float16, torch.bfloat16, torch.float32, torch.float64)
    }
    for kind in (torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64):
        limits = torch.iinfo(kind)
        made[str(kind)] = torch.tensor([limits.min, 0, 1, limits.max], dtype=kind)
    for kind, top in ((torch.uint16, 2**16), (torch.uint32, 2**32), (torch.uint64, 2**63)):
        made[str(kind)] = torch.tensor([0, 1, top - 1], dtype=kind)
    made["bool"] = torch.tensor([True, False, True])
    return made


def views():
    import torch

    base = torch.arange(24, dtype=torch.float32).reshape(4, 6)
    numbers = torch.arange(10)
    return {
        "base": base,
        "transposed": base.t(),
        "every second": base[::2, 1::3],
        "row": base[2],
        "scalar": base[1, 1],
        "expanded": base[0, 3].expand(2, 5),
        "numbers": numbers,
        "tail": numbers[7:],
        "nothing": numbers[10:],
        "empty": torch.empty(0),
        "empty shape": torch.empty(3, 0, 2),
        "0-d": torch.tensor(-1.5),
        "of its own": base.clone(),
        "needs grad": torch.ones(2, requires_grad=True),
    }


def containers():
    import torch

    shared = [1, 2.5, None]
    return {
        "list": [shared, shared, (True, False), ()],
        "texts": ["", "naïve", "训练", "\ud800 lone"],
        1: {"nested": {"deeper": [torch.tensor([1, 2])]}},
        (1, "key"): 10**30,
        "ordered": OrderedDict([("b", 1), ("a", -7)]),
        "counter": Counter("abracadabra"),
        "set": {1, 2, 3},
        "bytes": b"\x00\xff raw",
        "bytearray": bytearray(b"\x01\x02"),
        "numbers": [0, 255, 256, 65536, -1, 2**31, -(2**40), 1e300, float("inf"), 1 - 2j],
        "size": torch.Size([2, 3]),
        "dtype": torch.float16,
        "device": torch.device("cpu"),
    }


def network():
    import torch
    from torch import nn

    torch.manual_seed(0)
    return nn.Sequential(
        nn.Flatten(), nn.Linear(6, 5), nn.Tanh(), nn.Dropout(0.25), nn.ReLU(), nn.Linear(5, 3)
    )


def training():
    import torch

    net = network()
    net.eval()
    kept = {}
    inputs = torch.arange(24, dtype=torch.float32).reshape(4, 2, 3) / 10
    for name, kind, options in (
        ("sgd", torch.optim.SGD, {"momentum": 0.9, "weight_decay": 0.01}),
        ("adam", torch.optim.Adam, {"amsgrad": True}),
        ("adamw", torch.optim.AdamW, {}),
    ):
        optimizer = kind(net.parameters(), lr=0.01, **options)
        schedule = torch.optim.lr_scheduler.StepLR(optimizer, 2, 0.5)
        for _ in range(3):
            optimizer.zero_grad()
            net(inputs).square().sum().backward()
            optimizer.step()
            schedule.step()
        kept[name] = {"optimizer": optimizer.state_dict(), "schedule": schedule.state_dict()}
    kept.update(epoch=3, model=net.state_dict(), rng=torch.get_rng_state()[:64].clone())
    return kept


def attributes():
    import torch

    tensor = torch.ones(2)
    tensor.note = "seen"
    parameter = torch.nn.Parameter(torch.zeros(3), requires_grad=False)
    parameter.rank = 2
    return {"tensor": tensor, "parameter": parameter, "buffer": torch.nn.Buffer(torch.ones(1))}


def numpy_values():
    import numpy

    return {"scalar": numpy.float64(0.25), "array": numpy.arange(6, dtype="int32").reshape(2, 3)}


def user_model():
    """A class of the running program, as a script that trains and saves has it."""
    import torch
    from torch import nn

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.hidden = nn.Linear(4, 3)
            self.out = nn.Linear(3, 2)
            self.activation = torch.nn.functional.relu
            self.squash = torch.tanh
            self.product = torch.nn.functional.linear
            self.names = ["a", "b"]
            self.register_buffer("steps", torch.tensor(7))

        def forward(self, x):
            x = self.activation(self.product(x, self.hidden.weight, self.hidden.bias))
            return self.squash(self.out(x))

    Net.__module__, Net.__qualname__ = "__main__", "Net"
    sys.modules["__main__"].Net = Net
    torch.manual_seed(1)
    return Net()


def rewritten(content, change):
    """Packs an archive anew with Python's zipfile; `change(name, data)` may change or drop one."""
    packed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(packed, "w") as new:
        for info in old.infolist():
            data = change(info.filename.split("/", 1)[1], old.read(info))
            if data is not None:
                new.writestr(zipfile.ZipInfo(info.filename), data)
    return packed.getvalue()


def big_endian(content):
    """The archive as a big-endian machine would have written it; all its storages are float32."""

    def change(name, data):
        if name == "byteorder":
            return b"big"
        if name.startswith("data/"):
            return b"".join(data[i : i + 4][::-1] for i in range(0, len(data), 4))
        return data

    return rewritten(content, change)


def first_zip_format(content):
    """The archive with just the records that PyTorch 1.6 wrote."""
    late = ("byteorder", ".format_version", ".storage_alignment", ".data/serialization_id")
    return rewritten(content, lambda name, data: None if name in late else data)


def saved(value, **options):
    import torch

    file = io.BytesIO()
    torch.save(value, file, **options)
    return file.getvalue()


def without_sources(make):
    """Runs `make` while PyTorch can not find the sources of its layers, which old files quote."""
    import warnings

    from torch import serialization

    found = serialization.get_source_lines_and_file
    serialization.get_source_lines_and_file = None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return make()
    finally:
        serialization.get_source_lines_and_file = found


def files():
    """All files by name: the content, and the object that it must load as (None: refused)."""
    import torch

    old = {"_use_new_zipfile_serialization": False}
    base = torch.arange(6, dtype=torch.float32)
    floats = {"a": base, "b": base[2:].reshape(2, 2)}
    model, owned = network(), user_model()
    v2 = {name: tensor for name, tensor in dtypes().items() if "uint" not in name}
    made = {
        name: (saved(value), value)
        for name, value in (
            ("dtypes", dtypes()),
            ("views", views()),
            ("containers", containers()),
            ("training", training()),
            ("attributes", attributes()),
            ("model", model),
            ("user_model", owned),
            ("numpy", numpy_values()),
        )
    }
    made["legacy_dtypes"] = saved(v2, **old), v2
    made["legacy_views"] = saved(views(), **old), views()
    made["legacy_model"] = without_sources(lambda: saved(model, **old)), model
    made["big_endian"] = big_endian(saved(floats)), floats
    made["first_zip_format"] = first_zip_format(saved(floats)), floats
    torch.serialization.set_crc32_options(False)
    made["no_checksums"] = saved(floats), floats
    torch.serialization.set_crc32_options(True)
    made["complex"] = saved(torch.ones(2, dtype=torch.complex64)), None
    made["sparse"] = saved(torch.eye(2).to_sparse()), None
    made["float8"] = saved(torch.ones(2).to(torch.float8_e4m3fn)), None
    made["quantized"] = saved(torch.quantize_per_tensor(torch.ones(2), 1.0, 0, torch.quint8)), None
    script = io.BytesIO()
    torch.jit.save(torch.jit.script(torch.nn.Identity()), script)
    made["torchscript"] = script.getvalue(), None
    return made


def main():
    import torch

    FOLDER.mkdir(parents=True, exist_ok=True)
    inputs = torch.arange(12.0).reshape(2, 6) / 10 - 0.5
    expected = {}
    for name, (content, value) in files().items():
        FOLDER.joinpath(f"{name}.pth").write_bytes(content)
        if value is None:
            continue
        loaded = torch.load(io.BytesIO(content), weights_only=False)
        expected[name] = describe(loaded, raw_bytes)
        assert expected[name] == describe(value, raw_bytes), name
        if name in ("model", "legacy_model"):
            expected[f"{name} output"] = loaded.eval()(inputs).tolist()
        if name == "user_model":
            expected[f"{name} output"] = loaded(inputs[:, :4]).tolist()
    FOLDER.joinpath("expected.json").write_text(json.dumps(expected), encoding="utf-8")
    print(sum(each.stat().st_size for each in FOLDER.iterdir()), "bytes")


if __name__ == "__main__":
    main()
