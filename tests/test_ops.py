"""Every op by its record: each test is written once and run over all records.

`op_db/record.py` says what a record is and how to add one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest
from op_db import BY_FILE
from op_db.harness import (
    LAYOUTS,
    Call,
    Leaf,
    Raised,
    array_of,
    arrays_of,
    assert_same,
    assert_values,
    attempt,
    compact,
    floating,
    goldens,
    gradients,
    is_tensor,
    leaf_of,
    leaves,
    relaid,
    seed_of,
    weighed,
    weights_for,
)
from op_db.record import FLOATS, Make, Record, Sample, function_of

import lantern
from lantern.compiler import compile as compiled
from lantern.compiler.trace import TraceError


def over(wanted: Callable[[Record], object] = lambda record: True) -> pytest.MarkDecorator:
    """Runs a test for each record that it applies to."""
    cases = [
        pytest.param(file, record, id=record.label)
        for file, records in BY_FILE.items()
        for record in records
        if wanted(record)
    ]
    return pytest.mark.parametrize(("file", "record"), cases)


def samples_of(record: Record, dtype: str) -> list[Sample]:
    """The record's own samples, without those of special values."""
    return list(record.samples(Make(seed_of(record.label, dtype), dtype)))


def main_dtype(record: Record) -> str:
    return record.dtypes[0]


def working(record: Record, dtype: str, grad: bool = False) -> Iterator[tuple[Sample, Call]]:
    """The record's own samples that raise nothing, as calls; there must be one."""
    count = 0
    for sample in samples_of(record, dtype):
        call = Call(lantern, record, sample, grad)
        if not isinstance(attempt(call.run), Raised):
            count += 1
            yield sample, Call(lantern, record, sample, grad)
    assert count, f"every sample of {record.label} {dtype} raises"


@over()
def test_values_dtypes_and_errors_are_those_that_pytorch_gave(file: str, record: Record) -> None:
    for dtype in record.dtypes:
        for i, sample in enumerate(record.all_samples(seed_of(record.label, dtype), dtype)):
            expected = goldens(file).get(record.label, dtype, i, sample)
            call = Call(lantern, record, sample)
            what = f"{record.label} {dtype} {sample}"
            assert_same(attempt(call.run), expected, record, dtype, what)
            assert not call.changed(), f"{what}: changed its inputs {call.changed()}"


@over(lambda record: record.reference)
def test_values_are_those_of_a_numpy_reference(file: str, record: Record) -> None:
    dtype = "float64" if "float64" in record.dtypes else record.dtypes[0]
    for sample, call in working(record, dtype):
        with np.errstate(all="ignore"):
            expected = leaves(record.reference(*sample.args, **sample.kwargs))
        found = leaves(call.run())
        assert len(found) == len(expected)
        for have, want in zip(found, expected, strict=True):
            have = array_of(have) if is_tensor(have) else np.asarray(have)
            want = np.asarray(want).astype(have.dtype)
            assert_values(have, want, record, dtype, f"{record.label} {sample}")


def form(record: Record, name: str) -> Callable[..., object]:
    """Returns how the method of a name is called on the first argument."""
    return lambda call: getattr(call.args[0], name)(*call.args[1:], **call.kwargs)


@over(lambda record: record.method and record.call is None)
def test_a_method_is_the_function(file: str, record: Record) -> None:
    dtype, name = main_dtype(record), record.name.rsplit(".", 1)[-1]
    for sample in samples_of(record, dtype):
        if not isinstance(sample.args[0], np.ndarray):
            continue
        calls = Call(lantern, record, sample), Call(lantern, record, sample)
        by_function = attempt(calls[0].run)
        by_method = attempt(lambda c=calls[1]: form(record, name)(c))
        expected = by_function
        if not isinstance(by_function, Raised):
            expected = list(map(leaf_of, leaves(by_function)))
        assert_same(by_method, expected, record, dtype, f"{record.label} {sample}")


@over(lambda record: record.aliases)
def test_aliases_are_the_op_under_other_names(file: str, record: Record) -> None:
    dtype = main_dtype(record)
    method = record.method and record.call is None
    for name in record.aliases.split():
        assert not method or hasattr(lantern.Tensor, name), f"no method {name}"
        assert not (method and record.inplace) or hasattr(lantern.Tensor, f"{name}_"), f"no {name}_"
        for sample in samples_of(record, dtype):
            first, second = (Call(lantern, record, sample) for _ in range(2))
            expected = attempt(first.run)
            if not isinstance(expected, Raised):
                expected = list(map(leaf_of, leaves(expected)))
            found = attempt(lambda c=second, n=name: function_of(lantern, n)(*c.args, **c.kwargs))
            assert_same(found, expected, record, dtype, f"{name} {sample}")


