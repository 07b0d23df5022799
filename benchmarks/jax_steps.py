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


def adamw(lr, decay=0.01):
    inner, start = adam(lr)

    def update(parameters, grads, state):
        parameters = jax.tree.map(lambda p: p * (1 - lr * decay), parameters)
        return inner(parameters, grads, state)

    return update, start


def training(parameters, objective, optimizer, x, y):
    """Returns a step without arguments that keeps its own parameters."""
    update, start = optimizer
    held = [parameters, start(parameters)]

    @partial(jax.jit, donate_argnums=(0, 1))
    def step(parameters, state, x, y):
        value, grads = jax.value_and_grad(objective)(parameters, x, y)
        parameters, state = update(parameters, grads, state)
        return parameters, state, value

    def run():
        held[0], held[1], value = step(held[0], held[1], x, y)
        return value

    return run


def workload(sizes, rows, activation, last, loss, optimizer, classes=0):
    """Returns a step of linear layers."""
    random = np.random.RandomState(0)
    x = jnp.asarray(random.rand(rows, sizes[0]), jnp.float32)
    if classes:
        y = jnp.asarray(random.randint(0, classes, rows))
    else:
        y = jnp.asarray(random.rand(rows, sizes[-1]), jnp.float32)
    parameters = layers(random, sizes)

    def objective(parameters, x, y):
        return loss(forward(parameters, x, activation, last), y)

    return training(parameters, objective, optimizer, x, y)


def filters(random, want, have, size):
    scale = (have * size * size) ** -0.5
    return jnp.asarray(random.uniform(-scale, scale, (want, have, size, size)), jnp.float32)


def convolve(x, weight, stride=1, padding=0):
    pads = ((padding, padding),) * 2
    return jax.lax.conv_general_dilated(x, weight, (stride, stride), pads)


def halved(x):
    shape, strides = (1, 1, 2, 2), (1, 1, 2, 2)
    return jax.lax.reduce_window(x, 0.0, jax.lax.add, shape, strides, "VALID") / 4


def lenet():
    random = np.random.RandomState(0)
    x = jnp.asarray(random.rand(256, 1, 28, 28), jnp.float32)
    y = jnp.asarray(random.randint(0, 10, 256))
    convolutions = [
        (filters(random, 6, 1, 5), jnp.zeros(6)),
        (filters(random, 16, 6, 5), jnp.zeros(16)),
    ]

    def objective(parameters, x, y):
        convolutions, rest = parameters
        for (weight, bias), padding in zip(convolutions, (2, 0), strict=True):
            x = convolve(x, weight, 1, padding) + bias[:, None, None]
            x = halved(sigmoid(x))
        return entropy(forward(rest, x.reshape(len(x), -1), sigmoid, False), y)

    parameters = (convolutions, layers(random, [400, 120, 84, 10]))
    return training(parameters, objective, sgd(0.5), x, y)


def normalised(x, weight, bias, dims):
    mean = jnp.mean(x, dims, keepdims=True)
    variance = jnp.mean((x - mean) ** 2, dims, keepdims=True)
    return (x - mean) * jax.lax.rsqrt(variance + 1e-5) * weight + bias


def batch_normalised(x, parameters, running):
    """Returns the normalised batch and the moved running mean and variance."""
    mean, variance = jnp.mean(x, (0, 2, 3)), jnp.var(x, (0, 2, 3))
    moved = [0.9 * old + 0.1 * new for old, new in zip(running, (mean, variance), strict=True)]
    weight, bias = (each[:, None, None] for each in parameters)
    return normalised(x, weight, bias, (0, 2, 3)), moved


def resnet():
    random = np.random.RandomState(0)
    x = jnp.asarray(random.rand(32, 3, 32, 32), jnp.float32)
    y = jnp.asarray(random.randint(0, 10, 32))
    shapes = [(16, 3, 3), (16, 16, 3), (16, 16, 3), (32, 16, 3), (32, 32, 3), (32, 16, 1)]
    shapes += [(64, 32, 3), (64, 64, 3), (64, 32, 1)]
    weights = [(filters(random, *each), jnp.ones(each[0]), jnp.zeros(each[0])) for each in shapes]
    held = [[(jnp.zeros(each[0]), jnp.ones(each[0])) for each in shapes]]
    update, start = sgd(0.01, 0.9)

    def objective(parameters, running, x, y):
        weights, head = parameters
        moved = []

        def layer(x, i, stride=1):
            weight, *rest = weights[i]
            x = convolve(x, weight, stride, weight.shape[-1] // 2)
            x, new = batch_normalised(x, rest, running[i])
            moved.append(new)
            return x

        x = relu(layer(x, 0))
        x = relu(layer(relu(layer(x, 1)), 2) + x)
        for i in (3, 6):
            x = relu(layer(relu(layer(x, i, 2)), i + 1) + layer(x, i + 2, 2))
        return entropy(forward(head, jnp.mean(x, (2, 3)), relu, False), y), moved

    @partial(jax.jit, donate_argnums=(0, 1, 2))
    def step(parameters, state, running, x, y):
        both = jax.value_and_grad(objective, has_aux=True)
        (value, moved), grads = both(parameters, running, x, y)
        parameters, state = update(parameters, grads, state)
        return parameters, state, moved, value

    parameters = (weights, layers(random, [64, 10]))
    held = [parameters, start(parameters), *held]

    def run():
        *held[:], value = step(*held, x, y)
        return value

    return run


def character_gpt(depth=4, heads=4, width=128, context=64, batch=12, letters=65):
    random = np.random.RandomState(0)
    text = random.randint(0, letters, (batch, context + 1))
    x, y = jnp.asarray(text[:, :-1]), jnp.asarray(text[:, 1:].reshape(-1))
    future = jnp.triu(jnp.ones((context, context)), 1) == 1

    def norm():
        return jnp.ones(width), jnp.zeros(width)

    def block():
        sizes = [(width, 3 * width), (width, width), (width, 4 * width), (4 * width, width)]
        return norm(), norm(), [layers(random, each)[0] for each in sizes]

    def linear(x, parameters):
        weight, bias = parameters
        return x @ weight.T + bias

    def attention(x, attend, project):
        parts = jnp.split(linear(x, attend), 3, 2)
        q, k, v = (p.reshape(batch, context, heads, -1).swapaxes(1, 2) for p in parts)
        scores = q @ k.swapaxes(-2, -1) / (width // heads) ** 0.5
        weights = jax.nn.softmax(jnp.where(future, -jnp.inf, scores), -1)
        return linear((weights @ v).swapaxes(1, 2).reshape(batch, context, width), project)

    def objective(parameters, x, y):
        table, places, blocks, last, head = parameters
        x = table[x] + places
        for first, second, (attend, project, widen, narrow) in blocks:
            x = x + attention(normalised(x, *first, (2,)), attend, project)
            wide = linear(normalised(x, *second, (2,)), widen)
            x = x + linear(jax.nn.gelu(wide, approximate=False), narrow)
        x = normalised(x, *last, (2,)) @ head.T
        return entropy(x.reshape(-1, letters), y)

    table = [jnp.asarray(random.randn(n, width), jnp.float32) for n in (letters, context)]
    head = layers(random, [width, letters])[0][0]
    parameters = (*table, [block() for _ in range(depth)], norm(), head)
    return training(parameters, objective, adamw(1e-3), x, y)


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
    "LeNet, batch 256, SGD": lenet,
    "small ResNet, batch 32, SGD momentum": resnet,
    "character GPT, batch 12, AdamW": character_gpt,
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
