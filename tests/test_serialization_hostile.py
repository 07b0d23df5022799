"""Files made to attack their reader run nothing, and cost no more than their own size."""

from __future__ import annotations

import collections
import fractions
import io
import os
import pickle
import struct
import subprocess

import fuzzing
import pytest
from pth_tools import CLEAR, again, checkpoint, dumped, golden, loaded

import lantern
from lantern import serialization

# --- hostile pickles


class Runs:
    """Pickles as a call of a function, as an attacker writes it."""

    def __init__(self, function, *args):
        self.call = function, args

    def __reduce__(self):
        return self.call


def attacks(marker):
    """Objects and pickles that create the file `marker` when they are loaded carelessly."""
    command = f"touch {marker}"
    code = f"open({str(marker)!r}, 'w')"
    text = command.encode()
    call = b"(X" + struct.pack("<I", len(text)) + text + b"tR."
    path = str(marker).encode()
    opened = b"(X" + struct.pack("<I", len(path)) + path + b"X\1\0\0\0wtR."
    yield pickle.dumps(Runs(os.system, command), 2)
    yield pickle.dumps(Runs(eval, code), 2)
    yield pickle.dumps(Runs(exec, code), 4)
    yield pickle.dumps(Runs(subprocess.Popen, ["touch", str(marker)]), 2)
    yield pickle.dumps([1, {"a": Runs(open, str(marker), "w")}], 2)
    yield b"\x80\2cos\nsystem\n" + call
    yield b"\x80\2cposix\nsystem\n" + call
    yield b"\x80\2csys\nexit\n(tR."
    yield b"\x80\2c__builtin__\ngetattr\n(cos\npath\nX\6\0\0\0systemtR."
    yield b"\x80\2c__builtin__\ngetattr\n(ctorch._C\n_VariableFunctionsClass\nX\4\0\0\0loadtR."
    yield b"\x80\2c__builtin__\ngetattr\n(ctorch._C\n_VariableFunctionsClass\nX\t\0\0\0__class__tR."
    yield b"\x80\2ctorch.serialization\nos.system\n" + call
    yield b"\x80\2ctorch.serialization\nload\n" + opened
    yield b"\x80\2ctorch.nn.modules.module\nsys.modules\n."
    yield b"\x80\2ctorch.nn.functional\nlantern\n."
    yield b"\x80\2ctorch.nn.modules\nflatten\n."  # a Python module, not a class
    yield b"\x80\2ctorch\npi\n."
    yield b"\x80\2ctorch.hub\nload\n" + opened
    yield b"\x80\2ctorch.utils.data\nDataLoader\n(tR."
    yield b"\x80\2ctorch\nload\n" + opened
    yield b"\x80\2c_io\nopen\n" + opened
    yield b"\x80\2ccodecs\nopen\n" + opened
    yield b"\x80\2c_codecs\nencode\n(X\1\0\0\0aX\3\0\0\0hextR."
    yield b"\x80\2(X\1\0\0\0aios\nsystem\n."
    yield b"\x80\2cos\nsystem\n" + b"X" + struct.pack("<I", len(text)) + text + b"\x85\x81."
    yield b"\x80\4\x8c\2os\x8c\6system\x93\x8c" + bytes([len(text)]) + text + b"\x85R."
    yield b"\x80\2\x82\1."


@pytest.mark.parametrize("legacy", [False, True])
def test_hostile_pickles_run_nothing_and_are_refused(tmp_path, legacy):
    marker = tmp_path / "ran"
    for pickled in attacks(marker):
        if legacy:
            plain = dumped(1, _use_new_zipfile_serialization=False)
            content = plain.replace(b"\x80\2K\1.", pickled)
            assert pickled in content
        else:
            content = checkpoint(pickled)
        with pytest.raises(pickle.UnpicklingError, match="Weights only load failed"):
            loaded(content)
        assert not marker.exists()


def test_the_attacks_do_work_where_safety_is_off(tmp_path):
    marker = tmp_path / "ran"
    loaded(checkpoint(next(attacks(marker))), weights_only=False)
    assert marker.exists()


class Armed(lantern.nn.Module):
    ran: list = []

    def __init__(self):
        super().__init__()
        self.ran.append("init")

    def __setattr__(self, name, value):
        self.ran.append(name)
        super().__setattr__(name, value)

    def __reduce_ex__(self, protocol):
        return Armed._made, (), None

    @staticmethod
    def _made():
        Armed.ran.append("reduce")
        return Armed()


