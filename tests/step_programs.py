"""Random small programs around one function, to be run eagerly, interpreted and as native code.

A program is Python text: `make_world()` gives the tensors that the function reaches, `step(...)` is
the function, `calls` say what it is given, call by call. Statements are drawn and tried; those that
raise or give too many numbers are dropped. Numbers are small multiples of 1/4, so that choices made
by them (comparisons, roundings) come out alike however sums are ordered; where numbers have become
rough, such choices are not made any more.
"""

from __future__ import annotations

import random

import numpy as np

import lantern

SHAPES = [(3, 4), (4,), (3, 1), (2, 3, 4), (4, 4), (), (1, 4), (5,), (3, 4)]
DTYPES = ["float32"] * 6 + ["float64", "int64", "int32", "bool"]
LIMIT = 400

EXACT_UNARY = ["neg", "abs", "clone", "detach", "relu"]
ROUGH_UNARY = ["exp", "tanh", "sigmoid", "sin", "square", "softplus", "log_sigmoid"]
DISCRETE = ["sign", "floor", "round", "isnan", "argmax", "argsort"]
BINARY = ["add", "sub", "mul", "maximum", "minimum", "div", "eq", "lt"]


class Facts:
    """What the generator knows of a variable: how often numbers were multiplied; 9 is rough."""

    def __init__(self, level: int = 0):
        self.level = level