@over(lambda record: record.inplace)
def test_an_inplace_form_writes_what_the_function_returns(file: str, record: Record) -> None:
    for dtype in dict.fromkeys([main_dtype(record), record.dtypes[-1]]):
        for sample in record.all_samples(seed_of(record.label, dtype), dtype):
            if not isinstance(sample.args[0], np.ndarray):
                continue
            expected = attempt(Call(lantern, record, sample).run)
            call = Call(lantern, record, sample)
            target, memory = call.args[0], call.args[0].data_ptr()
            found = attempt(lambda c=call: form(record, f"{record.name}_")(c))
            what = f"{record.label}_ {dtype} {sample}"
            if isinstance(expected, Raised):
                assert isinstance(found, Raised), f"{what}: did not raise {expected}"
                assert found.kind == expected.kind, f"{what}: {found}, not {expected}"
            elif expected.shape != target.shape or not lantern.can_cast(
                expected.dtype, target.dtype
            ):
                assert isinstance(found, Raised) and found.kind == "RuntimeError", (
                    f"{what}: {found}"
                )
            else:
                assert found is target and target.data_ptr() == memory, what
                want = array_of(expected).astype(array_of(target).dtype)
                assert_values(array_of(target), want, record, dtype, what)


@over(lambda record: record.inplace and record.gradient)
def test_an_inplace_form_has_the_gradient_of_the_function(file: str, record: Record) -> None:
    for sample, call in working(record, "float64", grad=True):
        out = call.run()
        if not call.inputs or not is_tensor(call.args[0]) or out.shape != call.args[0].shape:
            continue
        want = gradients(call, [out], weights_for(lantern, [out]))
        again = Call(lantern, record, sample, grad=True)
        target = again.args[0] * 1
        changed = getattr(target, f"{record.name}_")(*again.args[1:], **again.kwargs)
        have = gradients(again, [changed], weights_for(lantern, [changed]))
        for i, (h, w) in enumerate(zip(have, want, strict=True)):
            assert (h is None) == (w is None), f"{record.label}_ {sample} gradient {i}"
            if h is not None:
                assert_values(
                    array_of(h), array_of(w), record, "float64", f"{record.label}_ {sample}"
                )


@over(lambda record: record.out)
def test_an_out_form_writes_into_the_tensor_given(file: str, record: Record) -> None:
    dtype = main_dtype(record)
    for sample, call in working(record, dtype):
        expected = call.run()
        several = isinstance(expected, tuple)
        wanted = list(expected) if several else [expected]
        empty = [lantern.empty(0, dtype=each.dtype) for each in wanted]
        full = [lantern.full_like(each, 1) for each in wanted]
        memory = [each.data_ptr() for each in full]
        for outs in (empty, full):
            given = tuple(outs) if several else outs[0]
            again = Call(lantern, record, sample)
            result = record.run(lantern, again.args, {**again.kwargs, "out": given})
            for got, out, want in zip(leaves(result), outs, wanted, strict=True):
                assert got is out, f"{record.label} {sample}: out= is not what is returned"
                assert_values(array_of(out), array_of(want), record, dtype, f"{record.label} out=")
        assert [each.data_ptr() for each in full] == memory
        if wanted[0].dtype.is_floating_point:
            wrong = [lantern.empty(0, dtype=lantern.bool) for _ in wanted]
            given = tuple(wrong) if several else wrong[0]
            again = Call(lantern, record, sample)
            refused = attempt(
                lambda c=again, o=given: record.run(lantern, c.args, {**c.kwargs, "out": o})
            )
            assert isinstance(refused, Raised) and refused.kind == "RuntimeError", refused


STEP = 1e-5


def slopes(value: Callable[[], float], arrays: list[np.ndarray]) -> list[np.ndarray]:
    """Finite differences of a number by every element of arrays that it is computed from."""
    result = []
    for array in arrays:
        slope = np.zeros(array.shape)
        for place in np.ndindex(array.shape):
            kept = array[place]
            array[place] = kept + STEP
            above = value()
            array[place] = kept - STEP
            below = value()
            array[place] = kept
            slope[place] = (above - below) / (2 * STEP)
        result.append(slope)
    return result


def is_smooth(call: Call, outs: list) -> bool:
    """Says whether finite differences can be taken: numbers there are, all finite, of float64."""
    tensors = [*call.inputs, *outs]
    return bool(outs) and all(
        each.numel() and each.dtype is lantern.float64 and lantern.isfinite(each).all()
        for each in tensors
    )