class WithSetstate(lantern.nn.Module):
    def __setstate__(self, state):
        raise AssertionError("ran")


class WithDel(lantern.nn.Module):
    def __del__(self):
        pass


class Plain:
    pass


def test_modules_are_rebuilt_without_their_code():
    Armed.ran.clear()
    pickled = f"\x80\2c{__name__}\nArmed\n)\x81}}X\4\0\0\0sizeK\3sb.".encode("latin1")
    net = loaded(checkpoint(pickled))
    assert type(net) is Armed and net.size == 3 and net.training is True and Armed.ran == []
    with pytest.raises(pickle.UnpicklingError, match="call reduce for unrecognized function"):
        loaded(checkpoint(f"\x80\2c{__name__}\nArmed\n(tR.".encode("latin1")))
    Armed.ran.clear()


@pytest.mark.parametrize("kind", [WithSetstate, WithDel, Plain])
def test_classes_with_code_for_loading_are_refused_with_the_line_that_allows_them(kind):
    pickled = f"\x80\2c{__name__}\n{kind.__name__}\n)\x81.".encode("latin1")
    with pytest.raises(pickle.UnpicklingError) as refused:
        loaded(checkpoint(pickled))
    text = str(refused.value)
    name = f"{__name__}.{kind.__name__}"
    assert text.startswith("Weights only load failed. WeightsUnpickler error: Unsupported global: ")
    assert f"GLOBAL {name} was not an allowed global by default" in text
    assert f"\n    import {__name__}\n    lantern.serialization.add_safe_globals([{name}])" in text
    assert "weights_only" not in text
    with serialization.safe_globals([kind]):
        assert type(loaded(checkpoint(pickled))) is kind


def test_classes_that_the_program_lacks_are_refused_by_name():
    with pytest.raises(pickle.UnpicklingError) as refused:
        loaded(golden("user_model"))
    text = str(refused.value)
    assert "GLOBAL __main__.Net was not an allowed global" in text
    assert "__main__.Net is not defined in the running program: define or import it" in text
    assert "lantern.serialization.add_safe_globals([Net])" in text
    with pytest.raises(AttributeError, match="Net"):
        loaded(golden("user_model"), weights_only=False)


def test_all_refused_names_are_listed_at_once():
    value = [collections.deque(), collections.defaultdict(int), fractions.Fraction(1, 2)]
    with pytest.raises(pickle.UnpicklingError) as refused:
        again(value)
    text = str(refused.value)
    for name in ("collections.deque", "collections.defaultdict", "fractions.Fraction"):
        assert name in text.split("add_safe_globals(")[1].split(")")[0]
    file = io.BytesIO(dumped(value))
    found = serialization.get_unsafe_globals_in_checkpoint(file)
    assert set(found) >= {"collections.deque", "collections.defaultdict", "fractions.Fraction"}


def test_allowing_is_by_name_and_can_be_taken_back():
    content = dumped(collections.deque([1, 2]))
    serialization.add_safe_globals([collections.deque])
    try:
        assert serialization.get_safe_globals() == [collections.deque]
        assert loaded(content) == collections.deque([1, 2])
        with serialization.safe_globals([fractions.Fraction, collections.deque]):
            assert len(serialization.get_safe_globals()) == 2
        assert serialization.get_safe_globals() == [collections.deque]
    finally:
        serialization.clear_safe_globals()
    with pytest.raises(pickle.UnpicklingError, match=r"collections\.deque"):
        loaded(content)
    with serialization.safe_globals([(collections.deque, "collections.deque")]):
        assert loaded(content) == collections.deque([1, 2])
    with pytest.raises(ValueError, match="Expected tuple of length 2"):
        serialization.add_safe_globals([(collections.deque,)])
    with pytest.raises(TypeError, match="Expected second item in tuple to be str"):
        serialization.add_safe_globals([(collections.deque, 1)])


def test_what_can_run_anything_stays_blocked():
    with serialization.safe_globals([os.system]):
        with pytest.raises(pickle.UnpicklingError, match="whose module (posix|nt) is blocked"):
            loaded(checkpoint(pickle.dumps(Runs(os.system, "true"), 2)))


# --- hostile tensors


