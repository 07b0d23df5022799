"""Running statistics beside PyTorch's."""

from __future__ import annotations

import numpy as np
import pytest

import lantern

torch = pytest.importorskip("torch")


@pytest.mark.parametrize("momentum", [0.1, 1.0, 0.0])
@pytest.mark.parametrize("shape", [(2, 3, 4), (5, 3, 2, 2), (1, 3, 4), (0, 3, 4)])
@pytest.mark.parametrize("name", ["batch_norm", "instance_norm"])
def test_training_moves_running_statistics_as_pytorch_does(name, shape, momentum):
    if name == "instance_norm" and not shape[0]:
        pytest.skip("PyTorch makes them NaN")
    x = np.random.default_rng().normal(size=shape).astype(np.float32)
    found = []
    for lt in (lantern, torch):
        mean, variance = lt.zeros(3), lt.ones(3)
        function = getattr(lt.nn.functional, name)
        out = function(lt.from_numpy(x.copy()), mean, variance, None, None, True, momentum)
        found.append([each.numpy() for each in (out, mean, variance)])
    for ours, theirs in zip(*found, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-5)