def assert_slopes(found: list, expected: list[np.ndarray], what: str) -> None:
    for i, (have, want) in enumerate(zip(found, expected, strict=True)):
        have = np.zeros_like(want) if have is None else array_of(have)
        np.testing.assert_allclose(have, want, rtol=1e-4, atol=2e-6, err_msg=f"{what} by input {i}")


@over(lambda record: record.gradient and record.smooth)
def test_gradients_are_finite_differences(file: str, record: Record) -> None:
    checked = 0
    for sample, call in working(record, "float64", grad=True):
        outs = floating(call.run())
        if not is_smooth(call, outs):
            continue
        weights = weights_for(lantern, outs)

        def value(call: Call = call, weights: list = weights) -> float:
            with lantern.no_grad():
                every = [x for x in leaves(call.run()) if is_tensor(x) and x.is_floating_point()]
                return weighed(every, weights).item()

        arrays = [each.detach().numpy() for each in call.inputs]
        found = gradients(call, outs, weights)
        for grad, each in zip(found, call.inputs, strict=True):
            assert grad is None or (grad.shape == each.shape and grad.dtype == each.dtype)
        assert_slopes(found, slopes(value, arrays), f"{record.label} {sample}")
        checked += 1
    assert checked, f"no sample of {record.label} has a gradient"


@over(lambda record: record.gradient and record.second and record.smooth)
def test_second_gradients_are_finite_differences_of_first(file: str, record: Record) -> None:
    checked = 0
    for sample, call in working(record, "float64", grad=True):
        outs = floating(call.run())
        if not is_smooth(call, outs):
            continue
        weights = [each.requires_grad_() for each in weights_for(lantern, outs)]
        others = weights_for(lantern, call.inputs, seed=1)

        def first(create: bool, call=call, weights=weights, others=others) -> lantern.Tensor:
            found = gradients(call, floating(call.run()), weights, create)
            pairs = [(g, o) for g, o in zip(found, others, strict=True) if g is not None]
            return weighed([g for g, _ in pairs], [o for _, o in pairs])

        by = [*call.inputs, *weights]
        total = first(True)
        found = [None] * len(by)
        if total is not None and total.requires_grad:
            found = list(lantern.autograd.grad(total, by, allow_unused=True))
        arrays = [each.detach().numpy() for each in by]
        expected = slopes(lambda f=first: 0.0 if (t := f(False)) is None else t.item(), arrays)
        assert_slopes(found, expected, f"{record.label} {sample}")
        checked += 1
    assert checked, f"no sample of {record.label} has a gradient"


@over(lambda record: record.gradient and record.nodes)
def test_results_say_how_they_were_made(file: str, record: Record) -> None:
    if "float32" not in record.dtypes:
        return
    for i, sample in enumerate(record.all_samples(seed_of(record.label, "float32"), "float32")):
        expected = goldens(file).get(record.label, "float32", i, sample)
        if isinstance(expected, Raised):
            continue
        found = leaves(Call(lantern, record, sample, grad=True).run())
        for have, want in zip(found, expected, strict=True):
            if isinstance(want, Leaf):
                node = have.grad_fn.name() if have.grad_fn is not None else None
                assert node == want.node, f"{record.label} {sample}: {node}, not {want.node}"


@over()
def test_memory_layout_does_not_change_a_result(file: str, record: Record) -> None:
    dtype = main_dtype(record)
    for sample in samples_of(record, dtype):
        for name, how in LAYOUTS.items():
            laid = relaid(sample, how)
            expected = attempt(Call(lantern, record, relaid(laid, compact)).run)
            if isinstance(expected, Raised) or record.view:
                continue
            found = attempt(Call(lantern, record, laid).run)
            what = f"{record.label} {name} {laid}"
            assert_same(found, list(map(leaf_of, leaves(expected))), record, dtype, what)


@over(lambda record: record.errors)
def test_wrong_arguments_raise_pytorchs_sentences(file: str, record: Record) -> None:
    for sample in record.errors:
        raised = attempt(Call(lantern, record, sample).run)
        expected = Raised(sample.kind.__name__, sample.start)
        assert_same(raised, expected, record, "", f"{record.label} {sample}")


@over(lambda record: record.trace)
def test_a_recorded_op_does_what_the_eager_one_does(file: str, record: Record) -> None:
    for dtype in dict.fromkeys([main_dtype(record), record.dtypes[-1]]):
        fresh = Make(seed_of(record.label, dtype, 1), dtype)
        others = list(record.samples(fresh))
        for i, sample in enumerate(record.all_samples(seed_of(record.label, dtype), dtype)):
            other = others[i] if i < len(others) else sample
            if isinstance(attempt(Call(lantern, record, sample).run), Raised):
                continue
            check_compiled(record, dtype, [sample, other, sample, other])


