"""Modules behave as PyTorch's in the scenarios; their errors say in which module they happened."""

from __future__ import annotations

import copy
import gc
import json
import pickle
import traceback
import weakref
from pathlib import Path

import nn_scenarios as scenarios
import pytest
from nn_record import hook_that_doubles, record

import lantern
from lantern import nn

GOLDENS = json.loads((Path(__file__).parent / "goldens" / "nn.json").read_text(encoding="utf-8"))
CASES = [(group, name) for group, held in scenarios.GROUPS.items() for name in held]


@pytest.mark.parametrize(("group", "name"), CASES, ids=[name for _, name in CASES])
def test_a_scenario_goes_as_in_pytorch(group, name):
    found = record(lantern, scenarios.GROUPS[group][name])
    assert json.loads(json.dumps(found)) == GOLDENS[group][name]


def test_the_scenarios_can_fail():
    golden = GOLDENS["module"]["train_and_eval"]
    assert record(lantern, lambda torch, log: log.append(1)) != golden


# --- where an error happened
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(4, 5), nn.ReLU(), nn.Linear(7, 3))

    def forward(self, x):
        return self.net(x)


MISMATCH = "mat1 and mat2 shapes cannot be multiplied (2x5 and 7x3)"
PLACE = "(in net.2 (Linear(in_features=7, out_features=3, bias=True)), input (2, 5))"


def raised_by(function, *args, **kwargs):
    with pytest.raises(Exception) as caught:
        function(*args, **kwargs)
    return caught.value


def test_an_error_names_the_path_of_the_module():
    error = raised_by(Net(), lantern.ones(2, 4))
    assert type(error) is RuntimeError
    assert str(error) == f"{MISMATCH} {PLACE}"


def test_the_path_grows_with_every_module_around():
    class Outer(nn.Module):
        def __init__(self):
            super().__init__()
            self.parts = nn.ModuleDict({"left": nn.ModuleList([Net()])})

        def forward(self, x):
            return self.parts["left"][0](x)

    error = raised_by(nn.Sequential(nn.Identity(), Outer()), lantern.ones(2, 4))
    assert str(error) == f"{MISMATCH} {PLACE}".replace("net.2", "Sequential.1.parts.left.0.net.2")


def test_the_module_itself_has_no_path():
    error = raised_by(nn.Linear(3, 2), lantern.ones(2, 4))
    assert str(error) == (
        "mat1 and mat2 shapes cannot be multiplied (2x4 and 3x2) "
        "(in Linear(in_features=3, out_features=2, bias=True), input (2, 4))"
    )


def test_an_op_in_a_forward_of_the_users_names_the_class():
    class Product(nn.Module):
        def forward(self, x, y, scale=2.0, *, shift=None):
            return lantern.mm(x, y) * scale

    class Around(nn.Module):
        def __init__(self):
            super().__init__()
            self.product = Product()

        def forward(self, x):
            return self.product(x, x, shift=lantern.ones(1, dtype=lantern.int64))

    error = raised_by(Around(), lantern.ones(2, 3))
    place = "(in product (Product()), inputs (2, 3), (2, 3), (1,) torch.int64)"
    assert str(error).endswith(place)
    assert str(error).startswith("mat1 and mat2 shapes cannot be multiplied (2x3 and 2x3)")


def test_a_module_that_is_no_child_leaves_the_path_at_what_is_known():
    hidden = [nn.Linear(3, 2)]

    class Hiding(nn.Module):
        def forward(self, x):
            return hidden[0](x)

    error = raised_by(nn.Sequential(Hiding()), lantern.ones(2, 4))
    place = "(in Linear(in_features=3, out_features=2, bias=True), input (2, 4))"
    assert str(error).endswith(place)