class Program:
    """Draws a program from a seed; `text` is its source, `calls` its driver's choices."""

    def __init__(self, seed: int):
        self.random = random.Random(seed)
        self.seed = seed
        self.world: list[str] = []
        self.names: list[str] = []  # of the world
        self.params: list[str] = []
        self.body: list[str] = []
        self.facts: dict[str, Facts] = {}
        self.count = 0
        self._world()
        self._arguments()
        self.space = self._fresh_space()
        for _ in range(self.random.randint(2, 12)):
            self._statement()
        self._ending()

    # --- the world and the arguments
    def _numbers(self, shape: tuple, dtype: str) -> str:
        return f"numbers({shape}, {dtype!r})"

    def _world(self) -> None:
        choose = self.random
        for i in range(choose.randint(1, 3)):
            name = f"p{i}"
            dtype = choose.choice(["float32"] * 5 + ["float64"])
            self.world.append(
                f"{name} = {self._numbers(choose.choice(SHAPES), dtype)}.requires_grad_()"
            )
            self.params.append(name)
            self.names.append(name)
        for i in range(choose.randint(0, 2)):
            name = f"b{i}"
            shape = choose.choice([each for each in SHAPES if each])
            self.world.append(f"{name} = {self._numbers(shape, choose.choice(DTYPES))}")
            self.names.append(name)
            if choose.random() < 0.4:
                view = choose.choice(["[0]", "[-1:]", ".t()" if len(shape) == 2 else "[:2]"])
                self.world.append(f"w{i} = {name}{view}")
                self.names.append(f"w{i}")
        kinds = ["lantern.optim.SGD({}, lr=0.125)", "lantern.optim.Adam({}, lr=0.01, eps=0.05)"]
        kinds.append("lantern.optim.SGD({}, lr=0.125, momentum=0.5, weight_decay=0.25)")
        self.world.append(
            f"opt = {choose.choice(kinds).format('[' + ', '.join(self.params) + ']')}"
        )

    def _arguments(self) -> None:
        choose = self.random
        self.arguments: list[tuple[tuple, str, bool]] = []
        for _ in range(choose.randint(1, 3)):
            dtype = choose.choice(DTYPES)
            wants = dtype.startswith("float") and choose.random() < 0.2
            self.arguments.append((choose.choice(SHAPES), dtype, wants))
        if choose.random() < 0.25:
            self.arguments.append(((3,), "index", False))
        self.tall = choose.random() < 0.1  # many rows of few columns lie column by column
        if self.tall:
            self.arguments.append(((80, 4), "float32", choose.random() < 0.2))
        self.argument_names = [f"a{i}" for i in range(len(self.arguments))]
        self.alias = choose.random()  # how some arguments are related
        self.calls = [
            {
                "seed": choose.randrange(1 << 30),
                "batch": choose.random() < 0.15,
                "out": choose.random() < 0.1,
                "mutate": choose.random() < 0.5,
                "lr": choose.choice([None, None, 0.25, 0.0]),
                "no_grad": choose.random() < 0.08,
                "rebind": choose.random() < 0.08,
            }
            for _ in range(7)
        ]

    def _fresh_space(self) -> dict:
        space: dict = {"lantern": lantern, "numbers": Numbers(self.seed), "torch": lantern}
        exec("\n".join(self.world), space)
        for name, value in zip(self.argument_names, self.draw(self.calls[0]), strict=True):
            space[name] = value
        for name in [*self.names, *self.argument_names]:
            self.facts[name] = Facts()
        return space

    def draw(self, call: dict) -> list:
        """Returns the arguments of a call."""
        numbers = Numbers(call["seed"])
        found = []
        for shape, dtype, wants in self.arguments:
            if dtype == "index":
                index = numbers.generator.integers(0, 3, shape)
                index[0] = 99 if call["out"] else index[0]
                found.append(lantern.from_numpy(index))
                continue
            if call["batch"] and len(shape) > 1:
                shape = (2, *shape[1:])
            tensor = numbers(shape, dtype)
            if numbers.generator.random() < 0.2 and len(shape) == 2:
                tensor = numbers((shape[1], shape[0]), dtype).t()
            elif numbers.generator.random() < 0.1 and shape:
                tensor = numbers((2 * shape[0], *shape[1:]), dtype)[::2]
            found.append(tensor.detach().requires_grad_() if wants else tensor)
        if self.alias < 0.1 and len(found) > 1 and found[0].ndim and found[0].shape[0]:
            found[1] = found[0][0]
        elif self.alias < 0.15 and len(found) > 1:
            found[1] = found[0]
        return found

    # --- statements
    def pick(self, test=lambda value: True, level: int = 9) -> str | None:
        names = [*self.names, *self.argument_names]
        names += [each for each in self.facts if each.startswith("v")] * 2
        good = [
            each
            for each in names
            if isinstance(self.space.get(each), lantern.Tensor)
            and self.facts[each].level <= level
            and test(self.space[each])
        ]
        return self.random.choice(good) if good else None

    def _statement(self) -> None:
        kinds = [self._unary, self._binary, self._binary, self._view, self._view, self._reduce]
        kinds += [self._inplace, self._inplace, self._setitem, self._matmul, self._index]
        kinds += [self._join, self._where, self._cast, self._random, self._norm, self._state]
        kinds += [self._library, *[self._matmul] * (6 if self.tall else 0)]
        found = self.random.choice(kinds)()
        if found is None:
            return
        text, name, level = found
        try:
            exec(text, self.space)
        except (RuntimeError, TypeError, ValueError, IndexError, NotImplementedError):
            self.failed = text
            return
        value = self.space.get(name)
        if isinstance(value, lantern.Tensor) and value.numel() > LIMIT:
            del self.space[name]
            return
        self.body.append(text)
        old = self.facts.get(name)
        self.facts[name] = Facts(max(level, old.level if old else 0))
        if old is not None and level:  # what shares the memory becomes as rough
            for other, facts in self.facts.items():
                shared = self.space.get(other)
                if isinstance(shared, lantern.Tensor) and shared._storage is value._storage:
                    facts.level = max(facts.level, level)

    def _new(self) -> str:
        self.count += 1
        return f"v{self.count}"

    def _level(self, *names: str, add: int = 0) -> int:
        level = max(self.facts[each].level for each in names) + add
        return 9 if level > 3 else level

    def _unary(self):
        x = self.pick()
        if x is None:
            return None
        draw = self.random.random()
        if draw < 0.2 and self._level(x) < 9:
            name = self.random.choice(DISCRETE)
            extra = ", -1, stable=True" if name == "argsort" else ""
            if name == "argsort":
                text = f"torch.sort({x}, stable=True, dim=-1)[1]"
                return f"{(v := self._new())} = {text}", v, 0
            return f"{(v := self._new())} = torch.{name}({x}{extra if extra else ''})", v, 0
        if draw < 0.5:
            name = self.random.choice(EXACT_UNARY)
            return f"{(v := self._new())} = {x}.{name}()", v, self._level(x)
        name = self.random.choice(ROUGH_UNARY)
        call = {
            "softplus": "torch.nn.functional.softplus",
            "log_sigmoid": "torch.nn.functional.logsigmoid",
        }
        return f"{(v := self._new())} = {call.get(name, 'torch.' + name)}({x} * 0.5)", v, 9

    def _binary(self):
        name = self.random.choice(BINARY)
        x = self.pick(level=3 if name in ("eq", "lt") else 9)
        if x is None:
            return None
        if self.random.random() < 0.3:
            y, level = self.random.choice(["2", "0.5", "-1", "1.5"]), self._level(x)
        else:
            y = self.pick(level=3 if name in ("eq", "lt") else 9)
            if y is None:
                return None
            level = self._level(x, y)
        if name == "div":
            return f"{(v := self._new())} = {x} / ({y} * {y} + 1)", v, 9
        if name in ("maximum", "minimum") and not y.lstrip("-")[0].isdigit():
            return f"{(v := self._new())} = torch.{name}({x}, {y})", v, level
        if name == "mul":
            return f"{(v := self._new())} = {x} * {y}", v, 9 if level >= 3 else level + 1
        if name in ("eq", "lt"):
            return f"{(v := self._new())} = torch.{name}({x}, {y})", v, 0
        sign = "+" if name == "add" else "-"
        return f"{(v := self._new())} = {x} {sign} {y}", v, level

    def _view(self):
        x = self.pick(lambda value: value.ndim > 0)
        if x is None:
            return None
        shape = tuple(self.space[x].shape)
        ways = [
            "[0]",
            "[-1]",
            "[1:]",
            "[::2]",
            "[None]",
            ".reshape(-1)",
            ".unsqueeze(0)",
            ".flip(0)",
        ]
        ways += [
            ".expand(2, *{x}.shape)",
            ".squeeze()",
            ".transpose(0, -1)",
            ".view(-1)",
            ".narrow(0, 0, 1)",
        ]
        ways += [
            ".flatten()",
            ".chunk(2, -1)[0]",
            ".unbind(0)[0]",
            ".diagonal()",
            ".permute(*range({x}.ndim)[::-1])",
        ]
        ways += ["[..., 0]", "[:, 1:]"] if len(shape) > 1 else []
        way = self.random.choice(ways).replace("{x}", x)
        return f"{(v := self._new())} = {x}{way}", v, self._level(x)

    def _reduce(self):
        x = self.pick(lambda value: value.numel() > 0)
        if x is None:
            return None
        name = self.random.choice(
            ["sum", "mean", "amax", "amin", "var", "logsumexp", "cumsum", "any", "norm"]
        )
        dim = self.random.choice(["", "0", "-1", "0, keepdim=True"])
        if name in ("logsumexp", "cumsum") and not dim:
            dim = "0"
        if name == "cumsum":
            dim = dim.split(",")[0]
        if name in ("var", "norm"):
            dim = ""
        level = self._level(x)
        if name in ("mean", "var", "logsumexp", "norm"):
            level = 9
        return f"{(v := self._new())} = {x}.{name}({dim})", v, level

    def _inplace(self):
        x = self.pick(lambda value: not (value.requires_grad and value.is_leaf))
        y = self.pick()
        if x is None or y is None:
            return None
        how = self.random.choice(
            [
                "add_({y})",
                "mul_(0.5)",
                "sub_(1)",
                "copy_({y})",
                "zero_()",
                "clamp_(-1, 1)",
                "mul_({y})",
                "relu_()",
                "fill_(2)",
            ]
        )
        level = self._level(x, y)
        if "mul_({y})" in how:
            level = 9 if level >= 3 else level + 1
        if how == "mul_(0.5)" and self.space[x].dtype.kind != "f":
            return None
        if how == "copy_({y})" and level == 9 and self.space[x].dtype.kind != "f":
            return None
        text = f"{x}.{how.replace('{y}', y)}"
        return (f"with torch.no_grad(): {text}" if self.random.random() < 0.2 else text), x, level

    def _setitem(self):
        x = self.pick(lambda value: value.ndim > 0 and not (value.requires_grad and value.is_leaf))
        y = self.pick()
        if x is None or y is None:
            return None
        level = self._level(x, y)
        if level == 9 and self.space[x].dtype.kind != "f":
            return None
        place = self.random.choice(["0", "1:", "-1", "::2", "...", "..., 0"])
        value = self.random.choice([y, "1.0", f"{y}.sum()"])
        if "sum" in value and self.space[x].dtype.kind != "f":
            return None
        return f"{x}[{place}] = {value}", x, level

    def _matmul(self):
        y = self.pick(lambda value: value.ndim > self.tall and value.dtype.kind == "f")
        long = 64 if self.tall else 1
        x = self.pick(lambda value: value.shape[:1] >= (long,) and value.dtype.kind == "f")
        if x is None or y is None:
            return None
        ways = [f"{x} @ {y}", f"{x} @ {y}.t()", f"torch.nn.functional.linear({x}, {y})"]
        ways += [f"sum(({x} @ {y} + 0.5).chunk(2, -1))", f"({x} @ {y} - 0.5)[1:]"]
        text = self.random.choice(ways)
        return f"{(v := self._new())} = {text}", v, 9

    def _index(self):
        x = self.pick(lambda value: value.ndim > 0)
        if x is None:
            return None
        index = [
            n
            for n, (_, dtype, _) in zip(self.argument_names, self.arguments, strict=True)
            if dtype == "index"
        ]
        place = index[0] if index and self.random.random() < 0.8 else "torch.tensor([0, 1, 0])"
        way = self.random.choice(["{x}[{i}]", "{x}.index_select(0, {i})", "{x}[..., {i}]"])
        if self.random.random() < 0.15:
            way = "{x}.index_add(0, {i}, torch.ones(3, *{x}.shape[1:], dtype={x}.dtype))"
        return f"{(v := self._new())} = {way.format(x=x, i=place)}", v, self._level(x)

    def _join(self):
        x, y = self.pick(), self.pick()
        if x is None or y is None:
            return None
        text = self.random.choice(
            [
                f"torch.cat([{x}, {y}])",
                f"torch.stack([{x}, {x}, {y}], -1)",
                f"torch.cat([{x}, {x}], -1)",
            ]
        )
        return f"{(v := self._new())} = {text}", v, self._level(x, y)

    def _where(self):
        c = self.pick(lambda value: value.dtype.kind == "b")
        x, y = self.pick(), self.pick()
        if c is None or x is None or y is None:
            return None
        text = self.random.choice([f"torch.where({c}, {x}, {y})", f"{x}.masked_fill({c}, 0.5)"])
        return f"{(v := self._new())} = {text}", v, self._level(x, y)

    def _cast(self):
        x = self.pick()
        if x is None:
            return None
        way = self.random.choice(
            ["float()", "double()", "long()", "bool()", "half().float()", "to(torch.int32)"]
        )
        if way[0] in "lbth" and self._level(x) == 9:
            return None
        return f"{(v := self._new())} = {x}.{way}", v, self._level(x)

    def _random(self):
        x = self.pick(lambda value: value.dtype.kind == "f")
        if x is None or self.random.random() < 0.5:
            return None
        way = self.random.choice(
            [
                "torch.nn.functional.dropout({x}, 0.5)",
                "torch.rand(3, 4)",
                "torch.randn_like({x})",
                "torch.bernoulli(torch.full((4,), 0.5))",
            ]
        )
        return f"{(v := self._new())} = {way.replace('{x}', x)}", v, 9

    def _norm(self):
        x = self.pick(lambda value: value.ndim > 0 and value.dtype.kind == "f")
        if x is None:
            return None
        # Rows of nearly one number leave rounding alone, which is small beside eps if they are.
        way = self.random.choice(
            [
                "softmax({x}, -1)",
                "log_softmax({x}, 0)",
                "layer_norm({x} / (1 + {x}.abs().max()), {x}.shape[-1:], eps=1e-3)",
                "gelu({x})",
                "normalize({x}, dim=-1)",
            ]
        )
        return f"{(v := self._new())} = torch.nn.functional.{way.replace('{x}', x)}", v, 9

    def _state(self):
        """A running average in a buffer, as batch norm keeps one."""
        x = self.pick(lambda value: value.dtype.kind == "f")
        buffers = [n for n in self.names if n[0] in "bw" and self.space[n].dtype.kind == "f"]
        if not buffers or x is None:
            return None
        b = self.random.choice(buffers)
        return f"with torch.no_grad(): {b}.mul_(0.5).add_({x}.mean())", b, 9

    def _library(self):
        x = self.pick(lambda value: value.dtype.kind == "f" and value.requires_grad)
        y = self.pick(lambda value: value.dtype.kind == "f")
        if x is None or y is None:
            return None
        # Where both are equal the slope of an absolute error jumps, and rounding decides: keep off.
        way = self.random.choice(
            ["mse_loss({x}, {y})", "l1_loss({x}, {y}.detach() + 0.1)", "smooth_l1_loss({x}, {y})"]
        )
        return (
            f"{(v := self._new())} = torch.nn.functional.{way.replace('{x}', x).replace('{y}', y)}",
            v,
            9,
        )

    # --- the end
    def _ending(self) -> None:
        choose = self.random
        made = [n for n in self.facts if isinstance(self.space.get(n), lantern.Tensor)]
        recent = [n for n in made if n.startswith("v")][-5:]
        tracked = [n for n in made if n.startswith("v") and self.space[n].requires_grad]
        self.trains = bool(tracked) and choose.random() < 0.6
        if self.trains:
            losses = [
                f"torch.tanh({n}).float().mean()"
                for n in choose.sample(tracked, min(2, len(tracked)))
            ]
            lines = [f"loss = {' + '.join(losses)}", "opt.zero_grad()", "loss.backward()"]
            draw = choose.random()
            if draw < 0.15:
                lines = [lines[0], lines[2]]
            elif draw < 0.3:
                lines.insert(2, "pass")
                lines[1] = "opt.zero_grad(set_to_none=False)"
            if choose.random() < 0.8:
                if choose.random() < 0.2:
                    lines.append(f"torch.nn.utils.clip_grad_norm_([{', '.join(self.params)}], 0.5)")
                lines.append("opt.step()")
                if choose.random() < 0.2:
                    lines.append("opt.zero_grad()")
            else:
                lines.append("")
            self.body += lines
            recent.append("loss")
        extra = choose.sample(made, min(len(made), choose.randint(0, 2)))
        results = list(
            dict.fromkeys([*choose.sample(recent, min(len(recent), choose.randint(0, 3))), *extra])
        )
        form = choose.random()
        if not results:
            self.result = "None"
        elif form < 0.3:
            self.result = results[0]
        elif form < 0.7:
            self.result = f"({', '.join(results)},)"
        else:
            self.result = "{" + ", ".join(f"{n!r}: [{n}, 1.5]" for n in results) + "}"

    @property
    def text(self) -> str:
        """The source of the function."""
        lines = [line for line in self.body if line]
        lines += ["opt.param_groups"] if not lines else []
        lines.append(f"return {self.result}")
        inner = "\n".join("    " + line for line in lines)
        return f"def step({', '.join(self.argument_names)}):\n{inner}\n"


