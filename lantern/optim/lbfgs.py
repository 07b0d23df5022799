"""L-BFGS: Newton-like steps from a short history of gradients, with a line search if wanted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import lantern
from lantern.autograd.mode import active
from lantern.tensor import Tensor

from .optimizer import Optimizer, check_at_least_zero


class LBFGS(Optimizer):
    """Limited-memory BFGS (Nocedal and Wright 2006, algorithm 7.5), one step of many iterations.

    `step(closure)` calls `closure`, which clears the gradients, computes them and returns the loss,
    as often as it needs. Raises ValueError for more than one parameter group.

    >>> import lantern
    >>> w = lantern.ones(2, requires_grad=True)
    >>> optimizer = lantern.optim.LBFGS([w], line_search_fn="strong_wolfe")
    >>> def closure():
    ...     optimizer.zero_grad()
    ...     loss = ((w - 3) ** 2).sum()
    ...     loss.backward()
    ...     return loss
    >>> _ = optimizer.step(closure); w
    tensor([3., 3.], requires_grad=True)
    """

    def __init__(
        self,
        params: Any,
        lr: float | Tensor = 1,
        max_iter: int = 20,
        max_eval: int | None = None,
        tolerance_grad: float = 1e-7,
        tolerance_change: float = 1e-9,
        history_size: int = 100,
        line_search_fn: str | None = None,
    ):
        check_at_least_zero(lr=lr)
        super().__init__(
            params,
            {
                "lr": lr,
                "max_iter": max_iter,
                "max_eval": max_iter * 5 // 4 if max_eval is None else max_eval,
                "tolerance_grad": tolerance_grad,
                "tolerance_change": tolerance_change,
                "history_size": history_size,
                "line_search_fn": line_search_fn,
            },
        )
        if len(self.param_groups) != 1:
            raise ValueError("LBFGS doesn't support per-parameter options (parameter groups)")

    @property
    def _params(self) -> list[Tensor]:
        return self.param_groups[0]["params"]

    def _flat_grad(self) -> Tensor:
        grads = [lantern.zeros_like(p) if p.grad is None else p.grad for p in self._params]
        return lantern.cat([each.reshape(-1) for each in grads])

    def _move(self, t: Any, direction: Tensor) -> None:
        start = 0
        for param in self._params:
            part = direction[start : start + param.numel()].view(param.shape)
            param.add_(part, alpha=float(t))
            start += param.numel()

    def step(self, closure: Callable[[], Any]) -> Any:  # type: ignore[override]
        """Minimizes by `closure`, which computes loss and gradients; returns the first loss."""
        active.refuse("how far LBFGS goes (compile the closure, with keep_grads=True)")
        with lantern.no_grad():
            return self._minimize(lantern.enable_grad()(closure))

    def _minimize(self, closure: Callable[[], Any]) -> Any:
        (group,) = self.param_groups
        state = self.state[self._params[0]]
        state.setdefault("func_evals", 0)
        state.setdefault("n_iter", 0)
        first = closure()
        loss, evaluations = float(first), 1
        state["func_evals"] += 1
        grad = self._flat_grad()
        if grad.abs().max() <= group["tolerance_grad"]:
            return first
        for i in range(group["max_iter"]):
            state["n_iter"] += 1
            _turn(state, grad, group["history_size"])
            if state.get("prev_flat_grad") is None:
                state["prev_flat_grad"] = grad.clone()
            else:
                state["prev_flat_grad"].copy_(grad)
            state["prev_loss"] = loss
            lr = group["lr"].item() if isinstance(group["lr"], Tensor) else group["lr"]
            shy = state["n_iter"] == 1  # nothing is known yet about the length
            state["t"] = min(1.0, 1.0 / grad.abs().sum()) * lr if shy else lr
            slope = grad.dot(state["d"])
            if slope > -group["tolerance_change"]:
                break
            last = i == group["max_iter"] - 1
            here = Point(state["t"], loss, grad, slope)
            loss, grad, used = self._advance(closure, state, here, last, evaluations)
            evaluations += used
            state["func_evals"] += used
            if last or evaluations >= group["max_eval"] or self._arrived(state, grad, loss):
                break
        return first

    def _arrived(self, state: dict[str, Any], grad: Tensor, loss: float) -> bool:
        (group,) = self.param_groups
        small = group["tolerance_change"]
        return bool(
            grad.abs().max() <= group["tolerance_grad"]
            or state["d"].mul(state["t"]).abs().max() <= small
            or abs(loss - state["prev_loss"]) < small
        )

    def _advance(
        self, closure: Any, state: dict[str, Any], here: Point, last: bool, evaluations: int
    ) -> tuple[float, Tensor, int]:
        """Goes along the direction; returns loss and gradient there and the evaluations used."""
        (group,) = self.param_groups
        if group["line_search_fn"] is None:
            self._move(state["t"], state["d"])
            if last:  # nobody looks at the loss any more
                return here.loss, here.grad, 0
            return float(closure()), self._flat_grad(), 1
        if group["line_search_fn"] != "strong_wolfe":
            raise RuntimeError("only 'strong_wolfe' is supported")
        start = [p.clone() for p in self._params]

        def evaluate(t: Any) -> Point:
            self._move(t, state["d"])
            loss, grad = float(closure()), self._flat_grad()
            for param, value in zip(self._params, start, strict=True):
                param.copy_(value)
            return Point(t, loss, grad, grad.dot(state["d"]))

        most = group["max_eval"] - evaluations
        reach = state["d"].abs().max()
        best, used = strong_wolfe(evaluate, here, reach, group["tolerance_change"], most)
        state["t"] = best.t
        self._move(best.t, state["d"])
        return best.loss, best.grad, used


def _turn(state: dict[str, Any], grad: Tensor, history_size: int) -> None:
    """Sets the direction `d` of descent by the two loops over the history."""
    if state["n_iter"] == 1:
        state.update(d=grad.neg(), old_dirs=[], old_stps=[], ro=[], H_diag=1)
        return
    changes, steps, inverses = state["old_dirs"], state["old_stps"], state["ro"]
    change, step = grad - state["prev_flat_grad"], state["d"] * state["t"]
    curvature = change.dot(step)
    if curvature > 1e-10:
        if len(changes) == history_size:
            for each in (changes, steps, inverses):
                each.pop(0)
        changes.append(change)
        steps.append(step)
        inverses.append(1.0 / curvature)
        state["H_diag"] = curvature / change.dot(change)
    shares = state.setdefault("al", [None] * history_size)
    direction = grad.neg()
    for i in reversed(range(len(changes))):
        shares[i] = steps[i].dot(direction) * inverses[i]
        direction = direction - changes[i] * shares[i]
    direction = direction * state["H_diag"]
    for i in range(len(changes)):
        back = changes[i].dot(direction) * inverses[i]
        direction = direction + steps[i] * (shares[i] - back)
    state["d"] = direction


class Point(NamedTuple):
    """A place on the line: how far along, the loss, the gradient, the slope along the line."""

    t: Any
    loss: float
    grad: Tensor
    slope: Tensor


def cubic_minimum(a: Point, b: Point, low: Any, high: Any) -> Any:
    """Returns where the cubic through two points is least within bounds (their formula 3.59)."""
    if a.t > b.t:
        a, b = b, a
    d1 = a.slope + b.slope - 3 * (a.loss - b.loss) / (a.t - b.t)
    square = d1**2 - a.slope * b.slope
    if not square >= 0:
        return (low + high) / 2.0
    d2 = square.sqrt()
    least = b.t - (b.t - a.t) * ((b.slope + d2 - d1) / (b.slope - a.slope + 2 * d2))
    return min(max(least, low), high)


def strong_wolfe(
    evaluate: Callable[[Any], Point], here: Point, reach: Any, tolerance: float, most: int
) -> tuple[Point, int]:
    """Returns a point that meets Wolfe's strong conditions, and the evaluations that it took.

    `here` is the start, its `t` the first step tried (algorithms 3.5 and 3.6 of the book).
    """
    start, now = here._replace(t=0), evaluate(here.t)
    before, used, done = start, 1, False
    bracket = None
    while bracket is None and used - 1 < most:
        if _too_high(now, start) or (used > 2 and now.loss >= before.loss):
            bracket = [before, now]
        elif abs(now.slope) <= -0.9 * start.slope:
            bracket, done = [now], True
        elif now.slope >= 0:
            bracket = [before, now]
        else:
            low, high = now.t + 0.01 * (now.t - before.t), now.t * 10
            before, t = now, cubic_minimum(before, now, low, high)
            now = evaluate(t)
            used += 1
    if bracket is None:
        bracket = [start, now]
    if done:
        return bracket[0], used
    return _zoom(evaluate, bracket, start, reach, tolerance, most, used)


def _too_high(point: Point, start: Point) -> bool:
    """Says whether a point breaks the condition of sufficient decrease."""
    return bool(point.loss > start.loss + 1e-4 * point.t * start.slope)


def _zoom(
    evaluate: Any, bracket: list, start: Point, reach: Any, tolerance: float, most: int, used: int
) -> tuple[Point, int]:
    """Narrows a bracket until its lower end meets the conditions."""
    stuck = False
    low = 0 if bracket[0].loss <= bracket[1].loss else 1
    while used - 1 < most:
        if abs(bracket[1].t - bracket[0].t) * reach < tolerance:
            break
        t, stuck = _inside(bracket, stuck)
        now, high = evaluate(t), 1 - low
        used += 1
        if _too_high(now, start) or now.loss >= bracket[low].loss:
            bracket[high] = now
            low = 0 if bracket[0].loss <= bracket[1].loss else 1
            continue
        met = abs(now.slope) <= -0.9 * start.slope
        if not met and now.slope * (bracket[high].t - bracket[low].t) >= 0:
            bracket[high] = bracket[low]
        bracket[low] = now
        if met:
            break
    return bracket[low], used


def _inside(bracket: list[Point], stuck: bool) -> tuple[Any, bool]:
    """Returns the next place to try, kept from an end of the bracket where that is no progress."""
    ends = [each.t for each in bracket]
    least, greatest = min(ends), max(ends)
    t = cubic_minimum(bracket[0], bracket[1], least, greatest)
    margin = 0.1 * (greatest - least)
    if not min(greatest - t, t - least) < margin:
        return t, False
    if stuck or t >= greatest or t <= least:
        nearer_top = abs(t - greatest) < abs(t - least)
        return (greatest - margin if nearer_top else least + margin), False
    return t, True
