"""What the tests of files share: stored checkpoints, descriptions, short ways to save and load."""

from __future__ import annotations

import importlib.util
import io
import json
import pathlib
import pickle

import numpy

import lantern
from lantern.serialization.container import RecordWriter

TESTS = pathlib.Path(__file__).parent
GOLDENS = TESTS / "goldens" / "pth"
EXPECTED = json.loads((GOLDENS / "expected.json").read_text(encoding="utf-8"))
WHOLE = sorted(name for name in EXPECTED if " " not in name and name != "numpy")
CLEAR = (RuntimeError, EOFError, pickle.UnpicklingError)  # what a bad file may raise


def module_at(path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


SCRIPT = module_at(TESTS.parent / "scripts" / "goldens_serialization.py")


def raw_bytes(tensor):
    return numpy.ascontiguousarray(tensor.detach().numpy()).tobytes()


def described(value):
    """The description of a value as JSON gives it back."""
    return json.loads(json.dumps(SCRIPT.describe(value, raw_bytes)))


def golden(name):
    return (GOLDENS / f"{name}.pth").read_bytes()


def dumped(value, **options):
    file = io.BytesIO()
    lantern.save(value, file, **options)
    return file.getvalue()


def loaded(content, **options):
    return lantern.load(io.BytesIO(content), **options)


def again(value, **options):
    return loaded(dumped(value), **options)


def checkpoint(pickled, storages=()):
    """An archive around a pickle made by hand."""
    file = io.BytesIO()
    writer = RecordWriter(file, "archive")
    writer.write("data.pkl", pickled)
    writer.write("byteorder", b"little")
    for key, data in enumerate(storages):
        writer.write(f"data/{key}", data)
    writer.close()
    return file.getvalue()