class Numbers:
    """Draws tensors of small multiples of 1/4."""

    def __init__(self, seed: int):
        self.generator = np.random.default_rng(seed)

    def __call__(self, shape: tuple, dtype: str) -> lantern.Tensor:
        values = self.generator.integers(-8, 9, shape)
        if dtype.startswith("float"):
            values = values / 4
        elif dtype == "bool":
            values = values > 0
        return lantern.from_numpy(np.asarray(values).astype(dtype))


def frozen(value):
    """Returns what can be compared later: copies of tensors with dtype, history and strides."""
    if isinstance(value, lantern.Tensor):
        grad = (
            None if not value.is_leaf or value.grad is None else value.grad.detach().numpy().copy()
        )
        return (value.detach().numpy().copy(), value.requires_grad, grad)
    if isinstance(value, (tuple, list)):
        return [frozen(each) for each in value]
    if isinstance(value, dict):
        return {name: frozen(each) for name, each in value.items()}
    return value


def tensors_of(value):
    if isinstance(value, lantern.Tensor):
        return [value]
    if isinstance(value, (tuple, list)):
        return [x for each in value for x in tensors_of(each)]
    if isinstance(value, dict):
        return [x for each in value.values() for x in tensors_of(each)]
    return []


def execute(program: Program, compile) -> list:
    """Runs a program with its function given to `compile`; returns all that can be seen of it."""
    numbers = Numbers(program.seed)
    space: dict = {"lantern": lantern, "torch": lantern, "numbers": numbers}
    exec("\n".join(program.world), space)
    exec(program.text, space)
    step = compile(space["step"])
    lantern.manual_seed(program.seed)
    seen, kept = [], []
    for call in program.calls:
        args = program.draw(call)
        if call["lr"] is not None:
            space["opt"].param_groups[0]["lr"] = call["lr"]
        if call["rebind"]:
            name = program.params[0]
            space[name].data = space[name].detach() * 0.5
        before = {n: space[n].detach().clone() for n in program.names if n[0] in "pb"}
        state = lantern.get_rng_state()
        try:
            with lantern.set_grad_enabled(not (call["no_grad"] and not program.trains)):
                result = step(*args)
        except IndexError:
            with lantern.no_grad():
                for name, value in before.items():
                    space[name].detach_() if not space[name].is_leaf else None
                    space[name].copy_(value)
            lantern.set_rng_state(state)
            seen.append("IndexError")
            space["opt"].zero_grad()
            continue
        world = [space[n] for n in program.names]
        seen.append(frozen([result, args, world]))
        found = tensors_of(result)
        if not program.trains and not call["no_grad"]:
            roots = [each for each in found if each.requires_grad and each.grad_fn is not None]
            if roots:
                sum(torch_float(each) for each in roots).backward()
                leaves = [*args, *world]
                seen.append(frozen([each.grad for each in leaves if each.is_leaf]))
        for name in program.names:  # a buffer with a history would take it along for ever
            if not space[name].is_leaf and name[0] == "b":
                space[name].detach_()
        kept.append(found)
        if call["mutate"] and found:
            with lantern.no_grad():
                for each in found[:2]:
                    if not (each.requires_grad and each.is_leaf) and each.dtype.kind == "f":
                        try:
                            each.mul_(0.5)
                        except RuntimeError:
                            continue
        seen.append(frozen([kept, args, world]))
    return seen