def tensor_pickle(numel=4, offset=0, size=(2, 2), stride=(2, 1), kind=b"FloatStorage", key=b"0"):
    """The pickle of one tensor with numbers of the attacker's choice."""
    numbers = io.BytesIO()
    pickle._Pickler(numbers, 2).dump((numel, offset, size, stride))
    numel, offset, size, stride = (
        pickle.dumps(each, 2)[2:-1] for each in (numel, offset, size, stride)
    )
    return (
        b"\x80\2ctorch._utils\n_rebuild_tensor_v2\n((X\7\0\0\0storagectorch\n"
        + kind
        + b"\nX"
        + struct.pack("<I", len(key))
        + key
        + b"X\3\0\0\0cpu"
        + numel
        + b"tQ"
        + offset
        + size
        + stride
        + b"\x89ccollections\nOrderedDict\n)RtR."
    )


def test_a_tensor_made_by_hand_loads():
    tensor = loaded(checkpoint(tensor_pickle(), [struct.pack("<4f", 1, 2, 3, 4)]))
    assert tensor.tolist() == [[1.0, 2.0], [3.0, 4.0]]


@pytest.mark.parametrize(
    "numbers",
    [
        {"offset": 1},
        {"offset": -1},
        {"offset": 2**62},
        {"offset": 2**2000},
        {"size": (3, 2)},
        {"size": (2**40, 2**40)},
        {"size": (2**63,), "stride": (0,)},
        {"size": (2**62, 4), "stride": (0, 0)},
        {"size": (-1, 2)},
        {"size": (2,)},
        {"size": (2.0, 2)},
        {"size": (True, 2)},
        {"size": [2, 2]},
        {"size": (1,) * 65, "stride": (1,) * 65},
        {"stride": (2**62, 1)},
        {"stride": (-2, 1)},
        {"stride": (3, 1)},
        {"stride": (2, 2)},
        {"numel": 5},
        {"numel": 3},
        {"numel": -4},
        {"numel": 2**62},
        {"numel": 2**8000},
        {"numel": 4.0},
        {"kind": b"DoubleStorage"},
        {"kind": b"CharStorage"},
        {"key": b"1"},
        {"key": b"../version"},
    ],
)
def test_tensors_outside_their_storage_are_refused(numbers):
    with pytest.raises((RuntimeError, pickle.UnpicklingError)) as refused:
        loaded(checkpoint(tensor_pickle(**numbers), [bytes(16)]))
    assert not isinstance(refused.value, NotImplementedError)


def test_an_expanded_tensor_costs_no_memory():
    pickled = tensor_pickle(size=(10**9, 2), stride=(0, 1))
    assert loaded(checkpoint(pickled, [bytes(16)])).shape == (10**9, 2)


def test_old_files_can_not_claim_more_than_they_hold():
    content = golden("legacy_views")
    claimed = content.replace(b"K\x18", b"J\xff\xff\xff\x7f", 1)
    assert claimed != content
    with pytest.raises(pickle.UnpicklingError, match="said to hold"):
        loaded(claimed)


@pytest.mark.parametrize(
    "pickled",
    [
        b"\x80\2]" + b"h\0" * 3 + b".",  # a memo entry that is not there
        b"\x80\2" + b"\x85" * 2 + b".",  # tuples of nothing
        b"\x80\2.",
        b"\x80\2t.",
        b"\x80\2(K\1u.",
        b"\x80\2}(K\1u.",
        b"\x80\2]K\1K\2s.",
        b"\x80\2X\xff\xff\xff\x7fshort.",
        b"\x80\4\x8d\xff\xff\xff\xff\xff\xff\xff\x7fshort.",
        b"\x80\4\x95\xff\xff\xff\xff\xff\xff\xff\x7f.",
        b"\x80\2\x8b\xff\xff\xff\xffx.",
        b"\x80\2X\1\0\0\0\xff.",
        b"\x80\x09.",
        b"\x80\2c" + b"a" * 5000 + b"\nb\n.",
        b"\x80\2K\1Q.",
        b"\x80\2X\7\0\0\0storage\x85Q.",
        b"\x80\2K\1K\2R.",
        b"\x80\2ccollections\nOrderedDict\nK\1R.",
        b"\x80\2ccollections\nOrderedDict\nK\1\x85R.",
        b"\x80\2ctorch\nSize\nJ\0\0\0\x7f\x85R.",
        b"\x80\2c__builtin__\nbytearray\nJ\0\0\0\x7f\x85R.",
        b"\x80\2c__builtin__\nset\nJ\0\0\0\x7f\x85R.",
        b"\x80\2ctorch\nTensor\nJ\0\0\0\x7f\x85R.",
        b"\x80\2ctorch\nTensor\n)\x81.",
        b"\x80\2ctorch\ndevice\nX\4\0\0\0moon\x85R.",
        b"\x80\2}]K\1s.",  # a list as a key
    ],
)
def test_broken_pickles_are_named(pickled):
    with pytest.raises(CLEAR) as error:
        loaded(checkpoint(pickled))
    assert str(error.value)


