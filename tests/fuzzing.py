"""Makes hostile checkpoints from honest ones, and watches what loading them does.

    python tests/fuzzing.py --inputs 1000000 [--start SEED] [--seconds 500]

Each seed makes one file: bytes changed, cut or doubled anywhere; fields of the zip container set to
telling numbers; or the opcodes of the pickle deleted, doubled, moved, mixed with those of other
files and of attacks, with numbers (sizes, strides, offsets, counts) replaced. Loading has to end in
a value or in one of the errors of `pth_tools.CLEAR` or a ValueError, within a second, run nothing
(an audit hook watches for files that are opened, processes, imports and compiled code), and
allocate no more for storages than the file has bytes. `README.md` records the last long run.
"""

from __future__ import annotations

import argparse
import io
import os
import pickle
import pickletools
import random
import struct
import sys
import time
import warnings
from collections import Counter

from pth_tools import CLEAR, checkpoint, golden, loaded

import lantern
from lantern.serialization import bridge
from lantern.serialization.container import RecordReader, Source

NAMES = (
    "attributes", "containers", "legacy_views", "model", "numpy", "training", "user_model", "views",
)  # fmt: skip
TELLING = (0, 1, 2, 63, 64, 255, 2**16, 2**31 - 1, 2**31, 2**32 - 1)
NUMBERS = (-1, 0, 1, 2, 3, 7, 2**31, 2**62, 2**63 - 1, 2**64, -(2**63), 2**70, 10**30)
SECONDS = 1.0
WATCHED = frozenset(
    "os.system os.exec os.posix_spawn os.remove os.rename os.mkdir subprocess.Popen exec compile "
    "import open socket.connect ctypes.dlopen shutil.rmtree".split()
)


class Attack:
    """Pickles as a call of a function."""

    def __init__(self, function, *args):
        self.call = function, args

    def __reduce__(self):
        return self.call


def corpus():
    """The honest files, and the pickles in them."""
    files = [golden(name) for name in NAMES]
    pickles = [
        RecordReader(Source(io.BytesIO(each))).read("data.pkl")
        for each in files
        if each.startswith(b"PK")
    ]
    return files, pickles


def attacks():
    """Pickles whose opcodes are mixed in."""
    calls = [(os.system, "true"), (eval, "1"), (exec, "1"), (open, os.devnull, "w"), (getattr, 1)]
    yield from (pickle.dumps(Attack(*call), 2) for call in calls)
    yield b"\x80\2cos\nsystem\nX\4\0\0\0true\x85R."
    yield b"\x80\2c__builtin__\n__import__\nX\2\0\0\0os\x85R."
    yield b"\x80\2]q\0h\0a}q\1h\1h\1sh\0h\1\x86."  # what holds itself
    yield b"\x80\2" + b"(" * 300 + b"t" * 299 + b"."


def opcodes(pickled):
    """The bytes of each opcode of a pickle, with its name and its argument."""
    found = [(op.name, arg, at) for op, arg, at in pickletools.genops(pickled)]
    ends = [at for _, _, at in found[1:]] + [len(pickled)]
    return [
        (name, arg, pickled[at:end]) for (name, arg, at), end in zip(found, ends, strict=True)
    ]  # fmt: skip


class Fuzzer:
    """Makes the file of a seed."""

    def __init__(self):
        self.files, self.pickles = corpus()
        self.programs = [opcodes(each) for each in self.pickles]
        pool = [op for each in (*self.pickles, *attacks()) for op in opcodes(each)]
        self.pool = sorted({content: (name, arg, content) for name, arg, content in pool}.values(),
                           key=lambda op: op[2])  # fmt: skip

    def make(self, seed):
        """The hostile file of a seed."""
        rng = random.Random(seed)
        kind = seed % 4
        if kind == 0:
            return changed(rng.choice(self.files), rng)
        if kind == 1:
            return self.with_fields(rng)
        pickled = changed(rng.choice(self.pickles), rng) if kind == 2 else self.program(rng)
        return checkpoint(pickled, [bytes(96), bytes(80), bytes(0), bytes(4096)])

    def with_fields(self, rng):
        """An archive with numbers of its tables replaced."""
        content = bytearray(rng.choice([each for each in self.files if each.startswith(b"PK")]))
        for _ in range(rng.randrange(1, 4)):
            mark = rng.choice((b"PK\1\2", b"PK\3\4", b"PK\5\6", b"PK\6\6", b"PK\6\7"))
            places, at = [], content.find(mark)
            while at >= 0:
                places.append(at)
                at = content.find(mark, at + 1)
            if not places:
                continue
            at = rng.choice(places) + rng.randrange(4, 46)
            number = rng.choice((*TELLING, len(content), len(content) - 1, rng.randrange(1 << 16)))
            form = rng.choice("BHI")
            packed = struct.pack(f"<{form}", number % (1 << 8 * struct.calcsize(form)))
            content[at : at + len(packed)] = packed
        return bytes(content)

    def program(self, rng):
        """A pickle whose opcodes were changed as opcodes."""
        ops = list(rng.choice(self.programs))
        for _ in range(rng.randrange(1, 7)):
            at = rng.randrange(len(ops))
            kind = rng.randrange(6)
            if kind == 0:
                del ops[at : at + rng.randrange(1, 4)]
            elif kind == 1:
                ops[at:at] = ops[at : at + rng.randrange(1, 30)]
            elif kind == 2:
                ops.insert(at, rng.choice(self.pool))
            elif kind == 3:
                ops[at] = rng.choice(self.pool)
            elif kind == 4:
                other = rng.choice(self.programs)
                start = rng.randrange(len(other))
                ops[at:at] = other[start : start + rng.randrange(1, 30)]
            else:
                ops[at:] = [self.number(op, rng) for op in ops[at:]]
            if not ops:
                break
        return b"".join(content for _, _, content in ops)

    def number(self, op, rng):
        """One in four numbers becomes another."""
        name, arg, content = op
        if type(arg) is not int or "GET" in name or "PUT" in name or rng.random() < 0.75:
            return op
        new = rng.choice((*NUMBERS, arg + 1, arg - 1, arg * 2))
        return name, new, pickle.dumps(new, 2)[2:-1]


