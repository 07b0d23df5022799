"""The networks of `eager.py` as `jax.jit` steps with donated buffers, timed on request.

A separate process, so that JAX may live in an environment of its own: it reads lines "NAME COUNT"
(COUNT 0: how long the first call took, compilation included) and answers with seconds per step.
"""

from __future__ import annotations

import os
import sys
import time
from functools import partial

os.environ.setdefault("JAX_PLATFORMS", "cpu")

import jax
import jax.numpy as jnp
import numpy as np


def layers(random, sizes):
    return [
        (jnp.asarray(random.randn(want, have), jnp.float32) / have**0.5, jnp.zeros(want))
        for have, want in zip(sizes, sizes[1:], strict=False)
    ]


def forward(parameters, x, activation, last):
    for i, (weight, bias) in enumerate(parameters):
        x = x @ weight.T + bias
        if last or i < len(parameters) - 1:
            x = activation(x)
    return x


def mean_squares(x, y):
    return jnp.mean((x - y) ** 2)


def squares(x, y):
    return jnp.sum((x - y) ** 2)


def binary_entropy(x, y):
    logs, rest = jnp.maximum(jnp.log(x), -100), jnp.maximum(jnp.log1p(-x), -100)
    return -jnp.mean(y * logs + (1 - y) * rest)


def entropy(x, y):
    return -jnp.mean(jnp.take_along_axis(jax.nn.log_softmax(x), y[:, None], 1))


def sgd(lr, momentum=0.0):
    def update(parameters, grads, state):
        if momentum:
            state = jax.tree.map(lambda v, g: momentum * v + g, state, grads)
            return jax.tree.map(lambda p, v: p - lr * v, parameters, state), state
        return jax.tree.map(lambda p, g: p - lr * g, parameters, grads), state

    return update, lambda parameters: jax.tree.map(jnp.zeros_like, parameters)


def adam(lr):
    def update(parameters, grads, state):
        first, second, count = state
        count = count + 1
        first = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, first, grads)
        second = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, second, grads)
        scale = jnp.sqrt(1 - 0.999**count)
        rate = lr / (1 - 0.9**count)

        def one(p, m, v):
            return p - rate * m / (jnp.sqrt(v) / scale + 1e-8)

        return jax.tree.map(one, parameters, first, second), (first, second, count)

    def start(parameters):
        zeros = jax.tree.map(jnp.zeros_like, parameters)
        return zeros, jax.tree.map(jnp.zeros_like, parameters), jnp.zeros(())

    return update, start


def workload(sizes, rows, activation, last, loss, optimizer, classes=0):
    """Returns a step without arguments that keeps its own parameters."""
    random = np.random.RandomState(0)
    x = jnp.asarray(random.rand(rows, sizes[0]), jnp.float32)
    if classes:
        y = jnp.asarray(random.randint(0, classes, rows))
    else:
        y = jnp.asarray(random.rand(rows, sizes[-1]), jnp.float32)
    update, start = optimizer
    parameters = layers(random, sizes)
    held = [parameters, start(parameters)]

    @partial(jax.jit, donate_argnums=(0, 1))
    def step(parameters, state, x, y):
        value, grads = jax.value_and_grad(lambda p: loss(forward(p, x, activation, last), y))(
            parameters
        )
        parameters, state = update(parameters, grads, state)
        return parameters, state, value

    def run():
        held[0], held[1], value = step(held[0], held[1], x, y)
        return value

    return run


relu, sigmoid = jax.nn.relu, jax.nn.sigmoid
WORKLOADS = {
    "linear regression 3x1, SGD": lambda: workload(
        [3, 1], 16, relu, False, mean_squares, sgd(0.03)
    ),
    "linear regression 10x2, SGD": lambda: workload(
        [10, 2], 16, relu, False, mean_squares, sgd(0.03)
    ),
    "two-layer 64x1000x100x10, Adam": lambda: workload(
        [1000, 100, 10], 64, relu, False, squares, adam(1e-4)
    ),
    "3-5-5-5-3, 7,000 rows, SGD": lambda: workload(
        [3, 5, 5, 5, 3], 7000, relu, False, mean_squares, sgd(0.01)
    ),
    "8-32-8-4-1, 128 rows, Adam": lambda: workload(
        [8, 32, 8, 4, 1], 128, sigmoid, True, binary_entropy, adam(0.005)
    ),
    "8-32-8-4-1, 531 rows, Adam": lambda: workload(
        [8, 32, 8, 4, 1], 531, sigmoid, True, binary_entropy, adam(0.005)
    ),
    "MNIST MLP, batch 64, SGD momentum": lambda: workload(
        [784, 512, 256, 128, 64, 10], 64, relu, False, entropy, sgd(0.01, 0.5), 10
    ),
    "softmax regression, batch 256, SGD": lambda: workload(
        [784, 10], 256, relu, False, entropy, sgd(0.1), 10
    ),
}


def main():
    steps = {}
    for line in sys.stdin:
        name, _, count = line.strip().rpartition(" ")
        start = time.perf_counter()
        if name not in steps:
            steps[name] = WORKLOADS[name]()
            jax.block_until_ready(steps[name]())
        else:
            for _ in range(int(count)):
                value = steps[name]()
            jax.block_until_ready(value)
        print((time.perf_counter() - start) / max(int(count), 1), flush=True)


if __name__ == "__main__":
    main()