def test_memory_bombs_are_refused():
    text = b"X" + struct.pack("<I", 100_000) + b"a" * 100_000 + b"q\0"
    copies = b"\x80\2c_codecs\nencode\nq\1]q\2(" + text
    copies += b"X\6\0\0\0latin1q\3" + b"h\1h\0h\3\x86R" * 50 + b"e."
    with pytest.raises(pickle.UnpicklingError, match="made to fill the memory"):
        loaded(checkpoint(copies))
    module = b"\x80\2ctorch.nn.modules.module\nModule\nq\0}q\1("
    module += b"".join(b"X\4\0\0\0%04dK\1" % i for i in range(3000)) + b"u("
    module += b"h\0)\x81h\1b" * 5000 + b"t."
    with pytest.raises(pickle.UnpicklingError, match="made to fill the memory"):
        loaded(checkpoint(module))


def test_hash_bombs_are_refused():
    prime = 2**61 - 1  # integers that differ by it have one hash
    keys = b"".join(pickle.dumps(i * prime, 2)[2:-1] + b"N" for i in range(2000))
    with pytest.raises(pickle.UnpicklingError, match="made to hang"):
        loaded(checkpoint(b"\x80\2}(" + keys + b"u."))
    doubling = b"\x80\2}K\1" + b"q\0h\0\x86" * 100 + b"Ns."
    with pytest.raises(pickle.UnpicklingError, match="too large or too deep"):
        loaded(checkpoint(doubling))
    deep = b"\x80\2}K\1" + b"\x85" * 200_000 + b"Ns."
    with pytest.raises(pickle.UnpicklingError, match="too large or too deep"):
        loaded(checkpoint(deep))


def test_deep_nesting_needs_no_recursion():
    deep = loaded(checkpoint(b"\x80\2" + b"]" * 100_000 + b"a" * 99_999 + b"."))
    depth = 0
    while deep:
        deep, depth = deep[0], depth + 1
    assert depth == 99_999


def test_tensor_attributes_can_not_replace_its_parts():
    def built(name):
        inner = tensor_pickle()[2:-1]
        function, args = inner[: inner.index(b"((")], inner[inner.index(b"((") : -1]
        return (
            b"\x80\2ctorch._tensor\n_rebuild_from_type_v2\n("
            + function
            + b"ctorch\nTensor\n"
            + args
            + b"}X"
            + struct.pack("<I", len(name))
            + name
            + b"K\1stR."
        )

    storage = [struct.pack("<4f", 1, 2, 3, 4)]
    assert loaded(checkpoint(built(b"note"), storage)).note == 1
    for name in (b"_array", b"_storage", b"data", b"shape", b"__class__", b"_node"):
        with pytest.raises(pickle.UnpicklingError, match="can not be set by a file"):
            loaded(checkpoint(built(name), storage))


def test_fuzzed_files_raise_clear_errors_or_load_and_run_nothing():
    """`python tests/fuzzing.py --inputs 1000000` makes more; a failure names its seed."""
    outcomes = fuzzing.run(range(2500))
    assert outcomes["loaded"] and outcomes["UnpicklingError"] and outcomes["RuntimeError"]


@pytest.mark.parametrize("deed", ["run", "allocate"])
def test_the_watch_over_fuzzed_files_sees(deed, monkeypatch, tmp_path):
    watch = fuzzing.Watch()
    if deed == "run":
        monkeypatch.setattr(fuzzing, "loaded", lambda content: os.system("true"))
    else:
        monkeypatch.setattr(fuzzing, "loaded", lambda _: fuzzing.bridge.allocate(9, lantern.uint8))
    with pytest.raises(AssertionError, match=r"os\.system|9 bytes are allocated for a file of 3"):
        watch.outcome(b"abc")