def changed(content, rng):
    """A file with a few bytes changed, cut, doubled or replaced by telling ones."""
    content = bytearray(content)
    for _ in range(rng.randrange(1, 6)):
        at = rng.randrange(len(content))
        kind = rng.randrange(5)
        if kind == 0:
            content[at] = rng.randrange(256)
        elif kind == 1:
            content[at] = rng.choice(b"cRQtbh()\x81\x85\x86\x93.q}]eu\xff\0")
        elif kind == 2:
            del content[at : at + rng.randrange(1, 20)]
        elif kind == 3:
            content[at:at] = content[at : at + rng.randrange(1, 20)]
        else:
            content[at : at + 4] = struct.pack("<I", rng.choice(TELLING))
        if not content:
            break
    return bytes(content)


class Watch:
    """Notes what happens while a file is loaded; the audit hook can not be taken away again."""

    def __init__(self):
        self.active = False
        self.events = []
        self.allocated = 0
        self.allocate = bridge.allocate
        sys.addaudithook(self.hook)

    def hook(self, event, args):
        if self.active and event in WATCHED:
            self.events.append((event, args))

    def counted(self, nbytes, dtype):
        self.allocated += nbytes
        if self.allocated > self.limit:
            raise AssertionError(f"{self.allocated} bytes are allocated for a file of {self.limit}")
        return self.allocate(nbytes, dtype)

    def outcome(self, content):
        """What loading comes to: "loaded" or the name of the error; raises for anything else."""
        self.limit, self.allocated, self.events = len(content), 0, []
        bridge.allocate = self.counted
        start = time.perf_counter()
        self.active = True
        try:
            touch(loaded(content))
            result = "loaded"
        except (*CLEAR, ValueError) as error:
            result = type(error).__name__
        finally:
            self.active = False
            bridge.allocate = self.allocate
        seconds = time.perf_counter() - start
        if self.events:
            raise AssertionError(f"loading did this: {self.events}")
        if seconds > SECONDS:
            raise AssertionError(f"loading took {seconds:.1f} s")
        return result


def touch(value):
    """Reads the memory of the tensors in a value, as far as that is soon done."""
    stack, seen = [value], 0
    while stack and seen < 200:
        each, seen = stack.pop(), seen + 1
        if isinstance(each, lantern.Tensor):
            if each.numel() <= 10_000:
                each.tolist()
        elif type(each) in (list, tuple, set):
            stack.extend(each)
        elif isinstance(each, dict):
            stack.extend(each.values())
        elif isinstance(each, lantern.nn.Module):
            stack.append(each.__dict__)


def run(seeds):
    """Loads the files of some seeds; returns how often each outcome was seen."""
    fuzzer, watch = Fuzzer(), Watch()
    for content in fuzzer.files:  # what is imported at the first use is imported now
        watch_less(content)
    outcomes = Counter()
    for seed in seeds:
        try:
            outcomes[watch.outcome(fuzzer.make(seed))] += 1
        except Exception as error:
            raise AssertionError(f"seed {seed}: {type(error).__name__}: {error}") from error
    return outcomes


def watch_less(content):
    try:
        loaded(content)
    except CLEAR:
        pass


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inputs", type=int, default=10_000)
    parser.add_argument("--start", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=1e9, help="ends early after so long")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    end = time.monotonic() + options.seconds
    done = 0

    def seeds():
        nonlocal done
        for seed in range(options.start, options.start + options.inputs):
            if time.monotonic() > end:
                return
            done += 1
            yield seed

    outcomes = run(seeds())
    print(f"{done} inputs from seed {options.start}: {dict(outcomes.most_common())}")


if __name__ == "__main__":
    main()