def test_the_exception_stays_the_same_object_and_is_told_once():
    net, seen = Net(), []
    net.net[2].register_forward_pre_hook(lambda module, args: seen.append(module))

    class Retrying(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = net

        def forward(self, x):
            try:
                return self.inner(x)
            except RuntimeError as error:
                seen.append(error)
                raise

    outer = Retrying()
    error = raised_by(outer, lantern.ones(2, 4))
    assert error is seen[1]
    assert str(error).count("(in ") == 1 and "inner.net.2" in str(error)
    again = raised_by(nn.Sequential(Raising(error)), lantern.ones(1))
    assert again is error and str(error).count("(in ") == 1


class Raising(nn.Module):
    def __init__(self, error):
        super().__init__()
        self.error = error

    def forward(self, x):
        raise self.error


class Frozen(Exception):
    def __setattr__(self, name, value):
        raise TypeError("no attributes here")


@pytest.mark.parametrize(
    "error",
    [ValueError("mine"), RuntimeError("mine"), KeyError("mine"), Frozen("mine"), ValueError(1, 2)],
    ids=repr,
)
def test_a_users_own_exception_gets_a_note_and_keeps_its_arguments(error):
    before = error.args
    net = nn.Sequential(nn.Sequential(nn.ReLU(), Raising(error)))
    found = raised_by(net, lantern.ones(2, 3))
    assert found is error and found.args == before
    assert found.__notes__ == ["in Sequential.0.1 (Raising()), input (2, 3)"]


def test_a_wrong_call_keeps_pythons_own_sentence():
    error = raised_by(nn.Sequential(nn.Linear(3, 2)), lantern.ones(2, 3), lantern.ones(1))
    assert str(error) == "Sequential.forward() takes 2 positional arguments but 3 were given"
    error = raised_by(nn.Module(), 1)
    assert str(error) == 'Module [Module] is missing the required "forward" function'


def test_a_failing_extra_repr_does_not_replace_the_error():
    class Rude(nn.Linear):
        def extra_repr(self):
            return self.nothing

    assert str(raised_by(Rude(3, 2), lantern.ones(2, 4))).endswith("(in Rude, input (2, 4))")


def test_the_traceback_has_one_line_per_module_and_the_users_own():
    error = raised_by(Net(), lantern.ones(2, 4))
    names = [frame.name for frame in traceback.extract_tb(error.__traceback__)]
    assert names.count("__call__") >= 3
    assert "_call_impl" not in names and "call_with_hooks" not in names


def test_a_pickled_error_does_not_take_the_model_with_it():
    net = Net()
    net.secret = lambda: None  # cannot be pickled
    error = raised_by(net, lantern.ones(2, 4))
    twin = pickle.loads(pickle.dumps(error))
    assert str(twin) == str(error)


def test_modules_are_freed_after_an_error():
    net = Net()
    gone = weakref.ref(net)
    raised_by(net, lantern.ones(2, 4))
    del net
    gc.collect()
    assert gone() is None


# --- what PyTorch gets wrong, or has no scenario for
def test_a_failed_insert_changes_nothing():
    held = nn.ModuleList([nn.ReLU()])
    held.insert(-1, nn.Tanh())
    assert [type(each).__name__ for each in held] == ["Tanh", "ReLU"]
    pairs = nn.ParameterDict({"a": lantern.ones(1)})
    for key in (3, "a.b", "keys"):
        assert raised_by(pairs.__setitem__, key, lantern.ones(1)) is not None
    assert list(pairs) == ["a"] and isinstance(raised_by(lambda: pairs["keys"]), AttributeError)


def test_hooks_from_another_process_are_not_overwritten():
    layer = nn.ReLU()
    handle = layer.register_forward_hook(hook_that_doubles)
    known = range(handle.id, handle.id + 50)
    layer.__setstate__({**vars(layer), "_forward_hooks": dict.fromkeys(known, hook_that_doubles)})
    layer._forward_hooks = type(handle._hooks)(layer._forward_hooks)
    layer.register_forward_hook(lambda module, args, output: output + 1)
    assert len(layer._forward_hooks) == 51


def test_a_hook_put_into_the_table_by_hand_is_called():
    layer = nn.ReLU()
    layer._forward_hooks[0] = hook_that_doubles
    assert layer(lantern.ones(1)).item() == 2.0
    assert copy.deepcopy(layer)(lantern.ones(1)).item() == 2.0


def test_a_pickled_parameter_keeps_what_was_put_on_it():
    parameter = nn.Parameter(lantern.ones(2))
    parameter.decay = 0.5
    twin = pickle.loads(pickle.dumps(parameter))
    assert twin.decay == 0.5 and twin.tolist() == [1.0, 1.0] and twin.is_leaf


def test_a_compiled_module_gives_the_same_and_is_copied_plain():
    net, x = Net.__new__(Net), lantern.ones(2, 4)
    nn.Module.__init__(net)
    net.net = nn.Sequential(nn.Linear(4, 5), nn.ReLU())
    plain = net(x)
    net.compile()
    for _ in range(3):
        assert (net(x) - plain).abs().max().item() < 1e-5
    assert "_compiled_call_impl" not in vars(copy.deepcopy(net))


def test_to_refuses_arguments_it_does_not_know():
    for args in (("cpu", lantern.float32, True, 4), (3.5,)):
        assert isinstance(raised_by(Net().to, *args), TypeError)
    assert isinstance(raised_by(Net().to, dvice="cpu"), TypeError)


def test_what_is_missing_is_named():
    for name in ("Conv2d", "LSTM", "UninitializedParameter", "Transformer"):
        if name not in nn.__all__:
            assert str(raised_by(getattr, nn, name)).startswith(
                f"torch.nn.{name} is not in Lantern yet"
            )
    for module in (nn.functional, nn.init, nn.utils, nn.modules, nn.parameter, nn.modules.module):
        name = module.__name__.replace("lantern", "torch") + ".nothing"
        error = raised_by(getattr, module, "nothing")
        assert str(error).startswith(f"{name} is not in Lantern yet")