def torch_float(tensor):
    return lantern.tanh(tensor).double().sum()


def differ(got, want, path: str = "") -> str | None:
    """Returns where two observations differ; None where they do not."""
    if type(got) is not type(want):
        return f"{path}: {got!r} and {want!r}"
    if isinstance(want, (list, tuple)):
        if len(got) != len(want):
            return f"{path}: {len(got)} and {len(want)} items"
        pairs = enumerate(zip(got, want, strict=True))
        return next((d for i, (a, b) in pairs if (d := differ(a, b, f"{path}[{i}]"))), None)
    if isinstance(want, dict):
        if list(got) != list(want):
            return f"{path}: {list(got)} and {list(want)}"
        return next((d for n in want if (d := differ(got[n], want[n], f"{path}.{n}"))), None)
    if isinstance(want, np.ndarray):
        if got.shape != want.shape or got.dtype != want.dtype:
            return f"{path}: {got.dtype}{got.shape} and {want.dtype}{want.shape}"
        if want.dtype.kind != "f":
            return None if (got == want).all() else f"{path}: {got!r} and {want!r}"
        finite = np.abs(want[np.isfinite(want)])
        scale = max(float(finite.max()) if finite.size else 1.0, 1.0)
        if np.allclose(got, want, rtol=1e-4, atol=2e-5 * scale, equal_nan=True):
            return None
        return f"{path}: {got!r} and {want!r}"
    return None if got == want else f"{path}: {got!r} and {want!r}"
