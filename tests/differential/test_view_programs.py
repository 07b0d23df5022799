"""Random programs of views, writes in place and backward, run by PyTorch and by Lantern.

A program is a list of steps on a growing list of tensors. After every step both libraries must hold
the same values and the same `requires_grad`; what one refuses the other must refuse.
"""

from __future__ import annotations

import os
import random
import warnings
from typing import Any

import numpy as np
import pytest

import lantern

torch = pytest.importorskip("torch")

FIRST = int(os.environ.get("LANTERN_SEED", "0"))
COUNT = int(os.environ.get("LANTERN_RUNS", "60"))
Step = tuple[str, tuple]


def view_steps(rng: random.Random, shape: tuple[int, ...], expanded: bool) -> Step:
    """A view that a tensor of this shape has."""
    ndim = len(shape)
    options: list[Step] = [("reshape", (-1,)), ("alias", ())]
    options += [("unsqueeze", (rng.randint(0, ndim),)), ("expand", ((2, *shape),))]
    if ndim and 0 not in shape:
        d = rng.randrange(ndim)
        size = shape[d]
        options += [("select", (d, rng.randrange(size))), ("narrow", (d, 0, rng.randint(1, size)))]
        options += [("flip_slice", (d, rng.randint(1, 2))), ("squeeze", (d,)), ("squeeze", ())]
        options += [("permute", (tuple(rng.sample(range(ndim), ndim)),))]
        options += [("unfold", (d, rng.randint(1, size), rng.randint(1, 2)))]
        options += [("new_dim", ()), ("split", (d, max(size // 2, 1))), ("unbind", (d,))]
        options += [("flatten", ()), ("ellipsis", (rng.randrange(shape[-1]),))]
    if ndim >= 2:
        a, b = rng.sample(range(ndim), 2)
        options += [("transpose", (a, b)), ("diagonal", (rng.randint(-1, 1), a, b))]
        options += [("strided", ())] * (not expanded)
    if ndim == 2:
        options += [("t", ()), ("T", ())]
    return rng.choice(options)


def see(lib: Any, x: Any, name: str, args: tuple) -> Any:
    """Takes a view."""
    if name == "flip_slice":
        return x[(slice(None),) * args[0] + (slice(None, None, args[1] + 1),)]
    if name == "alias":
        return x[...]
    if name == "new_dim":
        return x[:, None]
    if name == "ellipsis":
        return x[..., args[0]]
    if name == "T":
        return x.T
    if name == "split":
        return x.split(args[1], args[0])[0]
    if name == "unbind":
        return x.unbind(args[0])[-1]
    if name == "strided":
        return x.as_strided((2,), (1,), x.storage_offset())
    return getattr(x, name)(*args)


WRITES = [
    "mul",
    "add",
    "add_view",
    "set",
    "set_row",
    "mul_leaf",
    "sin",
    "exp",
    "zero",
    "fill",
    "copy",
]
WRITES += ["sub_scaled", "index_put", "masked", "mul_itself", "fill_leaf", "set_part", "add_other"]

# What PyTorch lets pass on expanded tensors, to warn of it or to fail in backward.
UNCLEAR = ["fill", "zero", "set", "set_row", "index_put", "masked"]


def write(lib: Any, x: Any, other: Any, leaf: Any, name: str, number: float) -> None:
    """Writes in place."""
    if name == "mul":
        x.mul_(number)
    elif name == "add":
        x.add_(number)
    elif name == "add_view":
        x.add_(x.detach().clone().flatten()[:1].sum())
    elif name == "add_other":
        x.add_(other.sum())
    elif name == "set":
        x[...] = number
    elif name == "set_row":
        x[0] = number
    elif name == "set_part":
        x[..., :1] = other.sum() * number
    elif name == "mul_leaf":
        x.mul_(leaf)
    elif name == "fill_leaf":
        x.fill_(leaf)
    elif name == "mul_itself":
        x.mul_(x)
    elif name == "sub_scaled":
        x.sub_(other.sum(), alpha=number)
    elif name == "index_put":
        x[lib.tensor([0, 0])] = other.mean()
    elif name == "masked":
        x[x.detach() > 0] = number
    elif name == "fill":
        x.fill_(number)
    elif name == "copy":
        x.copy_(other.mean() * leaf)
    elif name == "zero":
        x.zero_()
    else:
        getattr(x, name + "_")()


def start(lib: Any, arrays: list[np.ndarray]) -> list[Any]:
    """The tensors that a program begins with: two leaves, and memory of no history."""
    first, plain, leaf = (lib.from_numpy(each.copy()) for each in arrays)
    first.requires_grad_()
    leaf.requires_grad_()
    return [leaf, first, first * 1.5, plain]


class Outcome:
    """What a step came to: a message if it was refused."""

    def __init__(self, error: Exception | None):
        self.kind = type(error).__name__ if error is not None else ""
        self.message = str(error)[:60]
        if "no_grad mode" in str(error) or "returns multiple views" in str(error):
            self.message = "a view that must not be written"  # whether itself or by way of its base

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Outcome) and (self.kind, self.message) == (
            other.kind,
            other.message,
        )

    def __repr__(self) -> str:
        return f"{self.kind}: {self.message}"


NOTHING = Outcome(None)


def long_strides(x: Any) -> list[int]:
    """The strides of dimensions in which there is more than one step to go."""
    return [stride for size, stride in zip(x.shape, x.stride(), strict=True) if size > 1]


def attempt(action: Any) -> tuple[Any, Outcome]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return action(), NOTHING
    except (RuntimeError, IndexError) as error:
        return None, Outcome(error)


def refresh(tensors: list[Any]) -> None:
    """Lets PyTorch take the histories of views again, which it else does when they are used."""
    for each in tensors:
        attempt(lambda each=each: each.grad_fn)


def step(lib: Any, tensors: list[Any], action: Step) -> Outcome:
    """Does one step; what it makes is added to the tensors."""
    kind, rest = action
    if kind == "view":
        place, name, args, no_grad = rest
        with lib.set_grad_enabled(not no_grad):
            made, outcome = attempt(lambda: see(lib, tensors[place], name, args))
        if made is not None:
            tensors.append(made)
        return outcome
    if kind == "write":
        place, other, name, number, no_grad = rest
        with lib.set_grad_enabled(not no_grad):
            return attempt(
                lambda: write(lib, tensors[place], tensors[other], tensors[0], name, number)
            )[1]
    if kind == "turn":
        place, name, args = rest
        return attempt(lambda: getattr(tensors[place], name)(*args))[1]
    if kind == "data":
        return attempt(lambda: tensors[rest[0]].data.mul_(0.5))[1]
    if kind == "detach":
        tensors.append(tensors[rest[0]].detach())
    elif kind == "compute":
        made, outcome = attempt(lambda: tensors[rest[0]] * tensors[0] + tensors[rest[0]].sin())
        if made is not None:
            tensors.append(made)
        return outcome
    return NOTHING


def shares_places(x: Any) -> bool:
    """Says whether elements of a window overlap, so that the order of writes would matter."""
    if not x.numel() or not x.ndim or 0 in x.stride():
        return False
    grid = np.indices(tuple(x.shape)).reshape(x.ndim, -1)
    return len(np.unique(np.array(x.stride()) @ grid)) < x.numel()


def draw(rng: random.Random, tensors: list[Any], quiet: bool) -> Step:
    """Chooses a step for tensors of these shapes."""
    place = rng.randrange(len(tensors))
    shape = tuple(tensors[place].shape)
    roll = rng.random()
    no_grad = not quiet and rng.random() < 0.08
    if roll < 0.45 and len(shape) < 5:
        return "view", (place, *view_steps(rng, shape, 0 in tensors[place].stride()), no_grad)
    if roll < 0.9:
        name = rng.choice(WRITES)
        if 0 in tensors[place].stride() and name in UNCLEAR:
            name = "mul"
        if shares_places(tensors[place]):
            return "detach", (place,)
        number = round(rng.uniform(-1.5, 1.5), 2)
        return "write", (place, rng.randrange(len(tensors)), name, number, no_grad)
    if roll < 0.93:
        return "turn", (place, *turns(rng, shape))
    # What is recorded keeps the values that backward saved, whatever is written behind its back.
    if roll < 0.94 and not quiet and not shares_places(tensors[place]):
        return "data", (place,)
    return ("detach", (place,)) if roll < 0.96 else ("compute", (place,))


def turns(rng: random.Random, shape: tuple[int, ...]) -> Step:
    """A change of the tensor's own shape in place."""
    options: list[Step] = [("unsqueeze_", (rng.randint(0, len(shape)),)), ("squeeze_", ())]
    if len(shape) >= 2:
        options += [("transpose_", tuple(rng.sample(range(len(shape)), 2)))] * 2
    if len(shape) == 2:
        options += [("t_", ())]
    return rng.choice(options)


def arrays_for(rng: random.Random) -> list[np.ndarray]:
    source = np.random.RandomState(rng.randrange(10**6))
    shape = tuple(rng.choice([1, 2, 3]) for _ in range(rng.randint(1, 3)))
    return [source.randn(*shape), source.randn(*shape), np.array(source.randn())]


def loss_of(tensors: list[Any]) -> Any:
    total = 0
    for i, each in enumerate(tensors):
        if each.requires_grad:
            total = total + (each * (i + 1)).sum()
    return total


def values(tensors: list[Any]) -> list[np.ndarray]:
    return [each.detach().numpy() for each in tensors]


@pytest.mark.parametrize("seed", range(FIRST, FIRST + COUNT))
def test_a_random_program_does_the_same_in_both(seed: int) -> None:
    rng = random.Random(seed)
    arrays = arrays_for(rng)
    theirs, ours = start(torch, arrays), start(lantern, arrays)
    program: list[Step] = []
    for _ in range(rng.randint(4, 14)):
        action = draw(rng, theirs, quiet=False)
        program.append(action)
        refresh(theirs)
        want = step(torch, theirs, action)
        refresh(theirs)
        have = step(lantern, ours, action)
        assert have == want, f"{program}: {have}, not {want}"
        for i, (mine, other) in enumerate(zip(ours, theirs, strict=True)):
            note = f"tensor {i} after {program}"
            assert mine.requires_grad == other.requires_grad, note
            assert long_strides(mine) == long_strides(other), note
            leaf, outcome = attempt(lambda other=other: other.is_leaf)
            assert outcome != NOTHING or mine.is_leaf == leaf, note
            np.testing.assert_allclose(mine.detach().numpy(), other.detach().numpy(), err_msg=note)
    refresh(theirs)
    want = attempt(lambda: loss_of(theirs).backward())[1]
    have = attempt(lambda: loss_of(ours).backward())[1]
    assert have == want, f"backward of {program}: {have}, not {want}"
    if want == NOTHING:
        for i in (0, 1):
            mine, other = ours[i].grad, theirs[i].grad
            assert (mine is None) == (other is None), f"leaf {i} of {program}"
            if mine is not None:
                np.testing.assert_allclose(
                    mine.numpy(), other.numpy(), rtol=1e-9, atol=1e-12, err_msg=str(program)
                )


@pytest.mark.parametrize("seed", range(FIRST, FIRST + COUNT))
def test_a_recorded_program_does_what_the_eager_one_does(seed: int) -> None:
    rng = random.Random(seed)
    arrays = arrays_for(rng)
    tensors = start(lantern, arrays)
    program: list[Step] = []
    for _ in range(rng.randint(4, 12)):
        action = draw(rng, tensors, quiet=True)
        data_dependent = action[0] == "write" and action[1][2] == "masked"
        if not data_dependent and step(lantern, tensors, action) == NOTHING:
            program.append(action)

    def run(*given: Any) -> tuple:
        first, plain, leaf = (each.detach().clone() for each in given)
        first.requires_grad_()
        leaf.requires_grad_()
        found = [leaf, first, first * 1.5, plain]
        for action in program:
            step(lantern, found, action)
        loss_of(found).backward()
        return [each.detach().clone() for each in found], [leaf.grad, first.grad]

    given = [lantern.from_numpy(each) for each in arrays]
    eager, outcome = attempt(lambda: run(*given))
    if outcome != NOTHING:
        return
    recorded = lantern.compile(run, backend="interpreter")
    for _ in range(3):
        outs, grads = recorded(*given)
        for i, (mine, other) in enumerate(zip(outs, eager[0], strict=True)):
            np.testing.assert_allclose(
                mine.numpy(), other.numpy(), err_msg=f"tensor {i} of {program}"
            )
        for mine, other in zip(grads, eager[1], strict=True):
            assert (mine is None) == (other is None), str(program)
            if mine is not None:
                np.testing.assert_allclose(mine.numpy(), other.numpy(), err_msg=str(program))
