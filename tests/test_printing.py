"""Tensors print character for character as in PyTorch (goldens: scripts/goldens_printing.py)."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

import lantern
from lantern import printing

GOLDENS = json.loads((Path(__file__).parent / "goldens" / "printing.json").read_text())


@pytest.fixture(autouse=True)
def default_options():
    """Every test starts and ends with the default options and default dtype."""
    lantern.set_printoptions(profile="default")
    yield
    lantern.set_printoptions(profile="default")
    lantern.set_default_dtype(lantern.float32)


def build(case):
    dtype = getattr(lantern, case["dtype"])
    if "arange" in case:
        flat = lantern.arange(case["arange"], dtype=dtype)
    else:
        flat = lantern.tensor(case["values"], dtype=dtype)
    x = flat.reshape(case["shape"]) if "shape" in case else flat
    if case.get("leaf") or "expression" in case:
        x.requires_grad_()
    return eval(case["expression"], {"x": x}) if "expression" in case else x


@pytest.mark.parametrize("number", range(len(GOLDENS["cases"])))
def test_repr_is_the_text_pytorch_prints(number):
    case = GOLDENS["cases"][number]
    lantern.set_default_dtype(getattr(lantern, case.get("default", "float32")))
    lantern.set_printoptions(**case.get("options", {}))
    tensor = build(case)
    assert repr(tensor) == case["text"], case
    assert str(tensor) == case["text"], case


@pytest.mark.parametrize("number", range(len(GOLDENS["formats"])))
def test_format_of_a_tensor(number):
    case = GOLDENS["formats"][number]
    tensor = build(case)
    if "error" not in case:
        assert format(tensor, case["spec"]) == case["text"]
        return
    with pytest.raises({"TypeError": TypeError, "ValueError": ValueError}[case["error"]]) as raised:
        format(tensor, case["spec"])
    if case["text"].startswith("unsupported format string"):
        assert str(raised.value) == case["text"]


def test_options_not_given_stay_but_sci_mode_returns_to_automatic():
    lantern.set_printoptions(precision=7, sci_mode=True)
    lantern.set_printoptions(linewidth=44)
    assert printing.get_printoptions() == {
        "precision": 7,
        "threshold": 1000,
        "edgeitems": 3,
        "linewidth": 44,
        "sci_mode": None,
    }


def test_a_profile_is_overruled_by_options_beside_it():
    lantern.set_printoptions(linewidth=100)
    lantern.set_printoptions(profile="short", edgeitems=7)
    found = printing.get_printoptions()
    assert (found["precision"], found["edgeitems"], found["linewidth"]) == (2, 7, 80)
    lantern.set_printoptions(profile="full")
    assert printing.get_printoptions()["threshold"] == math.inf


def test_the_returned_options_are_a_copy():
    printing.get_printoptions()["precision"] = 1
    assert printing.get_printoptions()["precision"] == 4


def test_printoptions_restores_everything_also_after_an_error():
    lantern.set_printoptions(precision=6, sci_mode=True)
    before = printing.get_printoptions()
    with printing.printoptions(precision=1, threshold=2):
        assert repr(lantern.tensor([0.25, 0.5])) == "tensor([0.2, 0.5])"
    assert printing.get_printoptions() == before
    with pytest.raises(KeyError), printing.printoptions(profile="short"):
        raise KeyError
    assert printing.get_printoptions() == before


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"precision": "a"}, ValueError),
        ({"precision": 2.5}, ValueError),
        ({"precision": -1}, ValueError),
        ({"threshold": "x"}, TypeError),
        ({"edgeitems": 2.0}, TypeError),
        ({"edgeitems": -1}, ValueError),
        ({"linewidth": "80"}, TypeError),
        ({"width": 3}, TypeError),
    ],
)
def test_wrong_options_raise_and_change_nothing(wrong, error):
    before = printing.get_printoptions()
    with pytest.raises(error, match=next(iter(wrong))):
        lantern.set_printoptions(**wrong)
    assert printing.get_printoptions() == before


class Watched:
    """A tensor that counts the elements turned into Python numbers."""

    read = 0

    def __init__(self, tensor):
        self.tensor = tensor

    def __getattr__(self, name):
        return getattr(self.tensor, name)

    def __getitem__(self, index):
        return Watched(self.tensor[index])

    def detach(self):
        return self

    def tolist(self):
        Watched.read += math.prod(self.tensor.shape)
        return self.tensor.tolist()


def test_a_huge_tensor_is_read_only_where_it_shows():
    huge = lantern.ones(1, dtype=lantern.int8).expand(100_000, 3, 100_000)
    Watched.read = 0
    text = printing.tensor_str(Watched(huge)).replace("Watched(", "tensor(")
    assert Watched.read == 6 * 3 * 6
    assert text.count("...") == 6 * 3 + 1
    assert len(text.splitlines()) == 6 * 3 + 6 + 1


def test_views_print_their_own_elements():
    x = lantern.arange(12).reshape(3, 4)
    assert repr(x.T[1:, ::2]) == "tensor([[ 1,  9],\n        [ 2, 10],\n        [ 3, 11]])"


def test_printing_leaves_the_tape_alone():
    x = lantern.ones(2000, requires_grad=True)
    y = x * 2
    node = y.grad_fn
    assert repr(y) == "tensor([2., 2., 2.,  ..., 2., 2., 2.], grad_fn=<MulBackward0>)"
    assert y.grad_fn is node
    y.sum().backward()
    assert x.grad.tolist() == [2.0] * 2000


class Named(lantern.Tensor):
    pass


def test_a_subclass_writes_its_name_and_indents_by_it():
    x = lantern.tensor([[1.0, 2.0], [3.0, 4.0]]).as_subclass(Named)
    assert repr(x) == "Named([[1., 2.],\n       [3., 4.]])"


def test_a_parameter_has_a_heading():
    parameter = lantern.nn.Parameter(lantern.tensor([1.0, 2.5]))
    body = "tensor([1.0000, 2.5000], requires_grad=True)"
    assert repr(parameter) == "Parameter containing:\n" + body
    assert lantern.Tensor.__repr__(parameter) == body
    frozen = lantern.nn.Parameter(lantern.zeros(1), requires_grad=False)
    assert repr(frozen) == "Parameter containing:\ntensor([0.])"


def test_a_parameter_subclass_is_told_twice():
    class Weight(lantern.nn.Parameter):
        pass

    text = repr(Weight(lantern.ones(2)))
    assert text == "Parameter containing:\nParameter(Weight([1., 1.], requires_grad=True))"


def test_a_parameter_without_dimensions_does_not_format_as_a_number():
    parameter = lantern.nn.Parameter(lantern.tensor(2.0))
    assert f"{parameter}" == "Parameter containing:\ntensor(2., requires_grad=True)"
    with pytest.raises(TypeError, match="unsupported format string passed to Parameter"):
        f"{parameter:.2f}"


def test_given_contents_stand_in_for_the_numbers():
    x = lantern.tensor([1, 2], dtype=lantern.int16)
    assert x.__repr__(tensor_contents="...") == "tensor(..., dtype=torch.int16)"


class Node:
    def __init__(self, name):
        self._name = name

    def name(self):
        return self._name


class Moved:
    """A tensor that says it lives on another device or was made by another node."""

    def __init__(self, tensor, **attributes):
        self.__dict__.update(tensor=tensor, **attributes)

    def __getattr__(self, name):
        return getattr(self.tensor, name)


@pytest.mark.parametrize("number", range(len(GOLDENS["devices"])))
def test_the_device_is_told_when_it_is_not_the_cpu(number):
    case = GOLDENS["devices"][number]
    lantern.set_printoptions(**case.get("options", {}))
    tensor = Moved(build(case), device=lantern.device(case["device"]))
    assert printing.tensor_str(tensor) == case["text"]


def test_device_dtype_and_node_in_this_order_each_wrapped():
    tensor = Moved(
        lantern.tensor([0.5] * 7, dtype=lantern.float64),
        device=lantern.device("cuda:1"),
        grad_fn=Node("torch::autograd::CopySlices"),
    )
    assert printing.tensor_str(tensor) == (
        "Moved([0.5000, 0.5000, 0.5000, 0.5000, 0.5000, 0.5000, 0.5000],\n"
        "      device='cuda:1', dtype=torch.float64, grad_fn=<CopySlices>)"
    )
