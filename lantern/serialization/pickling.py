"""A pickle machine that builds data and runs nothing but what its allow-list names.

`SafeUnpickler` knows the opcodes that pickles of protocol 2 to 5 use for data. Names in the pickle
are given to an allow-list (`allowed.py`), never imported; calls go to the functions that stand
beside the names there, which check their arguments. Sizes claimed by the pickle are compared with
what is left of it, and copies that it asks for are paid from a budget of its own length, so that a
small file cannot make large objects by repeating itself.
"""

from __future__ import annotations

import _compat_pickle
import functools
import pickle
import struct
from collections import Counter, OrderedDict
from collections.abc import Callable, Hashable
from pickle import UnpicklingError
from types import FunctionType
from typing import Any, BinaryIO

MAX_LINE = 1000  # a module or class name
MAX_KEY_PARTS = 1000  # values in a tuple used as a key
MAX_KEY_DEPTH = 20
MAX_EQUAL_HASHES = 50  # keys of a dict or set with one hash, each slower than the one before
UINT1, UINT2, UINT4, UINT8 = (struct.Struct(form) for form in ("<B", "<H", "<I", "<Q"))
INT4, FLOAT = struct.Struct("<i"), struct.Struct(">d")
ATOMS = (str, int, float, bool, bytes, complex, type(None))


class PickleStream:
    """The bytes of a pickle, read with a limit; `left` is what the file still holds."""

    def __init__(self, file: BinaryIO, left: int):
        self._file = file
        self.left = left

    def read(self, size: int) -> bytes:
        """Returns `size` bytes; raises UnpicklingError where fewer are left."""
        if size > self.left:
            raise UnpicklingError(
                f"the pickle is truncated: {size} bytes are needed where {self.left} are left"
            )
        data = self._file.read(size)
        if len(data) != size:
            raise UnpicklingError("the pickle is truncated")
        self.left -= size
        return data

    def line(self) -> str:
        """Returns a name that ends with a line feed; raises UnpicklingError for anything else."""
        line = self._file.readline(min(MAX_LINE, self.left))
        self.left -= len(line)
        if not line.endswith(b"\n"):
            raise UnpicklingError("the pickle is truncated or damaged: a name has no end")
        return line[:-1].decode()