def check_compiled(record: Record, dtype: str, samples: list[Sample]) -> None:
    """Runs a compiled op so often that it is recorded and the record is run on other values."""
    plain = Call(lantern, record, samples[0])
    same = [each for each in samples if repr(each) == repr(samples[0])]
    function = compiled(
        lambda *tensors: record.run(lantern, *filled(plain, tensors)), backend="interpreter"
    )
    for sample in same:
        eager, call = (Call(lantern, record, sample, grad=dtype in FLOATS) for _ in range(2))
        expected, found = attempt(eager.run), attempt(lambda c=call: function(*c.tensors))
        what = f"{record.label} {dtype} {sample} recorded"
        if isinstance(expected, Raised):
            continue
        assert_same(found, list(map(leaf_of, leaves(expected))), record, dtype, what)
        outs, wants = floating(found), floating(expected)
        assert len(outs) == len(wants), (
            f"{what}: {len(outs)} results with history, not {len(wants)}"
        )
        if wants:
            have = gradients(call, outs, weights_for(lantern, outs))
            want = gradients(eager, wants, weights_for(lantern, wants))
            for h, w in zip(have, want, strict=True):
                assert (h is None) == (w is None), f"{what}: {h} for {w}"
                if w is not None:
                    assert_values(array_of(h), array_of(w), record, dtype, f"{what}: gradient")


def filled(call: Call, tensors: tuple) -> tuple[tuple, dict]:
    """The arguments of a call with other tensors in place of its own."""
    given = iter(tensors)

    def put(value: object) -> object:
        if isinstance(value, lantern.Tensor):
            return next(given)
        if isinstance(value, (list, tuple)):
            return type(value)(put(each) for each in value)
        if isinstance(value, dict):
            return {name: put(each) for name, each in value.items()}
        return value

    return put(call.args), put(call.kwargs)


@over(lambda record: not record.trace)
def test_what_depends_on_values_cannot_be_recorded(file: str, record: Record) -> None:
    dtype = main_dtype(record)
    for sample in samples_of(record, dtype)[:1]:
        call = Call(lantern, record, sample)
        function = compiled(lambda *tensors, c=call: record.run(lantern, *filled(c, tensors)))
        function(*call.tensors)
        with pytest.raises(TraceError):
            function(*call.tensors)


@over(lambda record: record.view)
def test_a_view_shares_memory_both_ways(file: str, record: Record) -> None:
    dtype = main_dtype(record)
    for sample, call in working(record, dtype):
        base = call.tensors[0]
        for shown in leaves(call.run()):
            if not shown.numel():
                continue
            assert shown._base is base or shown is base, f"{record.label} {sample}: no view"
            before = array_of(base)
            with lantern.no_grad():
                base.fill_(1)
            assert (array_of(shown) == 1).all(), f"{record.label} {sample}: memory is not shared"
            base.numpy()[...] = before


@over(lambda record: record.gradient == ())
def test_what_has_no_derivative_says_so_in_backward(file: str, record: Record) -> None:
    for sample, call in working(record, "float32"):
        for each in call.tensors:
            if each.is_floating_point():
                each.requires_grad_()
        outs = floating(call.run())
        assert outs, f"{record.label} {sample}: nothing is tracked"
        with pytest.raises((RuntimeError, NotImplementedError), match="derivative for .* not impl"):
            outs[0].sum().backward()


@over(lambda record: record.gradient is False)
def test_what_has_no_gradient_records_nothing(file: str, record: Record) -> None:
    if "float32" not in record.dtypes:
        return
    for sample in samples_of(record, "float32"):
        call = Call(lantern, record, sample)
        for each in call.tensors:
            if each.is_floating_point():
                each.requires_grad_()
        result = attempt(call.run)
        if not isinstance(result, Raised):
            assert not floating(result), f"{record.label} {sample}"


def test_every_record_has_empty_and_scalar_samples() -> None:
    lacking = []
    for records in BY_FILE.values():
        for record in records:
            sizes = [
                array.shape
                for sample in record.all_samples(0, main_dtype(record))
                for array in arrays_of((sample.args, sample.kwargs))
            ]
            if sizes and not (any(0 in shape for shape in sizes) and () in sizes):
                lacking.append(record.label)
    # What PyTorch says of unfold's 0-d input differs from run to run.
    # Sequences that are packed have at least one step.
    packed = {f"{name}-packed" for name in ("lstm", "gru", "rnn_tanh", "rnn_relu")}
    assert set(lacking) <= {"nn.functional.unfold", *packed}
