"""Running a scenario of modules, and the small network that scenarios share.

A scenario is a function of the framework (`torch` is PyTorch or Lantern) and of a log. `record`
runs one and gives all that came out of it (result, log, warnings, error) in a form that can be
compared and stored as JSON.
"""

from __future__ import annotations

import types
import warnings


def scenario(group):
    def add(function):
        group[function.__name__] = function
        return function

    return add


def record(torch, function):
    """Runs a scenario; what both frameworks word differently on purpose is left out."""
    log, result, error = [], None, None
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            result = function(torch, log)
        except Exception as raised:
            error = [type(raised).__name__, text(raised.args[0] if raised.args else "")]
    found = {"result": plain(torch, result), "log": plain(torch, log), "error": error}
    found["warnings"] = [[each.category.__name__, text(each.message)] for each in caught]
    return found


def text(message):
    message = str(message).replace("lantern.", "torch.")
    for end in (" (in ", " Please file an issue", " See https", " Open an issue"):
        message = message.split(end)[0]
    return message


def plain(torch, value):
    if isinstance(value, torch.Tensor):
        return [round(each, 4) for each in value.detach().reshape(-1).tolist()]
    if isinstance(value, dict):
        return {str(key): plain(torch, each) for key, each in value.items()}
    if isinstance(value, (list, tuple, set, types.GeneratorType, type({}.keys()))):
        return [plain(torch, each) for each in value]
    if isinstance(value, (int, float, type(None))):
        return value
    return text(value if isinstance(value, str) else repr(value))


def attempt(log, function, *args):
    """Logs what a call returns or raises."""
    try:
        log.append(function(*args))
    except Exception as raised:
        log.append(f"{type(raised).__name__}: {text(raised.args[0])}")


def tries(log, *calls):
    for call in calls:
        attempt(log, call)


def network(torch):
    """A small network with a buffer, a nested Sequential and known weights."""
    nn = torch.nn

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.a = nn.Linear(2, 2)
            self.register_buffer("count", torch.tensor(3))
            self.net = nn.Sequential(nn.Linear(2, 2), nn.ReLU(), nn.Linear(2, 1))
            with torch.no_grad():
                for i, each in enumerate(self.parameters()):
                    values = torch.arange(each.numel()).reshape(each.shape) * 0.1 + i * 0.3 - 0.5
                    each.copy_(values)

        def forward(self, x, scale=1.0):
            return self.net(self.a(x)) * scale

    return Net()


def data(torch, requires_grad=False):
    return torch.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=requires_grad)


def hook_that_doubles(module, args, output):
    return output * 2