class SafeUnpickler:
    """Rebuilds the object of one pickle; raises UnpicklingError for all that is not plain data.

    `allowed` answers `find(module, name)`, `call(function, args)`, `make(cls, args, keywords)`,
    `build(instance, state)` and `trusts(cls)`; `persistent_load` turns the ids of storages into
    storages.
    """

    def __init__(
        self,
        stream: PickleStream,
        allowed: Any,
        persistent_load: Callable[[Any], Any],
        encoding: str = "utf-8",
    ):
        self._stream = stream
        self._read = stream.read
        self._allowed = allowed
        self._persistent_load = persistent_load
        self._encoding = encoding
        self._stack: list[Any] = []
        self._marks: list[list[Any]] = []
        self._memo: dict[int, Any] = {}
        self._hashes: dict[int, Counter] = {}
        self._kept: list[Any] = []  # containers whose ids are keys of `_hashes`

    def load(self) -> Any:
        """Returns the object; raises UnpicklingError where the pickle is damaged or refused."""
        steps = {
            code[0]: functools.partial(getattr(self, name), *fixed)
            for code, (name, *fixed) in _STEPS.items()
        }
        read, stop = self._read, pickle.STOP[0]
        try:
            while True:
                code = read(1)[0]
                if code == stop:
                    return self._stack.pop()
                step = steps.get(code)
                if step is None:
                    raise UnpicklingError(f"Unsupported operand {code}")
                step()
        except (IndexError, KeyError, struct.error, UnicodeDecodeError) as error:
            # Stack, memo and texts of a well-made pickle are never short of what it asks for.
            raise UnpicklingError(
                f"the pickle is damaged ({type(error).__name__}: {error})"
            ) from error

    # --- numbers, texts, bytes
    def _proto(self) -> None:
        version = self._read(1)[0]
        if version > pickle.HIGHEST_PROTOCOL:
            raise UnpicklingError(f"unsupported pickle protocol: {version}")

    def _frame(self) -> None:
        if self._number(UINT8) > self._stream.left:
            raise UnpicklingError("the pickle is truncated: a frame is longer than the file")

    def _number(self, form: struct.Struct) -> Any:
        return form.unpack(self._read(form.size))[0]

    def _data(self, form: struct.Struct) -> bytes:
        """Bytes after their own length."""
        size = self._number(form)
        if size < 0:
            raise UnpicklingError("the pickle is damaged: a negative length")
        return self._read(size)

    def _push_number(self, form: struct.Struct) -> None:
        self._stack.append(self._number(form))

    def _push_long(self, form: struct.Struct) -> None:
        self._stack.append(int.from_bytes(self._data(form), "little", signed=True))

    def _push_text(self, form: struct.Struct) -> None:
        self._stack.append(str(self._data(form), "utf-8", "surrogatepass"))

    def _push_bytes(self, form: struct.Struct) -> None:
        self._stack.append(self._data(form))

    def _push_bytearray(self, form: struct.Struct) -> None:
        self._stack.append(bytearray(self._data(form)))

    def _push_string(self, form: struct.Struct) -> None:
        """A text of Python 2, which did not say in which encoding it is."""
        data = self._data(form)
        self._stack.append(data if self._encoding == "bytes" else data.decode(self._encoding))

    def _push_constant(self, value: Any) -> None:
        self._stack.append(value)

    def _push_empty(self, kind: type) -> None:
        self._stack.append(kind())

    # --- the stack
    def _mark(self) -> None:
        self._marks.append(self._stack)
        self._stack = []

    def _since_mark(self) -> list[Any]:
        values = self._stack
        self._stack = self._marks.pop()
        return values

    def _tuple(self) -> None:
        values = self._since_mark()
        self._stack.append(tuple(values))

    def _tuple_of(self, count: int) -> None:
        stack = self._stack
        if len(stack) < count:
            raise IndexError("stack underflow")
        stack[-count:] = [tuple(stack[-count:])]

    def _get(self, form: struct.Struct) -> None:
        self._stack.append(self._memo[self._number(form)])

    def _put(self, form: struct.Struct) -> None:
        self._memo[self._number(form)] = self._stack[-1]

    def _memoize(self) -> None:
        self._memo[len(self._memo)] = self._stack[-1]

    # --- containers
    def _append(self) -> None:
        value = self._stack.pop()
        self._target("append to", list).append(value)

    def _appends(self) -> None:
        values = self._since_mark()
        target = self._target("extend", list)
        if hasattr(target, "extend"):
            target.extend(values)
            return
        for value in values:
            target.append(value)

    def _set_item(self) -> None:
        value, key = self._stack.pop(), self._stack.pop()
        target = self._target("set items of", dict, OrderedDict, Counter)
        self._check_key(key, target)
        target[key] = value

    def _set_items(self) -> None:
        values = self._since_mark()
        target = self._target("set items of", dict, OrderedDict, Counter)
        if len(values) % 2:
            raise UnpicklingError("the pickle is damaged: a key without a value")
        for position in range(0, len(values), 2):
            key = values[position]
            if type(key) is not str:
                self._check_key(key, target)
            target[key] = values[position + 1]

    def _add_items(self) -> None:
        values = self._since_mark()
        target = self._target("add to", set)
        for value in values:
            self._check_key(value, target)
            target.add(value)

    def _frozenset(self) -> None:
        values = self._since_mark()
        for value in values:
            self._check_key(value, values)
        self._stack.append(frozenset(values))

    def _target(self, doing: str, *kinds: type) -> Any:
        target = self._stack[-1]
        if type(target) not in kinds and not self._allowed.trusts(type(target)):
            names = ", ".join(kind.__name__ for kind in kinds)
            raise UnpicklingError(f"Can only {doing} {names}, but got {type(target)}")
        return target

    def _check_key(self, key: Any, target: Any) -> None:
        """Refuses keys whose hash or comparison runs code of others, or never ends."""
        if type(key) is str:
            return
        check_hashable(key, self._allowed.trusts)
        counts = self._hashes.get(id(target))
        if counts is None:
            counts = self._hashes[id(target)] = Counter()
            self._kept.append(target)
        number = hash(key)
        counts[number] += 1
        if counts[number] > MAX_EQUAL_HASHES and key not in target:
            raise UnpicklingError(
                f"more than {MAX_EQUAL_HASHES} keys have the same hash: the file was made to hang "
                "the program that reads it"
            )

    # --- names, calls, instances
    def _global(self) -> None:
        module = self._stream.line()
        self._push_global(module, self._stream.line())

    def _stack_global(self) -> None:
        name, module = self._stack.pop(), self._stack.pop()
        if type(module) is not str or type(name) is not str:
            raise UnpicklingError("the pickle is damaged: a name is not a text")
        self._push_global(module, name)

    def _push_global(self, module: str, name: str) -> None:
        module, name = python3_name(module, name)
        self._stack.append(self._allowed.find(module, name))

    def _reduce(self) -> None:
        args = self._stack.pop()
        self._stack[-1] = self._allowed.call(self._stack[-1], _args(args))

    def _new_object(self) -> None:
        args = self._stack.pop()
        self._stack[-1] = self._allowed.make(self._stack[-1], _args(args), {})

    def _new_object_keywords(self) -> None:
        keywords, args = self._stack.pop(), self._stack.pop()
        if type(keywords) is not dict or not all(type(key) is str for key in keywords):
            raise UnpicklingError("the pickle is damaged: keyword arguments are not named")
        self._stack[-1] = self._allowed.make(self._stack[-1], _args(args), keywords)

    def _build(self) -> None:
        state = self._stack.pop()
        self._allowed.build(self._stack[-1], state)

    def _persistent_id(self) -> None:
        self._stack[-1] = self._persistent_load(self._stack[-1])


