"""Prints instructions as LLVM assembly: one method for each that is more than its own name."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

from .builder import Function, Instruction, Loop
from .scalar import bits

# A function of two numbers that keeps its last result; bits are compared, so NaN is no matter.
_REMEMBERING = """@{own}.last = internal global [3 x {word}] [{word} -1, {word} -1, {word} -1]
define internal {element} @{own}({element} %x, {element} %y) noinline {{
  %a = bitcast {element} %x to {word}
  %b = bitcast {element} %y to {word}
  %second = getelementptr {word}, ptr @{own}.last, i64 1
  %third = getelementptr {word}, ptr @{own}.last, i64 2
  %c = load {word}, ptr @{own}.last
  %d = load {word}, ptr %second
  %e = icmp eq {word} %a, %c
  %f = icmp eq {word} %b, %d
  %known = and i1 %e, %f
  br i1 %known, label %old, label %new
old:
  %kept = load {element}, ptr %third
  ret {element} %kept
new:
  %made = call {element} @{name}({element} %x, {element} %y)
  store {word} %a, ptr @{own}.last
  store {word} %b, ptr %second
  store {element} %made, ptr %third
  ret {element} %made
}}
"""


def kind(element: str, lanes: int) -> str:
    """Returns the LLVM type of `lanes` elements."""
    return element if lanes == 1 else f"<{lanes} x {element}>"


def suffix(element: str, lanes: int) -> str:
    """Returns the ending that intrinsics on a type have."""
    short = {"float": "f32", "double": "f64", "half": "f16"}.get(element, element)
    return short if lanes == 1 else f"v{lanes}{short}"


def literal(number: Any, element: str) -> str:
    """Returns a Python number as LLVM spells it; floating point to the last bit."""
    if element in ("float", "double"):
        number = float(number)
        if element == "float":
            try:
                number = struct.unpack("<f", struct.pack("<f", number))[0]
            except OverflowError:
                number = float("inf") if number > 0 else float("-inf")
        return f"0x{struct.unpack('<Q', struct.pack('<d', number))[0]:016X}"
    if element == "i1":
        return "true" if number else "false"
    return str(int(number))


class Printer:
    """Prints the body of a function, instruction by instruction."""

    def __init__(self, function: Function, declarations: dict[str, None]):
        self.function = function
        self.name = function.name
        self.declarations = declarations
        self.lines: list[str] = []
        self.alias: dict[str, Any] = {}  # a name that stands for another name or for a number
        self.label = "entry"
        self.fresh = 0

    def text(self, name: str) -> str:
        """Returns the function as LLVM assembly, under a name."""
        self.name = name
        self._block(self.function.body)
        body = "\n".join(self.lines)
        places = ", ptr %places" if self.function.shared else ""
        head = f"define internal void @{name}(i64 %part{places})"
        return f"{head} {{\nentry:\n{body}\n  ret void\n}}\n"

    def _say(self, line: str) -> None:
        self.lines.append("  " + line)

    def _temporary(self) -> str:
        self.fresh += 1
        return f"%t{self.fresh}"

    def _declare(self, result: str, name: str, *types: str) -> None:
        self.declarations[f"declare {result} @{name}({', '.join(types)})"] = None

    def _resolve(self, x: Any) -> Any:
        while isinstance(x, str) and x in self.alias:
            x = self.alias[x]
        return x

    def _value(self, x: Any, element: str, lanes: int) -> str:
        """Returns an operand: a name, or a number repeated for every lane."""
        x = self._resolve(x)
        if isinstance(x, str):
            return x
        if isinstance(x, _Mask):
            return x.text(lanes)
        text = literal(x, element)
        if lanes == 1:
            return text
        return "<" + ", ".join([f"{element} {text}"] * lanes) + ">"

    # --- loops
    def _block(self, body: list) -> None:
        for each in body:
            if isinstance(each, Loop):
                self._loop(each)
            else:
                self._instruction(each)

    def _loop(self, loop: Loop) -> None:
        if isinstance(loop.start, str) or isinstance(loop.stop, str):
            self._open_loop(loop)
            return
        trips = len(range(loop.start, loop.stop, loop.step))
        if trips <= 1:
            self.alias[loop.index] = loop.start
            self.alias |= {
                c: self._resolve(f) for c, f in zip(loop.carried, loop.first, strict=True)
            }
            if trips:
                self._block(loop.body)
            last = loop.next if trips else loop.first
            self.alias |= {r: self._resolve(x) for r, x in zip(loop.results, last, strict=True)}
            return
        n, before = loop.number, self.label
        firsts = [
            self._value(first, *types) for first, types in zip(loop.first, loop.types, strict=True)
        ]
        self._say(f"br label %loop{n}")
        place = len(self.lines)
        self.label = f"loop{n}"
        self._block(loop.body)
        self._say(f"{loop.index}.next = add i64 {loop.index}, {loop.step}")
        self._say(f"{loop.index}.more = icmp slt i64 {loop.index}.next, {loop.stop}")
        self._say(f"br i1 {loop.index}.more, label %loop{n}, label %done{n}")
        head = [f"loop{n}:"]
        back = self.label
        head.append(
            f"  {loop.index} = phi i64 [{loop.start}, %{before}], [{loop.index}.next, %{back}]"
        )
        head += self._carried(loop, firsts, before, back)
        self.lines[place:place] = head
        self.lines.append(f"done{n}:")
        self.label = f"done{n}"
        self.alias |= {r: self._resolve(x) for r, x in zip(loop.results, loop.next, strict=True)}

    def _open_loop(self, loop: Loop) -> None:
        """Writes a loop whose bounds are computed: it looks before each round."""
        n, before = loop.number, self.label
        start, stop = self._value(loop.start, "i64", 1), self._value(loop.stop, "i64", 1)
        firsts = [
            self._value(first, *types) for first, types in zip(loop.first, loop.types, strict=True)
        ]
        self._say(f"br label %loop{n}")
        place = len(self.lines)
        self.lines.append(f"body{n}:")
        self.label = f"body{n}"
        self._block(loop.body)
        self._say(f"{loop.index}.next = add i64 {loop.index}, {loop.step}")
        self._say(f"br label %loop{n}")
        back = self.label
        head = [f"loop{n}:"]
        head.append(f"  {loop.index} = phi i64 [{start}, %{before}], [{loop.index}.next, %{back}]")
        head += self._carried(loop, firsts, before, back)
        head.append(f"  {loop.index}.more = icmp slt i64 {loop.index}, {stop}")
        head.append(f"  br i1 {loop.index}.more, label %body{n}, label %done{n}")
        self.lines[place:place] = head
        self.lines.append(f"done{n}:")
        self.label = f"done{n}"
        self.alias |= dict(zip(loop.results, loop.carried, strict=True))

    def _carried(self, loop: Loop, firsts: list[str], before: str, back: str) -> list[str]:
        """Returns the lines for what goes from round to round; it comes from one of two blocks."""
        lines = []
        for name, types, first, last in zip(
            loop.carried, loop.types, firsts, loop.next, strict=True
        ):
            last = self._value(last, *types)
            lines.append(f"  {name} = phi {kind(*types)} [{first}, %{before}], [{last}, %{back}]")
        return lines

    # --- instructions
    def _instruction(self, each: Instruction) -> None:
        special = getattr(self, "_" + each.what.replace(" ", "_"), None)
        if special is not None:
            special(each)
            return
        element, lanes = each.element, each.lanes
        args = [self._value(x, element, lanes) for x in each.args]
        if each.extra is not None:  # a conversion
            target = kind(each.extra, lanes)
            self._say(f"{each.result} = {each.what} {kind(element, lanes)} {args[0]} to {target}")
        else:
            self._say(f"{each.result} = {each.what} {kind(element, lanes)} {', '.join(args)}")

    def _constant(self, each: Instruction) -> None:
        self.alias[each.result] = each.args[0]

    def _mask(self, each: Instruction) -> None:
        self.alias[each.result] = _Mask(each.args[0])

    def _select(self, each: Instruction) -> None:
        element, lanes = each.element, each.lanes
        condition = self._value(each.args[0], "i1", lanes)
        x, y = (self._value(x, element, lanes) for x in each.args[1:])
        type_ = kind(element, lanes)
        self._say(
            f"{each.result} = select {kind('i1', lanes)} {condition}, {type_} {x}, {type_} {y}"
        )

    def _intrinsic(self, each: Instruction) -> None:
        element, lanes = each.element, each.lanes
        # fmuladd: fused where the machine has it, two roundings where it has not.
        name = {"fma": "fmuladd"}.get(each.extra, each.extra)
        name = f"llvm.{name}.{suffix(element, lanes)}"
        type_ = kind(element, lanes)
        self._declare(type_, name, *[type_] * len(each.args))
        args = ", ".join(f"{type_} {self._value(x, element, lanes)}" for x in each.args)
        self._say(f"{each.result} = call {type_} @{name}({args})")

    def _scaled(self, each: Instruction) -> None:
        lanes = each.lanes
        x, whole = (self._value(v, "float", lanes) for v in each.args[:2])
        floats = kind("float", lanes)
        if lanes == 16:  # only AVX-512 has vectors of 64 bytes, and this instruction
            name = "llvm.x86.avx512.mask.scalef.ps.512"
            self._declare(floats, name, floats, floats, floats, "i16", "i32")
            self._say(
                f"{each.result} = call {floats} @{name}({floats} {x}, {floats} {whole}, "
                f"{floats} {x}, i16 -1, i32 4)"
            )
            return
        ints = kind("i32", lanes)  # in two steps, so that both ends are reached
        n = self._value(each.args[2], "i32", lanes)
        half, rest, first = (self._temporary() for _ in range(3))
        self._say(f"{half} = ashr {ints} {n}, {self._value(1, 'i32', lanes)}")
        self._say(f"{rest} = sub {ints} {n}, {half}")
        self._say(f"{first} = fmul {floats} {x}, {self._power_of_two(half, lanes)}")
        second = self._power_of_two(rest, lanes)
        self._say(f"{each.result} = fmul {floats} {first}, {second}")

    def _power_of_two(self, n: str, lanes: int) -> str:
        biased, bits_, power = (self._temporary() for _ in range(3))
        ints = kind("i32", lanes)
        self._say(f"{biased} = add {ints} {n}, {self._value(127, 'i32', lanes)}")
        self._say(f"{bits_} = shl {ints} {biased}, {self._value(23, 'i32', lanes)}")
        self._say(f"{power} = bitcast {ints} {bits_} to {kind('float', lanes)}")
        return power

    def _looked_up(self, each: Instruction) -> None:
        name, floats, ints = "llvm.x86.avx512.permvar.sf.512", kind("float", 16), kind("i32", 16)
        self._declare(floats, name, floats, ints)
        numbers = ", ".join(f"float {literal(number, 'float')}" for number in each.extra)
        places = self._value(each.args[0], "i32", 16)
        self._say(f"{each.result} = call {floats} @{name}({floats} <{numbers}>, {ints} {places})")

    def _library(self, each: Instruction) -> None:
        (name, live), element, lanes = each.extra, each.element, each.lanes
        self._declare(element, name, *[element] * len(each.args))
        type_ = kind(element, lanes)
        args = [self._value(x, element, lanes) for x in each.args]
        if lanes == 1:
            inner = ", ".join(f"{element} {x}" for x in args)
            if name in ("pow", "powf") and self.function.parts == 1:
                name = self._remembering(name, element, args[0])
            self._say(f"{each.result} = call {element} @{name}({inner})")
            return

        def called(lane: int) -> str:
            parts = []
            for x in args:
                parts.append(self._temporary())
                self._say(f"{parts[-1]} = extractelement {type_} {x}, i64 {lane}")
            one = self._temporary()
            inner = ", ".join(f"{element} {x}" for x in parts)
            self._say(f"{one} = call {element} @{name}({inner})")
            return one

        self._join(each, range(live), called)

    def _join(self, each: Instruction, lanes: range, write: Callable[[int], str]) -> None:
        """Makes a vector of what `write` writes for each of these lanes; others are zero."""
        type_, vector = kind(each.element, each.lanes), "zeroinitializer"
        for lane in lanes:
            one = write(lane)
            result = each.result if lane == lanes[-1] else self._temporary()
            self._say(
                f"{result} = insertelement {type_} {vector}, {each.element} {one}, i64 {lane}"
            )
            vector = result

    def _remembering(self, name: str, element: str, base: str) -> str:
        """Returns a function that remembers its last result, one for each base in a kernel.

        Optimizers raise the same few numbers to the number of the step, parameter by parameter.
        """
        own = f"{self.name}.{name}.{base.strip('%')}"
        facts = {"own": own, "name": name, "element": element, "word": f"i{bits(element)}"}
        self.declarations[_REMEMBERING.format(**facts)] = None
        return own

    def _spread(self, each: Instruction) -> None:
        element, lanes = each.element, each.lanes
        x = self._value(each.args[0], element, 1)
        one, type_ = self._temporary(), kind(element, lanes)
        self._say(f"{one} = insertelement {type_} poison, {element} {x}, i64 0")
        self._say(
            f"{each.result} = shufflevector {type_} {one}, {type_} poison, "
            f"<{lanes} x i32> zeroinitializer"
        )

    def _part(self, each: Instruction) -> None:
        start, size = each.extra
        type_ = kind(each.element, size)
        x = self._value(each.args[0], each.element, size)
        if each.lanes == 1:
            self._say(f"{each.result} = extractelement {type_} {x}, i64 {start}")
            return
        places = ", ".join(f"i32 {i}" for i in range(start, start + each.lanes))
        self._say(
            f"{each.result} = shufflevector {type_} {x}, {type_} poison, "
            f"<{each.lanes} x i32> <{places}>"
        )

    def _shuffle(self, each: Instruction) -> None:
        type_ = kind(each.element, each.lanes)
        x, y = (self._value(x, each.element, each.lanes) for x in each.args)
        places = ", ".join(f"i32 {i}" for i in each.extra)
        self._say(
            f"{each.result} = shufflevector {type_} {x}, {type_} {y}, "
            f"<{each.lanes} x i32> <{places}>"
        )

    # --- memory
    def _pointer(self, each: Instruction) -> None:
        slot, offset = each.args
        base = self._temporary()
        if self.function.shared:
            self._given_pointer(each, base)
            return
        self._say(f"{base} = load ptr, ptr getelementptr (ptr, ptr @table, i64 {slot})")
        self._say(f"{each.result} = getelementptr i8, ptr {base}, i64 {offset}")

    def _given_pointer(self, each: Instruction, base: str) -> None:
        place, slot, next_, offset, entry = (self._temporary() for _ in range(5))
        self._say(f"{place} = getelementptr i64, ptr %places, i64 {2 * each.extra}")
        self._say(f"{slot} = load i64, ptr {place}")
        self._say(f"{next_} = getelementptr i64, ptr %places, i64 {2 * each.extra + 1}")
        self._say(f"{offset} = load i64, ptr {next_}")
        self._say(f"{entry} = getelementptr ptr, ptr @table, i64 {slot}")
        self._say(f"{base} = load ptr, ptr {entry}")
        self._say(f"{each.result} = getelementptr i8, ptr {base}, i64 {offset}")

    def _advance(self, each: Instruction) -> None:
        pointer, index, stride = each.args
        pointer, index = self._resolve(pointer), self._resolve(index)
        if isinstance(index, int):
            step: Any = index * stride
        else:
            step = self._temporary()
            self._say(f"{step} = mul i64 {index}, {stride}")
        self._say(f"{each.result} = getelementptr i8, ptr {pointer}, i64 {step}")

    def _load(self, each: Instruction) -> None:
        element, lanes, pointer = each.element, each.lanes, self._resolve(each.args[0])
        type_, align = kind(element, lanes), bits(element) // 8
        if each.extra is None or lanes == 1:
            self._say(f"{each.result} = load {type_}, ptr {pointer}, align {align}")
            return
        name = f"llvm.masked.load.{suffix(element, lanes)}.p0"
        self._declare(type_, name, "ptr", "i32 immarg", kind("i1", lanes), type_)
        self._say(
            f"{each.result} = call {type_} @{name}(ptr {pointer}, i32 {align}, "
            f"{kind('i1', lanes)} {_Mask(each.extra).text(lanes)}, {type_} zeroinitializer)"
        )

    def _store(self, each: Instruction) -> None:
        element, lanes = each.element, each.lanes
        x, pointer = self._value(each.args[0], element, lanes), self._resolve(each.args[1])
        type_, align = kind(element, lanes), bits(element) // 8
        if each.extra is None or lanes == 1:
            self._say(f"store {type_} {x}, ptr {pointer}, align {align}")
            return
        name = f"llvm.masked.store.{suffix(element, lanes)}.p0"
        self._declare("void", name, type_, "ptr", "i32 immarg", kind("i1", lanes))
        self._say(
            f"call void @{name}({type_} {x}, ptr {pointer}, i32 {align}, "
            f"{kind('i1', lanes)} {_Mask(each.extra).text(lanes)})"
        )

    def _prefetch(self, each: Instruction) -> None:
        self._declare("void", "llvm.prefetch.p0", "ptr", "i32 immarg", "i32 immarg", "i32 immarg")
        place = self._resolve(each.args[0])
        self._say(f"call void @llvm.prefetch.p0(ptr {place}, i32 {int(each.extra)}, i32 3, i32 1)")

    def _gather(self, each: Instruction) -> None:
        element, lanes = each.element, each.lanes
        pointer, stride = self._resolve(each.args[0]), each.args[1]
        apart, rest = divmod(stride, bits(element) // 8)
        if each.extra == lanes >= 4 and not rest and 2 <= apart <= 8:
            self._gather_near(each, pointer, apart)
            return

        def read(lane: int) -> str:
            place, one = self._temporary(), self._temporary()
            self._say(f"{place} = getelementptr i8, ptr {pointer}, i64 {lane * stride}")
            self._say(f"{one} = load {element}, ptr {place}, align {bits(element) // 8}")
            return one

        span = each.extra if isinstance(each.extra, tuple) else (0, each.extra)
        self._join(each, range(*span), read)

    def _pick(self, each: Instruction) -> None:
        element, lanes = each.element, each.lanes
        pointer, stride = self._resolve(each.args[0]), each.args[1]
        offsets = self._value(each.args[2], "i64", lanes)

        def picked(lane: int) -> str:
            offset, place, spot, one = (self._temporary() for _ in range(4))
            self._say(f"{place} = getelementptr i8, ptr {pointer}, i64 {lane * stride}")
            self._say(f"{offset} = extractelement {kind('i64', lanes)} {offsets}, i64 {lane}")
            self._say(f"{spot} = getelementptr i8, ptr {place}, i64 {offset}")
            self._say(f"{one} = load {element}, ptr {spot}, align {bits(element) // 8}")
            return one

        self._join(each, range(each.extra), picked)

    def _error(self, each: Instruction) -> None:
        """Sets the global error mark where the condition holds in any lane."""
        flag, wide, old, new = (self._temporary() for _ in range(4))
        x = self._value(each.args[0], "i1", each.lanes)
        if each.lanes > 1:
            name = f"llvm.vector.reduce.or.{suffix('i1', each.lanes)}"
            self._declare("i1", name, kind("i1", each.lanes))
            self._say(f"{flag} = call i1 @{name}({kind('i1', each.lanes)} {x})")
            x = flag
        self._say(f"{wide} = zext i1 {x} to i64")
        self._say(f"{old} = load i64, ptr @error")
        self._say(f"{new} = or i64 {old}, {wide}")
        self._say(f"store i64 {new}, ptr @error")

    def _gather_near(self, each: Instruction, pointer: str, apart: int) -> None:
        """Reads elements a few places apart as whole vectors, and shuffles them together."""
        element, lanes = each.element, each.lanes
        type_, item = kind(element, lanes), bits(element) // 8
        last = (lanes - 1) * (apart - 1)  # where the vector that ends with the last element starts
        starts = [min(lanes * j, last) for j in range(apart)]
        vectors = []
        for start in starts:
            place, vector = self._temporary(), self._temporary()
            self._say(f"{place} = getelementptr i8, ptr {pointer}, i64 {start * item}")
            self._say(f"{vector} = load {type_}, ptr {place}, align {item}")
            vectors.append(vector)
        found = {}  # lane: which vector has its element
        for lane in range(lanes):
            found[lane] = max(j for j, start in enumerate(starts) if start <= lane * apart)
        joined = vectors[0]
        for j in range(1, apart):
            places = []
            for lane in range(lanes):
                own = lane * apart - starts[found[lane]]
                first = own if j == 1 else lane
                places.append(lanes + own if found[lane] == j else first if found[lane] < j else 0)
            name = each.result if j == apart - 1 else self._temporary()
            text = ", ".join(f"i32 {i}" for i in places)
            self._say(
                f"{name} = shufflevector {type_} {joined}, {type_} {vectors[j]}, "
                f"<{lanes} x i32> <{text}>"
            )
            joined = name

    def _scatter(self, each: Instruction) -> None:
        element, lanes = each.element, each.lanes
        x, pointer = self._value(each.args[0], element, lanes), self._resolve(each.args[1])
        for lane in range(each.extra):
            place, one = self._temporary(), self._temporary()
            self._say(f"{place} = getelementptr i8, ptr {pointer}, i64 {lane * each.args[2]}")
            self._say(f"{one} = extractelement {kind(element, lanes)} {x}, i64 {lane}")
            self._say(f"store {element} {one}, ptr {place}, align {bits(element) // 8}")

    def _copy(self, each: Instruction) -> None:
        target, source, size = each.args
        self._say(
            f"call void @llvm.memcpy.p0.p0.i64(ptr {self._resolve(target)}, "
            f"ptr {self._resolve(source)}, i64 {size}, i1 false)"
        )


class _Mask:
    """The condition that holds in the first lanes, or in a span of them."""

    def __init__(self, count: int | tuple[int, int]):
        self.first, self.last = count if isinstance(count, tuple) else (0, count)

    def text(self, lanes: int) -> str:
        flags = ["i1 true" if self.first <= i < self.last else "i1 false" for i in range(lanes)]
        return "<" + ", ".join(flags) + ">" if lanes > 1 else flags[0].split()[1]