# Opcodes: the method that carries one out, and what is fixed in its call.
_STEPS: dict[bytes, tuple] = {
    pickle.PROTO: ("_proto",),
    pickle.FRAME: ("_frame",),
    pickle.MARK: ("_mark",),
    pickle.NONE: ("_push_constant", None),
    pickle.NEWTRUE: ("_push_constant", True),
    pickle.NEWFALSE: ("_push_constant", False),
    pickle.BININT: ("_push_number", INT4),
    pickle.BININT1: ("_push_number", UINT1),
    pickle.BININT2: ("_push_number", UINT2),
    pickle.BINFLOAT: ("_push_number", FLOAT),
    pickle.LONG1: ("_push_long", UINT1),
    pickle.LONG4: ("_push_long", INT4),
    pickle.BINUNICODE: ("_push_text", UINT4),
    pickle.SHORT_BINUNICODE: ("_push_text", UINT1),
    pickle.BINUNICODE8: ("_push_text", UINT8),
    pickle.BINSTRING: ("_push_string", INT4),
    pickle.SHORT_BINSTRING: ("_push_string", UINT1),
    pickle.BINBYTES: ("_push_bytes", UINT4),
    pickle.SHORT_BINBYTES: ("_push_bytes", UINT1),
    pickle.BINBYTES8: ("_push_bytes", UINT8),
    pickle.BYTEARRAY8: ("_push_bytearray", UINT8),
    pickle.EMPTY_TUPLE: ("_push_constant", ()),
    pickle.TUPLE: ("_tuple",),
    pickle.TUPLE1: ("_tuple_of", 1),
    pickle.TUPLE2: ("_tuple_of", 2),
    pickle.TUPLE3: ("_tuple_of", 3),
    pickle.EMPTY_LIST: ("_push_empty", list),
    pickle.APPEND: ("_append",),
    pickle.APPENDS: ("_appends",),
    pickle.EMPTY_DICT: ("_push_empty", dict),
    pickle.SETITEM: ("_set_item",),
    pickle.SETITEMS: ("_set_items",),
    pickle.EMPTY_SET: ("_push_empty", set),
    pickle.ADDITEMS: ("_add_items",),
    pickle.FROZENSET: ("_frozenset",),
    pickle.BINGET: ("_get", UINT1),
    pickle.LONG_BINGET: ("_get", UINT4),
    pickle.BINPUT: ("_put", UINT1),
    pickle.LONG_BINPUT: ("_put", UINT4),
    pickle.MEMOIZE: ("_memoize",),
    pickle.GLOBAL: ("_global",),
    pickle.STACK_GLOBAL: ("_stack_global",),
    pickle.REDUCE: ("_reduce",),
    pickle.NEWOBJ: ("_new_object",),
    pickle.NEWOBJ_EX: ("_new_object_keywords",),
    pickle.BUILD: ("_build",),
    pickle.BINPERSID: ("_persistent_id",),
}


class NameCollector:
    """An allow-list that notes the names of a pickle and puts nothing in their place."""

    def __init__(self) -> None:
        self.found: dict[tuple[str, str], None] = {}

    def find(self, module: str, name: str) -> Nothing:
        """Notes a name."""
        self.found[module, name] = None
        return Nothing()

    def call(self, function: Any, args: tuple) -> Nothing:
        """Calls nothing."""
        return Nothing()

    def make(self, kind: Any, args: tuple, keywords: dict) -> Nothing:
        """Makes nothing."""
        return Nothing()

    def build(self, instance: Any, state: Any) -> None:
        """Fills nothing."""

    def trusts(self, kind: type) -> bool:
        """Lets nothing stand where a container would."""
        return kind is Nothing


class Nothing:
    """Takes the place of an object that is not made, and whatever is put into it."""

    def take(self, *values: Any) -> None:
        """Forgets what it is given."""

    append = extend = add = __setitem__ = take


def python3_name(module: str, name: str) -> tuple[str, str]:
    """Returns the present name of what Python 2 called otherwise, as protocol 2 still writes it."""
    if (module, name) in _compat_pickle.NAME_MAPPING:
        return _compat_pickle.NAME_MAPPING[module, name]
    return _compat_pickle.IMPORT_MAPPING.get(module, module), name


def shown(value: Any) -> str:
    """A few words for an object of a file; its own `repr` may never end, or run code of others."""
    if isinstance(value, type):
        return f"the class {value.__module__}.{value.__qualname__}"
    if type(value) in (str, bytes):
        return repr(value[:40])
    if type(value) is int and abs(value) < 1 << 64:
        return repr(value)
    return f"an object of {shown(type(value))}"


def check_hashable(key: Any, trusts: Callable[[type], bool]) -> None:
    """Raises UnpicklingError unless hashing and comparing `key` is quick and runs no one's code."""
    left, parts = [(key, 0)], 0
    while left:
        value, depth = left.pop()
        parts += 1
        if parts > MAX_KEY_PARTS or depth > MAX_KEY_DEPTH:
            raise UnpicklingError("a tuple used as a key is too large or too deep")
        if isinstance(value, (tuple, frozenset)):
            left.extend((each, depth + 1) for each in value)
        kind = type(value)
        if kind not in ATOMS and not trusts(kind) and not _hashes_by_itself(kind):
            raise UnpicklingError(f"Can not use {shown(value)} as a key")


def _hashes_by_itself(kind: type) -> bool:
    """True where neither hash nor comparison is a Python function from outside Lantern."""
    if not issubclass(kind, Hashable):
        return False
    return all(
        not isinstance(method, FunctionType) or f"{method.__module__}.".startswith("lantern.")
        for method in (kind.__hash__, kind.__eq__)
    )


def _args(args: Any) -> tuple:
    if type(args) is not tuple:
        raise UnpicklingError(f"the pickle is damaged: arguments are {type(args)}, not a tuple")
    return args
